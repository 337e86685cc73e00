"""Rows 28, 29 and 55: the server is killed, is ended by its host, or is started twice."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import ENDED, Person, Server, Stream, alive, children, served

ORPHANS_S = 5.0
END_S = 10.0
BACK = ("queued", "starting", "running")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("dies")) as running:
        yield running


def five_runs(server: Server) -> list[tuple[Person, str]]:
    """Let five people train; wait until every run has a checkpoint."""
    people = [Person(server) for _ in range(5)]
    found = [(person, person.start()["id"]) for person in people]
    for person, run in found:
        person.until_saved(run)
    return found


def curve(person: Person, run: str) -> dict[int, float]:
    metrics = [e for e in person.poll(run) if e["kind"] == "metrics" and e["split"] == "train"]
    steps = [e["step"] for e in metrics]
    assert steps == sorted(set(steps)), "a step is told twice"
    return {e["step"]: e["values"]["loss"] for e in metrics}


def gone(pids: set[int]) -> float:
    """Return after how many seconds all of these processes had ended."""
    began = time.monotonic()
    while any(alive(pid) for pid in pids):
        assert time.monotonic() - began < 2 * ORPHANS_S, "there are orphans"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_killed_server_comes_back_with_every_run(server: Server) -> None:
    assert server.process is not None
    runs = five_runs(server)
    before = {run: curve(person, run) for person, run in runs}
    saved = {run: max(c["step"] for c in p.view(run)["checkpoints"]) for p, run in runs}
    person, run = runs[0]
    stream = Stream(person, run)
    stream.until(lambda events: len(events) > 3)
    heard, workers = stream.last, children(server.process.pid)
    assert workers
    server.kill()
    assert gone(workers) < ORPHANS_S
    server.start()
    for one, its in runs:
        view = one.view(its)
        assert view["state"] in BACK, view
        assert view["owner_is_you"]
        assert view["step"] >= saved[its]
        now = curve(one, its)
        kept = {step: loss for step, loss in before[its].items() if step <= saved[its]}
        assert kept.items() <= now.items(), "a curve has lost what came before its checkpoint"
    told = [e["message"] for e in person.poll(run) if e["kind"] == "status" and e["message"]]
    assert any("restarted" in sentence for sentence in told)
    stream.until(lambda _: stream.connections > 1 and stream.last > heard)
    numbers = [event["seq"] for event in stream.events]
    assert numbers == sorted(set(numbers))
    stream.close()
    for one, its in runs:
        one.until(its, lambda view, its=its: view["step"] > saved[its])
        one.stop(its)


def test_a_server_that_is_ended_saves_every_run_and_takes_it_up_again(server: Server) -> None:
    assert server.process is not None
    runs = five_runs(server)
    standing, run = runs[0]
    standing.tell(run, "pause")
    standing.until_state(run, "paused")
    workers = children(server.process.pid)
    took = server.terminate()
    assert took <= END_S, f"it took {took:.1f} s to end"
    assert server.process.returncode == 0
    assert gone(workers) < ORPHANS_S
    described = [json.loads((server.runs / its / "run.json").read_bytes()) for _, its in runs]
    for found in described:
        assert found["state"] not in ENDED, found
        assert max(found["checkpoints"]) == found["step"], "work was lost"
    server.start()
    for (one, its), found in zip(runs, described, strict=True):
        view = one.view(its)
        assert view["step"] >= found["step"]
        assert view["state"] in ("paused",) if its == run else BACK, view
    standing.tell(run, "resume")
    for (one, its), found in zip(runs, described, strict=True):
        one.until(its, lambda view, found=found: view["step"] > found["step"])
        one.stop(its)


def test_a_second_server_is_refused_in_one_sentence(server: Server, tmp_path: Path) -> None:
    same_port = subprocess.run(
        [*server.command()[:-1], str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert same_port.returncode == 2
    assert same_port.stderr.count("\n") == 1
    assert f"Port {server.port} is in use" in same_port.stderr
    other = Server(server.folder)
    same_folder = subprocess.run(other.command(), capture_output=True, text=True, timeout=60)
    assert same_folder.returncode == 2
    assert same_folder.stderr.count("\n") == 1
    assert "runs folder" in same_folder.stderr
    assert server.answers()
