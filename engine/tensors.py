"""A data set as tensors: in memory once, on the device, batches by index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.data.base import Dataset


@dataclass(frozen=True)
class DataSpec:
    """What a network must know of its data.

    The shape of an example, (C, H, W) or (2,); the class names; what points are divided by.
    """

    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    scale: float = 1.0

    @property
    def pixels(self) -> int:
        """C * H * W."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Images:
    """One split on the device: pixels uint8 (N, C, H, W) or float32 (N, 2), labels int64 (N)."""

    pixels: Tensor
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
        return self._on_device(self.dataset.train.images, self.dataset.train.labels)

    @cached_property
    def test(self) -> Images:
        """The test split in a fixed shuffled order, so that any part of it is a fair sample."""
        order = test_order(len(self.dataset.test.labels))
        images = self.dataset.test.images[order]
        return self._on_device(images, self.dataset.test.labels[order])

    @property
    def spec(self) -> DataSpec:
        """Shape, class names and scale."""
        return DataSpec(self.dataset.shape, self.dataset.class_names, self.dataset.scale)

    def _on_device(self, images, labels) -> Images:  # type: ignore[no-untyped-def]
        import warnings

        with warnings.catch_warnings():
            # shipped arrays are read-only and stay so: nothing writes into them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
            pixels, classes = torch.from_numpy(images), torch.from_numpy(labels)
        return Images(pixels.to(self.device), classes.to(self.device))


def test_order(count: int):  # type: ignore[no-untyped-def]
    """Return the fixed order in which test images are shown and numbered."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(20131220)).permutation(count)
