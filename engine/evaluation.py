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


def full_metrics(learner: Learner, data: DataView, seed: int) -> dict[str, float]:
    """Return every metric under `test/…`, and `latent_dim` and the like without the prefix."""
    values = learner.evaluate_fully(data, seed=seed)
    plain = ("latent_dim",)
    return {name if name in plain else f"test/{name}": v for name, v in values.items()}


def evaluate(
    path: Path, *, seed: int = 0, device: str = "auto", data_root: Path | None = None
) -> dict[str, Any]:
    """Evaluate the checkpoint at `path`: equal arguments give equal numbers on one device."""
    began = time.monotonic()
    header = read_header(path)
    chosen = pick_device(device)
    data = DataView(load_dataset(header.dataset, data_root), chosen)
    learner, _ = restore(path, data, chosen)
    metrics = full_metrics(learner, data, seed)
    return {
        "checkpoint": path.name,
        "model": header.model,
        "dataset": header.dataset,
        "step": header.step,
        "seed": seed,
        "test_images": len(data.test),
        "parameters": sum(p.numel() for p in learner.trainable()),
        "seconds": round(time.monotonic() - began, 2),
        "torch": torch.__version__,
        **metrics,
    }
