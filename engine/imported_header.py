"""The header of a checkpoint whose weights others have trained."""

from __future__ import annotations

from typing import Any

import torch

from engine.checkpoint import Header
from engine.data.base import Dataset


def imported_header(model: str, config: dict[str, Any], data: Dataset, title: str) -> Header:
    """Return a header that claims nothing of the training: step 0, and data that stand in."""
    return Header(
        model=model,
        config=config,
        dataset=data.key,
        dataset_fingerprint=data.fingerprint,
        shape=data.shape,
        class_names=data.class_names,
        seed=0,
        step=0,
        cursor=0,
        has_optimizer=False,
        title=title,
        versions={"torch": torch.__version__},
    )
