"""The metrics against closed forms, brute force and the simulated table of 10 clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import metrics


def normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def clusters(count: int, modes: int, dims: int, seed: int) -> Tensor:
    """Draw from the first `modes` of 10 separate Gaussians in `dims` dimensions."""
    means = 6 * normal(10, dims, seed=99)
    return means[torch.arange(count) % modes] + normal(count, dims, seed=seed)


# ------------------------------------------------------------------ coverage and density


def brute_coverage(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    covered, inside = 0, 0
    for i, x in enumerate(real):
        others = sorted(float((x - y).norm()) for j, y in enumerate(real) if j != i)
        radius = others[k - 1]
        hits = sum(float((x - y).norm()) < radius for y in fake)
        covered += hits > 0
        inside += hits
    return covered / len(real), inside / (k * len(fake))


@pytest.mark.parametrize("k", [1, 5])
def test_coverage_and_density_are_those_of_a_plain_loop(k: int) -> None:
    real, fake = normal(40, 6), normal(30, 6, seed=1) * 0.8
    assert metrics.coverage_density(real, fake, k) == pytest.approx(brute_coverage(real, fake, k))
    radii = metrics.nearest_radii(real, k)
    assert metrics.coverage_density(real, fake, k, radii) == metrics.coverage_density(real, fake, k)


def test_coverage_of_equal_distributions_is_the_closed_form() -> None:
    assert metrics.ceiling(10_000, 10_000) == pytest.approx(1 - 2**-5, abs=2e-4)
    found = [
        metrics.coverage_density(normal(250, 16, seed=i), normal(250, 16, seed=50 + i))
        for i in range(12)
    ]
    assert np.mean([f.coverage for f in found]) == pytest.approx(
        metrics.ceiling(250, 250), abs=0.01
    )
    assert np.mean([f.density for f in found]) == pytest.approx(1.0, abs=0.05)


def test_fewer_fakes_than_reals_cover_as_the_closed_form_says() -> None:
    found = [
        metrics.coverage_density(normal(200, 8, seed=i), normal(50, 8, seed=50 + i)).coverage
        for i in range(20)
    ]
    assert np.mean(found) == pytest.approx(metrics.ceiling(200, 50), abs=0.03)


@pytest.mark.parametrize(
    ("dims", "count", "modes", "expected"),
    [
        (16, 250, 10, 0.98),
        (16, 250, 5, 0.52),
        (16, 250, 1, 0.09),
        (64, 250, 10, 0.96),
        (64, 500, 5, 0.50),
        (64, 500, 1, 0.10),
    ],
)
def test_coverage_counts_modes(dims: int, count: int, modes: int, expected: float) -> None:
    found = np.mean(
        [
            metrics.coverage_density(
                clusters(count, 10, dims, seed), clusters(count, modes, dims, 100 + seed)
            ).coverage
            for seed in range(6)
        ]
    )
    assert found == pytest.approx(expected, abs=0.03)
    assert found == pytest.approx(0.97 * modes / 10, abs=0.03)


def test_k_must_be_below_the_number_of_reals() -> None:
    with pytest.raises(ValueError, match="k must be 1 to 4; got 5"):
        metrics.coverage_density(normal(5, 2), normal(5, 2))


# ------------------------------------------------------------------ classes


@pytest.mark.parametrize(
    ("kept", "nats"), [(10, 0.0), (9, 0.105), (8, 0.223), (7, 0.357), (5, 0.693), (1, 2.303)]
)
def test_class_kl_of_lost_classes_is_the_closed_form(kept: int, nats: float) -> None:
    classes = torch.arange(10 * kept) % kept
    found = metrics.class_histogram(classes, torch.full((10,), 0.1))
    assert found.kl_nats == pytest.approx(math.log(10 / kept), abs=1e-6)
    assert found.kl_nats == pytest.approx(nats, abs=1e-3)
    assert found.effective_classes == pytest.approx(kept)
    assert found.classes_covered == kept
    assert found.shares.sum() == pytest.approx(1)


def test_class_kl_is_from_the_generated_to_the_real_shares() -> None:
    real = torch.tensor([0.5, 0.3, 0.2])
    classes = torch.tensor([0] * 7 + [1] * 3)
    found = metrics.class_histogram(classes, real)
    assert found.kl_nats == pytest.approx(0.7 * math.log(0.7 / 0.5) + 0.3 * math.log(0.3 / 0.3))
    assert found.classes_covered == 2
    unseen = metrics.class_histogram(classes, torch.tensor([1.0, 0.0, 0.0]))
    assert math.isinf(unseen.kl_nats)


def test_a_class_is_covered_from_a_part_of_its_share_on() -> None:
    classes = torch.tensor([0] * 97 + [1] * 3)
    real = torch.tensor([0.5, 0.1, 0.4])
    assert metrics.class_histogram(classes, real, 0.25).classes_covered == 2
    assert metrics.class_histogram(classes, real, 0.5).classes_covered == 1
    assert metrics.class_histogram(classes, real, 0.0).classes_covered == 2


@pytest.mark.parametrize(
    ("count", "covered", "nats"), [(26_000, 1000, 0.0194), (5000, 993, 0.105), (2600, 926, 0.213)]
)
def test_modes_of_a_perfect_sampler(count: int, covered: int, nats: float) -> None:
    source = torch.Generator().manual_seed(1)
    found = [metrics.modes(torch.randint(1000, (count,), generator=source)) for _ in range(10)]
    assert np.mean([f.covered for f in found]) == pytest.approx(covered, abs=6)
    assert np.mean([f.kl_nats for f in found]) == pytest.approx(nats, rel=0.04)


def test_the_noise_floor_of_the_class_kl() -> None:
    source = torch.Generator().manual_seed(0)
    even = torch.full((10,), 0.1)
    found = [
        metrics.class_histogram(torch.randint(10, (500,), generator=source), even).kl_nats
        for _ in range(200)
    ]
    assert np.mean(found) == pytest.approx(0.0091, abs=0.001)


# ------------------------------------------------------------------ diversity


def test_diversity_ratio_is_that_of_the_mean_pairwise_distances() -> None:
    real, fake = normal(30, 4), normal(20, 4, seed=1)
    expected = torch.pdist(fake).mean() / torch.pdist(real).mean()
    assert metrics.diversity_ratio(real, fake) == pytest.approx(float(expected), rel=1e-4)
    assert metrics.diversity_ratio(real, real * 0.5) == pytest.approx(0.5, rel=1e-4)
    assert metrics.diversity_ratio(real + 50, (real[:1] + 50).repeat(20, 1)) < 1e-3


def test_latent_sensitivity_of_a_scaling_is_its_factor() -> None:
    z = normal(40, 8)
    assert metrics.latent_sensitivity(z, 3 * z) == pytest.approx(3, rel=1e-3)
    assert metrics.latent_sensitivity(z, z[:1].repeat(40, 2)) < 1e-3
    made = z.tanh()
    expected = (torch.pdist(made) / torch.pdist(z)).mean()
    assert metrics.latent_sensitivity(z, made) == pytest.approx(float(expected), rel=1e-3)


# ------------------------------------------------------------------ kernel distance


def test_kid_is_the_unbiased_estimate_by_loops() -> None:
    x, y = normal(9, 3).double(), normal(9, 3, seed=1).double()

    def kernel(a: Tensor, b: Tensor) -> float:
        return float((a @ b / 3 + 1) ** 3)

    pairs = [(i, j) for i in range(9) for j in range(9) if i != j]
    within = sum(kernel(x[i], x[j]) + kernel(y[i], y[j]) for i, j in pairs) / 72
    across = sum(kernel(a, b) for a in x for b in y) / 81
    found = metrics.kid(x, y, subset=9, subsets=3)
    assert found.mean == pytest.approx(within - 2 * across)
    assert found.sd == pytest.approx(0, abs=1e-9)


def test_kid_of_equal_distributions_is_nought_on_average() -> None:
    same = [metrics.kid(normal(300, 8, seed=i), normal(300, 8, seed=90 + i)) for i in range(20)]
    apart = metrics.kid(normal(300, 8), normal(300, 8, seed=1) + 0.5)
    mean = np.mean([s.mean for s in same])
    assert abs(mean) < 0.01
    assert min(s.mean for s in same) < 0  # unbiased: it may be negative
    assert apart.mean > 0.3
    assert metrics.kid(normal(300, 8), normal(300, 8, seed=1)) == metrics.kid(
        normal(300, 8), normal(300, 8, seed=1)
    )


# ------------------------------------------------------------------ bins


def test_bins_find_separate_clusters_and_miss_a_lost_one() -> None:
    train = clusters(2000, 10, 16, 0)
    bins = metrics.make_bins(train, bins=10)
    assert bins.counts.sum() == 2000
    assert bins.counts.min() > 150  # one cluster a bin
    lost = metrics.ndb(bins, clusters(1000, 9, 16, 1), z=4)
    assert lost.different == 1
    assert lost.share == pytest.approx(0.1)
    assert metrics.ndb(bins, train) == (0, 0.0, pytest.approx(0, abs=1e-9))


def test_five_in_a_hundred_bins_differ_by_chance() -> None:
    train = normal(3000, 8)
    bins = metrics.make_bins(train, bins=50, rounds=10)
    # the bins were fitted to the train features, so that new ones differ a little more
    shares = [metrics.ndb(bins, normal(1000, 8, seed=i)).share for i in range(1, 11)]
    assert 0.02 < np.mean(shares) < 0.12


def test_the_test_of_two_proportions_is_worked_by_hand() -> None:
    train = torch.tensor([[0.0], [0.1], [10.0], [10.1]]).repeat(50, 1)  # 100 and 100
    bins = metrics.make_bins(train, bins=2)
    fake = torch.cat([torch.zeros(60, 1), torch.full((40, 1), 10.0)])
    # p = .5 of 200, q = .6 of 100, pooled 160/300: z = .1 / .0611 = 1.637
    assert metrics.ndb(bins, fake, z=1.63).different == 2
    assert metrics.ndb(bins, fake, z=1.64).different == 0


# ------------------------------------------------------------------ copies


def test_the_closest_pair_is_found_with_its_exact_distance() -> None:
    batch = normal(60, 20) + 100
    batch[41] = batch[7] + 1e-3
    expected = float((batch[41] - batch[7]).norm())
    assert metrics.closest_pair(batch) == (7, 41, pytest.approx(expected, rel=1e-5))
    assert metrics.closest_pair(normal(2, 3))[:2] == (0, 1)
    same = metrics.closest_pair(torch.ones(10, 1, 4, 4))
    assert same.first < same.second
    assert same.distance == 0


def test_the_nearest_of_a_pool_are_those_of_a_plain_search() -> None:
    pool = torch.randint(
        0, 256, (5000, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)
    )
    queries = pool[[17, 4999]].float() / 255
    queries[1] += 0.01
    indices, apart = metrics.nearest(queries, pool, count=3)
    exact = torch.cdist(queries.flatten(1).double(), pool.flatten(1).double() / 255)
    assert torch.equal(indices, exact.topk(3, largest=False).indices)
    assert torch.allclose(apart.double(), exact.topk(3, largest=False).values, atol=1e-5)
    assert metrics.nearest(queries[:1], pool[:2], count=9)[0].shape == (1, 2)
