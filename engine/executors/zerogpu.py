"""Runs on a ZeroGPU Space: each turn is one lease of a GPU, at most 55 seconds long.

The GPU is lent to whoever asks for it from the page: a lease begins only inside a Gradio event
with the visitor's own request, so that the visitor's quota counts. `start` therefore only notes
that a run wants a turn; `lease` is called by that event, trains in a forked worker and returns
when the turn is over. A turn that ends is a parked run like any other: the store starts the next
one from the checkpoint that came back. Only bytes and plain values cross the fork.

`spaces` has to be imported before torch, so nothing else imports this module.
"""

from __future__ import annotations

import itertools
import json
import logging
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from engine import commands, events
from engine.commands import Command
from engine.errors import Busy, NoSpace, PlaygroundError
from engine.executors import cluster_parcel
from engine.executors.base import OnEnd, OnEvent
from engine.executors.cluster_parcel import Parcel
from engine.executors.process import ProcessExecutor
from engine.executors.zerogpu_turn import MARGIN_S, letter_of, turn
from engine.executors.zerogpu_words import refused, seconds_left
from engine.spec import RunSpec

log = logging.getLogger("playground.zerogpu")

LEASE_S = 55
SHORTEST_S = 12  # a lease is worth its start from here on
CLAIM_S = 90.0  # for a turn that no page asks for
RUNS = 8  # at once; ZeroGPU lets them wait for a GPU, not for us


class Handle:
    """How the run store talks to one run: while it waits for its lease, and in it."""

    def __init__(
        self, executor: ZeroGpuExecutor, spec: RunSpec, on_event: OnEvent, on_end: OnEnd
    ) -> None:
        self.executor, self.spec = executor, spec
        self.on_event, self.on_end = on_event, on_end
        self.run_id = spec.folder.name if spec.folder is not None else ""
        self.began, self.heard = time.monotonic(), time.monotonic()
        self.claimed = self.training = self.over = False
        self.killed = False
        self.cause: str | None = None
        self.step = 0
        self.pid: int | None = None
        self.letters = executor.folder / f"letters-{next(executor.numbers)}"
        self.letters.touch()
        self._answers: dict[int, Future[bytes]] = {}
        self._lock = threading.Lock()

    def send(self, command: Command) -> None:
        """Give the run a command; one that waits for a GPU obeys at once where it can."""
        with self._lock, open(self.letters, "ab") as file:
            file.write(letter_of(command))
        if not self.training:
            self.executor.later(self._obey_waiting, command)

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        """Ask the run for a view of its present weights, if it has a GPU now."""
        if not self.training:
            raise Busy("The run has no GPU just now; ask again.")
        request, future = next(self.executor.numbers), Future[bytes]()
        with self._lock:
            self._answers[request] = future
        self.send(commands.RequestPreview(request, name, args))
        return future

    def kill(self) -> None:
        """Let the run go; its lease, if there is one, ends at its next event."""
        self.killed = True
        self.executor.later(self.end, False)

    def end(self, clean: bool) -> None:
        """Say once that the turn is over."""
        with self._lock:
            if self.over:
                return
            self.over = True
            waiting, self._answers = list(self._answers.values()), {}
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(Busy("The model is just being put away; ask again."))
        self.executor.forget(self)
        self.letters.unlink(missing_ok=True)
        self.on_end(clean)
        self.executor.on_free()

    def stop(self, state: events.State, message: str | None) -> None:
        """End the turn with a state of the run's."""
        wire = events.Status(self.step, state, message).to_wire()
        self.on_event(wire, json.dumps(wire).encode())
        self.end(True)

    def take(self, meta: dict[str, Any], body: bytes, content: bytes | None) -> None:
        """Take in one event of the worker's."""
        self.heard = time.monotonic()
        if meta["kind"] == "here":
            self.training, self.pid = True, meta["pid"]
            return
        if meta["kind"] == "answer":
            self._answered(meta, body)
            return
        self.step = meta.get("step") or self.step
        if content is not None and self.spec.folder is not None:
            try:
                cluster_parcel.keep(self.spec.folder, meta["step"], content)
            except NoSpace as error:
                alert = events.Alert(meta["step"], "not_saved", f"Not saved: {error.sentence}")
                meta, body = alert.to_wire(), json.dumps(alert.to_wire()).encode()
        self.on_event(meta, body)

    def _answered(self, meta: dict[str, Any], body: bytes) -> None:
        with self._lock:
            future = self._answers.pop(meta["request"], None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        if meta["error"] is None:
            future.set_result(body)
        else:
            future.set_exception(PlaygroundError(meta["error"]))

    def _obey_waiting(self, command: Command) -> None:
        if self.training or self.over:
            return  # the worker reads it itself
        if isinstance(command, commands.Stop):
            self.stop("stopped", command.message)
        elif isinstance(command, commands.Pause):
            self.stop("paused", None)
        elif isinstance(command, commands.Park) and not self.claimed:
            self.end(True)


class ZeroGpuExecutor:
    """Turns on leased GPUs, and a worker on the CPU for exploring."""

    kind = "zerogpu"

    def __init__(self, workers: int = RUNS, *, explorer: ProcessExecutor | None = None) -> None:
        self.workers, self.threads, self.device = workers, 1, "auto"
        self.on_free: Callable[[], None] = lambda: None
        self.numbers = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="playground-"))
        self._explorer = explorer or ProcessExecutor(0, device="cpu")
        self._handles: list[Handle] = []
        self._lock = threading.RLock()
        self._later: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None]
        self._later = queue.SimpleQueue()
        self._closed = threading.Event()
        for work in (self._do_later, self._look):
            threading.Thread(target=work, name=f"zerogpu-{work.__name__}", daemon=True).start()

    def warm(self) -> None:
        """Import what a forked worker needs, in this process; start the exploring worker."""
        self._explorer.warm()
        import engine.executors.preload
        import engine.trainer  # noqa: F401

    def free(self) -> int:
        """Return how many more runs may have a turn, or wait for a GPU."""
        with self._lock:
            return self.workers - len(self._handles)

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Note that a run wants a turn; it begins when its page asks for it by `lease`."""
        with self._lock:
            if self.free() <= 0 or self._closed.is_set():
                raise Busy("Every worker is busy.")
            handle = Handle(self, spec, on_event, on_end)
            self._handles.append(handle)
        return handle

    def lease(self, run_id: str) -> str | None:
        """Train for one turn, if the run wants one; call it from the visitor's Gradio event.

        Returns when the turn is over: None, or the sentence with which the GPU was refused.
        """
        with self._lock:
            found = [h for h in self._handles if h.run_id == run_id and not h.claimed]
            if not found:
                return None
            handle = found[0]
            handle.claimed = True
        refusal = None
        try:
            parcel = cluster_parcel.pack(handle.spec)
            self._train(handle, parcel, lease_seconds(handle.spec))
        except PlaygroundError as error:
            refusal = error.sentence
            handle.stop("failed", refusal)
        except Exception as error:
            refusal = refused(error)
            if refusal is not None and not handle.training:
                handle.stop("stopped", refusal)
            else:
                log.warning("a lease broke off: %s %s", type(error).__name__, error)
                refusal = None
        handle.end(False)  # unless it has ended well: the store lets it go on
        return refusal

    def _train(self, handle: Handle, parcel: Parcel, seconds: int) -> None:
        try:
            self._one_turn(handle, parcel, seconds)
        except Exception as error:
            left = seconds_left(error)
            if handle.training or left is None or left < SHORTEST_S:
                raise
            self._one_turn(handle, parcel, min(left, seconds))  # what is left of the quota

    def _one_turn(self, handle: Handle, parcel: Parcel, seconds: int) -> None:
        ended = False
        for meta, body, content in turn(parcel, str(handle.letters), seconds):
            if handle.over or handle.killed:
                break
            handle.take(meta, body, content)
            ended = meta["kind"] == "status" and meta["state"] not in ("running", "paused")
        if ended:
            handle.end(True)

    def wants(self, run_id: str) -> bool:
        """Say whether a run waits for its page to ask for a GPU."""
        with self._lock:
            return any(h.run_id == run_id and not h.claimed for h in self._handles)

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None = None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint, on the CPU."""
        return self._explorer.explore(path, view, args, root)

    def ready(self, timeout_s: float) -> bool:
        """Wait until the exploring worker is up."""
        return self._explorer.ready(timeout_s)

    def close(self) -> None:
        """End everything; leases end at their next event."""
        self._closed.set()
        with self._lock:
            handles = list(self._handles)
        for handle in handles:
            handle.killed = True
        self._later.put(None)
        self._explorer.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self) -> dict[str, Any]:
        """Return the turns as a status page shows them."""
        now = time.monotonic()
        with self._lock:
            handles = list(self._handles)
        workers = [
            {
                "pid": one.pid,
                "run": one.run_id,
                "model": one.spec.model,
                "state": "training" if one.training else "asking" if one.claimed else "waiting",
                "rss_mb": None,
                "beat_s": round(now - one.heard, 1) if one.training else None,
                "device": "zerogpu",
            }
            for one in handles
        ]
        explorer = self._explorer.describe().get("explorer")
        return {"kind": self.kind, "workers": workers, "explorer": explorer}

    # ------------------------------------------------------------------ inside

    def forget(self, handle: Handle) -> None:
        """Drop a turn that is over."""
        with self._lock:
            if handle in self._handles:
                self._handles.remove(handle)

    def later(self, work: Callable[..., None], *given: Any) -> None:
        """Do something outside the caller's locks."""
        self._later.put((work, given))

    def _do_later(self) -> None:
        while (item := self._later.get()) is not None:
            work, given = item
            try:
                work(*given)
            except Exception:
                log.exception("what a run was told could not be done")

    def _look(self) -> None:
        """Put away turns that no page asks for: the visitor has gone."""
        while not self._closed.wait(1.0):
            with self._lock:
                now = time.monotonic()
                late = [h for h in self._handles if not h.claimed and now - h.began > CLAIM_S]
                for handle in late:
                    handle.claimed = True
            for handle in late:
                self.later(handle.stop, "stopped", NOBODY)


NOBODY = "No open page asked for the next GPU turn, so this run rests; continue it to go on."


def lease_seconds(spec: RunSpec) -> int:
    """Return how long a lease to ask for: no longer than the run itself still takes."""
    most = spec.budget.max_seconds
    if most is None:
        return LEASE_S
    return int(max(SHORTEST_S, min(LEASE_S, most - spec.elapsed_s + 2 * MARGIN_S)))
