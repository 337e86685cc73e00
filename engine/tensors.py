"""A data set as tensors: in memory once, on the device, batches by index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.data.base import Dataset


@dataclass(frozen=True)
class DataSpec:
    """What a network must know of its data: image shape (C, H, W) and the class names."""

    shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    @property
    def pixels(self) -> int:
        """C * H * W."""
        channels, height, width = self.shape
        return channels * height * width


@dataclass(frozen=True)
class Images:
    """One split on the device: pixels uint8 (N, C, H, W), labels int64 (N)."""

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    def batch(self, indices: Tensor | slice) -> Tensor:
        """Return images in [0, 1], float (B, C, H, W)."""
        if isinstance(indices, slice):
            return self.pixels[indices].float().div_(255.0)
        return self.pixels.index_select(0, indices).float().div_(255.0)


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
        """Shape and class names."""
        return DataSpec(self.dataset.shape, self.dataset.class_names)

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
