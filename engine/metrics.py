"""How well generated examples cover the real ones: the metrics, as functions of tensors.

Features are float (N, F) in any space in which distances mean something (`engine.features`).
Nothing here draws pictures or knows of models. Every function reads its result from the device
once, and is cheap enough for a few hundred examples every few seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK = 4096  # rows of a large pool that are compared at once
EXACT = 32  # candidates whose distance is computed without cancellation


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Return Euclidean distances (N, M) of rows (N, F) and (M, F), float32.

    By |a|^2 - 2 a b + |b|^2 around the mean of b: good to about 1e-3 of the spread, 0 included.
    """
    middle = b.mean(0)
    a, b = a - middle, b - middle
    squares = torch.addmm(b.square().sum(1), a, b.T, alpha=-2)  # N, M
    return squares.add_(a.square().sum(1, keepdim=True)).clamp_min_(0).sqrt_()


# -------------------------------------------------------------------- coverage and density


class Coverage(NamedTuple):
    """Shares of Naeem et al. 2020; both about 1 for a perfect generator (see `ceiling`)."""

    coverage: float
    density: float


def nearest_radii(real: Tensor, k: int = 5) -> Tensor:
    """Return the distance (N) of each real example to its k-th nearest other one."""
    if not 1 <= k < len(real):
        raise ValueError(f"k must be 1 to {len(real) - 1}; got {k}")
    own = distances(real, real).fill_diagonal_(-1.0)  # itself first, whatever the rounding
    return own.topk(k + 1, dim=1, largest=False).values[:, k]


def coverage_density(
    real: Tensor, fake: Tensor, k: int = 5, radii: Tensor | None = None
) -> Coverage:
    """Return coverage and density of generated features (M, F) over real ones (N, F).

    Naeem et al. 2020 (arXiv 2002.09797), equations 5 and 6: a real example has a ball that
    reaches to its k-th nearest real neighbour. Coverage is the share of balls that hold a
    generated example; density is how many balls a generated example lies in, divided by k.
    `radii` (N) are `nearest_radii(real, k)`, for callers that compare with the same reals often.
    """
    radii = nearest_radii(real, k) if radii is None else radii
    inside = distances(real, fake) < radii[:, None]  # N, M
    covered, dense = inside.any(1).float().mean(), inside.float().sum(0).mean() / k
    return Coverage(*torch.stack([covered, dense]).tolist())


def ceiling(real: int, fake: int, k: int = 5) -> float:
    """Return the coverage that a perfect generator reaches on average: 1 - 2^-k, nearly.

    Naeem et al. 2020, lemma 2: a ball is missed when the k nearest of all others are real.
    """
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (real - i) / (real + fake - i)
    return 1 - missed


# -------------------------------------------------------------------- classes and modes


@dataclass(frozen=True)
class ClassHistogram:
    """The classes that a generator gives, against those of the data.

    `shares` (K) sum to 1; `kl_nats` is KL(p_generated || p_real), infinite when a class comes
    that the data do not have; `effective_classes` is exp of the entropy of `shares`;
    `classes_covered` counts classes with at least a given part of their share in the data.
    """

    shares: Tensor
    kl_nats: float
    effective_classes: float
    classes_covered: int


def class_histogram(classes: Tensor, real_shares: Tensor, share: float = 0.25) -> ClassHistogram:
    """Compare the classes of generated examples, int64 (N), with the shares of the data (K).

    A class is covered when its share is at least `share` times that of the data, and above 0.
    With 0.0, one example is enough. For a classifier that errs, take `real_shares` of its own
    answers on real pictures (`class_shares`), so that its errors cancel.
    """
    real = real_shares.double() / real_shares.double().sum()
    made = class_shares(classes, len(real)).double()
    present = made > 0
    kl = torch.where(present, made * (made / real).log(), 0.0).sum()
    entropy = -torch.where(present, made * made.log(), 0.0).sum()
    covered = (present & (made >= share * real)).sum()
    numbers = torch.stack([kl, entropy.exp(), covered.double()]).tolist()
    return ClassHistogram(made.float(), max(numbers[0], 0.0), numbers[1], int(numbers[2]))


def class_shares(classes: Tensor, count: int) -> Tensor:
    """Return the share (count) of each class among int64 (N)."""
    return torch.bincount(classes, minlength=count).float() / max(len(classes), 1)


class Modes(NamedTuple):
    """Modes with at least one example, and KL(p_generated || uniform), as published."""

    covered: int
    kl_nats: float


def modes(classes: Tensor, count: int = 1000) -> Modes:
    """Count the modes of Stacked MNIST in classes, int64 (N), of `count` equally likely ones.

    Metz et al. 2017 and the VEEGAN protocol: N is 26,000; a perfect sampler then has 1,000 modes
    and KL 0.019, but at N = 2,600 only 926 and 0.21, so that figures of other N do not compare.
    """
    even = torch.full((count,), 1 / count, device=classes.device)
    found = class_histogram(classes, even, share=0.0)
    return Modes(found.classes_covered, found.kl_nats)


# -------------------------------------------------------------------- diversity


def mean_distance(features: Tensor) -> Tensor:
    """Return the mean distance of two different examples (N, F), a 0-dim tensor."""
    count = len(features)
    return distances(features, features).fill_diagonal_(0.0).sum() / (count * (count - 1))


def diversity_ratio(real: Tensor, fake: Tensor) -> float:
    """Return the mean pairwise distance of generated features over that of real ones.

    About 1 when the generator varies as the data do, 0 when it gives one picture.
    """
    return float(mean_distance(fake) / mean_distance(real).clamp_min(1e-6))


def latent_sensitivity(z: Tensor, made: Tensor) -> float:
    """Return the mean over all pairs of d(G(z1), G(z2)) / d(z1, z2), for z (N, D), made (N, F).

    The mode-seeking ratio of Mao et al. 2019 (arXiv 1903.05628), equation 2: it falls when
    different noise gives like pictures.
    """
    count = len(z)
    apart = distances(z, z).fill_diagonal_(1.0)
    moved = distances(made, made).fill_diagonal_(0.0)
    return float((moved / apart.clamp_min(1e-6)).sum() / (count * (count - 1)))


# -------------------------------------------------------------------- kernel distance


class KernelDistance(NamedTuple):
    """Mean and standard deviation over subsets of an unbiased estimate; may be below 0."""

    mean: float
    sd: float


def kid(
    real: Tensor, fake: Tensor, subset: int = 250, subsets: int = 20, seed: int = 0
) -> KernelDistance:
    """Return the kernel distance of real (N, F) and generated features (M, F).

    Bińkowski et al. 2018 (arXiv 1801.01401), section 4: the unbiased MMD^2 with the kernel
    (x y / F + 1)^3, averaged over random subsets. About 0 for equal distributions.
    """
    size = min(subset, len(real), len(fake))
    source = torch.Generator().manual_seed(seed)
    x, y = real.double(), fake.double()
    found = []
    for _ in range(subsets):
        a = torch.randperm(len(x), generator=source)[:size].to(x.device)
        b = torch.randperm(len(y), generator=source)[:size].to(y.device)
        found.append(_squared_mmd(x[a], y[b]))
    values = torch.stack(found)
    return KernelDistance(*torch.stack([values.mean(), values.std(correction=0)]).tolist())


def _squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Return the unbiased estimate from n features each: Gretton et al. 2012, equation 3."""
    n = len(x)
    within = _kernel(x, x).fill_diagonal_(0).sum() + _kernel(y, y).fill_diagonal_(0).sum()
    return within / (n * (n - 1)) - 2 * _kernel(x, y).mean()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    base = (x @ y.T).div_(x.shape[1]).add_(1)
    return base.square().mul_(base)


# -------------------------------------------------------------------- bins that differ


@dataclass(frozen=True)
class Bins:
    """The training features' clusters: centres (K, F) in units of `scale`, and their counts (K)."""

    centres: Tensor
    counts: Tensor
    middle: Tensor
    scale: Tensor

    def count(self, features: Tensor) -> Tensor:
        """Return how many of the features (N, F) fall into each bin (K)."""
        return torch.bincount(self.nearest(features), minlength=len(self.counts))

    def nearest(self, features: Tensor) -> Tensor:
        """Return the bin of each feature vector, int64 (N)."""
        whitened = (features - self.middle) / self.scale
        return distances(whitened, self.centres).argmin(1)


class BinsDiffer(NamedTuple):
    """How many bins differ significantly, the same as a share of all, and JS in nats."""

    different: int
    share: float
    js_nats: float


def make_bins(train: Tensor, bins: int = 50, seed: int = 0, rounds: int = 30) -> Bins:
    """Cluster training features (N, F) by k-means, each dimension divided by its deviation.

    The first centres are chosen by k-means++ (Arthur & Vassilvitskii 2007).
    """
    if not 1 <= bins <= len(train):
        raise ValueError(f"bins must be 1 to {len(train)}; got {bins}")
    middle = train.mean(0)
    scale = train.std(0).clamp_min(1e-6)
    x = (train - middle) / scale
    centres = _first_centres(x, bins, torch.Generator().manual_seed(seed))
    for _ in range(rounds):
        nearest = distances(x, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, x)
        counts = torch.bincount(nearest, minlength=bins)
        moved = sums / counts.clamp_min(1)[:, None]
        centres = torch.where(counts[:, None] > 0, moved, centres)  # an empty one stays
    empty = Bins(centres, torch.zeros(bins, device=train.device), middle, scale)
    return Bins(centres, empty.count(train), middle, scale)


def _first_centres(x: Tensor, count: int, source: torch.Generator) -> Tensor:
    chosen = [int(torch.randint(len(x), (1,), generator=source))]
    nearest = (x - x[chosen[0]]).square().sum(1)
    for _ in range(count - 1):
        weights = nearest.cpu() + 1e-12
        chosen.append(int(torch.multinomial(weights, 1, generator=source)))
        nearest = torch.minimum(nearest, (x - x[chosen[-1]]).square().sum(1))
    return x[torch.tensor(chosen, device=x.device)]


def ndb(bins: Bins, fake: Tensor, z: float = 1.96) -> BinsDiffer:
    """Return how many bins hold a significantly different share of fake (M, F) than of train.

    Richardson & Weiss 2018 (arXiv 1805.12462), section 3: a two-proportion z-test for each bin;
    with z = 1.96 about 5 % of the bins differ by chance, with 3 about 0.3 %.
    """
    train, made = bins.counts.double(), bins.count(fake).double()
    n, m = train.sum(), made.sum()
    p, q = train / n, made / m
    pooled = (train + made) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    different = ((p - q).abs() > z * error).sum()
    middle = (p + q) / 2
    js = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    count, nats = torch.stack([different.double(), js]).tolist()
    return BinsDiffer(int(count), count / len(train), nats)


def _relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum()


# -------------------------------------------------------------------- copies


class Pair(NamedTuple):
    """Two examples of a batch and their distance."""

    first: int
    second: int
    distance: float


def closest_pair(batch: Tensor) -> Pair:
    """Return the two closest of a batch (N, F), first < second.

    The birthday test of Arora & Zhang 2017 (arXiv 1706.08224): when a batch of s examples holds
    near-duplicates half of the time, the generator has at most about s^2 different pictures.
    """
    if len(batch) < 2:
        raise ValueError(f"a pair needs at least 2 examples; got {len(batch)}")
    x, count = batch.flatten(1).float(), len(batch)
    apart = distances(x, x)
    apart.masked_fill_(torch.ones_like(apart, dtype=torch.bool).tril_(), math.inf)
    flat = apart.flatten().topk(min(EXACT, count * (count - 1) // 2), largest=False).indices
    a, b = flat // count, flat % count
    exact, best = (x[a] - x[b]).norm(dim=1).min(0)
    first, second = a[best], b[best]
    numbers = torch.stack([first.double(), second.double(), exact.double()]).tolist()
    return Pair(int(numbers[0]), int(numbers[1]), numbers[2])


def nearest(queries: Tensor, pool: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """Return indices (B, count) into a pool (N, …) and distances (B, count), nearest first.

    Compares queries (B, …) by the Euclidean distance of all their numbers. A pool of uint8
    pictures is read as [0, 1], a part at a time, so that it is never in memory as floats.
    """
    x, wanted = queries.flatten(1).float(), min(count, len(pool))
    squares = []
    for start in range(0, len(pool), CHUNK):
        part = _floats(pool[start : start + CHUNK])
        squares.append(torch.addmm(part.square().sum(1), x, part.T, alpha=-2))  # but for |x|^2
    likely = torch.cat(squares, 1).topk(min(wanted + EXACT, len(pool)), largest=False).indices
    exact = torch.stack(
        [(_floats(pool[i]) - q).norm(dim=1) for i, q in zip(likely, x, strict=True)]
    )
    found = exact.topk(wanted, largest=False)
    return likely.gather(1, found.indices), found.values


def _floats(pictures: Tensor) -> Tensor:
    flat = pictures.flatten(1)
    return flat if flat.is_floating_point() else flat.float().div_(255.0)
