"""A large picture through a ResNet generator in little memory, one band of rows after another.

Instance norm takes the mean and the variance over the whole picture: tiles that are translated
each by itself differ in contrast, and their seams show. So every layer is finished for the
whole picture before the next one begins, and what comes out is what the network itself gives.
Between two layers the picture is kept as float16 before its norm and ReLU, which are applied
to the rows that the next layer reads; about 3 bytes a pixel and channel of the first layer.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.translation_networks import ResidualBlock, ResNetGenerator

BAND_NUMBERS = 2**21  # of a layer's output at once: 8 MB, about what a cache holds


class _Rows(Protocol):
    """Something that has rows: `shape` is (H, W, C)."""

    shape: tuple[int, int, int]

    def read(self, index: Tensor) -> Tensor:
        """Return these rows as a network takes them, float (1, C, n, W)."""


class _Given:
    """The picture itself, H x W x 3: uint8, or float in [-1, 1]."""

    def __init__(self, values: Tensor, device: torch.device) -> None:
        self.values, self.device = values, device
        self.shape = (values.shape[0], values.shape[1], values.shape[2])

    def read(self, index: Tensor) -> Tensor:
        rows = self.values.index_select(0, index.to(self.values.device)).to(self.device)
        return _laid(rows.float() if rows.is_floating_point() else rows.float() / 127.5 - 1)


class _Between:
    """What one layer hands to the next, with the norm and the ReLU that it still waits for."""

    def __init__(self, height: int, width: int, channels: int, device: torch.device) -> None:
        self.shape = (height, width, channels)
        self.values = torch.empty(self.shape, dtype=torch.float16, device=device)
        self.mean = torch.zeros(channels, dtype=torch.float64, device=device)
        self.square = torch.zeros(channels, dtype=torch.float64, device=device)  # E[x^2]
        self.scale: Tensor | None = None
        self.shift: Tensor | None = None
        self.rectified = False

    def write(self, start: int, made: Tensor) -> None:
        """Take in rows (1, C, n, W) from row `start` on."""
        rows = made[0].permute(1, 2, 0)  # n, W, C
        flat, share = rows.reshape(-1, self.shape[2]), len(rows) / self.shape[0]
        self.mean += share * flat.mean(0)
        self.square += share * flat.square().mean(0)
        self.values[start : start + len(rows)] = rows

    def read(self, index: Tensor) -> Tensor:
        rows = self.values.index_select(0, index).float()
        if self.scale is not None and self.shift is not None:
            rows = torch.addcmul(self.shift, rows, self.scale)
        return _laid(rows.relu_() if self.rectified else rows)

    def normalise(self, norm: nn.InstanceNorm2d | nn.BatchNorm2d) -> None:
        """Let the rows be read through this norm."""
        mean, variance = self.mean, self.square - self.mean.square()
        if norm.running_mean is not None and norm.running_var is not None:
            mean, variance = norm.running_mean.double(), norm.running_var.double()
        scale = (variance.clamp_min(0) + norm.eps).rsqrt()
        shift = -mean * scale
        if norm.weight is not None and norm.bias is not None:
            scale, shift = scale * norm.weight, shift * norm.weight + norm.bias
        self.scale, self.shift = scale.float(), shift.float()

    def settled(self) -> _Between:
        """Return the same with norm and ReLU applied, in place."""
        for rows in _bands(self.shape[0], self.shape[1] * self.shape[2], self.values.device):
            self.values[rows] = self.read(rows)[0].permute(1, 2, 0).half()
        self.scale = self.shift = None
        self.rectified = False
        return self

    def add(self, more: _Between) -> None:
        """Add another, in place."""
        for rows in _bands(self.shape[0], self.shape[1] * self.shape[2], self.values.device):
            both = self.values[rows].float() + more.read(rows)[0].permute(1, 2, 0)
            self.values[rows] = both.half()


def translate_banded(network: ResNetGenerator, picture: Tensor | np.ndarray) -> Tensor:
    """Return (1, 3, H, W) in [-1, 1], float16, as the network gives it; multiples of 4 a side.

    `picture` is the same, or uint8 H x W x 3. In eval mode, without gradients.
    """
    device = next(network.parameters()).device
    if isinstance(picture, Tensor):
        values = picture[0].permute(1, 2, 0)
    else:
        values = torch.from_numpy(picture)
    last = _through(network.model, _Given(values, device)).values
    return _laid(last.tanh_())


def bytes_a_pixel(channels: int) -> int:
    """Return about how many bytes a pixel takes at the widest place, for these channels."""
    return 3 * channels + 16


def _through(layers: nn.Sequential, x: _Rows) -> _Between:
    reflected = 0
    for layer in layers:
        if isinstance(layer, nn.ReflectionPad2d):
            reflected = int(layer.padding[0])
        elif isinstance(layer, nn.Conv2d):
            x, reflected = _convolved(x, layer, reflected), 0
        elif isinstance(layer, nn.ConvTranspose2d):
            x = _enlarged(x, layer)
        else:
            assert isinstance(x, _Between)
            x = _pointwise(x, layer)
    assert isinstance(x, _Between)
    return x


def _pointwise(x: _Between, layer: nn.Module) -> _Between:
    """Apply what needs no neighbours, and residual blocks."""
    if isinstance(layer, (nn.InstanceNorm2d, nn.BatchNorm2d)):
        x.normalise(layer)
    elif isinstance(layer, nn.ReLU):
        x.rectified = True
    elif isinstance(layer, ResidualBlock):
        x = x.settled()
        x.add(_through(layer.conv_block, x))
    elif not isinstance(layer, (nn.Dropout, nn.Tanh)):  # tanh comes last
        raise TypeError(f"a layer {type(layer).__name__} cannot be applied band by band")
    return x


def _convolved(x: _Rows, layer: nn.Conv2d, reflected: int) -> _Between:
    height, width, _ = x.shape
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    margin = reflected or int(layer.padding[0])
    out_height, out_width = ((n + 2 * margin - kernel) // stride + 1 for n in (height, width))
    made = _Between(out_height, out_width, layer.out_channels, layer.weight.device)
    for rows in _bands(out_height, out_width * layer.out_channels, layer.weight.device):
        first, last = int(rows[0]) * stride - margin, int(rows[-1]) * stride - margin + kernel
        wanted = torch.arange(first, last, device=rows.device)
        if reflected:
            wanted = (height - 1) - ((height - 1) - wanted.abs()).abs()
            given = F.pad(x.read(wanted), (margin, margin, 0, 0), mode="reflect")
        else:
            inside = (wanted >= 0) & (wanted < height)
            given = x.read(wanted.clamp(0, height - 1)) * inside.view(1, 1, -1, 1)
            given = F.pad(given, (margin, margin, 0, 0))
        made.write(int(rows[0]), F.conv2d(given, layer.weight, layer.bias, layer.stride))
    return made


def _enlarged(x: _Rows, layer: nn.ConvTranspose2d) -> _Between:
    """Double the size: kernel 3, stride 2, padding 1, output padding 1.

    Rows 2i and 2i + 1 of the output are made of rows i and i + 1 of the input.
    """
    height, width, _ = x.shape
    made = _Between(2 * height, 2 * width, layer.out_channels, layer.weight.device)
    for rows in _bands(height, 4 * width * layer.out_channels, layer.weight.device):
        first, end = int(rows[0]), int(rows[-1]) + 1
        wanted = torch.arange(first, min(end + 1, height), device=rows.device)
        both = F.conv_transpose2d(x.read(wanted), layer.weight, layer.bias, 2, 1, 1)
        made.write(2 * first, both[:, :, : 2 * (end - first)])
    return made


def _bands(height: int, numbers_a_row: int, device: torch.device) -> list[Tensor]:
    """Return the rows 0 … height - 1, so many at once as are worked on together."""
    count = max(8, BAND_NUMBERS // numbers_a_row)
    return list(torch.arange(height, device=device).split(count))


def _laid(rows: Tensor) -> Tensor:
    """Return (n, W, C) as (1, C, n, W); the memory stays as it is."""
    return rows.permute(2, 0, 1).unsqueeze(0)
