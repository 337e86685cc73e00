"""What runs on a machine of the cluster: one warm actor, one run at a time.

The class knows nothing of Ray: Ray makes an actor of it, with one thread for each of `train`,
`take` and `tell`. Events wait in a bounded buffer until they are taken, so that a slow server
slows the run down and never fills memory. An actor that nobody has asked for `LEASE_S` ends
itself: its server is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import events
from engine.commands import Command
from engine.errors import PlaygroundError
from engine.executors.cluster_parcel import DATASETS, Parcel, Probe, saved, unpack
from engine.executors.patience import Patience
from engine.inbox import QueueInbox
from engine.spec import RunSpec

if TYPE_CHECKING:
    from engine.trainer import Training

LEASE_S = 60.0
NICE = 5
STEP_S = 15.0  # a step on a machine that others use as well
SICK: dict[str, Any] = {"kind": "sick", "step": 0}  # the device is of no use to this process
MAX_ITEMS = 256
MAX_BYTES = 32 * 2**20

# An event as it travels: what the store reads, what the pages get, and a checkpoint's bytes.
Item = tuple[dict[str, Any], bytes, bytes | None]


class Buffer:
    """Events that wait to be taken; `put` waits when there are too many."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self.ended = False
        self.taken_at = time.monotonic()

    def put(self, item: Item) -> None:
        """Add an event; raises `TimeoutError` when nobody takes any for `LEASE_S`."""
        with self._changed:
            while self._items and (len(self._items) >= MAX_ITEMS or self._bytes >= MAX_BYTES):
                if not self._changed.wait(LEASE_S):
                    raise TimeoutError
            self._items.append(item)
            self._bytes += _size(item)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def take(self, wait_s: float) -> tuple[list[Item], bool]:
        """Return what is there, waiting up to `wait_s` for something, and whether that was all."""
        self.taken_at = time.monotonic()
        with self._changed:
            if not self._items and not self.ended:
                self._changed.wait(wait_s)
            items, self._items, self._bytes = list(self._items), deque(), 0
            self._changed.notify_all()
            return items, self.ended


class LeasedInbox(QueueInbox):
    """An inbox whose run ends when nobody takes its events any more."""

    def __init__(self, buffer: Buffer) -> None:
        super().__init__()
        self._buffer = buffer

    def poll(self) -> list[Command]:
        """Return the commands that are there, without waiting."""
        self._check()
        return super().poll()

    def wait(self, timeout_s: float) -> list[Command]:
        """Return the commands that are there, waiting for one up to `timeout_s`."""
        self._check()
        return super().wait(timeout_s)

    def _check(self) -> None:
        if time.monotonic() - self._buffer.taken_at > LEASE_S:
            raise TimeoutError


class Trainer:
    """One place to train in: warm, used again and again; see the module's docstring."""

    def __init__(self, nice: int = NICE) -> None:
        with contextlib.suppress(OSError):
            os.nice(nice)
        import engine.executors.preload  # noqa: F401  (torch, every model, one optimizer)
        from engine.executors.shelf import Shelf

        self._scratch = Path(tempfile.mkdtemp(prefix="playground-"))
        self._job = 0
        self._run: Training | None = None
        self._buffer, self._inbox, self._patience = Buffer(), QueueInbox(), Patience(STEP_S)
        self._shelf = Shelf()

    def hello(self, probe: Path, token: str) -> dict[str, Any]:
        """Say who this is: process, machine, versions, and whether the runs folder is seen."""
        import torch

        return {
            "pid": os.getpid(),
            "machine": os.uname().nodename if hasattr(os, "uname") else "",
            "torch": torch.__version__,
            "code": code_digest(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "shared": Probe.seen(probe, token),
        }

    def prepare(self, job: int) -> None:
        """Make room for the events of a run before it starts."""
        self._job, self._buffer, self._run = job, Buffer(), None
        self._patience = Patience(STEP_S)
        self._inbox = LeasedInbox(self._buffer)

    def train(self, job: int, given: RunSpec | Parcel) -> None:
        """Train until the run ends or is parked; its events are fetched by `take`."""
        if job != self._job:
            return
        buffer = self._buffer
        try:
            spec = unpack(given, self._scratch) if isinstance(given, Parcel) else given
            self._iterate(spec, buffer, isinstance(given, Parcel))
        except TimeoutError:
            shutil.rmtree(self._scratch, ignore_errors=True)
            os._exit(3)  # the server is gone, and whoever waits in another thread with it
        finally:
            self._run = None
            self._sweep()
            buffer.end()

    def _iterate(self, spec: RunSpec, buffer: Buffer, travels: bool) -> None:
        """Train, as `engine.executors.worker` does; a parked run is kept on the shelf."""
        from engine.executors import worker

        worker._fence(spec.memory_mb)
        try:
            self._run = run = self._shelf.take(spec, self._inbox)
            for event in run.events():
                meta, body = worker.encode(event)
                buffer.put((meta, body, saved(spec.folder, meta) if travels else None))
            self._shelf.put(run)
        except TimeoutError:
            raise
        except PlaygroundError as error:
            buffer.put((*worker.encode(events.Status(0, "failed", error.sentence)), None))
        except Exception as error:
            detail = traceback.format_exc()
            print(detail, file=sys.stderr)
            self._shelf.clear()
            if "CUDA error" in str(error) or "device-side assert" in str(error):
                buffer.put((SICK, b"", None))  # the server ends this actor, and the run goes on
                return
            status = events.Status(0, "failed", worker.sentence_for(error), detail[-4000:])
            buffer.put((*worker.encode(status), None))

    def _sweep(self) -> None:
        """Delete the folders of runs that are not kept here."""
        kept = {DATASETS, *self._shelf.names()}
        for folder in self._scratch.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def take(self, job: int, wait_s: float) -> tuple[list[Item], bool, dict[str, Any]]:
        """Return new events, whether the run has ended, and how the actor is."""
        items, ended = self._buffer.take(wait_s) if job == self._job else ([], True)
        stuck = self._patience.over(self._run, time.monotonic())
        health = {"stuck": stuck, "rss_mb": _memory_mb(), "keeps": self._shelf.names()}
        return items, ended, health

    def tell(self, job: int, command: Command | None) -> None:
        """Give the run a command; one for a run that has ended is not heard."""
        if job == self._job and command is not None:
            self._inbox.put(command)


def code_digest() -> str:
    """Return 16 digits over the engine's source: machines with other code learn other things."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _memory_mb() -> int | None:
    """Return this process's memory."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    return None


def _size(item: Item) -> int:
    return len(item[1]) + len(item[2] or b"")
