"""Data sets in memory, and the pictures that people bring.

Nothing here imports torch at module level: the page's process reads uploads with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.data import (
    corpora,
    emoji,
    emoji_pairs,
    emoji_styles,
    fashion,
    imported,
    mnist,
    own_points,
    own_texts,
    pictures,
    points,
    stacked,
    two_domains,
)
from engine.data.base import Dataset, Split, indices_at
from engine.data.reading import clean_name, read_picture
from engine.errors import DataError

__all__ = ["Dataset", "Split", "describe", "indices_at", "load", "read_picture"]

_SHIPPED: dict[str, Callable[[], Dataset]] = {
    "mnist": mnist.load,
    "fashion": fashion.load,
    "emoji": emoji.load,
    "emoji_pairs": emoji_pairs.load,
    emoji_styles.KEY: emoji_styles.load,
    "stacked_mnist": stacked.load,
}
_ABOUT = (
    mnist.ABOUT,
    fashion.ABOUT,
    fashion.FULL,
    emoji.ABOUT,
    emoji_pairs.ABOUT,
    stacked.ABOUT,
    *points.ABOUT,
    *corpora.ABOUT,
)
_OWN = (pictures, two_domains, own_points, own_texts)  # what people bring


def load(key: str, root: Path | None = None) -> Dataset:
    """Return the data set `key`; it is read once a process.

    `root` is the server's own folder, where people's pictures and downloads lie.
    Raises `DataError` for an unknown data set, and for one that cannot be had.
    """
    if isinstance(key, str) and key in _SHIPPED:
        return _load_shipped(key)
    if key == fashion.FULL.key:
        return _load_full(root, os.environ.get(fashion.FOLDER_VARIABLE))
    if key in imported.KEYS:
        return imported.load(key)
    if key in points.KEYS:
        return _load_points(key)
    if key in corpora.KEYS:
        return _load_text(key)
    if is_own(key):
        return _module(key).load_saved(key, _needed(root))
    known = ", ".join(about.key for about in _ABOUT)
    raise DataError(
        f"There is no data set {clean_name(str(key))!r}; known are {known}, "
        f"and, of your own, {', '.join(f'{module.PREFIX}…' for module in _OWN)}.",
        field="dataset",
    )


def is_own(key: Any) -> bool:
    """Say whether a key names what a person brought."""
    return isinstance(key, str) and key.startswith(tuple(module.PREFIX for module in _OWN))


def saved_file(key: str, root: Path) -> Path:
    """Return where a thing that a person brought lies; raises `DataError` for another key."""
    path: Path = _module(key)._path(key, root)
    return path


def _module(key: str) -> Any:
    for module in _OWN:
        if key.startswith(module.PREFIX):
            return module
    raise DataError(f"{clean_name(key)!r} is nothing that a person brought.", field="dataset")


def _needed(root: Path | None) -> Path:
    if root is None:
        raise DataError("What people brought needs the folder that it lies in.", field="dataset")
    return root


def describe(root: Path | None = None, keys: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the catalogue's entries, without reading any pictures.

    `keys` adds what a person brought; what is gone is left out.
    """
    entries = [
        about.describe(reason=fashion.why_missing(root) if about is fashion.FULL else None)
        for about in _ABOUT
    ]
    for key in keys:
        try:
            entries.append(load_entry(key, root))
        except DataError:
            continue
    return entries


def load_entry(key: str, root: Path | None) -> dict[str, Any]:
    """Return the entry of what a person brought; raises `DataError` when it is gone."""
    entry: dict[str, Any] = _module(key).describe_saved(key, _needed(root))
    return entry


@lru_cache(maxsize=4)
def _load_shipped(key: str) -> Dataset:
    return _SHIPPED[key]()


@lru_cache(maxsize=4)
def _load_points(key: str) -> Dataset:
    return points.load(key)


@lru_cache(maxsize=2)
def _load_text(key: str) -> Dataset:
    return corpora.load(key)


@lru_cache(maxsize=1)
def _load_full(root: Path | None, named: str | None) -> Dataset:
    return fashion.load_full(root)
