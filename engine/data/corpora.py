"""Texts that come with the project: Shakespeare's works and the King James Bible.

A text is split by position: its first nine tenths are for training, the rest for validation.
"""

from __future__ import annotations

import lzma
from pathlib import Path

from engine.data.base import TRAIN_TENTHS, About, Dataset, text_dataset
from engine.data.shipped import ASSETS, read_note
from engine.errors import DataError

TINY = slice(0, 1_115_394)  # as many as Tiny Shakespeare has (Karpathy 2015, char-rnn)
SCENE = slice(832_416, 841_040)  # of Hamlet, with "To be, or not to be"


def _about(key: str, title: str, characters: int, told: str) -> About:
    train = characters * TRAIN_TENTHS // 10
    return About(
        key=key,
        title=title,
        help=told,
        class_names=("text",),
        shape=(1,),
        train=train,
        test=characters - train,
        kind="text",
    )


SHAKESPEARE = _about(
    "shakespeare",
    "Shakespeare",
    5_052_197,
    "Shakespeare's plays and poems, 5.1 million characters: names in capitals, speeches, stage "
    "directions in brackets.",
)
BIBLE = _about(
    "bible",
    "King James Bible",
    4_236_033,
    "The Bible in the English of 1611, 4.2 million characters: a verse a line, with its number.",
)
SHAKESPEARE_TINY = _about(
    "shakespeare_tiny",
    "Shakespeare, a fifth",
    TINY.stop,
    "The first 1.1 million characters of Shakespeare's works in alphabetical order, from All's "
    "Well That Ends Well on: for quick runs.",
)
HAMLET_SCENE = _about(
    "scene",
    "A scene of Hamlet",
    SCENE.stop - SCENE.start,
    "The first scene of Hamlet's third act, 8,600 characters: so little that a network soon knows "
    "it by heart.",
)
ABOUT = (SHAKESPEARE, SHAKESPEARE_TINY, HAMLET_SCENE, BIBLE)
KEYS = tuple(about.key for about in ABOUT)
_PARTS = {SHAKESPEARE_TINY.key: TINY, HAMLET_SCENE.key: SCENE}  # of Shakespeare's works


def load(key: str) -> Dataset:
    """Read a shipped text, or a part of one, and check it against the note's fingerprint."""
    about = next(a for a in ABOUT if a.key == key)
    shipped = SHAKESPEARE if key in _PARTS else about
    note = read_note(shipped.key)
    text = read(ASSETS / note["file"])
    told = {"source": note["source"], "licence": note["licence"]}
    dataset = text_dataset(shipped.key, shipped.title, text, **told)
    if dataset.fingerprint != note["fingerprint"]:
        raise DataError(f"The data file {note['file']} does not hold what its note says.")
    if key not in _PARTS:
        return dataset
    part = _PARTS[key]
    told["source"] += f"; characters {part.start:,} to {part.stop:,}"
    return text_dataset(key, about.title, text[part], **told)


def read(path: Path) -> str:
    """Return the text of a shipped file; raises `DataError` when it is missing or damaged."""
    try:
        return lzma.decompress(path.read_bytes()).decode("utf-8")
    except FileNotFoundError:
        raise DataError(f"The data file {path.name} is missing from {path.parent}.") from None
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise DataError(
            f"The data file {path.name} is damaged; fetch it again from the repository."
        ) from error
