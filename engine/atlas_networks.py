"""Many networks of one shape trained at once: a few large operators instead of many tiny ones.

C is the number of networks (cells of the atlas). Examples lie in the last dimension,
(C, features, B): with few features a CPU multiplies several times as fast that way round. The
backward pass is written out, so that every intermediate result has its place in memory before
the first step and D's weight gradients are never computed for G's step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

Layer = tuple[Tensor, Tensor]  # weight (C, out, in), bias (C, out, 1)
Slots = dict[str, Tensor]
SLOPE = 0.2  # of leaky ReLU for negative values
EPSILON = 1e-8  # Adam's, as in Kingma & Ba 2015
LARGEST = 1e18  # of a gradient; its square is still finite in float32


class StackedMLP(nn.Module):
    """C multilayer perceptrons; `values` holds all their parameters, layer after layer.

    `layers` are views of `values` as weights (C, out, in) and biases (C, out, 1), with the
    same orientation as `nn.Linear`. All networks start as copies of `first`.
    """

    def __init__(
        self, first: Sequence[nn.Linear], activation: str, cells: int, device: torch.device
    ) -> None:
        super().__init__()
        self.widths = [first[0].in_features, *(layer.out_features for layer in first)]
        self.activation, self.cells = activation, cells
        parts = [p.detach().flatten().repeat(cells) for x in first for p in (x.weight, x.bias)]
        self.values = nn.Parameter(torch.cat(parts).to(device), requires_grad=True)
        self.gradient = torch.zeros_like(self.values)
        self.layers = self.views(self.values.detach())
        self.gradients = self.views(self.gradient)

    def views(self, flat: Tensor) -> list[Layer]:
        """Return a vector like `values` as weights and biases, without copying."""
        found, start = [], 0
        for fan_in, fan_out in pairwise(self.widths):
            middle = start + self.cells * fan_out * fan_in
            end = middle + self.cells * fan_out
            weight = flat[start:middle].view(self.cells, fan_out, fan_in)
            found.append((weight, flat[middle:end].view(self.cells, fan_out, 1)))
            start = end
        return found

    def of_cell(self, cell: int) -> list[tuple[Tensor, Tensor]]:
        """Return the weights (out, in) and biases (out) of one network."""
        return [(w[cell].clone(), b[cell, :, 0].clone()) for w, b in self.layers]

    def forward(self, x: Tensor, layers: list[Layer] | None = None) -> Tensor:
        """Map (C, in, B), or (in, B) for all alike, to (C, out, B); differentiable."""
        for k, (weight, bias) in enumerate(layers or self.layers):
            x = torch.baddbmm(bias, weight, x.expand(self.cells, *x.shape[-2:]))
            if k < len(self.widths) - 2:
                x = activated(x, self.activation)
        return x  # C, out, B

    def gradient_norms(self) -> Tensor:
        """Return the 2-norm of each cell's gradient, (C); not finite where it has no gradient."""
        norms = [
            torch.linalg.vector_norm(part, dim=(1, 2)) for layer in self.gradients for part in layer
        ]
        return torch.linalg.vector_norm(torch.stack(norms), dim=0)


class Pass:
    """One pass through a `StackedMLP` and back, with its memory: for B examples a cell."""

    def __init__(self, network: StackedMLP, examples: int) -> None:
        self.network = network
        self.examples = examples
        like, cells = network.gradient, network.cells
        self.inputs = like.new_empty(cells, network.widths[0], examples)
        self.outputs = [like.new_empty(cells, n, examples) for n in network.widths[1:]]
        self.slopes = [like.new_empty(cells, n, examples) for n in network.widths[:-1]]

    def forward(self, x: Tensor) -> Tensor:
        """Map (C, in, B) to (C, out, B); the result is overwritten by the next call."""
        self.x = x
        last = len(self.outputs) - 1
        for k, (weight, bias) in enumerate(self.network.layers):
            torch.baddbmm(bias, weight, x, out=self.outputs[k])
            x = self.outputs[k]
            if k < last:
                _activate(x, self.network.activation)
        return x

    def backward(self, slope: Tensor, *, weights: bool, inputs: bool) -> Tensor | None:
        """Take d loss / d output (C, out, B) back: into `gradient`, and to the inputs.

        `weights` asks for the gradient of the parameters, `inputs` for that of x, returned.
        """
        for k in range(len(self.outputs) - 1, -1, -1):
            below = self.outputs[k - 1] if k else self.x
            if weights:
                weight, bias = self.network.gradients[k]
                torch.bmm(slope, below.transpose(1, 2), out=weight)
                torch.sum(slope, 2, keepdim=True, out=bias)
            if k == 0 and not inputs:
                return None
            across = self.network.layers[k][0].transpose(1, 2)  # C, in, out
            multiply = torch.mul if slope.shape[1] == 1 else torch.bmm  # the outer product
            multiply(across, slope, out=self.slopes[k])
            slope = self.slopes[k]
            if k:
                _through_activation(slope, below, self.network.activation)
        return slope


class CellOptimizer(Optimizer):
    """Adam, or gradient descent with momentum, with a learning rate for each cell.

    The rules are those of `torch.optim.Adam` and `SGD`; state is kept under the same names.
    """

    def __init__(
        self, network: StackedMLP, rates: Tensor, kind: str, betas: tuple[float, float]
    ) -> None:
        super().__init__([network.values], {"betas": betas, "kind": kind})
        self.network, self.rates = network, rates.view(-1, 1, 1)
        self.update = torch.empty_like(network.gradient)
        self.updates = network.views(self.update)

    @torch.no_grad()
    def step_of(self, cells: Tensor) -> None:
        """Move some cells (C, bool) by `network.gradient`; the others stand still."""
        gradient, group = self.network.gradient, self.param_groups[0]
        # what other cells have here must not become infinite when squared
        gradient.clamp_(-LARGEST, LARGEST).nan_to_num_(0.0)
        make = self._adam if group["kind"] == "adam" else self._descent
        scale = make(gradient, self.state[self.network.values], *group["betas"])
        rates = torch.where(cells.view(-1, 1, 1), self.rates, 0.0)
        for layer, moves in zip(self.network.layers, self.updates, strict=True):
            for values, move in zip(layer, moves, strict=True):
                values.addcmul_(move, rates, value=-scale)

    def _adam(self, gradient: Tensor, state: Slots, beta1: float, beta2: float) -> float:
        """Put Adam's move at rate 1 into `update`; return what it is still to be scaled with."""
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(gradient)
            state["exp_avg_sq"] = torch.zeros_like(gradient)
        state["step"] += 1
        count = float(state["step"])  # on the CPU, as in torch's own Adam: no synchronisation
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(gradient, 1 - beta1)
        square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        torch.sqrt(square, out=self.update)
        self.update.div_(math.sqrt(1 - beta2**count)).add_(EPSILON)
        torch.div(mean, self.update, out=self.update)
        return 1 / (1 - beta1**count)

    def _descent(self, gradient: Tensor, state: Slots, momentum: float, _: float) -> float:
        if not state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        state["momentum_buffer"].mul_(momentum).add_(gradient)
        self.update.copy_(state["momentum_buffer"])
        return 1.0


@dataclass(frozen=True)
class Losses:
    """A loss of each cell (C), and its slope with respect to the logits (C, 1, B)."""

    values: Tensor
    slope: Tensor


def discriminator_losses(kind: str, logits: Tensor, real: int, smoothing: float) -> Losses:
    """Return `engine.adversarial.discriminator_loss` of each cell.

    `logits` (C, 1, 2 real) has the real examples first.
    """
    yes, no = logits[:, 0, :real], logits[:, 0, real:]
    if kind in ("nonsaturating", "minimax"):
        values = F.softplus(-yes).mean(1) + F.softplus(no).mean(1)
        if smoothing:
            values = values + smoothing * yes.mean(1)
        slope = torch.sigmoid(logits)
        slope[:, :, :real] -= 1.0 - smoothing
    elif kind == "least_squares":
        values = 0.5 * ((yes - (1.0 - smoothing)).square().mean(1) + no.square().mean(1))
        slope = logits.clone()
        slope[:, :, :real] -= 1.0 - smoothing
    elif kind == "wgan_gp":
        values = no.mean(1) - yes.mean(1)
        slope = torch.ones_like(logits)
        slope[:, :, :real] = -1.0
    else:
        raise ValueError(f"there is no loss {kind!r}")
    return Losses(values, slope.div_(real))


def generator_losses(kind: str, logits: Tensor) -> Losses:
    """Return `engine.adversarial.generator_loss` of each cell, for logits (C, 1, B)."""
    fake = logits[:, 0]
    if kind == "nonsaturating":
        found = Losses(F.softplus(-fake).mean(1), torch.sigmoid(logits).sub_(1.0))
    elif kind == "minimax":
        found = Losses(-F.softplus(fake).mean(1), torch.sigmoid(logits).neg_())
    elif kind == "least_squares":
        found = Losses(0.5 * (fake - 1.0).square().mean(1), logits - 1.0)
    elif kind == "wgan_gp":
        found = Losses(-fake.mean(1), -torch.ones_like(logits))
    else:
        raise ValueError(f"there is no loss {kind!r}")
    found.slope.div_(logits.shape[2])
    return found


def slope_penalty(network: StackedMLP, at: Tensor, target: float | None) -> tuple[Tensor, Tensor]:
    """Return a penalty of each cell's slope at points (C, in, B), and its gradient.

    With `target` E[(|grad D| - target)^2] (Gulrajani et al. 2017, equation 3), without it
    1/2 E[|grad D|^2] (Mescheder et al. 2018, equation 9). The gradient, a vector like
    `network.values`, is that of the sum over cells; this one is left to autograd.
    """
    with torch.enable_grad():
        values = network.values.detach().requires_grad_(True)
        x = at.detach().expand(network.cells, *at.shape[-2:]).contiguous().requires_grad_(True)
        logits = network(x, network.views(values))
        (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)  # C, in, B
        square = slope.square().sum(1)  # C, B
        if target is None:
            penalty = 0.5 * square.mean(1)
        else:
            penalty = (square.clamp_min(1e-24).sqrt() - target).square().mean(1)
        (gradient,) = torch.autograd.grad(penalty.sum(), values)
    return penalty.detach(), gradient


def activated(x: Tensor, activation: str) -> Tensor:
    """Return the activation of x; differentiable."""
    if activation == "tanh":
        return torch.tanh(x)
    return torch.relu(x) if activation == "relu" else F.leaky_relu(x, SLOPE)


def _activate(x: Tensor, activation: str) -> None:
    if activation == "tanh":
        torch.tanh_(x)
    elif activation == "relu":
        torch.relu_(x)
    else:
        F.leaky_relu_(x, SLOPE)


def _through_activation(slope: Tensor, output: Tensor, activation: str) -> None:
    """Multiply a slope in place by that of the activation, known from its output."""
    operators = torch.ops.aten
    if activation == "tanh":
        operators.tanh_backward.grad_input(slope, output, grad_input=slope)
    elif activation == "relu":
        operators.threshold_backward.grad_input(slope, output, 0.0, grad_input=slope)
    else:
        operators.leaky_relu_backward.grad_input(slope, output, SLOPE, True, grad_input=slope)
