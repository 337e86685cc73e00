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
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import commands, events
from engine.errors import PlaygroundError
from engine.spec import RunSpec

NICE = 5
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
    explorer = None
    try:
        pipe.send(("ready", os.getpid()))
        while True:
            job = pipe.recv()
            if isinstance(job, tuple) and job[0] == "train":
                _train(pipe, job[1])
            elif isinstance(job, tuple) and job[0] == "draw":
                if explorer is None:
                    from engine.explore import Explorer

                    explorer = Explorer()
                pipe.send(_draw(explorer, *job[1:]))
            elif isinstance(job, commands.RequestPreview):
                ended = "The run has just ended; ask again."
                pipe.send(("answer", job.request, None, ended, 409))
            # anything else is a command for a run that has just ended
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _train(pipe: Connection, spec: RunSpec) -> None:
    from engine.trainer import train

    try:
        for event in train(spec, PipeInbox(pipe)):
            pipe.send(("event", *encode(event)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:
        detail = traceback.format_exc()
        print(detail, file=sys.stderr)
        status = events.Status(0, "failed", sentence_for(error), detail[-4000:])
        pipe.send(("event", *encode(status)))
    pipe.send(("done",))


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
