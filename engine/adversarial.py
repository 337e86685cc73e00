"""What all adversarial networks share: losses, penalties, packing, minibatch deviation, forks.

D gives logits (no sigmoid); `real` and `fake` are its logits on a batch of each, any shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

GROUP = 8  # samples whose deviation is taken together; metrics.md 1.3 used groups of 8
_ORIGINAL = ".parametrizations.weight.original"

Critic = Callable[[Tensor], Tensor]

# ---------------------------------------------------------------------- losses


def discriminator_loss(kind: str, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return what the discriminator minimises; with D = sigmoid(logit) and t = 1 - smoothing:

    minimax, nonsaturating: -E[t log D(x) + (1-t) log(1-D(x))] - E[log(1-D(G(z)))]
        (Goodfellow et al. 2014, equation 1; one-sided smoothing of Salimans et al. 2016, 3.4)
    least_squares: 1/2 E[(l(x) - t)^2] + 1/2 E[l(G(z))^2], l the logit
        (Mao et al. 2017, equation 9 with a = 0, b = c = 1)
    wgan_gp: E[l(G(z))] - E[l(x)], without its penalty (Gulrajani et al. 2017, equation 3);
        it has no targets to smooth
    """
    if kind in ("nonsaturating", "minimax"):
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        # t softplus(-l) + (1-t) softplus(l) = softplus(-l) + (1-t) l
        return loss + smoothing * real.mean() if smoothing else loss
    if kind == "least_squares":
        target = 1.0 - smoothing
        return 0.5 * ((real - target).square().mean() + fake.square().mean())
    if kind == "wgan_gp":
        return fake.mean() - real.mean()
    raise ValueError(f"there is no loss {kind!r}")


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """Return what the generator minimises; D = sigmoid(logit).

    nonsaturating: -E[log D(G(z))] (Goodfellow et al. 2014, section 3, last paragraph);
    minimax: E[log(1-D(G(z)))] (equation 1); least_squares: 1/2 E[(l - 1)^2] (Mao et al. 2017);
    wgan_gp: -E[l].
    """
    if kind == "nonsaturating":
        return F.softplus(-fake).mean()
    if kind == "minimax":
        return -F.softplus(fake).mean()
    if kind == "least_squares":
        return 0.5 * (fake - 1.0).square().mean()
    if kind == "wgan_gp":
        return -fake.mean()
    raise ValueError(f"there is no loss {kind!r}")


def discriminator_slopes(
    kind: str, real: Tensor, fake: Tensor, smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the derivatives of `discriminator_loss` by the real and by the fake logits."""
    if kind in ("nonsaturating", "minimax"):
        return (real.sigmoid() - (1 - smoothing)) / real.numel(), fake.sigmoid() / fake.numel()
    if kind == "least_squares":
        return (real - (1 - smoothing)) / real.numel(), fake / fake.numel()
    one = torch.ones_like(real) / real.numel()
    return -one, torch.ones_like(fake) / fake.numel()


def generator_slope(kind: str, fake: Tensor) -> Tensor:
    """Return the derivative of `generator_loss` by the logits."""
    if kind == "nonsaturating":
        return (fake.sigmoid() - 1) / fake.numel()
    if kind == "minimax":
        return -fake.sigmoid() / fake.numel()
    if kind == "least_squares":
        return (fake - 1) / fake.numel()
    return -torch.ones_like(fake) / fake.numel()


def decides_real(kind: str, logits: Tensor, middle: Tensor | None = None) -> Tensor:
    """Return which examples D takes for real: those nearer to its target for real ones.

    A Wasserstein critic has no targets; `middle` divides, or the mean of the batch it is given.
    """
    if kind == "least_squares":
        return logits > 0.5
    if kind == "wgan_gp":
        return logits > (logits.mean() if middle is None else middle)
    return logits > 0


def probability(kind: str, logits: Tensor) -> Tensor:
    """Return D's opinion in [0, 1]: the sigmoid, or the least-squares output cut to [0, 1].

    For a Wasserstein critic it is the sigmoid of a score that has no absolute level.
    """
    return logits.clamp(0, 1) if kind == "least_squares" else torch.sigmoid(logits)


def middle(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """Return what logits are counted from: 0, or halfway between real and generated ones.

    A Wasserstein critic's scores have no level of their own.
    """
    if kind != "wgan_gp":
        return real.new_zeros(())
    return (real.mean() + fake.mean()) / 2


def judgement(kind: str, scores: Mapping[str, Tensor]) -> dict[str, float]:
    """Return D's accuracy and mean opinion on each kind of example, by their logits.

    `scores` has `real` and `fake` and may have more, such as `held_out`; what is not `fake` is
    real. `discriminator/sign_real` is E[sign D] on real examples (Karras et al. 2020, "Training
    generative adversarial networks with limited data", equation 1: r_t).
    """
    level, found = middle(kind, scores["real"], scores["fake"]), {}
    for name, logits in scores.items():
        taken = float(decides_real(kind, logits, level).float().mean())
        found[f"discriminator/accuracy_{name}"] = 1 - taken if name == "fake" else taken
        found[f"discriminator/mean_{name}"] = float(probability(kind, logits - level).mean())
    found["discriminator/sign_real"] = 2 * found["discriminator/accuracy_real"] - 1
    return found


def draw_noise(
    kind: str,
    size: tuple[int, int],
    device: torch.device,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw z (B, D), N(0, 1) or uniform in [-1, 1]; where `generator` is, when one is given.

    A generator on the CPU so gives the same noise on any device.
    """
    place = generator.device if generator else device
    if kind == "uniform":
        return torch.rand(size, generator=generator, device=place).mul_(2).sub_(1).to(device)
    return torch.randn(size, generator=generator, device=place).to(device)


# ---------------------------------------------------------------------- penalties


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Return E[(|grad D(x')| - 1)^2] at x' = mix x + (1 - mix) G(z), with its own graph.

    Gulrajani et al. 2017, equation 3; `mix` is uniform in [0, 1], one number an example,
    broadcast over the rest, such as (B, 1) or (B, 1, 1, 1). Neither input gets a gradient.
    """
    between = torch.lerp(fake.detach(), real.detach(), mix).requires_grad_(True)
    slope = _slopes(critic, between)
    return (slope.square().sum(1).clamp_min(1e-24).sqrt() - 1).square().mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Return 1/2 E[|grad D(x)|^2] at real examples, with its own graph; gamma multiplies it.

    Mescheder et al. 2018, equation 9.
    """
    return 0.5 * _slopes(critic, real.detach().requires_grad_(True)).square().sum(1).mean()


def _slopes(critic: Critic, x: Tensor) -> Tensor:
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return slope.flatten(1)  # B, everything else


# ---------------------------------------------------------------------- what D sees


def pack(x: Tensor, size: int) -> Tensor:
    """Join `size` neighbours to one example: (B size, F …) to (B, size F …), vectors or images.

    PacGAN (Lin et al. 2018): only the discriminator's first layer grows.
    """
    if size == 1:
        return x
    return x.reshape(x.shape[0] // size, size * x.shape[1], *x.shape[2:])


def group_size(count: int, group: int = GROUP) -> int:
    """Return the largest group of at most `group` that divides `count`; all of a prime count."""
    found = next(g for g in range(min(group, count), 0, -1) if count % g == 0)
    return found if found > 1 else count


def minibatch_std(x: Tensor, group: int = GROUP) -> Tensor:
    """Append to each example how much its group varies: (B, F …) to (B, F + 1, …).

    The deviation of each feature (and place) over `group` neighbours, averaged to one number a
    group (Karras et al. 2018, section 3). Neighbours form a group, so that real and generated
    halves of one batch do not mix when each has whole groups.
    """
    size = group_size(x.shape[0], group)
    groups = x.reshape(-1, size, x[0].numel())
    variance = groups.var(1, unbiased=False)  # groups, everything
    spread = (variance + 1e-8).sqrt().mean(1)  # 1e-8: the root has no slope at 0
    column = spread.repeat_interleave(size).view(-1, *[1] * (x.dim() - 1))
    return torch.cat([x, column.expand(-1, 1, *x.shape[2:])], 1)


class MinibatchStd(nn.Module):
    """`minibatch_std` as a layer; its output has one feature or channel more."""

    def __init__(self, group: int = GROUP) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, F …) to (B, F + 1, …)."""
        return minibatch_std(x, self.group)


def normalised(layer: nn.Module, wanted: bool) -> nn.Module:
    """Return the layer, with spectral normalisation (Miyato et al. 2018) when wanted."""
    return spectral_norm(layer) if wanted else layer


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without computing those of its weights."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    for p in parameters:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in parameters:
            p.requires_grad_(True)


# ---------------------------------------------------------------------- forks


@dataclass(frozen=True)
class Inputs:
    """What a layer's inputs are made of: `packed` equal parts, then `extra` single features."""

    packed: int = 1
    extra: int = 0


def refit(weight: Tensor, old: Inputs, new: Inputs) -> Tensor:
    """Fit a weight (out, in, …) to other inputs so that the layer says the same at first.

    Each of m packed parts gets 1/m of the sum of the old ones; a feature that is new, such as
    the minibatch deviation, starts with weight 0.
    """
    parts = weight[:, : weight.shape[1] - old.extra]
    one = parts.unflatten(1, (old.packed, -1)).sum(1) / new.packed
    extra = weight.new_zeros(weight.shape[0], new.extra, *weight.shape[2:])
    kept = min(old.extra, new.extra)
    if kept:
        extra[:, :kept] = weight[:, parts.shape[1] :][:, :kept]
    return torch.cat([one] * new.packed + [extra], 1)


def graft(
    tensors: Mapping[str, Tensor],
    name: str,
    old: nn.Module,
    new: nn.Module,
    optimizer: str,
    inputs: Mapping[str, tuple[Inputs, Inputs]] | None = None,
) -> dict[str, Tensor]:
    """Fit a checkpoint's tensors of the network `name` and of its optimizer to `new`.

    `old` is a network of the architecture that they are of; it is filled with them. `inputs`
    names layers (such as "first") whose inputs changed, old and new. Where spectral
    normalisation ends, the normalised weight stays, so that the layer computes the same. What
    is new, or of another size, starts as it is in `new`; an optimizer keeps what it knows of a
    parameter that is there under the same name and shape, wherever its place.
    """
    prefix = f"networks.{name}."
    held = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    shapes = {k: v.shape for k, v in old.state_dict().items()}
    if {k: v.shape for k, v in held.items()} != shapes:
        return dict(tensors)  # not what its config says: `checkpoint.fit` names the difference
    old.load_state_dict(held)
    found = {f"{prefix}{k}": v for k, v in _fitted(old.eval(), new, inputs or {}).items()}
    before = [(_plain(k), p.shape) for k, p in old.named_parameters()]
    places = {k: (i, p.shape) for i, (k, p) in enumerate(_named(new))}
    for key, value in tensors.items():
        if not key.startswith(f"optimizers.{optimizer}."):
            continue
        index, slot = key.removeprefix(f"optimizers.{optimizer}.").split(".", 1)
        parameter, shape = before[int(index)] if int(index) < len(before) else ("", None)
        place, wanted = places.get(parameter, (0, None))
        if wanted is not None and wanted == shape:
            found[f"optimizers.{optimizer}.{place}.{slot}"] = value
    return found


def _fitted(
    old: nn.Module, new: nn.Module, inputs: Mapping[str, tuple[Inputs, Inputs]]
) -> dict[str, Tensor]:
    state, found = old.state_dict(), {}
    for key, fresh in new.state_dict().items():
        layer, normal, rest = key.rpartition(".parametrizations.weight.")
        if normal and rest != "original":
            continue  # its singular vectors, below
        held = state.get(key)
        if normal or key.endswith(".weight"):
            layer = layer or key.removesuffix(".weight")
            held = _effective(old, layer) if held is None else held
            if held is not None and layer in inputs and inputs[layer][0] != inputs[layer][1]:
                held = refit(held, *inputs[layer])
        found[key] = fresh if held is None or held.shape != fresh.shape else held
        if normal:
            names = (f"{layer}{normal}0._u", f"{layer}{normal}0._v")
            same = key in state and torch.equal(found[key], state[key])
            vectors = {k: state[k] for k in names} if same else _singular(found[key], *names)
            found |= vectors
    return found


def _effective(network: nn.Module, layer: str) -> Tensor | None:
    try:
        weight = network.get_submodule(layer).weight
    except AttributeError:
        return None
    return weight.detach() if isinstance(weight, Tensor) else None


def _singular(weight: Tensor, left: str, right: str) -> dict[str, Tensor]:
    """Return the first singular vectors of a weight (out, everything else), for `spectral_norm`."""
    u, _, v = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return {left: u[:, 0].contiguous(), right: v[0].contiguous()}


def _plain(parameter: str) -> str:
    return parameter.replace(_ORIGINAL, ".weight")


def _named(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(_plain(k), p) for k, p in network.named_parameters()]
