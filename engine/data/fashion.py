"""Fashion-MNIST: a shipped, class-balanced subset, and the complete set where it is at hand."""

from __future__ import annotations

from pathlib import Path

from engine.data.base import About, Dataset, Split
from engine.data.idx import read_split
from engine.data.shipped import load_shipped

CLASS_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
RECOMMENDED = {"likelihood": "bernoulli_gray"}  # its grays mean cloth, not the edge of a stroke

ABOUT = About(
    key="fashion",
    title="Fashion-MNIST (subset)",
    help="12,000 articles of clothing, 28 × 28 pixels, gray, the same number of each class.",
    class_names=CLASS_NAMES,
    shape=(1, 28, 28),
    train=10_000,
    test=2_000,
    recommended=RECOMMENDED,
)


def load() -> Dataset:
    """Read the shipped subset."""
    return load_shipped(ABOUT)


def read_folder(folder: Path) -> dict[str, Split]:
    """Read the complete set's idx files, gzipped or not, from `folder`."""
    return {
        name: read_split(
            _find(folder, f"{stem}-images-idx3-ubyte"), _find(folder, f"{stem}-labels-idx1-ubyte")
        )
        for name, stem in (("train", "train"), ("test", "t10k"))
    }


def _find(folder: Path, name: str) -> Path:
    zipped = folder / f"{name}.gz"
    return zipped if zipped.exists() else folder / name
