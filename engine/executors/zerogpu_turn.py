"""What runs in a forked ZeroGPU worker while a GPU is lent: one turn of one run.

`spaces` has to be imported before torch, so only `engine.executors.zerogpu` imports this module.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import spaces

from engine import commands, events
from engine.commands import Command
from engine.executors import cluster_parcel
from engine.executors.cluster_parcel import Parcel

MARGIN_S = 6.0  # of a lease: to start, to save, and to give back
PAUSE_S = 4.0  # a run that stands still gives its GPU back
WAIT_S = 0.02

Item = tuple[dict[str, Any], bytes, bytes | None]


def _lease_s(parcel: Parcel, letters: str, seconds: int) -> int:
    """Return how long a lease is asked for."""
    return seconds


@spaces.GPU(duration=_lease_s)
def turn(parcel: Parcel, letters: str, seconds: int) -> Iterator[Item]:
    """Train for one lease, yielding events and the bytes of each checkpoint; ends parked.

    `letters` is the file in which commands arrive.
    """
    import torch

    from engine.executors import worker
    from engine.trainer import train

    torch.set_num_threads(parcel.spec.threads)
    began = time.monotonic()
    yield {"kind": "here", "step": 0, "pid": os.getpid()}, b"", None
    scratch = Path(tempfile.mkdtemp(prefix="playground-"))
    try:
        spec = cluster_parcel.unpack(parcel, scratch)
        inbox = Letters(Path(letters), began + seconds - MARGIN_S)
        for event in train(spec, inbox):
            meta, body = worker.encode(event)
            yield meta, body, cluster_parcel.saved(spec.folder, meta)
    except Exception as error:
        if "CUDA error" in str(error):
            raise  # this worker is of no use any more: the run goes on in another one
        status = events.Status(0, "failed", worker.sentence_for(error))
        yield (*worker.encode(status), None)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class Letters:
    """Commands in a file, one a line; parks the run when its lease is nearly over."""

    def __init__(self, path: Path, until: float) -> None:
        self.path, self.until = path, until
        self._read, self._parked = 0, False
        self._standing = 0.0

    def poll(self) -> list[Command]:
        """Return the commands that are there, and `Park` when the time is over."""
        self._standing = 0.0
        return [*self._new(), *self._over(time.monotonic() >= self.until)]

    def wait(self, timeout_s: float) -> list[Command]:
        """Wait for a command; a run that stands still for `PAUSE_S` is parked."""
        began = time.monotonic()
        while time.monotonic() - began < timeout_s:
            found = self._new()
            if found:
                self._standing = 0.0
                return found
            time.sleep(WAIT_S)
        self._standing += timeout_s
        return self._over(self._standing >= PAUSE_S or time.monotonic() >= self.until)

    def _over(self, now: bool) -> list[Command]:
        if not now or self._parked:
            return []
        self._parked = True
        return [commands.Park()]

    def _new(self) -> list[Command]:
        try:
            if self.path.stat().st_size <= self._read:
                return []
            with open(self.path, "rb") as file:
                file.seek(self._read)
                lines = file.read().rpartition(b"\n")[0]
        except OSError:
            return []
        self._read += len(lines) + 1 if lines else 0
        return [command_of(line) for line in lines.splitlines()]


def letter_of(command: Command) -> bytes:
    """Return a command as a line."""
    return json.dumps([type(command).__name__, asdict(command)]).encode() + b"\n"


def command_of(line: bytes) -> Command:
    """Return the command of a line."""
    name, fields = json.loads(line)
    known = {kind.__name__: kind for kind in commands.Command.__args__}
    command: Command = known[name](**fields)
    return command
