"""Make the shipped flat emoji of the npm package, for those that are shipped in 3-D."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from engine.data import emoji
from engine.data.build_emoji import compose, pack
from engine.data.emoji_pairs import FLAT
from engine.data.shipped import ASSETS, read_note
from engine.errors import DataError

PACKAGE = "@lobehub/fluent-emoji-flat@1.1.0"
ARCHIVE = "lobehub-fluent-emoji-flat-1.1.0.tgz"
DRAWN_PX = 256  # drawn at this side, then made smaller as the 3-D pictures were


def make(folder: Path) -> bytes:
    """Return the file's bytes; needs the package resvg_py, which draws vector graphics."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise DataError("Drawing the flat emoji needs `pip install resvg_py==0.5.0`.") from None
    drawings = _package(folder / ARCHIVE)
    with zipfile.ZipFile(ASSETS / read_note(emoji.ABOUT.key)["file"]) as archive:
        splits = json.loads(archive.read("emoji.json"))["splits"]
    pictures: dict[str, np.ndarray] = {}
    labels: dict[str, int] = {}
    kept: dict[str, list[str]] = {}
    for name, part in splits.items():
        kept[name] = [code for code in part["codes"] if code in drawings]
        labels |= dict(zip(part["codes"], part["labels"], strict=True))
        for code in kept[name]:
            drawn = svg_to_bytes(svg_string=drawings[code], width=DRAWN_PX, height=DRAWN_PX)
            pictures[code] = compose(bytes(drawn))
    return pack(kept["train"], kept["test"], pictures, labels, FLAT)


def _package(path: Path) -> dict[str, str]:
    """Return the drawings of the package by their code points."""
    found = {}
    with tarfile.open(path) as package:
        for member in package.getmembers():
            if member.isfile() and member.name.endswith(".svg"):
                content = package.extractfile(member)
                assert content is not None
                found[Path(member.name).stem] = content.read().decode()
    return found
