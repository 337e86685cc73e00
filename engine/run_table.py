"""The runs of a server and the lock over them: what all parts of the run store share."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from engine import checkpoint
from engine.errors import Forbidden, NotFound
from engine.events import ACTIVE, Status
from engine.run_record import Run

_PASSING = ("queued", "starting", "running")  # of a run that takes turns


class RunTable:
    """Find runs, tell of their states, wake those who watch them; everything under `lock`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = threading.RLock()
        self.runs: dict[str, Run] = {}
        self.closing = threading.Event()

    def get(self, run_id: Any) -> Run:
        """Return a run, or raise `NotFound`."""
        run = self.runs.get(run_id) if isinstance(run_id, str) else None
        if run is None:
            raise NotFound("There is no run with this id; it may have been deleted.")
        return run

    def owned(self, owner: str, run_id: Any) -> Run:
        """Return a run of this owner, or raise `Forbidden`."""
        run = self.get(run_id)
        if not owner or not secrets.compare_digest(run.owner.encode(), owner.encode()):
            raise Forbidden("This run is someone else's: you can watch it, and fork it.")
        return run

    def active(self) -> list[Run]:
        """Return the runs that are under way: queued, running or paused."""
        return [run for run in self.runs.values() if run.state in ACTIVE]

    def status(
        self,
        run: Run,
        state: str,
        message: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Change a run's state: tell it, and write it down."""
        run.state, run.message = state, message
        if state not in ACTIVE:
            self.note_end(run)
        self.tell(run, message, extra)
        self.describe(run)

    def tell(
        self, run: Run, message: str | None = None, extra: dict[str, Any] | None = None
    ) -> None:
        """Tell those who watch of a run's state."""
        wire = Status(run.step, run.state, message, None, extra or {}).to_wire()  # type: ignore[arg-type]
        run.log.append(wire, json.dumps(wire).encode(), passing(run, run.state, message))
        self.notify(run)

    def tell_place(self, run: Run, place: dict[str, Any]) -> None:
        """Tell a waiting run's place; a newer one replaces an unread older one."""
        wire = Status(run.step, "queued", run.message, None, place).to_wire()
        run.log.append(wire, json.dumps(wire).encode(), ("place",))
        self.notify(run)

    def describe(self, run: Run) -> None:
        """Write a run down; what passes within a second need not outlive the machine."""
        run.journal.describe(run.to_disk(), sync=run.state not in _PASSING)

    def note_end(self, run: Run) -> None:
        """Note when a run ended."""
        run.ended_at, run.ended_since = time.time(), time.monotonic()

    def notify(self, run: Run) -> None:
        """Wake everyone who waits for an event of a run."""
        with self.lock:
            watchers, run.watchers = run.watchers, set()
        for loop, arrived in watchers:
            with contextlib.suppress(RuntimeError):  # the loop has ended with its server
                loop.call_soon_threadsafe(arrived.set)

    def note_saved(self, run: Run) -> None:
        """Look which checkpoints a run has."""
        run.checkpoints = list(checkpoint.saved_steps(run.journal.folder))

    def go_back(self, run: Run, to: int | None = None) -> int:
        """Take back curves and pictures after the step that a run goes on from; return it."""
        step = to
        if step is None:
            step = max(run.checkpoints, default=(run.parent or {}).get("step") or 0)
        run.log.forget_after(step)
        run.journal.forget_after(step)
        return step


def passing(run: Run, state: str, message: str | None) -> tuple[str, ...] | None:
    """Return what a status replaces in the log: a run that takes turns tells the last one."""
    turning = run.turn >= 2 or (run.turn == 1 and state == "queued")
    return ("turn",) if turning and message is None and state in _PASSING else None
