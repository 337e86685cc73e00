"""Rows 36, 37, 39, 40, 41, 44, 45, 47 and 48: what clients do to a server, on purpose or not."""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import random
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.servers import ENDED, PLAY, Person, Server, Stream, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("clients")) as running:
        yield running


def rss_mb(server: Server) -> float:
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def descriptors(server: Server) -> int:
    assert server.process is not None
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_two_tabs_command_one_run(server: Server) -> None:
    """Row 36: a hundred commands from two tabs; both see one order, and a stranger none."""
    tabs, stranger = [Person(server), Person(server)], Person(server)
    tabs[1].http.headers["X-Play-Owner"] = tabs[0].owner
    run = tabs[0].start()["id"]
    streams = [Stream(tab, run) for tab in tabs]
    tabs[0].until_state(run, "running", "paused")
    choices = random.Random(0)

    def click(tab: Person) -> list[int]:
        found = []
        for _ in range(50):
            name = choices.choice(("pause", "resume", "set"))
            more = {"field": "beta", "value": choices.uniform(0.5, 2)} if name == "set" else {}
            found.append(tab.tell(run, name, **more).status_code)
        return found

    with concurrent.futures.ThreadPoolExecutor() as both:
        codes = list(both.map(click, tabs))
    assert {code for found in codes for code in found} == {200}
    assert stranger.tell(run, "stop").status_code == 403
    assert stranger.view(run)["owner_is_you"] is False
    tabs[1].stop(run)
    for stream in streams:
        stream.until(lambda events: events[-1].get("state") == "stopped" or _ended(events))
    kept = ("changed", "metrics", "alert")
    told = [[e for e in stream.events if e["kind"] in kept] for stream in streams]
    assert told[0] == told[1]
    changes = [e for e in told[0] if e["kind"] == "changed"]
    assert changes, "no change came through"
    for before, after in itertools.pairwise(changes):
        assert after["old"] == before["new"], "two changes at once"
    assert tabs[0].view(run)["config"]["beta"] == changes[-1]["new"]


def _ended(events: list[dict]) -> bool:
    return any(e["kind"] == "status" and e["state"] in ENDED for e in events)


def test_a_start_that_is_repeated_is_one_run(server: Server) -> None:
    """Row 37: one key five times at once, as a page sends after a lost answer."""
    person = Person(server)
    key = "one-click-of-the-train-button"
    with concurrent.futures.ThreadPoolExecutor() as five:
        views = list(five.map(lambda _: person.start(20, key), range(5)))
    assert len({view["id"] for view in views}) == 1
    assert len(person.http.get("/runs").json()["runs"]) == 1
    person.until_state(views[0]["id"], *ENDED)


def test_a_closed_tab_stops_nothing_and_comes_back_to_the_whole_curve(server: Server) -> None:
    """Row 39: nobody watches for a while; whoever comes back gets all, in one request, soon."""
    person = Person(server)
    run = person.start()["id"]
    stream = Stream(person, run)
    stream.until(lambda events: any(e["kind"] == "metrics" for e in events))
    stream.close()
    before = person.view(run)["step"]
    person.until(run, lambda view: view["step"] > before + 50)
    began = time.monotonic()
    events = person.poll(run)
    assert time.monotonic() - began < 2
    numbers = {e["seq"] for e in events}
    heard = [e["seq"] for e in stream.events if e["kind"] == "metrics"]
    assert set(heard) <= numbers
    assert events[0]["step"] == 0
    assert person.view(run)["state"] == "running"
    person.stop(run)


def test_a_lost_connection_loses_and_repeats_nothing(server: Server) -> None:
    """Row 40: cut ten times in mid-stream, and once for a poll; everything comes once."""
    person, reader = Person(server), Person(server)
    run = person.start()["id"]
    whole = Stream(reader, run)
    taken: list[dict] = []
    for _ in range(10):
        cut = Stream(person, run, after=taken[-1]["seq"] if taken else 0)
        cut.until(lambda events: any(e["kind"] == "metrics" for e in events))
        cut.close()
        taken += cut.events
    taken += person.poll(run, taken[-1]["seq"])
    person.stop(run)
    taken += person.poll(run, taken[-1]["seq"])
    whole.until(_ended)
    numbers = [e["seq"] for e in taken]
    assert numbers == sorted(set(numbers))
    last = min(numbers[-1], whole.last)

    def kept(events: list[dict]) -> list[dict]:
        return [e for e in events if e["kind"] in ("metrics", "changed") and e["seq"] <= last]

    assert kept(taken) == kept(whole.events)
    assert len(kept(taken)) >= 10


def test_clients_that_do_not_read_cost_nothing(server: Server) -> None:
    """Row 41: twenty streams that are never read, of a run that tells much."""
    person = Person(server)
    run = person.start()["id"]
    person.until_state(run, "running")
    before = rss_mb(server)
    lazy = []
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", server.port))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(f"GET {PLAY}/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        lazy.append(one)
    started = person.view(run)["step"]
    person.until(run, lambda view: view["step"] > started + 200)
    took = []
    for _ in range(20):
        began = time.monotonic()
        person.poll(run, person.view(run)["last_seq"])
        took.append(time.monotonic() - began)
    for one in lazy:
        one.close()
    assert sorted(took)[18] < 0.5
    assert rss_mb(server) - before < 30
    person.stop(run)


def test_forty_starts_at_once_all_get_a_place(server: Server) -> None:
    """Rows 44 and 45, small: the large ones are tests/benchmarks/room.py hundred and storm."""
    people = [Person(server) for _ in range(40)]

    def start(person: Person) -> tuple[str, float]:
        began = time.monotonic()
        view = person.start(20)
        placed = view["state"] in ("starting", "running") or view["position"] is not None
        assert placed, view
        return view["id"], time.monotonic() - began

    with concurrent.futures.ThreadPoolExecutor(40) as all_at_once:
        found = list(all_at_once.map(start, people))
    assert max(took for _, took in found) < 2.0
    for person, (run, _) in zip(people, found, strict=True):
        assert person.until_state(run, *ENDED)["state"] == "finished"
        person.close()


def test_sessions_that_come_and_go_leave_nothing(server: Server) -> None:
    """Row 48, short: the long one is tests/benchmarks/room.py soak."""

    def visit(_: int) -> None:
        person = Person(server)
        run = person.start(3)["id"]
        stream = Stream(person, run)
        stream.until(_ended)
        stream.close()
        assert person.http.delete(f"/runs/{run}").status_code == 200
        person.close()

    def round_of_visits() -> tuple[float, int]:
        with concurrent.futures.ThreadPoolExecutor(4) as four:
            list(four.map(visit, range(12)))
        deadline = time.monotonic() + 10
        while descriptors(server) > held + 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        return rss_mb(server), descriptors(server)

    held = descriptors(server)
    warm, _ = round_of_visits()
    memory, fds = round_of_visits()
    assert fds <= held + 5
    assert memory - warm < 10
    assert not list(server.runs.rglob("*.tmp.*"))


def test_a_server_without_descriptors_recovers(tmp_path: Path) -> None:
    """Row 47: 300 connections to a server that may have 256 files open."""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    server = Server(tmp_path, workers=1)
    held: list[socket.socket] = []
    try:
        server.start(limit=few)
        person = Person(server)
        for _ in range(300):
            one = socket.socket()
            one.settimeout(1)
            try:
                one.connect(("127.0.0.1", server.port))
            except OSError:
                one.close()
                break
            held.append(one)
        assert len(held) > 200
        for one in held:
            one.close()
        deadline = time.monotonic() + 30
        while not server.answers():
            assert time.monotonic() < deadline, "it did not recover"
            time.sleep(0.05)
        run = person.start(5)["id"]
        assert person.until_state(run, *ENDED)["state"] == "finished"
        assert httpx.get(server.address, timeout=20, trust_env=False).status_code == 200
    finally:
        for one in held:
            one.close()
        server.end()
