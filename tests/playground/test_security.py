from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from playground import bodies, security
from playground.security import Guard, allowed_hosts
from tests.playground.conftest import serving


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    paths = ["/", security.PLAY + "/runs", security.PLAY + "/pictures", "/gradio_api/call/x"]
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


FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRAME = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
OBJECT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/runs", {"Sec-Fetch-Site": "cross-site", **FETCH}, 403),
        ("/runs", {"Sec-Fetch-Site": "same-site", **FETCH}, 403),
        ("/runs", {"Sec-Fetch-Site": "cross-site", **OBJECT}, 403),
        ("/runs", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/runs", {"Origin": "https://evil.example"}, 403),
        ("/runs", {"Origin": "null"}, 403),
        ("/runs", {"Origin": "http://[broken"}, 403),
        ("/runs", {"Origin": "http://127.0.0.1:99999"}, 403),
        ("/runs", {"Sec-Fetch-Site": "cross-site", **LINK}, 200),
        ("/runs", {"Sec-Fetch-Site": "cross-site", **FRAME}, 200),
        ("/runs", {"Sec-Fetch-Site": "same-origin", **FETCH}, 200),
        ("/runs", {"Sec-Fetch-Site": "none", **LINK}, 200),
        ("/runs", {}, 200),
    ],
)
def test_other_sites_cannot_read(
    guarded: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx.get(guarded + security.PLAY + path, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("how", [LINK, FRAME])
def test_the_page_may_be_linked_to_and_framed(guarded: str, how: dict[str, str]) -> None:
    assert httpx.get(guarded, headers={"Sec-Fetch-Site": "cross-site", **how}).status_code == 200


def policy_of(guard: Guard) -> str:
    return dict(guard.headers)[b"content-security-policy"].decode()


def test_who_may_frame_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Guard(echo)  # type: ignore[arg-type]
    assert policy_of(plain).endswith("frame-ancestors 'self'")
    assert dict(plain.headers)[b"x-frame-options"] == b"SAMEORIGIN"
    monkeypatch.setenv("PLAY_FRAMES", "https://moodle.example <evil> https://*.school.example")
    named = Guard(echo)  # type: ignore[arg-type]
    ancestors = "frame-ancestors 'self' https://moodle.example https://*.school.example"
    assert policy_of(named).endswith(ancestors)
    assert b"x-frame-options" not in dict(named.headers)


def inside(**options: object) -> TestClient:
    paths = ["/", security.PLAY + "/runs", "/gradio_api/call/x", "/gradio_api/file=/tmp/x"]
    return TestClient(
        Starlette(
            routes=[Route(p, echo, methods=["GET", "POST"]) for p in paths],
            middleware=[Middleware(Guard, **options)],  # type: ignore[arg-type]
        )
    )


def test_a_proxy_is_believed_where_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"Host": "localhost:7860", "X-Forwarded-Host": "play.example"}
    said |= {"X-Forwarded-Proto": "https", "Origin": "https://play.example"}
    monkeypatch.setenv("PLAY_HOSTS", "play.example")
    hosts = allowed_hosts("127.0.0.1")
    alone = inside(hosts=hosts).get("/", headers=said)
    assert "strict-transport-security" not in alone.headers
    assert inside(hosts=hosts).post("/", headers=said).status_code == 200  # its public name
    monkeypatch.setenv("PLAY_PROXY", "1")
    behind = inside(hosts=hosts)
    assert behind.post("/", headers=said).status_code == 200
    assert behind.get("/", headers=said).headers["strict-transport-security"]
    assert behind.get("/", headers={**said, "X-Forwarded-Host": "evil.example"}).status_code == 403
    plain = behind.get("/", headers={**said, "X-Forwarded-Proto": "http"})
    assert "strict-transport-security" not in plain.headers


def test_a_space_in_its_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "someone-play.hf.space")
    space = inside(hosts=allowed_hosts("0.0.0.0"))
    own = {"Host": "someone-play.hf.space", "Origin": "https://someone-play.hf.space"}
    page = {"Host": own["Host"], "Sec-Fetch-Site": "cross-site", **FRAME}
    assert space.get("/", headers=page).status_code == 200
    same = {**own, "Sec-Fetch-Site": "same-origin"}
    assert space.post(security.PLAY + "/runs", headers=same).status_code == 200
    other = {**own, "Origin": "https://huggingface.co", "Sec-Fetch-Site": "cross-site"}
    assert space.post(security.PLAY + "/runs", headers=other).status_code == 403
    assert space.get(security.PLAY + "/runs", headers=other).status_code == 403


@pytest.mark.parametrize(
    ("host", "share", "local"),
    [
        ("127.0.0.1", False, True),
        (None, False, True),
        ("[::1]", False, True),
        ("127.0.0.1", True, False),
        ("0.0.0.0", False, False),
        ("192.168.1.4", False, False),
    ],
)
def test_who_is_local(host: str | None, share: bool, local: bool) -> None:
    assert security.is_local(host, share) is local


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=http://127.0.0.1/x",
        "/gradio_api/PROXY=http://127.0.0.1/x",
        "/proxy=https://a.example/x",
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/file=HTTPS:/a.example/x",
        "/gradio_api/file=//a.example/x",
        "/gradio_api/file=%68ttp://a.example",
        "/gradio_api/file=%2568ttp%253A//a.example",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/openapi.json",
        "/gradio_api/vibe-edit/",
        "/gradio_api/process_recording",
        "/gradio_api/dev/reload",
        "/gradio_api/mcp/sse",
        "/docs",
        "/monitoring",
    ],
)
def test_what_is_not_offered(path: str) -> None:
    answer = inside(hosts={"testserver"}).get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "This server does not offer that address."


def test_a_file_of_gradios_own_is_offered() -> None:
    assert inside(hosts={"testserver"}).get("/gradio_api/file=/tmp/x").status_code == 200


@pytest.mark.parametrize(
    "body", [b'{"data":[NaN]}', b"[Infinity]", b"{", b'"\\ud800"', b"\xff", b"[" * 5000]
)
def test_json_for_gradio_is_json(body: bytes) -> None:
    answer = inside(hosts={"testserver"}).post("/gradio_api/call/x", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


def test_json_for_gradio_passes_whole() -> None:
    body = b'{"data": ["' + b"x" * 900_000 + b'"]}'
    http = inside(hosts={"testserver"})
    assert http.post("/gradio_api/call/x", content=body).text == str(len(body))
    assert http.post("/gradio_api/call/x", content=body + b" " * 200_000).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Long": "x" * 40_000},
        {f"X-{n}": "1" for n in range(120)},
        {"Cookie": "c=" + "y" * 33_000},
    ],
)
def test_headers_are_bounded(headers: dict[str, str]) -> None:
    assert inside(hosts={"testserver"}).get("/", headers=headers).status_code == 431


def test_addresses_are_bounded() -> None:
    assert inside(hosts={"testserver"}).get("/?" + "a" * 9000).status_code == 431


def test_private_answers_are_not_kept() -> None:
    http = inside(hosts={"testserver"})
    assert http.get(security.PLAY + "/runs").headers["cache-control"] == "no-store"
    assert "cache-control" not in http.get("/").headers


def test_web_sockets_are_closed() -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        inside(hosts={"testserver"}).websocket_connect("ws://testserver/"),
    ):
        pass


def test_every_answer_carries_the_headers(guarded: str) -> None:
    for answer in (httpx.get(guarded), httpx.get(guarded, headers={"Host": "evil.example"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "geolocation=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers


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


def test_a_body_that_drips_is_given_up(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_TIMEOUT_S", 0.5)
    port = urlsplit(guarded).port or 0
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as dripping:
        dripping.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n")
        answer = b""
        while not answer and time.monotonic() - began < 10:
            dripping.sendall(b"x")
            with suppress(TimeoutError):
                answer = dripping.recv(200)
    assert b"408" in answer
    assert time.monotonic() - began < 5
