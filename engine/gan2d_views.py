"""The views of the GAN on points: the lab, the data, one step in parts, the health of the game.

All coordinates are those of the data. A host class gives G, D, `noise`, `generate`, `score`,
`seen`, `play` and the monitor's numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.adversarial import generator_loss, middle, probability
from engine.data.base import indices_at
from engine.errors import Rejected
from engine.latent import read_int, read_numbers
from engine.learner import preview
from engine.payloads import Arrays, Payload, Views
from engine.tensors import DataView

Extent = tuple[float, float, float, float]

LIVE_COUNT, LIVE_RESOLUTION = 512, 40
KEPT_COUNT, KEPT_RESOLUTION = 256, 32
ARROWS = 64
WARP = 21  # lines a side of the noise plane that are followed through G
MARGIN = 1.3  # how much more than the data the view shows
COMPANIONS = 4  # sets of real points that a packed discriminator sees beside a place


class GAN2DViews:
    """Views of a game on points; see the module's docstring for what the host class gives."""

    if TYPE_CHECKING:
        config: Any
        spec: Any
        device: torch.device
        look: dict[str, Any]
        steps: int
        generator: Any
        discriminator: Any
        next_batch: Any
        noise: Any
        generate: Any
        score: Any
        seen: Any
        play: Any
        health: Any
        slope_at: Any
        tensors: Any
        evaluating: Any
        draw: Any

    # ------------------------------------------------------------------ live

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw the lab as `look` asks for it."""
        given = {"count": LIVE_COUNT, "resolution": LIVE_RESOLUTION, **self.look.get(name, {})}
        drawn: Payload = self.draw(name, data, given)
        return drawn

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps: the lab, smaller."""
        with self.evaluating():
            return {"lab": self.view_lab(data, KEPT_COUNT, KEPT_RESOLUTION)}

    # ------------------------------------------------------------------ views

    @preview
    def view_lab(
        self,
        data: DataView,
        count: int = LIVE_COUNT,
        resolution: int = 48,
        extent: Any = None,
        seed: int = 0,
    ) -> Arrays:
        """Return everything that the lab draws, of G and D as they are now.

        generated (n, 2) and scores (n): points of fixed noise and D's probability that each is
        real. surface (r, r): that probability at the cell centres of the view, top row first.
        warp (21, 21, 2): where G takes the quantiles of the first two noise dimensions, the
        others at 0. arrows (k, 4): x, y, dx, dy at generated points, d the way each would go to
        lessen its own part of G's loss. Values: extent [x0, x1, y0, y1], step, and D's mean
        probability on real and generated points.
        """
        count = read_int(count, 1, 5000, "count")
        resolution = read_int(resolution, 4, 128, "resolution")
        frame = self.frame(data) if extent is None else read_extent(extent)
        generator = self._generator(seed)
        pool = self._whole(max(count, ARROWS))
        points = self.generate(self.noise(pool, generator))
        real = self._some_real(data, pool)
        scores, real_scores = self.score(points), self.score(real)
        level = middle(self.config.loss, real_scores, scores)
        chances, real_chances = self.chance(scores - level), self.chance(real_scores - level)
        surface = self._surface(frame, resolution, real, points, level)
        arrays = {
            "generated": as_numpy(points[:count]),
            "scores": as_numpy(chances[:count]),
            "surface": as_numpy(surface),
            "warp": as_numpy(self._warp()),
            "arrows": as_numpy(self.arrows(points[: self._whole(ARROWS)])[:ARROWS]),
        }
        values = {
            "extent": list(frame),
            "step": self.steps,
            "d_real": float(real_chances.mean()),
            "d_fake": float(chances.mean()),
        }
        return Arrays(arrays, values)

    @preview
    def view_data(self, data: DataView, count: int = 2000, seed: int = 0) -> Arrays:
        """Return real points with the modes they are of; values: extent, means, sd, names."""
        count = min(read_int(count, 1, 20_000, "count"), len(data.train))
        seed = read_int(seed, 0, 2**31 - 1, "seed")
        chosen = torch.from_numpy(indices_at(seed, 0, count, len(data.train))).to(self.device)
        mixture = data.dataset.mixture
        values = {
            "extent": list(self.frame(data)),
            "means": None if mixture is None else mixture.means,
            "sd": None if mixture is None else mixture.sd,
            "class_names": list(self.spec.class_names),
        }
        labels = data.train.labels[chosen].cpu().numpy().astype(np.int32)
        return Arrays({"real": as_numpy(data.train.batch(chosen)), "labels": labels}, values)

    @preview
    def view_health(self, data: DataView) -> Views:
        """Return the monitor's numbers of now."""
        return Views({}, self.health(data))

    # ------------------------------------------------------------------ parts of the lab

    def _generator(self, seed: Any) -> torch.Generator:
        found = torch.Generator(self.device)
        return found.manual_seed(read_int(seed, 0, 2**31 - 1, "seed"))

    def _whole(self, count: int) -> int:
        """Return the least number of points from `count` on that can be packed."""
        return -(-count // self.config.packing) * self.config.packing

    def frame(self, data: DataView) -> Extent:
        """Return the part of the plane that is shown of this data set."""
        known = self.look.get("frame")
        if known is None or known[0] != data.dataset.fingerprint:
            self.look["frame"] = (data.dataset.fingerprint, frame_of(data.dataset.train.images))
        found: Extent = self.look["frame"][1]
        return found

    def chance(self, logits: Tensor) -> Tensor:
        """Return D's probability of logits counted from the middle."""
        return probability(self.config.loss, logits)

    def _some_real(self, data: DataView, count: int) -> Tensor:
        chosen = torch.arange(count, device=self.device) % len(data.test)
        return data.test.batch(chosen)

    def _surface(self, frame: Extent, n: int, real: Tensor, fake: Tensor, level: Tensor) -> Tensor:
        """Return D's probability (n, n) that a point at each place is real.

        A packed discriminator is shown the place beside a few real points, and the mean over
        those is taken; told a group's deviation, it is told the usual one.
        """
        x0, x1, y0, y1 = frame
        half_x, half_y = (x1 - x0) / (2 * n), (y1 - y0) / (2 * n)
        xs = torch.linspace(x0 + half_x, x1 - half_x, n, device=self.device)
        ys = torch.linspace(y1 - half_y, y0 + half_y, n, device=self.device)
        places = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), -1).view(-1, 2)
        x, others = places / self.spec.scale, self.config.packing - 1
        sets = COMPANIONS if others else 1
        spread = None
        if self.config.minibatch_std:
            both = torch.cat([real, fake]) / self.spec.scale
            spread = self.seen(both)[:, -1].mean()
        total = torch.zeros(len(x), device=self.device)
        for i in range(sets):
            beside = real[i * others : (i + 1) * others].reshape(1, -1) / self.spec.scale
            seen = torch.cat([x, beside.expand(len(x), -1)], 1)
            if spread is not None:
                seen = torch.cat([seen, spread.expand(len(x), 1)], 1)
            total += self.chance(self.discriminator(seen).squeeze(1) - level)
        return (total / sets).view(n, n)

    def _warp(self) -> Tensor:
        """Return where G takes a grid of quantiles of the noise, (21, 21, 2), row by row."""
        share = (torch.arange(WARP, dtype=torch.float64) + 0.5) / WARP
        uniform = self.config.noise == "uniform"
        ticks = (2 * share - 1 if uniform else torch.special.ndtri(share)).float()
        plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1).view(-1, 2)
        z = torch.zeros(WARP * WARP, self.config.latent_dim, device=self.device)
        shown = min(2, self.config.latent_dim)
        z[:, :shown] = plane[:, :shown].to(self.device)
        return self.generate(z).view(WARP, WARP, 2)

    def arrows(self, points: Tensor) -> Tensor:
        """Return x, y, dx, dy (n, 4): each point and the way down its own part of G's loss."""
        with torch.enable_grad():
            x = (points / self.spec.scale).detach().requires_grad_()
            out = self.discriminator(self.seen(x))
            (slope,) = torch.autograd.grad(generator_loss(self.config.loss, out), x)
        return torch.cat([points, -slope * (len(out) / self.spec.scale)], 1)


def frame_of(points: np.ndarray) -> Extent:
    """Return a square around points (N, 2), a little wider than they reach."""
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    x, y = (low + high) / 2
    half = max(float((high - low).max()) / 2, 1e-6) * MARGIN
    return (float(x - half), float(x + half), float(y - half), float(y + half))


def read_extent(value: Any) -> Extent:
    """Read [x0, x1, y0, y1] with x0 < x1 and y0 < y1, or raise `Rejected`."""
    x0, x1, y0, y1 = read_numbers(value, 4, "extent")
    if x0 >= x1 or y0 >= y1:
        raise Rejected(f"extent must be [x0, x1, y0, y1] in order; got {value!r:.60}.", "extent")
    return (x0, x1, y0, y1)


def as_numpy(x: Tensor) -> np.ndarray:
    """Return a tensor as float32 on the CPU."""
    found: np.ndarray = x.detach().float().cpu().numpy()
    return found
