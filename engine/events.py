"""What a run tells: frozen and picklable; numbers, strings, encoded pictures, never tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from engine.payloads import Payload, plain

Split = Literal["train", "test", "monitor"]

State = Literal[
    "queued",
    "starting",
    "running",
    "paused",
    "parked",
    "finished",
    "stopped",
    "diverged",
    "failed",
    "interrupted",
]
ACTIVE: frozenset[str] = frozenset({"queued", "starting", "running", "paused", "parked"})


@dataclass(frozen=True)
class Metrics:
    """Numbers at a step; training values are means over the steps since the last event."""

    step: int
    split: Split
    values: dict[str, float]

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        values = plain(self.values)
        return {"kind": "metrics", "step": self.step, "split": self.split, "values": values}


@dataclass(frozen=True)
class Progress:
    """How far and how fast; `preview_share` is the share of the time that drawing took."""

    step: int
    epoch: float
    steps_per_s: float
    samples_per_s: float
    elapsed_s: float
    remaining_s: float | None
    device: str
    preview_share: float

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {"kind": "progress", **plain(self.__dict__)}


@dataclass(frozen=True)
class Preview:
    """A picture of the present weights; `kept` ones belong to the timeline."""

    step: int
    name: str
    payload: Payload
    kept: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "kind": "preview",
            "step": self.step,
            "name": self.name,
            "payload": self.payload.to_wire(),
            "kept": self.kept,
        }


@dataclass(frozen=True)
class Status:
    """A change of state, with one sentence for a person; `detail` is for a fold and the log."""

    step: int
    state: State
    message: str | None = None
    detail: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "kind": "status",
            "step": self.step,
            "state": self.state,
            "message": self.message,
            "detail": self.detail,
            **plain(self.extra),
        }


@dataclass(frozen=True)
class Changed:
    """A live change took effect before this step."""

    step: int
    field: str
    old: Any
    new: Any

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {"kind": "changed", **plain(self.__dict__)}


@dataclass(frozen=True)
class Saved:
    """A checkpoint of this step was written."""

    step: int
    reason: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {"kind": "saved", "step": self.step, "checkpoint": {"step": self.step}}


@dataclass(frozen=True)
class Alert:
    """Something worth knowing happened; `remedy` holds hyperparameters that would help.

    `remedies` are forks that would help, each {"key", "title", "config"}, from a checkpoint at
    or before step `since`.
    """

    step: int
    alert: str
    sentence: str
    remedy: dict[str, Any] | None = None
    level: str = "note"
    remedies: tuple[dict[str, Any], ...] = ()
    since: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {"kind": "alert", **plain(self.__dict__)}


@dataclass(frozen=True)
class Refused:
    """A command could not be carried out; the run goes on."""

    step: int
    sentence: str
    field: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {"kind": "refused", **self.__dict__}


@dataclass(frozen=True)
class Answer:
    """The answer to a `RequestPreview`: a payload, or a sentence that says why not."""

    step: int
    request: int
    payload: Payload | None = None
    sentence: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        payload = None if self.payload is None else self.payload.to_wire()
        return {"kind": "answer", "step": self.step, "payload": payload, "error": self.sentence}


Event = Metrics | Progress | Preview | Status | Changed | Saved | Alert | Refused | Answer
