"""The DCGAN's learner: its step, its switches, forks, resumption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import checkpoint
from engine.data.base import Dataset, Split
from engine.executors.inline import run
from engine.models.dcgan import DCGANLearner
from engine.registry import entry
from engine.spec import Budget, RunSpec
from engine.tensors import DataSpec, DataView
from engine.trainer import build, restore

CPU = torch.device("cpu")
TINY: dict[str, Any] = {"channels": 2, "latent_dim": 4, "batch_size": 4}


def data_of(shape: tuple[int, int, int] = (1, 28, 28), classes: int = 3) -> DataView:
    """Return a small data set of random pictures."""
    draw = np.random.Generator(np.random.PCG64(0))

    def split(count: int) -> Split:
        images = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
        return Split(images, np.arange(count, dtype=np.int64) % classes)

    names = tuple(f"class {i}" for i in range(classes))
    return DataView(
        Dataset("mnist", "Random", split(48), split(24), names, "made here", "none", "0" * 16), CPU
    )


def learner_of(data: DataView | None = None, seed: int = 0, **config: Any) -> DCGANLearner:
    """Build a tiny learner."""
    chosen = entry("dcgan").config_class.from_values({**TINY, **config})
    learner = build("dcgan", chosen, data or data_of(), CPU, seed)
    assert isinstance(learner, DCGANLearner)
    return learner


def step(learner: DCGANLearner, data: DataView, number: int = 0) -> dict[str, Tensor]:
    """Take one step on the first examples."""
    torch.manual_seed(number)
    count = learner.examples_per_step
    return learner.training_step(
        data.train.batch(slice(0, count)), data.train.labels[:count], number
    )


def copied(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's parameters."""
    return {k: v.detach().clone() for k, v in network.named_parameters()}


SWITCHES: tuple[dict[str, Any], ...] = (
    {},
    {"loss": "minimax"},
    {"loss": "least_squares"},
    {"loss": "wgan_gp", "discriminator_batch_norm": False},
    {"upsampling": "nearest", "downsampling": "max_pool"},
    {"generator_batch_norm": False, "discriminator_batch_norm": False},
    {"generator_activation": "tanh", "generator_output": "sigmoid"},
    {"generator_activation": "leaky_relu", "generator_output": "linear"},
    {"discriminator_activation": "relu", "discriminator_channels": 3},
    {"conditional": True},
    {"packing": 2, "minibatch_std": True, "conditional": True},
    {"packing": 3, "batch_size": 2, "spectral_norm": True},
    {"r1_gamma": 1.0, "instance_noise": 0.1, "label_smoothing": 0.1},
    {"augmentation": "all"},
    {"discriminator_steps": 2, "noise": "uniform", "two_time_scales": True},
)


@pytest.mark.parametrize("config", SWITCHES, ids=lambda c: "-".join(map(str, c)) or "plain")
def test_a_step_moves_every_parameter_and_stays_finite(config: dict[str, Any]) -> None:
    data = data_of()
    learner = learner_of(data, **config)
    before = {n: copied(network) for n, network in learner.networks.items()}
    record = step(learner, data)
    record = step(learner, data, 1) | {"loss": record["loss"]}
    assert all(bool(v.isfinite()) for v in record.values())
    unmoved = [
        f"{name}.{key}"
        for name, network in learner.networks.items()
        for key, value in network.named_parameters()
        if torch.equal(value, before[name][key])
    ]
    # a critic's constant cancels out of the Wasserstein loss
    constant = ["discriminator.blocks.verdict.convolution.bias"]
    assert unmoved == (constant if config.get("loss") == "wgan_gp" else [])


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 20, 40)])
def test_pictures_have_the_size_of_the_data_and_stay_between_0_and_1(
    shape: tuple[int, int, int],
) -> None:
    data = data_of(shape)
    learner = learner_of(data)
    step(learner, data)
    with learner.evaluating():
        made = learner.generate(learner.noise(5))
        logits = learner.score(made)
    assert made.shape == (5, *shape)
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1
    assert logits.shape == (5,)


@pytest.mark.parametrize("output", ["tanh", "sigmoid", "linear"])
def test_padding_and_range_are_undone(output: str) -> None:
    data = data_of((1, 28, 28))
    learner = learner_of(data, generator_output=output)
    images = data.train.batch(slice(0, 3))
    seen = learner.to_network(images)
    assert seen.shape == (3, 1, 32, 32)
    assert float(seen[0, 0, 0, 0]) == (0.0 if output == "sigmoid" else -1.0)  # black
    assert torch.allclose(learner.from_network(seen), images, atol=1e-6)


@pytest.mark.parametrize("trained", ["discriminator", "generator"])
def test_one_network_learns_while_the_other_stands_still(trained: str) -> None:
    data = data_of()
    learner = learner_of(data, trained=trained)
    before = {n: copied(network) for n, network in learner.networks.items()}
    record = step(learner, data)
    assert {"loss", "generator/loss", "discriminator/loss"} <= set(record)
    for name, network in learner.networks.items():
        same = all(torch.equal(v, before[name][k]) for k, v in network.named_parameters())
        assert same == (name != trained)


def test_the_step_is_the_plain_one() -> None:
    """Frozen D, channels last and fused Adam change nothing but the last bits."""
    data = data_of()
    rates = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    fast, plain = learner_of(data, **rates), learner_of(data, **rates)
    torch.manual_seed(5)
    step(fast, data)

    optimizers = {
        name: torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.99), fused=False)
        for name, network in plain.networks.items()
    }
    softplus = nn.functional.softplus
    real = plain.to_network(data.train.batch(slice(0, 4)))
    torch.manual_seed(0)
    fake = plain.generator(torch.randn(4, 4))
    loss = softplus(-plain.discriminator(real)).mean()
    loss = loss + softplus(plain.discriminator(fake.detach())).mean()
    loss.backward()
    optimizers["discriminator"].step()
    plain.generator.zero_grad()
    softplus(-plain.discriminator(fake)).mean().backward()
    optimizers["generator"].step()
    for name, network in fast.networks.items():
        for key, value in network.state_dict().items():
            expected = plain.networks[name].state_dict()[key]
            assert torch.allclose(value.float(), expected.float(), atol=1e-5), (name, key)


def test_a_packed_discriminator_gives_neighbours_one_logit() -> None:
    data = data_of()
    learner = learner_of(data, packing=2)
    with learner.evaluating():
        logits = learner.score(data.test.batch(slice(0, 5)))
    assert logits.shape == (5,)
    assert logits[0] == logits[1]
    assert logits[2] == logits[3]
    assert learner.examples_per_step == 8


def test_samples_without_a_label_spread_as_the_data_do() -> None:
    data = data_of(classes=4)
    learner = learner_of(data, conditional=True)
    learner.generator.class_share.copy_(torch.tensor([0.7, 0.1, 0.1, 0.1]))
    counts = torch.bincount(learner.usual_labels(1000), minlength=4)
    assert (counts.float() / 1000 - torch.tensor([0.7, 0.1, 0.1, 0.1])).abs().max() < 0.01


def test_the_label_changes_the_picture_and_the_verdict() -> None:
    data = data_of()
    learner = learner_of(data, conditional=True)
    zero, one = torch.zeros(2, dtype=torch.long), torch.ones(2, dtype=torch.long)
    with learner.evaluating():
        z = learner.noise(2, torch.Generator().manual_seed(0))
        assert not torch.equal(learner.generate(z, zero), learner.generate(z, one))
        images = data.test.batch(slice(0, 2))
        assert not torch.equal(learner.score(images, zero), learner.score(images, one))


# ------------------------------------------------------------------ resuming and forks


def spec_of(tmp_path: Path, steps: int, **config: Any) -> RunSpec:
    """Return a short run on MNIST."""
    return RunSpec(
        "dcgan",
        "mnist",
        {**TINY, "channels": 4, "batch_size": 8, **config},
        seed=3,
        budget=Budget(max_steps=steps),
        folder=tmp_path,
        previews=False,
    )


@pytest.mark.parametrize("config", [{}, {"spectral_norm": True, "conditional": True}])
def test_six_steps_equal_three_and_three(tmp_path: Path, config: dict[str, Any]) -> None:
    from dataclasses import replace

    straight, first, second = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    list(run(spec_of(straight, 6, **config)))
    list(run(spec_of(first, 3, **config)))
    half = checkpoint.step_path(first, 3)
    list(run(replace(spec_of(second, 6, **config), resume=half)))
    _, expected = checkpoint.load(checkpoint.step_path(straight, 6))
    _, found = checkpoint.load(checkpoint.step_path(second, 6))
    assert set(found) == set(expected)
    assert [k for k in found if not torch.equal(found[k], expected[k])] == []


def test_loaded_optimizer_slots_lie_in_memory_as_their_weights_do(tmp_path: Path) -> None:
    """Fused Adam walks both side by side; a slot in another order would be another's."""
    list(run(spec_of(tmp_path, 2)))
    learner, _ = restore(checkpoint.step_path(tmp_path, 2), real_mnist(), CPU)
    for optimizer in learner.optimizers.values():
        assert optimizer.state
        for parameter, slots in optimizer.state.items():
            assert slots["exp_avg"].stride() == parameter.stride()


FORKS: tuple[dict[str, Any], ...] = (
    {"packing": 2},
    {"minibatch_std": True},
    {"spectral_norm": True},
    {"r1_gamma": 1.0},
    {"discriminator_channels": 3},
    {"generator_batch_norm": False},
    {"packing": 2, "minibatch_std": True, "spectral_norm": True},
)


@pytest.mark.parametrize("there", FORKS, ids=lambda c: "-".join(c))
@pytest.mark.parametrize("back", [False, True])
def test_a_fork_goes_on_with_a_remedy_on_or_off(
    tmp_path: Path, there: dict[str, Any], back: bool
) -> None:
    data = real_mnist()
    default = {k: entry("dcgan").config_class.from_values({}).to_dict()[k] for k in there}
    config, other = (there, default) if back else (default, there)
    list(run(spec_of(tmp_path, 2, **config)))
    learner, _ = restore(checkpoint.step_path(tmp_path, 2), data, CPU, other)
    assert isinstance(learner, DCGANLearner)
    assert all(bool(v.isfinite()) for v in step(learner, data, 2).values())


@pytest.mark.parametrize("remedy", [{"packing": 2}, {"minibatch_std": True}])
def test_a_forked_discriminator_says_at_first_what_it_said(
    tmp_path: Path, remedy: dict[str, Any]
) -> None:
    """A pack of one picture twice has the old logit; a new feature has weight 0."""
    data = real_mnist()
    list(run(spec_of(tmp_path, 2)))
    path = checkpoint.step_path(tmp_path, 2)
    old, _ = restore(path, data, CPU)
    new, _ = restore(path, data, CPU, remedy)
    assert isinstance(old, DCGANLearner)
    assert isinstance(new, DCGANLearner)
    twice = data.test.batch(slice(0, 4)).repeat_interleave(2, 0)
    with old.evaluating(), new.evaluating():
        assert torch.allclose(new.score(twice), old.score(twice), atol=1e-5)
        z = old.noise(3, torch.Generator().manual_seed(1))
        assert torch.equal(old.generate(z), new.generate(z))


def test_a_last_pack_is_filled_with_pictures_and_their_own_labels() -> None:
    data = data_of()
    learner = learner_of(data, packing=3, conditional=True)
    images, labels = data.test.batch(slice(0, 4)), data.test.labels[:4]
    filled = torch.tensor([0, 1, 2, 3, 0, 1])
    with learner.evaluating():
        short = learner.score(images, labels)
        whole = learner.score(images[filled], labels[filled])
    assert torch.allclose(short, whole[:4], atol=1e-5)


def test_what_the_monitor_saw_is_recalled() -> None:
    data = data_of()
    learner = learner_of(data)
    learner.recall(data, 300, {"coverage": 0.6, "class_kl_nats": 0.01})
    fresh = learner_of(data)._monitor(data)
    assert repr(vars(learner._monitor(data).watch)) != repr(vars(fresh.watch))


def test_the_least_rate_is_not_lowered_below_what_is_allowed() -> None:
    learner = learner_of(generator_learning_rate=1e-6)
    config = learner.config.with_live(
        "generator_learning_rate", learner.lower_rates()["generator_learning_rate"]
    )
    assert config.generator_learning_rate == 1e-6


def test_two_rates_are_lowered_after_divergence() -> None:
    learner = learner_of(generator_learning_rate=3e-3, discriminator_learning_rate=0.6)
    assert learner.lower_rates() == {
        "generator_learning_rate": 1e-3,
        "discriminator_learning_rate": 3e-3,
    }


def test_evaluation_tells_of_held_out_pictures_and_repeats_itself() -> None:
    data = data_of()
    learner = learner_of(data)
    first = learner.evaluate(data, seed=1, limit=10)
    assert first == learner.evaluate(data, seed=1, limit=10)
    assert 0 <= first["discriminator/accuracy_held_out"] <= 1


def real_mnist() -> DataView:
    """Return MNIST; reading it is cached by the loader."""
    from engine.data import load

    return DataView(load("mnist"), CPU)


def test_networks_follow_the_shape_of_the_data() -> None:
    spec = DataSpec((3, 64, 64), ("a",))
    learner = DCGANLearner(entry("dcgan").config_class.from_values(TINY), spec, CPU)
    assert learner.discriminator.side == 64
    assert learner.generator(torch.zeros(2, 4), None).shape == (2, 3, 64, 64)
