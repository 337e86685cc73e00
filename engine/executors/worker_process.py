"""One worker process as the web process sees it: a pipe, who reads it and who writes it.

Nothing here blocks its caller: what is sent goes through a thread of its own, so that a worker
that reads nothing holds up nobody.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from engine.commands import Command, RequestPreview
from engine.errors import Busy, PlaygroundError
from engine.executors import worker
from engine.executors.base import OnEnd, OnEvent
from engine.spec import RunSpec

log = logging.getLogger("playground.workers")

SILENT_S = 15.0  # without a word, or ten times its usual gap: the worker is stuck
START_S = 180.0  # for the fork server's imports on a slow machine
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Handle:
    """How the run store talks to one run: send commands, ask for views, end it."""

    def __init__(self, owner: Worker, on_event: OnEvent, on_end: OnEnd) -> None:
        self._worker, self.on_event, self.on_end = owner, on_event, on_end
        self.cause: str | None = None  # of an end that was not clean

    def send(self, command: Command) -> None:
        """Give the run a command; it takes effect between two steps."""
        if self._here():
            self._worker.send(command)

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        """Ask the run for a view of its present weights; the answer is JSON bytes."""
        if not self._here():
            raise Busy("The run has just ended; ask again.")
        request, future = self._worker.expect()
        self._worker.send(RequestPreview(request, name, args))
        return future

    def kill(self) -> None:
        """End the worker at once; `on_end(False)` follows."""
        if self._here():
            self._worker.kill()

    def _here(self) -> bool:
        """Say whether the worker is still with this run; it may have taken the next one."""
        return self._worker.handle is self

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._worker.pid


class Worker:
    """One worker process, the thread that reads from it and the one that writes to it."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        context: ForkServerContext,
        nice: int,
        on_idle: Callable[[Worker, bool], None],
        device: str = "auto",
    ) -> None:
        self.device = device
        self.pid: int | None = None
        self.ready = threading.Event()
        self.alive = True
        self.handle: Handle | None = None
        self.keeps: frozenset[str] = frozenset()  # runs that it has parked and not forgotten
        self.turns = 0
        self.heard_at = time.monotonic()
        self._gap = 0.0  # between two words, as a moving mean
        self._given_up = False
        self._job: RunSpec | None = None
        self._unwanted = False
        self._on_idle = on_idle
        self._answers: dict[int, Future[bytes]] = {}
        self._lock = threading.Lock()
        self._context, self._nice = context, nice
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._live, name="worker", daemon=True).start()

    def train(self, spec: RunSpec, handle: Handle) -> None:
        """Give the worker a run."""
        self.handle, self._job = handle, spec
        self.heard_at = time.monotonic()
        self.turns += 1
        self.send(("train", spec))

    def draw(self, path: Path, view: str, args: dict[str, Any], root: Path | None) -> Future[bytes]:
        """Ask for a view of a checkpoint; the answer is JSON bytes."""
        request, future = self.expect()
        self.send(("draw", request, path, view, args, root))
        return future

    def expect(self) -> tuple[int, Future[bytes]]:
        """Return a request number and the future that its answer will fill."""
        request, future = next(self._numbers), Future[bytes]()
        with self._lock:
            if self.handle is None and not self._answers:
                self.heard_at = time.monotonic()
            self._answers[request] = future
        return request, future

    def send(self, message: Any) -> None:
        """Send as soon as the worker is there and reads; returns at once."""
        self._outbox.put(message)

    def kill(self) -> None:
        """End the process at once, or as soon as it is there."""
        self._unwanted = True
        if self.pid is not None and self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def retire(self) -> None:
        """End an idle process that is to be replaced."""
        self._on_idle = lambda one, alive: None
        self.kill()

    def check(self, now: float) -> None:
        """End the process if it is with a job and has not been heard of for too long."""
        if not self.ready.is_set():
            if now - self.heard_at > START_S:
                self._give_up("did not start")
        elif self.handle is None and not self._answers:
            return  # nothing to say
        elif now - self.heard_at > max(SILENT_S, 10 * self._gap):
            self._give_up("stuck")

    def describe(self) -> dict[str, Any]:
        """Return what a status page shows of this worker."""
        job = self._job
        busy = self.handle is not None and job is not None
        state = "training" if busy else "idle" if self.ready.is_set() else "starting"
        return {
            "pid": self.pid,
            "run": job.folder.name if busy and job and job.folder else None,
            "model": job.model if busy and job else None,
            "state": state if self.alive else "dead",
            "rss_mb": rss_mb(self.pid),
            "beat_s": round(time.monotonic() - self.heard_at, 1) if busy else None,
            "device": self.device,
        }

    # ------------------------------------------------------------------ inside

    def _give_up(self, why: str) -> None:
        """End the process; SIGTERM, which it ignores (see `unmoved`), would do nothing."""
        if not self._given_up:
            self._given_up = True
            log.warning("worker %s: %s; it is ended", self.pid, why)
            if self.handle is not None:
                self.handle.cause = "stuck"
            self.kill()

    def _live(self) -> None:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=worker.main, args=(there, self._nice), daemon=True, name="playground-worker"
        )
        try:
            with suppress(EOFError, ConnectionResetError, OSError):
                process.start()
                there.close()
                self._read(here)
        finally:  # whatever went wrong, those who count on this worker hear of its end
            self._gone(process)

    def _gone(self, process: Any) -> None:
        """Tell those who waited for this worker that it is no more."""
        self.alive = False
        self._outbox.put(None)
        if process.pid is not None:
            if self.pid is not None and process.is_alive():
                process.kill()
            process.join(2.0)
        self._fail_answers()
        handle, self.handle = self.handle, None
        self._on_idle(self, False)
        if handle is not None:
            handle.on_end(False)

    def _write(self, pipe: Connection) -> None:
        """Send what is in the outbox, until the process has died."""
        while (message := self._outbox.get()) is not None:
            try:
                pipe.send(message)
            except (BrokenPipeError, OSError):
                return  # its death is noticed, and told, by the reading thread

    def _read(self, pipe: Connection) -> None:
        _, self.pid = pipe.recv()
        if self._unwanted:
            self.kill()
        self.heard_at = time.monotonic()
        self.ready.set()
        threading.Thread(target=self._write, args=(pipe,), name="to-worker", daemon=True).start()
        while True:
            message = pipe.recv()
            self._heard()
            match message:
                case ("event", {"kind": "answer", "request": request, "error": error}, body):
                    self._answer(request, body if error is None else None, error, 400)
                case ("event", meta, body):
                    if self.handle is not None:
                        self.handle.on_event(meta, body)
                case ("answer", request, body, sentence, status):
                    self._answer(request, body, sentence, status)
                case ("sick", sentence):
                    log.warning("worker %s: %s", self.pid, sentence)
                    if self.handle is not None:
                        self.handle.cause = "device"
                case ("done", keeps):
                    self._done(keeps)

    def _heard(self) -> None:
        now = time.monotonic()
        self._gap = 0.9 * self._gap + 0.1 * min(now - self.heard_at, 60.0)
        self.heard_at = now

    def _done(self, keeps: list[str]) -> None:
        self.keeps = frozenset(keeps)
        handle, self.handle = self.handle, None
        self._fail_answers()
        self._on_idle(self, True)
        if handle is not None:
            handle.on_end(True)

    def _answer(self, request: int, body: bytes | None, sentence: str | None, status: int) -> None:
        with self._lock:
            future = self._answers.pop(request, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if body is not None:
            future.set_result(body)
        else:
            error = PlaygroundError(sentence or "The view could not be drawn.")
            error.status = status
            future.set_exception(error)

    def _fail_answers(self) -> None:
        with self._lock:
            waiting, self._answers = list(self._answers.values()), {}
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(Busy("The model is just being put away; ask again."))


def rss_mb(pid: int | None) -> float | None:
    """Return the resident memory of a process in MB; None where that cannot be read."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return round(pages * PAGE / 2**20, 1)
