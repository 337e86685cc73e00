"""A small convolutional classifier, whose last but one layer describes a picture.

Its features and classes are what generators are measured by (`engine.features`). It is small
on purpose: strided convolutions with batch norm (Ioffe & Szegedy 2015), about a million
multiplications for a picture of 28 x 28.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from engine.configs.classifier import ClassifierConfig
from engine.latent import read_int
from engine.learner import Learner, LiveView, Record, gradient_norm, preview, update
from engine.payloads import Arrays, Bars, Payload, Views, sheet
from engine.schedules import cosine_decay
from engine.tensors import DataSpec, DataView

LAST_CHANNELS = 64
SEED_SIDE = 4  # convolutions halve the side until it is this
NORM_EVERY = 8  # steps between two readings of the gradient norm; from experience
CHUNK = 500
SHOWN = 16  # mistakes that are shown at once


class ClassifierNetwork(nn.Module):
    """Pictures (B, C, H, W) in [0, 1] to features (B, F), and features to logits (B, K)."""

    def __init__(self, config: ClassifierConfig, spec: DataSpec) -> None:
        super().__init__()
        c = config
        colours, side = spec.shape[0], max(spec.shape[1:])
        height, width = spec.shape[1:]
        wide, blocks = c.channels, OrderedDict[str, nn.Module]()
        self.shrink = -(-side // c.largest_side)
        side, height, width = (-(-n // self.shrink) for n in (side, height, width))
        while side > SEED_SIDE:
            kernel = 3 if blocks else 5
            blocks[f"block{len(blocks) + 1}"] = nn.Sequential(
                nn.Conv2d(colours, wide, kernel, 2, kernel // 2, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(),
            )
            colours, wide = wide, 2 * wide if len(blocks) == 1 else LAST_CHANNELS
            side, height, width = -(-side // 2), -(-height // 2), -(-width // 2)
        self.blocks = nn.Sequential(blocks)
        self.dropout = nn.Dropout(c.dropout)
        self.describe = nn.Linear(colours * height * width, c.feature_dim)
        self.norm = nn.BatchNorm1d(c.feature_dim)
        self.decide = nn.Linear(c.feature_dim, len(spec.class_names))

    def features(self, images: Tensor) -> Tensor:
        """Return what is known of each picture, (B, F): normed, before the last ReLU."""
        x = self.blocks(self._entered(images))
        return self.norm(self.describe(self.dropout(x.flatten(1))))

    def activations(self, images: Tensor) -> list[Tensor]:
        """Return what each block makes of pictures, [(B, C, h, w), …]."""
        x, found = self._entered(images), []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found

    def _entered(self, images: Tensor) -> Tensor:
        """Return pictures as the first block takes them: large ones shrunk, around 0."""
        if self.shrink > 1:
            images = F.avg_pool2d(images, self.shrink, ceil_mode=True)
        return images - 0.5

    def logits(self, features: Tensor) -> Tensor:
        """Return logits (B, K) of features (B, F)."""
        return self.decide(self.dropout(F.relu(features)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) of pictures."""
        return self.logits(self.features(images))


class ClassifierLearner(Learner):
    """Learns classes by cross-entropy."""

    config: ClassifierConfig
    live_views: ClassVar[tuple[LiveView, ...]] = (
        LiveView("confusion", 1.0),
        LiveView("mistakes", 2.0),
    )
    plain_metrics: ClassVar[tuple[str, ...] | None] = ("test_accuracy",)

    def __init__(self, config: ClassifierConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        self.network = ClassifierNetwork(config, spec).to(device)
        self.networks = {"classifier": self.network}
        self.optimizer = AdamW(
            self.trainable(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        self.optimizers = {"adam": self.optimizer}

    # ------------------------------------------------------------------ training

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Take one step down the cross-entropy of moved, perhaps mirrored pictures."""
        c = self.config
        logits = self.network(self._varied(images))
        loss = F.cross_entropy(logits, labels, label_smoothing=c.label_smoothing)
        update(loss, self.optimizer, self._rate(step))
        right = (logits.detach().argmax(1) == labels).float().mean()
        record = {"loss": loss.detach(), "accuracy": right}
        if step % NORM_EVERY == 0:
            record["grad_norm"] = gradient_norm(self.trainable())
        return record

    def _varied(self, images: Tensor) -> Tensor:
        """Move each picture by a few pixels, its edge goes on outside; perhaps in other colours."""
        c, (count, channels, height, width) = self.config, images.shape
        if c.mirror:
            mirrored = torch.rand(count, 1, 1, 1, device=self.device) < 0.5
            images = torch.where(mirrored, images.flip(3), images)
        if c.colour_jitter > 0:
            change = torch.rand(2, count, channels, 1, 1, device=self.device) * 2 - 1
            gain, offset = c.colour_jitter * change
            images = (images * (1 + gain) + offset).clamp(0, 1)
        if c.shift_px == 0:
            return images
        r = c.shift_px
        padded = F.pad(images, (r, r, r, r), mode="replicate")
        by = torch.randint(2 * r + 1, (2, count, 1), device=self.device)
        rows = by[0] + torch.arange(height, device=self.device)  # B, H
        columns = by[1] + torch.arange(width, device=self.device)  # B, W
        each = torch.arange(count, device=self.device)[:, None, None]
        moved = padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None]]  # B, H, W, C
        return moved.permute(0, 3, 1, 2)

    def _rate(self, step: int) -> float:
        return self.config.learning_rate * cosine_decay(step, self.config.decay_steps)

    def settings_now(self, step: int) -> dict[str, float]:
        """Return the learning rate at a step, for the curves."""
        return {"learning_rate": self._rate(step)}

    # ------------------------------------------------------------------ evaluation

    def evaluate(self, data: DataView, *, seed: int, limit: int | None) -> dict[str, float]:
        """Return accuracy and cross-entropy on test pictures."""
        with self.evaluating():
            logits, labels = self._answers(data, limit)
            return {
                "accuracy": float((logits.argmax(1) == labels).double().mean()),
                "loss": float(F.cross_entropy(logits, labels)),
            }

    def evaluate_fully(
        self, data: DataView, *, seed: int, samples: int | None = None
    ) -> dict[str, float]:
        """Return accuracy and cross-entropy on the whole test split."""
        found = self.evaluate(data, seed=seed, limit=None)
        return {"test_accuracy": found["accuracy"], "loss": found["loss"]}

    def _answers(self, data: DataView, limit: int | None) -> tuple[Tensor, Tensor]:
        """Return logits (N, K) and labels (N) of the first test pictures."""
        count = len(data.test) if limit is None else min(limit, len(data.test))
        parts = [
            self.network(data.test.batch(slice(i, min(i + CHUNK, count))))
            for i in range(0, count, CHUNK)
        ]
        return torch.cat(parts), data.test.labels[:count]

    # ------------------------------------------------------------------ views

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw one live view from the first 1,000 test pictures."""
        return self.draw(name, data, {"count": 1000})

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps."""
        return {"confusion": self.draw("confusion", data, {"count": 1000})}

    @preview
    def view_confusion(self, data: DataView, count: int = 10_000) -> Arrays:
        """Return how often each class (row) was taken for each (column) among test pictures."""
        logits, labels = self._answers(data, read_int(count, 1, 100_000, "count"))
        size = len(self.spec.class_names)
        table = torch.bincount(labels * size + logits.argmax(1), minlength=size**2)
        right = float((logits.argmax(1) == labels).double().mean())
        return Arrays(
            {"confusion": table.view(size, size).int().cpu().numpy()},
            {"class_names": list(self.spec.class_names), "accuracy": right},
        )

    @preview
    def view_mistakes(self, data: DataView, count: int = 10_000) -> Views:
        """Return the test pictures that are most surely taken for something else."""
        logits, labels = self._answers(data, read_int(count, 1, 100_000, "count"))
        likely = logits.softmax(1)
        sure, taken = likely.max(1)
        wrong = torch.nonzero(taken != labels)[:, 0]
        order = wrong[sure[wrong].argsort(descending=True)][:SHOWN]
        names = self.spec.class_names
        captions = tuple(
            f"{names[a]} → {names[b]}"
            for a, b in zip(labels[order].tolist(), taken[order].tolist(), strict=True)
        )
        values: dict[str, Any] = {"mistakes": len(wrong), "of": len(labels)}
        if not len(order):
            return Views({}, values)
        tiles = data.test.pixels[order].cpu().numpy()
        shown = sheet(tiles, min(8, len(tiles)), captions=captions, alt="mistaken test pictures")
        return Views({"sheet": shown}, {**values, "indices": order.tolist()})

    @preview
    def view_classes(self, data: DataView, count: int = 10_000) -> Bars:
        """Return the accuracy of each class of test pictures."""
        logits, labels = self._answers(data, read_int(count, 1, 100_000, "count"))
        size = len(self.spec.class_names)
        right = torch.bincount(labels[logits.argmax(1) == labels], minlength=size)
        shares = right / torch.bincount(labels, minlength=size).clamp_min(1)
        alt = "share of each class that is recognised"
        return Bars(self.spec.class_names, tuple(shares.tolist()), "share", alt)
