"""The base of both translators: networks, optimizers, the discriminators' step, evaluation."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from engine.adversarial import graft
from engine.config import Config
from engine.configs.translation import TranslatorConfig
from engine.foreign import completed
from engine.learner import Learner, LiveView, Record, gradient_norm, keep_memory_order, update
from engine.schedules import linear_decay
from engine.tensors import DataSpec, DataView
from engine.translation import domains, looks_real, together, validity_loss
from engine.translation_networks import PatchDiscriminator, initialise, make_generator
from engine.translation_views import TranslationViews

NORM_EVERY = 8  # steps between two readings of the gradient norms; from experience
CHUNK = 32  # pictures translated at once, at most
TEST_PICTURES = 32  # of each domain for the live curve


class Translator(TranslationViews, Learner):
    """Generators `a2b` and `b2a`, and a patch discriminator that judges each domain."""

    config: TranslatorConfig
    exploded_at: ClassVar[float] = math.inf  # a GAN's losses may grow without harm
    plain_metrics: ClassVar[tuple[str, ...] | None] = None
    live_views: ClassVar[tuple[LiveView, ...]] = (LiveView("translations", 1.0),)

    def __init__(
        self, config: TranslatorConfig, spec: DataSpec, device: torch.device, judged_channels: int
    ) -> None:
        super().__init__(config, spec, device)
        side = spec.shape[-1]
        c = config

        def generator() -> nn.Module:
            return make_generator(c.generator, c.generator_channels, c.norm, side)

        def discriminator() -> nn.Module:
            depth = c.discriminator_layers
            return PatchDiscriminator(judged_channels, c.discriminator_channels, depth, c.norm)

        self.generators = self._placed({"a2b": generator(), "b2a": generator()})
        self.discriminators = self._placed({"a": discriminator(), "b": discriminator()})
        self.networks = {"generators": self.generators, "discriminators": self.discriminators}
        self.optimizers = {name: self._adam(both) for name, both in self.networks.items()}
        self.a2b, self.b2a = self.generators["a2b"], self.generators["b2a"]

    def _placed(self, both: dict[str, nn.Module]) -> nn.ModuleDict:
        networks = nn.ModuleDict(both).apply(initialise)
        return networks.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _adam(self, networks: nn.Module) -> Optimizer:
        c, fused = self.config, self.device.type in ("cpu", "cuda")
        betas = (c.adam_beta1, 0.999)
        return Adam(networks.parameters(), lr=c.learning_rate, betas=betas, fused=fused)

    # ------------------------------------------------------------------ training

    @property
    def apart(self) -> bool:
        """Whether batches must not be put together: batch norm would mix them."""
        return self.config.norm == "batch"

    def precision(self) -> AbstractContextManager[Any]:
        """Return the context of a step: bfloat16 where it is wanted and there is a GPU."""
        if self.config.mixed_precision and self.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        c = self.config
        return c.learning_rate * linear_decay(step, c.constant_steps, c.decay_steps)

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the learning rate at a step, for the curves."""
        return {"learning_rate": self.rate(step)}

    def discriminators_step(self, shown: dict[str, tuple[Tensor, Tensor]], step: int) -> Record:
        """Let the discriminators learn from (real, fake) of each; half the loss, as published.

        Zhu et al. 2017, section 7.1: dividing by 2 slows D relative to G.
        """
        c, record = self.config, {}
        total: Tensor | None = None
        for domain, (real, fake) in shown.items():
            name = f"discriminator_{domain}"
            logits = together(self.discriminators[domain], [real, fake], self.apart)
            loss = 0.5 * (
                validity_loss(c.loss, logits[0], real=True)
                + validity_loss(c.loss, logits[1], real=False)
            )
            record[f"{name}/loss"] = loss
            right = [looks_real(c.loss, x) > 0.5 for x in logits]
            record[f"{name}/accuracy_real"] = right[0].float().mean()
            record[f"{name}/accuracy_fake"] = 1 - right[1].float().mean()
            total = loss if total is None else total + loss
        assert total is not None
        update(total, self.optimizers["discriminators"], self.rate(step))
        if step % NORM_EVERY == 0:
            norm = gradient_norm(list(self.discriminators.parameters()))
            record["discriminators/grad_norm"] = norm
        return record

    # ------------------------------------------------------------------ translating

    def translate(self, pictures: Tensor, direction: str) -> Tensor:
        """Return pictures (B, 3, H, W) in [-1, 1] in the other domain, a few at a time.

        Sides must be multiples of the generator's `multiple`; call within `evaluating()`.
        """
        network = self.a2b if direction == "a2b" else self.b2a
        parts = [network(pictures[i : i + CHUNK]) for i in range(0, len(pictures), CHUNK)]
        return torch.cat(parts) if parts else pictures

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return the losses on held-out pictures; to the true partner too where there are pairs."""
        count = min(len(data.test), TEST_PICTURES if limit is not None else len(data.test))
        with self.evaluating():
            a, b = domains(data.test.batch(slice(0, count)))
            fake_b, fake_a = self.translate(a, "a2b"), self.translate(b, "b2a")
            found = {
                "a2b/cycle": F.l1_loss(self.translate(fake_b, "b2a"), a),
                "b2a/cycle": F.l1_loss(self.translate(fake_a, "a2b"), b),
                "a2b/identity": F.l1_loss(self.translate(b, "a2b"), b),
                "b2a/identity": F.l1_loss(self.translate(a, "b2a"), a),
            }
            if data.dataset.paired:
                found["a2b/l1"], found["b2a/l1"] = F.l1_loss(fake_b, b), F.l1_loss(fake_a, a)
        return {name: float(value) for name, value in found.items()}

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return how well held-out pictures cross over (engine.translation_evaluation).

        The losses of `evaluate`, as the curves show them, are told under `test/…` beside it.
        """
        from engine.translation_evaluation import full_metrics

        with self.evaluating():
            found = full_metrics(self, data, seed=seed)
        if not found:  # an imported file, which comes without pictures
            return found
        losses = self.evaluate(data, seed=seed, limit=None)
        return {**found, **{f"test/{name}": value for name, value in losses.items()}}

    # ------------------------------------------------------------------ state

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave, optimizer slots in the memory order of their weights."""
        super().load_tensors(tensors)
        keep_memory_order(self.optimizers)

    def complete(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Fill up a file of imported weights; `lacking` then says what was not in it."""
        found, self.lacking = completed(tensors, self.networks)
        return found

    def graft(self, tensors: dict[str, Tensor], old: Config) -> dict[str, Tensor]:
        """Fit a checkpoint to networks that a fork changed; what is new or resized starts fresh."""
        before = type(self)(old, self.spec, torch.device("cpu"))  # type: ignore[arg-type,call-arg]
        found = {k: v for k, v in tensors.items() if k.startswith("pool.")}
        for name, network in self.networks.items():
            found |= graft(tensors, name, before.networks[name], network, name, None)
        return found
