"""Warm worker processes: forked from a server that has torch imported already.

This side runs in the web process and never imports torch. One thread reads each worker's
pipe; a worker that dies is replaced, and whoever used it is told.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from engine.commands import Command, RequestPreview
from engine.errors import Busy, PlaygroundError
from engine.executors import worker
from engine.spec import RunSpec

OnEvent = Callable[[dict[str, Any], bytes], None]
OnEnd = Callable[[bool], None]


class Handle:
    """How the run store talks to one run: send commands, ask for views, end it."""

    def __init__(self, owner: Worker, on_event: OnEvent, on_end: OnEnd) -> None:
        self._worker, self.on_event, self.on_end = owner, on_event, on_end

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
    """One worker process, and the thread that reads from it."""

    _numbers = itertools.count(1)

    def __init__(
        self, context: ForkServerContext, nice: int, on_idle: Callable[[Worker, bool], None]
    ) -> None:
        self.pid: int | None = None
        self.ready = threading.Event()
        self.alive = True
        self._unwanted = False
        self.handle: Handle | None = None
        self._on_idle = on_idle
        self._answers: dict[int, Future[bytes]] = {}
        self._lock = threading.Lock()
        self._context, self._nice = context, nice
        self._pipe: Connection | None = None
        self._waiting: list[Any] = []
        threading.Thread(target=self._live, name="worker", daemon=True).start()

    def train(self, spec: RunSpec, handle: Handle) -> None:
        """Give the worker a run."""
        self.handle = handle
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
            self._answers[request] = future
        return request, future

    def send(self, message: Any) -> None:
        """Send, or keep until the worker is there."""
        with self._lock:
            if self._pipe is None:
                self._waiting.append(message)
                return
            try:
                self._pipe.send(message)
            except (BrokenPipeError, OSError):
                return  # its death is noticed, and told, by the reading thread

    def kill(self) -> None:
        """End the process at once, or as soon as it is there."""
        self._unwanted = True
        if self.pid is not None and self.alive:
            try:
                os.kill(self.pid, 9)
            except ProcessLookupError:
                return

    def _live(self) -> None:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=worker.main, args=(there, self._nice), daemon=True, name="playground-worker"
        )
        process.start()
        there.close()
        try:
            self._read(here)
        except (EOFError, ConnectionResetError, OSError):
            self.alive = False
        process.join(2.0)
        self._fail_answers()
        handle, self.handle = self.handle, None
        self._on_idle(self, False)
        if handle is not None:
            handle.on_end(False)

    def _read(self, pipe: Connection) -> None:
        _, self.pid = pipe.recv()
        if self._unwanted:
            self.kill()
        with self._lock:
            self._pipe = pipe
            for message in self._waiting:
                pipe.send(message)
            self._waiting.clear()
        self.ready.set()
        while True:
            message = pipe.recv()
            match message:
                case ("event", {"kind": "answer", "request": request, "error": error}, body):
                    self._answer(request, body if error is None else None, error, 400)
                case ("event", meta, body):
                    if self.handle is not None:
                        self.handle.on_event(meta, body)
                case ("answer", request, body, sentence, status):
                    self._answer(request, body, sentence, status)
                case ("done",):
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


class ProcessExecutor:
    """A pool of `workers` for runs, and one worker of its own for exploring."""

    def __init__(self, workers: int = 2, *, device: str = "auto", threads: int = 1) -> None:
        self.workers, self.device, self.threads = workers, device, threads
        _let_fork_server_import()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["engine.executors.preload"])
        self._lock = threading.RLock()
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._explorer: Worker | None = None
        self._closed = False
        self.on_free: Callable[[], None] = lambda: None

    def warm(self) -> None:
        """Start the fork server and the workers; returns at once, they get ready behind."""
        with self._lock:
            if self._explorer is None:
                self._explorer = Worker(self._context, 0, self._explorer_ended)
            while len(self._idle) + len(self._busy) < self.workers:
                self._idle.append(Worker(self._context, worker.NICE, self._worker_idle))

    def free(self) -> int:
        """Return how many more runs can start now."""
        with self._lock:
            return self.workers - len(self._busy)

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Start a run in a free worker; raises `Busy` when there is none.

        `on_event(meta, json)` and at last `on_end(clean)` are called from the reading thread;
        clean is False when the worker died.
        """
        with self._lock:
            if self.free() <= 0 or self._closed:
                raise Busy("Every worker is busy.")
            if not self._idle:
                self._idle.append(Worker(self._context, worker.NICE, self._worker_idle))
            chosen = self._idle.pop(0)
            self._busy.append(chosen)
        handle = Handle(chosen, on_event, on_end)
        chosen.train(spec, handle)
        return handle

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None = None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint in the exploring worker; see also `worker.WARM`."""
        with self._lock:
            if self._explorer is None:
                self._explorer = Worker(self._context, 0, self._explorer_ended)
            return self._explorer.draw(path, view, args, root)

    def ready(self, timeout_s: float) -> bool:
        """Wait until the exploring worker is up."""
        self.warm()
        explorer = self._explorer
        return explorer is not None and explorer.ready.wait(timeout_s)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self._closed = True
            everyone = [*self._idle, *self._busy, *([self._explorer] if self._explorer else [])]
        for one in everyone:
            one.kill()

    def _worker_idle(self, one: Worker, alive: bool) -> None:
        with self._lock:
            if one in self._busy:
                self._busy.remove(one)
            if one in self._idle:
                self._idle.remove(one)
            if self._closed:
                return
            if alive:
                self._idle.append(one)
            else:
                self._idle.append(Worker(self._context, worker.NICE, self._worker_idle))
        self.on_free()

    def _explorer_ended(self, one: Worker, alive: bool) -> None:
        with self._lock:
            if not alive and not self._closed:
                self._explorer = Worker(self._context, 0, self._explorer_ended)


def _let_fork_server_import() -> None:
    """Put this project on the path of the fork server, which knows only its working directory.

    Without it a server started from another folder would preload nothing, without a word.
    """
    root = str(Path(__file__).resolve().parents[2])
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *paths])
