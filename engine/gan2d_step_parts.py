"""One training step of the GAN on points, part by part, before it is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.adversarial import decides_real, discriminator_loss, generator_loss, middle
from engine.data.base import indices_at
from engine.gan2d_views import Extent, as_numpy
from engine.learner import gradient_norm, preview
from engine.payloads import Arrays
from engine.tensors import DataView

SHOWN = 512  # points of one step that are sent


class StepParts:
    """The view `step_parts` of a host class that plays (`play`) and has the lab's views."""

    if TYPE_CHECKING:
        config: Any
        spec: Any
        device: torch.device
        steps: int
        generator: Any
        discriminator: Any
        next_batch: Any
        tensors: Any
        seen: Any
        frame: Any
        chance: Any

    @preview
    def view_step_parts(self, data: DataView) -> Arrays:
        """Return what the next training step will do, part by part, and do none of it.

        A copy of both networks and optimizers takes the very step, with the batch and the random
        numbers that a paused run's next step will get; a saved model draws a batch. With several
        discriminator steps these are the last one's points.

        Arrays: noise (n, D), fake, real (n, 2); score_fake, score_real (n) before the step,
        score_fake_taught, score_real_taught of the same points after D's part of it; gradient
        (n, 4) as the lab's arrows, under the discriminator that has just learnt; fake_after
        (n, 2), score_fake_after, score_real_after (n) with both networks moved.
        Values, by part: `sample`, `score`, `loss`, `gradient`, `update`.
        """
        twin = self._twin()
        points, step = self._coming(data)
        trace: dict[str, Any] = {}
        with torch.enable_grad():
            record = twin.play(points, step, trace)
        return self._parts(twin, trace, record, step, self.frame(data))

    def _twin(self) -> Any:
        """Return a learner with copies of everything that learning moves."""
        twin = type(self)(self.config, self.spec, self.device)  # type: ignore[call-arg]
        twin.load_tensors({k: v.clone() for k, v in self.tensors().items()})  # type: ignore[attr-defined]
        return twin

    def _coming(self, data: DataView) -> tuple[Tensor, int]:
        """Return points and number of the next step, generators seeded as they will be for it."""
        if self.next_batch is not None:
            points, _, step = self.next_batch()
            return points, step
        torch.manual_seed(0)
        indices = indices_at(0, 0, self.examples_per_step, len(data.train))  # type: ignore[attr-defined]
        return data.train.batch(torch.from_numpy(indices).to(self.device)), self.steps

    def _parts(
        self, twin: Any, trace: dict[str, Any], record: Any, step: int, frame: Extent
    ) -> Arrays:
        """Put together what `play` noted of a twin's step and how both networks judge after it."""
        c, scale = self.config, self.spec.scale
        real, fake, z = trace["real"], trace["fake"].detach(), trace["noise"]
        before = (trace["real_logits"].detach(), trace["fake_logits"].detach())
        with torch.no_grad():
            fake_after = twin.generator(z)
            twin.discriminator.eval()
            on_real, on_fake, on_new = (
                twin.discriminator(self.seen(x)) for x in (real, fake, fake_after)
            )
        arrows = twin.arrows(fake * scale)
        arrays = {
            "noise": z,
            "fake": fake * scale,
            "real": real * scale,
            "gradient": arrows,
            "fake_after": fake_after * scale,
            **self._scores(*before, ""),
            **self._scores(on_real, on_fake, "_taught"),
            **self._scores(on_real, on_new, "_after"),
        }
        means = {
            k.removeprefix("score_"): float(v.mean())
            for k, v in arrays.items()
            if k.startswith("score")
        }
        values: dict[str, Any] = {
            "step": step,
            "extent": list(frame),
            "sample": {"points": len(real), "noise_dim": c.latent_dim},
            "score": {**means, **self._accuracies(*before)},
            "loss": {
                "discriminator": float(record["discriminator/loss"]),
                "discriminator_penalty": _maybe(trace["penalty"]),
                "discriminator_after": float(
                    discriminator_loss(c.loss, on_real, on_fake, c.label_smoothing)
                ),
                "generator": float(record["generator/loss"]),
                "generator_after": float(generator_loss(c.loss, on_new)),
            },
            "gradient": {
                "discriminator": _norm(twin.discriminator),
                "generator": 0.0 if c.trained == "discriminator" else _norm(twin.generator),
                "points": float(arrows[:, 2:].norm(dim=1).mean()),
            },
            "update": {
                "discriminator": distance(self.discriminator, twin.discriminator),
                "generator": distance(self.generator, twin.generator),
                "points": float((fake_after - fake).norm(dim=1).mean()) * scale,
                "discriminator_learning_rate": _rate(twin, "discriminator"),
                "generator_learning_rate": _rate(twin, "generator"),
            },
        }
        return Arrays({name: as_numpy(a[:SHOWN]) for name, a in arrays.items()}, values)

    def _scores(self, real: Tensor, fake: Tensor, when: str) -> dict[str, Tensor]:
        """Return D's probability of every point, from logits of examples of packed points."""
        level = middle(self.config.loss, real, fake)
        return {
            f"score_{name}{when}": self.chance(logits - level)
            .flatten()
            .repeat_interleave(self.config.packing)
            for name, logits in (("real", real), ("fake", fake))
        }

    def _accuracies(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        kind, level = self.config.loss, middle(self.config.loss, real, fake)
        taken = [float(decides_real(kind, x, level).float().mean()) for x in (real, fake)]
        return {"accuracy_real": taken[0], "accuracy_fake": 1 - taken[1]}


def distance(one: torch.nn.Module, other: torch.nn.Module) -> float:
    """Return the 2-norm of the difference of all parameters together."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return float(torch.stack([(a.detach() - b.detach()).norm() for a, b in pairs]).norm())


def _norm(network: torch.nn.Module) -> float:
    graded = [p for p in network.parameters() if p.grad is not None]
    return float(gradient_norm(graded)) if graded else 0.0


def _rate(learner: Any, name: str) -> float:
    return float(learner.optimizers[name].param_groups[0]["lr"])


def _maybe(value: Tensor | None) -> float | None:
    return None if value is None else float(value)
