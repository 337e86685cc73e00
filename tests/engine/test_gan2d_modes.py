"""Mode metrics against hand-worked counts and the perfect sampler of the literature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.data.points import GRID25, RING8, load
from engine.modes import CEILING, SAMPLES, Grid, assign, mode_metrics, spread_metrics


def perfect(mixture, count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    chosen = mixture.means[generator.integers(0, len(mixture.means), count)]
    return chosen + mixture.sd * generator.standard_normal((count, 2))


@pytest.mark.parametrize(
    ("mixture", "kl", "p99"), [(RING8, 0.0015, 0.0038), (GRID25, 0.0049, 0.0086)]
)
def test_a_perfect_sampler_has_the_known_figures(mixture, kl: float, p99: float) -> None:
    found = [
        mode_metrics(perfect(mixture, SAMPLES, s), mixture.means, mixture.sd) for s in range(300)
    ]
    modes = len(mixture.means)
    assert all(f["modes_covered"] == f["modes_strict"] == modes for f in found)
    shares = np.array([f["high_quality_share"] for f in found])
    assert shares.mean() == pytest.approx(0.989, abs=0.0005)
    assert shares.std() == pytest.approx(0.002, abs=0.0005)
    kls = np.array([f["reverse_kl_nats"] for f in found])
    assert kls.mean() == pytest.approx(kl, rel=0.1)
    assert np.quantile(kls, 0.99) == pytest.approx(p99, rel=0.2)


def test_the_ceiling_is_that_of_three_deviations() -> None:
    assert pytest.approx(0.98889, abs=1e-5) == CEILING


def test_counts_by_hand() -> None:
    means, sd = np.array([[0.0, 0.0], [10.0, 0.0]]), 1.0
    samples = [[0, 2.9], [0, 3.1], [2, 2], [10, 1], [100, 0], [math.nan, 0], [math.inf, 0]]
    found = assign(np.array(samples), means, sd)
    assert found.good.tolist() == [True, False, True, True, False, False, False]
    assert found.counts.tolist() == [2, 1]
    metrics = mode_metrics(np.array(samples), means, sd)
    assert metrics["high_quality_share"] == 3 / 7
    entropy = -(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))
    assert metrics["reverse_kl_nats"] == pytest.approx(math.log(2) - entropy)
    assert (metrics["modes_covered"], metrics["modes_strict"]) == (2, 2)


def test_a_mode_counts_strictly_from_a_fifth_of_its_share() -> None:
    means = np.array([[0.0, 0.0], [10.0, 0.0]])
    samples = np.repeat(means, [90, 10], axis=0)  # a fair share is 50
    assert mode_metrics(samples, means, 1.0)["modes_strict"] == 2
    samples = np.repeat(means, [91, 9], axis=0)
    found = mode_metrics(samples, means, 1.0)
    assert (found["modes_covered"], found["modes_strict"]) == (2, 1)


def test_one_mode_alone_and_none_at_all() -> None:
    one = mode_metrics(np.repeat(RING8.means[:1], 50, axis=0), RING8.means, RING8.sd)
    assert one["reverse_kl_nats"] == pytest.approx(math.log(8))
    assert one["modes_covered"] == 1
    none = mode_metrics(np.full((50, 2), 9.0), RING8.means, RING8.sd)
    assert none["reverse_kl_nats"] == pytest.approx(math.log(8))
    assert none["modes_covered"] == none["high_quality_share"] == 0


def test_the_spread_counts_bad_samples_too() -> None:
    far = RING8.means[np.arange(400) % 4] * 1.2
    found = spread_metrics(far, RING8.means)
    assert found["mode_kl_nats"] == pytest.approx(math.log(2))
    assert found["effective_modes"] == pytest.approx(4)


# ---------------------------------------------------------------------- where no modes are


@pytest.mark.parametrize("key", ["moons", "spiral"])
def test_data_against_data_is_near_nothing_and_half_of_it_is_not(key: str) -> None:
    data = load(key)
    grid = Grid.of(data.train.images)
    fresh = grid.metrics(data.test.images[:SAMPLES])
    assert 0 <= fresh["js_nats"] < 0.02
    assert 0 <= fresh["grid_kl_nats"] < 0.06
    half = grid.metrics(data.test.images[data.test.labels == 0][:SAMPLES])
    # a half of the mass, told apart: ln 2 - entropy terms, (3 ln 4 - 3 ln 3) / 4 = 0.2158
    assert half["js_nats"] == pytest.approx(0.2158, abs=0.03)
    assert half["grid_kl_nats"] == pytest.approx(math.log(2), abs=0.1)


def test_everything_outside_is_as_far_as_can_be() -> None:
    grid = Grid.of(load("moons").train.images)
    far = grid.metrics(np.full((SAMPLES, 2), 50.0))
    assert far["js_nats"] == pytest.approx(math.log(2), abs=0.001)
    assert far["grid_kl_nats"] > 3
    broken = grid.metrics(np.full((SAMPLES, 2), math.nan))
    assert broken == far


def test_the_divergence_by_hand() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    grid = Grid.of(points)
    found = grid.metrics(np.array([[0.0, 0.0], [0.0, 0.0]]))
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4)
    expected = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert found["js_nats"] == pytest.approx(expected)
