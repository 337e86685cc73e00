"""What the run store needs of whoever runs the runs, and what the runs' hosts call back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from engine.commands import Command
from engine.spec import RunSpec

OnEvent = Callable[[dict[str, Any], bytes], None]
OnEnd = Callable[[bool], None]


class Handle(Protocol):
    """How the run store talks to one run while it has a worker.

    After an end that was not clean, an attribute `cause` may say why: "stuck" when the worker
    did not answer, "device" after an error of the graphics card.
    """

    def send(self, command: Command) -> None:
        """Give the run a command, at once and without waiting; it counts between two steps."""

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        """Ask the run for a view of its present weights; the answer is JSON bytes."""

    def kill(self) -> None:
        """End the worker at once; `on_end(False)` follows."""

    @property
    def pid(self) -> int | None:
        """The worker's process id, if it is a process of this machine."""


class Executor(Protocol):
    """Where runs go; see `engine.executors.process`."""

    device: str
    threads: int
    workers: int
    on_free: Callable[[], None]

    def warm(self) -> None:
        """Start what takes long to start; returns at once."""

    def free(self) -> int:
        """Return how many more runs can start now."""

    def start(self, spec: RunSpec, on_event: OnEvent, on_end: OnEnd) -> Handle:
        """Start a run in a free worker; raises `Busy` when there is none."""

    def explore(
        self, path: Path, view: str, args: dict[str, Any], root: Path | None = None
    ) -> Future[bytes]:
        """Draw a view of a saved checkpoint."""

    def ready(self, timeout_s: float) -> bool:
        """Wait until views can be drawn."""

    def close(self) -> None:
        """End everything."""

    def describe(self) -> dict[str, Any]:
        """Return the kind of executor, and its workers as `RunStore.status` shows them."""
