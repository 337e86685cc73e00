"""The metrics of a checkpoint on the whole test split."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engine.checkpoint import read_header
from engine.data import load as load_dataset
from engine.data import own_texts
from engine.data.base import Dataset, TextSplit
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
    text: Path | None = None,
) -> dict[str, Any]:
    """Evaluate the checkpoint at `path`: equal arguments give equal numbers on one device.

    `samples` is how many examples a generator draws; None for the published number. `text` is a
    file to judge a language model on, see `other_text`.
    """
    began = time.monotonic()
    header = read_header(path)
    chosen = pick_device(device)
    if text is None:
        dataset = load_dataset(header.dataset, data_root)
    else:
        dataset = other_text(text, header.dataset_fingerprint)
    data = DataView(dataset, chosen)
    learner, _ = restore(path, data, chosen)
    metrics = full_metrics(learner, data, seed, samples)
    if text is not None:
        metrics["validation/characters_left_out"] = _left_out(learner, dataset)
    return {
        "checkpoint": path.name,
        "model": header.model,
        "dataset": dataset.key,
        "step": header.step,
        "seed": seed,
        "test_images": len(dataset.test),
        "parameters": sum(p.numel() for p in learner.trainable()),
        "seconds": round(time.monotonic() - began, 2),
        "torch": torch.__version__,
        **metrics,
    }


def other_text(path: Path, trained_on: str) -> Dataset:
    """Return a text file as a data set to judge on.

    All of it is for validation, but of the text with the fingerprint `trained_on` only the part
    that was not learnt from. Raises `DataError` for what is no text.
    """
    made = own_texts.from_path(path)
    if made.fingerprint == trained_on:
        return made
    parts: Any = (made.train, made.test)
    empty: Any = TextSplit("")
    whole: Any = TextSplit("".join(part.text for part in parts))
    return replace(made, train=empty, test=whole)


def _left_out(learner: Any, dataset: Any) -> int:
    """Return how many characters of the validation text the vocabulary lacks."""
    text = dataset.test.text
    return sum(text.count(sign) for sign in learner.tokenizer.missing(text))
