"""Turns: which run gets a worker, when it gives way, and what its worker says meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine import checkpoint, commands
from engine.errors import Busy
from engine.events import ACTIVE
from engine.executors.base import Executor
from engine.policy import Policy
from engine.run_record import Run
from engine.run_table import RunTable, passing
from engine.scheduler import Place, Scheduler

log = logging.getLogger("playground.runs")

RESTARTS = 2  # after a worker's death, within RESTART_WINDOW_S
RESTART_WINDOW_S = 60.0
PLACES_S = 1.0  # how often those who wait are told their place
FORECAST_S = 0.5
ASK_AGAIN_S = 15.0
FROZEN = "The teacher has frozen the room."
RESTING = "Nobody watched while others waited, so this run rests; resume brings it back."
GIVEN_UP = "The run's worker died again and again; it was given up."
STUCK = "The run is stuck: its worker stopped answering twice; it was given up."
_LIVE = ("running", "starting", "paused")


class Turns:
    """Start, park and end turns; call everything under the table's lock."""

    def __init__(self, table: RunTable, executor: Executor, policy: Callable[[], Policy]) -> None:
        self.table, self.executor, self.policy = table, executor, policy
        self.scheduler = Scheduler(executor.workers)
        self.frozen: set[str] = set()
        self.all_frozen = False
        self.switch_s = 0.3  # of late, between a turn asked to end and the next one's first word
        self._forecast: tuple[float, dict[str, Place]] = (-1.0, {})

    # ------------------------------------------------------------------ waiting

    def enqueue(self, run: Run, message: str | None = None, first: bool = False) -> None:
        """Let a run wait for a worker, or for the room to thaw."""
        run.resting = False
        run.meter.wait(True)
        frozen = self.is_frozen(run)
        if not frozen:
            self.scheduler.arrive(run.id, run.owner, time.monotonic(), first)
        run.state = "queued"
        self._forecast = (-1.0, {})
        self.table.status(run, "queued", FROZEN if frozen else message, self.place(run))
        self.schedule()

    def drop(self, run: Run) -> None:
        """Let a run wait no more."""
        run.meter.wait(False)
        if self.scheduler.waits(run.id):
            self.scheduler.leave(run.id)
            self._forecast = (-1.0, {})
            self.schedule()
            self.tell_places(at_once=True)  # those behind it

    def is_frozen(self, run: Run) -> bool:
        """Say whether a run has to stand still."""
        return self.all_frozen or run.owner in self.frozen

    def freeze(self, owners: set[str] | None) -> None:
        """Let the runs of these owners (None: of all) stand still."""
        if owners is None:
            self.all_frozen = True
        else:
            self.frozen |= owners
        for run in self.table.active():
            if not self.is_frozen(run):
                continue
            if run.handle is not None:
                self.park(run, "frozen")
            elif run.state == "queued":
                self.scheduler.leave(run.id)
                self.table.status(run, "queued", FROZEN, self.place(run))

    def thaw(self, owners: set[str] | None) -> None:
        """Let the runs of these owners (None: of all) go on as they were."""
        if owners is None:
            self.all_frozen = False
            self.frozen.clear()
        else:
            self.frozen -= owners
        for run in sorted(self.table.active(), key=lambda r: r.created):
            waits = run.state == "queued" and run.handle is None
            if waits and not self.is_frozen(run) and not self.scheduler.waits(run.id):
                self.enqueue(run)

    # ------------------------------------------------------------------ places

    def place(self, run: Run) -> dict[str, Any]:
        """Return what a page shows of a run's place among those who take turns."""
        found = self._places().get(run.id)
        low, high = (None, None) if found is None else (found.low_s, found.high_s)
        others = self.scheduler.running + self.scheduler.waiting
        crowded = self.scheduler.waiting > 0 and run.state in ("queued", "starting", "running")
        return {
            "position": None if found is None else found.position,
            "eta_s": None if low is None or high is None else round((low + high) / 2, 1),
            "eta_low_s": None if low is None else round(low, 1),
            "eta_high_s": None if high is None else round(high, 1),
            "waiting_s": round(run.meter.waited, 1),
            "served_s": round(run.meter.served, 1),
            "resting": run.resting,
            "frozen": run.state in ACTIVE and self.is_frozen(run),
            "slice_s": round(self.scheduler.slice_s(), 1) if crowded else None,
            "turns_with": max(0, others - 1) if crowded else 0,
        }

    def _places(self) -> dict[str, Place]:
        now = time.monotonic()
        at, found = self._forecast
        if now - at > FORECAST_S or at < 0:
            left = {
                r.id: r.progress["remaining_s"]
                for r in self.table.runs.values()
                if r.state in ("running", "queued") and r.progress.get("remaining_s") is not None
            }
            found = self.scheduler.forecast(now, left, self.switch_s)
            self._forecast = (now, found)
        return found

    def tell_places(self, at_once: bool = False) -> None:
        """Tell those who wait their place when it has changed, at most once a second each."""
        now = time.monotonic()
        for run_id, place in self._places().items():
            run = self.table.runs.get(run_id)
            if run is None or run.state != "queued":
                continue
            told, at = run.place_told
            if place.position != told and (at_once or now - at >= PLACES_S):
                run.place_told = (place.position, now)
                wire = self.place(run)
                self.table.tell_place(run, wire)

    # ------------------------------------------------------------------ turns

    def schedule(self) -> None:
        """Start what can start."""
        if self.table.closing.is_set():
            return
        self.scheduler.slots = max(1, self.executor.workers)
        while self.executor.free() > 0:
            chosen = self.scheduler.next(time.monotonic())
            if chosen is None or not self._launch(self.table.runs[chosen]):
                break
            self._forecast = (-1.0, {})
        self.tell_places()

    def rotate(self) -> None:
        """Ask those whose turn is over, and those who are paused, to give way to who waits."""
        if not self.scheduler.waiting or self.table.closing.is_set():
            return
        self.schedule()  # a worker that came back on its own
        now = time.monotonic()
        busy = {r.id: r for r in self.table.runs.values() if r.handle is not None}
        need = self.scheduler.waiting
        for run in busy.values():
            if run.parking and now - run.asked_at > ASK_AGAIN_S:  # it could not be saved
                run.parking = False
                self.scheduler.unask(run.id)
        for run in [r for r in busy.values() if r.state == "paused" and not r.parking][:need]:
            self.park(run, "paused")
        for run_id in self.scheduler.giving_way(now):
            run = busy.get(run_id)  # type: ignore[assignment]
            if run is not None and run.begun:
                self.park(run, "slice")

    def park(self, run: Run, reason: str) -> None:
        """Ask a run to give its worker back at the next safe point."""
        if run.handle is None or run.parking:
            return
        run.parking, run.asked_at = True, time.monotonic()
        self.scheduler.ask(run.id, run.asked_at)
        run.handle.send(commands.Park())
        level = logging.DEBUG if reason in ("slice", "paused") else logging.INFO
        log.log(level, "run parked", extra={**_facts(run, "run_parked"), "reason": reason})

    def _launch(self, run: Run) -> bool:
        """Give a run a worker; False when there is none after all."""
        self.table.note_saved(run)
        going_on = bool(run.checkpoints)
        path = run.spec.resume
        if going_on:
            path = checkpoint.step_path(run.journal.folder, run.checkpoints[-1])
        begin = run.checkpoints[-1] if going_on else (run.parent or {}).get("step") or 0
        spec = replace(
            run.spec,
            resume=path,
            going_on=going_on,
            origin=run.spec.resume,
            elapsed_s=run.progress.get("elapsed_s") or 0.0,
            paused=run.paused,
            changes=tuple(run.changes),
            memory_mb=self.policy().memory_mb,
            gpu_fraction=getattr(self.executor, "gpu_fraction", None),
        )
        run.turn += 1
        turn = run.turn
        try:
            run.handle = self.executor.start(
                spec,
                lambda meta, body: self.on_event(run, turn, meta, body),
                lambda clean: self.on_end(run, turn, clean),
            )
        except Busy:
            run.turn -= 1
            return False
        self.scheduler.begin(run.id, time.monotonic())
        run.begun = run.parking = False
        run.begin, run.replaying = begin, [c for c in run.changes if c[0] >= begin]
        self.table.status(run, "starting", None, self.place(run))
        level = logging.INFO if turn == 1 else logging.DEBUG
        facts = {"steps": run.spec.budget.max_steps, "waited_s": round(run.meter.waited, 2)}
        log.log(level, "run started", extra={**_facts(run, "run_started"), **facts})
        for command in [*run.looks.values(), *run.waiting]:
            run.handle.send(command)
        run.waiting.clear()
        return True

    # ------------------------------------------------------------------ what workers say

    def on_event(self, run: Run, turn: int, meta: dict[str, Any], body: bytes) -> None:
        """Take in one event of a run's worker."""
        table = self.table
        with table.lock:
            if run.id not in table.runs or turn != run.turn:
                return
            if not run.begun:
                self._first_word(run, meta)
            kind = meta["kind"]
            run.step = meta.get("step", run.step) or run.step
            replaces = None
            if kind == "status":
                if meta["state"] == "parked":
                    return  # `on_end` says what it means: a turn is over, or a pause rests
                replaces = passing(run, meta["state"], meta.get("message"))
                self._take_status(run, meta)
            elif kind == "progress":
                run.progress = meta
            elif kind == "saved":
                table.note_saved(run)
            elif kind == "changed" and not self._take_change(run, meta):
                return  # told before the worker died
            elif kind == "preview" and run.first_view is None and not meta["kept"]:
                run.first_view = meta["name"]
            run.log.append(meta, body, replaces)
            if replaces is None:
                run.journal.event(meta, body)
            if kind == "status":
                table.describe(run)
        table.notify(run)

    def _first_word(self, run: Run, meta: dict[str, Any]) -> None:
        """Count the turn from here; a damaged checkpoint may have sent the run further back."""
        run.begun = True
        run.meter.wait(False)
        run.meter.serve(True)
        now = time.monotonic()
        self.scheduler.restart(run.id, now)
        step = meta.get("step", 0)
        if meta["kind"] == "status" and step < run.begin and meta["state"] in ("running", "paused"):
            self.table.go_back(run, step)
            self.table.note_saved(run)
            run.replaying = [c for c in run.changes if c[0] >= step]
            run.step = step

    def _take_status(self, run: Run, meta: dict[str, Any]) -> None:
        run.state, run.message = meta["state"], meta.get("message")
        run.rewind = meta.get("rewind")
        run.meter.train(run.state == "running")
        if run.state == "diverged":
            run.step = meta["step"]
        if run.state not in ACTIVE:
            self.table.note_end(run)
            seconds = {"state": run.state, "seconds": run.progress.get("elapsed_s")}
            log.info("run ended", extra={**_facts(run, "run_ended"), **seconds})

    def _take_change(self, run: Run, meta: dict[str, Any]) -> bool:
        """Note a live change; False for one that stands in the log already."""
        change = (meta["step"], meta["field"], meta["new"])
        if change in run.replaying:  # those before it changed nothing
            del run.replaying[: run.replaying.index(change) + 1]
            known = any(
                (e["step"], e["field"], e["new"]) == change for e in run.log.of_kind("changed")
            )
            return not known
        run.changes.append(change)
        asked = (meta["field"], meta["new"])
        if asked in run.pending:
            del run.pending[: run.pending.index(asked) + 1]
        return True

    def on_end(self, run: Run, turn: int, clean: bool) -> None:
        """Take in that a worker has done with a run, or died on it."""
        with self.table.lock:
            if turn != run.turn or (run.handle is None and run.id in self.table.runs):
                return  # it was continued before its last worker had said good-bye
            cause = getattr(run.handle, "cause", None)
            run.handle, run.parking = None, False
            run.meter.wait(False)
            run.meter.serve(False)
            again = clean and self._goes_on(run)
            self.scheduler.end(run.id, time.monotonic(), again)
            self._forecast = (-1.0, {})
            if run.id not in self.table.runs:
                run.journal.delete()  # what its worker wrote while it was deleted
            elif run.state in ACTIVE:
                self._after_turn(run, clean, again, cause)
            self.schedule()

    def _goes_on(self, run: Run) -> bool:
        """Say whether a run waits for its next turn at once."""
        stays = run.paused and not run.waiting
        ends = run.sentence is not None or run.stopping or run.resting
        known = run.id in self.table.runs and run.state in _LIVE
        return known and not (stays or ends or self.is_frozen(run) or self.table.closing.is_set())

    def _after_turn(self, run: Run, clean: bool, again: bool, cause: str | None) -> None:
        if run.sentence is not None or run.stopping:
            self.table.status(run, "stopped", run.sentence)
            run.sentence, run.stopping = None, False
        elif not clean:
            self._worker_died(run, cause)
        elif run.paused or run.resting:
            self.settle(run)
            if again or run.waiting:
                self.enqueue(run)
            else:
                message = RESTING if run.resting else None
                self.table.status(run, "paused", message, self.place(run))
        else:
            self.settle(run)
            run.meter.wait(True)
            message = FROZEN if self.is_frozen(run) else None
            run.state = "queued"
            self.table.status(run, "queued", message, self.place(run))

    def _worker_died(self, run: Run, cause: str | None) -> None:
        now = time.monotonic()
        run.deaths = [t for t in run.deaths if now - t < RESTART_WINDOW_S] + [now]
        run.stuck += cause == "stuck"
        run.faults += cause == "device"
        facts = {"count": len(run.deaths), "reason": cause or "died"}
        log.warning("worker died", extra={**_facts(run, "worker_died"), **facts})
        if self.table.closing.is_set():
            self.table.status(run, "paused" if run.paused else "queued")
            return
        given_up = self._given_up(run)
        if given_up is not None:
            self.table.status(run, "failed", given_up)
            return
        self.settle(run)
        self.table.note_saved(run)
        run.step = self.table.go_back(run)
        at = f"step {run.checkpoints[-1]}" if run.checkpoints else "the start"
        what = {
            "stuck": "The worker stopped answering and was ended",
            "device": "The graphics card reported an error, so the worker was replaced",
        }.get(cause or "", "The worker died")
        self.enqueue(run, f"{what}; the run goes on from {at}.", first=True)

    def _given_up(self, run: Run) -> str | None:
        """Return the sentence with which a run fails, or None when it is tried again."""
        if run.stuck > 1:
            return STUCK
        if run.faults > 1:
            return "The graphics card reported an error twice in this run; it was given up."
        return GIVEN_UP if len(run.deaths) > RESTARTS else None

    def settle(self, run: Run) -> None:
        """Give changes that no worker has made yet the step at which the next one makes them."""
        step = max([run.step, *(c[0] for c in run.changes)])
        run.changes += [(step, name, value) for name, value in run.pending]
        run.pending.clear()


def _facts(run: Run, event: str) -> dict[str, Any]:
    pid = None if run.handle is None else run.handle.pid
    facts = {"run": run.id, "model": run.spec.model, "step": run.step, "pid": pid}
    return {"event": event, **facts}
