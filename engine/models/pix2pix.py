"""pix2pix: translate between two domains from pairs; here both ways at once.

Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks"
(arXiv 1611.07004): validity of (x, G(x)) beside (x, y), plus lambda |G(x) - y|. What differs: the
generator is the CycleGAN's, for comparison, without dropout; one of each network a direction.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.adversarial import frozen
from engine.configs.translation import Pix2PixConfig
from engine.learner import Record, gradient_norm, update
from engine.tensors import DataSpec
from engine.translation import augment, domains, validity_loss
from engine.translator import NORM_EVERY, Translator


class Pix2PixLearner(Translator):
    """A generator a direction, told the true partner; D judges both pictures together."""

    config: Pix2PixConfig

    def __init__(self, config: Pix2PixConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device, judged_channels=6)

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Let both generators learn from the pairs, then both discriminators."""
        a, b = augment(self.config.augmentation, list(domains(images)))
        with self.precision():
            record, shown = self._generators_step(a, b, step)
            if self.config.lambda_validity > 0:
                record |= self.discriminators_step(shown, step)
        return {name: value.detach() for name, value in record.items()}

    def _generators_step(
        self, a: Tensor, b: Tensor, step: int
    ) -> tuple[Record, dict[str, tuple[Tensor, Tensor]]]:
        c = self.config
        record: Record = {}
        shown = {}
        loss = a.new_zeros(())
        with frozen(self.discriminators):
            for way, to, given, wanted in (("a2b", "b", a, b), ("b2a", "a", b, a)):
                made = self.generators[way](given)
                pair = torch.cat([given, made], 1)  # B, 6, H, W
                record[f"{way}/l1"] = F.l1_loss(made, wanted)
                loss = loss + c.lambda_l1 * record[f"{way}/l1"]
                if c.lambda_validity > 0:
                    logits = self.discriminators[to](pair)
                    validity = validity_loss(c.loss, logits, real=True)
                    record[f"{way}/validity"] = validity
                    loss = loss + c.lambda_validity * validity
                shown[to] = (torch.cat([given, wanted], 1), pair.detach())
            update(loss, self.optimizers["generators"], self.rate(step))
        if step % NORM_EVERY == 0:
            record["generators/grad_norm"] = gradient_norm(list(self.generators.parameters()))
        record["loss"] = loss
        return record, shown
