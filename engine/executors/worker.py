"""What runs inside a worker process: one run, or one view, at a time.

It talks over one pipe. Events are encoded here, once for all viewers: a small dict that the
run store reads, and the JSON bytes that go to the pages as they are.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import commands, events
from engine.errors import PlaygroundError
from engine.executors.patience import Patience
from engine.spec import RunSpec

if TYPE_CHECKING:
    from engine.executors.shelf import Shelf
    from engine.trainer import Training

NICE = 5
BEAT_S = 1.0
STEP_S = 5.0  # no step takes longer, or ten times the longest before it
WARM, CHECK = "", "?"  # in the place of a view's name: load and get ready; load only
_PR_SET_PDEATHSIG = 1


class PipeInbox:
    """Commands that arrive over the worker's pipe while a run goes on."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def poll(self) -> list[commands.Command]:
        """Return the commands that are there, without waiting."""
        found = []
        while self.pipe.poll():
            found.append(self.pipe.recv())
        return found

    def wait(self, timeout_s: float) -> list[commands.Command]:
        """Return the commands that are there, waiting for one up to `timeout_s`."""
        return self.poll() if self.pipe.poll(timeout_s) else []


def main(pipe: Connection, nice: int) -> None:
    """Serve jobs until the pipe closes: `("train", spec)` or `("draw", id, path, …)`."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(nice)
    pulse = Pulse(pipe)
    explorer = shelf = None
    try:
        pipe.send(("ready", os.getpid()))
        while True:
            job = pipe.recv()
            if isinstance(job, tuple) and job[0] == "train":
                if shelf is None:
                    from engine.executors.shelf import Shelf

                    shelf = Shelf()
                with pulse:
                    _train(pulse, job[1], shelf)
            elif isinstance(job, tuple) and job[0] == "draw":
                if explorer is None:
                    from engine.explore import Explorer

                    explorer = Explorer()
                with pulse:
                    pulse.send(_draw(explorer, *job[1:]))
            elif isinstance(job, commands.RequestPreview):
                ended = "The run has just ended; ask again."
                pipe.send(("answer", job.request, None, ended, 409))
            # anything else is a command for a run that has just ended
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _train(pulse: Pulse, spec: RunSpec, shelf: Shelf) -> None:
    """Train until the run ends or is parked; a parked one is kept on the shelf."""
    _fence(spec.memory_mb)
    try:
        run = shelf.take(spec, PipeInbox(pulse.pipe))
        pulse.run = run
        for event in run.events():
            pulse.send(("event", *encode(event)))
        shelf.put(run)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except PlaygroundError as error:
        pulse.send(("event", *encode(events.Status(0, "failed", error.sentence))))
    except Exception as error:
        detail = traceback.format_exc()
        print(detail, file=sys.stderr)
        shelf.clear()
        sick = "CUDA error" in str(error) or "device-side assert" in str(error)
        if sick:
            pulse.send(("sick", sentence_for(error)))
            raise SystemExit(1) from None  # nothing on the device works in this process any more
        status = events.Status(0, "failed", sentence_for(error), detail[-4000:])
        pulse.send(("event", *encode(status)))
        if not shelf.healthy():
            raise SystemExit(1) from None
    finally:
        pulse.run = None
    pulse.send(("done", shelf.names()))


class Pulse(Patience):
    """Sends over the pipe, and tells once a second that the main thread is at work.

    A signal handler tells it: Python runs handlers in the main thread, between two of its
    instructions, so that a process that is stopped or stuck tells nothing. Within a step that
    takes much longer than the longest before it falls silent as well.
    """

    def __init__(self, pipe: Connection) -> None:
        super().__init__(STEP_S)
        self.pipe = pipe
        self.run: Training | None = None
        self._sending = False
        signal.signal(signal.SIGALRM, self._beat)

    def __enter__(self) -> None:
        self.begin()
        signal.setitimer(signal.ITIMER_REAL, BEAT_S, BEAT_S)

    def __exit__(self, *error: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def send(self, message: Any) -> None:
        """Send; a beat that falls into it is left out, so that the two do not mix."""
        self._sending = True
        try:
            self.pipe.send(message)
        finally:
            self._sending = False

    def _beat(self, number: int, frame: Any) -> None:
        over = self.over(self.run, time.monotonic())
        if not self._sending and not over:
            self.pipe.send(("beat",))


def _fence(memory_mb: int | None) -> None:
    """Let this process grow to so much private memory; an allocation beyond it fails."""
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = resource.RLIM_INFINITY
    if memory_mb is not None:
        told = _status_kb()
        mapped, private = told.get("VmData", 0), told.get("RssAnon", 0)
        soft = (mapped + max(memory_mb * 1024 - private, 16 * 1024)) * 1024
    if hard != resource.RLIM_INFINITY:
        soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _status_kb() -> dict[str, int]:
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    split = (line.split() for line in text.splitlines() if line.endswith(" kB"))
    return {words[0].rstrip(":"): int(words[1]) for words in split}


def encode(event: events.Event) -> tuple[dict[str, Any], bytes]:
    """Return what the run store reads of an event, and its JSON for the pages.

    An answer's JSON is its payload alone, as for a view of a saved checkpoint.
    """
    wire = event.to_wire()
    shown = wire["payload"] if isinstance(event, events.Answer) else wire
    body = _json(shown)
    if isinstance(event, events.Preview):
        meta = {"kind": "preview", "step": event.step, "name": event.name, "kept": event.kept}
    elif isinstance(event, events.Answer):
        meta = {"kind": "answer", "request": event.request, "error": event.sentence}
    else:
        meta = wire
    return meta, body


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def sentence_for(error: Exception) -> str:
    """Return one sentence for an error that nobody foresaw."""
    text = str(error).strip().splitlines()
    first = text[0][:200] if text else type(error).__name__
    lowered = first.lower()
    if isinstance(error, MemoryError) or "out of memory" in lowered or "can't allocate" in lowered:
        return "The run ended: no memory was left. Choose a smaller batch size or network."
    return f"The run ended by an error of the program: {first}"


def _draw(
    explorer: Any, request: int, path: Path, view: str, args: dict[str, Any], root: Path | None
) -> tuple[Any, ...]:
    try:
        if view in (WARM, CHECK):
            (explorer.warm if view == WARM else explorer.check)(path, root)
            return ("answer", request, b"{}", None, 200)
        payload = explorer.draw(path, view, args, root)
        return ("answer", request, _json(payload.to_wire()), None, 200)
    except PlaygroundError as error:
        return ("answer", request, None, error.sentence, error.status)
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        text = f"The view {view} could not be drawn: {str(error)[:200]}"
        return ("answer", request, None, text, 500)


def _die_with_parent() -> None:
    """Ask the kernel to end this process with its parent, so that no orphan goes on computing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
