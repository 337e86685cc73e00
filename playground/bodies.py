"""Bodies of requests within bounds: of bytes, of time, and of what JSON is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from playground.strings import t

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

READ_TIMEOUT_S = 15.0  # without progress; and what a body may take beyond its bytes' share
SLOWEST_BYTES_S = 8192.0  # so a body that drips is given up as soon as one that stands still


class Refused(Exception):
    """The body is not taken; `status` and the sentence are the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Bounded:
    """A `receive` that passes the body on, but no more than `limit` bytes and not too slowly."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit = receive, limit
        self._seen, self._done = 0, False
        self._began = time.monotonic()

    async def __call__(self) -> Message:
        """Return the next message; raises `Refused`."""
        if self._done:
            return await self._receive()
        now = time.monotonic()
        allowed = self._began + READ_TIMEOUT_S + self._seen / SLOWEST_BYTES_S
        patience = max(0.0, min(READ_TIMEOUT_S, allowed - now))
        try:
            message = await asyncio.wait_for(self._receive(), patience)
        except asyncio.TimeoutError:
            raise Refused(408, t("security.too_slow")) from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._done = not message.get("more_body", False)
            if self._seen > self._limit:
                raise Refused(413, too_large(self._limit))
        return message


async def checked_json(receive: Receive) -> Receive:
    """Read a whole body that must be JSON; return a `receive` that gives it once more.

    Python's own parser, which Gradio uses, takes NaN, Infinity and lone surrogates; this one
    refuses them.
    """
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return _replayed(receive, [message])
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    body = b"".join(parts)
    if body:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Refused(400, t("security.json")) from None
    return _replayed(receive, [{"type": "http.request", "body": body, "more_body": False}])


def _replayed(receive: Receive, first: list[Message]) -> Receive:
    async def replay() -> Message:
        return first.pop(0) if first else await receive()

    return replay


def too_large(limit: int) -> str:
    """Return the sentence that says how much is allowed."""
    size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 1024} KB"
    return t("security.too_large", size=size)


async def answer(send: Send, status: int, sentence: str, retry_s: int | None = None) -> None:
    """Answer with a sentence and close the connection."""
    said: dict[str, Any] = {"error": sentence, "field": None}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if retry_s is not None:
        said["retry_s"] = retry_s
        headers.append((b"retry-after", str(retry_s).encode()))
    body = json.dumps(said).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
