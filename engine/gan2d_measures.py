"""What is measured of a GAN on points: coverage of the data, and how the discriminator judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.adversarial import judgement
from engine.metrics import diversity_ratio, latent_sensitivity
from engine.modes import SAMPLES, Grid, mode_metrics, spread_metrics
from engine.tensors import DataView

JUDGED = 500  # points of each kind whose scores make an accuracy
COMPARED = 512  # points whose distances from each other are looked at


class GAN2DMeasures:
    """Measures of a host class with `noise`, `generate` and `score`; in eval mode, no gradients."""

    if TYPE_CHECKING:
        config: Any
        spec: Any
        device: torch.device
        look: dict[str, Any]
        noise: Any
        generate: Any
        score: Any

    def coverage(self, data: DataView, points: np.ndarray) -> dict[str, float]:
        """Return mode metrics where modes are known, divergences on a grid where fewer than two."""
        mixture, found = data.dataset.mixture, {}
        if mixture is not None:
            found = mode_metrics(points, mixture.means, mixture.sd)
        if mixture is None or len(mixture.means) < 2:
            known = self.look.get("measures")
            if known is None or known[0] != data.dataset.fingerprint:
                known = (data.dataset.fingerprint, Grid.of(data.dataset.train.images))
                self.look["measures"] = known
            found |= known[1].metrics(points)
        return found

    def judgement(self, data: DataView, points: Tensor) -> dict[str, float]:
        """Return D's accuracy and mean probability on real, held-out and generated points."""
        c = self.config
        count = max(min(JUDGED, len(points)) // c.packing, 1) * c.packing
        shown = {
            "real": data.train.batch(slice(0, count)),
            "held_out": data.test.batch(slice(0, count)),
            "fake": points[:count],
        }
        scores = {name: self.score(x) for name, x in shown.items()}
        return judgement(c.loss, scores)

    def health(self, data: DataView) -> dict[str, float]:
        """Return the monitor's numbers of now, on 2,500 points of fixed noise.

        Besides coverage and the discriminator's judgement: how evenly the points lie around the
        modes, how far apart they are beside real ones, and how much the noise decides.
        """
        generator = torch.Generator(self.device).manual_seed(0)
        z = self.noise(SAMPLES, generator)
        points = self.generate(z)
        plain, mixture = points.cpu().numpy(), data.dataset.mixture
        found = {**self.coverage(data, plain), **self.judgement(data, points)}
        if mixture is not None:
            found["modes"] = float(len(mixture.means))
            if len(mixture.means) > 1:
                found |= spread_metrics(plain, mixture.means)
        scale, some = self.spec.scale, slice(0, COMPARED)
        real, made = data.train.batch(some) / scale, points[some] / scale
        found["diversity_ratio"] = diversity_ratio(real, made[: len(real)])
        found["latent_sensitivity"] = latent_sensitivity(z[some], made)
        return found
