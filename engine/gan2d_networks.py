"""The two perceptrons of the GAN on points, and their forward and backward pass by hand.

A step of such small nets is a few matrix products and many small operators around them. By hand
there are half as many operators, the discriminator's weights get no gradient when only the
generator learns, and thin matrices are multiplied the way round that is fast. Tests hold both
passes to autograd's.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.adversarial import Inputs, normalised
from engine.configs.gan2d import GAN2DConfig

LEAK = 0.2  # Radford et al. 2016, section 3
THIN = 8  # inputs up to which a weight's slope is quicker from the other side; measured


class Perceptron(nn.Sequential):
    """Linear layers with an activation between them, named linear0, act0, linear1 …"""

    def __init__(
        self,
        widths: list[int],
        activation: str,
        *,
        batch_norm: bool = False,
        spectral: bool = False,
    ) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        last = len(widths) - 2
        for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
            shifted = batch_norm and i < last  # the normalisation takes a bias away again
            layers[f"linear{i}"] = normalised(nn.Linear(fan_in, fan_out, not shifted), spectral)
            if i < last:
                if batch_norm:
                    layers[f"norm{i}"] = nn.BatchNorm1d(fan_out)
                layers[f"act{i}"] = _activation(activation)
        super().__init__(layers)
        self.activation = activation
        self.by_hand = not (batch_norm or spectral)
        self.linears = [m for m in self if isinstance(m, nn.Linear)]  # first to last

    @torch.no_grad()
    def run(self, x: Tensor) -> list[Tensor]:
        """Return the inputs of all layers and the output of the last, (B, width) each."""
        seen = [x]
        layers = self.linears
        for i, layer in enumerate(layers):
            x = torch.addmm(layer.bias, x, layer.weight.t())
            if i < len(layers) - 1:
                x = self._activate(x)
            seen.append(x)
        return seen

    @torch.no_grad()
    def run_back(
        self, slope: Tensor, seen: list[Tensor], *, weights: bool, inputs: bool
    ) -> Tensor | None:
        """Carry a slope of the output (B, out) back through what `run` returned.

        `weights` puts the slopes of weights and biases into their `.grad`; `inputs` asks for
        that of the input, (B, in).
        """
        layers = self.linears
        for i in reversed(range(len(layers))):
            layer, x = layers[i], seen[i]
            if weights:
                thin = x.shape[1] <= THIN
                layer.weight.grad = x.t().mm(slope).t().contiguous() if thin else slope.t().mm(x)
                layer.bias.grad = slope.sum(0)
            if i == 0 and not inputs:
                return None
            slope = _back(slope, layer.weight)
            if i:
                slope = self._activate_back(slope, x)
        return slope

    def _activate(self, x: Tensor) -> Tensor:
        if self.activation == "tanh":
            return x.tanh_()
        return x.relu_() if self.activation == "relu" else F.leaky_relu_(x, LEAK)

    def _activate_back(self, slope: Tensor, x: Tensor) -> Tensor:
        """Return the slope before an activation whose output was x."""
        if self.activation == "tanh":
            return torch.ops.aten.tanh_backward(slope, x)
        leak = LEAK if self.activation == "leaky_relu" else 0.0
        return torch.ops.aten.leaky_relu_backward(slope, x, leak, True)


def generator(config: GAN2DConfig) -> Perceptron:
    """Return G: noise (B, D) to points (B, 2), in units of the data's scale."""
    c = config
    widths = [c.latent_dim, *[c.generator_width] * c.generator_depth, 2]
    return Perceptron(widths, c.activation, batch_norm=c.batch_norm)


def discriminator(config: GAN2DConfig) -> Perceptron:
    """Return D: `packing` points together and their group's deviation, if any, to a logit."""
    c = config
    seen = inputs(c)
    first = 2 * seen.packed + seen.extra
    widths = [first, *[c.discriminator_width] * c.discriminator_depth, 1]
    activation = "leaky_relu" if c.activation == "relu" else c.activation
    return Perceptron(widths, activation, spectral=c.spectral_norm)


def inputs(config: GAN2DConfig) -> Inputs:
    """Return what D's first layer sees."""
    return Inputs(config.packing, int(config.minibatch_std))


def _activation(name: str) -> nn.Module:
    if name == "tanh":
        return nn.Tanh()
    return nn.ReLU() if name == "relu" else nn.LeakyReLU(LEAK)


def _back(slope: Tensor, weight: Tensor) -> Tensor:
    """Return slope (B, out) times weight (out, in); thin ones are quicker from the other side."""
    if weight.shape[0] == 1:
        return slope * weight
    if weight.shape[1] <= THIN:
        return F.linear(slope, weight.t().contiguous())
    return slope.mm(weight)
