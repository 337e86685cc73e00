"""Warm worker processes: forked from a server that has torch imported already.

This side runs in the web process and never imports torch. A worker that dies or falls silent is
replaced, and whoever used it is told.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import Busy
from engine.executors import worker
from engine.executors.base import OnEnd, OnEvent
from engine.executors.worker_process import Handle, Worker
from engine.spec import RunSpec

__all__ = ["Handle", "OnEnd", "OnEvent", "ProcessExecutor", "Worker"]

WATCH_S = 0.5
LATE_S = 3.0  # a look that comes so late tells of this process, not of the workers
MAX_TURNS = 500  # of one worker, before it is replaced


class ProcessExecutor:
    """A pool of `workers` for runs, and one worker of its own for exploring."""

    def __init__(
        self,
        workers: int = 2,
        *,
        device: str = "auto",
        threads: int = 1,
        devices: tuple[str, ...] = (),
        gpu_fraction: float | None = None,
    ) -> None:
        """`devices` are what workers are spread over, if it is more than one."""
        self.workers, self.threads = workers, threads
        self.devices = devices or (device,)
        self.device, self.gpu_fraction = self.devices[0], gpu_fraction
        if gpu_fraction is None and self.device != "cpu":
            self.gpu_fraction = 0.9 / -(-workers // len(self.devices))
        _let_fork_server_import()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["engine.executors.unmoved", "engine.executors.preload"]
        )
        self._lock = threading.RLock()
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._explorer: Worker | None = None
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None
        self.on_free: Callable[[], None] = lambda: None

    def warm(self) -> None:
        """Start the fork server and the workers; returns at once, they get ready behind."""
        with self._lock:
            if self._explorer is None:
                self._explorer = Worker(self._context, 0, self._explorer_ended)
            while len(self._idle) + len(self._busy) < self.workers:
                self._idle.append(self._new_worker())
            self._watch()

    def free(self) -> int:
        """Return how many more runs can start now."""
        with self._lock:
            return self.workers - len(self._busy)

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Start a run in a free worker; raises `Busy` when there is none.

        `on_event(meta, json)` and at last `on_end(clean)` are called from the reading thread;
        clean is False when the worker died. A worker that has kept the run is preferred.
        """
        with self._lock:
            if self.free() <= 0 or self._closed.is_set():
                raise Busy("Every worker is busy.")
            self._watch()
            if not self._idle:
                self._idle.append(self._new_worker())
            chosen = self._choose(spec)
            self._idle.remove(chosen)
            self._busy.append(chosen)
        if len(self.devices) > 1:
            spec = replace(spec, device=chosen.device)
        handle = Handle(chosen, on_event, on_end)
        chosen.train(spec, handle)
        return handle

    def _choose(self, spec: RunSpec) -> Worker:
        """Return the idle worker that has kept the run, else one on the least busy device."""
        name = spec.folder.name if spec.folder is not None else None
        for one in self._idle:
            if name in one.keeps:
                return one
        busy = [one.device for one in self._busy]
        return min(self._idle, key=lambda one: (busy.count(one.device), len(one.keeps)))

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None = None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint in the exploring worker; see also `worker.WARM`."""
        with self._lock:
            if self._explorer is None:
                self._explorer = Worker(self._context, 0, self._explorer_ended)
            self._watch()
            return self._explorer.draw(path, view, args, root)

    def ready(self, timeout_s: float) -> bool:
        """Wait until the exploring worker is up."""
        self.warm()
        explorer = self._explorer
        return explorer is not None and explorer.ready.wait(timeout_s)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self._closed.set()
            everyone = [*self._idle, *self._busy, *([self._explorer] if self._explorer else [])]
        for one in everyone:
            one.kill()

    def describe(self) -> dict[str, Any]:
        """Return the workers as a status page shows them."""
        with self._lock:
            workers, explorer = [*self._busy, *self._idle], self._explorer
        return {
            "kind": "process",
            "workers": [one.describe() for one in workers],
            "explorer": None if explorer is None else explorer.describe(),
        }

    def _new_worker(self) -> Worker:
        """Return a new worker, for the device that has fewest."""
        there = [one.device for one in (*self._idle, *self._busy)]
        device = min(self.devices, key=there.count)
        return Worker(self._context, worker.NICE, self._worker_idle, device)

    def _worker_idle(self, one: Worker, alive: bool) -> None:
        with self._lock:
            if one in self._busy:
                self._busy.remove(one)
            if one in self._idle:
                self._idle.remove(one)
            if self._closed.is_set():
                return
            if alive and one.turns < MAX_TURNS:
                self._idle.append(one)
            else:
                if alive:
                    one.retire()
                self._idle.append(self._new_worker())
        self.on_free()

    def _explorer_ended(self, one: Worker, alive: bool) -> None:
        with self._lock:
            if not alive and not self._closed.is_set():
                self._explorer = Worker(self._context, 0, self._explorer_ended)

    # ------------------------------------------------------------------ the watchdog

    def _watch(self) -> None:
        """Begin to look after the workers."""
        if self._watching is None:
            self._watching = threading.Thread(target=self._look, name="watchdog", daemon=True)
            self._watching.start()

    def _look(self) -> None:
        looked = time.monotonic()
        while not self._closed.wait(WATCH_S):
            now = time.monotonic()
            late, looked = now - looked > LATE_S, now
            with self._lock:
                explorer = [self._explorer] if self._explorer else []
                everyone = [*self._busy, *self._idle, *explorer]
            for one in everyone:
                if late:  # this process stood still: what they said meanwhile is not read yet
                    one.heard_at = now
                else:
                    one.check(now)


def _let_fork_server_import() -> None:
    """Put this project on the path of the fork server, which knows only its working directory.

    Without it a server started from another folder would preload nothing, without a word.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *paths])
