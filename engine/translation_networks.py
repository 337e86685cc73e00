"""Generators and the patch discriminator of CycleGAN and pix2pix.

Zhu et al. 2017 (arXiv 1703.10593), appendix 7.2, and Isola et al. 2017 (arXiv 1611.07004),
appendix 6.1. Layers stand in the order of the authors' PyTorch code, so that their files of
weights can be read (`engine.foreign`). Pictures are (B, 3, H, W) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.2  # slope of LeakyReLU in D and on the U-Net's way down
INIT_SD = 0.02  # standard deviation of the first weights: both papers
Norm = Callable[[int], nn.Module]


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm one picture at a time, in the memory order that it is given.

    Batch norm over one picture is the same thing, and a tenth of a step faster. PyTorch's own
    instance norm gives wrong gradients for one picture in channels last (seen in 2.14.1).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Give each channel of each picture mean 0 and variance 1: (B, C, H, W)."""
        found = [F.batch_norm(p, None, None, training=True, eps=self.eps) for p in x.split(1)]
        return found[0] if len(found) == 1 else torch.cat(found)


def norm_of(kind: str) -> Norm:
    """Return what makes the normalisation of so many channels."""
    return nn.BatchNorm2d if kind == "batch" else InstanceNorm


class ResidualBlock(nn.Module):
    """x + f(x), f of two convolutions that keep the size."""

    def __init__(self, channels: int, norm: Norm, bias: bool) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm(channels),
            nn.ReLU(True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return x + self.conv_block(x)


class ResNetGenerator(nn.Module):
    """Two halvings, residual blocks, two doublings; sides must be multiples of 4."""

    multiple = 4

    def __init__(self, channels: int, blocks: int, kind: str = "instance") -> None:
        super().__init__()
        norm, bias, c = norm_of(kind), kind == "instance", channels
        layers: list[nn.Module] = [
            *(nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7, bias=bias), norm(c), nn.ReLU(True)),
        ]
        for wide in (c, 2 * c):
            down = nn.Conv2d(wide, 2 * wide, 3, 2, 1, bias=bias)
            layers += [down, norm(2 * wide), nn.ReLU(True)]
        layers += [ResidualBlock(4 * c, norm, bias) for _ in range(blocks)]
        for wide in (4 * c, 2 * c):
            up = nn.ConvTranspose2d(wide, wide // 2, 3, 2, 1, 1, bias=bias)
            layers += [up, norm(wide // 2), nn.ReLU(True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to the same shape."""
        return self.model(x)


class _Skip(nn.Module):
    """One scale of the U-Net: down, what lies below, up; its input goes along beside it."""

    def __init__(self, *layers: nn.Module, outermost: bool = False) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class UNetGenerator(nn.Module):
    """`depth` halvings and doublings with skips; sides must be multiples of 2^depth."""

    def __init__(
        self, channels: int, depth: int, kind: str = "instance", dropout: bool = False
    ) -> None:
        super().__init__()
        self.multiple = 2**depth
        norm, bias = norm_of(kind), kind == "instance"
        widths = [channels * min(2**i, 8) for i in range(depth)]

        def down(outer: int, inner: int) -> nn.Module:
            return nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)

        def up(inner: int, outer: int) -> nn.Module:
            return nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias)

        outer, inner = widths[-2], widths[-1]
        block = _Skip(
            *(nn.LeakyReLU(LEAK, True), down(outer, inner)),
            *(nn.ReLU(True), up(inner, outer), norm(outer)),
        )
        for i in range(depth - 2, 0, -1):
            outer, inner = widths[i - 1], widths[i]
            drops = [nn.Dropout(0.5)] if dropout and widths[i + 1] == inner == outer else []
            block = _Skip(
                *(nn.LeakyReLU(LEAK, True), down(outer, inner), norm(inner), block),
                *(nn.ReLU(True), up(2 * inner, outer), norm(outer), *drops),
            )
        self.model = _Skip(
            *(down(3, channels), block, nn.ReLU(True)),
            *(nn.ConvTranspose2d(2 * channels, 3, 4, 2, 1), nn.Tanh()),
            outermost=True,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to the same shape."""
        return self.model(x)


class PatchDiscriminator(nn.Module):
    """One logit for each overlapping patch: (B, C, H, W) to (B, 1, h, w)."""

    def __init__(self, inputs: int, channels: int, layers: int, kind: str = "instance") -> None:
        super().__init__()
        norm, bias, c = norm_of(kind), kind == "instance", channels
        found: list[nn.Module] = [nn.Conv2d(inputs, c, 4, 2, 1), nn.LeakyReLU(LEAK, True)]
        wide = c
        for i in range(1, layers + 1):
            next_wide = c * min(2**i, 8)
            stride = 1 if i == layers else 2
            found += [nn.Conv2d(wide, next_wide, 4, stride, 1, bias=bias), norm(next_wide)]
            found += [nn.LeakyReLU(LEAK, True)]
            wide = next_wide
        self.model = nn.Sequential(*found, nn.Conv2d(wide, 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures to logits; positive means real."""
        return self.model(x)


def make_generator(kind: str, channels: int, norm: str, side: int) -> nn.Module:
    """Return a generator by its name; a U-Net goes down to 1 x 1, at most 8 times."""
    if kind == "unet":
        depth = min(8, (side & -side).bit_length() - 1)
        return UNetGenerator(channels, max(depth, 3), norm)
    return ResNetGenerator(channels, 6 if kind == "resnet6" else 9, norm)


def initialise(layer: nn.Module) -> None:
    """Give a layer its first weights, as both papers do."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, INIT_SD)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, INIT_SD)
        nn.init.zeros_(layer.bias)
