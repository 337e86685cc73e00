from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from playground import bodies, security
from playground.security import Guard, allowed_hosts
from tests.playground.conftest import serving


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    paths = ["/", security.PLAY + "/runs", security.PLAY + "/pictures"]
    app = Starlette(
        routes=[Route(p, echo, methods=["GET", "POST", "DELETE"]) for p in paths],
        middleware=[Middleware(Guard, hosts=allowed_hosts("127.0.0.1"))],
    )
    with serving(app) as url:
        yield url


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:7860", "LOCALHOST"])
def test_own_names_are_answered(guarded: str, host: str) -> None:
    assert httpx.get(guarded, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.7"])
def test_other_host_names_are_refused(guarded: str, host: str) -> None:
    answer = httpx.get(guarded, headers={"Host": host})
    assert answer.status_code == 403
    assert "host name" in answer.json()["error"]


def test_a_server_for_the_network_answers_addresses_but_not_names() -> None:
    guard = Guard(echo, hosts=allowed_hosts("0.0.0.0"))  # type: ignore[arg-type]
    assert guard.origins.knows("192.168.1.7")
    assert guard.origins.knows("fe80::1")
    assert guard.origins.knows(socket.gethostname().lower())
    assert not guard.origins.knows("evil.example")


def test_a_shared_server_answers_its_tunnel() -> None:
    guard = Guard(echo, hosts=allowed_hosts("127.0.0.1", share=True))  # type: ignore[arg-type]
    assert guard.origins.knows("abc123.gradio.live")
    assert not guard.origins.knows("gradio.live.evil.example")


def test_a_space_answers_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "someone-play.hf.space")
    guard = Guard(echo, hosts=allowed_hosts("0.0.0.0"))  # type: ignore[arg-type]
    assert guard.origins.knows("someone-play.hf.space")
    assert b"https://huggingface.co" in dict(guard.headers)[b"content-security-policy"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_cannot_write(guarded: str, method: str, headers: dict[str, str]) -> None:
    assert httpx.request(method, guarded, headers=headers).status_code == 403


def test_the_own_page_and_programs_can_write(guarded: str) -> None:
    assert httpx.post(guarded, headers={"Origin": guarded}).status_code == 200
    assert httpx.post(guarded).status_code == 200


def test_reading_from_elsewhere_is_left_to_the_browser(guarded: str) -> None:
    assert httpx.get(guarded, headers={"Origin": "https://evil.example"}).status_code == 200


def test_every_answer_carries_the_headers(guarded: str) -> None:
    for answer in (httpx.get(guarded), httpx.get(guarded, headers={"Host": "evil.example"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_bodies_are_bounded(guarded: str) -> None:
    url = guarded + security.PLAY + "/runs"
    assert httpx.post(url, content=b"x" * security.JSON_LIMIT).status_code == 200
    answer = httpx.post(url, content=b"x" * (security.JSON_LIMIT + 1))
    assert answer.status_code == 413
    assert "256 KB" in answer.json()["error"]
    pictures = guarded + security.PLAY + "/pictures"
    assert httpx.post(pictures, content=b"x" * 2**20).status_code == 200


def test_a_body_without_a_length_is_counted(guarded: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    answer = httpx.post(guarded + security.PLAY + "/runs", content=chunks())
    assert answer.status_code == 413


def test_a_stalled_body_is_given_up(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_TIMEOUT_S", 0.2)
    port = urlsplit(guarded).port or 0
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stalled:
        stalled.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx")
        assert b"408" in stalled.recv(200)
    assert time.monotonic() - began < 3
