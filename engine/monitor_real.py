"""What the monitor compares with: the real data's side, computed once, part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine import metrics
from engine.features import FeatureNet, feature_net
from engine.tensors import DataView

HALF = 512  # training pictures that coverage is counted over, and as many to measure its ceiling
MANY = 2000  # for the usual classes, and for what is looked at once a minute
BINS = 50  # clusters of the training features: a bin holds 40 of them on average
THUMB = 7  # side of the small pictures by which the nearest training picture is looked for
CANDIDATES = 24  # compared pixel by pixel then
CHUNK = 4096


class Real:
    """Features and classes of real pictures, and the nearest of all training pictures.

    `net` is an `engine.features.FeatureNet`. The pictures are chosen at random, the same in every
    run on a data set: n to compare with, n others that stand for a perfect generator.
    """

    def __init__(self, data: DataView, net: FeatureNet) -> None:
        self.data, self.net = data, net
        total = len(data.train)
        self.count = min(HALF, total // 2)
        random = np.random.Generator(np.random.PCG64(512))
        self.chosen = torch.from_numpy(random.permutation(total)[:MANY]).to(data.device)

    @cached_property
    def _looked(self) -> tuple[Tensor, Tensor | None]:
        looks = [
            self.net.look(self.data.train.batch(self.chosen[i : i + 64]))
            for i in range(0, len(self.chosen), 64)
        ]
        classes = [c for _, c in looks if c is not None]
        return torch.cat([f for f, _ in looks]), torch.cat(classes) if classes else None

    @property
    def many(self) -> Tensor:
        """Features of all the chosen pictures (N, F)."""
        return self._looked[0]

    @property
    def classes(self) -> Tensor | None:
        """What the classifier makes of the chosen pictures (N): its errors cancel."""
        return self._looked[1]

    @property
    def features(self) -> Tensor:
        """Features (n, F) that generated ones are compared with."""
        return self.many[: self.count]

    @property
    def others(self) -> Tensor:
        """Features (n, F) of other real pictures."""
        return self.many[self.count : 2 * self.count]

    @cached_property
    def radii(self) -> Tensor:
        """Distance (n) of each to its fifth neighbour."""
        return metrics.nearest_radii(self.features)

    @cached_property
    def coverage(self) -> float:
        """Coverage by other real pictures: the highest that can be expected."""
        return metrics.coverage_density(self.features, self.others, radii=self.radii).coverage

    @cached_property
    def spread(self) -> float:
        """Mean distance of two real pictures."""
        return max(float(metrics.mean_distance(self.features)), 1e-6)

    @cached_property
    def kid(self) -> float:
        """Kernel distance of real pictures to other real ones."""
        return metrics.kid(self.features, self.others).mean

    @cached_property
    def bins(self) -> metrics.Bins:
        """Clusters of all chosen pictures but the `others`."""
        rest = torch.cat([self.features, self.many[2 * self.count :]])
        return metrics.make_bins(rest, min(BINS, max(len(rest) // 8, 1)))

    @cached_property
    def ndb(self) -> float:
        """Share of the bins that hold significantly more or fewer of other real pictures."""
        return metrics.ndb(self.bins, self.others).share

    # ------------------------------------------------------------------ the nearest picture

    @cached_property
    def thumbs(self) -> Tensor:
        """All training pictures made small, uint8 (N, P)."""
        train = self.data.train
        return torch.cat(
            [thumb(train.batch(slice(i, i + CHUNK))) for i in range(0, len(train), CHUNK)]
        )

    def nearest(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return index and distance of the nearest training picture of each (B, C, H, W).

        The distance is the root of the mean squared difference of pixels in [0, 1]. Small
        pictures choose the candidates, whole ones decide: near enough to show a copy, and a
        tick does not pay for more.
        """
        small = thumb(pictures).float()
        parts = []
        for i in range(0, len(self.thumbs), CHUNK):
            other = self.thumbs[i : i + CHUNK].float()
            parts.append(other.square().sum(1) - 2 * small @ other.T)  # but for |small|^2
        count = min(CANDIDATES, len(self.thumbs))
        likely = torch.cat(parts, 1).topk(count, largest=False).indices  # B, candidates
        whole = self.data.train.batch(likely.flatten()).view(*likely.shape, -1)
        apart = (whole - pictures.flatten(1)[:, None]).square().mean(2).sqrt()
        found = apart.min(1)
        return likely.gather(1, found.indices[:, None])[:, 0], found.values


@dataclass(frozen=True)
class _Asked:
    fingerprint: str
    device: str
    data: DataView = field(compare=False)


def real_of(data: DataView) -> Real:
    """Return the real side of a data set, kept for the next run of this process."""
    return _kept(_Asked(data.dataset.fingerprint, str(data.device), data))


@lru_cache(maxsize=2)
def _kept(asked: _Asked) -> Real:
    return Real(asked.data, feature_net(asked.data.dataset, asked.data.device))


def thumb(pictures: Tensor) -> Tensor:
    """Make pictures (B, C, H, W) in [0, 1] small: uint8 (B, C THUMB THUMB)."""
    small = F.adaptive_avg_pool2d(pictures, THUMB)
    return small.mul(255).round().to(torch.uint8).flatten(1)
