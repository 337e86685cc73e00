"""Autoencoder and variational autoencoder.

Kingma & Welling 2013, "Auto-Encoding Variational Bayes" (arXiv 1312.6114); beta of Higgins et
al. 2017. The encoder is q(z|x), an approximate posterior; the decoder is p(x|z). Deviation:
targets are binarised anew at each step (dynamic binarisation, as in Burda et al. 2015) unless
the config says otherwise.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW

from engine.configs.autoencoders import AEConfig, VAEConfig
from engine.latent_views import LatentViews
from engine.learner import Finding, Learner, LiveView, Record, gradient_norm, update
from engine.losses import (
    bernoulli_log_likelihood,
    gaussian_log_likelihood,
    importance_weighted_bound,
    kl_to_standard_normal,
    normal_log_density,
)
from engine.networks import ConvDecoder, ConvEncoder, mlp
from engine.rng import stream_seed
from engine.schedules import cosine_decay, linear_warmup
from engine.tensors import DataSpec, DataView

ACTIVE_VARIANCE = 1e-2  # Burda et al. 2015, section 5: Cov_x(E_q[u]) > 10^-2
NORM_EVERY = 8  # steps between two readings of the gradient norm; from experience


class AELearner(LatentViews, Learner):
    """A plain autoencoder: code = encoder(x), x' = decoder(code), no prior on the code."""

    config: AEConfig
    live_views: ClassVar[tuple[LiveView, ...]] = (
        LiveView("map", 0.2),
        LiveView("grid", 0.2),
        LiveView("atlas", 1.0),
        LiveView("reconstructions", 1.0),
    )

    def __init__(self, config: AEConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        self.encoder = self._make_encoder().to(device)
        self.decoder = self._make_decoder().to(device)
        self.networks = {"encoder": self.encoder, "decoder": self.decoder}
        kind = AdamW if config.weight_decay > 0 else Adam
        self.optimizer = kind(
            self.trainable(),
            lr=config.learning_rate,
            betas=(config.adam_beta1, config.adam_beta2),
            weight_decay=config.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        self.optimizers = {"adam": self.optimizer}

    # ------------------------------------------------------------------ networks

    @property
    def code_numbers(self) -> int:
        """Numbers that the encoder gives for each latent dimension."""
        return 1

    def _make_encoder(self) -> nn.Module:
        c = self.config
        out = self.code_numbers * c.latent_dim
        if c.network == "conv":
            return ConvEncoder(self.spec, c.channels, c.hidden_dim, out, c.activation)
        return mlp([self.spec.pixels, *[c.hidden_dim] * c.hidden_layers, out], c.activation)

    def _make_decoder(self) -> nn.Module:
        c = self.config
        if c.network == "conv":
            return ConvDecoder(self.spec, c.channels, c.hidden_dim, c.latent_dim, c.activation)
        return mlp(
            [c.latent_dim, *[c.hidden_dim] * c.hidden_layers, self.spec.pixels], c.activation
        )

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return mean and log-variance (B, D) of q(z|x) for x (B, P); no variance for an AE."""
        return self.encoder(x), None

    def decoded_mean(self, z: Tensor) -> Tensor:
        """Return E[x|z] in [0, 1], (B, P)."""
        out = self.decoder(z)
        if self.config.likelihood == "gaussian":
            return out.clamp(0, 1)
        return torch.sigmoid(out)

    # ------------------------------------------------------------------ training

    def targets(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return what the decoder is scored against: x, or x binarised anew."""
        if self.config.likelihood == "bernoulli":
            # the same draw as torch.bernoulli, at a third of its time on a CPU
            return (torch.rand(x.shape, generator=generator, device=x.device) < x).to(x.dtype)
        return x

    def log_likelihood(self, out: Tensor, targets: Tensor) -> Tensor:
        """Return log p(x|z) summed over pixels, for the decoder's output (…, P)."""
        if self.config.likelihood == "gaussian":
            return gaussian_log_likelihood(out, targets, self.config.pixel_sd)
        return bernoulli_log_likelihood(out, targets)

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Take one step down the reconstruction error."""
        x = self.targets(images.flatten(1))  # B, P
        reconstruction = -self.log_likelihood(self.decoder(self.encoder(x)), x).mean()
        self._descend(reconstruction * self._pixel_weight(), step)
        return self._record(step, {"loss": reconstruction, "reconstruction_nats": reconstruction})

    def _pixel_weight(self) -> float:
        return 1 / self.spec.pixels if self.config.reconstruction_reduction == "mean" else 1.0

    def _descend(self, loss: Tensor, step: int) -> None:
        c = self.config
        rate = c.learning_rate * cosine_decay(step, c.decay_steps)
        update(loss, self.optimizer, rate, c.gradient_clip)

    def _record(self, step: int, values: Record) -> Record:
        record = {name: value.detach() for name, value in values.items()}
        if step % NORM_EVERY == 0:
            record["grad_norm"] = gradient_norm(self.trainable())
        return record

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the scheduled hyperparameters at a step, for the curves."""
        c = self.config
        return {"learning_rate": c.learning_rate * cosine_decay(step, c.decay_steps)}

    # ------------------------------------------------------------------ evaluation

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return reconstruction error (nats) and active units on test images."""
        with self.evaluating():
            generator = torch.Generator(self.device).manual_seed(stream_seed(seed, 0, "test"))
            total, means = 0.0, []
            for x in self._test_batches(data, limit):
                targets = self.targets(x, generator)
                mean, _ = self.posterior(targets)
                means.append(mean)
                total += float(-self.log_likelihood(self.decoder(mean), targets).double().sum())
            codes = torch.cat(means)
        return {
            "reconstruction_nats": total / len(codes),
            "active_units": float(active_units(codes)),
            "latent_dim": float(self.config.latent_dim),
        }

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Score the AE as a latent-variable model with prior N(0, I).

        A code is a point and gives no bound on log p(x). The bound reported takes
        q(z|x) = N(encoder(x), s^2 I) with the s that is best on training images: a valid
        ELBO of this decoder, and a bad one, since nothing kept the codes near the prior.
        """
        with self.evaluating():
            sd = self._best_posterior_sd(data, seed)
            logvar = 2 * math.log(sd)
            bounds = self._bounds(data, seed, lambda m: torch.full_like(m, logvar))
        plain = self.evaluate(data, seed=seed, limit=None)
        return {
            **bounds,
            "active_units": plain["active_units"],
            "code_reconstruction_nats": plain["reconstruction_nats"],
            "posterior_sd": sd,
        }

    def _best_posterior_sd(self, data: DataView, seed: int) -> float:
        generator = torch.Generator(self.device).manual_seed(stream_seed(seed, 0, "sd"))
        x = self.targets(data.train.batch(slice(0, 1000)).flatten(1), generator)
        mean, _ = self.posterior(x)
        scale = float(mean.std()) + 1e-6
        scores = {}
        for share in torch.logspace(-3, 0, 25).tolist():
            logvar = torch.full_like(mean, 2 * math.log(share * scale))
            noise = torch.randn(mean.shape, generator=generator, device=self.device)
            z = mean + share * scale * noise
            bound = self.log_likelihood(self.decoder(z), x)
            scores[share * scale] = float(
                (bound - kl_to_standard_normal(mean, logvar).sum(1)).mean()
            )
        return max(scores, key=scores.__getitem__)

    def _bounds(self, data: DataView, seed: int, spread: Any, chunk: int = 50) -> dict[str, float]:
        """Return ELBO, its parts, IWAE_5 and IWAE_50 on the test split (means, in nats).

        All three bounds use the same 50 draws of z for each image, in groups of 1, 5 and 50,
        so that ELBO <= IWAE_5 <= IWAE_50 compares like with like.
        """
        generator = torch.Generator(self.device).manual_seed(stream_seed(seed, 0, "bounds"))
        sums: dict[str, float] = dict.fromkeys(
            ("elbo_nats", "reconstruction_nats", "kl_nats", "iwae_5_nats", "iwae_50_nats"), 0.0
        )
        count = 0
        for x in self._test_batches(data, None, chunk):
            targets = self.targets(x, generator)
            mean, logvar = self.posterior(targets)
            logvar = spread(mean) if logvar is None else logvar
            noise = torch.randn(50, *mean.shape, generator=generator, device=self.device)  # K, B, D
            z = mean + (0.5 * logvar).exp() * noise
            likelihood = self.log_likelihood(
                self.decoder(z.flatten(0, 1)).view(50, len(x), -1), targets
            )
            zero = torch.zeros_like(mean)
            log_weights = (
                (
                    likelihood
                    + normal_log_density(z, zero, zero)
                    - normal_log_density(z, mean, logvar)
                )
                .double()
                .T
            )  # B, K
            kl = kl_to_standard_normal(mean, logvar).sum(1).double()
            reconstruction = -likelihood.double().mean(0)
            sums["reconstruction_nats"] += float(reconstruction.sum())
            sums["kl_nats"] += float(kl.sum())
            sums["elbo_nats"] += float(-(reconstruction + kl).sum())
            groups = log_weights.view(len(x), 10, 5)
            sums["iwae_5_nats"] += float(importance_weighted_bound(groups).mean(1).sum())
            sums["iwae_50_nats"] += float(importance_weighted_bound(log_weights).sum())
            count += len(x)
        means = {name: value / count for name, value in sums.items()}
        return {**means, "latent_dim": float(self.config.latent_dim)}

    def _test_batches(self, data: DataView, limit: int | None, size: int = 500):  # type: ignore[no-untyped-def]
        count = len(data.test) if limit is None else min(limit, len(data.test))
        for start in range(0, count, size):
            yield data.test.batch(slice(start, min(start + size, count))).flatten(1)


class VAELearner(AELearner):
    """A (beta-)VAE: q(z|x) = N(mean, exp(logvar)), p(z) = N(0, I)."""

    config: VAEConfig

    @property
    def code_numbers(self) -> int:
        """Mean and log-variance for each latent dimension."""
        return 2

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return mean and log-variance (B, D) of q(z|x) for x (B, P)."""
        mean, logvar = self.encoder(x).chunk(2, 1)
        return mean, logvar

    def beta_now(self, step: int) -> float:
        """Return the weight of the KL at a step."""
        return self.config.beta * linear_warmup(step, self.config.kl_warmup_steps)

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the scheduled hyperparameters at a step, for the curves."""
        return {**super().settings_now(step), "beta": self.beta_now(step)}

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Take one step up the bound: E_q[log p(x|z)] - beta KL(q(z|x) || p(z))."""
        x = self.targets(images.flatten(1))  # B, P
        mean, logvar = self.encoder(x).chunk(2, 1)  # B, D each
        z = mean + (0.5 * logvar).exp() * torch.randn_like(mean)
        reconstruction = -self.log_likelihood(self.decoder(z), x).mean()
        kl = kl_to_standard_normal(mean, logvar).sum(1).mean()
        weight = self.beta_now(step)
        if self.config.kl_reduction == "mean":
            weight = weight / self.config.latent_dim
        loss = reconstruction * self._pixel_weight() + weight * kl
        self._descend(loss, step)
        return self._record(
            step,
            {
                "loss": loss,
                "reconstruction_nats": reconstruction,
                "kl_nats": kl,
                "elbo_nats": -(reconstruction + kl),
            },
        )

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return ELBO, its two parts (nats) and active units on test images, one draw each."""
        with self.evaluating():
            generator = torch.Generator(self.device).manual_seed(stream_seed(seed, 0, "test"))
            reconstruction, kl_parts, means = 0.0, [], []
            for x in self._test_batches(data, limit):
                targets = self.targets(x, generator)
                mean, logvar = self.encoder(targets).chunk(2, 1)
                noise = torch.randn(mean.shape, generator=generator, device=self.device)
                out = self.decoder(mean + (0.5 * logvar).exp() * noise)
                reconstruction -= float(self.log_likelihood(out, targets).double().sum())
                kl_parts.append(kl_to_standard_normal(mean, logvar))
                means.append(mean)
            codes, kl = torch.cat(means), torch.cat(kl_parts).double().mean(0)
        error, total = reconstruction / len(codes), float(kl.sum())
        return {
            "elbo_nats": -(error + total),
            "reconstruction_nats": error,
            "kl_nats": total,
            "active_units": float(active_units(codes)),
            "silent_units": float((kl < 0.01).sum()),
            "latent_dim": float(self.config.latent_dim),
        }

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return ELBO, its parts, IWAE_5, IWAE_50 and active units on the whole test split."""
        with self.evaluating():
            bounds = self._bounds(data, seed, None)
        return {
            **bounds,
            "active_units": self.evaluate(data, seed=seed, limit=None)["active_units"],
        }

    def alerts(self, metrics: dict[str, float]) -> list[Finding]:
        """Say when the posterior has collapsed onto the prior (metrics of `evaluate`)."""
        dims, silent, kl = metrics["latent_dim"], metrics["silent_units"], metrics["kl_nats"]
        if kl >= 0.1 and silent <= 0.9 * dims:
            return []
        sentence = (
            f"Posterior collapse: together the {dims:.0f} dimensions of the code say only "
            f"{kl:.2g} nats of a picture, so that nearly every picture decodes alike."
        )
        remedy = {"beta": 1.0} if self.config.beta > 1 else None
        return [Finding("posterior_collapse", sentence, remedy, "warn")]


def active_units(codes: Tensor) -> int:
    """Count dimensions whose posterior mean varies over pictures by more than 0.01 (N, D)."""
    return int((codes.var(0) > ACTIVE_VARIANCE).sum())
