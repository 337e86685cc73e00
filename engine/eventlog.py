"""The numbered events of one run, as the pages will read them.

A newer live preview or progress replaces an unread older one of the same name, so that a slow
reader is never behind by more than one picture. Kept previews go to the timeline as well.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

MAX_METRICS = 12_000


@dataclass(frozen=True)
class Entry:
    """One event: its number, what the run store reads of it, and its JSON."""

    seq: int
    meta: dict[str, Any]
    body: bytes

    @property
    def wire(self) -> bytes:
        """The JSON object with its number."""
        return b'{"seq":%d,' % self.seq + self.body[1:]


class EventLog:
    """Append events; read those after a number. Not thread-safe: the run store locks."""

    def __init__(self, first: int = 1) -> None:
        self.next_seq = first
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._latest: dict[tuple[str, ...], int] = {}
        self._metrics = 0
        self.frames: OrderedDict[int, dict[str, bytes]] = OrderedDict()

    @property
    def last_seq(self) -> int:
        """The number of the newest event, 0 when there is none."""
        return self.next_seq - 1

    def append(self, meta: dict[str, Any], body: bytes) -> Entry:
        """Number an event and keep it."""
        entry = Entry(self.next_seq, meta, body)
        self.next_seq += 1
        key = self._replaces(meta)
        if key is not None:
            self._entries.pop(self._latest.get(key, 0), None)
            self._latest[key] = entry.seq
        self._entries[entry.seq] = entry
        if meta["kind"] == "preview" and meta.get("kept"):
            payload = body[body.index(b'"payload":') + 10 : body.rindex(b',"kept"')]
            self.frames.setdefault(meta["step"], {})[meta["name"]] = payload
        if meta["kind"] == "metrics":
            self._metrics += 1
            if self._metrics > MAX_METRICS:
                self._thin()
        return entry

    def after(self, seq: int) -> list[Entry]:
        """Return the events with a greater number, in order."""
        if seq >= self.last_seq:
            return []
        found = []
        for number in reversed(self._entries):
            if number <= seq:
                break
            found.append(self._entries[number])
        return found[::-1]

    def metrics(self) -> list[dict[str, Any]]:
        """Return all kept metrics, oldest first."""
        return [e.meta for e in self._entries.values() if e.meta["kind"] == "metrics"]

    def timeline(self, after_step: int = -1) -> bytes:
        """Return the kept frames as JSON: {"frames": [{"step", "views"}]}."""
        frames = [
            b'{"step":%d,"views":{%s}}'
            % (step, b",".join(json.dumps(n).encode() + b":" + p for n, p in views.items()))
            for step, views in self.frames.items()
            if step > after_step
        ]
        return b'{"frames":[' + b",".join(frames) + b"]}"

    def forget_after(self, step: int) -> None:
        """Drop curves and frames of steps that a rewind took back."""
        gone = [
            n
            for n, e in self._entries.items()
            if e.meta["kind"] in ("metrics", "preview") and e.meta.get("step", 0) > step
        ]
        for number in gone:
            del self._entries[number]
        for later in [s for s in self.frames if s > step]:
            del self.frames[later]

    def _replaces(self, meta: dict[str, Any]) -> tuple[str, ...] | None:
        if meta["kind"] == "progress":
            return ("progress",)
        if meta["kind"] == "preview":
            return ("preview", meta["name"], "kept" if meta.get("kept") else "live")
        return None

    def _thin(self) -> None:
        """Drop every second training metric of the older half; a long curve stays readable."""
        training = [
            n
            for n, e in self._entries.items()
            if e.meta["kind"] == "metrics" and e.meta.get("split") == "train"
        ]
        for number in training[: len(training) // 2 : 2]:
            del self._entries[number]
            self._metrics -= 1
