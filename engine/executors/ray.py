"""Runs on a Ray cluster: `--ray ADDRESS`, for a workshop that outgrows one machine.

The same interface as `engine.executors.process`. This side runs in the web process and imports
neither Ray nor torch: a process of its own (`cluster_gate`) talks to the cluster, over one pipe.
Saved checkpoints are explored on this machine: their files are here, the answer has to come at
once, and no slot of the cluster is spent on it.
"""

from __future__ import annotations

import importlib.util
import itertools
import logging
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.commands import Command, RequestPreview
from engine.errors import Busy, PlaygroundError
from engine.executors import cluster_gate
from engine.executors.base import OnEnd, OnEvent
from engine.executors.cluster_pool import LOCAL, Options
from engine.executors.process import ProcessExecutor
from engine.spec import RunSpec

log = logging.getLogger("playground.cluster")

PROBE_S = 5.0  # until a head that is there has taken a connection
CLOSE_S = 5.0  # then the gate is killed; its actors end with it
AGAIN_S = 5.0  # after the gate has ended; doubled up to AGAIN_MAX_S
AGAIN_MAX_S = 60.0


class ClusterError(PlaygroundError):
    """The cluster cannot be used."""

    status = 503


class Handle:
    """How the run store talks to one run on the cluster."""

    def __init__(
        self, executor: RayExecutor, number: int, on_event: OnEvent, on_end: OnEnd
    ) -> None:
        self._executor, self.number = executor, number
        self.on_event, self.on_end = on_event, on_end
        self.cause: str | None = None
        self._answers: dict[int, Future[bytes]] = {}
        self._lock = threading.Lock()
        self._ended = False

    def send(self, command: Command) -> None:
        """Give the run a command; it takes effect between two steps."""
        self._executor._send("tell", self.number, command)

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        """Ask the run for a view of its present weights; the answer is JSON bytes."""
        request, future = next(self._executor._numbers), Future[bytes]()
        with self._lock:
            if self._ended:
                raise Busy("The run has just ended; ask again.")
            self._answers[request] = future
        self.send(RequestPreview(request, name, args))
        return future

    def kill(self) -> None:
        """End the actor at once; `on_end(False)` follows."""
        self._executor._send("kill", self.number, None)

    @property
    def pid(self) -> int | None:
        """The actor's process id, on its own machine."""
        return next((w["pid"] for w in self._executor._known() if w["job"] == self.number), None)

    def _answered(self, request: int, body: bytes, sentence: str | None) -> None:
        with self._lock:
            future = self._answers.pop(request, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if sentence is None:
            future.set_result(body)
        else:
            future.set_exception(PlaygroundError(sentence))

    def _end(self) -> None:
        """Answer whoever still waits."""
        with self._lock:
            self._ended = True
            waiting, self._answers = list(self._answers.values()), {}
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(Busy("The model is just being put away; ask again."))


class RayExecutor:
    """A warm actor for each slot of a Ray cluster, and one local worker for exploring.

    `workers` bounds the slots that are used, `gpu_share` is how many runs share one GPU. `root`
    is the runs folder. Raises `ClusterError` with one sentence when Ray is not installed or no
    cluster answers.
    """

    kind = "ray"

    def __init__(
        self,
        address: str,
        root: Path,
        workers: int | None = None,
        *,
        gpu_share: int = 4,
        device: str = "auto",
        threads: int = 1,
        explorer: ProcessExecutor | None = None,
        **gate: Any,
    ) -> None:
        self.device, self.threads = device, threads
        self.workers = 1  # actors that are warm; more as the cluster grows
        self.gpu_fraction = 0.9 / gpu_share  # of a GPU's memory; nothing on the CPU
        self.on_free: Callable[[], None] = lambda: None
        self._options = Options(address, root.resolve(), workers, gpu_share, **gate)
        self._explorer = explorer or ProcessExecutor(0, device="cpu", threads=threads)
        self._numbers = itertools.count(1)
        self._handles: dict[int, Handle] = {}
        self._lock = threading.RLock()
        self._state: dict[str, Any] = {"slots": 0, "ready": 0, "workers": [], "notes": ""}
        self._pipe: Connection | None = None
        self._first = threading.Event()
        self._refusal: str | None = None
        self._closed = threading.Event()
        check(address)
        self._thread = threading.Thread(target=self._live, name="cluster", daemon=True)
        self._thread.start()
        if not self._first.wait(cluster_gate.CONNECT_S):
            self._refusal = cluster_gate.refusal(address, TimeoutError("no answer in time"))
        if self._refusal is not None:
            self.close()
            raise ClusterError(self._refusal)

    def warm(self) -> None:
        """Start the exploring worker; the actors get warm by themselves."""
        self._explorer.warm()

    def free(self) -> int:
        """Return how many more runs can start now: actors that are warm and have none."""
        with self._lock:
            return max(0, int(self._state["ready"]) - len(self._handles))

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Start a run on the cluster; raises `Busy` when no actor is free."""
        with self._lock:
            if self.free() <= 0 or self._closed.is_set():
                raise Busy("Every worker is busy.")
            handle = Handle(self, next(self._numbers), on_event, on_end)
            self._handles[handle.number] = handle
            self._send("train", handle.number, replace(spec, threads=self.threads))
        return handle

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None = None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint, on this machine."""
        return self._explorer.explore(path, view, args, root)

    def ready(self, timeout_s: float) -> bool:
        """Wait until the exploring worker is up."""
        return self._explorer.ready(timeout_s)

    def close(self) -> None:
        """End the actors and the exploring worker."""
        self._closed.set()
        self._send("close", 0, None)
        self._explorer.close()
        self._thread.join(CLOSE_S)

    def describe(self) -> dict[str, Any]:
        """Say what the cluster does now, for the status page."""
        workers = [{k: v for k, v in w.items() if k not in ("heard", "job")} for w in self._known()]
        heard = [w["heard"] for w in self._known()]
        now = time.monotonic()  # the gate's clock is this machine's too
        for worker, when in zip(workers, heard, strict=True):
            worker["beat_s"] = None if worker["run"] is None else round(now - when, 1)
        with self._lock:
            state = dict(self._state)
        return {
            "kind": self.kind,
            "address": self._options.address,
            "slots": state["slots"],
            "workers": workers,
            "explorer": self._explorer.describe().get("explorer"),
            "problem": state["notes"] or None,
        }

    # ------------------------------------------------------------------ inside

    def _known(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._state["workers"])

    def _send(self, *message: Any) -> None:
        with self._lock:
            try:
                if self._pipe is not None:
                    self._pipe.send(message)
            except OSError:
                return  # the gate's end is noticed, and told, by the reading thread

    def _live(self) -> None:
        """Keep a gate; after its end the runs are told, and another one is started."""
        pause = AGAIN_S
        while not self._closed.is_set():
            began = time.monotonic()
            self._one_gate()
            if not self._first.is_set():
                self._first.set()
                return  # the start has failed: whoever waits for it raises
            pause = (
                AGAIN_S if time.monotonic() - began > AGAIN_MAX_S else min(AGAIN_MAX_S, pause * 2)
            )
            self._closed.wait(pause)

    def _one_gate(self) -> None:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(
            target=cluster_gate.main, args=(there, self._options), name="playground-cluster"
        )
        process.daemon = True
        process.start()
        there.close()
        try:
            while True:
                self._take(here, *here.recv())
        except (EOFError, OSError):
            pass  # the gate has ended, or this executor is closed
        finally:
            process.join(CLOSE_S)
            if process.is_alive():
                process.kill()
        with self._lock:
            self._pipe = None
            notes = self._refusal or "The connection to the cluster was lost; it is tried again."
            self._state = {"slots": 0, "ready": 0, "workers": [], "notes": notes}
            lost, self._handles = list(self._handles.values()), {}
        if self._first.is_set() and not self._closed.is_set():
            log.warning("%s", notes)
        for handle in lost:
            handle._end()
            handle.on_end(False)

    def _take(self, pipe: Connection, *message: Any) -> None:
        match message:
            case ("event", number, {"kind": "answer", "request": request, "error": error}, body):
                handle = self._handles.get(number)
                if handle is not None:
                    handle._answered(request, body, error)
            case ("event", number, meta, body):
                handle = self._handles.get(number)
                if handle is not None:
                    handle.on_event(meta, body)
            case ("done" | "died" as how, number, cause):
                self._over(number, how == "done", cause)
            case ("state", state):
                with self._lock:
                    more = state["ready"] > self._state["ready"]
                    self._state = state
                    self.workers = max(1, int(state["ready"]))
                if more:
                    self.on_free()
            case ("up", _):
                with self._lock:
                    self._pipe, self._refusal = pipe, None
                self._first.set()
            case ("sorry", sentence):
                self._refusal = sentence

    def _over(self, number: int, clean: bool, cause: str | None) -> None:
        with self._lock:
            handle = self._handles.pop(number, None)
        if handle is not None:
            handle.cause = cause
            handle._end()
            handle.on_end(clean)
            self.on_free()


def check(address: str) -> None:
    """Raise `ClusterError` when Ray is not installed, or nobody listens at the address."""
    if importlib.util.find_spec("ray") is None:
        raise ClusterError(cluster_gate.refusal(address, ImportError()))
    if address in ("auto", LOCAL):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError(
            f"--ray takes auto, local, HOST:PORT or ray://HOST:PORT; got {address[:80]!r}."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PROBE_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(cluster_gate.refusal(address, error)) from error
