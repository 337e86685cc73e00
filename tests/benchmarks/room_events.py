"""Whether every session got every event: what one has taken in, compared with a reference reader.

The server may leave out a progress, live picture or place in the queue that a newer one has
replaced, so only the kinds that nothing replaces are compared: metrics, alerts, changes, saves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

HEAD = re.compile(rb'\{"seq":(\d+),"kind": ?"(\w+)", ?"step": ?(\d+)')
KEPT = (b"metrics", b"alert", b"changed", b"saved")
ENDED = re.compile(
    rb'"kind": ?"status", ?"step": ?\d+, ?"state": ?"(finished|stopped|diverged|failed)"'
)


@dataclass
class Tally:
    """What one session has taken of a run since `begin`: how many, their sum, the last number."""

    begin: int = 0
    cursor: int = 0
    count: int = 0
    total: int = 0
    backwards: int = 0  # numbers that came twice or out of order
    ended: bool = False
    pictures: int = 0

    def take(self, content: bytes) -> int:
        """Take in events as they are on the wire; return how many came."""
        found = 0
        for match in HEAD.finditer(content):
            number, kind = int(match[1]), match[2]
            found += 1
            if number <= self.cursor:
                self.backwards += 1
                continue
            self.cursor = number
            if number > self.begin and kind in KEPT:
                self.count += 1
                self.total += number
            self.pictures += kind == b"preview"
            if kind == b"status":
                self.ended = ENDED.match(content, match.end(1) + 1) is not None
        return found


@dataclass
class Reference:
    """All numbers of a run that must reach everybody, in order, with sums to compare quickly."""

    tally: Tally = field(default_factory=Tally)
    numbers: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=lambda: [0])
    speed: list[tuple[float, int]] = field(default_factory=list)  # (moment, step)

    def take(self, content: bytes, now: float) -> None:
        """Take in events as they are on the wire."""
        for match in HEAD.finditer(content):
            number = int(match[1])
            if number > self.tally.cursor and match[2] in KEPT:
                self.numbers.append(number)
                self.sums.append(self.sums[-1] + number)
            if match[2] == b"progress":
                self.speed.append((now, int(match[3])))
        self.tally.take(content)

    def lost(self, session: Tally) -> int:
        """Return how many events a session has lost between its begin and its cursor."""
        low = bisect_right(self.numbers, session.begin)
        high = bisect_right(self.numbers, session.cursor)
        missing = (high - low) - session.count
        if missing:
            return abs(missing)
        return int(self.sums[high] - self.sums[low] != session.total)

    def steps_per_s(self, since: float, until: float) -> float:
        """Return the steps/s between two moments."""
        inside = [(at, step) for at, step in self.speed if since <= at <= until]
        if len(inside) < 2:
            return float("nan")
        (first, low), (last, high) = inside[0], inside[-1]
        return (high - low) / (last - first)
