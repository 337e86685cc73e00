"""MNIST, complete: 60,000 and 10,000 handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

from engine.data.base import About, Dataset
from engine.data.shipped import load_shipped

ABOUT = About(
    key="mnist",
    title="MNIST digits",
    help="70,000 handwritten digits, 28 × 28 pixels, gray on black.",
    class_names=tuple("0123456789"),
    shape=(1, 28, 28),
    train=60_000,
    test=10_000,
)


def load() -> Dataset:
    """Read the shipped file."""
    return load_shipped(ABOUT)
