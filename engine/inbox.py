"""Where a run's commands arrive: an inbox that `train` polls between two steps."""

from __future__ import annotations

import queue
from typing import Protocol

from engine.commands import Command


class Inbox(Protocol):
    """Commands for one run, in the order in which they were given."""

    def poll(self) -> list[Command]:
        """Return the commands that are there, without waiting."""

    def wait(self, timeout_s: float) -> list[Command]:
        """Return the commands that are there, waiting for one up to `timeout_s`."""


class QueueInbox:
    """An inbox in this process."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def put(self, command: Command) -> None:
        """Give a command."""
        self._queue.put(command)

    def poll(self) -> list[Command]:
        """Return the commands that are there, without waiting."""
        found = []
        while True:
            try:
                found.append(self._queue.get_nowait())
            except queue.Empty:
                return found

    def wait(self, timeout_s: float) -> list[Command]:
        """Return the commands that are there, waiting for one up to `timeout_s`."""
        try:
            first = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return []
        return [first, *self.poll()]
