"""Which of two domains a picture belongs to, and which split, by the folders that it lay in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import DataError

Folders = tuple[str, ...]  # outermost first
WANTED = (
    "two domains need the folders trainA and trainB (and testA, testB if there are any), or A and "
    "B, or just two folders"
)

_LETTERED = re.compile(r"(train|test|val|valid|validation)?[ _-]?([ab])", re.IGNORECASE)
_SPLITS = {"train": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}
_NAMED_AFTER = re.compile(r"([a-z]+)2([a-z]+(?:_[a-z]+)?)", re.IGNORECASE)  # horse2zebra


@dataclass(frozen=True)
class Place:
    """Where a picture belongs: domain 0 is A, 1 is B; `split` is "" when the folders don't say."""

    domain: int
    split: str


@dataclass(frozen=True)
class Layout:
    """The place of each picture, None for those outside of it, and what the domains are called."""

    places: tuple[Place | None, ...]
    names: tuple[str, str]


def lay_out(folders: Sequence[Folders]) -> Layout:
    """Find both domains by the folders of each picture.

    In this order: trainA, trainB, testA, testB, as the published sets have them, or A and B; else
    two folders of any names. All may lie beside or below folders train and test. Raises
    `DataError` when there are not two.
    """
    lettered = [_lettered(path) for path in folders]
    if any(domain is not None for domain in lettered):
        return Layout(_places(folders, lettered), _named_after(folders))
    rests = [tuple(f for f in path if f.lower() not in _SPLITS) for path in folders]
    while rests and rests[0] and all(path[:1] == rests[0][:1] for path in rests):
        rests = [path[1:] for path in rests]  # a folder that holds everything says nothing
    tops = sorted({path[0] for path in rests if path}, key=str.lower)
    if len(tops) != 2:
        held = ", ".join(tops[:4]) + (" …" if len(tops) > 4 else "")
        found = f"{len(tops)} folders were found ({held})" if tops else "No two folders were found"
        raise DataError(f"{found}; {WANTED}.")
    named = [tops.index(path[0]) if path else None for path in rests]
    return Layout(_places(folders, named), (tops[0], tops[1]))


def _places(folders: Sequence[Folders], domains: Sequence[int | None]) -> tuple[Place | None, ...]:
    return tuple(
        None if domain is None else Place(domain, _split(path))
        for path, domain in zip(folders, domains, strict=True)
    )


def _split(path: Folders) -> str:
    """Return "train" or "test" when a folder says so, else ""."""
    for folder in path:
        lettered = _LETTERED.fullmatch(folder)
        split = _SPLITS.get(((lettered[1] or "") if lettered else folder).lower())
        if split:
            return split
    return ""


def _lettered(path: Folders) -> int | None:
    found = next(filter(None, map(_LETTERED.fullmatch, path)), None)
    return "ab".index(found[2].lower()) if found else None


def _named_after(folders: Sequence[Folders]) -> tuple[str, str]:
    """Return what a folder around everything calls the domains: horse2zebra, Horse and Zebra."""
    tops = {path[0] for path in folders if path}
    found = _NAMED_AFTER.fullmatch(tops.pop()) if len(tops) == 1 else None
    if found is None:
        return "", ""
    first, second = (part.replace("_", " ").capitalize() for part in found.groups())
    return first, second
