"""A data set of a person's own pictures: made from an upload, saved, and loaded again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.base import About, Dataset, Split, fingerprint
from engine.data.decoding import LeftOut, prepared
from engine.data.digits import prepare_picture
from engine.data.reading import clean_name
from engine.data.saved import checked, read_about, read_arrays, saved_path, write_arrays
from engine.data.uploads import picture_files
from engine.errors import DataError

PREFIX = "pictures:"
SIZES = (28, 32, 64)
MIN_PICTURES = 20
MAX_CLASSES = 100
TEST_SHARE = 0.1
RECOMMENDED = {"likelihood": "bernoulli_gray"}
SOURCE, LICENCE = "pictures uploaded by a person", "theirs"
HELP = "Pictures that you brought."
_GONE = "These pictures are no longer on this server; upload them again."
_DAMAGED = "The saved pictures are damaged; upload them again."


def build(files: list[tuple[str, bytes]], *, size: int, colour: bool, name: str) -> Dataset:
    """Make a data set of uploaded picture files and zips; the folder of a picture is its class.

    Pictures are cropped to their middle square and resized to `size`. Every tenth of a class is
    for testing, chosen by content, so that the same pictures always give the same split.
    Pictures that cannot be read, and second copies, are left out and counted in `notes`.

    Raises `DataError` when fewer than 20 pictures remain, and for what `picture_files` refuses.
    """
    if size not in SIZES:
        raise DataError(f"Pictures can be made 28, 32 or 64 px a side; got {size!r}.", field="size")
    shape = (3 if colour else 1, size, size)
    found: dict[str, dict[str, np.ndarray]] = {}  # class -> digest -> C x H x W
    left_out = LeftOut()
    prepare = partial(prepare_picture, shape=shape)
    for file, picture in prepared(picture_files(files), prepare, left_out):
        members = found.setdefault(file.folder, {})
        digest = hashlib.sha256(picture.data).hexdigest()
        left_out.copies += digest in members
        members[digest] = picture
    _check_counts(found, left_out.notes)
    return _dataset(found, clean_name(name) or "My pictures", left_out.notes)


def save(dataset: Dataset, root: Path) -> str:
    """Write a data set of own pictures under `root` and return its key.

    Raises `NoSpace` when the disk is full or cannot be written.
    """
    arrays = {
        "train/images": dataset.train.images,
        "train/labels": dataset.train.labels,
        "test/images": dataset.test.images,
        "test/labels": dataset.test.labels,
    }
    about = {
        "title": dataset.title,
        "class_names": dataset.class_names,
        "shape": dataset.shape,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "notes": dataset.notes,
        "fingerprint": dataset.fingerprint,
    }
    write_arrays(_path(dataset.key, root), arrays, about, "pictures")
    return dataset.key


def load_saved(key: str, root: Path) -> Dataset:
    """Read a data set of own pictures; raises `DataError` when it is gone or damaged."""
    path = _path(key, root)
    about = _header(path)
    train, test = read_arrays(path, _splits, _DAMAGED)
    class_names = tuple(about["class_names"])
    content = fingerprint(train, test, class_names)
    dataset = Dataset(
        key=PREFIX + content,
        title=about["title"],
        train=train,
        test=test,
        class_names=class_names,
        source=SOURCE,
        licence=LICENCE,
        fingerprint=content,
        recommended=RECOMMENDED,
        notes=tuple(about["notes"]),
    )
    return checked(dataset, key, about, _DAMAGED)


def describe_saved(key: str, root: Path) -> dict[str, Any]:
    """Return the catalogue's entry of saved pictures from the file's header alone."""
    about = _header(_path(key, root))
    return About(
        key=key,
        title=about["title"],
        help=HELP,
        class_names=tuple(about["class_names"]),
        shape=tuple(about["shape"]),
        train=about["train"],
        test=about["test"],
        recommended=RECOMMENDED,
    ).describe()


def _check_counts(found: dict[str, dict[str, np.ndarray]], notes: tuple[str, ...]) -> None:
    count = sum(len(members) for members in found.values())
    if count < MIN_PICTURES:
        sentence = f"{count} different pictures could be read; at least {MIN_PICTURES} are needed."
        raise DataError(" ".join([sentence, *notes]))
    if len(found) > MAX_CLASSES:
        raise DataError(
            f"The pictures lie in {len(found)} folders; at most {MAX_CLASSES} are allowed, "
            "since each is a class."
        )


def _dataset(
    found: dict[str, dict[str, np.ndarray]], title: str, notes: tuple[str, ...]
) -> Dataset:
    """Split each class, then mix the classes; the order follows the pictures' digests."""
    folders = sorted(found)
    class_names = tuple(folder or ("other" if len(folders) > 1 else "all") for folder in folders)
    train: list[tuple[str, int]] = []
    test: list[tuple[str, int]] = []
    for label, folder in enumerate(folders):
        digests = sorted(found[folder])
        tested = max(round(TEST_SHARE * len(digests)), int(len(digests) > 3))
        test += [(digest, label) for digest in digests[:tested]]
        train += [(digest, label) for digest in digests[tested:]]
    if not test:  # only tiny classes
        train.sort()
        tested = round(TEST_SHARE * len(train))
        test, train = train[:tested], train[tested:]
    splits = [_stack(sorted(part), [found[folder] for folder in folders]) for part in (train, test)]
    content = fingerprint(splits[0], splits[1], class_names)
    return Dataset(
        key=PREFIX + content,
        title=title,
        train=splits[0],
        test=splits[1],
        class_names=class_names,
        source=SOURCE,
        licence=LICENCE,
        fingerprint=content,
        recommended=RECOMMENDED,
        notes=notes,
    )


def _stack(chosen: list[tuple[str, int]], classes: list[dict[str, np.ndarray]]) -> Split:
    images = np.stack([classes[label][digest] for digest, label in chosen])  # N x C x H x W
    return Split(images, np.array([label for _, label in chosen], dtype=np.int64))


def _path(key: str, root: Path) -> Path:
    """Return where the pictures of `key` lie."""
    return saved_path(key, root, PREFIX, "saved pictures")


def _header(path: Path) -> dict[str, Any]:
    wanted = {"title", "class_names", "shape", "train", "test", "notes", "fingerprint"}
    return read_about(path, wanted, _GONE, _DAMAGED)


def _splits(get: Callable[[str], np.ndarray]) -> tuple[Split, Split]:
    train, test = (
        Split(get(f"{part}/images"), get(f"{part}/labels")) for part in ("train", "test")
    )
    return train, test
