"""A really started server that tests kill, starve and start again, and people who use it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.browser.server import free_port

ROOT = Path(__file__).resolve().parents[2]
PLAY = "/gradio_api/play"
PATIENCE_S = 90.0
ENDED = ("finished", "stopped", "diverged", "failed", "interrupted")
SMALL = {"hidden_dim": 16, "hidden_layers": 1, "batch_size": 16}
LONG = 1_000_000


class Server:
    """`python app.py` on one port and one folder of runs, through several lives."""

    def __init__(self, folder: Path, workers: int = 2, **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.workers, self.environment = workers, environment
        self.process: subprocess.Popen[bytes] | None = None
        self.guests: list[Person | Stream] = []

    @property
    def runs(self) -> Path:
        """The folder of runs."""
        return self.folder / "runs"

    def command(self) -> list[str]:
        """Return the command line."""
        told = ["--port", str(self.port), "--workers", str(self.workers)]
        return [sys.executable, str(ROOT / "app.py"), *told, "--runs-dir", str(self.runs)]

    def start(self, prefix: tuple[str, ...] = (), limit: Callable[[], None] | None = None) -> None:
        """Start it, and wait until it answers and says so."""
        said = self._said()
        environment = {**os.environ, **self.environment}
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *self.command()],
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=limit,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_S
        while self._said() == said or not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _said(self) -> int:
        log = self.folder / "log"
        return log.read_text().count("Generative Playground:") if log.exists() else 0

    def answers(self) -> bool:
        """Say whether the routes are there."""
        try:
            answer = httpx.get(f"{self.address}{PLAY}/catalogue", timeout=5, trust_env=False)
            return answer.is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> float:
        """End it as a host does; return how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        os.killpg(self.process.pid, signal.SIGTERM)  # as a service manager does
        self.process.wait(60)
        return time.monotonic() - began

    def end(self) -> None:
        """End it whatever its state; people go first."""
        while self.guests:
            self.guests.pop().close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


@contextlib.contextmanager
def served(folder: Path, **more: Any) -> Iterator[Server]:
    """Give a running server; ended at last."""
    server = Server(folder, **more)
    try:
        server.start()
        yield server
    finally:
        server.end()


class Person:
    """Somebody with an owner token of their own."""

    def __init__(self, server: Server) -> None:
        self.server, self.owner = server, secrets.token_urlsafe(18)
        self.http = httpx.Client(
            base_url=server.address + PLAY,
            headers={"X-Play-Owner": self.owner},
            timeout=60,
            trust_env=False,
        )
        server.guests.append(self)

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def start(self, steps: int = LONG, key: str | None = None, **more: Any) -> dict[str, Any]:
        """Start a small run; return its view."""
        body = {"model": "vae", "dataset": "mnist", "config": SMALL, "seed": 0, "max_steps": steps}
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.http.post("/runs", json={**body, **more}, headers=headers)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    def tell(self, run: str, command: str, **more: Any) -> httpx.Response:
        """Command a run."""
        return self.http.post(f"/runs/{run}/commands", json={"command": command, **more})

    def view(self, run: str) -> dict[str, Any]:
        """Return a run's view."""
        answer = self.http.get(f"/runs/{run}")
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    def poll(self, run: str, after: int = 0) -> list[dict[str, Any]]:
        """Return the events after a number."""
        found = self.http.get(f"/runs/{run}/events", params={"after": after, "poll": 1}).json()
        events: list[dict[str, Any]] = found["events"]
        return events

    def until(self, run: str, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Look until a run's view is as wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while not what(view := self.view(run)):
            assert time.monotonic() < deadline, view
            time.sleep(0.02)
        return view

    def until_state(self, run: str, *states: str) -> dict[str, Any]:
        """Look until a run is in one of these states."""
        return self.until(run, lambda view: view["state"] in states)

    def until_saved(self, run: str) -> dict[str, Any]:
        """Look until a run has a checkpoint."""
        return self.until(run, lambda view: view["checkpoints"])

    def stop(self, run: str) -> None:
        """Stop a run, and wait for its end."""
        self.tell(run, "stop")
        self.until_state(run, *ENDED)


class Stream:
    """A page's event stream that reconnects by itself, with the number it had last."""

    def __init__(self, person: Person, run: str, after: int = 0) -> None:
        self.person, self.run, self.last = person, run, after
        self.events: list[dict[str, Any]] = []
        self.connections = 0
        self.socket: Any = None
        self.news = threading.Condition()
        self.over = threading.Event()
        person.server.guests.append(self)
        self.thread = threading.Thread(target=self._live, daemon=True)
        self.thread.start()

    def until(self, what: Callable[[list[dict[str, Any]]], Any]) -> None:
        """Wait until the events are as wanted."""
        with self.news:
            assert self.news.wait_for(lambda: what(self.events), PATIENCE_S), self.events[-5:]

    def close(self) -> None:
        """Cut the connection, as a page does that goes."""
        self.over.set()
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(15)

    def _live(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(httpx.TransportError):
                self._read()
            self.over.wait(0.2)

    def _read(self) -> None:
        headers = {"Last-Event-ID": str(self.last)} if self.last else {}
        path = f"/runs/{self.run}/events"
        with self.person.http.stream("GET", path, headers=headers, timeout=15) as answer:
            if answer.status_code != 200:
                return
            self.socket = answer.extensions["network_stream"].get_extra_info("socket")
            self.connections += 1
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    with self.news:
                        self.last = event["seq"]
                        self.events.append(event)
                        self.news.notify_all()
                if self.over.is_set():
                    return


def children(pid: int) -> set[int]:
    """Return all descendants of a process."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = stat.read_text()
            parents[int(stat.parent.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return found


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text[text.rindex(")") + 2] != "Z"
