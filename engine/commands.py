"""What a person may tell a run: frozen and JSON-able; each takes effect between two steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import Rejected

MAX_ALLOWANCE = 10_000


@dataclass(frozen=True)
class Pause:
    """Stop before the next step; the run stays in its worker."""


@dataclass(frozen=True)
class Resume:
    """Go on after a pause."""


@dataclass(frozen=True)
class Step:
    """While paused, take `count` steps and pause again."""

    count: int = 1


@dataclass(frozen=True)
class Stop:
    """End the run; it is saved and can be continued. `message` says why, if it was not asked."""

    message: str | None = None


@dataclass(frozen=True)
class Park:
    """Give the worker back at the next safe point: the slice is over, the run will go on."""


@dataclass(frozen=True)
class Set:
    """Change one live hyperparameter."""

    field: str
    value: Any


@dataclass(frozen=True)
class Save:
    """Write a checkpoint now."""


@dataclass(frozen=True)
class RequestPreview:
    """Draw the view `name` with `args` and answer with `request`."""

    request: int
    name: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """Choose what a live view shows (plane, extent); nothing of it is learnt."""

    name: str
    args: dict[str, Any]


Command = Pause | Resume | Step | Stop | Park | Set | Save | RequestPreview | Look

_SIMPLE: dict[str, Command] = {
    "pause": Pause(),
    "resume": Resume(),
    "stop": Stop(),
    "save": Save(),
}


def from_json(message: dict[str, Any]) -> Command:
    """Read a command from the page: `{"command": "pause"}`; raise `Rejected` if unknown."""
    if not isinstance(message, dict):
        raise Rejected('A command must be an object such as {"command": "pause"}.')
    name = message.get("command")
    if isinstance(name, str) and name in _SIMPLE:
        return _SIMPLE[name]
    if name == "step":
        count = message.get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_ALLOWANCE:
            raise Rejected(
                f"Steps must be a whole number from 1 to {MAX_ALLOWANCE}; got {count!r:.60}.",
                field="count",
            )
        return Step(count)
    if name == "set":
        if not isinstance(message.get("field"), str) or "value" not in message:
            raise Rejected("A change needs the name of a field and its value.", field="field")
        return Set(message["field"], message["value"])
    if name == "look":
        view, args = message.get("name"), message.get("args", {})
        if (
            not isinstance(view, str)
            or not isinstance(args, dict)
            or not view.isidentifier()
            or len(view) > 40
        ):
            raise Rejected("look needs the name of a live view and args.", field="name")
        return Look(view, args)
    known = ", ".join([*_SIMPLE, "step", "set", "look"])
    raise Rejected(f"There is no command {name!r:.60}; known are {known}.", field="command")
