"""The training pictures that lie nearest to a picture: a copy, or an invention?"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.tensors import Images

AXES = 64  # principal axes; those of MNIST hold about six sevenths of what varies
FITTED = 2000  # pictures that the axes are found from
FIRST_LOOK = 256  # pictures compared in full before the bound is asked whether that was enough


class NearestPictures:
    """Finds the exact nearest neighbours by pixels, without looking at most of the pictures.

    A picture is its part along a few principal axes, and a rest at right angles to them. The
    distance of the parts and the difference of the rests' lengths together bound the distance
    from below. Holds 65 numbers a picture.
    """

    def __init__(self, images: Images) -> None:
        self.images = images
        spread = torch.arange(0, len(images), max(1, len(images) // FITTED))
        some = images.batch(spread.to(images.labels.device)).flatten(1)
        self.middle = some.mean(0)
        axes = min(AXES, *some.shape)
        _, _, self.basis = torch.svd_lowrank(some - self.middle, q=axes)  # P, axes
        parts = [self._parts(images.batch(slice(i, i + 2000))) for i in range(0, len(images), 2000)]
        self.along = torch.cat([a for a, _ in parts])  # N, axes
        self.rests = torch.cat([r for _, r in parts])  # N

    def find(self, picture: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return indices (count) and distances (count), nearest first, of a picture (C, H, W).

        The picture is in [0, 1]; a distance is the root of the mean squared difference of a pixel.
        """
        count = min(count, len(self.images))
        along, rest = self._parts(picture.unsqueeze(0))
        bounds = (self.along - along).square().sum(1) + (self.rests - rest).square()  # N
        looked = min(max(FIRST_LOOK, count), len(self.images))
        while True:
            lowest, candidates = bounds.topk(looked, largest=False)
            full = (self.images.batch(candidates) - picture).square().flatten(1).sum(1)
            nearest, order = full.topk(count, largest=False)
            if looked == len(self.images) or nearest[-1] <= lowest[-1]:
                return candidates[order], (nearest / picture.numel()).sqrt()
            looked = min(4 * looked, len(self.images))

    def _parts(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return coordinates along the axes (N, axes), and the lengths of the rests (N)."""
        moved = pictures.flatten(1) - self.middle
        along = moved @ self.basis
        rest = moved.square().sum(1) - along.square().sum(1)
        return along, rest.clamp_min(0).sqrt()
