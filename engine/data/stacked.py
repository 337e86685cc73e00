"""Stacked MNIST: three digits as the three colours of a picture; 1,000 equally likely modes.

Metz et al. 2017, "Unrolled generative adversarial networks" (arXiv 1611.02163), section 3.3.1;
128,000 pictures to train with, as in VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al.
2018). What differs: they draw the digits from MNIST's training and test pictures together, here
training digits come from the training pictures only, and the test split from the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.base import About, Dataset, Split

SEEDS = {"train": 1000, "test": 1001}

ABOUT = About(
    key="stacked_mnist",
    title="Stacked MNIST (1,000 modes)",
    help="Three handwritten digits as red, green and blue of one picture, 28 × 28 pixels: 1,000 "
    "classes, for counting the modes that a generator covers.",
    class_names=tuple(f"{number:03}" for number in range(1000)),
    shape=(3, 28, 28),
    train=128_000,
    test=26_000,
    models=("dcgan",),
)


@dataclass(frozen=True)
class Stacked:
    """Pictures that are composed when asked for: `stacked[indices]` is uint8, B x 3 x 28 x 28.

    `digits` are uint8, M x 28 x 28; `triples` are int64, N x 3, positions among them.
    """

    digits: np.ndarray
    triples: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (N, 3, 28, 28)."""
        return (*self.triples.shape, *self.digits.shape[1:])

    def __len__(self) -> int:
        return len(self.triples)

    def __getitem__(self, indices: Any) -> np.ndarray:
        return self.digits[self.triples[indices]]


@dataclass(frozen=True)
class StackedSplit(Split):
    """A split whose pictures are never all in memory."""

    images: Stacked  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} pictures have {len(self.labels)} labels")


def load() -> Dataset:
    """Compose the data set of MNIST's digits; holds 4 MB besides them."""
    from engine.data import load as load_once  # MNIST is in memory already, or will be wanted

    digits = load_once("mnist")
    train = compose(digits.train, ABOUT.train, SEEDS["train"])
    test = compose(digits.test, ABOUT.test, SEEDS["test"])
    content = hashlib.sha256(digits.fingerprint.encode())
    for split in (train, test):
        content.update(np.ascontiguousarray(split.images.triples, dtype="<i8").data)
    return Dataset(
        key=ABOUT.key,
        title=ABOUT.title,
        train=train,
        test=test,
        class_names=ABOUT.class_names,
        source=f"triples of {digits.source}",
        licence=digits.licence,
        fingerprint=content.hexdigest()[:16],
        models=ABOUT.models,
    )


def compose(digits: Split, count: int, seed: int) -> StackedSplit:
    """Draw `count` triples of digits, with replacement; their class is 100a + 10b + c."""
    random = np.random.Generator(np.random.PCG64(seed))
    triples = random.integers(0, len(digits), (count, 3), dtype=np.int64)
    labels = digits.labels[triples] @ np.array([100, 10, 1], dtype=np.int64)
    return StackedSplit(Stacked(digits.images[:, 0], triples), labels)
