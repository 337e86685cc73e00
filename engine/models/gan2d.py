"""A generative adversarial network on points of the plane.

Goodfellow et al. 2014, "Generative Adversarial Nets" (arXiv 1406.2661), with the losses and
remedies of later papers (`engine.adversarial` names them). One step: the discriminator learns
`discriminator_steps` times, each time on fresh points, then the generator learns once, from the
last points that it made. Real and generated points go through the discriminator as one batch;
it has no batch normalisation, so that this changes nothing of what is learnt.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import functional_call
from torch.optim import SGD, Adam, Optimizer

from engine import adversarial, gan2d_networks
from engine.adversarial import (
    decides_real,
    discriminator_loss,
    discriminator_slopes,
    draw_noise,
    frozen,
    generator_loss,
    generator_slope,
    gradient_penalty,
    minibatch_std,
    pack,
    r1_penalty,
)
from engine.configs.gan2d import GAN2DConfig
from engine.gan2d_measures import GAN2DMeasures
from engine.gan2d_networks import Perceptron
from engine.gan2d_step_parts import StepParts
from engine.gan2d_unrolled import look_ahead
from engine.gan2d_views import GAN2DViews
from engine.learner import Finding, Learner, LiveView, Record, gradient_norm, lowered
from engine.modes import SAMPLES
from engine.monitor import Watch
from engine.payloads import Payload, Views
from engine.rng import stream_seed
from engine.schedules import cosine_decay
from engine.tensors import DataSpec, DataView

LOWEST_RATE = 1e-6  # that the config allows
NORM_EVERY = 8  # steps between two readings of accuracies and gradient norms; from experience

Trace = dict[str, Any]


class GAN2DLearner(StepParts, GAN2DViews, GAN2DMeasures, Learner):
    """Generator and discriminator, both perceptrons, with an optimizer each."""

    config: GAN2DConfig
    live_views: ClassVar[tuple[LiveView, ...]] = (LiveView("lab", 0.1),)
    exploded_at: ClassVar[float] = float("inf")  # a loss may grow as the other side wins
    monitor_interval_s: ClassVar[float] = 1.0
    plain_metrics: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, config: GAN2DConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        self.generator = gan2d_networks.generator(config).to(device)
        self.discriminator = gan2d_networks.discriminator(config).to(device)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.optimizers = {
            "generator": self._optimizer(self.generator, config.generator_rate),
            "discriminator": self._optimizer(
                self.discriminator, config.discriminator_learning_rate
            ),
        }
        self.watch = Watch("points")
        self.steps = 0  # how many are done, as far as this object knows

    def _optimizer(self, network: Perceptron, rate: float) -> Optimizer:
        c = self.config
        fused = self.device.type in ("cpu", "cuda")
        if c.optimizer == "sgd":
            return SGD(network.parameters(), lr=rate, momentum=c.adam_beta1, fused=fused)
        betas = (c.adam_beta1, c.adam_beta2)
        return Adam(network.parameters(), lr=rate, betas=betas, fused=fused)

    @property
    def examples_per_step(self) -> int:
        """Fresh real points for each of the discriminator's steps."""
        c = self.config
        return c.batch_size * c.packing * c.discriminator_steps

    # ------------------------------------------------------------------ sampling and judging

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z (B, D), normal or uniform in [-1, 1]."""
        c = self.config
        return draw_noise(c.noise, (count, c.latent_dim), self.device, generator)

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the points (B, 2) that G makes of noise (B, D)."""
        points: Tensor = self.generator(z) * self.spec.scale
        return points

    def score(self, points: Tensor) -> Tensor:
        """Return D's logits (B,) of points (B, 2); packed neighbours share theirs."""
        size, count = self.config.packing, len(points)
        x = points / self.spec.scale
        missing = -count % size
        if missing:
            x = torch.cat([x, x[:1].expand(missing, 2)])
        return self.discriminator(self.seen(x)).squeeze(1).repeat_interleave(size)[:count]

    def seen(self, x: Tensor, noise: float = 0.0) -> Tensor:
        """Return what D's first layer is given of points (B, 2): noisy, packed, with deviation."""
        if noise > 0:
            x = x + noise * torch.randn_like(x)
        x = pack(x, self.config.packing)
        return minibatch_std(x) if self.config.minibatch_std else x

    # ------------------------------------------------------------------ training

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Let D learn from k batches of points, then G from its last one."""
        return self.play(images, step)

    def play(self, points: Tensor, step: int, trace: Trace | None = None) -> Record:
        """Take one step on points (k m B, 2); `trace` takes in what the step was made of."""
        c = self.config
        self.steps = step + 1
        trace = {} if trace is None else trace
        decay = cosine_decay(step, c.decay_steps)
        x = points if self.spec.scale == 1 else points / self.spec.scale
        each = max(len(x) // c.discriminator_steps // c.packing, 1) * c.packing
        by_hand = self.generator.by_hand and self.discriminator.by_hand and not c.unrolled_steps
        # a generator that stands still keeps its running statistics too
        self.generator.train(c.trained != "discriminator")
        for k in range(c.discriminator_steps):
            real = x[k * each : (k + 1) * each]
            z = self.noise(len(real))
            layers = self.generator.run(z) if by_hand else None
            fake = layers[-1] if layers else self.generator(z)
            self._judge(real, fake.detach(), trace)
            if c.trained != "generator":
                self._move("discriminator", c.discriminator_learning_rate * decay)
        trace |= {"real": real, "noise": z, "fake": fake}
        self._persuade(real, fake, layers, trace)
        if c.trained != "discriminator":
            self._move("generator", c.generator_rate * decay)
        return self._record(step, trace)

    def _judge(self, real: Tensor, fake: Tensor, trace: Trace) -> None:
        """Put the slopes of D's loss on a batch into its weights' `.grad`."""
        c = self.config
        x = torch.cat([self.seen(real, c.instance_noise), self.seen(fake, c.instance_noise)])
        half = len(x) // 2
        penalised = c.r1_gamma > 0 or (c.loss == "wgan_gp" and c.penalty_weight > 0)
        penalty = None
        if self.discriminator.by_hand and not penalised:
            layers = self.discriminator.run(x)
            out = layers[-1]
            loss = discriminator_loss(c.loss, out[:half], out[half:], c.label_smoothing)
            slopes = discriminator_slopes(c.loss, out[:half], out[half:], c.label_smoothing)
            self.discriminator.run_back(torch.cat(slopes), layers, weights=True, inputs=False)
        else:
            out = self.discriminator(x)
            loss = discriminator_loss(c.loss, out[:half], out[half:], c.label_smoothing)
            penalty = self._penalty(x[:half], x[half:]) if penalised else None
            self.optimizers["discriminator"].zero_grad(set_to_none=True)
            (loss if penalty is None else loss + penalty).backward()
        trace["penalty"] = penalty
        trace |= {"loss": loss, "real_logits": out[:half], "fake_logits": out[half:]}

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the weighted penalties on D's slope by the points it sees, packed ones together.

        The group's deviation is computed anew from the points, so that its slope counts too.
        """
        c = self.config
        points = 2 * c.packing

        def critic(x: Tensor) -> Tensor:
            return self.discriminator(minibatch_std(x) if c.minibatch_std else x)

        real, fake = real[:, :points], fake[:, :points]
        penalty = real.new_zeros(())
        if c.r1_gamma > 0:
            penalty = penalty + c.r1_gamma * r1_penalty(critic, real)
        if c.loss == "wgan_gp" and c.penalty_weight > 0:
            mix = torch.rand(len(real), 1, device=self.device)
            penalty = penalty + c.penalty_weight * gradient_penalty(critic, real, fake, mix)
        return penalty

    def _persuade(
        self, real: Tensor, fake: Tensor, layers: list[Tensor] | None, trace: Trace
    ) -> None:
        """Put the slopes of G's loss into its weights' `.grad`, D's standing still."""
        c = self.config
        learns = c.trained != "discriminator"
        if layers is not None:
            loss, slope = self._slope_at(fake, c.instance_noise)
            if learns:
                self.generator.run_back(slope, layers, weights=True, inputs=False)
        else:
            with frozen(self.discriminator):
                seen = self.seen(fake, c.instance_noise)
                ahead = self._ahead(real, fake) if c.unrolled_steps else {}
                out = functional_call(self.discriminator, ahead, (seen,))
                loss = generator_loss(c.loss, out)
                self.optimizers["generator"].zero_grad(set_to_none=True)
                if learns:
                    loss.backward()
        trace["generator_loss"] = loss

    def _slope_at(self, fake: Tensor, noise: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return G's loss and its slope by each generated point (B, 2), by hand."""
        c = self.config
        if c.minibatch_std:
            leaf = fake.detach().requires_grad_()
            with torch.enable_grad():
                seen = self.seen(leaf, noise)
        else:
            seen = self.seen(fake, noise)
        layers = self.discriminator.run(seen.detach())
        loss = generator_loss(c.loss, layers[-1])
        slope = self.discriminator.run_back(
            generator_slope(c.loss, layers[-1]), layers, weights=False, inputs=True
        )
        assert slope is not None
        if c.minibatch_std:
            (slope,) = torch.autograd.grad(seen, leaf, slope)
        return loss, slope.view_as(fake)

    def _ahead(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Return D's weights as they would be after `unrolled_steps` steps on this batch.

        Without its penalties: their slope would have to be taken a third time.
        """
        c = self.config
        x = torch.cat([self.seen(real, c.instance_noise), self.seen(fake, c.instance_noise)])
        half = len(x) // 2

        def loss(out: Tensor) -> Tensor:
            return discriminator_loss(c.loss, out[:half], out[half:], c.label_smoothing)

        rate = c.discriminator_learning_rate * cosine_decay(self.steps - 1, c.decay_steps)
        optimizer = self.optimizers["discriminator"]
        return look_ahead(self.discriminator, optimizer, rate, c.unrolled_steps, x, loss)

    def _move(self, name: str, rate: float) -> None:
        optimizer = self.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()

    def _record(self, step: int, trace: Trace) -> Record:
        loss = trace["loss"].detach()
        record = {
            "loss": loss,
            "discriminator/loss": loss,
            "generator/loss": trace["generator_loss"].detach(),
        }
        if trace["penalty"] is not None:
            record["discriminator/penalty"] = trace["penalty"].detach()
        if step % NORM_EVERY == 0:
            c = self.config
            real, fake = trace["real_logits"].detach(), trace["fake_logits"].detach()
            taken = decides_real(c.loss, torch.cat([real, fake]))
            record["discriminator/accuracy_real"] = taken[: len(real)].float().mean()
            record["discriminator/accuracy_fake"] = 1 - taken[len(real) :].float().mean()
            record["discriminator/grad_norm"] = gradient_norm(list(self.discriminator.parameters()))
            if c.trained != "discriminator":
                record["generator/grad_norm"] = gradient_norm(list(self.generator.parameters()))
        return record

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the learning rates at a step, for the curves."""
        c = self.config
        decay = cosine_decay(step, c.decay_steps)
        return {
            "generator/learning_rate": c.generator_rate * decay,
            "discriminator/learning_rate": c.discriminator_learning_rate * decay,
        }

    def lower_rates(self) -> dict[str, float]:
        """Return lower rates for both networks."""
        return {
            name: max(lowered(getattr(self.config, name)), LOWEST_RATE)
            for name in ("generator_learning_rate", "discriminator_learning_rate")
        }

    # ------------------------------------------------------------------ forks

    def graft(self, tensors: dict[str, Tensor], old: Any) -> dict[str, Tensor]:
        """Fit a checkpoint to other remedies: packing, deviation, spectral or batch norm."""
        if old.optimizer != self.config.optimizer:
            tensors = {k: v for k, v in tensors.items() if not k.startswith("optimizers.")}
        first = (gan2d_networks.inputs(old), gan2d_networks.inputs(self.config))
        before = gan2d_networks.generator(old), gan2d_networks.discriminator(old)
        found = adversarial.graft(tensors, "generator", before[0], self.generator, "generator")
        found |= adversarial.graft(
            tensors,
            "discriminator",
            before[1],
            self.discriminator,
            "discriminator",
            {"linear0": first},
        )
        return found

    # ------------------------------------------------------------------ evaluation

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return how well generated points cover the data, and D's accuracy on held-out ones.

        `limit` points are generated; 2,500, as the toy protocol asks for, when None.
        """
        return self._evaluated(data, seed, SAMPLES if limit is None else min(limit, SAMPLES))

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return the same on `samples` points, 2,500 as published when None."""
        return self._evaluated(data, seed, samples or SAMPLES)

    def _evaluated(self, data: DataView, seed: int, count: int) -> dict[str, float]:
        with self.evaluating():
            generator = torch.Generator(self.device).manual_seed(stream_seed(seed, 0, "test"))
            points = self.generate(self.noise(count, generator))
            judged = self.judgement(data, points)
            held_out = {k: v for k, v in judged.items() if k.endswith("accuracy_held_out")}
            return {**self.coverage(data, points.cpu().numpy()), **held_out}

    def recall(self, data: DataView, step: int, values: dict[str, float]) -> None:
        """Take in what the monitor saw before this run was put away and taken up again."""
        self.watch.check(step, values, self.config)

    def monitor(
        self, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Return coverage and D's health at this step, and what they give cause to say."""
        values = self.health(data)
        return values, Views({}, values), self.watch.check(step, values, self.config)
