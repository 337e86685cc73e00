"""Workers one by one: their pulse, their errors, their devices, and a pipe that nobody reads."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small import Data, Waiter, run, spec

from engine import commands, device, events
from engine.executors import patience, process, worker
from engine.executors.process import ProcessExecutor
from engine.executors.shelf import Shelf
from engine.executors.worker import Pulse
from engine.inbox import QueueInbox
from engine.policy import Policy
from engine.run_table import RunTable
from engine.runs import RunStore
from engine.trainer import Training


class Pipe:
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def poll(self, timeout_s: float = 0.0) -> bool:
        return False


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Pulse:
    monkeypatch.setattr(worker.signal, "signal", lambda *a: None)
    return Pulse(Pipe())  # type: ignore[arg-type]


class Broken:
    """A run whose first step fails."""

    spec = SimpleNamespace(folder=None)
    ending, step, paused, stepping, taken = None, 0, False, False, 0

    def __init__(self, error: Exception) -> None:
        self.error = error

    def events(self) -> Any:
        yield events.Status(0, "running")
        raise self.error


def trained(pulse: Pulse, error: Exception, few: Data, healthy: bool = True) -> list[Any]:
    shelf = Shelf()
    shelf.take = lambda spec, inbox: Broken(error)  # type: ignore[assignment,method-assign,return-value]
    shelf.healthy = lambda: healthy  # type: ignore[method-assign]
    worker._train(pulse, spec("vae", few), shelf)
    return pulse.pipe.sent  # type: ignore[attr-defined,no-any-return]


def test_an_error_of_the_card_ends_the_worker_and_says_so(pulse: Pulse, few: Data) -> None:
    with pytest.raises(SystemExit):
        trained(pulse, RuntimeError("CUDA error: device-side assert triggered"), few)
    assert [m[0] for m in pulse.pipe.sent] == ["event", "sick"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("healthy", [True, False])
def test_a_worker_without_memory_goes_on_when_it_is_healthy(
    healthy: bool, pulse: Pulse, few: Data
) -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    if healthy:
        sent = trained(pulse, error, few)
        assert sent[-1][0] == "done"
    else:
        with pytest.raises(SystemExit):
            trained(pulse, error, few, healthy=False)
        sent = pulse.pipe.sent  # type: ignore[attr-defined]
    failed = next(m for m in sent if m[0] == "event" and m[1].get("state") == "failed")
    assert "no memory was left" in failed[1]["message"]
    assert Shelf().healthy()


def test_the_pulse_beats_while_there_is_progress(pulse: Pulse) -> None:
    at = SimpleNamespace(step=3, paused=False, stepping=False, taken=2)
    beats = lambda: len(pulse.pipe.sent)  # type: ignore[attr-defined]  # noqa: E731
    pulse._since = time.monotonic()
    pulse.run = at  # type: ignore[assignment]
    pulse._beat(0, None)
    assert beats() == 1, "evaluating or drawing"
    at.stepping = True
    pulse._since -= worker.STEP_S + 1
    pulse._beat(0, None)
    assert beats() == 1, "a step that hangs"
    at.step = 4
    pulse._beat(0, None)
    assert beats() == 2, "it went on"
    pulse._since -= 5 * worker.STEP_S
    pulse._beat(0, None)
    assert beats() == 3, "steps of this run are long"
    at.paused, at.stepping = True, False
    pulse._since -= 2 * patience.PHASE_S
    pulse._beat(0, None)
    assert beats() == 4, "standing still is no silence"
    pulse._sending = True
    pulse._beat(0, None)
    assert beats() == 4, "in the middle of a message"


def test_a_worker_that_reads_nothing_blocks_nobody(few: Data) -> None:
    single, waiter = ProcessExecutor(1, device="cpu"), Waiter()
    try:
        handle = single.start(spec("vae", few, paused=True), waiter.on_event, waiter.on_end)
        waiter.until("pause", lambda: any(m.get("state") == "paused" for m, _ in waiter.seen))
        assert handle.pid is not None
        os.kill(handle.pid, signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(200):
            handle.send(commands.Look("map", {"x": "y" * 20_000}))
        assert time.monotonic() - began < 1
        handle.kill()
        waiter.until("end", lambda: waiter.clean is False)
    finally:
        single.close()


def test_workers_are_spread_over_cards(monkeypatch: pytest.MonkeyPatch, few: Data) -> None:
    class Fake:
        def __init__(self, context: Any, nice: int, on_idle: Any, device: str = "auto") -> None:
            self.device, self.keeps, self.turns, self.handle = device, frozenset(), 0, None
            self.heard_at = time.monotonic()

        def train(self, spec: Any, handle: Any) -> None:
            trained.append(spec.device)

        def check(self, now: float) -> None:
            pass

        kill = check

    trained: list[str] = []
    monkeypatch.setattr(process, "Worker", Fake)
    many = ProcessExecutor(4, devices=("cuda:0", "cuda:1"))
    assert many.gpu_fraction == pytest.approx(0.45)
    many.warm()
    for _ in range(4):
        many.start(spec("vae", few), lambda *a: None, lambda clean: None)
    many._closed.set()
    assert sorted(trained) == ["cuda:0", "cuda:0", "cuda:1", "cuda:1"]
    assert trained[0] != trained[1]


def test_the_part_of_a_cards_memory_is_set_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda *given: asked.append(given)
    )
    card = torch.device("cuda", 1)
    device.limit_memory(card, 0.3)
    device.limit_memory(card, None)
    device.limit_memory(torch.device("cpu"), 0.3)
    assert asked == [(0.3, card)]


# ---------------------------------------------------------------------- kept runs


def parked(given: Any, shelf: Shelf, steps: int) -> Training:
    inbox = QueueInbox()
    training = shelf.take(given, inbox)
    for _ in training.events():
        if training.step >= steps:
            inbox.put(commands.Park())
    shelf.put(training)
    return training


def test_a_kept_run_is_taken_up_only_from_the_file_that_it_wrote(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    monkeypatch.setattr("engine.trainer.SYNC_S", 0.0)
    shelf = Shelf()
    given = spec("vae", few, tmp_path, 200)
    first = parked(given, shelf, 20)
    path = tmp_path / f"step-{first.step:08d}.safetensors"
    on = replace(given, resume=path, going_on=True)
    assert first.ending == "parked"
    assert first.fits(on)
    for other in (replace(on, going_on=False), replace(on, seed=1), replace(on, dataset="mnist")):
        assert not first.fits(other)
    again = parked(on, shelf, 30)
    assert again is first
    assert not first.fits(on), "it is further than that file"
    run(replace(given, budget=replace(given.budget, max_steps=first.step)))  # another's file there
    assert not first.fits(replace(on, resume=tmp_path / "nothing.safetensors"))


def test_the_oldest_kept_runs_make_room(few: Data, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    monkeypatch.setattr("engine.trainer.SYNC_S", 0.0)
    shelf = Shelf(runs=2)
    for name in "abc":
        parked(spec("vae", few, tmp_path / name, 100), shelf, 2)
    assert shelf.names() == ["b", "c"]
    tiny = Shelf(size=10)
    parked(spec("vae", few, tmp_path / "d", 100), tiny, 2)
    assert tiny.names() == []


# ---------------------------------------------------------------------- an executor that plays dead


class Playing:
    """An executor that does nothing; the test says what its worker did."""

    device, threads, workers = "cpu", 1, 1

    def __init__(self) -> None:
        self.on_free = lambda: None
        self.busy: list[Any] = []

    def free(self) -> int:
        return 1 - len(self.busy)

    def start(self, given: Any, on_event: Any, on_end: Any) -> Any:
        handle = SimpleNamespace(
            send=lambda command: None, kill=lambda: None, pid=None, cause=None, spec=given
        )
        self.busy.append((handle, on_event, on_end))
        return handle

    def dies(self, cause: str) -> None:
        handle, _, on_end = self.busy.pop()
        handle.cause = cause
        on_end(False)


@pytest.mark.parametrize(("cause", "word"), [("device", "graphics card"), ("stuck", "stuck")])
def test_a_run_goes_on_once_after_an_error_that_may_be_its_own(
    cause: str, word: str, few: Data, tmp_path: Path
) -> None:
    playing = Playing()
    store = RunStore(few.root, playing, Policy())  # type: ignore[arg-type]
    mine = store.start("owner-ada-0123456789", "vae", few.key)
    playing.dies(cause)
    assert store.view(mine)["state"] == "starting"
    said = [e.meta.get("message") or "" for e in store.events(mine, 0)]
    assert any("goes on from the start" in message for message in said)
    playing.dies(cause)
    assert store.view(mine)["state"] == "failed"
    assert word in store.view(mine)["message"]
    store.delete("owner-ada-0123456789", mine)
    store.close()
    assert isinstance(store.table, RunTable)


def test_a_run_that_cannot_be_saved_keeps_its_worker_and_says_so_once(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    full = OSError(28, "No space left on device")

    def write(*args: Any, **more: Any) -> None:
        raise full

    inbox = QueueInbox()
    training = Shelf().take(spec("vae", few, tmp_path, 100_000), inbox)
    seen = []
    with monkeypatch.context() as disk:
        disk.setattr("engine.files.write_atomically", write)
        for event in training.events():
            seen.append(event)
            if training.step in (10, 30):
                inbox.put(commands.Park())
            if training.step >= 300:
                disk.undo()
                inbox.put(commands.Park())
    alerts = [e for e in seen if isinstance(e, events.Alert) and e.alert == "not_saved"]
    assert len(alerts) == 1
    assert training.step >= 300
    assert training.ending == "parked"
    assert training.saved_as
