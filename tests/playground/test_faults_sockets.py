"""Stalled and silent connections, and Gradio's own addresses: rows 11, 13 and 50 of faults.md."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from gradio import Blocks
from gradio.routes import App
from starlette.middleware import Middleware

from engine.checkpoint import SHIPPED
from engine.runs import RunStore
from playground import bodies, connections, public_api
from playground.rate_limits import Unlimited
from playground.routes import PREFIX, routes
from playground.security import Guard
from playground.service import Service
from tests.playground.conftest import OWNER, free_port, serving
from tests.playground.fake_workers import FakeWorkers

STALLED = 200
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Play-Owner: {owner}\r\n"
    "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000\r\n\r\n--x\r\n"
)


@pytest.fixture(scope="module")
def gradio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve Gradio with the guard, our routes and the named endpoints; yield the address."""
    workers = FakeWorkers(SHIPPED / "gan2d" / "moons.safetensors")
    store = RunStore(tmp_path_factory.mktemp("runs"), workers)  # type: ignore[arg-type]
    service = Service(store)
    with serving(asyncio.run(app_of(service))) as url:
        httpx.get(f"{url}/gradio_api/startup-events")  # as launch() does: the queue begins
        yield url
    store.close()
    workers.close()


async def app_of(service: Service) -> App:
    """Build in a loop that is closed again: outside of one, Gradio makes loops and leaves them."""
    with Blocks(analytics_enabled=False) as demo:
        public_api.publish(service)
    demo.queue(max_size=200, default_concurrency_limit=4)
    demo.max_file_size = 8 * 2**20
    return App.create_app(
        demo,
        app_kwargs={
            "routes": routes(service),
            "middleware": [Middleware(Guard, limits=Unlimited())],
            "exception_handlers": public_api.exception_handlers(),
        },
    )


def stalled(port: int, path: str, owner: str = OWNER) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=5)
    one.sendall(HEAD.format(path=path, owner=owner).encode())
    one.setblocking(False)
    return one


def test_stalled_uploads_are_closed_and_hold_nobody_up(
    gradio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 200 end within two seconds where a body may stand still for one, 15 in earnest."""
    monkeypatch.setattr(bodies, "READ_TIMEOUT_S", 1.0)
    port = int(gradio.rpartition(":")[2])
    paths = (f"{PREFIX}/pictures", f"{PREFIX}/texts", "/gradio_api/upload", f"{PREFIX}/runs")
    began = time.monotonic()
    waiting = {stalled(port, paths[i % len(paths)], f"owner-number-{i:08}") for i in range(STALLED)}
    answers, took = set(), []
    with httpx.Client(base_url=gradio + PREFIX, headers={"X-Play-Owner": OWNER}) as page:
        while waiting and time.monotonic() - began < 30:
            asked = time.perf_counter()
            assert page.get("/runs").status_code == 200
            took.append(time.perf_counter() - asked)
            for one in select.select(list(waiting), [], [], 0.02)[0]:
                content = one.recv(4000)
                answers.add(content[9:12])
                one.close()
                waiting.discard(one)
    assert not waiting
    assert answers <= {b"408", b"429"}
    assert time.monotonic() - began < 15  # on a loaded machine
    took.sort()
    assert took[int(0.95 * (len(took) - 1))] < 1.0  # 0.25 s is measured on a quiet one


def test_a_file_without_a_name_is_no_fault_of_the_server(gradio: str) -> None:
    answer = httpx.post(f"{gradio}/gradio_api/upload", files={"files": ("", b"hello")})
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("names.")
    named = httpx.post(f"{gradio}/gradio_api/upload", files={"files": ("../../x.txt", b"hello")})
    assert named.status_code == 200
    assert ".." not in named.json()[0]


@pytest.fixture
def outgoing(gradio: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note every connection and every name that is looked up, but for those to our server."""
    noted: list[Any] = []
    own = int(gradio.rpartition(":")[2])
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def watched(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] != own:
            noted.append(address)
        connect(self, address)

    def looked_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if port != own:
            noted.append((host, port))
        return look_up(host, port, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return noted


ELSEWHERE = ("http://127.0.0.1:9/x", "http://a.example/x", "//a.example/x", "/etc/passwd")


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_address_of_gradio_reads_a_file_or_fetches(
    gradio: str, outgoing: list[Any], target: str
) -> None:
    for path in ("file=", "proxy=", "file/", "gradio_api/file=", "gradio_api/proxy="):
        answer = httpx.get(f"{gradio}/{path}{target}")
        assert 400 <= answer.status_code < 500, path
        assert b"root:" not in answer.content
    assert outgoing == []


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize("place", ["path", "url"])
def test_no_parameter_makes_gradio_read_a_file_or_fetch(
    gradio: str, outgoing: list[Any], target: str, place: str
) -> None:
    file = {"path": "x", place: target, "meta": {"_type": "gradio.FileData"}}
    for name, data in (("explore", [file, "map", {}]), ("decode", [file, [0, 0]])):
        begun = httpx.post(f"{gradio}/gradio_api/call/{name}", json={"data": data})
        if begun.status_code == 200:
            event = begun.json()["event_id"]
            said = httpx.get(f"{gradio}/gradio_api/call/{name}/{event}", timeout=20).text
            assert "event: error" in said
            assert "root:" not in said
        else:
            assert 400 <= begun.status_code < 500
    assert outgoing == []


# ---- connections over which no request comes ----------------------------------------------------


def connection(cycle: Any, closed: list[Any]) -> Any:
    loop = SimpleNamespace(call_soon_threadsafe=lambda work: work())
    return SimpleNamespaceHashed(
        cycle=cycle, loop=loop, transport=SimpleNamespace(close=lambda: closed.append(cycle))
    )


class SimpleNamespaceHashed(SimpleNamespace):
    __hash__ = object.__hash__


def test_silent_connections_are_told_from_busy_ones() -> None:
    closed: list[Any] = []
    answered, answering = (SimpleNamespace(response_complete=d) for d in (True, False))
    new, old, stream = (connection(c, closed) for c in (None, answered, answering))
    silent = connections.look([new, old, stream], {}, 0.0)
    assert set(silent) == {new, old}
    old.cycle = SimpleNamespace(response_complete=True)  # another request came
    silent = connections.look([new, old, stream], silent, connections.SILENT_S)
    assert closed == [None]
    assert set(silent) == {old}
    connections.look([old, stream], silent, 2 * connections.SILENT_S)
    assert closed == [None, old.cycle]


def test_uvicorn_ends_a_connection_that_never_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `look` stands on is there in uvicorn: its connections, their cycle and transport."""
    monkeypatch.setattr(connections, "SILENT_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)

    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    server = uvicorn.Server(
        uvicorn.Config(app, port=free_port(), log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    over = threading.Event()
    watching = connections.close_silent(server, over)
    port = server.servers[0].sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: loc")  # and no more
        assert silent.recv(10) == b""
    over.set()
    watching.join(5)
    server.should_exit = True
    thread.join(5)
