"""What is laid beside and over a translation: the residual's heat map, D's patches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.translation_layers import Sight

# Equal steps look equally large, and brightness alone tells them apart: nine colours along
# "magma" of S. van der Walt and N. Smith (CC0).
HEAT = np.array(
    [
        *((0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122)),
        *((229, 80, 100), (251, 135, 97), (254, 194, 135), (252, 253, 191)),
    ],
    np.float32,
)
SCALES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # tops of the heat map's scale, of a range of 0 to 1
LEFT_OUT = 0.01  # of the pixels may lie beyond the top
FAKE, REAL = (202, 0, 32), (5, 113, 176)  # told apart by those who see no red or no green too
MOST_ALPHA = 200  # of the overlay, where D is certain
MOST_ROWS = 32  # of D's verdicts that travel as numbers


def residual(found: Tensor, given: Tensor) -> Tensor:
    """Return how far two pictures (1, 3, H, W) of [-1, 1] lie apart, (H, W), on 0 to 1."""
    return torch.nan_to_num((found - given)[0].abs().mean(0) / 2, nan=1.0, posinf=1.0)


def scale_of(*residuals: Tensor) -> float:
    """Return the lowest top of the scale that nearly all of the residuals lie below."""
    highest = max(float(_quantile(x.flatten(), 1 - LEFT_OUT)) for x in residuals)
    return next((top for top in SCALES if top >= highest), SCALES[-1])


def heat(values: Tensor, top: float) -> np.ndarray:
    """Return the heat map of (H, W), uint8 H x W x 3; `top` and beyond is the brightest."""
    at = (values / top).clamp(0, 1).cpu().numpy() * (len(HEAT) - 1)
    lower = np.minimum(at.astype(np.int64), len(HEAT) - 2)
    share = (at - lower)[..., None]
    colours = HEAT[lower] * (1 - share) + HEAT[lower + 1] * share
    return np.rint(colours).astype(np.uint8)


def colours() -> list[str]:
    """Return the heat map's colours from 0 to the top, for a legend."""
    return ["#" + "".join(f"{int(v):02x}" for v in colour) for colour in HEAT]


def overlay(opinions: Tensor, sees: Sight, height: int, width: int) -> np.ndarray:
    """Return D's opinions (h, w) in [0, 1] laid over the picture it judged, uint8 H x W x 4.

    Red where it takes the picture for fake, blue where for real, clear where it cannot tell.
    Each opinion stands at the middle of its patch; between two middles they go over.
    """
    wide = _along(_along(opinions, sees, height).T, sees, width).T  # H, W
    sure = (2 * wide - 1).cpu().numpy()
    found = np.empty((height, width, 4), np.uint8)
    found[..., :3] = np.where(sure[..., None] < 0, FAKE, REAL)
    found[..., 3] = np.rint(np.abs(sure) * MOST_ALPHA)
    return found


def coarse(opinions: Tensor) -> list[list[float]]:
    """Return D's opinions as rows of numbers, averaged where there are very many."""
    size = [min(n, MOST_ROWS) for n in opinions.shape]
    few = F.adaptive_avg_pool2d(opinions[None, None].float(), size)[0, 0]  # type: ignore[arg-type]
    return [[round(float(v), 3) for v in row] for row in few]


def _along(values: Tensor, sees: Sight, length: int) -> Tensor:
    """Return (n, …) read at pixels 0 … length - 1 between the patches' middles."""
    pixels = torch.arange(length, device=values.device)
    at = ((pixels - sees.start) / sees.stride).clamp(0, len(values) - 1)
    lower = at.long().clamp(max=max(0, len(values) - 2))
    upper = (lower + 1).clamp(max=len(values) - 1)
    share = (at - lower).unsqueeze(1)
    return values[lower] * (1 - share) + values[upper] * share


def _quantile(values: Tensor, share: float) -> Tensor:
    """Return a quantile; `torch.quantile` takes no more than 16 million numbers."""
    rank = min(len(values), max(1, round(share * len(values))))
    return values.kthvalue(rank).values
