"""A full room: turns, silence, limits, the teacher's hand, and servers that go down."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small import Data, assert_same_end, assert_sentence, few_digits, last, run, spec
from store_page import LONG, Page

from engine import checkpoint, revival
from engine.errors import Busy, Rejected
from engine.executors.process import ProcessExecutor
from engine.policy import Policy
from engine.runs import RunStore

OWNERS = ("owner-ada-0123456789", "owner-bob-0123456789")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return few_digits(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def single() -> Iterator[ProcessExecutor]:
    """One worker, so that the second run has to wait."""
    executor = ProcessExecutor(1, device="cpu")
    executor.warm()
    assert executor.ready(90)
    yield executor
    executor.close()


@pytest.fixture
def room(single: ProcessExecutor, data: Data) -> Iterator[tuple[Page, Page]]:
    store = RunStore(data.root, single)
    pages = tuple(Page(store, data, owner) for owner in OWNERS)
    yield pages  # type: ignore[misc]
    for page in pages:
        page.clear()
    deadline = time.monotonic() + 20
    while single.free() < 1 and time.monotonic() < deadline:
        asyncio.run(asyncio.sleep(0.02))
    store.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.scheduler.SLICE_S", 0.15)
    monkeypatch.setattr("engine.scheduler.MIN_SLICE_S", 0.1)


@pytest.fixture(scope="module")
def straight(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of 400 undisturbed steps."""
    folder = tmp_path_factory.mktemp("straight")
    run(spec("vae", few, folder, 400))
    return folder


# ---------------------------------------------------------------------- turns


@pytest.mark.usefixtures("quick")
def test_runs_kept_in_the_worker_take_turns_without_beginning_anew(
    room: tuple[Page, Page], straight: Path
) -> None:
    ada, bob = room
    mine, theirs = ada.start(400), bob.start(LONG)
    ada.until(mine, "second turn", lambda: ada.store._get(mine).turn >= 2)
    view = bob.until_state(theirs, "queued")
    assert (view["position"], view["turns_with"]) == (1, 1)
    assert 0 <= view["eta_low_s"] <= view["eta_s"] <= view["eta_high_s"]
    assert view["served_s"] > 0
    bob.tell(theirs, "stop")
    ada.until_state(mine, "finished")
    assert_same_end(ada.folder(mine), straight)
    tested = [e["step"] for e in ada.events(mine, "metrics") if e["split"] == "test"]
    assert tested[:-1] == sorted(set(tested)), "it was evaluated anew at the beginning of a turn"


def test_a_run_that_nobody_watches_gives_way_and_comes_back_on_a_click(
    room: tuple[Page, Page],
) -> None:
    ada, bob = room
    mine = ada.start()
    ada.until_step(mine, 5)
    ada.store.policy = Policy(idle_park_s=5)
    theirs = bob.start()
    ada.store._get(mine).seen_at -= 10
    ada.store.tick()
    bob.until_working(theirs)
    view = ada.view(mine)
    assert (view["state"], view["resting"]) == ("paused", True)
    assert "resume" in view["message"]
    bob.tell(theirs, "stop")
    bob.until_state(theirs, "stopped")
    ada.tell(mine, "resume")
    ada.until_working(mine)
    assert not ada.view(mine)["resting"]


def test_a_jump_of_the_clock_ends_nothing(
    room: tuple[Page, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = room
    ended, mine, theirs = ada.start(3), ada.start(), bob.start()
    ada.until_state(ended, "finished")
    ada.store.policy = Policy(keep_hours=0.5, idle_park_s=60)
    now = time.time()
    for jump in (3600, -3600):
        monkeypatch.setattr(time, "time", lambda at=now + jump: at)
        ada.store.tick()
        views = [ada.view(ended), ada.view(mine), bob.view(theirs)]
        assert all(v["state"] in ("finished", "queued", "starting", "running") for v in views)
        assert all((v["eta_low_s"] or 0) >= 0 and v["waiting_s"] >= 0 for v in views)


# ---------------------------------------------------------------------- limits


def test_a_run_that_takes_too_long_is_saved_and_ended_with_a_sentence(
    room: tuple[Page, Page],
) -> None:
    ada, _ = room
    mine = ada.start()
    ada.until_step(mine, 5)
    ada.store.policy = Policy(max_seconds=0.2)
    view = ada.until_state(mine, "stopped")
    assert "0.2 seconds" in view["message"]
    assert view["checkpoints"][-1]["step"] == view["step"]
    assert ada.events(mine, "status")[-1]["message"] == view["message"]


def test_a_run_with_too_much_memory_is_ended_with_a_sentence(room: tuple[Page, Page]) -> None:
    ada, _ = room
    mine = ada.start()
    ada.until_step(mine, 5)
    ada.store.warden.measure = lambda pid: 901.0
    ada.store.policy = Policy(memory_mb=900)
    view = ada.until_state(mine, "stopped")
    assert "901 MB" in view["message"]


def test_the_fence_around_a_workers_memory_ends_a_run_and_not_the_worker(
    room: tuple[Page, Page],
) -> None:
    ada, _ = room
    ada.store.policy = Policy(memory_mb=1)  # the least that is left to it is 16 MB
    mine = ada.start(config={"hidden_dim": 1024, "hidden_layers": 3, "batch_size": 512})
    view = ada.until_state(mine, "failed", "finished", "stopped")
    assert view["state"] in ("failed", "stopped")
    assert "memory" in view["message"]
    ada.store.policy = Policy()
    other = ada.start(3)
    ada.until_state(other, "finished")


def test_caps_hold_for_starts_and_live_changes(room: tuple[Page, Page]) -> None:
    ada, _ = room
    ada.store.policy = Policy(caps={"beta": 2, "batch_size": 16}, max_steps=50)
    with pytest.raises(Rejected, match="Beta"):
        ada.start(config={"beta": 3}, steps=10)
    with pytest.raises(Rejected, match="50 steps"):
        ada.start(51)
    mine = ada.start(50)
    with pytest.raises(Rejected, match="Beta"):
        ada.tell(mine, "set", field="beta", value=3)
    ada.until_state(mine, "finished")
    ada.tell(mine, "continue")
    assert ada.view(mine)["max_steps"] == 100


def test_the_same_key_is_the_same_run(room: tuple[Page, Page]) -> None:
    ada, bob = room
    given = (ada.owner, "vae", ada.data.key, {"hidden_dim": 16}, 0, LONG)
    ids = {ada.store.start(*given, key="once") for _ in range(5)}
    assert len(ids) == 1
    other = bob.store.start(bob.owner, "vae", bob.data.key, {"hidden_dim": 16}, 0, 3, key="once")
    assert other not in ids


# ---------------------------------------------------------------------- by authority


def test_freeze_and_thaw_leave_runs_as_they_were(room: tuple[Page, Page], straight: Path) -> None:
    ada, bob = room
    mine, theirs = ada.start(400), bob.start()
    ada.until_step(mine, 5)
    bob.tell(theirs, "pause")
    bob.until_state(theirs, "paused")
    ada.store.freeze(None)
    ada.until(mine, "rest", lambda: ada.pid(mine) is None)
    at = ada.view(mine)
    if at["state"] == "queued":
        assert at["frozen"]
        assert at["message"] == "The teacher has frozen the room."
    late = ada.start(3)
    assert ada.view(late)["state"] == "queued"
    bob.tell(theirs, "resume")
    assert (bob.view(theirs)["state"], bob.view(theirs)["frozen"]) == ("queued", True)
    bob.tell(theirs, "pause")
    ada.store.tick()
    assert ada.view(mine)["step"] == at["step"]
    ada.store.thaw({OWNERS[0]})
    ada.store.thaw(None)
    ada.until_state(mine, "finished")
    ada.until_state(late, "finished")
    assert bob.view(theirs)["state"] == "paused"
    assert_same_end(ada.folder(mine), straight)


def test_a_run_is_ended_by_authority(room: tuple[Page, Page]) -> None:
    ada, bob = room
    mine, waiting = ada.start(), bob.start()
    ada.until_step(mine, 5)
    for one in (waiting, mine):
        ada.store.end(one, "The teacher has ended this run.")
        view = ada.until_state(one, "stopped")
        assert view["message"] == "The teacher has ended this run."
    assert ada.view(mine)["checkpoints"]


def test_status_and_pictures_name_nobody(room: tuple[Page, Page]) -> None:
    ada, _ = room
    mine = ada.start(title="Secret")
    ada.until_step(mine, 5)
    told = ada.store.status()
    assert {"slots", "running", "queued", "frozen", "runs", "workers", "explorer"} <= set(told)
    assert {"device", "gpu_memory_mb", "disk_free_mb", "uptime_s"} <= set(told)
    assert (told["running"], told["workers"][0]["run"]) == (1, mine)
    assert told["workers"][0]["rss_mb"] > 10
    assert not {"Secret", ada.owner} & set(json.dumps(told).replace('"', " ").split())
    picture = ada.until(mine, "picture", lambda: ada.store.picture(mine, 0))
    assert json.loads(picture.wire)["name"] == "map"
    assert ada.store.picture(mine, ada.view(mine)["last_seq"] + 1000) is None


# ---------------------------------------------------------------------- silence


def test_a_worker_that_is_stopped_is_noticed_and_replaced(
    room: tuple[Page, Page], straight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.executors.worker_process.SILENT_S", 2.5)
    ada, _ = room
    mine = ada.start(400)
    ada.until_saved(mine)
    pid = ada.pid(mine)
    if pid is not None:
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        ada.until(mine, "new worker", lambda: ada.pid(mine) not in (None, pid))
        assert time.monotonic() - began < 20
    ada.until_state(mine, "finished")
    said = [e["message"] for e in ada.events(mine, "status") if e["message"]]
    assert pid is None or any("stopped answering" in message for message in said)
    assert_same_end(ada.folder(mine), straight)


def test_a_run_that_is_stuck_twice_is_given_up(
    room: tuple[Page, Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.executors.worker_process.SILENT_S", 2.5)
    ada, bob = room
    mine, pid = ada.start(), None
    for _ in range(2):
        pid = ada.until_working(mine, but=pid)
        os.kill(pid, signal.SIGSTOP)
    view = ada.until_state(mine, "failed")
    assert "stuck" in view["message"]
    bob.until_state(bob.start(3), "finished")


# ---------------------------------------------------------------------- live changes


def test_a_change_after_the_last_checkpoint_is_made_again_at_its_own_step(
    room: tuple[Page, Page], few: Data, tmp_path: Path
) -> None:
    ada, _ = room
    mine = ada.start(300)
    ada.until_saved(mine)
    ada.tell(mine, "set", field="beta", value=0.5)
    change = ada.until(mine, "change", lambda: ada.events(mine, "changed"))[0]
    pid = ada.pid(mine)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    ada.until_state(mine, "finished")
    expected = spec("vae", few, tmp_path, 300, changes=((change["step"], "beta", 0.5),))
    run(expected)
    assert_same_end(ada.folder(mine), tmp_path)
    assert len(ada.events(mine, "changed")) == 1
    header = checkpoint.read_header(last(ada.folder(mine)))
    assert [h[0] for h in header.history] == [change["step"]]


# ---------------------------------------------------------------------- servers that go down


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Return a way to start servers on one folder; `kindly` ends the one before with notice."""
    data, opened = few_digits(tmp_path), []

    def begin(kindly: bool = False) -> Page:
        end(kindly)
        executor = ProcessExecutor(2, device="cpu")
        opened.append((RunStore(tmp_path, executor), executor))
        return Page(opened[-1][0], data, OWNERS[0])

    def end(kindly: bool = False) -> None:
        for store, executor in opened:
            if kindly:
                busy = store.status()["running"]
                assert store.park_all(30) == busy
                with pytest.raises(Busy, match="shut down"):
                    store.start(OWNERS[1], "vae", data.key, max_steps=3)
            store.close()
            executor.close()
        opened.clear()

    yield begin
    end()


def test_a_server_that_ends_in_peace_loses_no_step(
    servers: Callable[..., Page], straight: Path
) -> None:
    before = servers()
    runs = [before.start(400), before.start(), before.start(400)]
    before.tell(runs[1], "pause")
    before.until_state(runs[1], "paused")
    before.until_step(runs[0], 5)
    waiting = [r for r in runs if before.view(r)["state"] == "queued"]
    after = servers(kindly=True)
    for one in (runs[0], runs[2]):
        assert after.until_state(one, "finished")["step"] == 400
        assert_same_end(after.folder(one), straight)
    assert after.view(runs[1])["state"] == "paused"
    assert waiting or before.view(runs[2])["step"] >= 0
    after.tell(runs[1], "resume")
    after.until_working(runs[1])


class Nobody:
    """An executor whose workers are all taken."""

    device, threads, workers = "cpu", 1, 1
    on_free: Callable[[], None] = staticmethod(lambda: None)

    def free(self) -> int:
        return 0


def test_a_run_that_takes_the_server_down_is_not_taken_up_for_ever(
    servers: Callable[..., Page],
) -> None:
    page = servers()
    mine = page.start()
    page.until_saved(mine)
    assert page.store.park_all(30) == 1
    described, states = page.folder(mine) / "run.json", []
    for _ in range(revival.REVIVALS + 1):
        found = json.loads(described.read_bytes())
        described.write_text(json.dumps({**found, "state": "running"}))  # as a crash leaves it
        store = RunStore(page.store.root, Nobody())  # type: ignore[arg-type]
        states.append(store.view(mine)["state"])
        store.close()
    assert states == ["queued"] * revival.REVIVALS + ["interrupted"]
    assert "went down 3 times" in store.view(mine)["message"]


def test_a_damaged_checkpoint_is_passed_over_and_said_so(
    servers: Callable[..., Page], straight: Path
) -> None:
    before = servers()
    mine = before.start(400)
    before.until_saved(mine, 128)
    before.store.park_all(30)
    newest = last(before.folder(mine))
    content = bytearray(newest.read_bytes())
    content[-100] ^= 1
    newest.write_bytes(content)
    described = json.loads((before.folder(mine) / "run.json").read_bytes())
    if described["state"] == "finished":
        pytest.skip("the run was quicker than the test")
    after = servers()
    assert after.until_state(mine, "finished")["step"] == 400
    said = [e["message"] for e in after.events(mine, "status") if e["message"]]
    assert any("damaged" in message for message in said), said
    assert_same_end(after.folder(mine), straight)


def test_an_ended_runs_log_is_put_away_and_read_back(
    servers: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = servers()
    mine = page.start(70)
    page.until_state(mine, "finished")
    before = page.events(mine)
    kinds = ("metrics", "status", "saved", "preview")
    found = page.store._get(mine)
    page.until(mine, "end", lambda: found.handle is None)
    found.watchers.clear()
    found.seen_at = found.ended_since = time.monotonic() - 1000
    page.store.tick()
    assert found.log.cold
    assert page.store.events(mine, page.view(mine)["last_seq"]) == []
    assert found.log.cold, "a page that has seen it all needs nothing"
    after = page.events(mine)
    for kind in kinds[:3]:
        told = [{k: v for k, v in e.items() if k != "seq"} for e in before if e["kind"] == kind]
        again = [{k: v for k, v in e.items() if k != "seq"} for e in after if e["kind"] == kind]
        assert [e for e in told if e in again] == again, kind
        assert kind != "metrics" or told == again
    names = {e["name"] for e in before if e["kind"] == "preview"}
    assert {e["name"] for e in after if e["kind"] == "preview"} == names
    assert page.store.picture(mine, 0) is not None


def test_assertions_of_sentences(servers: Callable[..., Page]) -> None:
    page = servers()
    page.store.close()
    with pytest.raises(Busy) as refused:
        page.start(3)
    assert_sentence(refused.value)


def test_a_folder_that_is_deleted_under_way_ends_nothing(room: tuple[Page, Page]) -> None:
    ada, _ = room
    mine = ada.start()
    ada.until_saved(mine)
    shutil.rmtree(ada.folder(mine))
    at = ada.view(mine)["step"]
    ada.until_step(mine, at + 5)
    ada.tell(mine, "save")
    ada.until(mine, "checkpoint", lambda: list(ada.folder(mine).glob("step-*")))
    ada.tell(mine, "stop")
    stopped = ada.until_state(mine, "stopped")["step"]
    assert checkpoint.read_header(last(ada.folder(mine))).step == stopped
