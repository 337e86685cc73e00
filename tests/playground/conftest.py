from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from playground.routes import PREFIX, routes
from playground.security import LOCAL_NAMES, Guard
from tests.playground.fake import FakeService

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
        middleware=[Middleware(Guard, hosts=LOCAL_NAMES)],
    )
    with serving(app) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    headers = {"X-Play-Owner": OWNER}
    with httpx.Client(base_url=address + PREFIX, headers=headers, timeout=20) as http:
        yield http
