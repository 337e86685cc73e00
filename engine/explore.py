"""Views of a saved checkpoint, with no run: what the exploring worker does."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from engine.checkpoint import read_header
from engine.data import load as load_dataset
from engine.device import pick_device
from engine.learner import Learner
from engine.payloads import Payload
from engine.tensors import DataView
from engine.trainer import restore

CAPACITY = 6
POOL = 60_000  # training codes kept per checkpoint for "nearest training images"


class Explorer:
    """Draws views of checkpoints; keeps the last few models ready."""

    def __init__(self, device: str = "cpu", capacity: int = CAPACITY) -> None:
        self.device: torch.device = pick_device(device)
        self.capacity = capacity
        self._ready: OrderedDict[tuple[Path, int], tuple[Learner, DataView]] = OrderedDict()

    def draw(
        self, path: Path, view: str, args: dict[str, Any], data_root: Path | None = None
    ) -> Payload:
        """Draw one view of the checkpoint at `path`.

        Raises `CheckpointError`, `DataError`, `NotFound` or `Rejected`, each with a sentence.
        """
        learner, data = self._open(path, data_root)
        return learner.draw(view, data, args)

    def warm(self, path: Path, data_root: Path | None = None) -> None:
        """Load a checkpoint and encode the training images, so that the first click is quick."""
        learner, data = self._open(path, data_root)
        with learner.evaluating():
            learner.warm_pool(data)

    def check(self, path: Path, data_root: Path | None = None) -> None:
        """Load a checkpoint; raises as `draw` does when it is not sound."""
        self._open(path, data_root)

    def _open(self, path: Path, data_root: Path | None) -> tuple[Learner, DataView]:
        key = (path, path.stat().st_mtime_ns if path.exists() else 0)
        if key not in self._ready:
            header = read_header(path)
            data = self._data(header.dataset, data_root)
            learner, _ = restore(path, data, self.device)
            learner.look["pool_size"] = {"count": POOL}
            self._ready[key] = (learner, data)
            while len(self._ready) > self.capacity:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]

    def _data(self, name: str, root: Path | None) -> DataView:
        for _, data in self._ready.values():
            if data.dataset.key == name:
                return data
        return DataView(load_dataset(name, root), self.device)
