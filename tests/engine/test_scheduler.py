"""The fair queue as a simulation: no workers, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.scheduler import HOUR_S, MIN_SLICE_S, ROTATION_S, SLICE_S, Scheduler

TICK_S = 0.25


class Room:
    """Slots that obey the scheduler; every change of runs takes `switch_s`."""

    def __init__(self, slots: int, switch_s: float = 0.0) -> None:
        self.scheduler, self.slots, self.switch_s = Scheduler(slots), slots, switch_s
        self.now = 0.0
        self.owner: dict[str, str] = {}
        self.left: dict[str, float] = {}
        self.served: dict[str, float] = {}
        self.first: dict[str, float] = {}
        self.gone: dict[str, float] = {}
        self.began: dict[str, float] = {}

    def come(self, run: str, owner: str = "", seconds: float = 1e9) -> None:
        self.owner[run], self.left[run] = owner or run, seconds
        self.served.setdefault(run, 0.0)
        self.scheduler.arrive(run, self.owner[run], self.now)
        self.fill()

    def fill(self) -> None:
        while (run := self.scheduler.next(self.now)) is not None:
            assert len(self.began) < self.slots
            self.scheduler.begin(run, self.now)
            self.began[run] = self.now
            self.first.setdefault(run, self.now)

    def tick(self) -> None:
        self.now += TICK_S
        for run in list(self.began):
            worked = min(TICK_S, max(0.0, self.now - self.began[run] - self.switch_s))
            self.served[run] += worked
            self.left[run] -= worked
            if self.left[run] <= 0:
                self.scheduler.end(run, self.now)
                del self.began[run]
                self.gone[run] = self.now
        for run in self.scheduler.giving_way(self.now):
            del self.began[run]
            self.scheduler.ask(run, self.now)
            self.scheduler.end(run, self.now, again=True)
        self.fill()

    def until(self, done: Callable[[], bool], limit_s: float = 4000) -> None:
        while not done():
            assert self.now < limit_s
            self.tick()

    def of(self, owner: str) -> float:
        return sum(s for run, s in self.served.items() if self.owner[run] == owner)


def test_thirty_equals_see_something_soon_and_never_differ_by_more_than_a_slice() -> None:
    room = Room(2, switch_s=0.2)
    for n in range(30):
        room.come(f"r{n:02}", seconds=10)
    slice_s = room.scheduler.slice_s()
    assert slice_s == max(MIN_SLICE_S, ROTATION_S / 15)
    while len(room.gone) < 30:
        room.tick()
        under_way = [run for run in room.served if run not in room.gone]
        if len(under_way) > 1:
            got = [room.served[run] for run in under_way]
            assert max(got) - min(got) <= room.scheduler.slice_s() + 2 * TICK_S
    assert max(room.first.values()) <= 30
    assert list(room.first) == sorted(room.first), "who came first was served first"
    ended = sorted(room.gone.values())
    assert ended[-1] - ended[0] <= 15 * slice_s + 10


def test_few_get_long_turns_and_many_get_short_ones() -> None:
    room = Room(2)
    lengths = []
    for n in range(60):
        room.come(str(n))
        lengths.append(room.scheduler.slice_s())
    assert lengths[0] == SLICE_S
    assert lengths[-1] == MIN_SLICE_S
    assert lengths == sorted(lengths, reverse=True)


def test_one_owner_with_ten_runs_takes_nothing_from_nine_with_one() -> None:
    room = Room(2)
    for n in range(10):
        room.come(f"greedy{n}", "greedy")
    for n in range(9):
        room.come(f"r{n}", f"owner{n}")
    room.until(lambda: room.now >= 1200)
    owners = ["greedy", *(f"owner{n}" for n in range(9))]
    got = [room.of(owner) for owner in owners]
    mean = sum(got) / len(got)
    assert all(0.8 * mean <= one <= 1.2 * mean for one in got), got
    mine = [s for run, s in room.served.items() if run.startswith("greedy")]
    assert max(mine) <= 2 * min(mine), "the runs of one owner starve each other"


def test_who_comes_late_is_not_owed_what_others_have_had() -> None:
    room = Room(1)
    room.come("early")
    room.until(lambda: room.now >= 300)
    room.come("late")
    room.until(lambda: room.now >= 400)
    assert abs(room.served["late"] - 50) <= SLICE_S
    assert room.served["early"] >= 340


def test_who_leaves_and_comes_back_saves_up_nothing_and_loses_nothing() -> None:
    room = Room(1)
    room.come("a", "ada")
    room.come("b", "bob")
    room.until(lambda: room.now >= 100)
    room.scheduler.end("a", room.now) if "a" in room.began else room.scheduler.leave("a")
    room.began.pop("a", None)
    room.fill()
    room.until(lambda: room.now >= 300)
    before = dict(room.served)
    room.come("c", "ada")
    room.until(lambda: room.now >= 400)
    assert abs((room.served["c"]) - (room.served["b"] - before["b"])) <= SLICE_S + TICK_S


def test_a_turn_of_one_who_is_alone_has_no_end() -> None:
    room = Room(2)
    room.come("a", "ada")
    room.come("b", "ada")
    room.until(lambda: room.now >= 100)
    assert room.served == {"a": 100.0, "b": 100.0}


def test_who_has_used_up_the_hour_goes_behind_and_is_not_lost() -> None:
    room = Room(1)
    room.come("old", "ada", 60)
    room.until(lambda: room.now >= 20)
    assert room.scheduler.hour_s("ada", room.now) == pytest.approx(20)
    room.scheduler.behind = frozenset({"ada"})
    room.come("new", "bob", 30)
    room.until(lambda: "new" in room.gone)
    assert room.gone["new"] - room.first["new"] == pytest.approx(30, abs=TICK_S)
    room.until(lambda: "old" in room.gone)
    assert room.scheduler.hour_s("ada", room.now + HOUR_S + 61) == 0


def test_places_are_exact_and_waits_are_ranges() -> None:
    room = Room(2)
    for n in range(8):
        room.come(str(n))
    room.until(lambda: room.now >= 3)
    told = room.scheduler.forecast(room.now, {}, switch_s=0.0)
    assert sorted(place.position for place in told.values()) == list(range(1, len(told) + 1))
    for run, place in told.items():
        assert 0 <= place.low_s <= place.high_s, run
    at = room.now
    room.first = {}
    waiting = set(told)
    room.until(lambda: waiting <= set(room.first))
    order = sorted(waiting, key=lambda run: (room.first[run], told[run].position))
    assert order == sorted(waiting, key=lambda run: told[run].position)
    for run in waiting:
        waited = room.first[run] - at
        assert waited <= told[run].high_s + 2, (run, waited, told[run])


def test_a_wait_is_shorter_when_those_before_it_are_nearly_done() -> None:
    room = Room(1)
    room.come("a")
    room.come("b")
    best = room.scheduler.forecast(0.0, {"a": 1.0})["b"]
    assert (best.low_s, best.high_s) == (1.0, room.scheduler.slice_s())


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 4),
    steps=st.lists(
        st.tuples(st.sampled_from("ctlp"), st.integers(0, 5), st.integers(0, 3)), max_size=80
    ),
)
def test_whatever_comes_and_goes_nothing_is_lost(
    slots: int, steps: list[tuple[str, int, int]]
) -> None:
    room = Room(slots)
    for what, owner, number in steps:
        run = f"o{owner}r{number}"
        if what == "c" and run not in room.began and not room.scheduler.waits(run):
            room.come(run, f"o{owner}", 7.0)
        elif what == "l":
            if run in room.began:
                room.scheduler.end(run, room.now)
                del room.began[run]
            else:
                room.scheduler.leave(run)
            room.left.pop(run, None)
            room.fill()
        elif what == "p":
            room.scheduler.behind = frozenset({f"o{owner}"})
        else:
            room.tick()
        scheduler = room.scheduler
        assert scheduler.running == len(room.began) <= slots
        assert not (scheduler.waiting and scheduler.running < slots), "a slot stands empty"
        told = scheduler.forecast(room.now)
        assert sorted(p.position for p in told.values()) == list(range(1, scheduler.waiting + 1))
        assert all(0 <= p.low_s <= p.high_s for p in told.values())
    room.until(lambda: not room.began and not room.scheduler.waiting)


# ---------------------------------------------------------------------- continued at once


@pytest.mark.parametrize("leaves", [False, True])
def test_a_run_that_comes_again_before_its_turn_has_ended(leaves: bool) -> None:
    scheduler = Scheduler(1)
    scheduler.arrive("a", "ada", 0.0)
    scheduler.begin("a", 0.0)
    scheduler.arrive("a", "ada", 1.0)  # it had finished, and is continued
    if leaves:
        scheduler.leave("a")
    scheduler.end("a", 1.1)
    assert scheduler.running == 0
    assert scheduler.waits("a") is not leaves
    assert scheduler.next(1.2) == (None if leaves else "a")
    scheduler.arrive("b", "bob", 1.3)
    assert scheduler.next(1.4) is not None


def test_a_run_that_begins_again_before_its_turn_has_ended_takes_one_slot() -> None:
    scheduler = Scheduler(2)
    scheduler.arrive("a", "ada", 0.0)
    scheduler.begin("a", 0.0)
    scheduler.arrive("a", "ada", 1.0)
    assert scheduler.next(1.0) == "a"
    scheduler.begin("a", 1.0)
    assert (scheduler.running, scheduler.waiting) == (1, 0)
    scheduler.end("a", 2.0)
    assert (scheduler.running, scheduler.waiting) == (0, 0)
