"""What is read of runs: their views, events, curves and checkpoints; and what the server does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import checkpoint, run_views
from engine.errors import NotFound, Rejected
from engine.eventlog import Entry
from engine.events import ACTIVE
from engine.executors.base import Executor
from engine.run_record import Run
from engine.run_table import RunTable
from engine.spec import RunSpec
from engine.turns import Turns


class Reading:
    """The part of the run store that changes nothing."""

    root: Path
    executor: Executor
    table: RunTable
    turns: Turns
    _lock: threading.RLock
    _runs: dict[str, Run]
    _get: Callable[[Any], Run]
    _began: float

    def seen(self, run_id: str) -> None:
        """Note that somebody watches a run."""
        with self._lock:
            self._get(run_id).seen_at = time.monotonic()

    def view(self, run_id: str, owner: str = "") -> dict[str, Any]:
        """Return what the page shows of a run; anyone who has its id may look."""
        with self._lock:
            run = self._get(run_id)
            return run_views.view(run, self.turns.place(run), owner)

    def list(self, owner: str) -> Sequence[dict[str, Any]]:
        """Return the owner's runs, newest first."""
        with self._lock:
            mine = [r for r in self._runs.values() if r.owner == owner and owner]
            mine.sort(key=lambda r: -r.created)
            return [run_views.view(r, self.turns.place(r), owner) for r in mine]

    def events(self, run_id: str, after: int) -> Sequence[Entry]:
        """Return the events after a number."""
        with self._lock:
            run = self._get(run_id)
            run.seen_at = time.monotonic()
            if not run.log.cold or after >= run.log.last_seq:
                return run.log.after(after)
        self._fill(run)
        with self._lock:
            return run.log.after(after)

    def picture(self, run_id: str, after: int) -> Entry | None:
        """Return the newest live picture after a number, of the model's main view if it can be."""
        with self._lock:
            run = self._get(run_id)
            cold = run.log.cold and after < run.log.last_seq
        if cold:
            self._fill(run)
        with self._lock:
            return run.log.picture(after, run.first_view)

    async def wait(self, run_id: str, after: int, timeout_s: float) -> bool:
        """Wait until there are events after a number; False when the time is over."""
        with self._lock:
            run = self._get(run_id)
            run.seen_at = time.monotonic()
            if run.log.last_seq > after:
                return True
            arrived = asyncio.Event()
            watcher = (asyncio.get_running_loop(), arrived)
            run.watchers.add(watcher)
        try:
            await asyncio.wait_for(arrived.wait(), timeout_s)
            return True
        except asyncio.TimeoutError:
            return False
        finally:
            with self._lock:
                run.watchers.discard(watcher)
                run.seen_at = time.monotonic()

    def timeline(self, run_id: str, after_step: int = -1) -> bytes:
        """Return the kept frames as JSON."""
        with self._lock:
            journal = self._get(run_id).journal
        return journal.timeline(after_step)

    def metrics(self, run_id: str) -> Sequence[dict[str, Any]]:
        """Return all metrics of a run, oldest first."""
        with self._lock:
            run = self._get(run_id)
        self._fill(run)
        with self._lock:
            return run.log.metrics()

    def _fill(self, run: Run) -> None:
        """Read a log back that was put away; the file is read while others go on."""
        if not run.log.cold:
            return
        past = run.journal.past()
        with self._lock:
            if run.log.cold:
                run.log.refill(past)
                run.seen_at = time.monotonic()

    def spec(self, run_id: str) -> RunSpec:
        """Return the run's specification."""
        with self._lock:
            run = self._get(run_id)
            return replace(run.spec, config=run.config)

    def saved(self, run_id: str, step: Any = None) -> Path:
        """Return the newest checkpoint at or before `step`, or raise `NotFound`."""
        with self._lock:
            run = self._get(run_id)
        found = checkpoint.saved_steps(run.journal.folder)
        if step is not None:
            if isinstance(step, bool) or not isinstance(step, int) or step < 0:
                raise Rejected(f"step must be a whole number; got {step!r:.40}.", field="step")
            found = {at: path for at, path in found.items() if at <= step}
        if not found:
            raise NotFound("This run has no checkpoint there yet.")
        return found[max(found)]

    def uses(self) -> set[str]:
        """Return the data sets that runs under way need."""
        with self._lock:
            return {run.spec.dataset for run in self.table.active()}

    def status(self) -> dict[str, Any]:
        """Return what a status page shows of workers, queue and machine; nobody's names."""
        with self._lock:
            runs = list(self._runs.values())
            counts = {
                "running": sum(r.handle is not None for r in runs),
                "queued": sum(r.state == "queued" for r in runs),
                "frozen": sum(r.state in ACTIVE and self.turns.is_frozen(r) for r in runs),
                "runs": len(runs),
                "uptime_s": round(time.monotonic() - self._began, 1),
                "closing": self.table.closing.is_set(),
            }
        return {**run_views.machine(self.root, self.executor), **counts}
