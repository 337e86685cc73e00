"""Fluent emoji in the 3-D style: 64 x 64 pixels in colour on white, by the groups of Unicode.

White, because only 12 of the pictures nearly vanish on it, against 409 on a middle gray; and
because white is an end of tanh's range, so that a generator reaches a clean ground.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from engine.data.base import About, Dataset, Split
from engine.data.shipped import load_shipped
from engine.errors import DataError

SIDE_PX = 64
COLUMNS = 40  # tiles in a row of a sheet
PLANES = ("Y", "Cb", "Cr")
NEARLY_WHITE = 248  # what lossy packing leaves of the white ground

ABOUT = About(
    key="emoji",
    title="Emoji (3-D style)",
    help="Emoji of Microsoft's Fluent set, 64 × 64 pixels, in colour on white, without flags and "
    "skin tones.",
    class_names=(
        "Smileys & Emotion",
        "People & Body",
        "Animals & Nature",
        "Food & Drink",
        "Travel & Places",
        "Activities",
        "Objects",
        "Symbols",
    ),
    shape=(3, SIDE_PX, SIDE_PX),
    train=1_398,
    test=201,
    recommended={"likelihood": "bernoulli_gray"},
    models=("dcgan", "classifier"),
)


def load() -> Dataset:
    """Read the shipped file."""
    return load_shipped(ABOUT, read)


@dataclass(frozen=True)
class Coded:
    """One split, with the code points of each emoji as in file names."""

    split: Split
    codes: tuple[str, ...]


def read(path: Path) -> dict[str, Split]:
    """Read the shipped sheets; raises `DataError` when they are missing or damaged."""
    return {name: part.split for name, part in read_coded(path, "emoji.json").items()}


def read_coded(path: Path, member: str) -> dict[str, Coded]:
    """Read sheets and the codes that `member` of the file gives; raises as `read` does.

    Each plane is a gray WebP of its own: colours as sharp as brightness, and a decoder that is
    bit-exact by its specification, so that the fingerprint is the same everywhere.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(archive.read(member))
            planes = [_decode(archive.read(f"{name}.webp")) for name in PLANES]
        sheet = Image.merge("YCbCr", planes).convert("RGB")
        tiles = _tiles(np.asarray(sheet), head["count"])
        return {
            name: Coded(
                Split(
                    np.ascontiguousarray(tiles[start : start + len(part["labels"])]),
                    np.array(part["labels"], dtype=np.int64),
                ),
                tuple(part["codes"]),
            )
            for (name, part), start in zip(head["splits"].items(), head["starts"], strict=True)
        }
    except FileNotFoundError:
        raise DataError(f"The data file {path.name} is missing from {path.parent}.") from None
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The data file {path.name} is damaged; fetch it again from the repository."
        ) from error


def _decode(content: bytes) -> Image.Image:
    """Return one plane as it is, H x W; of a gray WebP the decoder gives three equal channels."""
    return Image.open(io.BytesIO(content), formats=("WEBP",)).convert("RGB").getchannel(0)


def _tiles(sheet: np.ndarray, count: int) -> np.ndarray:
    """Cut a sheet, H x W x 3, into pictures, N x 3 x 64 x 64, with their ground made white."""
    rows = sheet.shape[0] // SIDE_PX
    cut = sheet.reshape(rows, SIDE_PX, COLUMNS, SIDE_PX, 3).transpose(0, 2, 4, 1, 3)
    tiles = cut.reshape(rows * COLUMNS, 3, SIDE_PX, SIDE_PX)[:count].copy()
    white = (tiles.min(axis=1, keepdims=True) >= NEARLY_WHITE).repeat(3, axis=1)
    tiles[white] = 255
    return tiles
