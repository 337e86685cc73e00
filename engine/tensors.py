"""A data set as tensors: in memory once, on the device, batches by index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from engine.data.base import Dataset
from engine.data.stacked import Stacked
from engine.tokenizers import Tokenizer


@dataclass(frozen=True)
class DataSpec:
    """What a network must know of its data.

    The shape of an example, (C, H, W) or (2,); the class names; what points are divided by;
    what makes tokens of text.
    """

    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    scale: float = 1.0
    tokenizer: Tokenizer | None = None

    @property
    def pixels(self) -> int:
        """C * H * W."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class StackedPixels:
    """Stacked MNIST on the device, composed when asked for: read like a tensor (N, 3, 28, 28).

    `digits` are uint8 (M, 28, 28), `triples` int64 (N, 3).
    """

    digits: Tensor
    triples: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, 3, 28, 28)."""
        return (*self.triples.shape, *self.digits.shape[1:])

    def __getitem__(self, indices: Tensor | slice) -> Tensor:
        chosen = self.triples[indices]  # B, 3
        return self.digits.index_select(0, chosen.flatten()).unflatten(0, chosen.shape)

    def index_select(self, dim: int, indices: Tensor) -> Tensor:
        """Return uint8 (B, 3, 28, 28); `dim` is 0, as for a tensor."""
        assert dim == 0
        return self[indices]


@dataclass(frozen=True)
class Images:
    """One split on the device: pixels uint8 (N, C, H, W) or float32 (N, 2), labels int64 (N)."""

    pixels: Tensor | StackedPixels
    labels: Tensor

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    def batch(self, indices: Tensor | slice) -> Tensor:
        """Return images in [0, 1], float (B, C, H, W), or points as they are, (B, 2)."""
        if isinstance(indices, slice):
            chosen = self.pixels[indices]
        else:
            chosen = self.pixels.index_select(0, indices)
        return chosen if chosen.is_floating_point() else chosen.float().div_(255.0)


@dataclass(frozen=True)
class DataView:
    """A data set on one device; built once per run, shares memory with NumPy on the CPU."""

    dataset: Dataset
    device: torch.device

    @cached_property
    def train(self) -> Images:
        """The training split."""
        split = self.dataset.train
        return Images(self._pixels(split.images), self._on_device(split.labels))

    @cached_property
    def test(self) -> Images:
        """The test split in a fixed shuffled order, so that any part of it is a fair sample."""
        split = self.dataset.test
        order = test_order(len(split.labels))
        images: Any = split.images
        if isinstance(images, Stacked):
            shuffled: Any = Stacked(images.digits, images.triples[order])
        else:
            shuffled = images[order]
        return Images(self._pixels(shuffled), self._on_device(split.labels[order]))

    @property
    def spec(self) -> DataSpec:
        """Shape, class names and scale."""
        return DataSpec(self.dataset.shape, self.dataset.class_names, self.dataset.scale)

    def _pixels(self, images: Any) -> Tensor | StackedPixels:
        if isinstance(images, Stacked):
            return StackedPixels(self._on_device(images.digits), self._on_device(images.triples))
        return self._on_device(images)

    def _on_device(self, array: Any) -> Tensor:
        import warnings

        with warnings.catch_warnings():
            # shipped arrays are read-only and stay so: nothing writes into them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
            return torch.from_numpy(array).to(self.device)


def test_order(count: int):  # type: ignore[no-untyped-def]
    """Return the fixed order in which test images are shown and numbered."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(20131220)).permutation(count)
