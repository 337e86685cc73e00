"""Geometry of a latent space against hand-worked cases, NumPy and torch.distributions."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from engine.errors import Rejected
from engine.latent import Mixture, fit_mixture, interpolate, make_plane, read_int, read_numbers
from engine.latent_views import extent_of, read_extent, read_plane, widen

CPU = torch.device("cpu")


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------------- walks


def test_a_spherical_walk_turns_at_a_constant_rate() -> None:
    """From (2, 0) to (0, 4): a quarter turn, length from 2 to 4."""
    path = interpolate(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), 5, "spherical")
    angles = torch.atan2(path[:, 1], path[:, 0]).tolist()
    assert angles == pytest.approx([0, math.pi / 8, math.pi / 4, 3 * math.pi / 8, math.pi / 2])
    assert path.norm(dim=1).tolist() == pytest.approx([2, 2.5, 3, 3.5, 4])


def test_a_linear_walk_is_straight() -> None:
    path = interpolate(torch.tensor([[0.0, 0.0], [4.0, 2.0]]), 5, "linear")
    assert path.tolist() == [[0, 0], [1, 0.5], [2, 1], [3, 1.5], [4, 2]]


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_a_walk_passes_through_its_points(kind: str) -> None:
    points = drawn(4, 5)
    path = interpolate(points, 3 * 7 + 1, kind)
    torch.testing.assert_close(path[::7], points)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.0, 0.0], [1.0, 1.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 0.0], [3.0, 0.0]),
        ([1.0, 0.0], [-1.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_a_spherical_walk_without_a_direction_is_straight(a: list, b: list) -> None:
    points = torch.tensor([a, b])
    straight = interpolate(points, 9, "linear")
    torch.testing.assert_close(interpolate(points, 9, "spherical"), straight)


def test_another_kind_of_walk_is_refused() -> None:
    with pytest.raises(Rejected, match="linear or spherical"):
        interpolate(drawn(2, 2), 3, "curly")


# ---------------------------------------------------------------------- planes


@pytest.mark.parametrize(
    ("dims", "choice"),
    [
        (1, None),
        (2, None),
        (5, None),
        (5, {"axes": [3, 1]}),
        (5, {"pca": True}),
        (1, {"pca": True}),
        (2, {"pca": True}),
        (64, {"pca": True}),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_lifting_and_projecting_round_trips(dims: int, choice: Any, moved: bool) -> None:
    codes = drawn(300, dims) * torch.linspace(1, 3, dims) + 1
    at = (0.5 * drawn(dims, seed=3)).tolist() if moved else None
    plane = make_plane(codes, choice, at)
    u = drawn(20, 2, seed=1)
    u[:, 1] *= dims > 1
    torch.testing.assert_close(plane.project(plane.lift(u)), u, atol=1e-4, rtol=1e-4)
    base = plane.lift(plane.project(plane.at))
    torch.testing.assert_close(base, plane.at, atol=1e-4, rtol=1e-4)
    if dims > 2 and moved:  # off the plane it stays where the base point is
        off = plane.lift(u) - plane.at
        torch.testing.assert_close(off @ plane.basis.T @ plane.basis, off, atol=1e-4, rtol=1e-4)


def test_axes_are_those_coordinates() -> None:
    codes = drawn(10, 5)
    plane = make_plane(codes, {"axes": [3, 1]}, None)
    assert plane.project(codes).equal(codes[:, [3, 1]])
    assert plane.names == ("z4", "z2")


@pytest.mark.parametrize("dims", [2, 3, 20])
def test_the_principal_plane_is_that_of_numpy(dims: int) -> None:
    codes = drawn(500, dims) @ drawn(dims, dims, seed=1) + 2
    plane = make_plane(codes, {"pca": True}, None)
    array = codes.numpy().astype(np.float64)
    _, _, rows = np.linalg.svd(array - array.mean(0), full_matrices=False)
    overlap = np.abs(plane.basis.numpy() @ rows[:2].T)
    np.testing.assert_allclose(overlap, np.eye(2), atol=1e-4)
    torch.testing.assert_close(plane.basis @ plane.basis.T, torch.eye(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(plane.origin, codes.mean(0))


def test_a_principal_plane_keeps_its_turn_when_it_is_drawn_anew() -> None:
    codes = drawn(500, 6) * torch.tensor([3.0, 2.9, 1, 1, 1, 1])
    before = make_plane(codes, {"pca": True}, None).basis
    for turn in (before, -before, before.flip(0)):
        again = make_plane(codes + 0.02 * drawn(500, 6, seed=2), {"pca": True}, None, turn)
        assert float((again.basis * turn).sum(1).min()) > 0.99


def test_a_described_plane_is_read_back() -> None:
    codes = drawn(200, 5)
    plane = make_plane(codes, {"pca": True}, drawn(5, seed=1).tolist())
    read = read_plane(plane.describe(), None, 5, CPU)
    torch.testing.assert_close(read.project(codes), plane.project(codes))
    torch.testing.assert_close(read.lift(codes[:, :2]), plane.lift(codes[:, :2]))


@pytest.mark.parametrize(
    "choice",
    [
        {"axes": [0, 0]},
        {"axes": [0, 5]},
        {"axes": [0]},
        {"axes": "01"},
        {"axes": [True, 2]},
        {"axes": [0.0, 1.0]},
        {"axes": None},
        {"axes": {"0": 1}},
        [0, 1],
        "pca",
        3,
    ],
)
def test_another_plane_is_refused(choice: Any) -> None:
    with pytest.raises(Rejected):
        make_plane(drawn(10, 5), choice, None)


# ---------------------------------------------------------------------- ellipses


@pytest.mark.parametrize("choice", [{"axes": [0, 3]}, {"pca": True}])
def test_an_ellipse_is_that_of_the_sampled_covariance(choice: dict) -> None:
    codes = drawn(400, 4) @ drawn(4, 4, seed=5)
    plane = make_plane(codes, choice, None)
    mean, sd = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor([0.2, 1.5, 0.7, 0.4])
    found = plane.ellipse(mean, sd)
    assert found is not None
    u = plane.project(mean + sd * drawn(200_000, 4, seed=6))
    values, vectors = np.linalg.eigh(np.cov(u.numpy().T))
    assert found["center"] == pytest.approx(u.mean(0).tolist(), abs=0.02)
    assert found["radii"] == pytest.approx(np.sqrt(values[::-1]), rel=0.02)
    first = np.array([math.cos(found["angle"]), math.sin(found["angle"])])
    assert abs(first @ vectors[:, 1]) == pytest.approx(1, abs=1e-3)


def test_ellipses_of_one_dimension_and_of_none() -> None:
    line = make_plane(drawn(10, 1), None, None)
    found = line.ellipse(torch.tensor([0.3]), torch.tensor([0.2]))
    assert found is not None
    assert found["center"] == pytest.approx([0.3, 0])
    assert found["radii"] == pytest.approx([0.2, 0])
    assert line.ellipse(torch.tensor([0.3]), None) is None


# ---------------------------------------------------------------------- extents


def test_an_extent_is_square_and_holds_nearly_all_points() -> None:
    xy = drawn(2000, 2) * torch.tensor([3.0, 0.5]) + torch.tensor([1.0, -2.0])
    x0, x1, y0, y1 = extent_of(xy)
    assert x1 - x0 == pytest.approx(y1 - y0)
    inside = (xy[:, 0] > x0) & (xy[:, 0] < x1) & (xy[:, 1] > y0) & (xy[:, 1] < y1)
    assert inside.float().mean() > 0.97


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_an_extent_of_points_that_are_one_or_none_is_not_empty(value: float) -> None:
    x0, x1, y0, y1 = extent_of(torch.full((10, 2), value))
    assert x0 < x1
    assert y0 < y1
    assert all(math.isfinite(v) for v in (x0, x1, y0, y1))


def test_extents_are_widened_and_read() -> None:
    assert widen((0, 2, 0, 4), 0.5) == (-1, 3, -2, 6)
    assert read_extent([0, 1, -1, 2]) == (0, 1, -1, 2)
    for bad in ([1, 0, 0, 1], [0, 1, 1, 1], [0, 1, 2], None, "0101", [0, 1, 0, math.nan]):
        with pytest.raises(Rejected) as refused:
            read_extent(bad)
        assert refused.value.field == "extent"


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e7, 10**400, "1", None, True, [1]])
def test_numbers_are_finite_and_bounded(bad: Any) -> None:
    with pytest.raises(Rejected):
        read_numbers([0.0, bad], 2, "z")
    with pytest.raises(Rejected):
        read_int(bad, 0, 9, "n")


# ---------------------------------------------------------------------- mixtures

MEANS = torch.tensor([[-4.0, 0.0], [3.0, 3.0], [2.0, -4.0]])
FACTORS = torch.tensor([[[1.0, 0], [0.6, 0.4]], [[0.5, 0], [0, 0.5]], [[0.3, 0], [-0.4, 1.2]]])
KNOWN = Mixture(torch.tensor([0.5, 0.3, 0.2]), MEANS, FACTORS)


def reference(mixture: Mixture) -> MixtureSameFamily:
    return MixtureSameFamily(
        Categorical(mixture.weights), MultivariateNormal(mixture.means, scale_tril=mixture.factors)
    )


def test_a_mixture_density_is_that_of_torch_distributions() -> None:
    z = 5 * drawn(200, 2)
    torch.testing.assert_close(
        KNOWN.log_density(z), reference(KNOWN).log_prob(z), atol=1e-4, rtol=1e-4
    )


def test_a_mixture_samples_what_it_says() -> None:
    found = KNOWN.sample(40_000, torch.Generator().manual_seed(0))
    expected = reference(KNOWN)
    torch.testing.assert_close(found.mean(0), expected.mean, atol=0.05, rtol=0)
    torch.testing.assert_close(found.var(0), expected.variance, atol=0.3, rtol=0.03)


def test_the_components_of_a_known_mixture_are_recovered() -> None:
    codes = KNOWN.sample(6000, torch.Generator().manual_seed(1))
    fitted = fit_mixture(codes, 3, seed=0)
    order = torch.cdist(MEANS, fitted.means).argmin(1)
    assert sorted(order.tolist()) == [0, 1, 2]
    torch.testing.assert_close(fitted.means[order], MEANS, atol=0.1, rtol=0)
    torch.testing.assert_close(fitted.weights[order], KNOWN.weights, atol=0.02, rtol=0)
    covariances = fitted.factors @ fitted.factors.mT
    torch.testing.assert_close(covariances[order], FACTORS @ FACTORS.mT, atol=0.1, rtol=0)
    assert fitted.log_density(codes).mean() >= KNOWN.log_density(codes).mean() - 1e-3


def test_the_likelihood_never_falls_over_the_steps() -> None:
    codes = KNOWN.sample(1500, torch.Generator().manual_seed(2))
    levels = [
        float(fit_mixture(codes, 5, seed=3, steps=n).log_density(codes).mean())
        for n in range(1, 15)
    ]
    assert all(after >= before - 1e-4 for before, after in pairwise(levels))
    assert levels[-1] > levels[0]


@pytest.mark.parametrize("dims", [1, 2, 20])
def test_a_mixture_fits_any_dimension(dims: int) -> None:
    fitted = fit_mixture(drawn(400, dims), 4, seed=0)
    assert fitted.log_density(drawn(50, dims, seed=1)).isfinite().all()
    assert fitted.weights.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "codes",
    [torch.zeros(50, 2), torch.ones(3, 2), drawn(5, 3), drawn(2, 64)],
    ids=["one", "three", "few", "two"],
)
def test_a_mixture_of_degenerate_codes_is_still_one(codes: Tensor) -> None:
    fitted = fit_mixture(codes, 10, seed=0)
    assert fitted.sample(8, torch.Generator().manual_seed(0)).isfinite().all()
