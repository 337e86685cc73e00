"""Generator and discriminator of the DCGAN, built from the shape of the data.

Radford, Metz & Chintala 2015 (arXiv 1511.06434), section 3: the four guidelines are switches.
Pictures are padded to a side of 32, 64 or 128, so that every layer halves or doubles it. What
differs from the paper: the base width is smaller; a label can be fed to both networks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from engine.adversarial import MinibatchStd
from engine.configs.dcgan import DCGANConfig
from engine.tensors import DataSpec

SEED_SIDE = 4  # the side at which the generator starts and the discriminator ends
LEAK = 0.2  # slope of LeakyReLU: Radford et al., section 4
INIT_SD = 0.02  # standard deviation of the first weights: Radford et al., section 4
LABEL_SIDE = 4  # a label is a pattern of 4 x 4 numbers to the discriminator

ACTIVATIONS: dict[str, Any] = {
    "relu": lambda: nn.ReLU(),
    "leaky_relu": lambda: nn.LeakyReLU(LEAK),
    "tanh": lambda: nn.Tanh(),
}
OUTPUTS: dict[str, Any] = {
    "tanh": lambda: nn.Tanh(),
    "sigmoid": lambda: nn.Sigmoid(),
    "linear": lambda: nn.Identity(),
}


def padded_side(height: int, width: int) -> int:
    """Return the side on which the networks work: 32, 64 or 128."""
    return next((s for s in (32, 64) if max(height, width) <= s), 128)


class Generator(nn.Module):
    """G: noise (B, D) to pictures (B, C, S, S), in the range of its last layer."""

    class_share: Tensor

    def __init__(self, config: DCGANConfig, spec: DataSpec) -> None:
        super().__init__()
        c = config
        colours, height, width = spec.shape
        side = padded_side(height, width)
        stages = (side // SEED_SIDE).bit_length() - 1  # doublings from 4 to S
        wide = c.channels * 2 ** (stages - 1)
        self.label: nn.Embedding | None = None
        numbers = c.latent_dim
        if c.conditional:
            self.label = nn.Embedding(len(spec.class_names), c.latent_dim)
            numbers *= 2
            even = torch.full((len(spec.class_names),), 1 / len(spec.class_names))
            self.register_buffer("class_share", even)  # how often the data have each class
        norm, act = c.generator_batch_norm, ACTIVATIONS[c.generator_activation]
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        blocks["project"] = _named(
            linear=nn.Linear(numbers, wide * SEED_SIDE**2, bias=not norm),
            reshape=nn.Unflatten(1, (wide, SEED_SIDE, SEED_SIDE)),
            norm=nn.BatchNorm2d(wide) if norm else None,
            activation=act(),
        )
        for stage in range(1, stages):
            blocks[f"block{stage}"] = _named(
                **_upward(c, wide, wide // 2, bias=not norm),
                norm=nn.BatchNorm2d(wide // 2) if norm else None,
                activation=act(),
            )
            wide //= 2
        blocks["picture"] = _named(
            **_upward(c, wide, colours, bias=True), activation=OUTPUTS[c.generator_output]()
        )
        self.blocks = nn.Sequential(blocks)
        self.apply(initialise)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map noise (B, D), with labels (B) if the model is conditional, to pictures."""
        if self.label is not None:
            z = torch.cat([z, self.label(labels)], 1)  # B, 2 D
        return self.blocks(z)  # B, C, S, S


class Discriminator(nn.Module):
    """D: m pictures packed together (B, m C, S, S) to one logit (B); positive means real.

    Its batch norm always takes the statistics of the batch at hand. D learns from batches of one
    kind, real or generated; running averages over both would describe neither.
    """

    def __init__(self, config: DCGANConfig, spec: DataSpec) -> None:
        super().__init__()
        c = config
        colours, height, width = spec.shape
        self.side = padded_side(height, width)
        self.packing = c.packing
        self.label = None
        if c.conditional:
            self.label = nn.Embedding(len(spec.class_names), LABEL_SIDE**2)
        act = ACTIVATIONS[c.discriminator_activation]
        fan_in = (colours + int(c.conditional)) * c.packing
        wide, side, stage = c.discriminator_channels or c.channels, self.side, 1
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        while side > SEED_SIDE:
            norm = c.discriminator_batch_norm and stage > 1  # section 3: not on D's first layer
            blocks[f"block{stage}"] = _named(
                **_downward(c, fan_in, wide, bias=not norm),
                norm=nn.BatchNorm2d(wide, track_running_stats=False) if norm else None,
                activation=act(),
            )
            fan_in, wide, side, stage = wide, 2 * wide, side // 2, stage + 1
        extra = int(c.minibatch_std)
        blocks["verdict"] = _named(
            spread=MinibatchStd() if extra else None,
            convolution=nn.Conv2d(fan_in + extra, 1, SEED_SIDE),
            reshape=nn.Flatten(0),
        )
        self.blocks = nn.Sequential(blocks)
        self.apply(initialise)
        if c.spectral_norm:
            for module in list(self.blocks.modules()):
                if isinstance(module, nn.Conv2d):
                    spectral_norm(module)

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map pictures (m B, C, S, S), with labels (m B) if conditional, to logits (B)."""
        if self.label is not None:
            pattern = self.label(labels).view(-1, 1, LABEL_SIDE, LABEL_SIDE)
            plane = F.interpolate(pattern, size=(self.side, self.side))
            pictures = torch.cat([pictures, plane], 1)  # m B, C + 1, S, S
        if self.packing > 1:
            pictures = pictures.reshape(-1, self.packing * pictures.shape[1], *pictures.shape[2:])
        return self.blocks(pictures)  # B


def initialise(module: nn.Module) -> None:
    """Draw the first weights as Radford et al. did, section 4: N(0, 0.02^2), biases 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, INIT_SD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, INIT_SD)
        nn.init.zeros_(module.bias)


def _named(**parts: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(OrderedDict((k, v) for k, v in parts.items() if v is not None))


def _upward(c: DCGANConfig, fan_in: int, fan_out: int, bias: bool) -> dict[str, nn.Module]:
    if c.upsampling == "transposed":
        return {"convolution": nn.ConvTranspose2d(fan_in, fan_out, 4, 2, 1, bias=bias)}
    convolution = nn.Conv2d(fan_in, fan_out, 3, 1, 1, bias=bias)
    return {"enlarge": nn.Upsample(scale_factor=2), "convolution": convolution}


def _downward(c: DCGANConfig, fan_in: int, fan_out: int, bias: bool) -> dict[str, nn.Module]:
    if c.downsampling == "strided":
        return {"convolution": nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=bias)}
    convolution = nn.Conv2d(fan_in, fan_out, 3, 1, 1, bias=bias)
    return {"convolution": convolution, "pool": nn.MaxPool2d(2)}


# -------------------------------------------------------------------- the drawing of a network


def describe(blocks: nn.Sequential, size: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return every layer with the size of its output by its formula, for an input `size`.

    `size` is (D,) or (C, H, W); each layer is {name, block, kind, kernel, stride, padding, input,
    output, formula, parameters}, where kernel, stride and padding are None if there are none.
    """
    layers = []
    for block, name, layer in _leaves(blocks):
        output, formula = _output_size(layer, size)
        layers.append(
            {
                "name": f"{block}.{name}",
                "block": block,
                "kind": KINDS[type(layer)] if type(layer) in KINDS else _kind(layer),
                "kernel": _first(getattr(layer, "kernel_size", None)),
                "stride": _first(getattr(layer, "stride", None)),
                "padding": _first(getattr(layer, "padding", None)),
                "input": list(size),
                "output": list(output),
                "formula": formula,
                "parameters": sum(p.numel() for p in layer.parameters()),
            }
        )
        size = output
    return layers


KINDS: dict[type, str] = {
    nn.Linear: "linear",
    nn.Unflatten: "reshape",
    nn.Flatten: "reshape",
    nn.Conv2d: "convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.Upsample: "nearest upsampling",
    nn.MaxPool2d: "max pooling",
    nn.BatchNorm2d: "batch norm",
    nn.ReLU: "ReLU",
    nn.LeakyReLU: "LeakyReLU",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.Identity: "identity",
    MinibatchStd: "minibatch standard deviation",
}


def _kind(layer: nn.Module) -> str:
    """Name a layer whose class spectral norm has replaced by a subclass."""
    found = next((name for kind, name in KINDS.items() if isinstance(layer, kind)), "layer")
    return f"{found}, spectral norm"


def _leaves(blocks: nn.Sequential) -> Iterator[tuple[str, str, nn.Module]]:
    for block, parts in blocks.named_children():
        for name, layer in parts.named_children():
            yield block, name, layer


def _output_size(layer: nn.Module, size: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    if isinstance(layer, nn.Linear):
        return (layer.out_features,), f"{layer.in_features} -> {layer.out_features}"
    if isinstance(layer, nn.Unflatten):
        c, h, w = layer.unflattened_size
        return (int(c), int(h), int(w)), f"{size[0]} = {c} x {h} x {w}"
    if isinstance(layer, nn.Flatten):
        return (1,), "1"
    channels, *sides = size
    if isinstance(layer, nn.Upsample):
        return (channels, *(2 * n for n in sides)), f"2 x {sides[0]} = {2 * sides[0]}"
    if isinstance(layer, MinibatchStd):
        return (channels + 1, *sides), f"{channels} + 1 channels"
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d)):
        k, s, p = (int(_first(v) or 0) for v in (layer.kernel_size, layer.stride, layer.padding))
        if not isinstance(layer, nn.MaxPool2d):
            channels = layer.out_channels
        n = sides[0]
        if isinstance(layer, nn.ConvTranspose2d):
            out = [(v - 1) * s - 2 * p + k for v in sides]
            return (channels, *out), f"({n} - 1) x {s} - 2 x {p} + {k} = {out[0]}"
        out = [(v + 2 * p - k) // s + 1 for v in sides]
        return (channels, *out), f"floor(({n} + 2 x {p} - {k}) / {s}) + 1 = {out[0]}"
    return size, "unchanged"


def _first(value: Any) -> int | None:
    return value[0] if isinstance(value, tuple) else value
