"""A text of a person's own as a data set: made, saved, loaded again. `text_files` reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.base import About, Dataset, text_dataset
from engine.data.reading import clean_name
from engine.data.saved import checked, read_about, read_arrays, saved_path, write_arrays
from engine.data.text_files import plain, read_path
from engine.errors import DataError

PREFIX = "text:"
MIN_CHARACTERS = 200
LITTLE = 50_000  # characters below which a network soon knows a text by heart
MANY_CHARACTERS = 300  # distinct ones above which byte pairs suit better
FIRST_LINES = 8
LINE_LENGTH = 100
SOURCE, LICENCE = "a text brought by a person", "theirs"
HELP = "A text that you brought."
_GONE = "This text is no longer on this server; bring it again."
_DAMAGED = "The saved text is damaged; bring it again."


def build(text: str, name: str = "", notes: tuple[str, ...] = ()) -> Dataset:
    """Make a data set of a text; its first nine tenths are for training, the rest for validation.

    What `plain` changes is told in `notes`, after those given. Raises `DataError` for fewer than
    200 characters, and for a text of one character again and again.
    """
    text, changed = plain(text)
    if len(text.strip()) < MIN_CHARACTERS:
        raise DataError(
            f"The text has {len(text.strip()):,} characters; at least {MIN_CHARACTERS} are needed.",
            field="text",
        )
    if len(set(text)) < 2:
        raise DataError("The text is one character again and again.", field="text")
    return _dataset(clean_name(name) or "My text", text, (*notes, *changed))


def from_path(path: Path) -> Dataset:
    """Make a data set of a text file on this machine; raises `DataError` with one sentence."""
    text, notes = read_path(path)
    return build(text, path.stem, notes)


def facts(dataset: Dataset) -> dict[str, Any]:
    """Return what to show of a text before training on it: counts, first lines, advice."""
    text = _whole(dataset)
    lines = [line[:LINE_LENGTH] for line in text.lstrip("\n")[: 50 * LINE_LENGTH].split("\n")]
    distinct = len(set(text))
    return {
        "title": dataset.title,
        "characters": len(text),
        "distinct": distinct,
        "lines": text.rstrip("\n").count("\n") + 1,
        "first": lines[:FIRST_LINES],
        "notes": list(dataset.notes),
        "advice": advice(len(text), distinct),
    }


def advice(characters: int, distinct: int) -> list[str]:
    """Return sentences on what to expect of a text of this size."""
    told = []
    if characters < LITTLE:
        told.append(
            "This is little text: a network soon knows it by heart. Take a small one, watch the "
            "validation loss and the longest copied run, and stop when the loss rises."
        )
    if distinct > MANY_CHARACTERS:
        told.append(
            f"With {distinct:,} different characters, byte pairs suit this text better than one "
            "token a character; they are chosen for you."
        )
    return told


def recommended(distinct: int) -> dict[str, Any]:
    """Return the settings that suit a text with so many different characters."""
    return {"tokenizer": "byte_pairs"} if distinct > MANY_CHARACTERS else {}


def save(dataset: Dataset, root: Path) -> str:
    """Write a text under `root` and return its key, `text:` and 16 digits.

    Raises `NoSpace` when the disk is full or cannot be written.
    """
    text = _whole(dataset)
    about = {
        "title": dataset.title,
        "train": len(dataset.train),
        "test": len(dataset.test),
        "distinct": len(set(text)),
        "notes": dataset.notes,
        "fingerprint": dataset.fingerprint,
    }
    packed = np.frombuffer(text.encode("utf-8"), np.uint8)
    write_arrays(_path(dataset.key, root), {"text": packed}, about, "text")
    return dataset.key


def load_saved(key: str, root: Path) -> Dataset:
    """Read a text; raises `DataError` when it is gone or damaged."""
    path = _path(key, root)
    about = _header(path)
    text = read_arrays(path, lambda get: get("text").tobytes().decode("utf-8"), _DAMAGED)
    dataset = _dataset(about["title"], text, tuple(about["notes"]))
    return checked(dataset, key, about, _DAMAGED)


def describe_saved(key: str, root: Path) -> dict[str, Any]:
    """Return the catalogue's entry of a saved text from the file's header alone."""
    about = _header(_path(key, root))
    return About(
        key=key,
        title=about["title"],
        help=HELP,
        class_names=("text",),
        shape=(1,),
        train=about["train"],
        test=about["test"],
        recommended=recommended(about["distinct"]),
        kind="text",
    ).describe()


def _dataset(title: str, text: str, notes: tuple[str, ...]) -> Dataset:
    advised = recommended(len(set(text)))
    about = {"source": SOURCE, "licence": LICENCE, "notes": notes, "recommended": advised}
    dataset = text_dataset("", title, text, **about)
    return replace(dataset, key=PREFIX + dataset.fingerprint)


def _whole(dataset: Dataset) -> str:
    parts: Any = (dataset.train, dataset.test)
    return "".join(part.text for part in parts)


def _path(key: str, root: Path) -> Path:
    """Return where a text lies."""
    return saved_path(key, root, PREFIX, "a saved text", "text-")


def _header(path: Path) -> dict[str, Any]:
    wanted = {"title", "train", "test", "distinct", "notes", "fingerprint"}
    return read_about(path, wanted, _GONE, _DAMAGED)
