"""The mode-collapse monitor: what it looks at (`ImageMonitor`) and what it says (`Watch`).

A learner calls it from `Learner.monitor`; nothing of it touches what is learnt: its noise comes
from a generator of its own, and it looks in eval mode. Every number stands beside what the real
data give against themselves, because ceilings depend on the features and on how many there are.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine import metrics
from engine.adversarial import judgement
from engine.config import Config
from engine.errors import CheckpointError
from engine.learner import Finding
from engine.monitor_classes import Classes
from engine.monitor_real import Real, real_of
from engine.monitor_rules import RANK, Watch
from engine.payloads import Payload, Sheet, Views, sheet
from engine.rng import stream_seed
from engine.tensors import DataSpec, DataView

__all__ = ["ImageMonitor", "Watch"]

SAMPLES = 512  # fakes of a tick: coverage and the shares of classes are known to about 0.02 then
GRID = 64  # pictures of fixed noise
CHUNK = 64  # generated at once: the layers' outputs stay in the cache
JUDGED = 64  # pictures of each kind that D judges in a tick
MINUTE_S = 60.0  # between two looks at what needs many samples


@dataclass(frozen=True)
class Batch:
    """One tick's generated pictures (N, C, H, W) in [0, 1], with what they were made of."""

    z: Tensor
    labels: Tensor | None
    pictures: Tensor
    features: Tensor
    classes: Tensor | None


class ImageMonitor:
    """Measures a generator of pictures every few seconds and says when it stops covering.

    Of the learner it uses `noise(count, generator)`, `generate(z, labels)`, `score(images,
    labels)` and `config`. The real data's side is computed once, part by part.
    """

    def __init__(self, spec: DataSpec, device: torch.device, dataset_key: str) -> None:
        self.spec, self.device, self.dataset_key = spec, device, dataset_key
        self.watch = Watch("images")
        self.real: Real | None = None
        self.grid_z: Tensor | None = None
        self.grid_features: Tensor | None = None
        self.minute: dict[str, float] = {}
        self.minute_at = -math.inf

    def tick(
        self, learner: Any, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Return the numbers of now, the view "monitor", and what they give cause to say."""
        try:
            real = self.real = self.real or real_of(data)
        except CheckpointError as error:  # a run can do without
            return {}, None, [Finding("no_monitor", error.sentence)]
        source = torch.Generator().manual_seed(stream_seed(0, step, "monitor"))
        batch = self._generated(learner, real, source)
        values = covering(batch, real)
        classes = Classes.of(batch.classes, real)
        lost: tuple[str, ...] = ()
        items: dict[str, Payload] = {}
        if classes is not None:
            values |= classes.values
            items |= classes.bars
            lost = classes.lost
        values |= judged(learner, data, batch, source)
        items["closest"], values["closest_pair"] = closest(batch, real)
        items["grid"], changes, values["grid_change"] = self._grid(learner, real)
        values |= self._every_minute(batch, real)
        findings = self.watch.check(step, values, learner.config, self.spec.shape, lost)
        shown = {**values, "changes": changes, "level": self._level(step, findings)}
        return values, Views(items, shown), findings

    def recall(self, step: int, values: dict[str, float], config: Config) -> None:
        """Take in what a look saw before the run was put away and taken up again."""
        self.watch.check(step, values, config, self.spec.shape)

    def aside(self) -> ImageMonitor:
        """Return a monitor of the same real data that has seen nothing of the run."""
        other = ImageMonitor(self.spec, self.device, self.dataset_key)
        other.real = self.real
        return other

    def _generated(self, learner: Any, real: Real, source: torch.Generator) -> Batch:
        z = learner.noise(SAMPLES, source)
        labels = None
        if getattr(learner.config, "conditional", False):
            chosen = torch.randint(len(real.data.train), (SAMPLES,), generator=source)
            labels = real.data.train.labels[chosen.to(self.device)]
        parts, looks = [], []
        for i in range(0, SAMPLES, CHUNK):
            part = learner.generate(
                z[i : i + CHUNK], None if labels is None else labels[i : i + CHUNK]
            )
            parts.append(part)
            looks.append(real.net.look(part))
        classes = [c for _, c in looks if c is not None]
        features = torch.cat([f for f, _ in looks])
        return Batch(z, labels, torch.cat(parts), features, torch.cat(classes) if classes else None)

    def _grid(self, learner: Any, real: Real) -> tuple[Sheet, list[float], float]:
        """Return the grid of fixed noise, and how much each cell has changed since the last tick.

        1 is as much as two real pictures differ.
        """
        if self.grid_z is None:
            fixed = torch.Generator().manual_seed(stream_seed(0, 0, "monitor grid"))
            self.grid_z = learner.noise(GRID, fixed)
        labels = None
        if getattr(learner.config, "conditional", False):
            labels = torch.arange(GRID, device=self.device) % len(self.spec.class_names)
        pictures = learner.generate(self.grid_z, labels)
        features = real.net.features(pictures)
        before = features if self.grid_features is None else self.grid_features
        self.grid_features = features
        moved = (features - before).norm(dim=1) / real.spread
        tiles = sheet(to_bytes(pictures), 8, quality=85, alt="Samples of 64 fixed noises")
        changes = [round(v, 3) for v in moved.tolist()]
        return tiles, changes, sum(changes) / len(changes)

    def _every_minute(self, batch: Batch, real: Real) -> dict[str, float]:
        """Return KID and NDB beside real against real; looked at once a minute."""
        now = time.monotonic()
        if now - self.minute_at >= MINUTE_S:
            if self.minute_at == -math.inf:
                # the first ticks of a run come soon after each other and have enough to do
                self.minute_at = now - MINUTE_S + 10
                return {}
            self.minute_at = now
            self.minute = {
                "kid": metrics.kid(real.features, batch.features).mean,
                "kid_real": real.kid,
                "ndb": metrics.ndb(real.bins, batch.features).share,
                "ndb_real": real.ndb,
            }
        return self.minute

    def _level(self, step: int, findings: list[Finding]) -> str:
        if not self.watch.judges(step):
            return "early"
        return max((f.level for f in findings), key=lambda v: RANK.get(v, -1), default="well")


def covering(batch: Batch, real: Real) -> dict[str, float]:
    """Return coverage and density beside real against real, and how much the pictures vary."""
    fakes = batch.features[: real.count]  # as many as real ones, so that the ceiling is the same
    found = metrics.coverage_density(real.features, fakes, radii=real.radii)
    return {
        "coverage": found.coverage,
        "coverage_real": real.coverage,
        "density": found.density,
        "diversity_ratio": float(metrics.mean_distance(batch.features)) / real.spread,
        "latent_sensitivity": metrics.latent_sensitivity(batch.z, batch.features),
    }


def judged(learner: Any, data: DataView, batch: Batch, source: torch.Generator) -> dict[str, float]:
    """Return how D does on generated, training and held-out real pictures."""
    scores = {"fake": learner.score(batch.pictures[:JUDGED], _first(batch.labels))}
    for name, split in (("real", data.train), ("held_out", data.test)):
        chosen = torch.randint(len(split), (JUDGED,), generator=source).to(data.device)
        scores[name] = learner.score(split.batch(chosen), split.labels[chosen])
    return judgement(learner.config.loss, scores)


def closest(batch: Batch, real: Real) -> tuple[Sheet, float]:
    """Return the closest pair of the batch, each beside its nearest training picture.

    The number is the pair's distance over the mean distance of two real pictures.
    """
    pair = metrics.closest_pair(batch.features)
    two = batch.pictures[[pair.first, pair.second]]
    indices, apart = real.nearest(two)
    known = real.data.train.batch(indices)
    tiles = torch.stack([two[0], known[0], two[1], known[1]])
    captions = (
        "one of the closest pair",
        f"nearest training picture, {float(apart[0]):.2f} away",
        "the other",
        f"nearest training picture, {float(apart[1]):.2f} away",
    )
    shown = sheet(to_bytes(tiles), 4, captions=captions, alt="The closest pair of 512 samples")
    return shown, pair.distance / real.spread


def to_bytes(pictures: Tensor) -> Any:
    """Return pictures in [0, 1] as uint8 (N, C, H, W) on the CPU."""
    return pictures.mul(255).round().to(torch.uint8).cpu().numpy()


def _first(labels: Tensor | None) -> Tensor | None:
    return None if labels is None else labels[:JUDGED]
