"""Runs that a worker has parked, kept as they are so that their next turn begins at once.

A kept run is taken up only when the checkpoint that it would go on from is the very one that it
wrote when it was parked; else it is built anew from the file.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from pathlib import Path

import torch

from engine.inbox import Inbox
from engine.spec import RunSpec
from engine.tensors import DataView
from engine.trainer import Training, data_view

RUNS = 12
BYTES = 128 * 2**20  # of weights and optimizer state; gradients and activations come on top
DATA_SETS = 3


class Shelf:
    """The last few parked runs, and the last few data sets."""

    def __init__(self, runs: int = RUNS, size: int = BYTES) -> None:
        self.runs, self.size = runs, size
        self._kept: OrderedDict[Path, tuple[Training, int]] = OrderedDict()
        self._data: OrderedDict[tuple[str, str, Path | None, str], DataView] = OrderedDict()

    def take(self, spec: RunSpec, inbox: Inbox) -> Training:
        """Return the run of a specification: the kept one, or a new one."""
        kept, _ = self._kept.pop(spec.folder, (None, 0)) if spec.folder else (None, 0)
        if kept is not None and kept.fits(spec):
            kept.go_on(spec, inbox)
            return kept
        return Training(spec, inbox, self._data_of(spec))

    def put(self, run: Training) -> None:
        """Keep a run that has been parked; the oldest ones make room."""
        folder = run.spec.folder
        if run.ending != "parked" or folder is None or not run.saved_as:
            return
        size = sum(t.numel() * t.element_size() for t in run.learner.tensors().values())
        if size > self.size:
            return
        run.put_down()
        self._kept[folder] = (run, size)
        while len(self._kept) > self.runs or sum(s for _, s in self._kept.values()) > self.size:
            self._kept.popitem(last=False)

    def names(self) -> list[str]:
        """Return the folders' names of the runs that are kept."""
        return [folder.name for folder in self._kept]

    def clear(self) -> None:
        """Drop everything: memory is short, or something has gone wrong."""
        self._kept.clear()
        self._data.clear()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def healthy(self) -> bool:
        """Say whether this process can still compute."""
        try:
            device = "cuda" if torch.cuda.is_initialized() else "cpu"
            weight = torch.ones(256, 256, device=device, requires_grad=True)
            (weight @ weight).sum().backward()
            return weight.grad is not None and bool(weight.grad.isfinite().all())
        except (RuntimeError, MemoryError):
            return False

    def _data_of(self, spec: RunSpec) -> DataView:
        key = (spec.model, spec.dataset, spec.data_root, spec.device)
        found = self._data.pop(key, None)
        if found is None:
            found = data_view(spec)
        self._data[key] = found
        while len(self._data) > DATA_SETS:
            self._data.popitem(last=False)
        return found
