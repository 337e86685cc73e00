"""A data set of a person's own points: drawn by hand or read from a file, saved, loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.data.base import About, Dataset, Split, fingerprint
from engine.data.point_files import MAX_POINTS, MAX_VALUE, MIN_POINTS, is_no_pair, parse_file
from engine.data.points import MODELS
from engine.data.reading import clean_name
from engine.data.saved import checked, read_about, read_arrays, saved_path, write_arrays
from engine.errors import DataError

__all__ = ["PREFIX", "build", "describe_saved", "load_saved", "parse_file", "save"]
PREFIX = "points:"
VIEW = 1.5  # points that lie within +-VIEW, and reach beyond SEEN, stay where they are
SEEN = 0.5
TEST_SHARE = 0.1
CLASS_NAMES = ("all",)
SOURCE, LICENCE = "points brought by a person", "theirs"
HELP = "Points that you drew or brought."
_GONE = "These points are no longer on this server; draw or upload them again."
_DAMAGED = "The saved points are damaged; draw or upload them again."


def build(points: Any, name: str) -> Dataset:
    """Make a data set of own points, an (N, 2) array or a list of pairs; every tenth tests.

    Points far from the view, or tiny in it, are moved and scaled alike in both directions, so
    that the longer side reaches from -1 to 1; `notes` say so.

    Raises `DataError` for fewer than 20 or more than 20,000 points, for numbers that are not
    finite or beyond a million, and for points that all lie on one spot.
    """
    found = _checked(points)
    placed, notes = _placed(found)
    order = np.random.Generator(np.random.PCG64(len(placed))).permutation(len(placed))
    tested = round(TEST_SHARE * len(placed))
    test, train = (_split(placed[part]) for part in (order[:tested], order[tested:]))
    title = clean_name(name) or "My points"
    return _dataset(title, train, test, notes)


def save(dataset: Dataset, root: Path) -> str:
    """Write a data set of own points under `root` and return its key, `points:` and 16 digits.

    Raises `NoSpace` when the disk is full or cannot be written.
    """
    arrays = {"train": dataset.train.images, "test": dataset.test.images}
    about = {
        "title": dataset.title,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "notes": dataset.notes,
        "fingerprint": dataset.fingerprint,
    }
    write_arrays(_path(dataset.key, root), arrays, about, "points")
    return dataset.key


def load_saved(key: str, root: Path) -> Dataset:
    """Read a data set of own points; raises `DataError` when it is gone or damaged."""
    path = _path(key, root)
    about = _header(path)
    train, test = read_arrays(
        path, lambda get: (_split(get("train")), _split(get("test"))), _DAMAGED
    )
    dataset = _dataset(about["title"], train, test, tuple(about["notes"]))
    return checked(dataset, key, about, _DAMAGED)


def describe_saved(key: str, root: Path) -> dict[str, Any]:
    """Return the catalogue's entry of saved points from the file's header alone."""
    about = _header(_path(key, root))
    return About(
        key=key,
        title=about["title"],
        help=HELP,
        class_names=CLASS_NAMES,
        shape=(2,),
        train=about["train"],
        test=about["test"],
        kind="points",
        models=MODELS,
    ).describe()


# ---------------------------------------------------------------------- making


def _dataset(title: str, train: Split, test: Split, notes: tuple[str, ...]) -> Dataset:
    content = fingerprint(train, test, CLASS_NAMES)
    return Dataset(
        key=PREFIX + content,
        title=title,
        train=train,
        test=test,
        class_names=CLASS_NAMES,
        source=SOURCE,
        licence=LICENCE,
        fingerprint=content,
        notes=notes,
        kind="points",
        models=MODELS,
    )


def _split(points: np.ndarray) -> Split:
    whole = np.ascontiguousarray(points, dtype=np.float32)
    return Split(whole, np.zeros(len(whole), dtype=np.int64))


def _checked(points: Any) -> np.ndarray:
    try:
        if isinstance(points, list) and any(is_no_pair(p) for p in points):
            raise ValueError("not pairs")
        found = np.asarray(points, dtype=np.float64)
        if found.ndim != 2 or found.shape[1] != 2:
            raise ValueError("not pairs")
    except (ValueError, TypeError, OverflowError):
        raise DataError("Points must be a list of pairs of numbers, x and y.") from None
    if not MIN_POINTS <= len(found) <= MAX_POINTS:
        raise DataError(
            f"There are {len(found):,} points; {MIN_POINTS} to {MAX_POINTS:,} are allowed."
        )
    wrong = ~(np.abs(found) <= MAX_VALUE)  # NaN is not either
    if wrong.any():
        row = int(np.flatnonzero(wrong.any(1))[0])
        x, y = found[row]
        raise DataError(
            f"Point {row + 1} is ({x:.6g}, {y:.6g}); coordinates must lie between -1,000,000 and "
            "1,000,000."
        )
    return found


def _placed(points: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return points where the view shows them well, and what was done."""
    low, high = points.min(0), points.max(0)
    half = float((high - low).max()) / 2
    if half <= 1e-9 * max(1.0, float(np.abs(points).max())):
        raise DataError("All points lie on one spot; a generator needs some that differ.")
    reach = float(np.abs(points).max())
    if SEEN <= reach <= VIEW and half >= SEEN / 2:
        return points, ()
    middle = (low + high) / 2
    note = (
        f"Moved by ({-middle[0]:.4g}, {-middle[1]:.4g}) and divided by {half:.4g}, so that the "
        "points fill the view."
    )
    return (points - middle) / half, (note,)


# ---------------------------------------------------------------------- files


def _path(key: str, root: Path) -> Path:
    """Return where the points of `key` lie."""
    return saved_path(key, root, PREFIX, "saved points", "points-")


def _header(path: Path) -> dict[str, Any]:
    wanted = {"title", "train", "test", "notes", "fingerprint"}
    return read_about(path, wanted, _GONE, _DAMAGED)
