"""Which executor this host gets: a Ray cluster, ZeroGPU's leases, or workers of its own.

Called before Gradio and torch are imported: ZeroGPU's package has to come first.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Protocol

from engine.capacity import Capacity, capacity
from engine.errors import PlaygroundError
from engine.executors.base import Executor
from engine.executors.process import ProcessExecutor

SHARE = 0.25  # of a GPU on a cluster: four runs of this size fill one


class Options(Protocol):
    """What is read of the command line."""

    runs_dir: Path
    workers: int | None
    ray: str | None
    gpu_share: float | None


class HostError(PlaygroundError):
    """What was asked for cannot be had on this host."""

    status = 503


def executor(options: Options) -> Executor:
    """Return the executor for this host, not yet warm.

    Raises `PlaygroundError` with one sentence when the cluster does not answer, Ray is not
    installed, or a ZeroGPU Space lacks its package.
    """
    if options.ray:
        from engine.executors.ray import RayExecutor

        runs = runs_on_a_gpu(options.gpu_share)
        return RayExecutor(options.ray, options.runs_dir, options.workers, gpu_share=runs)
    if on_zerogpu():
        return _by_leases(options.workers)
    return by_processes(capacity(options.workers))


def by_processes(found: Capacity) -> ProcessExecutor:
    """Return warm workers of this machine, as many as it carries, spread over its GPUs."""
    chosen: Any = ProcessExecutor(found.slots, threads=found.threads, devices=found.devices)
    chosen.memory_mb = found.memory_mb  # for the policy: a worker's share
    worker: ProcessExecutor = chosen
    return worker


def on_zerogpu() -> bool:
    """Say whether this is a ZeroGPU Space; the same words count as in the package `spaces`."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def runs_on_a_gpu(share: float | None) -> int:
    """Return how many runs have room on one GPU of a cluster when each takes `share` of it."""
    return max(1, math.floor(1 / (SHARE if share is None else share) + 1e-6))


def _by_leases(workers: int | None) -> Executor:
    try:
        from engine.executors.zerogpu import RUNS, ZeroGpuExecutor
    except ImportError as error:
        raise HostError(
            f"This is a ZeroGPU Space, but its package cannot be imported ({error}); put spaces "
            "into requirements.txt, or choose other hardware."
        ) from error
    return ZeroGpuExecutor(workers or RUNS)
