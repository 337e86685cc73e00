"""The run store with real workers: owners, queue, turns, deaths, restarts, exploring."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import (
    KEYS,
    SMALL,
    Data,
    Waiter,
    assert_same_end,
    assert_sentence,
    few_digits,
    last,
    run,
    spec,
)
from store_page import LONG, Page

from engine import checkpoint, commands, runs
from engine.errors import Busy, Forbidden, NotFound, PlaygroundError, Rejected
from engine.events import ACTIVE
from engine.executors.process import ProcessExecutor
from engine.runs import RunStore

BREAKS = {"hidden_layers": 2, "hidden_dim": 64, "learning_rate": 10.0}
every_key = pytest.mark.parametrize("key", KEYS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The few digits in the store's own folder."""
    return few_digits(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def store(pool: ProcessExecutor, data: Data) -> Iterator[RunStore]:
    found = RunStore(data.root, pool)
    yield found
    found.close()


@pytest.fixture
def ada(store: RunStore, data: Data) -> Iterator[Page]:
    page = Page(store, data, "owner-ada-0123456789")
    yield page
    page.clear()


@pytest.fixture
def bob(store: RunStore, data: Data) -> Iterator[Page]:
    page = Page(store, data, "owner-bob-0123456789")
    yield page
    page.clear()


@pytest.fixture(scope="module")
def straight(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the folder of an uninterrupted run in this process."""
    done: dict[tuple[str, int], Path] = {}

    def folder(steps: int, key: str = "vae") -> Path:
        if (key, steps) not in done:
            done[key, steps] = tmp_path_factory.mktemp(f"straight-{key}")
            run(spec(key, few, done[key, steps], steps))
        return done[key, steps]

    return folder


# ---------------------------------------------------------------------- several people


def test_two_people_train_at_once_and_see_their_own_runs(ada: Page, bob: Page) -> None:
    mine, theirs = ada.start(), bob.start(key="ae")
    pids = {ada.until_working(mine), bob.until_working(theirs)}
    assert len(pids) == 2
    ada.until_step(mine, 20)
    bob.until_step(theirs, 20)
    assert [v["id"] for v in ada.store.list(ada.owner)] == [mine]
    assert [v["id"] for v in bob.store.list(bob.owner)] == [theirs]
    assert ada.view(mine)["owner_is_you"]
    assert not bob.view(mine)["owner_is_you"]
    for page, one in ((ada, mine), (bob, theirs)):
        page.tell(one, "stop")
        assert page.until_state(one, "stopped")["position"] is None
    assert all("kl_nats" not in e["values"] for e in bob.events(theirs, "metrics"))
    assert all("kl_nats" in e["values"] for e in ada.events(mine, "metrics"))


def test_nobody_sees_the_runs_of_no_owner(store: RunStore) -> None:
    assert list(store.list("")) == []
    assert list(store.list("someone-else-0123456789")) == []


def test_commands_are_the_owners_alone(ada: Page, bob: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 5)
    for message in (
        *({"command": "stop"}, {"command": "pause"}, {"command": "step", "count": 1}),
        *({"command": "set", "field": "beta", "value": 9}, {"command": "continue"}, {}, None),
    ):
        for owner in (bob.owner, "", ada.owner[:-1]):
            with pytest.raises(Forbidden) as refused:
                bob.store.command(owner, mine, message)  # type: ignore[arg-type]
            assert_sentence(refused.value)
    with pytest.raises(Forbidden):
        bob.store.delete(bob.owner, mine)
    assert ada.view(mine)["state"] == "running"
    assert ada.view(mine)["config"]["beta"] == 1


@pytest.mark.parametrize("run_id", ["", "nothing", None, 3, ["x"], "../etc"])
def test_an_unknown_run_is_not_found(run_id: Any, ada: Page) -> None:
    for ask in (
        lambda: ada.view(run_id),
        lambda: ada.tell(run_id, "stop"),
        lambda: ada.store.events(run_id, 0),
        lambda: ada.store.delete(ada.owner, run_id),
        lambda: ada.store.explore({"run": run_id}, "map", {}),
        lambda: ada.start(resume={"run": run_id}),
    ):
        with pytest.raises(NotFound) as refused:
            ask()
        assert_sentence(refused.value)


def test_a_person_may_have_three_runs_under_way(
    ada: Page, bob: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = [ada.start() for _ in range(3)]
    with pytest.raises(Busy, match="at most 3 at once") as refused:
        ada.start()
    assert_sentence(refused.value)
    assert refused.value.status == 429
    bob.start()
    ada.tell(started[2], "stop")
    ada.until_state(started[2], "stopped")
    assert ada.start()
    monkeypatch.setattr(bob.store, "policy", replace(bob.store.policy, max_queued=1))
    with pytest.raises(Busy, match="waiting already"):
        bob.start()


# ---------------------------------------------------------------------- bad requests


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"model": "gpt9"}, NotFound),
        ({"model": None}, NotFound),
        ({"model": ["vae"]}, NotFound),
        ({"dataset": "cats"}, PlaygroundError),
        ({"dataset": None}, PlaygroundError),
        ({"dataset": "pictures:0000000000000000"}, PlaygroundError),
        ({"dataset": "pictures:../../etc"}, PlaygroundError),
        ({"dataset": {"a": 1}}, PlaygroundError),
        ({"config": {"beta": float("nan")}}, Rejected),
        ({"config": {"hue": 1}}, Rejected),
        ({"config": [1]}, Rejected),
        ({"config": ["beta"]}, Rejected),
        ({"config": "beta=1"}, Rejected),
        ({"config": 3}, Rejected),
        ({"seed": -1}, Rejected),
        ({"seed": "1"}, Rejected),
        ({"max_steps": 0}, Rejected),
        ({"max_steps": True}, Rejected),
        ({"max_seconds": float("inf")}, Rejected),
        ({"resume": "x"}, Rejected),
        ({"resume": {}}, Rejected),
        ({"resume": {"checkpoint": "vae/none"}}, NotFound),
        ({"resume": {"checkpoint": ["x"]}}, NotFound),
        ({"resume": {"checkpoint": "upload/../../x"}}, NotFound),
    ],
    ids=str,
)
def test_a_bad_request_starts_nothing(changed: dict, error: type, ada: Page) -> None:
    given = {"model": "vae", "dataset": ada.data.key, "config": SMALL, **changed}
    before = sorted(p.name for p in ada.store.root.iterdir())
    with pytest.raises(error) as refused:
        ada.store.start(ada.owner, **given)
    assert_sentence(refused.value)
    assert list(ada.store.list(ada.owner)) == []
    assert sorted(p.name for p in ada.store.root.iterdir()) == before


@pytest.mark.parametrize("title", ["", "  ", "\x00\n", None, 3, "x" * 500, "<b>I</b>", "나의 실행"])
def test_a_title_is_short_and_printable(title: Any, ada: Page) -> None:
    found = ada.view(ada.start(title=title))["title"]
    assert 1 <= len(found) <= 60
    assert found.isprintable()


# ---------------------------------------------------------------------- queue and turns


def test_who_waits_has_a_place(ada: Page, bob: Page) -> None:
    for one in (ada.start(), ada.start()):
        ada.until_working(one)
    third, fourth = bob.start(), bob.start()
    assert [bob.view(r)["state"] for r in (third, fourth)] == ["queued", "queued"]
    assert [bob.view(r)["position"] for r in (third, fourth)] == [1, 2]
    assert 0 <= bob.view(third)["eta_s"] <= bob.view(fourth)["eta_s"]
    bob.tell(third, "stop")
    assert bob.view(third)["state"] == "stopped"
    assert bob.view(fourth)["position"] == 1
    told = bob.events(fourth, "status")[-1]
    assert (told["state"], told["position"]) == ("queued", 1)


def test_a_free_worker_takes_who_waits_longest(ada: Page, bob: Page) -> None:
    first, second = ada.start(), ada.start()
    for one in (first, second):
        ada.until_working(one)
    third = bob.start()
    assert bob.view(third)["state"] == "queued"
    ada.tell(first, "stop")
    bob.until_working(third)


def test_three_runs_take_turns_and_end_bit_identical(
    ada: Page, bob: Page, straight: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.scheduler.SLICE_S", 0.3)
    monkeypatch.setattr("engine.scheduler.MIN_SLICE_S", 0.1)
    steps = 300
    mine = [(ada, ada.start(steps), "vae"), (ada, ada.start(steps, "ae"), "ae")]
    mine.append((bob, bob.start(steps), "vae"))
    deadline = time.monotonic() + 120
    while any(page.view(one)["state"] in ACTIVE for page, one, _ in mine):
        assert time.monotonic() < deadline, [page.view(one) for page, one, _ in mine]
        page, one, _ = next(m for m in mine if m[0].view(m[1])["state"] in ACTIVE)
        asyncio.run(page.store.wait(one, page.view(one)["last_seq"], 0.2))
        page.store.tick()
    for page, one, key in mine:
        assert page.view(one)["state"] == "finished"
        assert_same_end(page.folder(one), straight(steps, key), key)
    assert sum(page.store._get(one).turn for page, one, _ in mine) > 3, "nobody gave way"


def test_a_paused_run_gives_way_and_comes_back(
    ada: Page, bob: Page, straight: Callable[..., Path]
) -> None:
    mine = ada.start(300)
    ada.until_step(mine, 1)
    ada.tell(mine, "pause")
    at = ada.until_state(mine, "paused")["step"]
    others = [bob.start(), bob.start()]
    bob.store.tick()
    for one in others:  # two workers for these two: the paused run rests without one
        bob.until_working(one)
    assert ada.pid(mine) is None
    assert (ada.view(mine)["state"], ada.view(mine)["step"]) == ("paused", at)
    bob.clear()
    ada.tell(mine, "resume")
    assert ada.until_state(mine, "finished")["step"] == 300
    assert_same_end(ada.folder(mine), straight(300))


def test_a_resting_run_can_be_stepped(ada: Page, bob: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 1)
    ada.tell(mine, "pause")
    at = ada.until_state(mine, "paused")["step"]
    others = [bob.start(), bob.start()]
    bob.store.tick()
    for one in others:
        bob.until_working(one)
    bob.clear()
    ada.tell(mine, "step", count=2)
    ada.until(mine, "two steps", lambda: ada.view(mine)["step"] == at + 2)
    assert ada.view(mine)["state"] == "paused"


def test_a_run_that_was_stepped_after_a_rest_goes_on_after_its_turn(ada: Page, bob: Page) -> None:
    """Resumed by its owner, it must not be found paused again when its slice is over."""
    mine = ada.start()
    ada.until_step(mine, 1)
    ada.tell(mine, "pause")
    ada.until_state(mine, "paused")
    others = [bob.start(), bob.start()]
    bob.store.tick()
    for one in others:
        bob.until_working(one)
    bob.clear()
    ada.tell(mine, "step")
    ada.until(mine, "worker", lambda: ada.pid(mine))
    ada.tell(mine, "resume")
    before = ada.until_working(mine)
    os.kill(before, signal.SIGKILL)
    ada.until_working(mine, but=before)
    at = ada.view(mine)["step"]
    ada.until_step(mine, at + 5)
    assert ada.view(mine)["state"] == "running"


# ---------------------------------------------------------------------- watching


def test_a_page_that_comes_late_gets_every_metric(ada: Page) -> None:
    mine, seen, cursor = ada.start(300), [], 0
    while ada.view(mine)["state"] in ACTIVE or ada.view(mine)["last_seq"] > cursor:
        asyncio.run(ada.store.wait(mine, cursor, 5))
        for entry in ada.store.events(mine, cursor):
            event = json.loads(entry.wire)
            assert event["seq"] == entry.seq > cursor
            cursor = entry.seq
            seen.append(event)
    late = ada.events(mine)
    kinds = ("metrics", "status", "saved", "changed", "alert")
    assert [e for e in late if e["kind"] in kinds] == [e for e in seen if e["kind"] in kinds]
    assert cursor == late[-1]["seq"] == ada.view(mine)["last_seq"]
    live = [e["name"] for e in late if e["kind"] == "preview" and not e["kept"]]
    assert len(live) == len(set(live)), "only the newest picture of a name is kept"
    assert ada.events(mine, "status")[-1]["state"] == "finished"


def test_two_tabs_read_the_same_bytes(ada: Page) -> None:
    mine = ada.start(30)
    ada.until_state(mine, "finished")
    one, two = ([e.wire for e in ada.store.events(mine, 0)] for _ in range(2))
    assert one == two


def test_waiting_ends_with_an_event_or_with_the_time(ada: Page) -> None:
    mine = ada.start(5)
    ada.until_state(mine, "finished")
    seq = ada.view(mine)["last_seq"]
    assert asyncio.run(ada.store.wait(mine, seq - 1, 5)) is True
    # the last event's own notice may still be on its way, once
    assert not all(asyncio.run(ada.store.wait(mine, seq, 0.05)) for _ in range(3))


def test_the_timeline_has_the_kept_frames(ada: Page) -> None:
    mine = ada.start(40)
    ada.until_state(mine, "finished")
    frames = json.loads(ada.store.timeline(mine))["frames"]
    assert [f["step"] for f in frames] == [0, 1, 2, 4, 8, 16, 32, 40]
    assert all(set(f["views"]) == {"map", "grid"} for f in frames)
    assert frames[0]["views"]["map"]["type"] == "points"
    later = json.loads(ada.store.timeline(mine, 8))["frames"]
    assert [f["step"] for f in later] == [16, 32, 40]


def test_a_run_tells_its_progress(ada: Page) -> None:
    mine = ada.start(120, title="Mine")
    view = ada.until_state(mine, "finished")
    assert (view["step"], view["max_steps"], view["title"]) == (120, 120, "Mine")
    assert view["epoch"] == pytest.approx(120 * 16 / 600)
    assert view["device"] == "CPU"
    assert view["elapsed_s"] > 0
    assert view["checkpoints"][-1]["step"] == 120
    json.dumps(view, allow_nan=False)


# ---------------------------------------------------------------------- commands


def test_a_live_change_is_told_and_stands_in_the_config(ada: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 5)
    ada.tell(mine, "set", field="beta", value=0.5)
    changed = ada.until(mine, "change", lambda: ada.events(mine, "changed"))
    assert (changed[0]["field"], changed[0]["old"], changed[0]["new"]) == ("beta", 1, 0.5)
    assert ada.view(mine)["config"]["beta"] == 0.5


@pytest.mark.parametrize(
    ("field", "value"),
    [("beta", 101), ("beta", "x"), ("latent_dim", 3), ("hue", 1), ("learning_rate", None)],
)
def test_a_bad_change_is_refused_at_once(field: str, value: Any, ada: Page) -> None:
    mine = ada.start()
    before = ada.view(mine)["config"]
    with pytest.raises(Rejected) as refused:
        ada.tell(mine, "set", field=field, value=value)
    assert_sentence(refused.value)
    assert refused.value.field == field
    assert ada.view(mine)["config"] == before


def test_a_change_while_it_waits_takes_effect_when_it_starts(ada: Page, bob: Page) -> None:
    blocking = [bob.start(), bob.start()]
    mine = ada.start(20)
    ada.tell(mine, "set", field="beta", value=0.25)
    bob.clear()
    assert blocking
    ada.until_state(mine, "finished")
    curves = [e["values"] for e in ada.events(mine, "metrics") if e["split"] == "train"]
    assert {v["beta"] for v in curves} == {0.25}


def test_pause_step_resume_stop(ada: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 1)
    ada.tell(mine, "pause")
    at = ada.until_state(mine, "paused")["step"]
    ada.tell(mine, "step", count=3)
    ada.until(mine, "three steps", lambda: ada.view(mine)["step"] == at + 3)
    assert ada.view(mine)["state"] == "paused"
    ada.tell(mine, "resume")
    ada.until_state(mine, "running")
    ada.until_step(mine, at + 10)
    ada.tell(mine, "stop")
    stopped = ada.until_state(mine, "stopped")["step"]
    assert checkpoint.read_header(last(ada.folder(mine))).step == stopped


def test_a_run_that_has_ended_says_so(ada: Page) -> None:
    mine = ada.start(3)
    ada.until_state(mine, "finished")
    for command in ("resume", "step", "save"):
        with pytest.raises(Rejected, match="finished"):
            ada.tell(mine, command)
    ada.tell(mine, "stop")
    with pytest.raises(Rejected, match="no command"):
        ada.tell(mine, "explode")


# ---------------------------------------------------------------------- going on


@every_key
def test_continue_after_stop_is_bit_identical(
    key: str, ada: Page, straight: Callable[..., Path]
) -> None:
    mine = ada.start(300, key)
    ada.until_step(mine, 10)
    ada.tell(mine, "stop")
    stopped = ada.until_state(mine, "stopped")["step"]
    if stopped < 300:
        ada.tell(mine, "continue")
        with pytest.raises(Rejected, match="nothing to continue"):
            ada.tell(mine, "continue")
    assert ada.until_state(mine, "finished")["step"] == 300
    assert_same_end(ada.folder(mine), straight(300, key))
    steps = [e["step"] for e in ada.events(mine, "metrics") if e["split"] == "train"]
    assert steps == sorted(set(steps))


def test_continue_after_the_end_goes_as_far_again(ada: Page, straight: Callable[..., Path]) -> None:
    mine = ada.start(40)
    ada.until_state(mine, "finished")
    ada.tell(mine, "continue")
    ada.until(mine, "step 80", lambda: ada.view(mine)["step"] == 80)
    ada.until_state(mine, "finished")
    assert_same_end(ada.folder(mine), straight(80))


@pytest.mark.parametrize("bad", [0, -5, "10", True, 1.5])
def test_a_bad_continuation_is_refused(bad: Any, ada: Page) -> None:
    mine = ada.start(3)
    ada.until_state(mine, "finished")
    with pytest.raises(Rejected):
        ada.tell(mine, "continue", max_steps=bad)
    with pytest.raises(Rejected):
        ada.tell(mine, "rewind", learning_rate=bad if bad != 1.5 else 99)
    assert ada.view(mine)["state"] == "finished"


def test_rewind_after_divergence(ada: Page) -> None:
    mine = ada.start(300, config=BREAKS)
    view = ada.until_state(mine, "diverged", "finished")
    assert view["state"] == "diverged"
    rewind = view["rewind"]
    assert view["step"] == rewind["step"]
    assert "diverged at step" in view["message"]
    told = ada.events(mine, "status")[-1]
    assert told["rewind"] == rewind
    ada.tell(mine, "rewind", learning_rate=1e-3)
    ada.until(mine, "new start", lambda: ada.view(mine)["state"] != "diverged")
    view = ada.until_state(mine, "finished", "diverged", "failed")
    assert (view["state"], view["step"], view["rewind"]) == ("finished", 300, None)
    assert view["config"]["learning_rate"] == 1e-3
    header = checkpoint.read_header(last(ada.folder(mine)))
    assert header.history[-1] == (rewind["step"], "learning_rate", 10.0, 1e-3)
    steps = [e["step"] for e in ada.events(mine, "metrics") if e["split"] == "train"]
    assert steps == sorted(set(steps)), "the curve of what was taken back is gone"
    assert all(v is not None for e in ada.events(mine, "metrics") for v in e["values"].values())


def test_a_fork_goes_on_from_the_newest_checkpoint(
    ada: Page, bob: Page, straight: Callable[..., Path]
) -> None:
    mine = ada.start(40)
    ada.until_state(mine, "finished")
    theirs = bob.start(80, resume={"run": mine})
    assert bob.until_state(theirs, "finished")["parent"] == {"run": mine, "step": 40}
    assert_same_end(bob.folder(theirs), straight(80))
    assert ada.view(mine)["step"] == 40


def test_a_fork_from_an_earlier_step(ada: Page, straight: Callable[..., Path]) -> None:
    mine = ada.start(100)
    ada.until_state(mine, "finished")
    for asked, found in ((64, 64), (99, 64), (100, 100)):
        fork = ada.start(120, resume={"run": mine, "step": asked})
        view = ada.until_state(fork, "finished")
        assert view["parent"] == {"run": mine, "step": found}
        assert_same_end(ada.folder(fork), straight(120))
    with pytest.raises(NotFound, match="no checkpoint there"):
        ada.start(resume={"run": mine, "step": 3})
    for bad in (-1, "64", True, 1.5):
        with pytest.raises(Rejected):
            ada.start(resume={"run": mine, "step": bad})


def test_a_waiting_fork_outlives_its_parent(ada: Page, straight: Callable[..., Path]) -> None:
    mine = ada.start(70)
    ada.until_state(mine, "finished")
    fork = ada.start(120, resume={"run": mine, "step": 64})
    ada.tell(fork, "pause")
    ada.until_state(fork, "paused")
    ada.store.delete(ada.owner, mine)
    for path in ada.folder(fork).glob("step-*.safetensors"):
        path.unlink()  # as if it had not begun
    ada.tell(fork, "stop")
    ada.until_state(fork, "stopped")
    ada.tell(fork, "continue", max_steps=120)
    assert ada.until_state(fork, "finished", "failed")["state"] == "finished"
    assert_same_end(ada.folder(fork), straight(120))


def test_a_fork_counts_its_steps_from_where_it_starts(ada: Page) -> None:
    mine = ada.start(40)
    ada.until_state(mine, "finished")
    fork = ada.start(10, resume={"run": mine}, config={"learning_rate": 1e-4})
    view = ada.until_state(fork, "finished")
    assert (view["step"], view["config"]["learning_rate"]) == (50, 1e-4)


def test_a_fork_that_does_not_fit_fails_in_a_sentence(ada: Page) -> None:
    mine = ada.start(5)
    ada.until_state(mine, "finished")
    fork = ada.start(10, resume={"run": mine}, config={"hidden_dim": 24})
    view = ada.until_state(fork, "failed", "finished")
    assert view["state"] == "failed"
    assert "expected" in view["message"]


def test_a_deleted_run_leaves_nothing(ada: Page, pool: ProcessExecutor) -> None:
    mine = ada.start()
    ada.until_saved(mine)
    pid, folder = ada.until_working(mine), ada.folder(mine)
    ada.store.delete(ada.owner, mine)
    with pytest.raises(NotFound):
        ada.view(mine)
    other = ada.start(3)
    ada.until_state(other, "finished")
    deadline = time.monotonic() + 5
    while _alive(pid) and time.monotonic() < deadline:
        asyncio.run(asyncio.sleep(0.01))
    assert not _alive(pid), "its worker goes on"
    assert not folder.exists(), "its worker wrote into the folder that was deleted"


def test_a_run_deleted_before_its_worker_is_there_does_not_train(few: Data) -> None:
    single, waiter = ProcessExecutor(1, device="cpu"), Waiter()
    try:
        single.start(spec("vae", few, steps=LONG), waiter.on_event, waiter.on_end).kill()
        waiter.until("end of the worker", lambda: waiter.clean is not None)
        assert waiter.clean is False
    finally:
        single.close()


def test_the_oldest_ended_runs_are_put_away(ada: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ada.store, "policy", replace(ada.store.policy, max_kept=2))
    ids = []
    for _ in range(4):
        ids.append(ada.start(1))
        ada.until_state(ids[-1], "finished")
    assert [v["id"] for v in ada.store.list(ada.owner)] == ids[:0:-1]
    assert not ada.folder(ids[0]).exists()


# ---------------------------------------------------------------------- deaths


@every_key
def test_a_killed_worker_loses_nothing(key: str, ada: Page, straight: Callable[..., Path]) -> None:
    mine = ada.start(500, key)
    ada.until_saved(mine)
    pid = ada.until_working(mine)
    os.kill(pid, signal.SIGKILL)
    ada.until_working(mine, but=pid)
    view = ada.until_state(mine, "finished", "failed")
    assert (view["state"], view["step"]) == ("finished", 500)
    assert_same_end(ada.folder(mine), straight(500, key))
    said = [e["message"] for e in ada.events(mine, "status") if e["message"]]
    assert any("worker died" in m and "goes on from step" in m for m in said)
    steps = [e["step"] for e in ada.events(mine, "metrics") if e["split"] == "train"]
    assert steps == sorted(set(steps))


def test_a_paused_run_whose_worker_dies_is_paused_again(ada: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 1)
    ada.tell(mine, "pause")
    at = ada.until_state(mine, "paused")["step"]
    pid = ada.pid(mine)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ada.until(mine, "new worker", lambda: ada.pid(mine) not in (None, pid))
    view = ada.until_state(mine, "paused")
    assert view["step"] == at


def test_a_run_whose_worker_dies_again_and_again_is_given_up(ada: Page, bob: Page) -> None:
    mine, pid = ada.start(), None
    for _ in range(3):
        pid = ada.until_working(mine, but=pid)
        os.kill(pid, signal.SIGKILL)
    view = ada.until_state(mine, "failed")
    assert "again and again" in view["message"]
    other = bob.start(3)
    bob.until_state(other, "finished")
    assert ada.view(mine)["state"] == "failed"


def test_a_worker_is_replaced_quickly(ada: Page, bob: Page) -> None:
    """Two runs need both workers, one of which has just died; measured about 0.1 s unloaded."""
    mine = ada.start()
    pid = ada.until_working(mine)
    bob.start()
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    ada.until_working(mine, but=pid)
    assert time.monotonic() - began < 3


def test_an_exploring_worker_that_dies_is_replaced(ada: Page, pool: ProcessExecutor) -> None:
    mine = ada.start(3)
    ada.until_state(mine, "finished")
    assert pool._explorer is not None
    assert pool._explorer.ready.wait(30)
    assert pool._explorer.pid is not None
    os.kill(pool._explorer.pid, signal.SIGKILL)
    asked = 0
    while asked < 100:  # a question that meets the dying worker is answered with a sentence
        asked += 1
        try:
            found = ada.store.explore({"run": mine}, "point", {"z": [0, 0]}).result(30)
        except PlaygroundError as refused:
            assert_sentence(refused)
        else:
            break
    assert json.loads(found)["items"]["picture"]["type"] == "picture"


def test_a_handle_reaches_its_own_run_alone(few: Data, pool: ProcessExecutor) -> None:
    """A worker that has taken the next run must not take commands for the last one."""
    single = ProcessExecutor(1, device="cpu")
    try:
        first, second = Waiter(), Waiter()
        old = single.start(spec("vae", few, steps=2), first.on_event, first.on_end)
        assert first.end()["state"] == "finished"
        new = single.start(spec("vae", few, paused=True), second.on_event, second.on_end)
        second.until("pause", lambda: any(m.get("state") == "paused" for m, _ in second.seen))
        old.send(commands.Stop())
        old.kill()
        new.send(commands.Step(3))
        second.until("three steps", lambda: any(m["step"] == 3 for m, _ in second.seen))
        new.send(commands.Resume())
        assert second.end()["step"] == 40
        assert second.clean
    finally:
        single.close()


# ---------------------------------------------------------------------- the server restarts


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[[], Page]]:
    """Return a way to start servers on one folder, each with a worker of its own."""
    data, opened = few_digits(tmp_path), []

    def begin() -> Page:
        end()
        executor = ProcessExecutor(1, device="cpu")
        opened.append((RunStore(tmp_path, executor), executor))
        return Page(opened[-1][0], data, "owner-eve-0123456789")

    def end() -> None:
        for store, executor in opened:
            store.close()
            executor.close()

    yield begin
    end()


def curves(page: Page, run_id: str) -> list[tuple[int, str, Any]]:
    return [(m["step"], m["split"], m["values"]) for m in page.store.metrics(run_id)]


def test_a_restart_takes_up_the_runs_that_were_under_way(
    servers: Callable[[], Page], straight: Callable[..., Path]
) -> None:
    before = servers()
    mine = before.start(500)
    before.until_saved(mine)
    before.until_working(mine)
    after = servers()
    assert [v["id"] for v in after.store.list(after.owner)] == [mine]
    assert after.view(mine)["owner_is_you"]
    found, seen = curves(after, mine), curves(before, mine)
    at = after.view(mine)["checkpoints"][0]["step"]
    told = [curve for curve in found if curve[0] <= at]
    assert told == [curve for curve in seen if curve[0] <= at]
    frames = [f["step"] for f in json.loads(after.store.timeline(mine))["frames"]]
    assert frames[:7] == [0, 1, 2, 4, 8, 16, 32]
    assert after.until_state(mine, "finished")["step"] == 500
    said = [e["message"] for e in after.events(mine, "status") if e["message"]]
    assert "The server was restarted; your run goes on." in said
    assert_same_end(after.folder(mine), straight(500))
    steps = [step for step, split, _ in curves(after, mine) if split == "train"]
    assert steps == sorted(set(steps))


def test_ended_runs_are_the_same_after_a_restart(servers: Callable[[], Page]) -> None:
    before = servers()
    mine = before.start(70, title="Mine")
    before.until_state(mine, "finished")
    view, seen, frames = before.view(mine), curves(before, mine), before.store.timeline(mine)
    after = servers()
    kept = ("id", "model", "dataset", "title", "config", "seed", "state", "step", "max_steps")
    assert {k: after.view(mine)[k] for k in kept} == {k: view[k] for k in kept}
    assert after.view(mine)["checkpoints"] == view["checkpoints"]
    assert curves(after, mine) == seen
    assert json.loads(after.store.timeline(mine)) == json.loads(frames)


def test_curves_that_were_taken_back_stay_so_after_a_restart(servers: Callable[[], Page]) -> None:
    before = servers()
    mine = before.start(500)
    before.until_saved(mine)
    os.kill(before.until_working(mine), signal.SIGKILL)
    before.until_state(mine, "finished")
    seen, frames = curves(before, mine), json.loads(before.store.timeline(mine))
    after = servers()
    assert curves(after, mine) == seen
    assert json.loads(after.store.timeline(mine)) == frames


def test_a_page_that_comes_back_after_a_restart_hears_what_is_new(
    servers: Callable[[], Page],
) -> None:
    before = servers()
    mine = before.start(70)
    before.until_state(mine, "finished")
    heard = before.view(mine)["last_seq"]
    after = servers()
    after.tell(mine, "continue", max_steps=80)
    after.until_state(mine, "finished")
    new = [json.loads(e.wire) for e in after.store.events(mine, heard)]
    assert new[-1]["state"] == "finished"
    assert new[-1]["step"] == 80
    assert all(e["kind"] == "status" or e["step"] >= 70 for e in new)


def test_a_fork_that_has_not_begun_keeps_its_start_after_a_restart(
    servers: Callable[[], Page],
) -> None:
    before = servers()
    mine = before.start(70)
    before.until_state(mine, "finished")
    forks = [before.start(20, resume={"run": mine, "step": 64}) for _ in range(3)]
    waiting = forks[-1]
    before.tell(waiting, "stop")
    before.until_state(waiting, "stopped", "finished")
    for path in before.folder(waiting).glob("step-*.safetensors"):
        path.unlink()
    after = servers()
    after.tell(waiting, "continue")
    assert after.until_state(waiting, "finished", "failed")["state"] == "finished"
    steps = [e["step"] for e in after.events(waiting, "metrics")]
    assert min(steps) >= 64


def test_a_torn_journal_is_read_as_far_as_it_goes(servers: Callable[[], Page]) -> None:
    before = servers()
    mine = before.start(40)
    before.until_state(mine, "finished")
    folder = before.folder(mine)
    for name in ("events.jsonl", "frames.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-30])
    (folder / "run.json.tmp.123").write_bytes(b"half")
    damaged = servers().store.root / "damaged"
    damaged.mkdir()
    for content in (b"", b"{", b"[]", b"3", b"{}", b'{"id": "damaged"}'):
        (damaged / "run.json").write_bytes(content)
        after = servers()
        assert [v["id"] for v in after.store.list(after.owner)] == [mine]
    assert len(curves(after, mine)) > 3
    assert not (folder / "run.json.tmp.123").exists()


@pytest.mark.parametrize("line", [b"3", b"null", b"[]", b"{}", b'{"kind":"preview"}', b"\xff\xfe"])
def test_a_strange_line_in_a_journal_is_left_out(line: bytes, servers: Callable[[], Page]) -> None:
    before = servers()
    mine = before.start(2)
    before.until_state(mine, "finished")
    seen = curves(before, mine)
    for name in ("events.jsonl", "frames.jsonl"):
        with open(before.folder(mine) / name, "ab") as file:
            file.write(line + b"\n")
    after = servers()
    assert curves(after, mine) == seen


# ---------------------------------------------------------------------- exploring


def answer(page: Page, source: dict[str, Any], view: str, **args: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.store.explore(source, view, args).result(60))
    return found


def test_running_paused_and_finished_runs_can_be_explored(ada: Page, bob: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 1)
    for state in ("running", "paused", "stopped"):
        ada.until_state(mine, state)
        found = answer(ada, {"run": mine}, "map", count=30)
        assert (found["type"], found["items"]["points"]["total"]) == ("views", 30)
        assert answer(bob, {"run": mine}, "point", z=[0, 1])["values"]["z"] == [0, 1]
        with pytest.raises(PlaygroundError) as refused:
            answer(ada, {"run": mine}, "point", z=[0])
        assert_sentence(refused.value)
        with pytest.raises(PlaygroundError, match="no view"):
            answer(ada, {"run": mine}, "nothing")
        ada.tell(mine, {"running": "pause", "paused": "stop", "stopped": "stop"}[state])


def test_a_strange_question_does_not_end_a_run(ada: Page, bob: Page) -> None:
    mine = ada.start()
    ada.until_step(mine, 1)
    for args in (
        {"z": [0, 0], "plane": {"basis": [[1, 0], [0, 1]], "names": {"a": 1}}},
        {"z": [0, 0], "plane": {"basis": {"0": 1}}},
        {"z": {"a": 1}},
        {"data": 1},
        {"self": 1},
        {"z": [1e308, 1]},
    ):
        with pytest.raises(PlaygroundError):
            answer(bob, {"run": mine}, "point", **args)
    assert ada.view(mine)["state"] == "running"


@pytest.mark.parametrize(
    "source",
    [
        *(None, [], "vae", {}, {"checkpoint": None}, {"checkpoint": "../x"}, {"checkpoint": 3}),
        {"checkpoint": "upload/nothing"},
    ],
    ids=str,
)
def test_an_unknown_source_is_refused(source: Any, ada: Page) -> None:
    with pytest.raises((Rejected, NotFound)) as refused:
        ada.store.explore(source, "map", {})
    assert_sentence(refused.value)


# ---------------------------------------------------------------------- imported checkpoints


@pytest.fixture(scope="module")
def content(straight: Callable[..., Path]) -> bytes:
    return last(straight(40)).read_bytes()


def test_a_checkpoint_can_be_brought_explored_and_continued(
    ada: Page, content: bytes, straight: Callable[..., Path]
) -> None:
    found = ada.store.import_checkpoint(content)
    assert (found["model"], found["step"]) == ("vae", 40)
    assert found["name"].startswith("upload/")
    source = {"checkpoint": found["name"]}
    assert answer(ada, source, "grid", n=2)["items"]["grid"]["rows"] == 2
    fork = ada.start(80, resume=source)
    assert ada.until_state(fork, "finished")["parent"] == {**source, "step": None}
    assert_same_end(ada.folder(fork), straight(80))


def test_bad_checkpoints_are_refused_and_not_kept(
    ada: Page, content: bytes, straight: Callable[..., Path], tmp_path: Path
) -> None:
    def signed(bias: float | None = None, **changed: Any) -> bytes:
        header, tensors = checkpoint.load(last(straight(40)))
        if bias is not None:
            tensors["networks.encoder.0.bias"].fill_(bias)
        checkpoint.save(tmp_path / "x", replace(header, **changed), tensors)
        return (tmp_path / "x").read_bytes()

    torch.save({"a": torch.zeros(3)}, tmp_path / "pickled.pt")
    flipped = bytearray(content)
    flipped[-100] ^= 1
    uploads = ada.store.root / "uploads"
    before = set(uploads.glob("*"))
    for bad in (
        b"",
        b"PK\x03\x04" + bytes(100),
        (tmp_path / "pickled.pt").read_bytes(),
        content[:-1],
        bytes(flipped),
        signed(bias=float("nan")),
        signed(config={**SMALL, "hidden_dim": 24}),
        signed(model="gpt9"),
        signed(dataset="cats"),
        signed(shape=(3, 32, 32)),
    ):
        with pytest.raises(PlaygroundError) as refused:
            ada.store.import_checkpoint(bad)
        sentence = assert_sentence(refused.value)
        assert ".safetensors" not in sentence or "no safetensors" in sentence
        assert 400 <= refused.value.status < 500
    assert set(uploads.glob("*")) == before


# ---------------------------------------------------------------------- without torch


def test_the_web_process_does_without_torch() -> None:
    code = """
import sys
import engine.runs, engine.executors.process, engine.executors.worker, engine.registry
import engine.config, engine.events, engine.commands, engine.payloads, engine.rng, engine.spec
import engine.checkpoint, engine.errors, engine.eventlog, engine.journal, engine.presets
from engine import checkpoint, data, registry
for e in registry.MODELS.values():
    e.config_class.schema(), e.preset_list, e.published
data.describe()
for path in checkpoint.shipped().values():
    checkpoint.read_header(path)
loaded = [m for m in ("torch", "torchvision", "gradio", "plotly") if m in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_are_forked_with_torch_from_any_folder(tmp_path: Path) -> None:
    program = tmp_path / "elsewhere.py"
    program.write_text(f"""
import sys
sys.path.insert(0, {str(Path(runs.__file__).parents[1])!r})
if __name__ == "__main__":
    from engine.executors.process import ProcessExecutor
    executor = ProcessExecutor(1, device="cpu")
    assert executor.ready(90)
    with open(f"/proc/{{executor._explorer.pid}}/maps") as maps:
        print("libtorch" in maps.read())
    executor.close()
""")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=environment,
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
