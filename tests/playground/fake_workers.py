"""Workers without torch: a run begins, saves a checkpoint at once, and ends when it is told to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from engine import checkpoint, commands
from engine.spec import RunSpec

DRAWN = b'{"type":"drawn"}'


class FakeHandle:
    """One run in a fake worker."""

    pid = None

    def __init__(self, workers: FakeWorkers, spec: RunSpec, on_event: Any, on_end: Any) -> None:
        self.workers, self.spec, self.on_event, self.on_end = workers, spec, on_event, on_end
        self.over = False

    def begin(self) -> None:
        path = checkpoint.step_path(self.spec.folder, 1)
        if self.spec.folder and self.spec.folder.is_dir():
            shutil.copyfile(self.workers.sample, path)
        self._tell("status", state="running", message=None, detail=None)
        self._tell("metrics", split="train", values={"loss": 1.0})
        self._tell("saved", name="latest", checkpoint={"step": 1})

    def _tell(self, kind: str, **values: Any) -> None:
        meta = {"kind": kind, "step": 1, **values}
        self.on_event(meta, json.dumps(meta).encode())

    def send(self, command: commands.Command) -> None:
        states = {commands.Stop: "stopped", commands.Park: "parked", commands.Pause: "paused"}
        state = states.get(type(command), "running")
        self.workers.later(self._change, state)

    def _change(self, state: str) -> None:
        if self.over:
            return
        self._tell("status", state=state, message=None, detail=None)
        if state in ("stopped", "parked"):
            self.end(True)

    def end(self, clean: bool) -> None:
        if not self.over:
            self.over = True
            self.workers.busy -= 1
            self.on_end(clean)

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        return done(DRAWN)

    def kill(self) -> None:
        self.workers.later(self.end, False)


class FakeWorkers:
    """An executor whose workers call back from one thread of their own."""

    device, threads = "cpu", 1

    def __init__(self, sample: Path, workers: int = 2) -> None:
        self.sample, self.workers, self.busy = sample, workers, 0
        self.on_free: Callable[[], None] = lambda: None
        self._thread = ThreadPoolExecutor(1)

    def later(self, work: Callable[..., None], *args: Any) -> None:
        self._thread.submit(work, *args)

    def settle(self) -> None:
        """Wait until all that was asked for has happened."""
        self._thread.submit(lambda: None).result(10)

    def warm(self) -> None: ...

    def free(self) -> int:
        return self.workers - self.busy

    def start(self, spec: RunSpec, on_event: Any, on_end: Any) -> FakeHandle:
        self.busy += 1
        handle = FakeHandle(self, spec, on_event, on_end)
        self.later(handle.begin)
        return handle

    def explore(self, path: Path, view: str, args: Any, root: Path | None = None) -> Future[bytes]:
        return done(DRAWN)

    def ready(self, timeout_s: float) -> bool:
        return True

    def describe(self) -> dict[str, Any]:
        return {"kind": "fake", "workers": []}

    def close(self) -> None:
        self._thread.shutdown()


def done(result: bytes) -> Future[bytes]:
    future: Future[bytes] = Future()
    future.set_result(result)
    return future
