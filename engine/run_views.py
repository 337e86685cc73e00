"""What people are shown of a run, and of the machine."""

from __future__ import annotations

import shutil
import subprocess
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.executors.base import Executor
from engine.run_record import Run

GPU_EVERY_S = 10


def view(run: Run, place: dict[str, Any], owner: str) -> dict[str, Any]:
    """Return what the page shows of a run."""
    progress = run.progress
    return {
        "id": run.id,
        "model": run.spec.model,
        "dataset": run.spec.dataset,
        "title": run.title,
        "config": run.config,
        "seed": run.spec.seed,
        "state": run.state,
        "step": run.step,
        "max_steps": run.spec.budget.max_steps,
        "epoch": progress.get("epoch"),
        "steps_per_s": progress.get("steps_per_s"),
        "samples_per_s": progress.get("samples_per_s"),
        "elapsed_s": progress.get("elapsed_s"),
        "remaining_s": progress.get("remaining_s"),
        "device": progress.get("device"),
        **place,
        "message": run.message or run.journal.problem,
        "owner_is_you": bool(owner) and run.owner == owner,
        "last_seq": run.log.last_seq,
        "created": run.created,
        "parent": run.parent,
        "rewind": run.rewind,
        "checkpoints": [{"step": s, "name": f"step {s}"} for s in run.checkpoints],
    }


def machine(root: Path, executor: Executor) -> dict[str, Any]:
    """Return workers, device, memory and disk; asks the driver every ten seconds at most."""
    described = executor.describe()
    try:
        free: int | None = shutil.disk_usage(root).free // 2**20
    except OSError:
        free = None
    return {
        "slots": executor.workers,
        "device": executor.device,
        "gpu_memory_mb": _gpu_memory_mb(int(time.monotonic()) // GPU_EVERY_S),
        "disk_free_mb": free,
        "kind": described.get("kind"),
        "workers": described.get("workers", []),
        "explorer": described.get("explorer"),
    }


@lru_cache(maxsize=1)
def _gpu_memory_mb(moment: int) -> int | None:
    """Return the GPU memory in use; `moment` makes an older answer stale."""
    if not Path("/proc/driver/nvidia/gpus").is_dir():
        return None
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=1.5).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = [int(line) for line in told.splitlines() if line.strip().isdecimal()]
    return sum(found) if found else None
