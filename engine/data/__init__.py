"""Data sets in memory, and the pictures that people bring.

Nothing here imports torch at module level: the page's process reads uploads with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.data import fashion, mnist
from engine.data.base import Dataset, Split, indices_at
from engine.errors import DataError

__all__ = ["Dataset", "Split", "describe", "indices_at", "load"]

_SHIPPED: dict[str, Callable[[], Dataset]] = {"mnist": mnist.load, "fashion": fashion.load}
_ABOUT = (mnist.ABOUT, fashion.ABOUT)


def load(key: str, root: Path | None = None) -> Dataset:
    """Return the data set `key`; shipped ones are read once a process.

    Raises `DataError` for an unknown data set.
    """
    if key in _SHIPPED:
        return _load_shipped(key)
    raise DataError(
        f"There is no data set {str(key)[:60]!r}; known are {', '.join(a.key for a in _ABOUT)}.",
        field="dataset",
    )


def describe(root: Path | None = None, keys: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the catalogue's entries, without reading any pictures."""
    return [about.describe() for about in _ABOUT]


@lru_cache(maxsize=4)
def _load_shipped(key: str) -> Dataset:
    return _SHIPPED[key]()
