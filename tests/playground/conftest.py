from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from engine.runs import RunStore
from playground.rate_limits import Unlimited
from playground.routes import PREFIX, routes
from playground.security import LOCAL_NAMES, Guard
from playground.service import Service
from tests.chromium import chromium
from tests.playground.fake import FakeService
from tests.playground.fake_workers import FakeWorkers

ROOT = Path(__file__).parents[2]
START_S = 120.0
OWNER = "owner-token-of-sixteen-or-more"
STRANGER = "somebody-elses-token-of-enough"


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free port; yield its address."""
    config = uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = Starlette(
        routes=routes(FakeService()),  # type: ignore[arg-type]
        middleware=[Middleware(Guard, hosts=LOCAL_NAMES, limits=Unlimited())],
    )
    with serving(app) as url:
        yield url


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return the real service in a folder of its own; nobody here starts a run."""
    nobody = FakeWorkers(Path("none"), workers=0)
    store = RunStore(tmp_path_factory.mktemp("runs"), nobody)  # type: ignore[arg-type]
    yield Service(store)
    store.close()


@pytest.fixture(scope="module")
def address_of_service(service: Service) -> Iterator[str]:
    """Serve the real service's routes; yield their address."""
    middleware = [Middleware(Guard, hosts=LOCAL_NAMES, limits=Unlimited())]
    with serving(Starlette(routes=routes(service), middleware=middleware)) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    headers = {"X-Play-Owner": OWNER}
    with httpx.Client(base_url=address + PREFIX, headers=headers, timeout=20) as http:
        yield http


# ---- the page in a browser -----------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.playground.serve", str(port), "--bare"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_S
    try:
        while not _answers(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


class Visit:
    """One person's browser, and what went wrong in it."""

    def __init__(self, context: Any, url: str) -> None:
        self.context, self.url, self.wrong = context, url, []
        self.expected = ["explore"]  # the fake service lacks some views of the explorer
        self.page = context.new_page()
        self.page.set_default_timeout(45_000)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("console", self._console)

    def open(self, query: str = "") -> Any:
        self.page.goto(self.url + "/" + query)
        self.page.wait_for_selector(".play-panel-transport[data-ready]")
        return self.page

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.wrong.append(f"asked {request.url}")

    def _console(self, message: Any) -> None:
        about = message.text + message.location.get("url", "")
        if message.type == "error" and not any(part in about for part in self.expected):
            self.wrong.append(about)


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    one = Visit(context, url)
    yield one
    context.close()
    assert one.wrong == []
