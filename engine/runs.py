"""All runs of this server, as the page and its routes use them.

Runs in the web process, without torch. Executors do the work; every method may be called
from any thread. Who has a worker when is `engine.turns`; what goes by the clock is
`engine.warden`; what an earlier server left is `engine.revival`.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import checkpoint, commands
from engine.errors import Busy, Rejected
from engine.events import ACTIVE
from engine.executors.base import Executor
from engine.explorations import Explorations
from engine.journal import Journal
from engine.policy import Policy
from engine.revival import take_over
from engine.run_reading import Reading
from engine.run_record import Run
from engine.run_table import RunTable
from engine.spec import Budget, RunSpec, check_budget, check_seed
from engine.starting import (
    check_dataset,
    clean,
    continued,
    describe_checkpoint,
    further,
    kept,
    memorable,
    rates,
)
from engine.turns import Turns
from engine.warden import Warden

__all__ = ["Executor", "Policy", "Run", "RunStore", "describe_checkpoint"]

log = logging.getLogger("playground.runs")

MAX_LOOKS = 8  # of one run: what its live views were told to show
MAX_KEYS = 500  # of starts that may be repeated
DEFAULT_STEPS = 3000
ROTATE_S = 0.1


class RunStore(Reading, Explorations):
    """Start, command, watch and explore runs; see the module's docstring."""

    def __init__(self, root: Path, executor: Executor, policy: Policy | None = None) -> None:
        self.root, self.executor = root, executor
        self.policy = policy or Policy()
        self.table = RunTable(root)
        self.turns = Turns(self.table, executor, lambda: self.policy)
        self.warden = Warden(self.table, self.turns, lambda: self.policy)
        self._lock, self._runs, self._get = self.table.lock, self.table.runs, self.table.get
        self._keys: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._began = time.monotonic()
        executor.on_free = self._worker_free
        take_over(self.table, self.turns, self._basis())
        threading.Thread(target=self._keep_time, name="run-turns", daemon=True).start()

    def close(self) -> None:
        """Start nothing more; the executor ends the workers."""
        self.table.closing.set()

    def park_all(self, timeout_s: float) -> int:
        """Save all runs so that the next server takes them up again; return how many it could."""
        with self._lock:
            self.table.closing.set()
            busy = [run for run in self._runs.values() if run.handle is not None]
            for run in busy:
                self.turns.park(run, "shutdown")
        deadline = time.monotonic() + timeout_s
        while any(run.handle is not None for run in busy) and time.monotonic() < deadline:
            time.sleep(0.02)
        with self._lock:
            for run in self.table.active():
                run.journal.describe(run.to_disk())
            return sum(run.handle is None for run in busy)

    def tick(self) -> None:
        """Let turns change that are over, and do what goes by the clock."""
        with self._lock:
            self.turns.rotate()
        self.warden.tick()

    def _keep_time(self) -> None:
        count = 0
        while not self.table.closing.wait(ROTATE_S):
            count += 1
            try:
                with self._lock:
                    self.turns.rotate()
                if count % 10 == 0:
                    self.warden.tick()
            except Exception:
                log.exception("a look at the clock failed; the next one follows")

    def _worker_free(self) -> None:
        with self._lock:
            self.turns.schedule()

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
        key: str = "",
    ) -> str:
        """Check a request and start it, or queue it; return the run's id.

        `resume` is {"checkpoint": name} or {"run": id, "step": n or None}. The same `key` of the
        same owner again returns the same run. Raises `Rejected`, `NotFound`, `DataError` or
        `Busy`, each with a sentence.
        """
        with self._lock:
            known = self._keys.get((owner, key)) if key else None
            if known in self._runs:
                return str(known)
        spec, path, parent, begin = self._checked(
            (model, dataset, config, seed), check_budget(max_steps, max_seconds), resume
        )
        self.policy.check(spec.config, spec.budget, begin)
        run_id = secrets.token_urlsafe(9)
        spec = replace(spec, folder=self.root / run_id, title=clean(title))
        with self._lock:
            known = self._keys.get((owner, key)) if key else None
            if known in self._runs:
                return str(known)  # the same request, a moment earlier
            self._check_quota(owner)
            if path is not None:
                spec = replace(spec, resume=kept(path, self.root / run_id))
            name = spec.title or memorable(run_id)
            run = Run(run_id, owner, spec, Journal(self.root / run_id), name, time.time())
            run.config, run.parent = spec.config, parent
            self._runs[run_id] = run
            if key:
                self._keys[owner, key] = run_id
                while len(self._keys) > MAX_KEYS:
                    self._keys.popitem(last=False)
            self.turns.enqueue(run)
        self.warden.tidy(owner)
        return run_id

    def _checked(
        self, asked: tuple[Any, ...], budget: Budget, resume: Any
    ) -> tuple[RunSpec, Path | None, dict[str, Any] | None, int]:
        """Return the specification, the start point to keep, whose it is, and its step."""
        from engine import data

        model, dataset, config, seed = asked
        if config is not None and not isinstance(config, dict):
            raise Rejected("Hyperparameters must be given as names with values.", field="config")
        if budget.max_steps is None and budget.max_seconds is None:
            budget = replace(budget, max_steps=self._default_steps())
        seed = check_seed(seed)
        path, parent = self._start_point(resume)
        begin = 0
        if path is not None:
            header = checkpoint.read_header(path)
            model, dataset = header.model, dataset or header.dataset
            config = {**header.config, **(config or {})}
            budget = further(budget, header.step)
            begin = header.step
            if parent is not None and "run" in parent:
                parent["step"] = header.step
        check_dataset(data.describe(self.root, [str(dataset)]), dataset, model)
        spec = replace(
            self._basis(),
            model=model,
            dataset=dataset,
            config=dict(config or {}),
            seed=seed,
            budget=budget,
            resume=path,
        )
        spec = replace(spec, config=spec.checked_config().to_dict())
        own = path is not None and self.root in path.parents
        return spec, path if own else None, parent, begin

    def _basis(self) -> RunSpec:
        device, threads = self.executor.device, self.executor.threads
        return RunSpec("", "", device=device, threads=threads, data_root=self.root)

    def _default_steps(self) -> int:
        most = self.policy.max_steps
        return DEFAULT_STEPS if most is None else min(DEFAULT_STEPS, most)

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
        with self._lock:
            run = self._get(resume["run"])
        return self.saved(run.id, resume.get("step")), {"run": run.id, "step": None}

    def _check_quota(self, owner: str) -> None:
        if self.table.closing.is_set():
            raise Busy("The server is being shut down; try again in a minute.")
        most = self.policy.max_under_way
        mine = [r for r in self.table.active() if r.owner == owner]
        if len(mine) >= most:
            raise Busy(
                f"You have {len(mine)} runs under way; at most {most} at once. "
                "Stop one of them first."
            )
        waiting = sum(r.state == "queued" for r in self._runs.values())
        if waiting >= self.policy.max_queued:
            raise Busy(f"{waiting} runs are waiting already; try again in a minute.")

    # ------------------------------------------------------------------ commanding

    def command(self, owner: str, run_id: str, message: dict[str, Any]) -> None:
        """Carry out a command of the run's owner.

        Beside those of `engine.commands`: {"command": "continue", "max_steps": n} goes on with
        a run that has ended, {"command": "rewind", "config": {…}} after divergence; config holds
        live hyperparameters (a "learning_rate" beside it counts as one).
        """
        with self._lock:
            run = self.table.owned(owner, run_id)
            run.seen_at = time.monotonic()
            name = message.get("command") if isinstance(message, dict) else None
            if name in ("continue", "rewind"):
                self._continue(run, message)
                return
            command = commands.from_json(message)
            if run.state not in ACTIVE:
                if not isinstance(command, (commands.Stop, commands.Pause, commands.Look)):
                    raise Rejected(f"This run is {run.state}; continue it first.", field="command")
                return
            self._note(run, command)
            if run.handle is None:
                self._command_waiting(run, command)
            elif run.parking and isinstance(command, commands.Step):
                run.waiting.append(command)  # it will be without a worker in a moment
            else:
                run.handle.send(command)

    def _note(self, run: Run, command: commands.Command) -> None:
        """Keep what a command means beyond the worker that carries it out."""
        match command:
            case commands.Set(name, value):
                config = run.checked().with_live(name, value)
                self.policy.check(config.to_dict(), Budget())
                if config.to_dict() != run.config:
                    run.pending.append((name, config.to_dict()[name]))
                run.config = config.to_dict()
                if run.handle is None:
                    self._set_waiting(run)
                run.journal.describe(run.to_disk(), sync=False)
            case commands.Pause() | commands.Step() | commands.Resume():
                run.paused = not isinstance(command, commands.Resume)
                run.resting = False
            case commands.Stop():
                run.stopping = run.handle is not None
            case commands.Look(name):
                if len(run.looks) < MAX_LOOKS or name in run.looks:
                    run.looks[name] = command

    def _set_waiting(self, run: Run) -> None:
        """Let a change of a run without a worker count from its next step, or from its start."""
        if run.turn == 0 and not run.checkpoints and not run.changes:
            run.spec = replace(run.spec, config=run.config)
            run.pending.clear()
        else:
            self.turns.settle(run)

    def _command_waiting(self, run: Run, command: commands.Command) -> None:
        """Obey for a run that has no worker now: queued, or paused and resting."""
        match command:
            case commands.Stop():
                self.turns.drop(run)
                self.table.status(run, "stopped")
            case commands.Pause():
                self.turns.drop(run)
                self.table.status(run, "paused", None, self.turns.place(run))
            case commands.Resume() | commands.Step():
                if isinstance(command, commands.Step):
                    run.waiting.append(command)
                if run.state != "queued":
                    self.turns.enqueue(run)
            case _:
                return

    def _continue(self, run: Run, message: dict[str, Any]) -> None:
        if run.state in ACTIVE:
            raise Rejected(f"This run is {run.state}: there is nothing to continue.")
        self._check_quota(run.owner)
        budget = check_budget(message.get("max_steps"), None)
        if budget.max_steps is None:
            previous = run.spec.budget.max_steps or self._default_steps()
            end = run.step + previous if run.step >= previous else previous
            most = self.policy.max_steps
            budget = Budget(max_steps=end if most is None else min(end, run.step + most))
        elif budget.max_steps <= run.step:
            budget = Budget(max_steps=run.step + budget.max_steps)
        config = run.checked()
        for name, value in rates(message).items():
            config = config.with_live(name, value)
        self.policy.check(config.to_dict(), budget, run.step)
        if run.log.cold:
            run.log.refill(run.journal.past())
        self.table.note_saved(run)
        run.step = self.table.go_back(run)
        run.config, run.spec = config.to_dict(), replace(run.spec, budget=budget)
        run.changes = continued(run)
        run.begin_again()
        self.turns.enqueue(run)

    def delete(self, owner: str, run_id: str) -> None:
        """Stop a run and delete everything of it."""
        with self._lock:
            run = self.table.owned(owner, run_id)
            self.turns.drop(run)
            del self._runs[run_id]
            handle, run.handle = run.handle, None
        if handle is not None:
            handle.kill()
        run.journal.delete()
        self.table.notify(run)

    # ------------------------------------------------------------------ by authority

    def freeze(self, owners: set[str] | None) -> None:
        """Let all runs of these owners (None: of all) stand still; see `thaw`."""
        with self._lock:
            self.turns.freeze(owners)

    def thaw(self, owners: set[str] | None) -> None:
        """Let the runs of these owners (None: of all) go on exactly as they were."""
        with self._lock:
            self.turns.thaw(owners)

    def end(self, run_id: str, sentence: str) -> None:
        """End a run, whosever it is: it is saved, stopped, and says this sentence."""
        with self._lock:
            self.warden.end(self._get(run_id), sentence)
