"""Losses and densities in nats, each the formula that its docstring states."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def bernoulli_log_likelihood(logits: Tensor, targets: Tensor) -> Tensor:
    """Return log p(x|z) summed over pixels: sum x*l - softplus(l), for logits l (…, P)."""
    return (targets * logits - F.softplus(logits)).sum(-1)


def gaussian_log_likelihood(mean: Tensor, targets: Tensor, sd: float) -> Tensor:
    """Return log N(x; mean, sd^2 I) summed over pixels, for mean (…, P)."""
    constant = math.log(2 * math.pi * sd * sd)
    return -0.5 * (((targets - mean) / sd).square() + constant).sum(-1)


def kl_to_standard_normal(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return KL(N(mean, exp(logvar)) || N(0, 1)) for each dimension (…, D), in nats.

    -1/2 (1 + logvar - mean^2 - exp(logvar)); Kingma & Welling 2013, appendix B.
    """
    return 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar)


def normal_log_density(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Return log N(z; mean, exp(logvar)) summed over dimensions, for (…, D)."""
    constant = math.log(2 * math.pi)
    return -0.5 * ((z - mean).square() * (-logvar).exp() + logvar + constant).sum(-1)


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """Return log 1/K sum exp(log w) over the last axis (…, K): the bound IWAE_K.

    Burda, Grosse & Salakhutdinov 2015, equation 8; with K = 1 it is the ELBO.
    """
    return torch.logsumexp(log_weights, -1) - math.log(log_weights.shape[-1])
