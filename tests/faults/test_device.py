"""Rows 22 and 23: no memory, and a failed assertion on the graphics card, in a real worker.

`injected/sitecustomize.py` is on the path of the server and of its workers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import ENDED, Person, Server, served

INJECTED = str(Path(__file__).parent / "injected")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = os.pathsep.join([INJECTED, os.environ["PYTHONPATH"]])
    with served(tmp_path_factory.mktemp("device"), PYTHONPATH=path) as running:
        yield running


def test_a_failed_assertion_on_the_card_costs_a_worker_and_no_run(server: Server) -> None:
    person, other = Person(server), Person(server)
    beside = other.start()["id"]
    other.until_state(beside, "running")
    run = person.start(400, title="device")["id"]
    view = person.until_state(run, *ENDED)
    assert (view["state"], view["step"]) == ("finished", 400)
    assert (server.runs / run / "failed-once").exists(), "nothing was injected"
    told = [e["message"] for e in person.poll(run) if e["kind"] == "status" and e["message"]]
    assert any("graphics card" in sentence and "goes on" in sentence for sentence in told), told
    assert other.view(beside)["state"] in ("running", "queued", "starting")
    said = [e["message"] for e in other.poll(beside) if e["kind"] == "status"]
    assert not any(said), said
    other.stop(beside)


def test_a_run_without_memory_ends_with_advice_and_frees_its_place(server: Server) -> None:
    person, other = Person(server), Person(server)
    run = person.start(400, title="memory")["id"]
    view = person.until_state(run, *ENDED)
    assert view["state"] == "failed"
    assert "memory" in view["message"]
    assert "smaller" in view["message"], "no advice"
    assert "Traceback" not in view["message"]
    after = other.start(5)["id"]
    assert other.until_state(after, *ENDED)["state"] == "finished"
