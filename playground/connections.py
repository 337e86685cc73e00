"""End connections over which no request comes: uvicorn itself waits for one without end."""

from __future__ import annotations

import threading
import time
from typing import Any

SILENT_S = 15.0
LOOK_S = 2.0


def close_silent(server: Any, over: threading.Event | None = None) -> threading.Thread:
    """Watch a uvicorn server's connections in a thread, until `over`; return the thread.

    One that has sent no whole request head for so long, since it began or since its last
    answer, is closed. A request that is being answered, such as an event stream, may last.
    """
    ended = over or threading.Event()
    thread = threading.Thread(target=_watch, args=(server, ended), name="connections", daemon=True)
    thread.start()
    return thread


def _watch(server: Any, over: threading.Event) -> None:
    silent: dict[Any, tuple[Any, float]] = {}  # connection -> its last request, and since when
    while not over.wait(LOOK_S):
        silent = look(_connections(server), silent, time.monotonic())


def look(
    connections: list[Any], silent: dict[Any, tuple[Any, float]], now: float
) -> dict[Any, tuple[Any, float]]:
    """Close what has been silent too long; return what is silent now."""
    still = {}
    for connection in connections:
        last = connection.cycle
        if last is not None and not last.response_complete:
            continue
        known = silent.get(connection)
        since = known[1] if known and known[0] is last else now
        if now - since >= SILENT_S:
            connection.loop.call_soon_threadsafe(connection.transport.close)
        else:
            still[connection] = (last, since)
    return still


def _connections(server: Any) -> list[Any]:
    while True:
        try:
            return list(server.server_state.connections)
        except RuntimeError:  # it changed while it was copied
            continue
