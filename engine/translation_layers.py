"""What a translator's networks consist of: every layer, its output, what it sees, what it costs.

Nothing is computed: the networks run on shapes alone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.translation_networks import ResidualBlock

KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (ResidualBlock, "residual block"),
    (nn.ConvTranspose2d, "transposed convolution"),
    (nn.Conv2d, "convolution"),
    (nn.InstanceNorm2d, "instance norm"),
    (nn.BatchNorm2d, "batch norm"),
    (nn.ReflectionPad2d, "reflection padding"),
    (nn.LeakyReLU, "LeakyReLU"),
    (nn.ReLU, "ReLU"),
    (nn.Tanh, "tanh"),
    (nn.Dropout, "dropout"),
)


@dataclass(frozen=True)
class Sight:
    """Which pixels an output sees: `size` of them, `stride` between two outputs' middles.

    The first output's middle lies at `start`, where pixel i covers i - 1/2 to i + 1/2.
    """

    size: int
    stride: int
    start: float


def describe(network: nn.Module, size: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Return the layers in the order in which they work, for an input `size` (C, H, W).

    Each is {name, block, kind, kernel, stride, padding, input, output, formula, parameters};
    kernel, stride and padding are None where there are none.
    """
    found: list[dict[str, Any]] = []
    shadow = copy.deepcopy(network).to("meta").eval()
    for name, layer in _parts(shadow):
        layer.register_forward_hook(_noting(found, name))
    with torch.no_grad():
        shadow(torch.empty(1, *size, device="meta"))
    return found


def work_a_pixel(network: nn.Module, multiple: int) -> float:
    """Return how many multiplications a generator needs for each pixel of a picture."""
    done: list[int] = []

    def count(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        places = given[0] if isinstance(layer, nn.ConvTranspose2d) else made
        done.append(layer.weight.numel() * places.shape[-1] * places.shape[-2])  # type: ignore[operator]

    side = 4 * multiple
    shadow = copy.deepcopy(network).to("meta").eval()
    for layer in shadow.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.register_forward_hook(count)
    with torch.no_grad():
        shadow(torch.empty(1, 3, side, side, device="meta"))
    return sum(done) / side**2


def sight(network: nn.Module) -> Sight:
    """Return which pixels each verdict of a patch discriminator sees."""
    size, stride, start = 1, 1, 0.0
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            kernel, padding = layer.kernel_size[0], int(layer.padding[0])
            start += ((kernel - 1) / 2 - padding) * stride
            size += (kernel - 1) * stride
            stride *= layer.stride[0]
    return Sight(size, stride, start)


def patches_along(network: nn.Module, side: int) -> int:
    """Return how many verdicts a patch discriminator gives along a side; 0 if it is too short."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            side = (side + 2 * int(layer.padding[0]) - layer.kernel_size[0]) // layer.stride[0] + 1
    return max(0, side)


def _parts(network: nn.Module, name: str = "") -> list[tuple[str, nn.Module]]:
    """Return the layers by name; a residual block counts as one."""
    children = list(network.named_children())
    if isinstance(network, ResidualBlock) or not children:
        return [(name, network)]
    parts = [_parts(layer, f"{name}.{key}" if name else key) for key, layer in children]
    return [part for some in parts for part in some]


def _noting(found: list[dict[str, Any]], name: str) -> Any:
    def note(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        kind = next((word for of, word in KINDS if isinstance(layer, of)), "layer")
        main = layer.conv_block[1] if isinstance(layer, ResidualBlock) else layer
        reflected = 1 if main is not layer else 0
        kernel, stride = _first(main, "kernel_size"), _first(main, "stride")
        padding = _first(main, "padding")
        found.append(
            {
                "name": name,
                "block": name.rpartition(".")[0] or name,
                "kind": kind,
                "kernel": kernel,
                "stride": stride,
                "padding": padding if padding is None else padding + reflected,
                "input": list(given[0].shape[1:]),
                "output": list(made.shape[1:]),
                "formula": _formula(layer, given[0].shape[-1], made.shape[-1]),
                "parameters": sum(p.numel() for p in layer.parameters()),
            }
        )

    return note


def _formula(layer: nn.Module, given: int, made: int) -> str:
    if isinstance(layer, ResidualBlock):
        return "x + f(x), two convolutions"
    if isinstance(layer, nn.ReflectionPad2d):
        return f"{given} + 2 x {layer.padding[0]} = {made}"
    if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return "unchanged"
    k, s, p = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    if isinstance(layer, nn.ConvTranspose2d):
        more = int(layer.output_padding[0])
        return f"({given} - 1) x {s} - 2 x {p} + {k} + {more} = {made}"
    return f"floor(({given} + 2 x {p} - {k}) / {s}) + 1 = {made}"


def _first(layer: nn.Module, name: str) -> int | None:
    value = getattr(layer, name, None)
    return int(value[0]) if isinstance(value, tuple) else value
