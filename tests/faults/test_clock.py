"""Row 43: the wall clock jumps by an hour, both ways, while runs wait, train and have ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine.policy import Policy
from engine.runs import RunStore


class Handle:
    pid = None

    def send(self, command: Any) -> None: ...

    def kill(self) -> None: ...

    def request(self, name: str, args: dict[str, Any]) -> Future[bytes]:
        return Future()


class Executor:
    """One worker that does nothing; what it would say, the test says."""

    device, threads, workers = "cpu", 1, 1

    def __init__(self) -> None:
        self.busy: list[tuple[Any, Any]] = []

    def free(self) -> int:
        return self.workers - len(self.busy)

    def start(self, spec: Any, on_event: Any, on_end: Any) -> Handle:
        self.busy.append((on_event, on_end))
        return Handle()

    def describe(self) -> dict[str, Any]:
        return {"kind": "none", "workers": []}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    made = RunStore(tmp_path, Executor(), Policy(keep_hours=0.5, max_seconds=600))  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_clock_that_jumps_ends_and_deletes_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    trains = store.start("owner-of-the-first-run", "vae", "mnist", max_steps=1000)
    told, _ = store.executor.busy[0]  # type: ignore[attr-defined]
    status = {"kind": "status", "step": 0, "state": "running", "message": None}
    told(status, b'{"kind":"status"}')
    waits = store.start("owner-of-the-second-run", "vae", "mnist", max_steps=1000)
    ended = store.start("owner-of-the-third-run", "vae", "mnist", max_steps=1000)
    store.command("owner-of-the-third-run", ended, {"command": "stop"})
    before = {run: store.view(run) for run in (trains, waits, ended)}
    plain = time.time
    monkeypatch.setattr(time, "time", lambda: plain() + jump_s)
    monkeypatch.setattr(time, "time_ns", lambda: int((plain() + jump_s) * 1e9))
    for _ in range(3):
        store.tick()
    after = {run: store.view(run) for run in (trains, waits, ended)}
    assert [v["state"] for v in after.values()] == [v["state"] for v in before.values()]
    for run, view in after.items():
        for name in ("waiting_s", "served_s"):
            grown = view[name] - before[run][name]
            assert -1e-9 <= grown < 5, f"{name} jumped by {grown}"
        for name in ("eta_s", "eta_low_s", "eta_high_s"):
            assert view[name] is None or 0 <= view[name] < 600, f"{name} is {view[name]}"
    late = store.start("owner-of-the-fourth-run", "vae", "mnist", max_steps=1000)
    assert store.view(late)["last_seq"] >= 1


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_restart_after_a_jump_loses_no_run_and_numbers_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    before = RunStore(tmp_path, Executor())  # type: ignore[arg-type]
    run = before.start("owner-of-the-first-run", "vae", "mnist", max_steps=1000)
    waits = before.start("owner-of-the-second-run", "vae", "mnist", max_steps=1000)
    heard = before.view(waits)["last_seq"]
    before.close()
    plain = time.time
    monkeypatch.setattr(time, "time", lambda: plain() + jump_s)
    monkeypatch.setattr(time, "time_ns", lambda: int((plain() + jump_s) * 1e9))
    after = RunStore(tmp_path, Executor(), Policy(keep_hours=0.5))  # type: ignore[arg-type]
    after.tick()
    assert after.view(waits)["last_seq"] > heard
    assert after.view(waits)["waiting_s"] < 5
    assert after.view(run)["state"] in ("queued", "starting", "running", "interrupted")
    after.close()
