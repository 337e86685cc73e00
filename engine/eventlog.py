"""The numbered events of one run, as the pages will read them.

A newer live preview or progress replaces an unread older one of the same name, so that a slow
reader is never behind by more than one picture. What is kept for the timeline lies on disk
(`engine.journal`). A log can be put away and filled again from there; see `unload`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MAX_METRICS = 6_000  # of one run, about 0.5 KB each
_Key = tuple[str, ...]


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

    def __init__(self, first: int = 1, told: int | None = None) -> None:
        """`told` is the last number of events that lie on disk only: the log begins put away."""
        self.next_seq = first
        self.cold = told is not None  # put away
        self._told = told or 0
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._latest: dict[_Key, int] = {}
        self._metrics = 0

    @property
    def last_seq(self) -> int:
        """The number of the newest event, 0 when there is none."""
        return self.next_seq - 1

    def append(self, meta: dict[str, Any], body: bytes, replaces: _Key | None = None) -> Entry:
        """Number an event and keep it; one with the same `replaces` before it goes."""
        kind = meta["kind"]
        key = replaces or self._replaces(meta)
        if kind == "metrics":  # the numbers are in the body: once is enough
            meta = {"kind": kind, "step": meta["step"], "split": meta.get("split")}
        entry = Entry(self.next_seq, meta, body)
        self.next_seq += 1
        if key is not None:
            self._entries.pop(self._latest.get(key, 0), None)
            self._latest[key] = entry.seq
        self._entries[entry.seq] = entry
        if kind == "metrics":
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
        return [json.loads(e.body) for e in self._entries.values() if e.meta["kind"] == "metrics"]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Return what is read of all events of a kind, oldest first."""
        return [e.meta for e in self._entries.values() if e.meta["kind"] == kind]

    def picture(self, after: int, main: str | None) -> Entry | None:
        """Return the newest live picture after a number, of the view `main` if there is one."""
        found = self._entries.get(self._latest.get(("preview", main or "", "live"), 0))
        if found is None:
            live = [seq for key, seq in self._latest.items() if key[::2] == ("preview", "live")]
            found = self._entries.get(max(live, default=0))
        return found if found is not None and found.seq > after else None

    def forget_after(self, step: int) -> None:
        """Drop curves, pictures and changes of steps that a rewind took back."""
        gone = [
            n
            for n, e in self._entries.items()
            if e.meta["kind"] in ("metrics", "preview", "changed") and e.meta.get("step", 0) > step
        ]
        for number in gone:
            self._metrics -= self._entries.pop(number).meta["kind"] == "metrics"

    def unload(self) -> list[bytes]:
        """Put the log away; return the live pictures, which are nowhere else."""
        live = [e.body for e in self._entries.values() if _is_live(e.meta)]
        self._entries.clear()
        self._latest.clear()
        self._metrics, self.cold, self._told = 0, True, self.last_seq
        return live

    def refill(self, past: Iterable[tuple[dict[str, Any], bytes]]) -> None:
        """Take back what was put away, numbered so that it ends with the last number then.

        Nobody misses an event by that: numbers only grow, as live ones between are gone.
        """
        coming, told = self.next_seq, list(past)
        self.cold = False
        self.next_seq = max(1, self._told - len(told) + 1)
        for meta, body in told:
            self.append(meta, body)
        self.next_seq = max(self.next_seq, coming)

    def _replaces(self, meta: dict[str, Any]) -> _Key | None:
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


def _is_live(meta: dict[str, Any]) -> bool:
    return meta["kind"] == "preview" and not meta.get("kept")
