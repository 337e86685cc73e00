"""What the teacher's wall keeps of one run: its newest picture, a short curve, its alerts.

Looking at the wall is not watching a run: a run that only the wall shows still rests when
nobody else looks and others wait.
"""

from __future__ import annotations

import base64
import logging
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from engine.errors import PlaygroundError
from engine.eventlog import Entry
from engine.runs import RunStore
from playground import film

log = logging.getLogger("playground.room")

MOST_POINTS = 64
MOST_DOTS = 2500
LARGE_BYTES = 48_000  # a picture beyond is made smaller on the server, once for all screens
CURVES = (("loss",), ("g_loss", "d_loss"), ("loss_g", "loss_d"))


@dataclass
class Curve:
    """A training curve with few points: every second one goes when there are too many."""

    points: list[tuple[int, float]] = field(default_factory=list)
    every: int = 1
    count: int = 0

    def add(self, step: int, value: float) -> None:
        """Take in a value; a step that is not new takes back what came after it."""
        while self.points and self.points[-1][0] >= step:
            self.points.pop()
        self.count += 1
        if self.count % self.every:
            return
        self.points.append((step, value))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self.every *= 2


class Watched:
    """One run, read on from where it was read last."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.seq = self.picture_seq = 0
        self.curves: dict[str, Curve] = {}
        self.alert: dict[str, Any] | None = None
        self.picture: bytes | None = None  # a preview event as JSON
        self.version = 0  # of the picture, among those of the whole wall

    def read_on(self, store: RunStore) -> bool:
        """Take in what is new; return whether there is another picture."""
        entry = store.picture(self.run_id, self.picture_seq)
        for event in _peek(store, self.run_id, self.seq):
            self.seq = event.seq
            kind = event.meta["kind"]
            if kind == "metrics" and event.meta.get("split") == "train":
                self._measure(orjson.loads(event.body))
            elif kind == "alert":
                told = orjson.loads(event.body)
                self.alert = {k: told.get(k) for k in ("step", "sentence", "level")}
        if entry is None:
            return False
        self.picture_seq, self.picture = entry.seq, slim(entry)
        return True

    def _measure(self, event: dict[str, Any]) -> None:
        values = event["values"]
        for name in chosen(values):
            value = values[name]
            if isinstance(value, (int, float)) and math.isfinite(value):
                self.curves.setdefault(name, Curve()).add(event["step"], float(value))
        if self.alert and self.alert["step"] > event["step"]:
            self.alert = None  # the run went back to before it

    def spark(self) -> list[dict[str, Any]]:
        """Return the curves as the wall draws them."""
        return [
            {"name": name, "values": [_short(v) for _, v in curve.points]}
            for name, curve in self.curves.items()
            if curve.points
        ]


def chosen(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the one or two values that stand for how a run is doing."""
    for names in CURVES:
        if all(name in values for name in names):
            return names
    losses = [name for name in values if "loss" in name] or sorted(values)
    return tuple(losses[:1])


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _peek(store: RunStore, run_id: str, after: int) -> list[Entry]:
    """Return events without being somebody who watches."""
    with store.table.lock:
        return store.table.get(run_id).log.after(after)


def slim(entry: Entry) -> bytes:
    """Return a preview event as JSON; a large picture is made smaller."""
    wire = entry.wire
    if len(wire) <= LARGE_BYTES:
        return wire
    try:
        event = orjson.loads(wire)
        if event["payload"]["type"] == "points":
            event["payload"] = fewer(event["payload"])
            return orjson.dumps(event)
        frames = orjson.dumps({"frames": [{"step": 0, "views": {"v": event["payload"]}}]})
        data = film.film(frames, "v")
        event["payload"] = {
            "type": "picture",
            "src": "data:image/webp;base64," + base64.b64encode(data).decode(),
            "alt": event["payload"].get("alt") or "",
        }
        return orjson.dumps(event)
    except (PlaygroundError, KeyError, ValueError, OSError):
        log.warning("a picture of run %s could not be made smaller", entry.meta.get("name"))
        return wire


def fewer(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a points payload with every so-manieth point: a tile has no room for more."""
    xy = np.frombuffer(base64.b64decode(payload["xy"]), "<f4").reshape(-1, 2)
    labels = np.frombuffer(base64.b64decode(payload["labels"]), np.uint8)
    every = max(1, -(-len(xy) // MOST_DOTS))
    thin, thin_labels = xy[::every], labels[::every]
    return {
        **payload,
        "start": 0,
        "total": len(thin),
        "xy": base64.b64encode(np.ascontiguousarray(thin).tobytes()).decode(),
        "labels": base64.b64encode(thin_labels.tobytes()).decode(),
    }
