"""The GAN on points: its step against a plain loop and autograd, remedies, forks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import small_gan2d
import torch
from small import CPU
from small_gan2d import data
from torch import Tensor, nn
from torch.nn import functional as F

from engine.adversarial import discriminator_loss, generator_loss, minibatch_std, pack
from engine.configs.gan2d import GAN2DConfig
from engine.gan2d_networks import Perceptron
from engine.models.gan2d import GAN2DLearner
from engine.modes import SAMPLES

RATES = {"generator_learning_rate": 0.01, "discriminator_learning_rate": 0.02}


def learner(key: str = "ring8", **config: Any) -> GAN2DLearner:
    return small_gan2d.learner(key, **{**RATES, **config})


def batch(found: GAN2DLearner, step: int = 0, key: str = "ring8") -> Tensor:
    size = found.examples_per_step
    return data(key).train.batch(slice(step * size, (step + 1) * size))


def train(found: GAN2DLearner, steps: int, key: str = "ring8") -> list[dict[str, float]]:
    records = []
    for step in range(steps):
        torch.manual_seed(step)
        record = found.training_step(batch(found, step, key), torch.zeros(0), step)
        records.append({k: float(v) for k, v in record.items()})
    return records


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


# ---------------------------------------------------------------------- by hand


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
@pytest.mark.parametrize("widths", [[3, 1], [2, 9, 1], [12, 7, 9, 2], [4, 5, 5, 5, 1]])
def test_passes_by_hand_are_those_of_autograd(activation: str, widths: list[int]) -> None:
    torch.manual_seed(1)
    network = Perceptron(widths, activation).double()
    x = torch.randn(11, widths[0], dtype=torch.float64, requires_grad=True)
    slope = torch.randn(11, widths[-1], dtype=torch.float64)
    out = network(x)
    expected = torch.autograd.grad(out, [x, *network.parameters()], slope)
    layers = network.run(x.detach())
    torch.testing.assert_close(layers[-1], out)
    found = network.run_back(slope, layers, weights=True, inputs=True)
    torch.testing.assert_close(found, expected[0])
    for p, wanted in zip(network.parameters(), expected[1:], strict=True):
        torch.testing.assert_close(p.grad, wanted)
        assert p.grad is not None
        assert p.grad.is_contiguous()


def test_only_what_is_asked_for_gets_a_slope() -> None:
    network = Perceptron([3, 5, 1], "relu")
    layers = network.run(torch.randn(4, 3))
    assert network.run_back(torch.ones(4, 1), layers, weights=False, inputs=True) is not None
    assert all(p.grad is None for p in network.parameters())
    assert network.run_back(torch.ones(4, 1), layers, weights=True, inputs=False) is None


# ---------------------------------------------------------------------- the step


def plain_loop(found: GAN2DLearner, steps: int, key: str) -> list[dict[str, float]]:
    """The same game as anyone would write it: two passes of D, autograd, Adam for each."""
    c, g, d = found.config, found.generator, found.discriminator
    betas = (c.adam_beta1, c.adam_beta2)
    g_adam = torch.optim.Adam(g.parameters(), c.generator_learning_rate, betas)
    d_adam = torch.optim.Adam(d.parameters(), c.discriminator_learning_rate, betas)

    def judge(x: Tensor) -> Tensor:
        x = pack(x, c.packing)
        return d(minibatch_std(x) if c.minibatch_std else x)

    records = []
    for step in range(steps):
        torch.manual_seed(step)
        for real in (batch(found, step, key) / found.spec.scale).chunk(c.discriminator_steps):
            fake = g(found.noise(len(real)))
            loss = discriminator_loss(c.loss, judge(real), judge(fake.detach()), c.label_smoothing)
            if c.r1_gamma:
                x = pack(real, c.packing).requires_grad_()
                out = d(minibatch_std(x) if c.minibatch_std else x).sum()
                (slope,) = torch.autograd.grad(out, x, create_graph=True)
                penalty = c.r1_gamma / 2 * slope.square().sum(1).mean()
            d_adam.zero_grad()
            (loss + penalty if c.r1_gamma else loss).backward()
            d_adam.step()
        its_loss = generator_loss(c.loss, judge(fake))
        g_adam.zero_grad()
        its_loss.backward()
        g_adam.step()
        records.append({"discriminator/loss": loss.item(), "generator/loss": its_loss.item()})
    return records


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"loss": "minimax"},
        {"loss": "least_squares", "label_smoothing": 0.1},
        {"label_smoothing": 0.2, "activation": "tanh", "noise": "uniform"},
        {"packing": 2},
        {"packing": 3, "minibatch_std": True, "discriminator_steps": 2},
        {"discriminator_steps": 3},
        {"r1_gamma": 0.5, "minibatch_std": True},
        {"batch_norm": True},
    ],
)
@pytest.mark.parametrize("key", ["ring8", "grid25"])
def test_a_step_learns_what_a_plain_loop_learns(config: dict[str, Any], key: str) -> None:
    ours, theirs = learner(key, **config), learner(key, **config)
    ours_told, theirs_told = train(ours, 5, key), plain_loop(theirs, 5, key)
    for found, expected in zip(ours_told, theirs_told, strict=True):
        assert found["loss"] == found["discriminator/loss"]
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-5)
    for name in ("generator", "discriminator"):
        torch.testing.assert_close(
            weights(getattr(ours, name)), weights(getattr(theirs, name)), rtol=1e-3, atol=1e-4
        )


def test_the_critic_s_slopes_are_those_of_autograd() -> None:
    """Its last bias has none but noise, which Adam makes a step of: so no weights are compared."""
    found = learner(loss="wgan_gp", penalty_weight=0.0)
    real, fake = batch(found), torch.randn(16, 2)
    found._judge(real, fake, {})
    d = found.discriminator
    expected = torch.autograd.grad(d(fake).mean() - d(real).mean(), list(d.parameters()))
    for p, wanted in zip(d.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, wanted, rtol=1e-4, atol=1e-6)


def test_the_gradient_penalty_is_added_and_told() -> None:
    found = learner(loss="wgan_gp", penalty_weight=10.0)
    (record,) = train(found, 1)
    assert record["discriminator/penalty"] > 0
    moved = learner(loss="wgan_gp", penalty_weight=0.0)
    train(moved, 1)
    assert not torch.equal(weights(found.discriminator), weights(moved.discriminator))


@pytest.mark.parametrize(
    "config", [{}, {"batch_norm": True}, {"r1_gamma": 0.1}, {"unrolled_steps": 1}]
)
@pytest.mark.parametrize(
    ("trained", "moves", "stays"),
    [("discriminator", "discriminator", "generator"), ("generator", "generator", "discriminator")],
)
def test_one_network_learns_while_the_other_stands_still(
    trained: str, moves: str, stays: str, config: dict[str, Any]
) -> None:
    found = learner(trained=trained, **config)
    before = {n: weights(found.networks[n]).clone() for n in (moves, stays)}
    buffers = [b.clone() for b in found.networks[stays].buffers()]
    (record,) = train(found, 1)
    assert not torch.equal(weights(found.networks[moves]), before[moves])
    assert torch.equal(weights(found.networks[stays]), before[stays])
    assert all(map(torch.equal, found.networks[stays].buffers(), buffers))
    assert {"loss", "generator/loss"} <= record.keys()


@pytest.mark.parametrize(
    "config",
    [
        {"packing": 4, "minibatch_std": True, "spectral_norm": True, "instance_noise": 0.1},
        {"loss": "wgan_gp", "discriminator_steps": 2, "batch_norm": True, "optimizer": "sgd"},
        {"unrolled_steps": 2, "spectral_norm": True, "optimizer": "sgd"},
        {"generator_depth": 0, "discriminator_depth": 0, "latent_dim": 1},
    ],
)
def test_remedies_go_together(config: dict[str, Any]) -> None:
    found = learner(**config)
    before = weights(found.generator).clone()
    assert all(v == v for record in train(found, 3) for v in record.values())
    assert not torch.equal(weights(found.generator), before)


def test_two_time_scales_move_the_generator_a_quarter_as_far() -> None:
    slow, fast = learner(two_time_scales=True), learner()
    start = weights(fast.generator).clone()
    train(slow, 1)
    train(fast, 1)
    ratio = (weights(slow.generator) - start).norm() / (weights(fast.generator) - start).norm()
    assert ratio.item() == pytest.approx(0.25, rel=1e-3)


def test_rates_fall_to_a_hundredth() -> None:
    found = learner(decay_steps=10)
    assert found.settings_now(0)["generator/learning_rate"] == 0.01
    assert found.settings_now(10)["discriminator/learning_rate"] == pytest.approx(2e-4)
    found.training_step(batch(found), torch.zeros(0), 10)
    assert found.optimizers["generator"].param_groups[0]["lr"] == pytest.approx(1e-4)


def test_accuracies_and_norms_are_told_every_eighth_step() -> None:
    records = train(learner(), 9)
    for step, record in enumerate(records):
        assert ("generator/grad_norm" in record) == (step % 8 == 0)
    assert 0 <= records[8]["discriminator/accuracy_real"] <= 1
    assert records[8]["discriminator/grad_norm"] > 0


# ---------------------------------------------------------------------- unrolling


def doubled(**config: Any) -> GAN2DLearner:
    found = learner(**config)
    train(found, 2)  # so that Adam has a state
    for network in found.networks.values():
        network.double()
    for optimizer in found.optimizers.values():
        for slots in optimizer.state.values():
            slots.update({k: v.double() for k, v in slots.items() if k != "step"})
    return found


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_looking_ahead_takes_the_steps_that_d_would_take(optimizer: str) -> None:
    found = doubled(unrolled_steps=3, optimizer=optimizer)
    real = batch(found).double()
    fake = found.generator(found.noise(len(real)).double()).detach()
    ahead = found._ahead(real, fake)
    for _ in range(3):
        found._judge(real, fake, {})
        found._move("discriminator", found.config.discriminator_learning_rate)
    for name, p in found.discriminator.named_parameters():
        torch.testing.assert_close(ahead[name], p, rtol=1e-4, atol=1e-5)


def test_the_generator_learns_through_the_steps_ahead() -> None:
    found = doubled(unrolled_steps=2)
    z, real = found.noise(16).double(), batch(found).double()

    def loss() -> Tensor:
        fake = found.generator(z)
        ahead = found._ahead(real, fake)
        return generator_loss(
            "nonsaturating", torch.func.functional_call(found.discriminator, ahead, (fake,))
        )

    weight = found.generator.linear2.bias
    (slope,) = torch.autograd.grad(loss(), weight)
    values = []
    for change in (1e-6, -2e-6):
        with torch.no_grad():
            weight[0] += change
        values.append(loss().item())
    above, below = values
    assert slope[0].item() == pytest.approx((above - below) / 2e-6, rel=1e-3)


# ---------------------------------------------------------------------- sampling


def test_points_come_in_the_data_s_coordinates_and_go_back() -> None:
    found = learner("grid25")
    z = found.noise(8)
    torch.testing.assert_close(found.generate(z), 4 * found.generator(z))
    torch.testing.assert_close(
        found.score(found.generate(z)), found.discriminator(found.generator(z)).squeeze(1)
    )


def test_packed_neighbours_share_a_score() -> None:
    found = learner(packing=3)
    scores = found.score(torch.randn(8, 2))
    assert scores.shape == (8,)
    assert scores[0] == scores[1] == scores[2] != scores[3]


def test_uniform_noise_is_uniform() -> None:
    z = learner(noise="uniform").noise(5000)
    assert -1 <= z.min() < -0.99
    assert 0.99 < z.max() <= 1


# ---------------------------------------------------------------------- forks


CHANGES: list[dict[str, Any]] = [
    {"packing": 2},
    {"packing": 4, "minibatch_std": True},
    {"minibatch_std": True},
    {"spectral_norm": True},
    {"batch_norm": True},
    {"optimizer": "sgd"},
    {"r1_gamma": 0.1, "unrolled_steps": 2},
    {"generator_width": 20, "generator_depth": 3, "discriminator_depth": 1, "packing": 2},
]


@pytest.mark.parametrize("there", CHANGES, ids=str)
@pytest.mark.parametrize("direction", ["on", "off"])
def test_a_fork_switches_a_remedy_on_and_off(there: dict[str, Any], direction: str) -> None:
    first, second = ({}, there) if direction == "on" else (there, {})
    old, new = learner(**first), learner(**second)
    train(old, 3)
    tensors = {k: v.clone() for k, v in old.tensors().items()}
    found = new.graft(tensors, old.config)
    wanted = new.tensors(optimizers=False)
    assert {k for k in found if k.startswith("networks.")} == wanted.keys()
    assert all(found[k].shape == wanted[k].shape for k in wanted)
    new.load_tensors(found)
    train(new, 1)
    if not {"batch_norm", "generator_width"} & there.keys():
        new.load_tensors(found)
        z = old.noise(4)
        assert torch.equal(new.generator(z), old.generator(z))


def test_a_fork_into_packing_judges_pairs_of_equal_points_as_before() -> None:
    old, new = learner(), learner(packing=2, minibatch_std=True)
    train(old, 3)
    new.load_tensors(new.graft(dict(old.tensors()), old.config))
    x = torch.randn(5, 2)
    twice = x.repeat_interleave(2, 0)
    torch.testing.assert_close(new.score(twice)[::2], old.score(x))
    slots = new.optimizers["discriminator"].state_dict()["state"]
    assert sorted(slots) == [1, 2, 3, 4, 5]  # the first layer's weight starts anew


# ---------------------------------------------------------------------- evaluation, monitor


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("ring8", {"modes_covered", "modes_strict", "high_quality_share", "reverse_kl_nats"}),
        ("moons", {"grid_kl_nats", "js_nats"}),
    ],
)
def test_evaluation_is_a_function_of_the_seed(key: str, names: set[str]) -> None:
    found = learner(key)
    once = found.evaluate_fully(data(key), seed=1)
    torch.manual_seed(99)
    assert found.evaluate_fully(data(key), seed=1) == once
    assert names <= once.keys()
    assert 0 <= once["discriminator/accuracy_held_out"] <= 1
    few = found.evaluate_fully(data(key), seed=1, samples=100)
    assert few.keys() == once.keys()
    assert found.evaluate(data(key), seed=1, limit=100) == few
    assert found.evaluate(data(key), seed=1, limit=None) == once


class Perfect(GAN2DLearner):
    """Its generator gives what the data have."""

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return data().test.batch(torch.arange(len(z)) % 10_000)


def test_a_perfect_generator_has_all_modes() -> None:
    found = Perfect(GAN2DConfig(), data().spec, CPU).evaluate_fully(data(), seed=0)
    assert (found["modes_covered"], found["modes_strict"]) == (8, 8)
    assert found["high_quality_share"] == pytest.approx(0.989, abs=0.01)
    assert found["reverse_kl_nats"] < 0.005


def test_the_monitor_says_when_modes_are_gone_and_offers_what_helps() -> None:
    found = learner()
    found.generate = lambda z, labels=None: data().test.batch(torch.arange(len(z)))  # type: ignore[method-assign]
    with found.evaluating():
        for step in range(500, 2500, 250):
            values, _, told = found.monitor(data(), step)
            assert not told
    assert (values["modes"], values["modes_strict"]) == (8, 8)
    mode = data().test.batch(slice(0, 1))
    found.generate = lambda z, labels=None: mode.expand(len(z), 2)  # type: ignore[method-assign]
    with found.evaluating():
        told = [f for step in range(2500, 3500, 250) for f in found.monitor(data(), step)[2]]
    worst = next(f for f in told if f.level in ("collapse", "total"))
    offered = {name for remedy in worst.remedies for name in remedy.config}
    assert {"packing", "minibatch_std"} <= offered
    assert all(GAN2DConfig.from_values(r.config) for r in worst.remedies)


def test_what_the_monitor_saw_before_a_park_counts() -> None:
    seen = []
    first, second, fresh = learner(), learner(), learner()
    for step in range(500, 3500, 250):
        kept = slice(0, SAMPLES) if step < 2250 else slice(0, 1)
        points = data().test.batch(kept).expand(SAMPLES, 2)
        for found in (first, second, fresh):
            found.generate = lambda z, labels=None, points=points: points[: len(z)]  # type: ignore[method-assign]
        with first.evaluating():
            values, _, told = first.monitor(data(), step)
        seen.append((step, values))
        if any(f.level in ("collapse", "total") for f in told):
            break
    for step_, values in seen[:-1]:
        second.recall(data(), step_, values)
    with second.evaluating(), fresh.evaluating():
        assert any(f.level in ("collapse", "total") for f in second.monitor(data(), step)[2])
        assert not fresh.monitor(data(), step)[2]


def test_a_critic_is_judged_from_the_middle_of_its_scores() -> None:
    found = learner(loss="wgan_gp")
    with torch.no_grad():
        found.discriminator.linear2.bias.fill_(1e3)
        shown = found.judgement(data(), torch.full((100, 2), 3.0))
    assert shown["discriminator/mean_real"] != 1.0
    assert 0 <= shown["discriminator/accuracy_real"] <= 1


def test_lower_rates_are_allowed_values() -> None:
    for name, value in learner(generator_learning_rate=1e-6).lower_rates().items():
        GAN2DConfig.from_values({name: value})


def overfits(make: Callable[[], GAN2DLearner]) -> float:
    found = make()
    x = batch(found)
    for step in range(200):
        torch.manual_seed(0)
        found.training_step(x, torch.zeros(0), step)
    with torch.no_grad():
        return float(F.softplus(-found.score(x)).mean())


def test_d_alone_learns_one_batch_by_heart() -> None:
    assert overfits(lambda: learner(trained="discriminator")) < 0.2
