"""The stability atlas: its cells are GANs on points, do not disturb each other, and are judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from small import CPU, assert_same, assert_sentence, copied

from engine.atlas_networks import CellOptimizer, Pass, StackedMLP, slope_penalty
from engine.atlas_states import (
    COLLAPSED,
    COVERED,
    DIVERGED,
    EARLY,
    ORBITING,
    PARTLY,
    POINTS,
    STATES,
    Ruler,
    grid_counts,
    jensen_shannon,
    reference,
)
from engine.config import Config
from engine.configs.gan2d_atlas import AtlasConfig
from engine.data import load, own_points
from engine.data.base import indices_at
from engine.device import seed_step
from engine.errors import Rejected
from engine.gan2d_networks import Perceptron
from engine.learner import Learner
from engine.models.gan2d_atlas import KEPT, LOOKED, WATCH_EVERY, AtlasLearner
from engine.modes import Grid, mode_metrics
from engine.rng import stream_seed
from engine.tensors import DataView
from engine.trainer import build

SEED = 3
FEW = {"generator_rates": 3, "discriminator_rates": 4, "batch_size": 16}
LOSSES = ("nonsaturating", "minimax", "least_squares", "wgan_gp")


@pytest.fixture(scope="module")
def ring() -> DataView:
    return DataView(load("ring8"), CPU)


def atlas(view: DataView, **values: Any) -> AtlasLearner:
    config = AtlasConfig.from_values({**FEW, **values})
    learner = build("gan2d_atlas", config, view, CPU, SEED)
    assert isinstance(learner, AtlasLearner)
    return learner


def single(view: DataView, config: Config) -> Learner:
    return build("gan2d", config, view, CPU, SEED)


def take(learner: Learner, view: DataView, steps: int, start: int = 0) -> list[dict[str, float]]:
    """Take the steps that a run with SEED takes; return the records."""
    records = []
    for step in range(start, start + steps):
        size = learner.examples_per_step
        chosen = torch.from_numpy(indices_at(SEED, step * size, size, len(view.train)))
        seed_step(CPU, stream_seed(SEED, step))
        record = learner.training_step(view.train.batch(chosen), view.train.labels[chosen], step)
        records.append({name: float(value) for name, value in record.items()})
    return records


# ---------------------------------------------------------------------- the same as one GAN


@pytest.mark.parametrize(
    "values",
    [
        *({"loss": loss} for loss in LOSSES),
        {"r1_gamma": 0.3, "label_smoothing": 0.1},
        {"packing": 2},
        {"packing": 3, "loss": "wgan_gp", "r1_gamma": 0.1},
        {"discriminator_steps": 3, "noise": "uniform"},
        {"optimizer": "sgd", "activation": "tanh"},
        {"activation": "leaky_relu", "generator_depth": 0, "discriminator_depth": 1},
        {"adam_beta1": 0.0, "adam_beta2": 0.9, "generator_depth": 3, "latent_dim": 5},
    ],
    ids=str,
)
def test_a_cell_is_a_run_with_its_config(values: dict[str, Any], ring: DataView) -> None:
    """Weights after six steps are those of the single GAN, up to float32's rounding."""
    learner = atlas(ring, **values)
    take(learner, ring, 6)
    for row, column in ((0, 0), (1, 3), (2, 1)):
        config = learner.config.cell(row, column)
        alone = single(ring, config)
        assert alone.examples_per_step == learner.examples_per_step
        take(alone, ring, 6)
        rates = (config.generator_learning_rate, config.discriminator_learning_rate)
        for name, rate in zip(("generator", "discriminator"), rates, strict=True):
            stacked, network = learner.networks[name], alone.networks[name]
            assert isinstance(stacked, StackedMLP)
            assert isinstance(network, Perceptron)
            found = stacked.of_cell(row * 4 + column)
            pairs = list(zip(found, network.linears, strict=True))
            if name == "discriminator" and values.get("loss") == "wgan_gp":
                # its last bias has no slope: what Adam makes of the rounding there means nothing
                pairs[-1] = ((pairs[-1][0][0], pairs[-1][1].bias), pairs[-1][1])
            for (weight, bias), linear in pairs:
                for mine, its in ((weight, linear.weight), (bias, linear.bias)):
                    torch.testing.assert_close(mine, its, atol=2e-5 + 1e-2 * rate, rtol=1e-3)


def test_losses_are_means_over_the_cells(ring: DataView) -> None:
    learner = atlas(ring)
    (record,) = take(learner, ring, 1)
    (alone,) = take(single(ring, learner.config.cell(0, 0)), ring, 1)
    # before the first update all cells are alike
    assert record["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    assert record["discriminator/loss"] == record["loss"]
    assert math.isfinite(record["generator/loss"])


def test_rates_are_evenly_spaced_and_the_ends_are_as_set() -> None:
    config = AtlasConfig.from_values(
        {
            "generator_rates": 4,
            "lowest_generator_learning_rate": 1e-4,
            "highest_generator_learning_rate": 1e-1,
            "discriminator_rates": 1,
            "lowest_discriminator_learning_rate": 0.02,
        }
    )
    assert config.rates == ((1e-4, 1e-3, 1e-2, 1e-1), (0.02,))
    assert config.cells == 4
    cell = config.cell(2, 0)
    assert (cell.generator_learning_rate, cell.discriminator_learning_rate) == (1e-2, 0.02)
    assert (cell.batch_norm, cell.spectral_norm, cell.decay_steps) == (False, False, 0)
    with pytest.raises(Rejected):
        AtlasConfig.from_values({"generator_rates": 17})


# ---------------------------------------------------------------------- stacked networks


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_the_backward_pass_is_autograds(activation: str) -> None:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(3, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 2)]
    network = StackedMLP(layers, activation, 5, CPU)
    with torch.no_grad():
        network.values.add_(0.1 * torch.randn_like(network.values))
    x, slope = torch.randn(5, 3, 7), torch.randn(5, 2, 7)
    by_hand = Pass(network, 7)
    out = by_hand.forward(x)
    wanted_x = by_hand.backward(slope, weights=True, inputs=True)
    values, leaf = network.values.detach().requires_grad_(), x.clone().requires_grad_()
    same = network(leaf, network.views(values))
    torch.testing.assert_close(out, same.detach())
    of_values, of_x = torch.autograd.grad(same, (values, leaf), slope)
    torch.testing.assert_close(network.gradient, of_values)
    torch.testing.assert_close(wanted_x, of_x)


@pytest.mark.parametrize("target", [None, 1.0])
def test_a_penalty_of_a_cell_is_its_own(target: float | None) -> None:
    torch.manual_seed(0)
    network = StackedMLP([torch.nn.Linear(2, 8), torch.nn.Linear(8, 1)], "tanh", 3, CPU)
    with torch.no_grad():
        network.values.add_(0.3 * torch.randn_like(network.values))
    points = torch.randn(3, 2, 9)
    penalty, gradient = slope_penalty(network, points, target)
    for cell, layers in enumerate(network.of_cell(i) for i in range(3)):
        (w1, b1), (w2, b2) = layers
        w1.requires_grad_()
        x = points[cell].t().clone().requires_grad_()
        logits = torch.tanh(x @ w1.t() + b1) @ w2.t() + b2
        (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
        norms = slope.square().sum(1)
        mine = 0.5 * norms.mean() if target is None else (norms.sqrt() - target).square().mean()
        assert float(penalty[cell]) == pytest.approx(float(mine.detach()), rel=1e-5)
        torch.testing.assert_close(
            network.views(gradient)[0][0][cell], torch.autograd.grad(mine, w1)[0]
        )


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_the_optimizer_is_torchs_with_a_rate_a_cell(kind: str) -> None:
    torch.manual_seed(0)
    rates = torch.tensor([1e-3, 0.1, 1.0])
    layer = torch.nn.Linear(4, 3)
    network = StackedMLP([layer], "relu", 3, CPU)
    ours = CellOptimizer(network, rates, kind, (0.5, 0.99))
    theirs, weights = [], []
    for rate in rates.tolist():
        w = torch.nn.Parameter(layer.weight.detach().clone())
        weights.append(w)
        adam = torch.optim.Adam([w], lr=rate, betas=(0.5, 0.99))
        theirs.append(adam if kind == "adam" else torch.optim.SGD([w], lr=rate, momentum=0.5))
    for _ in range(5):
        network.gradient.normal_()
        for cell, (w, optimizer) in enumerate(zip(weights, theirs, strict=True)):
            w.grad = network.gradients[0][0][cell].clone()
            optimizer.step()
        ours.step_of(torch.ones(3, dtype=torch.bool))
    for cell, w in enumerate(weights):
        torch.testing.assert_close(network.layers[0][0][cell], w.detach())


# ---------------------------------------------------------------------- cells that break


def test_a_broken_cell_stands_still_and_disturbs_no_other(ring: DataView) -> None:
    whole, hurt = atlas(ring), atlas(ring)
    take(whole, ring, 3)
    take(hurt, ring, 3)
    with torch.no_grad():
        hurt.generator.layers[0][0][5].fill_(1e30)  # its points are not finite
    take(whole, ring, 4, 3)
    records = take(hurt, ring, 4, 3)
    assert all(math.isfinite(value) for record in records for value in record.values())
    assert hurt.cells.alive.tolist() == [cell != 5 for cell in range(12)]
    for name, value in hurt.tensors().items():
        if value.is_floating_point():
            assert bool(value.isfinite().all()), name
    for mine, its in zip(hurt.discriminator.layers, whole.discriminator.layers, strict=True):
        for a, b in zip(mine, its, strict=True):
            others = [cell for cell in range(12) if cell != 5]
            assert torch.equal(a[others], b[others])
    before = [layer[0][5].clone() for layer in hurt.discriminator.layers]
    take(hurt, ring, 2, 7)
    assert all(
        torch.equal(a, layer[0][5])
        for a, layer in zip(before, hurt.discriminator.layers, strict=True)
    )
    assert int(hurt.draw("cell", ring, {"row": 1, "column": 1}).values["state"]) == DIVERGED


def test_absurd_rates_diverge_without_ending_the_run(ring: DataView) -> None:
    learner = atlas(
        ring,
        loss="least_squares",
        optimizer="sgd",
        highest_generator_learning_rate=10.0,
        highest_discriminator_learning_rate=10.0,
    )
    records = take(learner, ring, 60)
    assert not bool(learner.cells.alive.all())
    assert bool(learner.cells.alive.any())
    assert math.isfinite(records[-1]["loss"])
    assert learner.evaluate(ring, seed=0, limit=None)["diverged_share"] > 0


# ---------------------------------------------------------------------- states


def ring_points(modes: list[int], count: int = POINTS, sd: float = 0.01) -> np.ndarray:
    """Draw points (1, count, 2) of these modes of the ring."""
    random = np.random.default_rng(0)
    angle = 2 * np.pi * random.choice(modes, count) / 8
    points = np.stack([np.cos(angle), np.sin(angle)], 1) + sd * random.standard_normal((count, 2))
    return points[None].astype(np.float32)


def judged(points: np.ndarray, looks: list[np.ndarray], steps: int = 4000) -> int:
    ruler = Ruler(load("ring8"))
    history = np.stack([look[:, :LOOKED] for look in looks])
    reading = ruler.read(points, history, np.ones(1, bool), steps)
    exact = mode_metrics(points[0], ruler.places, 0.01)
    assert reading.strict[0] == exact["modes_strict"]
    assert reading.quality[0] == pytest.approx(exact["high_quality_share"])
    return int(reading.state[0])


def test_states_of_the_ring() -> None:
    everything, half = ring_points(list(range(8))), ring_points([0, 1, 2, 3, 4, 5])
    one = ring_points([3])
    assert judged(everything, [everything] * 8) == COVERED
    assert judged(everything, [everything] * 3, steps=150) == EARLY
    assert judged(half, [half] * 8) == PARTLY
    assert judged(one, [one] * 8) == COLLAPSED
    assert judged(one, [ring_points([k]) for k in range(8)]) == ORBITING
    assert judged(ring_points([3], sd=0.001) * 50, [one] * 8) == DIVERGED
    blob = 0.01 * everything  # a point in the middle is nearest to all modes, and is none
    assert judged(blob, [blob] * 8) == COLLAPSED
    circle = np.linspace(0, 2 * np.pi, POINTS, dtype=np.float32)
    around = np.stack([np.cos(circle), np.sin(circle)], 1)[None]
    assert judged(around, [around] * 8) == PARTLY, "a plain circle has hit no mode on purpose"


@pytest.mark.parametrize("key", ["moons", "spiral", "gaussian"])
def test_states_without_modes(key: str) -> None:
    dataset = load(key)
    ruler = Ruler(dataset)
    assert ruler.mixture is None
    real = dataset.train.images[None, :POINTS]
    point = np.broadcast_to(real[:, :1], real.shape)
    jumps = [np.broadcast_to(real[:, i : i + 1], (1, LOOKED, 2)) for i in range(0, 400, 50)]
    still = [point[:, :LOOKED]] * 8
    alive = np.ones(1, bool)
    assert ruler.read(real, np.stack([real[:, :LOOKED]] * 8), alive, 1000).state[0] == COVERED
    assert ruler.read(point, np.stack(still), alive, 1000).state[0] == COLLAPSED
    assert ruler.read(point, np.stack(jumps), alive, 1000).state[0] == ORBITING


@pytest.mark.parametrize("count", [20, 200])
def test_states_of_a_few_points_drawn_by_hand(count: int) -> None:
    angle = 2 * np.pi * np.arange(count) / count
    drawn = np.stack([np.cos(angle), np.sin(angle)], 1)
    dataset = own_points.build(drawn.tolist(), "a circle")
    ruler, real = Ruler(dataset), reference(dataset)
    x0, x1, y0, y1 = ruler.extent
    assert (real[:, 0] > x0).all()
    assert (real[:, 0] < x1).all()
    assert ((real[:, 1] > y0) & (real[:, 1] < y1)).all()
    perfect = real[np.random.default_rng(0).integers(0, len(real), (1, POINTS))]
    point = np.broadcast_to(real[:1], perfect.shape)
    alive = np.ones(1, bool)
    for points, state in ((perfect, COVERED), (point, COLLAPSED)):
        looks = np.stack([points[:, :LOOKED]] * 8)
        assert ruler.read(points, looks, alive, 1000).state[0] == state


def test_divergences_of_many_cells_are_those_of_one() -> None:
    dataset = load("moons")
    grid = Grid.of(dataset.train.images)
    random = np.random.default_rng(1)
    points = random.normal(0, 1, (3, 200, 2))
    counts = grid_counts(points, grid)
    found = jensen_shannon(counts / 200, grid.data)
    wanted = [grid.metrics(each)["js_nats"] for each in points]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


# ---------------------------------------------------------------------- views and memory


def test_the_atlas_and_a_cell_are_shown(ring: DataView) -> None:
    learner = atlas(ring)
    take(learner, ring, 2)
    found = learner.draw_live("atlas", 0, ring)
    assert {name: a.shape for name, a in found.arrays.items()} == {
        "state": (3, 4),
        "modes": (3, 4),
        "strict": (3, 4),
        "quality": (3, 4),
        "samples": (3, 4, 24, 2),
        "real": (300, 2),
    }
    assert found.values["generator_rates"] == learner.config.rates[0]
    assert (found.values["step"], found.values["modes"]) == (2, 8)
    assert len(found.values["states"]) == len(STATES)
    found.to_wire()
    cell = learner.draw("cell", ring, {"row": 2, "column": 1})
    assert cell.arrays["generated"].shape == (POINTS, 2)
    np.testing.assert_array_equal(cell.arrays["generated"][:24], found.arrays["samples"][2, 1])
    assert cell.values["config"] == learner.config.cell(2, 1).to_dict()


@pytest.mark.parametrize(
    "place", [{"row": 3, "column": 0}, {"row": -1, "column": 0}, {"row": 0, "column": 1.0}, {}]
)
def test_a_cell_that_is_not_there(place: dict[str, Any], ring: DataView) -> None:
    with pytest.raises(Rejected) as refused:
        atlas(ring).draw("cell", ring, place)
    assert_sentence(refused.value)


def test_looks_are_remembered_in_their_order(ring: DataView) -> None:
    learner = atlas(ring, generator_rates=1, discriminator_rates=1)
    seen = []
    for look in range(KEPT + 2):
        learner.cells.steps.fill_((look + 1) * WATCH_EVERY)
        with torch.no_grad():
            learner.generator.values.add_(0.1)
        learner._look()
        seen.append(learner.shown(LOOKED))
    assert torch.equal(learner.cells.looks(), torch.stack(seen[-KEPT:]))


def test_state_comes_back_with_its_history(ring: DataView) -> None:
    learner = atlas(ring)
    take(learner, ring, WATCH_EVERY + 1)
    again = atlas(ring)
    again.load_tensors(copied(learner.tensors()))
    take(learner, ring, 3, WATCH_EVERY + 1)
    take(again, ring, 3, WATCH_EVERY + 1)
    assert_same(again.tensors(), learner.tensors())
    assert len(again.cells.looks()) == 1
    assert again.evaluate(ring, seed=0, limit=None) == learner.evaluate(ring, seed=0, limit=None)


def test_shares_of_states_add_up(ring: DataView) -> None:
    learner = atlas(ring)
    take(learner, ring, 1)
    found = learner.evaluate_fully(ring, seed=0, samples=100)
    assert sum(found[f"{name}_share"] for name in STATES) == pytest.approx(1.0)
    assert found["early_share"] == 1.0


def test_another_optimizer_starts_without_memory(ring: DataView) -> None:
    learner, other = atlas(ring), atlas(ring, optimizer="sgd")
    take(learner, ring, 2)
    other.load_tensors(other.graft(copied(learner.tensors()), learner.config))
    take(other, ring, 1, 2)
    assert torch.equal(other.cells.steps, torch.tensor(3))
