"""Middleware in front of Gradio: who may ask, from which page, how much, and with what headers.

Gradio 6.31 answers any Host (DNS rebinding), takes uploads from any origin, reads bodies of any
size, waits for a stalled one without end, and has addresses that nothing here needs; this closes
all five.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import unquote

from playground.bodies import (
    ASGIApp,
    Bounded,
    Message,
    Receive,
    Refused,
    Scope,
    Send,
    answer,
    checked_json,
    too_large,
)
from playground.origins import (
    LOCAL_NAMES,
    SAFE_METHODS,
    Origins,
    allowed_hosts,
    hostname,
    is_local,
    proxies,
)
from playground.rate_limits import PLAY, RateLimits
from playground.strings import t

__all__ = ["LOCAL_NAMES", "PLAY", "Guard", "allowed_hosts", "is_local"]

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
MAX_HEADERS, MAX_HEADER_BYTES, MAX_ADDRESS = 100, 32 * 1024, 8 * 1024
# Of Gradio: what fetches, records, reloads or edits. Nothing here uses it.
NOT_OFFERED = re.compile(
    r"/(gradio_api/)?(proxy=|file/|stream/|vibe-|undo-vibe|deep_link|process_recording|dev/|"
    r"run-history|runs/?$|custom_component|component_server|monitoring|profiling|openapi\.json|"
    r"docs|redoc|mcp/sse|mcp/messages)",
    re.IGNORECASE,
)
FETCHES = re.compile(r"(proxy|file)=\s*([a-z][a-z0-9+.-]+:|[/\\]{2})", re.IGNORECASE)
GRADIO = "/gradio_api/"
GRADIOS_UPLOAD = "/gradio_api/upload"

CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "frame-src 'self'; form-action 'self'; object-src 'none'; base-uri 'self'; "
    "frame-ancestors {ancestors}"
)
# The camera is asked for by a click, for a picture to translate; nothing else is used.
PERMISSIONS = (
    "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=(), midi=(), "
    "display-capture=()"
)
HSTS = (b"strict-transport-security", b"max-age=86400")  # only where the page came by https
NO_STORE = (b"cache-control", b"no-store")


class Guard:
    """Check Host and Origin, count requests, bound bodies, set the headers of every answer."""

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = LOCAL_NAMES, limits: RateLimits | None = None
    ) -> None:
        self.app = app
        self.origins = Origins(hosts, proxies())
        self.limits = limits or RateLimits()
        ancestors = _ancestors()
        self.headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"permissions-policy", PERMISSIONS.encode()),
            (b"content-security-policy", CSP.format(ancestors=ancestors).encode()),
        ]
        if ancestors == "'self'":
            self.headers.append((b"x-frame-options", b"SAMEORIGIN"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # nothing here uses one
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        send = self._with_headers(send, scope["path"], self._is_https(scope, headers))
        if not await self._refused(scope, headers, send):
            await self._pass_on(scope, headers, receive, send)

    async def _refused(self, scope: Scope, headers: dict[str, str], send: Send) -> bool:
        method, path = scope["method"], scope["path"]
        if _oversized(scope):
            await answer(send, 431, t("security.headers_large"))
            return True
        refusal = self.origins.refusal(method, path, headers)
        if refusal:
            host = hostname(self.origins.asked_for(headers))
            await answer(send, 403, t(refusal, host=repr(host[:80])))
            return True
        if NOT_OFFERED.match(path) or FETCHES.search(unquote(unquote(path))):
            await answer(send, 404, t("security.not_offered"))
            return True
        address = self.origins.peer(scope.get("client"), headers)
        often = self.limits.check(method, path, headers, address)
        if often:
            await answer(send, 429, often.sentence, often.seconds)
        return often is not None

    async def _pass_on(
        self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send
    ) -> None:
        if scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        limit = _limit(scope["path"])
        if _declared_length(headers) > limit:
            await answer(send, 413, too_large(limit))
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            bounded: Receive = Bounded(receive, limit)
            if _is_gradios_json(scope["path"], headers):
                bounded = await checked_json(bounded)
            await self.app(scope, bounded, watched)
        except Refused as refused:
            if not started:
                await answer(send, refused.status, str(refused))
        except Exception:
            # Gradio's reader of uploads fails on a file without a name, for one.
            if started or not scope["path"].startswith(GRADIOS_UPLOAD):
                raise
            await answer(send, 400, t("security.upload_shape"))

    def _is_https(self, scope: Scope, headers: dict[str, str]) -> bool:
        forwarded = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip()
        return scope.get("scheme") == "https" or bool(self.origins.proxies and forwarded == "https")

    def _with_headers(self, send: Send, path: str, https: bool) -> Send:
        own = [*self.headers, HSTS] if https else list(self.headers)
        if path.startswith(PLAY):
            own.append(NO_STORE)  # the page's own files say how long they may be kept

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                extra = [(k, v) for k, v in own if k not in present]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        return with_headers


def _ancestors() -> str:
    """Return whose pages may show this one in a frame."""
    named = [n for n in os.environ.get("PLAY_FRAMES", "").split() if re.fullmatch(r"[\w.:/*-]+", n)]
    space = ["https://huggingface.co", "https://*.hf.space"] if os.environ.get("SPACE_HOST") else []
    return " ".join(["'self'", *space, *named])


def _oversized(scope: Scope) -> bool:
    sizes = [len(k) + len(v) for k, v in scope["headers"]]
    address = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    return len(sizes) > MAX_HEADERS or sum(sizes) > MAX_HEADER_BYTES or address > MAX_ADDRESS


def _limit(path: str) -> int:
    for prefix, limit in UPLOAD_LIMITS.items():
        if path.startswith(prefix):
            return limit + MULTIPART_OVERHEAD
    return JSON_LIMIT if path.startswith(PLAY) else OTHER_LIMIT


def _is_gradios_json(path: str, headers: dict[str, str]) -> bool:
    form = headers.get("content-type", "").startswith("multipart/")
    return path.startswith(GRADIO) and not path.startswith(PLAY) and not form


def _declared_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else 0
