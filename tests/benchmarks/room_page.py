"""One simulated student: a browser with the page open, as the real page asks the server.

What it loads was recorded from the real page in Chromium (`recorded`). Then, as
playground/web/store_stream.js does: it attaches to a run by one event stream, or by asking every
0.7 s; beside that it clicks on explorers, each click one POST of a view of a shipped checkpoint.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from common import chromium
from room_events import Tally
from room_http import Answer, Connection, Lost, Refused

PLAY = "/gradio_api/play"
POLL_S = 0.7
CONNECTIONS = 6  # of a browser to one server
PAUSE_S = (4.0, 12.0)  # between two clicks of a student
FIRST_VIEWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("map", {"count": 5000}),
    ("atlas", {"extent": [-4.0, 4.0, -4.0, 4.0], "n": 24}),
    ("grid", {"n": 15}),
)
VIEWS: tuple[tuple[str, str, int], ...] = (
    ("vae/mnist-2d", "point", 2),
    ("vae/mnist-2d", "point", 2),
    ("vae/fashion-2d", "point", 2),
    ("ae/mnist-2d", "point", 2),
    ("dcgan/mnist", "samples", 0),
)


@dataclass
class Figures:
    """What all sessions of a scenario have measured, and what went wrong."""

    poll_ms: list[float] = field(default_factory=list)
    click_ms: list[float] = field(default_factory=list)
    load_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    patience: int = 0  # 429: not an error, the page waits and asks again


def recorded(address: str) -> list[str]:
    """Open the page in Chromium once; return the paths of the files that it loads."""
    home, paths = urlsplit(address).netloc, []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: paths.append((request.method, request.url)))
        page.goto(address, wait_until="domcontentloaded", timeout=120_000)
        page.wait_for_selector(".x-grid-stage:not(.loading)", state="attached", timeout=120_000)
        page.wait_for_timeout(1000)
    found = []
    for method, url in paths:
        parts = urlsplit(url)
        is_file = parts.netloc == home and method == "GET" and len(parts.path) > 1
        asks = parts.path.startswith(PLAY) and "/web/" not in parts.path
        if is_file and not asks and "heartbeat" not in parts.path:
            found.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return list(dict.fromkeys(found))


class Page:
    """One student's browser."""

    def __init__(self, address: str, figures: Figures, seed: int = 0) -> None:
        self.address, self.figures = address, figures
        self.owner = secrets.token_urlsafe(18)
        self.main, self.second = self._connection(), self._connection()
        self.random = random.Random(seed)
        self.run, self.tally = "", Tally()
        self.begun = self.pictured = 0.0
        self.news = asyncio.Event()

    def _connection(self) -> Connection:
        return Connection(self.address, self.owner)

    def close(self) -> None:
        """Close the browser."""
        self.main.close()
        self.second.close()

    # ---- one request -------------------------------------------------------------------------

    async def ask(
        self, work: Any, what: str, allowed: tuple[int, ...] = (200, 201)
    ) -> Answer | None:
        """Await an answer; count what is none, or not allowed. 429 is waited for."""
        try:
            answer: Answer = await work
        except Lost as lost:
            self.figures.errors[f"{what}: {str(lost)[:80]}"] += 1
            return None
        if answer.status == 429:
            self.figures.patience += 1
            await asyncio.sleep(min(30.0, float(answer.headers.get("retry-after", 1))))
            return None
        if answer.status not in allowed:
            self.figures.errors[f"{what}: {answer.status} {answer.body[:120].decode()}"] += 1
            return None
        return answer

    # ---- opening -----------------------------------------------------------------------------

    async def open(self, files: list[str]) -> None:
        """Load the page, its files over six connections, the catalogue, and the first pictures."""
        began = time.perf_counter()
        await self.ask(self.main.get("/"), "page")
        waiting = list(reversed(files))

        async def load(connection: Connection) -> None:
            while waiting:
                await self.ask(connection.get(waiting.pop()), "file")

        others = [self._connection() for _ in range(CONNECTIONS - 2)]
        await asyncio.gather(*(load(c) for c in (self.main, self.second, *others)))
        for connection in others:
            connection.close()
        await self.ask(self.main.get(f"{PLAY}/catalogue"), "catalogue")
        await self.ask(self.main.get(f"{PLAY}/runs"), "runs")
        for view, args in FIRST_VIEWS:
            body = {"source": {"checkpoint": "vae/mnist-2d"}, "args": args}
            await self.ask(self.main.post(f"{PLAY}/explore/{view}", body), view)
        self.figures.load_s.append(time.perf_counter() - began)

    async def train(self, **body: Any) -> tuple[Answer | None, dict[str, Any]]:
        """Press Train; return the answer and the view."""
        self.begun = time.perf_counter()
        asked = self.main.post(f"{PLAY}/runs", body, Idempotency_Key=secrets.token_urlsafe(18))
        answer = await self.ask(asked, "train")
        view = answer.json() if answer is not None else {}
        self.run = view.get("id", "")
        return answer, view

    async def command(self, name: str, **more: Any) -> None:
        """Command the own run."""
        body = {"command": name, **more}
        await self.ask(self.main.post(f"{PLAY}/runs/{self.run}/commands", body), name)

    # ---- following a run ---------------------------------------------------------------------

    async def attach(self, run: str) -> None:
        """Open a share link of a run: its view and its timeline, then its events from the start."""
        self.run = run
        answer = await self.ask(self.main.get(f"{PLAY}/runs/{run}"), "view")
        self.tally = Tally(begin=answer.json()["last_seq"] if answer is not None else 0)
        await self.ask(self.main.get(f"{PLAY}/runs/{run}/timeline"), "timeline")

    async def follow(self, streams: bool) -> None:
        """Take the run's events until it has ended; by a stream, or asking every 0.7 s."""
        while not self.tally.ended:
            if streams:
                await self._stream()
            else:
                await self.poll()
                await asyncio.sleep(POLL_S)

    async def poll(self) -> int:
        """Ask once what is new; return how many events came."""
        path = f"{PLAY}/runs/{self.run}/events?after={self.tally.cursor}&poll=1"
        answer = await self.ask(self.main.get(path), "poll")
        if answer is None:
            return 0
        self.figures.poll_ms.append(answer.ms)
        return self._take(answer.body)

    async def _stream(self) -> None:
        path = f"{PLAY}/runs/{self.run}/events?after={self.tally.cursor}"
        rest = b""
        connection = self._connection()
        try:
            async for chunk in connection.stream(path):
                whole, end, rest = (rest + chunk).rpartition(b"\n\n")
                if end:
                    self._take(whole)
                if self.tally.ended:
                    return
        except Lost as lost:
            self.figures.errors[f"stream: {str(lost)[:80]}"] += 1
            await asyncio.sleep(1.0)  # the stream's own `retry`
        except Refused as refused:
            if refused.status == 429:
                self.figures.patience += 1
            else:
                self.figures.errors[f"stream: {refused}"] += 1
            await asyncio.sleep(1.0)
        finally:
            connection.close()

    def _take(self, content: bytes) -> int:
        before = self.tally.pictures
        found = self.tally.take(content)
        if self.tally.pictures > before == 0 and self.begun:
            self.pictured = time.perf_counter() - self.begun
        return found

    # ---- clicking ----------------------------------------------------------------------------

    async def click(self) -> None:
        """Click on an explorer; a click lasts until its picture is there."""
        name, view, dims = self.random.choice(VIEWS)
        args: dict[str, Any] = {"seed": self.random.randrange(1000), "count": 16}
        if dims:
            args = {"z": [self.random.gauss(0, 1) for _ in range(dims)], "neighbours": 8}
        body = {"source": {"checkpoint": name}, "args": args}
        answer = await self.ask(self.second.post(f"{PLAY}/explore/{view}", body), f"click {view}")
        if answer is not None:
            self.figures.click_ms.append(answer.ms)

    async def click_now_and_then(self) -> None:
        """Click every few seconds until cancelled."""
        while True:
            await asyncio.sleep(self.random.uniform(*PAUSE_S))
            await self.click()


def first_look(catalogue: dict[str, Any]) -> dict[str, Any]:
    """Return what pressing Train sends with the 10-second preset of the first tab."""
    model = next(m for m in catalogue["models"] if m["key"] == "vae")
    preset = next(p for p in model["presets"] if p["key"] == "first-look")
    given = {name: preset[name] for name in ("model", "dataset", "config", "max_steps")}
    return json.loads(json.dumps({**given, "seed": 0, "preset": preset["key"]}))
