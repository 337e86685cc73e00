"""Steps that the discriminator would take, as a function that a slope can be taken of.

Metz et al. 2017, "Unrolled Generative Adversarial Networks" (arXiv 1611.02163), section 2.3: the
discriminator's own optimizer, from its own state, against one batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Optimizer

Weights = dict[str, Tensor]
Slots = dict[str, Tensor]


def look_ahead(
    network: nn.Module,
    optimizer: Optimizer,
    rate: float,
    steps: int,
    x: Tensor,
    loss_of: Callable[[Tensor], Tensor],
) -> Weights:
    """Return a network's weights after so many steps down `loss_of(network(x))`, with their graph.

    `optimizer` is a plain Adam or SGD with momentum over the network's parameters; neither it nor
    the network is changed.
    """
    weights = {k: p.detach().requires_grad_() for k, p in network.named_parameters()}
    slots = [
        {k: v.clone() for k, v in optimizer.state.get(p, {}).items()} for p in network.parameters()
    ]
    move = _adam if "betas" in optimizer.defaults else _momentum
    for _ in range(steps):
        loss = loss_of(functional_call(network, weights, (x,)))
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        moves = [move(g, s, optimizer.defaults) for g, s in zip(slopes, slots, strict=True)]
        weights = {k: w - rate * m for (k, w), m in zip(weights.items(), moves, strict=True)}
    return weights


def _adam(slope: Tensor, slots: Slots, settings: dict) -> Tensor:
    """Return Adam's step at rate 1 as a function of the slope; moves `slots` on."""
    beta1, beta2 = settings["betas"]
    zero = torch.zeros_like(slope)
    slots["step"] = step = slots.get("step", torch.zeros((), device=slope.device)) + 1
    first = torch.lerp(slots.get("exp_avg", zero), slope, 1 - beta1)
    second = torch.lerp(slots.get("exp_avg_sq", zero), slope.square(), 1 - beta2)
    slots |= {"exp_avg": first, "exp_avg_sq": second}
    # 1e-16 under the root as Adam's 1e-8 beside it: the root has no slope at 0
    root = (second / (1 - beta2**step) + 1e-16).sqrt()
    return first / (1 - beta1**step) / root


def _momentum(slope: Tensor, slots: Slots, settings: dict) -> Tensor:
    """Return the step of gradient descent with momentum at rate 1; moves `slots` on."""
    before = slots.get("momentum_buffer", torch.zeros_like(slope))
    slots["momentum_buffer"] = before * settings["momentum"] + slope
    return slots["momentum_buffer"]
