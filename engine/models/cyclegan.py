"""CycleGAN: translate between two domains without pairs.

Zhu, Park, Isola & Efros 2017, "Unpaired image-to-image translation using cycle-consistent
adversarial networks" (arXiv 1703.10593). With G: A to B (`a2b`) and F: B to A (`b2a`):

    validity    E[(D_B(G(a)) - 1)^2] + E[(D_A(F(b)) - 1)^2]          (equation 1, least squares)
    cycle       |F(G(a)) - a| + |G(F(b)) - b|                        (equation 2)
    identity    |G(b) - b| + |F(a) - a|                              (section 5.2)

What differs: narrower networks; the pictures of the pool are kept as bytes; noise may be laid on
a translation before it goes back (against hidden messages: Chu et al. 2017, arXiv 1712.02950).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.adversarial import frozen
from engine.configs.translation import CycleGANConfig
from engine.learner import Record, gradient_norm, update
from engine.tensors import DataSpec
from engine.translation import (
    ImagePool,
    augment,
    domains,
    together,
    validity_loss,
)
from engine.translator import NORM_EVERY, Translator


class CycleGANLearner(Translator):
    """Two generators that must undo each other, and a patch discriminator for each domain."""

    config: CycleGANConfig

    def __init__(self, config: CycleGANConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device, judged_channels=3)
        shape = (3, *spec.shape[1:])
        self.pools = {
            "pool.a": ImagePool(config.pool_size, shape, device),
            "pool.b": ImagePool(config.pool_size, shape, device),
        }

    @property
    def examples_per_step(self) -> int:
        """Twice the batch: A is taken from one half of the rows, B from the other."""
        return 2 * self.config.batch_size

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Let both generators learn, then both discriminators from what the pool hands out."""
        half = len(images) // 2
        a, b = domains(images[:half])[0], domains(images[half:])[1]
        (a,), (b,) = augment(self.config.augmentation, [a]), augment(self.config.augmentation, [b])
        with self.precision():
            record, fake_a, fake_b = self._generators_step(a, b, step)
            if self.config.lambda_validity > 0:
                shown = {
                    "a": (a, self.pools["pool.a"].exchange(fake_a)),
                    "b": (b, self.pools["pool.b"].exchange(fake_b)),
                }
                record |= self.discriminators_step(shown, step)
        return {name: value.detach() for name, value in record.items()}

    def _generators_step(self, a: Tensor, b: Tensor, step: int) -> tuple[Record, Tensor, Tensor]:
        c, apart = self.config, self.apart
        same = c.lambda_cycle * c.lambda_identity
        record: Record = {}
        with frozen(self.discriminators):
            fake_b, *same_b = together(self.a2b, [a, b] if same > 0 else [a], apart)
            fake_a, *same_a = together(self.b2a, [b, a] if same > 0 else [b], apart)
            loss = a.new_zeros(())
            if c.lambda_validity > 0:
                for way, to, fake in (("a2b", "b", fake_b), ("b2a", "a", fake_a)):
                    logits = self.discriminators[to](fake)
                    validity = validity_loss(c.loss, logits, real=True)
                    record[f"{way}/validity"] = validity
                    loss = loss + c.lambda_validity * validity
            if c.lambda_cycle > 0:
                back_a, back_b = self.b2a(self._sent(fake_b)), self.a2b(self._sent(fake_a))
                record["a2b/cycle"] = F.l1_loss(back_a, a)
                record["b2a/cycle"] = F.l1_loss(back_b, b)
                loss = loss + c.lambda_cycle * (record["a2b/cycle"] + record["b2a/cycle"])
            if same > 0:
                record["a2b/identity"] = F.l1_loss(same_b[0], b)
                record["b2a/identity"] = F.l1_loss(same_a[0], a)
                loss = loss + same * (record["a2b/identity"] + record["b2a/identity"])
            if loss.requires_grad:
                update(loss, self.optimizers["generators"], self.rate(step))
        if step % NORM_EVERY == 0 and loss.requires_grad:
            record["generators/grad_norm"] = gradient_norm(list(self.generators.parameters()))
        record["loss"] = loss
        return record, fake_a.detach(), fake_b.detach()

    def _sent(self, translation: Tensor) -> Tensor:
        """Return what the way back is given: with noise, where it is wanted."""
        sd = self.config.cycle_noise / 127.5  # of [-1, 1]
        return translation + sd * torch.randn_like(translation) if sd > 0 else translation

    def tensors(self, *, optimizers: bool = True) -> dict[str, Tensor]:
        """Return everything that the next step depends on, the pools included."""
        found = super().tensors(optimizers=optimizers)
        if optimizers:
            for name, pool in self.pools.items():
                found |= pool.tensors(name)
        return found

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave; a file of weights alone leaves the pools empty."""
        super().load_tensors(tensors)
        for name, pool in self.pools.items():
            pool.load(name, tensors)
