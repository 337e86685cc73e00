"""The metrics of a checkpoint on the whole test split."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from engine.checkpoint import read_header
from engine.data import load as load_dataset
from engine.device import pick_device
from engine.learner import Learner
from engine.tensors import DataView
from engine.trainer import restore


def full_metrics(
    learner: Learner, data: DataView, seed: int, samples: int | None = None
) -> dict[str, float]:
    """Return every metric, under `test/…` but for those that the learner tells plainly."""
    values = learner.evaluate_fully(data, seed=seed, samples=samples)
    plain = learner.plain_metrics
    return {
        name if plain is None or name in plain else f"test/{name}": v for name, v in values.items()
    }


def evaluate(
    path: Path,
    *,
    seed: int = 0,
    samples: int | None = None,
    device: str = "auto",
    data_root: Path | None = None,
) -> dict[str, Any]:
    """Evaluate the checkpoint at `path`: equal arguments give equal numbers on one device.

    `samples` is how many examples a generator draws; None for the published number.
    """
    began = time.monotonic()
    header = read_header(path)
    chosen = pick_device(device)
    data = DataView(load_dataset(header.dataset, data_root), chosen)
    learner, _ = restore(path, data, chosen)
    metrics = full_metrics(learner, data, seed, samples)
    return {
        "checkpoint": path.name,
        "model": header.model,
        "dataset": header.dataset,
        "step": header.step,
        "seed": seed,
        "test_images": len(data.dataset.test),
        "parameters": sum(p.numel() for p in learner.trainable()),
        "seconds": round(time.monotonic() - began, 2),
        "torch": torch.__version__,
        **metrics,
    }
