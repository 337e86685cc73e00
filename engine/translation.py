"""What both translators between two domains share: losses, the image pool, one pass for two.

Pictures are (B, 3, H, W) in [-1, 1]; a row of the data holds A in its first three channels and
B in the others. Zhu et al. 2017 (arXiv 1703.10593), Isola et al. 2017 (arXiv 1611.07004).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.data.base import DOMAIN_CHANNELS

Direction = Literal["a2b", "b2a"]
DIRECTIONS: tuple[Direction, Direction] = ("a2b", "b2a")
JITTER = 286 / 256  # pictures are enlarged so much before a part is cut out: Zhu et al. 2017


def domains(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Split rows (B, 6, H, W) in [0, 1] into A and B, each (B, 3, H, W) in [-1, 1]."""
    a, b = (rows * 2 - 1).split(DOMAIN_CHANNELS, 1)
    return placed(a), placed(b)


def placed(x: Tensor) -> Tensor:
    """Return pictures in the memory order that the networks work in."""
    return x.contiguous(memory_format=torch.channels_last)


def to_unit(x: Tensor) -> Tensor:
    """Return pictures of [-1, 1] in [0, 1], cut to it."""
    return ((x + 1) / 2).clamp(0, 1)


def validity_loss(kind: str, logits: Tensor, real: bool) -> Tensor:
    """Return how far D's verdict on each patch is from what is wanted of it, on average.

    least_squares: E[(l - t)^2], t = 1 for real and 0 for fake (Zhu et al. 2017, section 4,
    training details); nonsaturating: the cross-entropy of sigmoid(l) (Isola et al. 2017).
    """
    if kind == "least_squares":
        return (logits - 1).square().mean() if real else logits.square().mean()
    return F.softplus(-logits if real else logits).mean()


def looks_real(kind: str, logits: Tensor) -> Tensor:
    """Return D's opinion of each patch in [0, 1]; 1 is real."""
    return logits.clamp(0, 1) if kind == "least_squares" else torch.sigmoid(logits)


def together(network: nn.Module, parts: list[Tensor], apart: bool) -> list[Tensor]:
    """Return what a network makes of several batches, in one pass unless they must stay `apart`.

    Instance norm takes each picture by itself, so that one pass gives what several would.
    """
    if apart or len(parts) == 1:
        return [network(x) for x in parts]
    return list(network(torch.cat(parts)).split([len(x) for x in parts]))


def augment(kind: str, parts: list[Tensor]) -> list[Tensor]:
    """Mirror half of the pictures, and cut a part out of enlarged ones, the same way in `parts`.

    `parts` are batches of equal size whose pictures at one place go through the same change.
    """
    if kind == "none":
        return parts
    count, _, height, width = parts[0].shape
    device = parts[0].device
    mirrored = (torch.rand(count, device=device) < 0.5).view(-1, 1, 1, 1)
    parts = [torch.where(mirrored, x.flip(-1), x) for x in parts]
    if kind == "mirror_crop":
        room = torch.tensor([(1 - 1 / JITTER)], device=device)
        shift = (torch.rand(count, 2, device=device) * 2 - 1) * room
        theta = torch.zeros(count, 2, 3, device=device)
        theta[:, 0, 0] = theta[:, 1, 1] = 1 / JITTER
        theta[:, :, 2] = shift
        grid = F.affine_grid(theta, [count, 3, height, width], align_corners=False)
        parts = [F.grid_sample(x, grid, "bilinear", "reflection", False) for x in parts]
    return [placed(x) for x in parts]


class ImagePool:
    """Earlier translations that D is shown again (Shrivastava et al. 2017, section 2.3).

    Until it is full it takes each picture in and hands it on. Then, for every second picture on
    average, it hands out an old one and keeps the new one in its place. Kept as bytes, and what
    it hands on is rounded to bytes too, so that D is not shown which pictures are old.
    """

    def __init__(self, size: int, shape: tuple[int, ...], device: torch.device) -> None:
        self.size = size
        self.pictures = torch.zeros((size, *shape), dtype=torch.uint8, device=device)
        self.filled = torch.zeros((), dtype=torch.int64, device=device)

    def exchange(self, fresh: Tensor) -> Tensor:
        """Take in pictures (B, 3, H, W) in [-1, 1] and hand out as many."""
        if self.size == 0:
            return fresh
        handed = []
        now = ((fresh + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        chosen = torch.randint(self.size, (len(now),), device=now.device)
        swapped = torch.rand(len(now), device=now.device) < 0.5
        for i, picture in enumerate(now):
            room = self.filled < self.size
            slot = torch.where(room, self.filled, chosen[i]).view(1)
            old = self.pictures.index_select(0, slot)[0]
            handed.append(torch.where(room | ~swapped[i], picture, old))
            kept = torch.where(room | swapped[i], picture, old)
            self.pictures.index_copy_(0, slot, kept.unsqueeze(0))
            self.filled += room
        return placed(torch.stack(handed).to(fresh.dtype) / 127.5 - 1)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Return what the next exchange depends on."""
        return {f"{name}.pictures": self.pictures, f"{name}.filled": self.filled}

    def load(self, name: str, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave; a pool of another size, or of none, starts empty."""
        pictures, filled = tensors.get(f"{name}.pictures"), tensors.get(f"{name}.filled")
        self.pictures.zero_()
        self.filled.zero_()
        fits = pictures is not None and pictures.shape == self.pictures.shape
        if fits and filled is not None and pictures.dtype == torch.uint8:  # type: ignore[union-attr]
            self.pictures.copy_(pictures)  # type: ignore[arg-type]
            self.filled.copy_(filled.reshape(()).clamp(0, self.size))
