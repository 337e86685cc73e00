"""GAN losses, penalties and what D sees, against closed forms, autograd and torch's own BCE."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.adversarial import (
    Inputs,
    MinibatchStd,
    decides_real,
    discriminator_loss,
    discriminator_slopes,
    frozen,
    generator_loss,
    generator_slope,
    gradient_penalty,
    graft,
    group_size,
    minibatch_std,
    normalised,
    pack,
    probability,
    r1_penalty,
    refit,
)
from engine.configs.adversarial import LOSSES, GANConfig, with_default


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


KINDS = [kind for kind, _ in LOSSES]
REAL, FAKE = 3 * drawn(40, 1), 3 * drawn(40, 1, seed=1)


# ---------------------------------------------------------------------- losses


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("kind", ["nonsaturating", "minimax"])
def test_the_discriminator_minimises_binary_cross_entropy(kind: str, smoothing: float) -> None:
    target = torch.full_like(REAL, 1 - smoothing)
    expected = F.binary_cross_entropy_with_logits(
        REAL, target
    ) + F.binary_cross_entropy_with_logits(FAKE, torch.zeros_like(FAKE))
    torch.testing.assert_close(discriminator_loss(kind, REAL, FAKE, smoothing), expected)


def test_the_generators_losses_are_their_formulas() -> None:
    d = torch.sigmoid(FAKE)
    torch.testing.assert_close(generator_loss("nonsaturating", FAKE), -d.log().mean())
    torch.testing.assert_close(generator_loss("minimax", FAKE), (1 - d).log().mean())
    torch.testing.assert_close(generator_loss("wgan_gp", FAKE), -FAKE.mean())
    torch.testing.assert_close(generator_loss("least_squares", FAKE), ((FAKE - 1) ** 2).mean() / 2)


def test_least_squares_and_wasserstein_by_hand() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert float(discriminator_loss("least_squares", real, fake)) == pytest.approx(1 + 1)
    # targets 0.8: (0.2^2 + 2.2^2) / 2 / 2 + 1
    assert float(discriminator_loss("least_squares", real, fake, 0.2)) == pytest.approx(2.22)
    assert float(discriminator_loss("wgan_gp", real, fake)) == -1
    assert float(discriminator_loss("wgan_gp", real, fake, 0.2)) == -1


def test_minimax_saturates_and_the_other_does_not() -> None:
    """d/dl log(1 - D) = -D, d/dl -log D = -(1 - D): at a sure D the first is nearly nothing."""
    logit = torch.tensor([-8.0], requires_grad=True)
    slopes = {
        kind: torch.autograd.grad(generator_loss(kind, logit), logit)[0].item()
        for kind in ("minimax", "nonsaturating")
    }
    sure = 1 / (1 + math.exp(8))
    assert slopes["minimax"] == pytest.approx(-sure, rel=1e-4)
    assert slopes["nonsaturating"] == pytest.approx(-(1 - sure), rel=1e-4)


@pytest.mark.parametrize("kind", ["nonsaturating", "minimax"])
def test_losses_stay_finite_for_extreme_logits(kind: str) -> None:
    far = torch.tensor([1e4, -1e4])
    assert discriminator_loss(kind, far, far).isfinite()
    assert generator_loss(kind, far).isfinite()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_slopes_are_those_of_autograd(kind: str, smoothing: float) -> None:
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    expected = torch.autograd.grad(discriminator_loss(kind, real, fake, smoothing), (real, fake))
    torch.testing.assert_close(discriminator_slopes(kind, REAL, FAKE, smoothing), expected)
    (slope,) = torch.autograd.grad(generator_loss(kind, fake), fake)
    torch.testing.assert_close(generator_slope(kind, FAKE), slope)


def test_an_unknown_loss_is_an_error() -> None:
    with pytest.raises(ValueError, match="hinge"):
        discriminator_loss("hinge", REAL, FAKE)
    with pytest.raises(ValueError, match="hinge"):
        generator_loss("hinge", FAKE)


def test_an_opinion_of_the_discriminator() -> None:
    logits = torch.tensor([-1.0, 0.25, 0.75])
    assert decides_real("nonsaturating", logits).tolist() == [False, True, True]
    assert decides_real("least_squares", logits).tolist() == [False, False, True]
    assert decides_real("wgan_gp", logits + 100).tolist() == [False, True, True]
    assert probability("least_squares", logits).tolist() == [0.0, 0.25, 0.75]
    torch.testing.assert_close(probability("minimax", logits), torch.sigmoid(logits))


# ---------------------------------------------------------------------- penalties


def test_penalties_of_a_linear_critic_are_known() -> None:
    """Its slope is w everywhere: R1 is |w|^2 / 2, the gradient penalty (|w| - 1)^2."""
    critic = nn.Linear(2, 1).double()
    with torch.no_grad():
        critic.weight.copy_(torch.tensor([[3.0, 4.0]]))
    real, fake = drawn(9, 2), drawn(9, 2, seed=1)
    assert r1_penalty(critic, real).item() == pytest.approx(12.5)
    assert gradient_penalty(critic, real, fake, drawn(9, 1)).item() == pytest.approx(16)


def test_the_slope_of_r1_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    real, weight = drawn(7, 2), critic[0].weight
    (slope,) = torch.autograd.grad(r1_penalty(critic, real), weight)
    with torch.no_grad():
        weight[2, 1] += 1e-5
        above = r1_penalty(critic, real).item()
        weight[2, 1] -= 2e-5
        below = r1_penalty(critic, real).item()
    assert slope[2, 1].item() == pytest.approx((above - below) / 2e-5, rel=1e-5)


def test_the_gradient_penalty_looks_between_real_and_generated_images() -> None:
    seen = []

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.flatten(1).square().sum(1) / 2  # its slope at x is x

    real, fake, mix = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2), torch.rand(3, 1, 1, 1)
    found = gradient_penalty(critic, real, fake, mix)
    torch.testing.assert_close(seen[0], mix.expand(3, 1, 2, 2))
    torch.testing.assert_close(found, (mix.flatten() * 2 - 1).square().mean())


# ---------------------------------------------------------------------- what D sees


def test_packing_joins_neighbours() -> None:
    x = torch.arange(12.0).view(6, 2)
    assert pack(x, 1) is x
    assert pack(x, 3).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    images = torch.arange(8.0).view(4, 1, 1, 2)
    assert pack(images, 2).shape == (2, 2, 1, 2)
    assert pack(images, 2)[1, 1].tolist() == [[6, 7]]


def test_groups_divide_the_batch() -> None:
    assert [group_size(n) for n in (256, 64, 12, 10, 9, 7, 17, 2, 1)] == [
        8,
        8,
        6,
        5,
        3,
        7,
        17,
        2,
        1,
    ]


def test_the_minibatch_deviation_by_hand() -> None:
    x = torch.tensor([[0.0, 5.0], [2.0, 5.0], [0.0, 0.0], [6.0, 8.0]])
    found = minibatch_std(x, 2)
    torch.testing.assert_close(found[:, :2], x)
    torch.testing.assert_close(found[:, 2], torch.tensor([0.5, 0.5, 3.5, 3.5]), atol=1e-3, rtol=0)


def test_the_minibatch_deviation_of_images_is_a_constant_channel() -> None:
    x = drawn(16, 3, 4, 4)
    found = MinibatchStd()(x)
    assert found.shape == (16, 4, 4, 4)
    expected = (x[8:].var(0, unbiased=False) + 1e-8).sqrt().mean()
    torch.testing.assert_close(found[8:, 3], expected.expand(8, 4, 4))


def test_the_minibatch_deviation_of_equal_samples_has_a_finite_slope() -> None:
    x = torch.zeros(8, 2, requires_grad=True)
    minibatch_std(x).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_frozen_weights_get_no_gradient_and_inputs_do() -> None:
    network, x = nn.Linear(2, 1), torch.ones(3, 2, requires_grad=True)
    with frozen(network):
        network(x).sum().backward()
    assert network.weight.grad is None
    assert x.grad is not None
    assert all(p.requires_grad for p in network.parameters())


# ---------------------------------------------------------------------- forks


def test_a_layer_says_the_same_of_equal_samples_after_packing() -> None:
    weight, x = drawn(5, 2), drawn(4, 2)
    packed = refit(weight, Inputs(), Inputs(packed=3))
    torch.testing.assert_close(torch.cat([x, x, x], 1) @ packed.T, x @ weight.T)
    torch.testing.assert_close(refit(packed, Inputs(packed=3), Inputs()), weight)


def test_a_new_feature_starts_without_weight_and_an_old_one_stays() -> None:
    weight = drawn(5, 3, 4, 4)
    grown = refit(weight, Inputs(), Inputs(extra=1))
    assert grown.shape == (5, 4, 4, 4)
    assert grown[:, 3].eq(0).all()
    grown[:, 3] = 7
    both = refit(grown, Inputs(extra=1), Inputs(packed=2, extra=1))
    assert both.shape == (5, 7, 4, 4)
    assert both[:, 6].eq(7).all()
    torch.testing.assert_close(refit(grown, Inputs(extra=1), Inputs()), weight)


def critic(packing: int = 1, spectral: bool = False) -> nn.Sequential:
    return nn.Sequential(
        normalised(nn.Linear(2 * packing, 6), spectral),
        nn.Tanh(),
        normalised(nn.Linear(6, 1), spectral),
    )


def state_of(network: nn.Sequential) -> dict[str, Tensor]:
    """Return a checkpoint's tensors of D after one step of Adam."""
    optimizer = torch.optim.Adam(network.parameters())
    width = next(m for m in network.modules() if isinstance(m, nn.Linear)).in_features
    network(torch.ones(3, width)).sum().backward()
    optimizer.step()
    found = {f"networks.d.{k}": v.clone() for k, v in network.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        found |= {f"optimizers.d.{index}.{k}": v.clone() for k, v in slots.items()}
    return found


def filled(network: nn.Sequential, tensors: dict[str, Tensor]) -> nn.Sequential:
    state = {k.removeprefix("networks.d."): v for k, v in tensors.items() if "networks" in k}
    network.load_state_dict(state, strict=True)
    return network.eval()


def test_a_fork_into_packing_keeps_what_d_says() -> None:
    torch.manual_seed(0)
    before = critic()
    tensors = state_of(before)
    found = graft(tensors, "d", critic(), critic(2), "d", {"0": (Inputs(), Inputs(packed=2))})
    x = torch.randn(4, 2)
    torch.testing.assert_close(filled(critic(2), found)(torch.cat([x, x], 1)), before(x))
    assert "optimizers.d.0.exp_avg" not in found  # its shape changed
    assert torch.equal(found["optimizers.d.2.exp_avg"], tensors["optimizers.d.2.exp_avg"])


def test_a_fork_into_and_out_of_spectral_normalisation() -> None:
    torch.manual_seed(0)
    before = critic()
    tensors = state_of(before)
    found = graft(tensors, "d", critic(), critic(spectral=True), "d")
    after = filled(critic(spectral=True), found)
    largest = torch.linalg.matrix_norm(before[0].weight, 2)
    torch.testing.assert_close(after[0].weight, before[0].weight / largest)
    # the bias is the first parameter of a normalised layer, the second of a plain one
    assert torch.equal(found["optimizers.d.0.exp_avg"], tensors["optimizers.d.1.exp_avg"])
    back = graft(found, "d", critic(spectral=True), critic(), "d")
    x = torch.randn(4, 2)
    torch.testing.assert_close(filled(critic(), back)(x), after(x))


def test_a_fork_that_changes_nothing_changes_nothing() -> None:
    for spectral in (False, True):
        tensors = state_of(critic(spectral=spectral))
        found = graft(tensors, "d", critic(spectral=spectral), critic(spectral=spectral), "d")
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[k], tensors[k]) for k in tensors)


# ---------------------------------------------------------------------- hyperparameters


def test_every_field_describes_itself_and_its_default_is_allowed() -> None:
    schema = {f["name"]: f for f in GANConfig.schema()}
    assert GANConfig.from_values({n: f["default"] for n, f in schema.items()}) == GANConfig()
    live = {n for n, f in schema.items() if f["live"]}
    assert {"discriminator_steps", "trained", "r1_gamma", "generator_learning_rate"} <= live
    assert not {"packing", "minibatch_std", "spectral_norm"} & live


def test_another_default_keeps_the_description() -> None:
    changed = with_default("batch_size", 256, unit="points")
    assert (changed.default, changed.metadata["unit"]) == (256, "points")
    assert changed.metadata["maximum"] == 1024


def test_two_time_scales_slow_the_generator_only() -> None:
    config = GANConfig(two_time_scales=True)
    assert config.generator_rate == config.generator_learning_rate / 4
