"""Server-sent events: one run's log as one stream, resumed at any number, ended with the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from engine.errors import PlaygroundError
from engine.eventlog import Entry

Message = MutableMapping[str, Any]
HEARTBEAT_S = 10.0
EMPTY_S = 0.25
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
# The browser's own waiting time before it reconnects; a comment opens the stream at once.
GREETING = b"retry: 1000\n: hello\n\n"
HEARTBEAT = b": still here\n\n"

Events = Callable[[int], list[Entry]]
Wait = Callable[[int, float], Awaitable[Any]]


async def chunks(events: Events, wait: Wait, after: int) -> AsyncIterator[bytes]:
    """Yield what is newer than `after`, then what comes; a heartbeat when nothing does.

    A client that reads slowly gets what the log still holds when it is ready: `events` leaves
    out the previews that a newer one has replaced.
    """
    yield GREETING
    while True:
        fresh = events(after)
        if fresh:
            after = fresh[-1].seq
            yield b"".join(frame(entry) for entry in fresh)
            continue
        arrived = await wait(after, HEARTBEAT_S)
        if not arrived:
            yield HEARTBEAT
        elif not events(after):
            # The newest event was taken back (a rewind): nothing to send until the next one.
            await asyncio.sleep(EMPTY_S)


def frame(entry: Entry) -> bytes:
    """Write one event as server-sent event."""
    return b"id: %d\ndata: %b\n\n" % (entry.seq, entry.wire)


def poll(entries: list[Entry], run: bytes) -> bytes:
    """Write events and the run's view as one JSON object, for pages that poll."""
    return b'{"events":[%b],"run":%b}' % (b",".join(e.wire for e in entries), run)


class EventStream:
    """An ASGI response that sends chunks until they end or the client goes."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self.source = source

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send the stream, watching for the client's going at the same time."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError, PlaygroundError):
                    await task

    async def _send(self, send: Any) -> None:
        try:
            async for chunk in self.source:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except PlaygroundError:
            # The run was deleted while it was watched; the client asks again and learns so.
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
