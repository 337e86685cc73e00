"""One run as the store knows it, and how it stands on disk."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import checkpoint, commands
from engine.config import Config
from engine.eventlog import EventLog
from engine.executors.base import Handle
from engine.journal import Journal
from engine.registry import entry
from engine.spec import Budget, RunSpec


@dataclass
class Meter:
    """Seconds of a run by the monotonic clock: had a worker, trained, waited."""

    served_s: float = 0.0
    own_s: float = 0.0  # since it was started or continued: what a limit counts
    waited_s: float = 0.0
    waiting_since: float | None = None
    served_since: float | None = None
    own_since: float | None = None

    def wait(self, on: bool) -> None:
        """Start or stop counting the time that it waits."""
        if self.waiting_since is not None:
            self.waited_s += time.monotonic() - self.waiting_since
        self.waiting_since = time.monotonic() if on else None

    def serve(self, on: bool) -> None:
        """Start or stop counting the time that it has a worker."""
        if self.served_since is not None:
            self.served_s += time.monotonic() - self.served_since
        self.served_since = time.monotonic() if on else None
        if not on:
            self.train(False)

    def train(self, on: bool) -> None:
        """Start or stop counting its own time."""
        if self.own_since is not None:
            self.own_s += time.monotonic() - self.own_since
        self.own_since = time.monotonic() if on else None

    @property
    def waited(self) -> float:
        """Seconds that it has waited, until now."""
        return self.waited_s + _since(self.waiting_since)

    @property
    def served(self) -> float:
        """Seconds that it has had a worker, until now."""
        return self.served_s + _since(self.served_since)

    @property
    def own(self) -> float:
        """Seconds that it has trained since its start or continue, until now."""
        return self.own_s + _since(self.own_since)


def _since(began: float | None) -> float:
    return 0.0 if began is None else time.monotonic() - began


@dataclass
class Run:
    """One run. `spec.config` is what it started with; `config` is what its owner wants now."""

    id: str
    owner: str
    spec: RunSpec
    journal: Journal
    title: str
    created: float
    config: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    step: int = 0
    message: str | None = None
    parent: dict[str, Any] | None = None
    rewind: dict[str, Any] | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    checkpoints: list[int] = field(default_factory=list)
    log: EventLog = field(default_factory=EventLog)
    handle: Handle | None = None
    turn: int = 0  # counts its workers, so that a late word of an earlier one is not heard
    begun: bool = False  # the worker of this turn has spoken
    paused: bool = False  # what the owner asked for last; the worker follows
    resting: bool = False  # paused by the store, because nobody watched
    parking: bool = False  # asked to give its worker back
    asked_at: float = 0.0
    stopping: bool = False  # its owner has asked for its end
    begin: int = 0  # the step at which this turn began
    replaying: list[tuple[int, str, Any]] = field(default_factory=list)  # changes of lost steps
    waiting: list[commands.Command] = field(default_factory=list)  # for the next worker
    looks: dict[str, commands.Look] = field(default_factory=dict)
    changes: list[tuple[int, str, Any]] = field(default_factory=list)  # live ones, by step
    pending: list[tuple[str, Any]] = field(default_factory=list)  # asked for, not yet made
    sentence: str | None = None  # with which it is being ended by authority
    ending_since: float = 0.0
    deaths: list[float] = field(default_factory=list)
    stuck: int = 0
    faults: int = 0  # of the device
    meter: Meter = field(default_factory=Meter)
    seen_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None  # wall clock, for `keep_hours` after a restart
    ended_since: float = field(default_factory=time.monotonic)
    revivals: int = 0
    revived_at: int = -1  # the checkpoint at the last revival
    watchers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)
    first_view: str | None = None  # the model's main live view is drawn first
    place_told: tuple[int | None, float] = (None, 0.0)

    def to_disk(self) -> dict[str, Any]:
        """Return what `run.json` holds."""
        spec = self.spec
        return {
            "id": self.id,
            "owner": self.owner,
            "model": spec.model,
            "dataset": spec.dataset,
            "config": self.config,
            "config_at_start": spec.config,
            "changes": [list(change) for change in self.changes],
            "pending": [list(change) for change in self.pending],
            "seed": spec.seed,
            "max_steps": spec.budget.max_steps,
            "max_seconds": spec.budget.max_seconds,
            "title": self.title,
            "created": self.created,
            "state": self.state,
            "step": self.step,
            "message": self.message,
            "parent": self.parent,
            "rewind": self.rewind,
            "checkpoints": self.checkpoints,
            "resume": None if spec.resume is None else str(spec.resume),
            "paused": self.paused,
            "resting": self.resting,
            "elapsed_s": self.progress.get("elapsed_s"),
            "own_s": self.meter.own,
            "ended_at": self.ended_at,
            "revivals": self.revivals,
            "revived_at": self.revived_at,
            "last_seq": self.log.last_seq,
        }

    @classmethod
    def from_disk(cls, found: dict[str, Any], folder: Path, basis: RunSpec) -> Run:
        """Read `run.json`; `basis` has device, threads and the folder of data."""
        spec = replace(
            basis,
            model=found["model"],
            dataset=found["dataset"],
            config=found.get("config_at_start", found["config"]),
            seed=found["seed"],
            budget=Budget(found["max_steps"], found["max_seconds"]),
            folder=folder,
            title=found["title"],
            resume=_there(found.get("resume")),
        )
        spec.checked_config()
        run = cls(
            found["id"], found["owner"], spec, Journal(folder), found["title"], found["created"]
        )
        run.config = entry(spec.model).config_class.from_values(found["config"]).to_dict()
        run.state, run.step, run.message = found["state"], found["step"], found["message"]
        run.parent, run.rewind = found["parent"], found["rewind"]
        run.changes = [(int(s), str(f), v) for s, f, v in found.get("changes", ())]
        run.pending = [(str(f), v) for f, v in found.get("pending", ())]
        run.paused = bool(found.get("paused", found["state"] == "paused"))
        run.resting = bool(found.get("resting"))
        if found.get("elapsed_s") is not None:
            run.progress = {"elapsed_s": float(found["elapsed_s"])}
        run.meter.own_s = float(found.get("own_s") or 0.0)
        run.ended_at = found.get("ended_at")
        run.revivals = int(found.get("revivals") or 0)
        run.revived_at = int(found.get("revived_at", -1))
        run.checkpoints = list(checkpoint.saved_steps(folder))
        return run

    def begin_again(self) -> None:
        """Forget what belonged to the run's earlier life: it is continued."""
        self.paused = self.resting = self.stopping = False
        self.rewind = self.message = self.sentence = self.ended_at = None
        self.deaths.clear()
        self.pending.clear()
        self.stuck = self.faults = self.revivals = 0
        self.meter.own_s = 0.0

    def checked(self) -> Config:
        """Return the config that its owner wants now."""
        return entry(self.spec.model).config_class.from_values(self.config)


def _there(path: str | None) -> Path | None:
    """Return where a fork began, if that checkpoint is still there."""
    return Path(path) if path is not None and Path(path).is_file() else None
