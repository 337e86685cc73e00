"""Fluent emoji in two styles, flat and 3-D: the same emoji, drawn twice.

The 3-D ones are those of the data set `emoji`, with its split; the flat ones lie in a file of
their own. A few families and couples have no flat drawing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.data.base import About, Dataset, Split
from engine.data.emoji import ABOUT as SOLID
from engine.data.emoji import SIDE_PX, Coded, read_coded
from engine.data.shipped import ASSETS, load_shipped, read_note
from engine.errors import DataError

FLAT = "flat.json"  # the member of the file that names its emoji
ABOUT = About(
    key="emoji_pairs",
    title="Emoji, flat and 3-D",
    help="Emoji of Microsoft's Fluent set in two styles, 64 × 64 pixels, on white. The pictures "
    "belong together in pairs; CycleGAN is not told which.",
    class_names=SOLID.class_names,
    shape=(6, SIDE_PX, SIDE_PX),
    train=1_357,
    test=201,
    kind="pairs",
    domains=("Flat", "3-D"),
    paired=True,
)


def load() -> Dataset:
    """Read both shipped files."""
    return load_shipped(ABOUT, read)


def read(path: Path) -> dict[str, Split]:
    """Read the flat pictures at `path` and the 3-D ones that belong to them, N x 6 x 64 x 64.

    Raises `DataError` when a file is missing or damaged.
    """
    shaped = ASSETS / read_note(SOLID.key)["file"]
    solid, flat = read_coded(shaped, "emoji.json"), read_coded(path, FLAT)
    try:
        return {name: _joined(part, solid[name]) for name, part in flat.items()}
    except KeyError as error:
        raise DataError(f"{path.name} and {shaped.name} do not belong together.") from error


def _joined(flat: Coded, solid: Coded) -> Split:
    at = {code: i for i, code in enumerate(solid.codes)}
    rows = [at[code] for code in flat.codes]
    images = np.concatenate([flat.split.images, solid.split.images[rows]], 1)  # N x 6 x 64 x 64
    return Split(images, flat.split.labels)
