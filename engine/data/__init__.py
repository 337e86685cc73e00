"""Data sets in memory, and the pictures that people bring.

Nothing here imports torch at module level: the page's process reads uploads with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.data import fashion, mnist
from engine.data.base import Dataset, Split, indices_at
from engine.data.pictures import PREFIX, describe_saved, load_saved
from engine.data.reading import clean_name, read_picture
from engine.errors import DataError

__all__ = ["Dataset", "Split", "describe", "indices_at", "load", "read_picture"]

_SHIPPED: dict[str, Callable[[], Dataset]] = {"mnist": mnist.load, "fashion": fashion.load}
_ABOUT = (mnist.ABOUT, fashion.ABOUT, fashion.FULL)


def load(key: str, root: Path | None = None) -> Dataset:
    """Return the data set `key`; it is read once a process.

    `root` is the server's own folder, where people's pictures and downloads lie.
    Raises `DataError` for an unknown data set, and for one that cannot be had.
    """
    if isinstance(key, str) and key in _SHIPPED:
        return _load_shipped(key)
    if key == fashion.FULL.key:
        return _load_full(root, os.environ.get(fashion.FOLDER_VARIABLE))
    if isinstance(key, str) and key.startswith(PREFIX):
        if root is None:
            raise DataError("Saved pictures need the folder that they lie in.", field="dataset")
        return load_saved(key, root)
    known = ", ".join(about.key for about in _ABOUT)
    raise DataError(
        f"There is no data set {clean_name(str(key))!r}; known are {known}, and {PREFIX}… for "
        "uploaded pictures.",
        field="dataset",
    )


def describe(root: Path | None = None, keys: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the catalogue's entries, without reading any pictures.

    `keys` adds a person's own saved pictures; those that are gone are left out.
    """
    entries = [mnist.ABOUT.describe(), fashion.ABOUT.describe()]
    entries.append(fashion.FULL.describe(reason=fashion.why_missing(root)))
    for key in keys:
        try:
            entries.append(load_entry(key, root))
        except DataError:
            continue
    return entries


def load_entry(key: str, root: Path | None) -> dict[str, Any]:
    """Return the catalogue's entry of saved pictures; raises `DataError` when they are gone."""
    if root is None:
        raise DataError("Saved pictures need the folder that they lie in.", field="dataset")
    return describe_saved(key, root)


@lru_cache(maxsize=4)
def _load_shipped(key: str) -> Dataset:
    return _SHIPPED[key]()


@lru_cache(maxsize=1)
def _load_full(root: Path | None, named: str | None) -> Dataset:
    return fashion.load_full(root)
