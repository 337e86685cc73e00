"""What stands in for the data that imported weights were trained on: one gray row, or no text.

The weights of others come without data (`engine.foreign`, `engine.gpt2`). Their checkpoints
still need a shape, and translators two domains: the keys `imported_128` and `imported_256` give
them, `no_text` is for language models, and there is nothing to train on.
"""

from __future__ import annotations

import numpy as np

from engine.data.base import DOMAIN_CHANNELS, Dataset, Split, fingerprint, text_dataset

PREFIX = "imported_"
SIDES_PX = (128, 256)
NO_TEXT = "no_text"
KEYS = (*(f"{PREFIX}{side}" for side in SIDES_PX), NO_TEXT)
GRAY = 128


def load(key: str) -> Dataset:
    """Return the stand-in of one of `KEYS`."""
    if key == NO_TEXT:
        notes = ("These weights came without their text: there is none to measure or train on.",)
        return text_dataset(key, "Imported weights", "", notes=notes, models=("none",))
    side = int(key.removeprefix(PREFIX))
    pixels = np.full((1, 2 * DOMAIN_CHANNELS, side, side), GRAY, np.uint8)
    split = Split(pixels, np.zeros(1, np.int64))
    names = ("unknown",)
    return Dataset(
        key=key,
        title=f"Imported weights, {side} px",
        train=split,
        test=split,
        class_names=names,
        source="",
        licence="",
        fingerprint=fingerprint(split, split, names),
        notes=(
            "These weights came without their pictures: there are none to look at or to train on.",
        ),
        kind="pairs",
        domains=("A", "B"),
    )
