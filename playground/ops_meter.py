"""How busy the server is: a ring of the last minute's seconds, filled by an ASGI middleware."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("playground")
OURS = "/gradio_api/play/"
SECONDS = 60
# Upper ends of the classes that times are counted in, in ms: 0.25 to 64 s, 19 % apart.
EDGES = tuple(0.25 * 2 ** (i / 4) for i in range(73))
SLOW_MS = 2000.0
SAY_EVERY_S = 60.0  # of refusals; slow requests are told at most once a second
REFUSALS = (403, 408, 413, 429, 503)


@dataclass
class Second:
    """What one second saw of our own routes; `times` counts answers by class of time."""

    number: int = -1
    answers: int = 0
    refused: int = 0
    limited: int = 0
    errors: int = 0
    times: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))


class Traffic:
    """Requests of the last minute, and what is open now. Belongs to the server's event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.connections = 0  # requests that are being answered, of any kind
        self.streams = 0  # of them, event streams
        self.totals: Counter[int] = Counter()  # refusals since the start, by status
        self._ring = [Second() for _ in range(SECONDS)]

    def answered(self, ms: float, status: int) -> None:
        """Count one answer of our own routes, by the time until it began."""
        second = self._now()
        second.answers += 1
        second.times[bisect_left(EDGES, ms)] += 1
        second.errors += status >= 500 and status not in REFUSALS

    def refused(self, status: int) -> None:
        """Count a refusal, of any route."""
        second = self._now()
        second.refused += 1
        second.limited += status == 429
        self.totals[status] += 1

    def minute(self) -> dict[str, Any]:
        """Return rates and times over the last minute."""
        now = int(self.clock())
        seconds = [s for s in self._ring if now - SECONDS < s.number <= now]
        times = [sum(column) for column in zip(*(s.times for s in seconds), strict=True)]
        by_second = {s.number: s.answers for s in seconds}
        return {
            "requests": sum(s.answers for s in seconds),
            "requests_per_s": round(sum(s.answers for s in seconds) / SECONDS, 2),
            "p50_ms": quantile(times, 0.5),
            "p95_ms": quantile(times, 0.95),
            "errors": sum(s.errors for s in seconds),
            "refused": sum(s.refused for s in seconds),
            "rate_limited": sum(s.limited for s in seconds),
            "per_second": [by_second.get(now - i, 0) for i in range(SECONDS - 1, -1, -1)],
        }

    def _now(self) -> Second:
        number = int(self.clock())
        second = self._ring[number % SECONDS]
        if second.number != number:
            second = self._ring[number % SECONDS] = Second(number)
        return second


class Meter:
    """Middleware outside all others: counts, times, and says which requests were slow."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self.app, self.traffic = app, traffic
        self._slow_again = self._refused_again = 0.0
        self._untold = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        traffic, began, stream = self.traffic, self.traffic.clock(), False
        traffic.connections += 1

        async def noted(message: Message) -> None:
            nonlocal stream
            if message["type"] == "http.response.start":
                stream = _is_stream(message)
                traffic.streams += stream
                self._note(scope, message["status"], 1000 * (traffic.clock() - began))
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            traffic.connections -= 1
            traffic.streams -= stream

    def _note(self, scope: Scope, status: int, ms: float) -> None:
        """Count an answer that begins; `ms` is the time since its request came."""
        if status in REFUSALS:
            self.traffic.refused(status)
            self._tell_refusals()
        if OURS not in scope["path"] or _is_upload(scope):
            return  # what Gradio answers, and what waits for the sender
        self.traffic.answered(ms, status)
        if ms >= SLOW_MS and self.traffic.clock() >= self._slow_again:
            self._slow_again = self.traffic.clock() + 1
            extra = {"event": "slow", "method": scope["method"], "status": status, "ms": round(ms)}
            log.warning("slow request", extra={**extra, "route": template(scope)})

    def _tell_refusals(self) -> None:
        self._untold += 1
        if self.traffic.clock() >= self._refused_again:
            self._refused_again = self.traffic.clock() + SAY_EVERY_S
            log.info("requests refused", extra={"event": "refused", "count": self._untold})
            self._untold = 0


def template(scope: Scope) -> str:
    """Return a path with the names of its parameters for their values: ids are secrets."""
    path = str(scope["path"])
    for name, value in (scope.get("path_params") or {}).items():
        path = path.replace(str(value), "{" + name + "}", 1) if value else path
    return path


def quantile(times: list[int], share: float) -> float | None:
    """Return the time in ms below which a share of the counted answers lies, or None."""
    wanted, seen = share * sum(times), 0
    if not wanted:
        return None
    for index, count in enumerate(times):
        seen += count
        if seen >= wanted:
            return round(EDGES[min(index, len(EDGES) - 1)], 2)
    return None


def _is_stream(message: Message) -> bool:
    kinds = [v for k, v in message.get("headers", []) if k.lower() == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


def _is_upload(scope: Scope) -> bool:
    kinds = [v for k, v in scope["headers"] if k == b"content-type"]
    return any(kind.startswith(b"multipart/") for kind in kinds)
