"""Differentiable augmentation: the discriminator sees every picture changed at random.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (arXiv
2006.10738): real and generated pictures alike, in both networks' steps, so that D cannot learn a
few hundred pictures by heart and G does not learn the changes. What differs from their code:
what moves into the picture repeats its edge, where theirs is gray.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT = 0.125  # of the side, at most, as in their code
CUTOUT = 0.5  # of the side, as in their code


def augment(pictures: Tensor, kind: str, dark: float = -1.0) -> Tensor:
    """Return pictures (B, C, S, S) in [dark, 1] changed at random: `none`, `shift` or `all`.

    `shift` moves each picture by up to an eighth of its side; `all` also changes brightness,
    saturation and contrast, and covers a square with gray. `dark` is black: -1 or 0.
    """
    if kind == "none":
        return pictures
    if kind == "shift":
        return _shifted(pictures)
    gray = (1 + dark) / 2
    centred = (pictures - gray) * (2 / (1 - dark))  # in [-1, 1], as their code has it
    return _covered(_shifted(_recoloured(centred))) * ((1 - dark) / 2) + gray


def _recoloured(x: Tensor) -> Tensor:
    brightness, saturation, contrast = torch.rand(3, len(x), 1, 1, 1, device=x.device).unbind(0)
    x = x + (brightness - 0.5)
    gray = x.mean(1, keepdim=True)
    x = gray + (x - gray) * (2 * saturation)
    middle = x.mean((1, 2, 3), keepdim=True)
    return middle + (x - middle) * (contrast + 0.5)


def _shifted(x: Tensor) -> Tensor:
    side = x.shape[-1]
    most = round(side * SHIFT)
    pixels = torch.randint(-most, most + 1, (len(x), 2), device=x.device)
    transform = torch.eye(2, 3, device=x.device).repeat(len(x), 1, 1)
    transform[:, :, 2] = pixels * (2 / side)  # whole pixels: nothing is blurred
    grid = F.affine_grid(transform, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _covered(x: Tensor) -> Tensor:
    side = x.shape[-1]
    half = round(side * CUTOUT) // 2
    centre = torch.randint(0, side, (2, len(x), 1), device=x.device)
    away = (torch.arange(side, device=x.device) - centre).abs() >= half  # 2, B, S
    return x * (away[0].unsqueeze(2) | away[1].unsqueeze(1)).unsqueeze(1)
