"""Who is next: fair queueing over owners, in slices, with places and expected waits.

Start-time fair queueing (Goyal, Vin and Cheng 1996) with service in seconds as virtual time: the
owner who has used least is served next; one who comes starts at the least that anybody
who is here has used, so that nobody saves up credit by staying away. Within one owner runs are
served in the order in which they came. Pure bookkeeping: every method takes the time, from a
monotonic clock, and starts nothing itself.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

SLICE_S = 10.0  # when few wait
MIN_SLICE_S = 1.5  # a change of runs takes 0.03 to 0.3 s
ROTATION_S = 15.0  # in which everyone has been served once, while slices can be that short
HOUR_S = 3600.0
_BUCKET_S = 60.0
_REMEMBERED = 1000  # owners who have left


@dataclass(frozen=True)
class Place:
    """Where a waiting run stands: 1 is next. The wait in seconds, at best and at worst."""

    position: int
    low_s: float
    high_s: float


@dataclass
class _Owner:
    used: float
    waiting: deque[str] = field(default_factory=deque)
    running: dict[str, float] = field(default_factory=dict)  # run -> when its turn began
    served: deque[list[float]] = field(default_factory=deque)  # [bucket, seconds]

    def now_used(self, now: float, at_least: float = 0.0) -> float:
        """Return the service used, turns under way among it, each as `at_least` that long."""
        return self.used + sum(max(now - began, at_least) for began in self.running.values())

    @property
    def here(self) -> bool:
        return bool(self.waiting or self.running)


class Scheduler:
    """The owners, what they have used, and who of them waits; see the module's docstring."""

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.behind: frozenset[str] = frozenset()  # owners who wait until nobody else does
        self._owners: dict[str, _Owner] = {}
        self._owner_of: dict[str, str] = {}
        self._came: dict[str, int] = {}
        self._count = 0
        self._floor = 0.0
        self._asked: dict[str, float] = {}  # to give way, and when
        self._overshoot = 0.3  # seconds that giving way has taken, of late

    # ------------------------------------------------------------------ what happens

    def arrive(self, run: str, owner: str, now: float, first: bool = False) -> None:
        """Let a run wait; `first` puts it before the owner's others."""
        if run in self._came:
            return
        held = self._owners.get(owner)
        if held is None or not held.here:
            self._raise_floor(now)
            if held is None:
                held = self._owners[owner] = _Owner(self._floor)
            held.used = max(held.used, self._floor)
        self._owner_of[run] = owner
        self._count += 1
        self._came[run] = self._count
        (held.waiting.appendleft if first else held.waiting.append)(run)

    def leave(self, run: str) -> None:
        """Forget a run that waited and does so no more."""
        if run in self._came:
            held = self._owners[self._owner_of[run]]
            held.waiting.remove(run)
            del self._came[run]
            if run not in held.running:  # else its last turn is still ending
                del self._owner_of[run]
            self._forget()

    def begin(self, run: str, now: float) -> None:
        """Note that a waiting run has got a slot."""
        held = self._owners[self._owner_of[run]]
        held.waiting.remove(run)
        del self._came[run]
        if run in held.running:  # its last worker has not said good-bye yet
            self._charge(held, now - held.running[run], now)
            self._asked.pop(run, None)
        held.running[run] = now

    def restart(self, run: str, now: float) -> None:
        """Count a turn from now: until here its worker was getting ready."""
        owner = self._owner_of.get(run)
        if owner is not None and run in self._owners[owner].running:
            self._owners[owner].running[run] = now

    def end(self, run: str, now: float, again: bool = False) -> float:
        """Take the slot back and charge for the turn; `again` lets the run wait at once.

        Returns the seconds that were charged.
        """
        owner = self._owner_of.get(run)
        if owner is None or run not in self._owners[owner].running:
            return 0.0
        held = self._owners[owner]
        took = max(0.0, now - held.running.pop(run))
        asked = self._asked.pop(run, None)
        if again and asked is not None:
            late = min(1.0, max(0.0, now - asked))
            self._overshoot += (0.5 if late > self._overshoot else 0.1) * (late - self._overshoot)
        self._charge(held, took, now)
        if run in self._came:  # it was continued before its last turn had ended
            return took
        if again:
            self._count += 1
            self._came[run] = self._count
            held.waiting.append(run)
        else:
            del self._owner_of[run]
            self._forget()
        return took

    def ask(self, run: str, now: float) -> None:
        """Note that a run has been asked to give way."""
        self._asked[run] = now

    def unask(self, run: str) -> None:
        """Note that a run did not give way after all."""
        self._asked.pop(run, None)

    # ------------------------------------------------------------------ who is next

    def next(self, now: float) -> str | None:
        """Return the run that should start now, or None."""
        if self.running >= self.slots:
            return None
        return next(iter(self._first_of_each(now)), None)

    def giving_way(self, now: float) -> list[str]:
        """Return running runs whose turn is over because others should have theirs."""
        slice_s, chosen = self.slice_s(), []
        enough = slice_s - min(0.3 * slice_s, self._overshoot)  # giving way takes its time
        waiting = self._first_of_each(now)
        matched = max(0, self.slots - self.running) + len(self._asked)
        for run, owner, began in self._running_most_used_first(now):
            if matched >= len(waiting):
                break
            next_owner = self._owner_of[waiting[matched]]
            late = owner in self.behind and next_owner not in self.behind
            if run in self._asked or not (late or now - began >= enough):
                continue
            if late or self._may_follow(next_owner, owner, now):
                chosen.append(run)
                matched += 1
        return chosen

    def slice_s(self) -> float:
        """Return how long a turn is now, while others wait."""
        turns = math.ceil((self.running + len(self._came)) / max(1, self.slots))
        return min(SLICE_S, max(MIN_SLICE_S, ROTATION_S / max(1, turns)))

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return sum(len(held.running) for held in self._owners.values())

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return len(self._came)

    def waits(self, run: str) -> bool:
        """Say whether a run waits."""
        return run in self._came

    def hour_s(self, owner: str, now: float) -> float:
        """Return the service that an owner has had within the last hour."""
        held = self._owners.get(owner)
        if held is None:
            return 0.0
        while held.served and held.served[0][0] * _BUCKET_S < now - HOUR_S:
            held.served.popleft()
        return sum(s for _, s in held.served) + held.now_used(now) - held.used

    def forecast(
        self, now: float, left: dict[str, float] | None = None, switch_s: float = 0.0
    ) -> dict[str, Place]:
        """Return the place of every waiting run, by playing the coming turns.

        At best runs end as soon as `left` (seconds by run) says, at worst none does and every
        change takes `switch_s` more.
        """
        worst = self._play(now, {}, switch_s)
        best = self._play(now, left or {}, 0.0) if left else worst
        order = sorted(worst, key=lambda run: worst[run])
        return {
            run: Place(number, min(best.get(run, worst[run]), worst[run])[0], worst[run][0])
            for number, run in enumerate(order, 1)
        }

    # ------------------------------------------------------------------ inside

    def _play(
        self, now: float, left: dict[str, float], switch_s: float
    ) -> dict[str, tuple[float, int]]:
        """Return when each waiting run would start, and in which order."""
        slice_s = self.slice_s()
        owners = {name: held for name, held in self._owners.items() if held.here}
        used = {name: held.used for name, held in owners.items()}
        queues = {name: deque(held.waiting) for name, held in owners.items()}
        began: dict[str, tuple[float, int]] = {}
        slots: list[tuple[float, int, str, str]] = []
        for name, held in owners.items():
            for run, since in held.running.items():
                took = now - since
                rest = min(max(0.0, slice_s - took), left.get(run, math.inf))
                used[name] += took + rest
                slots.append((rest + switch_s, len(slots), run, name))
        slots += [(0.0, i, "", "") for i in range(len(slots), self.slots)]
        heapq.heapify(slots)
        missing, serial = len(self._came), len(slots)
        last = max(self._came.values(), default=0)
        came = dict(self._came)
        for _ in range(50 * (missing + 1)):
            if not missing or not slots:
                break
            at, _, run, name = heapq.heappop(slots)
            if run and left.get(run, math.inf) > slice_s:
                last += 1
                came[run] = last
                queues[name].append(run)
            ready = [n for n, queue in queues.items() if queue]
            if not ready:
                continue
            name = min(ready, key=lambda n: (n in self.behind, used[n], came[queues[n][0]]))
            run = queues[name].popleft()
            turn = min(slice_s, left.get(run, math.inf))
            used[name] += turn
            if run in self._came and run not in began:
                began[run] = (at, len(began))
                missing -= 1
            serial += 1
            heapq.heappush(slots, (at + turn + switch_s, serial, run, name))
        end = max((at for at, *_ in slots), default=0.0)
        for run in sorted(self._came, key=lambda r: self._came[r]):
            began.setdefault(run, (end, len(began)))
        return began

    def _first_of_each(self, now: float) -> list[str]:
        """Return the waiting runs in the order in which they would be started now."""
        slice_s = self.slice_s()
        keyed = []
        for name, held in self._owners.items():
            ahead = held.now_used(now, slice_s)
            for number, run in enumerate(held.waiting):
                key = (name in self.behind, ahead + number * slice_s, self._came[run])
                keyed.append((key, run))
        return [run for _, run in sorted(keyed)]

    def _running_most_used_first(self, now: float) -> list[tuple[str, str, float]]:
        found = [
            (name not in self.behind, -held.now_used(now), began, run, name)
            for name, held in self._owners.items()
            for run, began in held.running.items()
        ]
        return [(run, name, began) for _, _, began, run, name in sorted(found)]

    def _may_follow(self, waiting: str, running: str, now: float) -> bool:
        """Say whether an owner who waits has used no more than one whose run has its turn."""
        if waiting == running:
            return True
        if (waiting in self.behind) != (running in self.behind):
            return running in self.behind
        mine, theirs = self._owners[waiting], self._owners[running]
        return mine.now_used(now) <= theirs.now_used(now)

    def _charge(self, held: _Owner, seconds: float, now: float) -> None:
        seconds = max(0.0, seconds)
        held.used += seconds
        bucket = now // _BUCKET_S
        if held.served and held.served[-1][0] == bucket:
            held.served[-1][1] += seconds
        else:
            held.served.append([bucket, seconds])

    def _raise_floor(self, now: float) -> None:
        least = min((h.now_used(now) for h in self._owners.values() if h.here), default=0.0)
        self._floor = max(self._floor, least)

    def _forget(self) -> None:
        """Drop owners who have left long ago; what they used is below what they would start at."""
        if len(self._owners) > _REMEMBERED:
            gone = [n for n, h in self._owners.items() if not h.here and h.used <= self._floor]
            for name in gone:
                del self._owners[name]
