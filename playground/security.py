"""Middleware in front of Gradio: who may ask, from which page, how much, and with what headers.

Gradio 6.31 answers any Host (DNS rebinding), takes uploads from any origin, reads bodies of any
size and waits for a stalled one without end; this closes all four.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

PLAY = "/gradio_api/play"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
JSON_LIMIT = 256 * 1024
OTHER_LIMIT = 1024 * 1024
UPLOAD_LIMITS = {
    f"{PLAY}/pictures": 64 * 2**20,
    f"{PLAY}/domains": 128 * 2**20,
    f"{PLAY}/checkpoints": 128 * 2**20,
    f"{PLAY}/points": 2 * 2**20,
    f"{PLAY}/texts": 20 * 2**20,
    f"{PLAY}/explore/translate": 28 * 2**20,  # a picture of 20 MB as base64
    "/gradio_api/upload": 8 * 2**20,
}
MULTIPART_OVERHEAD = 64 * 1024
READ_TIMEOUT_S = 15.0

CSP = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "object-src 'none'; base-uri 'self'; frame-ancestors {ancestors}"
)


def allowed_hosts(host: str | None, share: bool = False) -> frozenset[str]:
    """Return the names that a Host header may carry, for a server bound to `host`.

    A name that begins with "." stands for all its subdomains; "ip" for any address literal.
    """
    names = set(LOCAL_NAMES)
    bound = (host or "").strip("[]").lower()
    if bound in ("0.0.0.0", "::"):
        # An address literal can't be the name that a rebinding attack needs.
        own = socket.gethostname().lower()
        names |= {"ip", own, f"{own}.local"}
    elif bound:
        names.add(bound)
    space = os.environ.get("SPACE_HOST", "").lower()
    if space:
        names |= {space, "ip"}
    if share:
        names.add(".gradio.live")
    names |= {n.strip().lower() for n in os.environ.get("PLAY_HOSTS", "").split(",") if n.strip()}
    return frozenset(names)


class Guard:
    """Check Host and Origin, bound the body, and set the headers of every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = LOCAL_NAMES) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        on_space = bool(os.environ.get("SPACE_HOST"))
        ancestors = "'self' https://huggingface.co https://*.hf.space" if on_space else "'self'"
        self.headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", CSP.format(ancestors=ancestors).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 or 413, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = self._with_headers(send)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        if refusal:
            await _answer(send, 403, refusal)
            return
        if scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        limit = _limit(scope["path"])
        if _declared_length(headers) > limit:
            await _answer(send, 413, _too_large(limit))
            return
        await self._bounded(scope, receive, send, limit)

    def _refusal(self, method: str, headers: dict[str, str]) -> str | None:
        host = _hostname(headers.get("host", ""))
        if not self.knows(host):
            return f"This server does not answer to the host name {host[:80]!r}."
        if method in SAFE_METHODS:
            return None
        if headers.get("sec-fetch-site") == "cross-site":
            return "Another web site may not send requests to this server."
        origin = headers.get("origin")
        if origin is None:
            return None
        parts = urlsplit(origin)
        same = parts.netloc.lower() == headers.get("host", "").lower()
        public = parts.hostname not in LOCAL_NAMES and self.knows(parts.hostname or "", False)
        if same or public:
            return None
        return "Another web site may not send requests to this server."

    def knows(self, host: str, literals: bool = True) -> bool:
        """Whether the Host name is one of ours."""
        if host in self.hosts:
            return True
        if any(n.startswith(".") and host.endswith(n) for n in self.hosts):
            return True
        if not literals or "ip" not in self.hosts:
            return False
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True

    def _with_headers(self, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                extra = [(k, v) for k, v in self.headers if k not in present]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        return with_headers

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Pass the body on, but no more than `limit` bytes and no slower than the timeout."""
        seen, done, started = 0, False, False

        async def counted() -> Message:
            nonlocal seen, done
            if done:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), READ_TIMEOUT_S)
            except asyncio.TimeoutError:
                raise _Refused(408, "The request body did not arrive in time.") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                done = not message.get("more_body", False)
                if seen > limit:
                    raise _Refused(413, _too_large(limit))
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _Refused as refused:
            if not started:
                await _answer(send, refused.status, str(refused))


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def _limit(path: str) -> int:
    for prefix, limit in UPLOAD_LIMITS.items():
        if path.startswith(prefix):
            return limit + MULTIPART_OVERHEAD
    return JSON_LIMIT if path.startswith(PLAY) else OTHER_LIMIT


def _declared_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def _too_large(limit: int) -> str:
    size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 1024} KB"
    return f"The request is larger than the {size} that are allowed here."


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence, "field": None}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
