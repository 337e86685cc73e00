"""Densities, bounds and schedules against torch.distributions and closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from small import CPU, SMALL, Data, last, run, spec
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    Independent,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from engine.configs.autoencoders import VAEConfig
from engine.data.base import Dataset, Split
from engine.evaluation import full_metrics
from engine.losses import (
    bernoulli_log_likelihood,
    gaussian_log_likelihood,
    importance_weighted_bound,
    kl_to_standard_normal,
    normal_log_density,
)
from engine.models.autoencoders import VAELearner, active_units
from engine.schedules import cosine_decay, linear_warmup
from engine.tensors import DataView
from engine.trainer import restore


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ---------------------------------------------------------------------- densities


@pytest.mark.parametrize("dims", [1, 2, 20])
def test_kl_is_that_of_torch_distributions(dims: int) -> None:
    mean, logvar = 3 * drawn(50, dims), drawn(50, dims, seed=1)
    posterior, prior = Normal(mean, (0.5 * logvar).exp()), Normal(0.0, 1.0)
    expected = kl_divergence(posterior, prior)
    torch.testing.assert_close(kl_to_standard_normal(mean, logvar), expected)
    assert (kl_to_standard_normal(mean, logvar) >= 0).all()


def test_kl_of_the_prior_itself_is_zero() -> None:
    zero = torch.zeros(4, 3)
    assert kl_to_standard_normal(zero, zero).eq(0).all()


def test_kl_by_hand() -> None:
    """Mean 1 and variance 4: (1 + 4 - 1 - ln 4) / 2."""
    found = kl_to_standard_normal(torch.tensor([1.0]), torch.tensor([math.log(4)]))
    assert float(found) == pytest.approx(2 - math.log(2))


@pytest.mark.parametrize("targets", ["binary", "gray"])
def test_bernoulli_is_that_of_torch_distributions(targets: str) -> None:
    logits, x = 4 * drawn(7, 30), torch.rand(7, 30, dtype=torch.float64)
    x = x.round() if targets == "binary" else x
    expected = Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(-1)
    torch.testing.assert_close(bernoulli_log_likelihood(logits, x), expected)


def test_bernoulli_stays_finite_for_extreme_logits() -> None:
    logits = torch.tensor([[1e4, -1e4, 1e4]])
    assert bernoulli_log_likelihood(logits, torch.tensor([[1.0, 0.0, 0.0]])).item() == -1e4


@pytest.mark.parametrize("sd", [0.01, 0.2, 2.0])
def test_gaussian_is_that_of_torch_distributions(sd: float) -> None:
    mean, x = drawn(7, 30), drawn(7, 30, seed=1)
    expected = Independent(Normal(mean, sd), 1).log_prob(x)
    torch.testing.assert_close(gaussian_log_likelihood(mean, x, sd), expected)


@pytest.mark.parametrize("dims", [1, 2, 20])
def test_normal_density_is_that_of_torch_distributions(dims: int) -> None:
    z, mean, logvar = drawn(50, 9, dims), drawn(9, dims, seed=1), drawn(9, dims, seed=2)
    expected = Independent(Normal(mean, (0.5 * logvar).exp()), 1).log_prob(z)
    torch.testing.assert_close(normal_log_density(z, mean, logvar), expected)


# ---------------------------------------------------------------------- the bound IWAE_K


def test_importance_weighted_bound_is_the_log_of_the_mean_weight() -> None:
    log_weights = drawn(6, 11)
    expected = log_weights.exp().mean(-1).log()
    torch.testing.assert_close(importance_weighted_bound(log_weights), expected)


def test_importance_weighted_bound_of_one_draw_is_the_elbo() -> None:
    log_weights = drawn(6, 1)
    torch.testing.assert_close(importance_weighted_bound(log_weights), log_weights[:, 0])


def test_importance_weighted_bound_does_not_overflow() -> None:
    log_weights = torch.tensor([[-3000.0, -3000.0], [2000.0, 2000.0]])
    assert importance_weighted_bound(log_weights).tolist() == [-3000.0, 2000.0]


def test_more_draws_give_no_lower_bound_on_average() -> None:
    log_weights = 3 * drawn(500, 50)
    one = log_weights.mean()
    five = importance_weighted_bound(log_weights.view(500, 10, 5)).mean()
    fifty = importance_weighted_bound(log_weights).mean()
    assert one <= five <= fifty


# ---------------------------------------------------------------------- a model of known p(x)


def linear_gaussian(exact: bool) -> tuple[VAELearner, DataView, Tensor]:
    """Return p(x|z) = N(W z + b, s^2 I) with orthogonal columns of W, and log p(x) of the test set.

    Its posterior is N(V W' (x - b) / s^2, V) with V = (I + W'W / s^2)^-1, here diagonal, so that
    the encoder of a VAE can be exact; else it is moved away from it.
    """
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(16, 2, generator=generator))[0]
    weights, bias, sd = basis * torch.tensor([0.5, 0.3]), torch.full((16,), 0.5), 0.2
    pixels = (torch.rand(200, 1, 4, 4, generator=generator) * 255).to(torch.uint8).numpy()
    split = Split(pixels, np.zeros(200, np.int64))
    data = DataView(Dataset("flat", "", split, split, ("all",), "", "", "0" * 16), CPU)
    config = VAEConfig.from_values({**SMALL, "likelihood": "gaussian", "pixel_sd": sd})
    learner = VAELearner(config, data.spec, CPU)

    decoder, encoder = nn.Linear(2, 16), nn.Linear(16, 4)
    variance = 1 / (1 + weights.square().sum(0) / sd**2)
    gain = variance.unsqueeze(1) * weights.T / sd**2
    with torch.no_grad():
        decoder.weight.copy_(weights)
        decoder.bias.copy_(bias)
        encoder.weight.copy_(torch.cat([gain, torch.zeros(2, 16)]))
        encoder.bias.copy_(torch.cat([-gain @ bias, variance.log() + (0 if exact else 0.7)]))
    learner.encoder, learner.decoder = encoder, decoder
    learner.networks = {"encoder": encoder, "decoder": decoder}

    covariance = (weights @ weights.T + sd**2 * torch.eye(16)).double()
    x = data.test.batch(slice(0, 200)).flatten(1).double()
    return learner, data, MultivariateNormal(bias.double(), covariance).log_prob(x).mean()


def test_bounds_of_an_exact_posterior_are_the_log_likelihood() -> None:
    learner, data, expected = linear_gaussian(exact=True)
    found = learner.evaluate_fully(data, seed=0)
    assert found["iwae_5_nats"] == pytest.approx(float(expected), abs=2e-3)
    assert found["iwae_50_nats"] == pytest.approx(float(expected), abs=2e-3)
    assert found["elbo_nats"] == pytest.approx(float(expected), abs=0.05)  # 50 draws an image


def test_bounds_of_another_posterior_are_below_the_log_likelihood() -> None:
    learner, data, expected = linear_gaussian(exact=False)
    found = learner.evaluate_fully(data, seed=0)
    assert found["elbo_nats"] < found["iwae_5_nats"] < found["iwae_50_nats"]
    assert found["iwae_50_nats"] == pytest.approx(float(expected), abs=0.05)
    assert found["iwae_50_nats"] < float(expected) + 0.01  # draws leave this much noise
    assert found["elbo_nats"] < float(expected) - 0.2


# ---------------------------------------------------------------------- a trained model


@pytest.fixture(scope="module")
def trained(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    config = {"hidden_dim": 32, "latent_dim": 5, "learning_rate": 3e-3}
    run(spec("vae", few, folder, 300, config=config))
    return last(folder)


def test_bounds_of_a_trained_model_are_in_order(few: Data, trained: Path) -> None:
    learner, _ = restore(trained, few.view, CPU)
    found = full_metrics(learner, few.view, seed=0)
    assert found["test/elbo_nats"] <= found["test/iwae_5_nats"] <= found["test/iwae_50_nats"] < 0
    assert found["test/kl_nats"] > 0
    total = found["test/reconstruction_nats"] + found["test/kl_nats"]
    assert found["test/elbo_nats"] == pytest.approx(-total, abs=1e-6)
    assert found["latent_dim"] == 5
    assert found["test/active_units"] in range(6)
    assert -250 < found["test/elbo_nats"] < -100


def test_the_live_estimate_agrees_with_the_full_one(few: Data, trained: Path) -> None:
    learner, _ = restore(trained, few.view, CPU)
    live = learner.evaluate(few.view, seed=0, limit=None)
    full = learner.evaluate_fully(few.view, seed=0)
    assert live["elbo_nats"] == pytest.approx(-(live["reconstruction_nats"] + live["kl_nats"]))
    assert live["elbo_nats"] == pytest.approx(full["elbo_nats"], abs=2.0)
    assert live["kl_nats"] == pytest.approx(full["kl_nats"], abs=0.3)


def test_evaluation_is_a_function_of_the_seed(few: Data, trained: Path) -> None:
    learner, _ = restore(trained, few.view, CPU)
    once = learner.evaluate_fully(few.view, seed=1)
    torch.manual_seed(99)
    assert learner.evaluate_fully(few.view, seed=1) == once
    assert learner.evaluate_fully(few.view, seed=2) != once


def test_active_units_are_those_whose_means_vary_by_more_than_a_hundredth() -> None:
    codes = drawn(5000, 4) * torch.tensor([1.0, 0.11, 0.09, 0.0])
    assert active_units(codes) == 2


# ---------------------------------------------------------------------- schedules


def test_warmup_rises_linearly() -> None:
    assert [linear_warmup(s, 4) for s in (0, 1, 2, 4, 9)] == [0, 0.25, 0.5, 1, 1]
    assert linear_warmup(0, 0) == 1


def test_decay_falls_along_half_a_cosine() -> None:
    assert cosine_decay(0, 100) == 1
    assert cosine_decay(50, 100) == pytest.approx(0.505)
    assert cosine_decay(25, 100) == pytest.approx(0.01 + 0.99 * (1 + math.sqrt(0.5)) / 2)
    assert cosine_decay(100, 100) == cosine_decay(5000, 100) == pytest.approx(0.01)
    assert cosine_decay(7, 0) == 1
    rates = [cosine_decay(s, 100) for s in range(101)]
    assert rates == sorted(rates, reverse=True)
