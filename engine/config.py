"""Hyperparameters as data: one description validates input and builds the controls."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_type_hints

from engine.errors import Rejected

Scale = Literal["linear", "log"]
C = TypeVar("C", bound="Config")
_KINDS = {int: "int", float: "float", bool: "bool", str: "choice"}


def field(
    default: Any,
    *,
    label: str,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    scale: Scale = "linear",
    unit: str = "",
    live: bool = False,
    choices: tuple[tuple[str, str], ...] | None = None,
    advanced: bool = False,
    group: str = "",
) -> Any:
    """Describe one hyperparameter.

    `minimum` and `maximum` are inclusive. `live` fields may change between two steps of a
    running run. `choices` are (value, label) pairs.
    """
    metadata = {
        "label": label,
        "help": help,
        "minimum": minimum,
        "maximum": maximum,
        "step": step,
        "scale": scale,
        "unit": unit,
        "live": live,
        "choices": choices,
        "advanced": advanced,
        "group": group,
    }
    return dataclasses.field(default=default, metadata=metadata)


def restated(cls: type[Config], name: str, default: Any = None, **changed: Any) -> Any:
    """Return the field `name` of another config, for a class that has it too.

    `default` takes the place of its own unless it is None; `changed` replaces parts of its
    description, such as `maximum` or `unit`.
    """
    found = next(f for f in dataclasses.fields(cls) if f.name == name)
    value = found.default if default is None else default
    return dataclasses.field(default=value, metadata={**found.metadata, **changed})


@dataclass(frozen=True)
class Config:
    """The hyperparameters of one model family; subclass it with `field` for each."""

    @classmethod
    def from_values(cls: type[C], values: dict[str, Any]) -> C:
        """Build a config from outside values; missing ones take their defaults.

        Raises `Rejected` for an unknown name, a wrong type or a value out of bounds.
        """
        if not isinstance(values, dict):
            raise Rejected("Hyperparameters must be given as names with values.")
        known = {f.name: f for f in dataclasses.fields(cls)}
        checked = {}
        for name, value in values.items():
            if name not in known:
                raise Rejected(
                    f"There is no hyperparameter {_quoted(name)}; known are {', '.join(known)}.",
                    field=str(name)[:80],
                )
            checked[name] = cls.check(name, value)
        return cls(**checked)

    @classmethod
    def check(cls, name: str, value: Any) -> Any:
        """Return `value` for the field `name` in its right type, or raise `Rejected`."""
        f = next((f for f in dataclasses.fields(cls) if f.name == name), None)
        if f is None:
            raise Rejected(f"There is no hyperparameter {_quoted(name)}.", field=str(name)[:80])
        kind = get_type_hints(cls)[name]
        if kind is bool:
            return _check_bool(f, value)
        if kind is str:
            return _check_choice(f, value)
        return _check_number(f, value, kind)

    @classmethod
    def schema(cls) -> list[dict[str, Any]]:
        """Describe every field with plain values, for the page and for `--help`."""
        hints = get_type_hints(cls)
        return [
            {"name": f.name, "kind": _KINDS[hints[f.name]], "default": f.default, **f.metadata}
            for f in dataclasses.fields(cls)
        ]

    @classmethod
    def parse(cls: type[C], texts: dict[str, str]) -> C:
        """Build a config from `key=value` texts of the terminal."""
        hints = get_type_hints(cls)
        values = {n: _from_text(t, hints[n]) if n in hints else t for n, t in texts.items()}
        return cls.from_values(values)

    def with_live(self: C, name: str, value: Any) -> C:
        """Return the config with one live field changed, or raise `Rejected`."""
        checked = self.check(name, value)
        f = next(f for f in dataclasses.fields(self) if f.name == name)
        if not f.metadata["live"]:
            raise Rejected(
                f"{f.metadata['label']} cannot change while a run trains; "
                "it takes effect at the next Train.",
                field=name,
            )
        return dataclasses.replace(self, **{name: checked})

    def to_dict(self) -> dict[str, Any]:
        """Return the values by name, JSON-able."""
        return dataclasses.asdict(self)


def _check_bool(f: dataclasses.Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Rejected(
            f"{f.metadata['label']} must be true or false; got {_quoted(value)}.", field=f.name
        )
    return value


def _check_choice(f: dataclasses.Field, value: Any) -> str:
    allowed = [choice for choice, _ in f.metadata["choices"]]
    if not isinstance(value, str) or value not in allowed:
        raise Rejected(
            f"{f.metadata['label']} must be one of {', '.join(allowed)}; got {_quoted(value)}.",
            field=f.name,
        )
    return value


def _check_number(f: dataclasses.Field, value: Any, kind: type) -> float | int:
    low, high = f.metadata["minimum"], f.metadata["maximum"]
    allowed = f"{f.metadata['label']} must be {_shown(low)} to {_shown(high)}"
    if kind is int:
        allowed = (
            f"{f.metadata['label']} must be a whole number from {_shown(low)} to {_shown(high)}"
        )
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Rejected(f"{allowed}; got {_quoted(value)}.", field=f.name)
    if not low <= value <= high:  # NaN is not, and whole numbers beyond any float compare too
        raise Rejected(f"{allowed}; got {_shown(value)}.", field=f.name)
    if kind is int:
        if value != int(value):
            raise Rejected(f"{allowed}; got {_shown(value)}.", field=f.name)
        return int(value)
    return float(value)


def _from_text(text: str, kind: type) -> Any:
    """Read a terminal value; what cannot be read is passed on for `check` to refuse."""
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return int(text) if kind is int else float(text)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return text
    return text


def _shown(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= 1e15:
        return _quoted(value)
    if value == int(value):
        return str(int(value)) if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.6g}"


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
