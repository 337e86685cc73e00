"""The training pictures that lie nearest to a picture: a copy, or an invention?"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.tensors import Images

FIRST_LOOK = 256  # pictures compared in full before the bound is asked whether that was enough


class NearestPictures:
    """Finds the exact nearest neighbours by pixels, without looking at most of the pictures.

    A picture is a thumbnail of averages over k x k pixels, and what is left, at right angles to
    it. The thumbnails' distance and the difference of the rests' lengths together bound the
    distance from below. Holds about 50 numbers a channel and picture.
    """

    def __init__(self, images: Images) -> None:
        self.images = images
        height, width = images.pixels.shape[-2:]
        self.cell = next(
            (k for k in (8, 4, 2) if height % k == width % k == 0 and min(height, width) >= 7 * k),
            1,
        )
        parts = [
            self._parts(images.batch(slice(i, i + 2000))) for i in range(0, len(images), 2000)
        ]
        self.thumbs = torch.cat([t for t, _ in parts])  # N, C * H/k * W/k
        self.rests = torch.cat([r for _, r in parts])  # N

    def find(self, picture: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Return indices (count) and distances (count), nearest first, of a picture (C, H, W).

        The picture is in [0, 1]; a distance is the root of the mean squared difference of a pixel.
        """
        count = min(count, len(self.images))
        thumb, rest = self._parts(picture.unsqueeze(0))
        bounds = (self.thumbs - thumb).square().sum(1) + (self.rests - rest).square()  # N
        looked = min(max(FIRST_LOOK, count), len(self.images))
        while True:
            lowest, candidates = bounds.topk(looked, largest=False)
            full = (self.images.batch(candidates) - picture).square().flatten(1).sum(1)
            nearest, order = full.topk(count, largest=False)
            if looked == len(self.images) or nearest[-1] <= lowest[-1]:
                return candidates[order], (nearest / picture.numel()).sqrt()
            looked = min(4 * looked, len(self.images))

    def _parts(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return thumbnails (N, …), scaled to count as k x k pixels each, and the rests' norms."""
        thumbs = F.avg_pool2d(pictures, self.cell).flatten(1) * self.cell
        rest = pictures.flatten(1).square().sum(1) - thumbs.square().sum(1)
        return thumbs, rest.clamp_min(0).sqrt()
