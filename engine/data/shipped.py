"""Data files that come with the project, each with a note of source, licence and SHA-256."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.data.base import About, Dataset, Split, fingerprint
from engine.data.packed import unpack
from engine.errors import DataError

ASSETS = Path(__file__).parent / "assets"


def read_note(key: str) -> dict[str, Any]:
    """Return the note beside the shipped file of the data set `key`."""
    path = ASSETS / f"{key}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"The note {path.name} is missing or damaged in {ASSETS}.") from error


def load_shipped(about: About, read: Callable[[Path], dict[str, Split]] = unpack) -> Dataset:
    """Read a shipped data set and check its content against the note's fingerprint."""
    note = read_note(about.key)
    splits = read(ASSETS / note["file"])
    content = fingerprint(splits["train"], splits["test"], about.class_names)
    if content != note["fingerprint"]:
        raise DataError(f"The data file {note['file']} does not hold what its note says.")
    return Dataset(
        key=about.key,
        title=about.title,
        train=splits["train"],
        test=splits["test"],
        class_names=about.class_names,
        source=note["source"],
        licence=note["licence"],
        fingerprint=content,
        recommended=about.recommended,
        kind=about.kind,
        models=about.models,
        domains=about.domains,
        paired=about.paired,
    )
