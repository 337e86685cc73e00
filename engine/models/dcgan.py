"""Deep convolutional generative adversarial network.

Radford, Metz & Chintala 2015, "Unsupervised representation learning with deep convolutional
generative adversarial networks" (arXiv 1511.06434). What differs: a smaller base width, Adam
rates to match, and remedies against mode collapse that may be switched on. As in the public
examples, the generator learns from the very pictures that the discriminator has just judged.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from engine.adversarial import (
    Inputs,
    decides_real,
    discriminator_loss,
    draw_noise,
    frozen,
    generator_loss,
    gradient_penalty,
    graft,
    middle,
    r1_penalty,
)
from engine.config import Config
from engine.configs.dcgan import DCGANConfig
from engine.dcgan_augment import augment
from engine.dcgan_networks import Discriminator, Generator
from engine.dcgan_views import PictureViews
from engine.learner import (
    Finding,
    Learner,
    LiveView,
    Record,
    gradient_norm,
    keep_memory_order,
    lowered,
    update,
)
from engine.monitor import ImageMonitor
from engine.payloads import Payload
from engine.rng import stream_seed
from engine.schedules import cosine_decay
from engine.tensors import DataSpec, DataView

NORM_EVERY = 8  # steps between two readings of the gradient norms; from experience
TEST_PICTURES = 250  # of each kind for the live curve; one reading costs about two steps
SHARE_MEMORY = 0.99  # of the running shares of the classes, a step
CHUNK = 250  # pictures generated or judged at once, at most
LEAST_RATE = 1e-6  # what the config allows


class DCGANLearner(PictureViews, Learner):
    """G makes pictures of noise; D tells them from real ones; each learns from the other."""

    config: DCGANConfig
    exploded_at: ClassVar[float] = math.inf  # a GAN's losses may grow without harm
    monitor_interval_s: ClassVar[float] = 4.0
    plain_metrics: ClassVar[tuple[str, ...] | None] = None
    live_views: ClassVar[tuple[LiveView, ...]] = (LiveView("samples", 0.5),)

    def __init__(self, config: DCGANConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        # channels last: a tenth faster on a CPU, and as exact (performance.md)
        self.generator = _placed(Generator(config, spec), device)
        self.discriminator = _placed(Discriminator(config, spec), device)
        self.networks = {"generator": self.generator, "discriminator": self.discriminator}
        self.optimizers = {
            "generator": self._adam(self.generator, config.generator_rate),
            "discriminator": self._adam(self.discriminator, config.discriminator_learning_rate),
        }

    def _adam(self, network: nn.Module, rate: float) -> Optimizer:
        betas = (self.config.adam_beta1, self.config.adam_beta2)
        fused = self.device.type in ("cpu", "cuda")
        return Adam(network.parameters(), lr=rate, betas=betas, fused=fused)

    @property
    def examples_per_step(self) -> int:
        """Real pictures of a step: a batch of packs for each of the discriminator's steps."""
        return self.config.batch_size * self.config.packing * self.config.discriminator_steps

    # ------------------------------------------------------------------ training

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Let D learn `discriminator_steps` times, then G once, from the last fakes of D."""
        c = self.config
        if c.conditional:
            self._count_classes(labels)
        count = c.batch_size * c.packing
        record: Record = {}
        for index in range(c.discriminator_steps):
            part = slice(index * count, (index + 1) * count)
            last = index == c.discriminator_steps - 1
            real = self.to_network(images[part]).contiguous(memory_format=torch.channels_last)
            # D's earlier steps need no graph through G
            with torch.set_grad_enabled(last and c.trained != "discriminator"):
                fake = self.generator(self.noise(count), labels[part])
            record = self._discriminator_step(real, fake, labels[part], step)
        if c.trained != "discriminator":
            record |= self._generator_step(fake, labels[part], step)
        return {name: value.detach() for name, value in record.items()}

    def _discriminator_step(self, real: Tensor, fake: Tensor, labels: Tensor, step: int) -> Record:
        """Take one step of D; where only G learns, say how D does and leave it."""
        c = self.config
        learns = c.trained != "generator"
        with torch.set_grad_enabled(learns):
            real_logits = self.discriminator(self._shown(real), labels)
            fake_logits = self.discriminator(self._shown(fake.detach()), labels)
            loss = discriminator_loss(c.loss, real_logits, fake_logits, c.label_smoothing)
        level = middle(c.loss, real_logits, fake_logits)
        taken = [decides_real(c.loss, logits, level) for logits in (real_logits, fake_logits)]
        record = {
            "loss": loss,
            "discriminator/loss": loss,
            "discriminator/accuracy_real": taken[0].float().mean(),
            "discriminator/accuracy_fake": 1 - taken[1].float().mean(),
            "generator/loss": generator_loss(c.loss, fake_logits.detach()),
        }
        if learns:
            penalty = self._penalty(real, fake, labels)
            if penalty is not None:
                record["discriminator/penalty"] = penalty
                loss = loss + penalty
            rate = c.discriminator_learning_rate * cosine_decay(step, c.decay_steps)
            update(loss, self.optimizers["discriminator"], rate)
            if step % NORM_EVERY == 0:
                norm = gradient_norm(list(self.discriminator.parameters()))
                record["discriminator/grad_norm"] = norm
        return record

    def _penalty(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor | None:
        """Return what D pays for its slopes, weighted; None when it pays nothing."""
        c = self.config

        def critic(x: Tensor) -> Tensor:
            return self.discriminator(x, labels)

        total = None
        if c.loss == "wgan_gp" and c.penalty_weight > 0:
            mix = torch.rand(len(real), 1, 1, 1, device=self.device)
            total = c.penalty_weight * gradient_penalty(critic, real, fake, mix)
        if c.r1_gamma > 0:
            r1 = c.r1_gamma * r1_penalty(critic, real)
            total = r1 if total is None else total + r1
        return total

    def _generator_step(self, fake: Tensor, labels: Tensor, step: int) -> Record:
        c = self.config
        with frozen(self.discriminator):  # backward through D without the slopes of its weights
            logits = self.discriminator(self._shown(fake), labels)
            loss = generator_loss(c.loss, logits)
            update(loss, self.optimizers["generator"], self._generator_rate(step))
        record = {"generator/loss": loss}
        if step % NORM_EVERY == 0:
            record["generator/grad_norm"] = gradient_norm(list(self.generator.parameters()))
        return record

    def _generator_rate(self, step: int) -> float:
        return self.config.generator_rate * cosine_decay(step, self.config.decay_steps)

    def _shown(self, pictures: Tensor) -> Tensor:
        """Return what D sees of pictures: augmented, with instance noise (Sønderby et al. 2016)."""
        dark = 0.0 if self.config.generator_output == "sigmoid" else -1.0
        pictures = augment(pictures, self.config.augmentation, dark)
        sd = self.config.instance_noise
        return pictures + sd * torch.randn_like(pictures) if sd > 0 else pictures

    def _count_classes(self, labels: Tensor) -> None:
        """Follow how often the data have each class, so that samples without a label do too."""
        share = self.generator.class_share
        ones = torch.full(labels.shape, 1 / len(labels), device=share.device)
        now = torch.zeros_like(share).index_add_(0, labels, ones)
        share.lerp_(now, 1 - SHARE_MEMORY)

    def settings_now(self, step: int) -> dict[str, float]:
        """Return both learning rates at a step, for the curves."""
        c, factor = self.config, cosine_decay(step, self.config.decay_steps)
        return {
            "generator_learning_rate": c.generator_rate * factor,
            "discriminator_learning_rate": c.discriminator_learning_rate * factor,
        }

    def lower_rates(self) -> dict[str, float]:
        """Return both learning rates to go on with after the run has diverged."""
        c = self.config
        return {
            "generator_learning_rate": max(lowered(c.generator_learning_rate), LEAST_RATE),
            "discriminator_learning_rate": max(lowered(c.discriminator_learning_rate), LEAST_RATE),
        }

    # ------------------------------------------------------------------ sampling

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise (count, D), on the CPU when a generator is given: the same on any device."""
        c = self.config
        return draw_noise(c.noise, (count, c.latent_dim), self.device, generator)

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return pictures (B, C, H, W) in [0, 1] of noise (B, D), at the size of the data.

        A conditional model without `labels` spreads the classes as the data have them.
        """
        if self.config.conditional and labels is None:
            labels = self.usual_labels(len(z))
        parts = [
            self.from_network(self.generator(z[i : i + CHUNK], _part(labels, i)))
            for i in range(0, len(z), CHUNK)
        ]
        return torch.cat(parts)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return D's logits (B) of pictures (B, C, H, W) in [0, 1]; positive means real.

        The pictures should be of one kind and a few dozen: D's batch norm sees them together,
        as in training. D of a packed model judges neighbours: they share their logit.
        """
        if self.config.conditional and labels is None:
            labels = self.usual_labels(len(images))
        size, count = self.config.packing, len(images)
        whole = torch.arange(count + -count % size, device=images.device) % count
        if len(whole) > count:  # the last pack is filled with the first pictures
            images, labels = images[whole], None if labels is None else labels[whole]
        chunks = -(-len(images) // CHUNK)  # of about equal size: none is too small for a batch
        step = -(-len(images) // (chunks * size)) * size
        parts = [
            self.discriminator(self.to_network(images[i : i + step]), _part(labels, i, step))
            for i in range(0, len(images), step)
        ]
        return torch.cat(parts).repeat_interleave(size)[:count]

    def usual_labels(self, count: int) -> Tensor:
        """Return labels (count) whose classes come as often as in the training data."""
        steps = torch.arange(count, device=self.device, dtype=torch.float64)
        at = (steps * 0.6180339887498949 + 0.5) % 1.0  # the golden ratio: even at any count
        edges = self.generator.class_share.double().cumsum(0)
        return torch.searchsorted(edges / edges[-1], at).clamp_max(len(edges) - 1)

    def to_network(self, images: Tensor) -> Tensor:
        """Return pictures in [0, 1] as the networks see them: padded, in G's range."""
        height, width = images.shape[-2:]
        side = self.discriminator.side
        top, left = (side - height) // 2, (side - width) // 2
        if side != height or side != width:
            images = F.pad(images, (left, side - width - left, top, side - height - top))
        return images if self.config.generator_output == "sigmoid" else images * 2 - 1

    def from_network(self, pictures: Tensor) -> Tensor:
        """Return G's pictures in [0, 1], cut to the size of the data."""
        _, height, width = self.spec.shape
        side = self.discriminator.side
        top, left = (side - height) // 2, (side - width) // 2
        cut = pictures[..., top : top + height, left : left + width]
        if self.config.generator_output != "sigmoid":
            cut = (cut + 1) / 2
        return cut.clamp(0, 1)

    # ------------------------------------------------------------------ evaluation

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return D's accuracy on held-out real pictures and on as many generated ones."""
        count = min(len(data.test), TEST_PICTURES if limit is not None else 2000)
        with self.evaluating():
            source = torch.Generator().manual_seed(stream_seed(seed, 0, "test"))
            labels = data.test.labels[:count]
            held_out = self.score(data.test.batch(slice(0, count)), labels)
            fake = self.score(self.generate(self.noise(count, source), labels), labels)
        kind, level = self.config.loss, middle(self.config.loss, held_out, fake)
        return {
            "loss": float(discriminator_loss(kind, held_out, fake)),
            "discriminator/accuracy_held_out": float(
                decides_real(kind, held_out, level).float().mean()
            ),
            "discriminator/accuracy_fake": float(
                1 - decides_real(kind, fake, level).float().mean()
            ),
        }

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return how well the generator covers the data, and D's accuracy on held-out pictures."""
        from engine.dcgan_evaluation import full_metrics

        with self.evaluating():
            found = full_metrics(self, data, seed=seed, samples=samples)
        judged = self.evaluate(data, seed=seed, limit=None)
        judged.pop("loss")
        return {**found, **judged}

    def monitor(
        self, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Look for lost modes, with evidence (engine.monitor)."""
        return self._monitor(data).tick(self, data, step)

    def recall(self, data: DataView, step: int, values: dict[str, float]) -> None:
        """Take in what the monitor saw before this run was put away and taken up again."""
        self._monitor(data).recall(step, values, self.config)

    def _monitor(self, data: DataView) -> ImageMonitor:
        if "monitor" not in self.look:
            self.look["monitor"] = ImageMonitor(self.spec, self.device, data.dataset.key)
        found: ImageMonitor = self.look["monitor"]
        return found

    # ------------------------------------------------------------------ state

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave, optimizer slots in the memory order of their weights."""
        super().load_tensors(tensors)
        keep_memory_order(self.optimizers)

    def graft(self, tensors: dict[str, Tensor], old: Config) -> dict[str, Tensor]:
        """Fit a checkpoint to networks that a fork changed; what is new or resized starts fresh."""
        assert isinstance(old, DCGANConfig)
        new = self.config
        before: dict[str, nn.Module] = {
            "generator": Generator(old, self.spec),
            "discriminator": Discriminator(old, self.spec),
        }
        inputs = {
            "blocks.block1.convolution": (Inputs(old.packing), Inputs(new.packing)),
            "blocks.verdict.convolution": (
                Inputs(1, int(old.minibatch_std)),
                Inputs(1, int(new.minibatch_std)),
            ),
        }
        found: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            changed = inputs if name == "discriminator" else None
            found |= graft(tensors, name, before[name], network, name, changed)
        return found


def _placed(network: Any, device: torch.device) -> Any:
    return network.to(device=device, memory_format=torch.channels_last)


def _part(labels: Tensor | None, start: int, count: int = CHUNK) -> Tensor | None:
    return None if labels is None else labels[start : start + count]
