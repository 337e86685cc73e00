"""The mode-collapse monitor: what it looks at (`ImageMonitor`) and what it says (`Watch`).

A learner calls it from `Learner.monitor`; nothing of it touches what is learnt.
"""

from __future__ import annotations

from typing import Any

import torch

from engine.learner import Finding
from engine.monitor_rules import Watch
from engine.payloads import Payload, Views
from engine.tensors import DataSpec, DataView

__all__ = ["ImageMonitor", "Watch"]


class ImageMonitor:
    """Measures a generator of pictures every few seconds and says when it stops covering.

    Of the learner it uses `noise(count, generator)`, `generate(z, labels)`, `score(images)`
    and `config`.
    """

    def __init__(self, spec: DataSpec, device: torch.device, dataset_key: str) -> None:
        self.spec, self.device, self.dataset_key = spec, device, dataset_key
        self.watch = Watch("images")

    def tick(
        self, learner: Any, data: DataView, step: int
    ) -> tuple[dict[str, float], Payload | None, list[Finding]]:
        """Return the numbers of now, the view "monitor", and what they give cause to say."""
        return {}, Views(), []
