"""What a run is, before it runs: everything that `train` needs, picklable and without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.config import Config
from engine.errors import Rejected
from engine.registry import entry
from engine.rng import MAX_SEED

MAX_STEPS = 10_000_000


@dataclass(frozen=True)
class Budget:
    """When a run ends: at a step, or after so many seconds of its own time; either or both."""

    max_steps: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True)
class RunSpec:
    """One run. `resume` is a checkpoint to go on from; `folder` is where it saves.

    `changes` are live changes by step, (step, field, value), so that a run with a history can
    be repeated. `previews` False draws nothing (terminal runs). `elapsed_s` is what earlier
    slices of the run took. `going_on` says that `resume` is the run's own: the checkpoint's
    config counts, older ones stand in for a damaged one, at last `origin`, where the run began;
    what was shown before need not be drawn again. `memory_mb` is what the worker may take, and
    `gpu_fraction` its part of the GPU's memory.
    """

    model: str
    dataset: str
    config: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    budget: Budget = Budget()
    device: str = "auto"
    threads: int = 1
    resume: Path | None = None
    folder: Path | None = None
    data_root: Path | None = None
    changes: tuple[tuple[int, str, Any], ...] = ()
    previews: bool = True
    paused: bool = False
    elapsed_s: float = 0.0
    title: str = ""
    command: str = ""
    going_on: bool = False
    origin: Path | None = None
    memory_mb: int | None = None
    gpu_fraction: float | None = None

    def checked_config(self) -> Config:
        """Return the config, validated; raises `Rejected` or `NotFound`."""
        return entry(self.model).config_class.from_values(self.config)


def check_seed(value: Any) -> int:
    """Return the seed, or raise `Rejected`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        raise Rejected(
            f"Seed must be a whole number from 0 to {MAX_SEED}; got {value!r:.60}.", field="seed"
        )
    return value


def check_budget(max_steps: Any, max_seconds: Any) -> Budget:
    """Return the budget, or raise `Rejected`."""
    if max_steps is not None and (
        isinstance(max_steps, bool)
        or not isinstance(max_steps, int)
        or not 1 <= max_steps <= MAX_STEPS
    ):
        raise Rejected(
            f"Steps must be a whole number from 1 to {MAX_STEPS}; got {max_steps!r:.60}.",
            field="max_steps",
        )
    if max_seconds is not None and (
        isinstance(max_seconds, bool)
        or not isinstance(max_seconds, (int, float))
        or not 0 < max_seconds <= 7 * 86_400
    ):
        raise Rejected(
            f"Seconds must be more than 0 and at most 604800; got {max_seconds!r:.60}.",
            field="max_seconds",
        )
    return Budget(max_steps, max_seconds)
