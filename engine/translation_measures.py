"""How near a translation is to what was wanted: the measures, as functions of tensors.

Pictures are float (N, C, H, W) in [0, 1]; row i of `made` is what picture i was made into, row i
of `target` its true partner. Nothing here knows of models. Each result is a mean over pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW, WINDOW_SD = 11, 1.5  # of SSIM: Wang et al. 2004, section III-B
K1, K2 = 0.01, 0.03  # the same
WHITE = 248 / 255  # a pixel whose channels all reach this is ground, as in `engine.data.emoji`
LEAST_ERROR = 1e-10  # of a mean square: equal pictures have 100 dB
CHUNK = 100  # pictures whose windows are in memory at once

# -------------------------------------------------------------------- pixels


def l1(made: Tensor, target: Tensor) -> float:
    """Return the mean absolute difference, on a scale of 0 to 1."""
    return float((made - target).abs().mean())


def foreground(given: Tensor, target: Tensor) -> Tensor:
    """Return which pixels are not white in at least one picture of each pair, (N, 1, H, W)."""
    return (torch.minimum(given, target) < WHITE).any(1, keepdim=True)


def l1_foreground(made: Tensor, target: Tensor, mask: Tensor) -> float:
    """Return `l1` on the pixels of a mask (N, 1, H, W), each picture counting as much.

    Pictures without any such pixel are left out.
    """
    inside = mask.sum((1, 2, 3))
    errors = ((made - target).abs().mean(1, keepdim=True) * mask).sum((1, 2, 3))
    seen = inside > 0
    return float((errors[seen] / inside[seen]).mean()) if bool(seen.any()) else 0.0


def psnr(made: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB: -10 log10 of each picture's mean square."""
    error = (made - target).square().mean((1, 2, 3)).clamp_min(LEAST_ERROR)
    return float((-10 * error.log10()).mean())


def ssim(made: Tensor, target: Tensor) -> float:
    """Return the structural similarity: Wang, Bovik, Sheikh & Simoncelli 2004, equation 13.

    Gaussian windows of 11 x 11 that lie wholly inside the picture, each channel by itself. A
    picture smaller than a window has a window of its own size.
    """
    parts = zip(made.split(CHUNK), target.split(CHUNK), strict=True)
    return float(torch.cat([_ssim(x, y).mean((1, 2, 3)) for x, y in parts]).mean())


def _ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the similarity at each place of a window, (N, C, h, w)."""
    mean_x, mean_y = _windowed(x), _windowed(y)
    var_x = _windowed(x * x) - mean_x.square()
    var_y = _windowed(y * y) - mean_y.square()
    both = _windowed(x * y) - mean_x * mean_y
    c1, c2 = K1**2, K2**2  # the range of the pictures is 1
    above = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return above / ((mean_x.square() + mean_y.square() + c1) * (var_x + var_y + c2))


def _windowed(x: Tensor) -> Tensor:
    """Return the mean of each channel under every window, first along columns, then along rows."""
    height, width = x.shape[2:]
    flat = x.reshape(-1, 1, height, width)
    flat = F.conv2d(flat, _window(height, x).view(1, 1, -1, 1))
    flat = F.conv2d(flat, _window(width, x).view(1, 1, 1, -1))
    return flat.view(*x.shape[:2], *flat.shape[2:])


def _window(side: int, like: Tensor) -> Tensor:
    size = min(WINDOW, side)
    at = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = (-at.square() / (2 * WINDOW_SD**2)).exp()
    return weights / weights.sum()


# -------------------------------------------------------------------- retrieval


class Retrieval(NamedTuple):
    """How often the true partner comes first, and among the first five; mean of 1 / its rank."""

    top1: float
    top5: float
    mrr: float


def retrieval(distances: Tensor) -> Retrieval:
    """Rank all targets by their distance from each translation, (N, N); partners are i and i.

    By chance `top1` is 1 / N. A tie counts against the partner, and so does a NaN.
    """
    own = distances.diagonal()[:, None]
    rank = (~(distances > own)).sum(1).clamp_min(1).double()
    hits = [(rank <= most).double().mean() for most in (1, 5)]
    return Retrieval(*torch.stack([*hits, (1 / rank).mean()]).tolist())


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Return Euclidean distances (N, M) of flattened rows, by differences: nothing cancels."""
    mode = "donot_use_mm_for_euclid_dist"
    return torch.cdist(a.flatten(1), b.flatten(1), compute_mode=mode)


# -------------------------------------------------------------------- features


def perceptual(made: list[Tensor], target: list[Tensor]) -> float:
    """Return how far apart activations are, a layer (N, C, h, w) of a network after the other.

    Zhang et al. 2018 (arXiv 1801.03924), equation 1, with all weights 1: activations of a place
    have length 1; squared differences, summed over channels, averaged over places, summed over
    layers. It depends on the network: figures of another do not compare.
    """
    total = torch.zeros(len(made[0]), device=made[0].device)
    for x, y in zip(made, target, strict=True):
        total += (_length_1(x) - _length_1(y)).square().sum(1).mean((1, 2))
    return float(total.mean())


def _length_1(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)


def paired_kid(target: Tensor, made: Tensor) -> float:
    """Return the kernel distance of features (N, F) whose rows belong together.

    Bińkowski et al. 2018 (arXiv 1801.01401), section 4, kernel (x y / F + 1)^3, as
    `engine.metrics.kid`; but the estimate of Gretton et al. 2012, equation 4, which leaves the
    pairs (i, i) out of all three means. Kept in, a translation's likeness to its own partner
    would pass for likeness of styles, and a perfect one would come out far below 0.
    """
    x, y = target.double(), made.double()
    n = len(x)
    kernels = _kernel(x, x) + _kernel(y, y) - _kernel(x, y) - _kernel(y, x)
    return float(kernels.fill_diagonal_(0).sum() / (n * (n - 1)))


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


# -------------------------------------------------------------------- lines to compare with


def nearest(given: Tensor, pictures: Tensor) -> Tensor:
    """Return, for each given picture, the nearest of others, by pixels."""
    return pictures[apart(given, pictures).argmin(1)]


def colour_change(given: Tensor, target: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the change a x + b of each channel that fits pairs best in least squares."""
    mean_x, mean_y = (p.mean((0, 2, 3), keepdim=True) for p in (given, target))
    x, y = given - mean_x, target - mean_y
    slope = (x * y).sum((0, 2, 3), keepdim=True) / x.square().sum((0, 2, 3), keepdim=True)
    return lambda pictures: ((pictures - mean_x) * slope + mean_y).clamp(0, 1)
