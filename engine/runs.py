"""All runs of this server: owners, quota, queue, slices, events, what is on disk.

Runs in the web process, without torch. Executors do the work; every method may be called
from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from engine import checkpoint, commands
from engine.errors import Busy, DataError, Forbidden, NoSpace, NotFound, PlaygroundError, Rejected
from engine.eventlog import Entry, EventLog
from engine.events import ACTIVE, Status
from engine.executors.process import Handle, OnEnd, OnEvent
from engine.executors.worker import CHECK
from engine.journal import Journal
from engine.registry import check_fit
from engine.spec import Budget, RunSpec, check_budget, check_seed

log = logging.getLogger("playground.runs")

MAX_ACTIVE = 3  # runs of one owner at once: running, paused or waiting
MAX_QUEUE = 64
MAX_KEPT = 20  # ended runs of one owner that stay on disk
CHECK_S = 30  # an uploaded checkpoint is looked at for so long
MAX_LOOKS = 8  # of one run: what its live views were told to show
SLICE_S = 10.0  # while others wait
RESTARTS = 2  # after a worker's death, within RESTART_WINDOW_S
RESTART_WINDOW_S = 60.0
DEFAULT_STEPS = 3000
_PUT_AWAY = (409, 429)  # how a worker answers for a run that has just left it


class Executor(Protocol):
    """Where runs go; see `engine.executors.process`."""

    device: str
    threads: int

    def free(self) -> int:
        """Return how many more runs can start now."""

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Start a run in a free worker."""

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint."""


@dataclass
class Run:
    """One run as the store knows it."""

    id: str
    owner: str
    spec: RunSpec
    journal: Journal
    title: str
    created: float
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
    slice_began: float = 0.0
    paused: bool = False  # what the owner asked for last; the worker follows
    waiting: list[commands.Command] = field(default_factory=list)  # for the next worker
    looks: dict[str, commands.Look] = field(default_factory=dict)
    deaths: list[float] = field(default_factory=list)
    watchers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)

    def to_disk(self) -> dict[str, Any]:
        """Return what `run.json` holds."""
        spec = self.spec
        return {
            "id": self.id,
            "owner": self.owner,
            "model": spec.model,
            "dataset": spec.dataset,
            "config": spec.config,
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
        }


class RunStore:
    """Start, command, watch and explore runs; see the module's docstring."""

    def __init__(self, root: Path, executor: Executor) -> None:
        self.root, self.executor = root, executor
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._queue: list[str] = []
        self._closed = threading.Event()
        executor.on_free = self._schedule  # type: ignore[attr-defined]
        self._load()
        threading.Thread(target=self._keep_time, name="run-slices", daemon=True).start()

    def close(self) -> None:
        """Start nothing more; the executor ends the workers."""
        self._closed.set()

    def _keep_time(self) -> None:
        while not self._closed.wait(1.0):
            self.tick()

    # ------------------------------------------------------------------ starting

    def start(
        self,
        owner: str,
        model: str,
        dataset: str,
        config: dict[str, Any] | None = None,
        seed: Any = 0,
        max_steps: Any = None,
        max_seconds: Any = None,
        resume: Any = None,
        title: str = "",
    ) -> str:
        """Check a request and start it, or queue it; return the run's id.

        `resume` is {"checkpoint": name} or {"run": id, "step": n or None}. Raises `Rejected`,
        `NotFound`, `DataError` or `Busy`, each with a sentence.
        """
        from engine import data

        if config is not None and not isinstance(config, dict):
            raise Rejected("Hyperparameters must be given as names with values.", field="config")
        budget = check_budget(max_steps, max_seconds)
        if budget.max_steps is None and budget.max_seconds is None:
            budget = replace(budget, max_steps=DEFAULT_STEPS)
        seed = check_seed(seed)
        path, parent = self._start_point(resume)
        if path is not None:
            header = checkpoint.read_header(path)
            model, dataset = header.model, dataset or header.dataset
            config = {**header.config, **(config or {})}
            budget = _further(budget, header.step)
            if parent is not None and "run" in parent:
                parent["step"] = header.step
        _check_dataset(data.describe(self.root, [str(dataset)]), dataset, model)
        run_id = secrets.token_urlsafe(9)
        spec = RunSpec(
            model=model,
            dataset=dataset,
            config=dict(config or {}),
            seed=seed,
            budget=budget,
            device=self.executor.device,
            threads=self.executor.threads,
            resume=path,
            folder=self.root / run_id,
            data_root=self.root,
            title=_clean(title),
        )
        spec = replace(spec, config=spec.checked_config().to_dict())
        with self._lock:
            self._check_quota(owner)
            if path is not None and parent is not None and "run" in parent:
                spec = replace(spec, resume=_kept(path, self.root / run_id))
            run = Run(
                run_id,
                owner,
                spec,
                Journal(self.root / run_id),
                spec.title or _memorable(run_id),
                time.time(),
                parent=parent,
            )
            self._runs[run_id] = run
            self._enqueue(run)
        self._tidy(owner)
        return run_id

    def _start_point(self, resume: Any) -> tuple[Path | None, dict[str, Any] | None]:
        if resume is None:
            return None, None
        if not isinstance(resume, dict) or not ({"checkpoint", "run"} & set(resume)):
            raise Rejected(
                'A start point is {"checkpoint": name} or {"run": id, "step": n}.', field="resume"
            )
        if "checkpoint" in resume:
            path = self.checkpoint_path(resume["checkpoint"])
            return path, {"checkpoint": resume["checkpoint"], "step": None}
        run = self._get(resume["run"])
        return self.saved(run.id, resume.get("step")), {"run": run.id, "step": None}

    def _check_quota(self, owner: str) -> None:
        mine = [r for r in self._runs.values() if r.owner == owner and r.state in ACTIVE]
        if len(mine) >= MAX_ACTIVE:
            raise Busy(
                f"You have {len(mine)} runs under way; at most {MAX_ACTIVE} at once. "
                "Stop one of them first."
            )
        if len(self._queue) >= MAX_QUEUE:
            raise Busy(f"{len(self._queue)} runs are waiting already; try again in a minute.")

    # ------------------------------------------------------------------ commanding

    def command(self, owner: str, run_id: str, message: dict[str, Any]) -> None:
        """Carry out a command of the run's owner.

        Beside those of `engine.commands`: {"command": "continue", "max_steps": n} goes on with
        a run that has ended, {"command": "rewind", "config": {…}} after divergence; config holds
        live hyperparameters (a "learning_rate" beside it counts as one).
        """
        with self._lock:
            run = self._owned(owner, run_id)
            name = message.get("command") if isinstance(message, dict) else None
            if name in ("continue", "rewind"):
                self._continue(run, message)
                return
            command = commands.from_json(message)
            if isinstance(command, commands.Set):
                config = run.spec.checked_config().with_live(command.field, command.value)
                run.spec = replace(run.spec, config=config.to_dict())
            if isinstance(command, (commands.Pause, commands.Step, commands.Resume)):
                run.paused = not isinstance(command, commands.Resume)
            room = len(run.looks) < MAX_LOOKS
            if isinstance(command, commands.Look) and (room or command.name in run.looks):
                run.looks[command.name] = command
            if run.handle is not None and run.state in ACTIVE:
                run.handle.send(command)
            elif run.state in ACTIVE:
                self._command_waiting(run, command)
            elif not isinstance(command, (commands.Stop, commands.Pause, commands.Look)):
                raise Rejected(f"This run is {run.state}; continue it first.", field="command")

    def _command_waiting(self, run: Run, command: commands.Command) -> None:
        """Obey for a run that has no worker now: queued, or paused and resting."""
        match command:
            case commands.Stop():
                self._drop_from_queue(run)
                self._status(run, "stopped")
            case commands.Pause():
                self._drop_from_queue(run)
                self._status(run, "paused")
            case commands.Resume() | commands.Step():
                if isinstance(command, commands.Step):
                    run.waiting.append(command)
                if run.id not in self._queue:
                    self._enqueue(run)
            case _:
                return

    def _continue(self, run: Run, message: dict[str, Any]) -> None:
        if run.state in ACTIVE:
            raise Rejected(f"This run is {run.state}: there is nothing to continue.")
        self._check_quota(run.owner)
        budget = check_budget(message.get("max_steps"), None)
        if budget.max_steps is None:
            previous = run.spec.budget.max_steps or DEFAULT_STEPS
            ended = run.step >= previous
            budget = Budget(max_steps=run.step + previous if ended else previous)
        elif budget.max_steps <= run.step:
            budget = Budget(max_steps=run.step + budget.max_steps)
        config = run.spec.checked_config()
        for name, value in _rates(message).items():
            config = config.with_live(name, value)
        run.step = self._go_back(run)
        run.spec = replace(run.spec, config=config.to_dict(), budget=budget)
        run.paused = False
        run.rewind, run.message = None, None
        run.deaths.clear()
        self._enqueue(run)

    def delete(self, owner: str, run_id: str) -> None:
        """Stop a run and delete everything of it."""
        with self._lock:
            run = self._owned(owner, run_id)
            self._drop_from_queue(run)
            del self._runs[run_id]
            handle, run.handle = run.handle, None
        if handle is not None:
            handle.kill()
        run.journal.delete()
        self._notify(run)

    # ------------------------------------------------------------------ reading

    def view(self, run_id: str, owner: str = "") -> dict[str, Any]:
        """Return what the page shows of a run; anyone who has its id may look."""
        with self._lock:
            return self._view(self._get(run_id), owner)

    def list(self, owner: str) -> Sequence[dict[str, Any]]:
        """Return the owner's runs, newest first."""
        with self._lock:
            mine = [r for r in self._runs.values() if r.owner == owner and owner]
            mine.sort(key=lambda r: -r.created)
            return [self._view(r, owner) for r in mine]

    def events(self, run_id: str, after: int) -> Sequence[Entry]:
        """Return the events after a number."""
        with self._lock:
            return self._get(run_id).log.after(after)

    async def wait(self, run_id: str, after: int, timeout_s: float) -> bool:
        """Wait until there are events after a number; False when the time is over."""
        with self._lock:
            run = self._get(run_id)
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

    def timeline(self, run_id: str, after_step: int = -1) -> bytes:
        """Return the kept frames as JSON."""
        with self._lock:
            return self._get(run_id).log.timeline(after_step)

    def metrics(self, run_id: str) -> Sequence[dict[str, Any]]:
        """Return all metrics of a run, oldest first."""
        with self._lock:
            return self._get(run_id).log.metrics()

    def spec(self, run_id: str) -> RunSpec:
        """Return the run's specification."""
        with self._lock:
            return self._get(run_id).spec

    def saved(self, run_id: str, step: Any = None) -> Path:
        """Return the newest checkpoint at or before `step`, or raise `NotFound`."""
        with self._lock:
            run = self._get(run_id)
        kept = checkpoint.saved_steps(run.journal.folder)
        if step is not None:
            if isinstance(step, bool) or not isinstance(step, int) or step < 0:
                raise Rejected(f"step must be a whole number; got {step!r:.40}.", field="step")
            kept = {at: path for at, path in kept.items() if at <= step}
        if not kept:
            raise NotFound("This run has no checkpoint there yet.")
        return kept[max(kept)]

    # ------------------------------------------------------------------ exploring

    def explore(self, source: Any, view: Any, args: Any) -> Future[bytes]:
        """Draw a view of {"checkpoint": name} or {"run": id}; the answer is JSON bytes."""
        if not isinstance(args, dict) or not isinstance(view, str) or not view:
            raise Rejected("A view needs a name and arguments.", field="args")
        if not isinstance(source, dict):
            raise Rejected('A source is {"checkpoint": name} or {"run": id}.', field="source")
        if "run" in source:
            with self._lock:
                run = self._get(source["run"])
                handle = run.handle
                if handle is not None and run.state in ("running", "paused"):
                    with contextlib.suppress(Busy):  # it has ended: its saved state answers
                        live = handle.request(view, args)
                        return self._or_saved(live, run.id, view, args)
            return self.executor.explore(self.saved(run.id), view, args, self.root)
        path = self.checkpoint_path(source.get("checkpoint"))
        return self.executor.explore(path, view, args, self.root)

    def _or_saved(
        self, live: Future[bytes], run_id: str, view: str, args: dict[str, Any]
    ) -> Future[bytes]:
        """Return the live answer; the saved state's when the run ended before it answered."""
        answer = Future[bytes]()

        def pass_on(source: Future[bytes]) -> None:
            error = source.exception()
            if error is None:
                answer.set_result(source.result())
            else:
                answer.set_exception(error)

        def arrived(source: Future[bytes]) -> None:
            error = source.exception()
            if isinstance(error, PlaygroundError) and error.status in _PUT_AWAY:
                try:
                    saved = self.saved(run_id)
                    self.executor.explore(saved, view, args, self.root).add_done_callback(pass_on)
                    return
                except PlaygroundError:
                    pass  # nothing was saved: the first answer stands
            pass_on(source)

        answer.set_running_or_notify_cancel()
        live.add_done_callback(arrived)
        return answer

    def checkpoint_path(self, name: Any) -> Path:
        """Return the path of a shipped or an uploaded checkpoint, or raise `NotFound`."""
        if isinstance(name, str) and name.startswith("upload/"):
            safe = name.removeprefix("upload/")
            path = self.root / "uploads" / f"{safe}.safetensors"
            if safe.replace("-", "").replace("_", "").isalnum() and path.exists():
                return path
        return checkpoint.find(name)

    def import_checkpoint(self, content: bytes) -> dict[str, Any]:
        """Keep an uploaded checkpoint after checking it; return its name and description.

        The tensors are checked in the exploring worker. Raises `CheckpointError`, `DataError`
        or `Busy`, each with a sentence; the file is then gone again.
        """
        token = secrets.token_urlsafe(9).replace("-", "a").replace("_", "b")
        path = self.root / "uploads" / f"{token}.safetensors"
        checkpoint.write_atomically(path, content)
        try:
            header = checkpoint.read_header(path)
            self.executor.explore(path, CHECK, {}, self.root).result(CHECK_S)
        except FutureTimeout:
            path.unlink(missing_ok=True)
            raise Busy(f"The file could not be checked within {CHECK_S} s; try again.") from None
        except PlaygroundError as error:
            path.unlink(missing_ok=True)
            sentence = error.sentence.replace(path.name, "The file")
            raise type(error)(sentence) from error
        return describe_checkpoint(f"upload/{token}", header)

    # ------------------------------------------------------------------ inside

    def _get(self, run_id: Any) -> Run:
        run = self._runs.get(run_id) if isinstance(run_id, str) else None
        if run is None:
            raise NotFound("There is no run with this id; it may have been deleted.")
        return run

    def _owned(self, owner: str, run_id: Any) -> Run:
        run = self._get(run_id)
        if not owner or not secrets.compare_digest(run.owner.encode(), owner.encode()):
            raise Forbidden("This run is someone else's: you can watch it, and fork it.")
        return run

    def _view(self, run: Run, owner: str) -> dict[str, Any]:
        progress = run.progress
        position = self._queue.index(run.id) + 1 if run.id in self._queue else None
        return {
            "id": run.id,
            "model": run.spec.model,
            "dataset": run.spec.dataset,
            "title": run.title,
            "config": run.spec.config,
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
            "position": position,
            "eta_s": None if position is None else self._wait_s(position),
            "message": run.message or run.journal.problem,
            "owner_is_you": bool(owner) and run.owner == owner,
            "last_seq": run.log.last_seq,
            "created": run.created,
            "parent": run.parent,
            "rewind": run.rewind,
            "checkpoints": [{"step": s, "name": f"step {s}"} for s in run.checkpoints],
        }

    def _wait_s(self, position: int) -> float:
        """Estimate the wait: the running ones end, or give way after a slice, one by one."""
        running = [r for r in self._runs.values() if r.handle is not None]
        turns = []
        for run in running:
            left = run.progress.get("remaining_s")
            used = time.monotonic() - run.slice_began
            turns.append(min(SLICE_S, left if left is not None else SLICE_S, SLICE_S - used))
        first = max(0.0, min(turns, default=0.0))
        return round(first + (position - 1) * SLICE_S / max(1, len(running)), 1)

    def _enqueue(self, run: Run) -> None:
        self._queue.append(run.id)
        self._status(run, "queued")
        self._schedule()

    def _drop_from_queue(self, run: Run) -> None:
        if run.id in self._queue:
            self._queue.remove(run.id)
            self._schedule()  # those behind it learn their new place

    def _schedule(self) -> None:
        """Start what can start; ask the longest-running ones to give way to those who wait."""
        with self._lock:
            if self._closed.is_set():
                return
            while self._queue and self.executor.free() > 0:
                self._launch(self._runs[self._queue.pop(0)])
            for position, run_id in enumerate(self._queue, 1):
                run = self._runs[run_id]
                extra = {"position": position, "eta_s": self._wait_s(position)}
                self._append_status(run, "queued", extra=extra)

    def tick(self) -> None:
        """Once a second: end slices that are over while others wait."""
        with self._lock:
            if not self._queue:
                return
            now = time.monotonic()
            busy = [r for r in self._runs.values() if r.handle is not None]
            over = [r for r in busy if r.state == "paused" or now - r.slice_began >= SLICE_S]
            over.sort(key=lambda r: (r.state != "paused", r.slice_began))
            for run in over[: len(self._queue)]:
                if run.handle is not None:
                    run.handle.send(commands.Park())

    def _launch(self, run: Run) -> None:
        path = run.spec.resume
        if run.checkpoints:
            path = self.saved(run.id)
        elapsed = run.progress.get("elapsed_s") or 0.0
        spec = replace(run.spec, resume=path, elapsed_s=elapsed, paused=run.paused)
        run.slice_began = time.monotonic()
        self._status(run, "starting")
        run.turn += 1
        turn = run.turn

        def on_event(meta: dict[str, Any], body: bytes) -> None:
            self._on_event(run, turn, meta, body)

        def on_end(clean: bool) -> None:
            self._on_end(run, turn, clean)

        run.handle = self.executor.start(spec, on_event, on_end)
        for command in [*run.looks.values(), *run.waiting]:
            run.handle.send(command)
        run.waiting.clear()

    def _on_event(self, run: Run, turn: int, meta: dict[str, Any], body: bytes) -> None:
        with self._lock:
            if run.id not in self._runs or turn != run.turn:
                return
            kind = meta["kind"]
            run.step = meta.get("step", run.step) or run.step
            if kind == "status":
                if meta["state"] == "parked":
                    return  # `_on_end` says what it means: a turn is over, or a pause rests
                run.state, run.message = meta["state"], meta.get("message")
                run.rewind = meta.get("rewind")
                if meta["state"] == "diverged":
                    run.step = meta["step"]
            elif kind == "progress":
                run.progress = meta
            elif kind == "saved":
                self._note_saved(run)
            run.log.append(meta, body)
            run.journal.event(meta, body)
            if kind == "status":
                run.journal.describe(run.to_disk())
        self._notify(run)

    def _on_end(self, run: Run, turn: int, clean: bool) -> None:
        with self._lock:
            if turn != run.turn:
                return  # it was continued before its last worker had said good-bye
            run.handle = None
            if run.id not in self._runs:
                run.journal.delete()  # what its worker wrote while it was deleted
            elif not clean:
                self._worker_died(run)
            elif run.state in ("running", "starting", "paused"):  # its slice was over
                if run.paused:
                    self._status(run, "paused")
                else:
                    self._enqueue(run)
        self._schedule()

    def _worker_died(self, run: Run) -> None:
        now = time.monotonic()
        run.deaths = [t for t in run.deaths if now - t < RESTART_WINDOW_S] + [now]
        log.warning("the worker of run %s died (%d times lately)", run.id, len(run.deaths))
        if len(run.deaths) > RESTARTS:
            self._status(run, "failed", "The run's worker died again and again; it was given up.")
            return
        self._note_saved(run)
        self._go_back(run)
        at = f"step {run.checkpoints[-1]}" if run.checkpoints else "the start"
        self._append_status(run, "queued", f"The worker died; the run goes on from {at}.")
        self._queue.insert(0, run.id)
        run.state = "queued"

    def _go_back(self, run: Run) -> int:
        """Take back curves and pictures after the step that the run goes on from; return it."""
        start = (run.parent or {}).get("step") or 0
        step: int = max(run.checkpoints, default=start)
        run.log.forget_after(step)
        run.journal.forget_after(step)
        return step

    def _note_saved(self, run: Run) -> None:
        run.checkpoints = list(checkpoint.saved_steps(run.journal.folder))

    def _status(self, run: Run, state: str, message: str | None = None) -> None:
        run.state, run.message = state, message
        self._append_status(run, state, message)
        run.journal.describe(run.to_disk())

    def _append_status(
        self,
        run: Run,
        state: str,
        message: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        wire = Status(run.step, state, message, None, extra or {}).to_wire()  # type: ignore[arg-type]
        run.log.append(wire, json.dumps(wire).encode())
        self._notify(run)

    def _notify(self, run: Run) -> None:
        with self._lock:
            watchers, run.watchers = run.watchers, set()
        for loop, arrived in watchers:
            with contextlib.suppress(RuntimeError):  # the loop has ended with its server
                loop.call_soon_threadsafe(arrived.set)

    def _tidy(self, owner: str) -> None:
        """Delete the oldest ended runs of an owner beyond the number that is kept."""
        with self._lock:
            ended = [r for r in self._runs.values() if r.owner == owner and r.state not in ACTIVE]
            ended.sort(key=lambda r: r.created)
            gone = ended[: max(0, len(ended) - MAX_KEPT)]
            for run in gone:
                del self._runs[run.id]
        for run in gone:
            run.journal.delete()

    def _load(self) -> None:
        """Take over the runs that an earlier server left; those under way are `interrupted`."""
        for path in sorted(self.root.glob("*/run.json")):
            try:
                found, past = Journal(path.parent).read()
                run = self._from_disk(found, path.parent)
            except (OSError, ValueError, KeyError, TypeError, PlaygroundError) as error:
                log.warning("run %s on disk cannot be read: %s", path.parent.name, error)
                continue
            for meta, body in past:
                run.log.append(meta, body)
            # a page that comes back knows larger numbers of the earlier server's events
            run.log.next_seq = max(run.log.next_seq, time.time_ns() // 1_000_000)
            for stale in path.parent.glob("*.tmp.*"):
                stale.unlink(missing_ok=True)
            self._runs[run.id] = run
            if run.state in ACTIVE:
                self._status(run, "interrupted", "The server was restarted; continue the run.")

    def _from_disk(self, found: dict[str, Any], folder: Path) -> Run:
        spec = RunSpec(
            model=found["model"],
            dataset=found["dataset"],
            config=found["config"],
            seed=found["seed"],
            budget=Budget(found["max_steps"], found["max_seconds"]),
            device=self.executor.device,
            threads=self.executor.threads,
            folder=folder,
            data_root=self.root,
            title=found["title"],
            resume=_start_point_there(found.get("resume")),
        )
        spec.checked_config()
        run = Run(
            found["id"], found["owner"], spec, Journal(folder), found["title"], found["created"]
        )
        run.state, run.step, run.message = found["state"], found["step"], found["message"]
        run.parent, run.rewind = found["parent"], found["rewind"]
        self._note_saved(run)
        return run


def _kept(path: Path, folder: Path) -> Path:
    """Give a fork its own start point: the parent may prune it, or go, while the fork waits."""
    own = folder / "start.safetensors"  # no step-*.safetensors: it is none of the fork's own
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, own)
        except OSError:  # a file system without links
            shutil.copyfile(path, own)
    except OSError as error:
        raise NoSpace(
            f"The fork's start could not be kept ({os.strerror(error.errno or 5)}); "
            "free some disk space."
        ) from error
    return own


def _start_point_there(path: str | None) -> Path | None:
    """Return where a fork began, if that checkpoint is still there."""
    return Path(path) if path is not None and Path(path).is_file() else None


def _check_dataset(known: list[dict[str, Any]], key: Any, model: str) -> None:
    """Raise `DataError` when a data set is not here or not for this model."""
    for info in known:
        if info["key"] == key:
            if not info["available"]:
                raise DataError(info["reason"] or f"{key} is not on this machine.", "dataset")
            check_fit(model, info["title"], info["kind"], info["models"])
            return
    names = ", ".join(info["key"] for info in known)
    raise DataError(f"There is no data set {key!r:.60}; known are {names}.", field="dataset")


def describe_checkpoint(name: str, header: checkpoint.Header) -> dict[str, Any]:
    """Return what the page shows of a checkpoint."""
    return {
        "name": name,
        "model": header.model,
        "dataset": header.dataset,
        "config": header.config,
        "metrics": header.metrics,
        "step": header.step,
        "seed": header.seed,
        "title": header.title or name,
        "command": header.command,
        "class_names": list(header.class_names),
        "shape": list(header.shape),
    }


def _rates(message: dict[str, Any]) -> dict[str, Any]:
    """Return the live hyperparameters that a run goes on with."""
    config = message.get("config") or {}
    if not isinstance(config, dict):
        raise Rejected("config must hold hyperparameters by name.", field="config")
    rate = message.get("learning_rate")
    return config if rate is None else {"learning_rate": rate, **config}


def _further(budget: Budget, step: int) -> Budget:
    """Count a fork's steps from its start point when the budget lies behind it."""
    if budget.max_steps is not None and budget.max_steps <= step:
        return replace(budget, max_steps=step + budget.max_steps)
    return budget


def _clean(title: Any) -> str:
    text = title if isinstance(title, str) else ""
    return "".join(c for c in text if c.isprintable())[:60].strip()


_FIRST = ("amber", "brisk", "calm", "deep", "eager", "gentle", "hazel", "keen", "lively", "noble")
_LAST = ("birch", "comet", "dune", "ember", "fjord", "grove", "heron", "iris", "lark", "maple")


def _memorable(run_id: str) -> str:
    """Return a name that a person can remember, made from the id."""
    number = int.from_bytes(run_id.encode(), "big")
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number // 31 % len(_LAST)]}"
