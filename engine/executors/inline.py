"""Iterate a run in the caller: for tests, the terminal, and inside a GPU lease."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.commands import Command
from engine.events import Event
from engine.inbox import QueueInbox
from engine.spec import RunSpec


def run(spec: RunSpec, given: Iterable[Command] = ()) -> Iterator[Event]:
    """Yield the events of a run; `given` commands are taken before its first step."""
    from engine.trainer import train

    inbox = QueueInbox()
    for command in given:
        inbox.put(command)
    yield from train(spec, inbox)
