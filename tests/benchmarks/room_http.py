"""A light HTTP client for many simulated browsers in one process: raw sockets under asyncio.

httpx spends about as much on a request as the server does on its answer, which on a shared machine
measures the client. This one keeps its connection open, as a browser does, and opens it anew when
the server has closed it meanwhile.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 60.0
LIMIT = 2**24


class Lost(Exception):
    """The connection broke before the whole answer was there."""


@dataclass(frozen=True)
class Answer:
    """A whole answer, and the ms from sending the request to its last byte."""

    status: int
    headers: dict[str, str]
    raw: bytes
    ms: float

    @property
    def body(self) -> bytes:
        """The content, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.raw) if packed else self.raw

    def json(self) -> Any:
        """Return the content read as JSON."""
        return json.loads(self.body)


class Connection:
    """One kept-alive connection of a browser that belongs to `owner`."""

    def __init__(self, address: str, owner: str) -> None:
        parts = urlsplit(address)
        self.host, self.port, self.owner = str(parts.hostname), int(parts.port or 80), owner
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, **headers: str) -> Answer:
        """GET a path; raises `Lost`."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        """POST JSON to a path; raises `Lost`."""
        return await self._ask("POST", path, json.dumps(body).encode(), headers)

    async def stream(self, path: str, **headers: str) -> AsyncIterator[bytes]:
        """GET a path and yield its content as it comes, until the server ends it.

        Raises `Lost` for a broken connection, `Refused` for an answer that is not 200.
        """
        try:
            reader, _ = await self._send("GET", path, None, headers, again=True)
            status, told = await _head(reader)
            if status != 200:
                raise Refused(status)
            while chunk := await _chunk(reader, told):
                yield chunk
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Lost(f"GET {path}: {error!r}") from error
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None

    async def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        began = time.perf_counter()
        for kept in (self._ends is not None, False):
            try:
                asked = self._once(method, path, body, headers, again=not kept)
                status, told, raw = await asyncio.wait_for(asked, TIMEOUT_S)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                self.close()
                if kept and not isinstance(error, asyncio.TimeoutError):
                    continue  # the server had closed the idle connection: a browser asks again
                raise Lost(f"{method} {path}: {error!r}") from error
            if told.get("connection") == "close":
                self.close()
            return Answer(status, told, raw, 1000 * (time.perf_counter() - began))
        raise AssertionError("unreachable")

    async def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], again: bool
    ) -> tuple[int, dict[str, str], bytes]:
        reader, _ = await self._send(method, path, body, headers, again)
        status, told = await _head(reader)
        return status, told, await _whole(reader, told)

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], again: bool
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if again or self._ends is None:
            self.close()
            self._ends = await asyncio.open_connection(self.host, self.port, limit=LIMIT)
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Accept-Encoding: gzip",
            f"X-Play-Owner: {self.owner}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self._ends[1].write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        return self._ends


class Refused(Exception):
    """A stream that was not given; `status` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = text.split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _whole(reader: asyncio.StreamReader, told: dict[str, str]) -> bytes:
    if "content-length" in told:
        return await reader.readexactly(int(told["content-length"]))
    parts = []
    while chunk := await _chunk(reader, told):
        parts.append(chunk)
    return b"".join(parts)


async def _chunk(reader: asyncio.StreamReader, told: dict[str, str]) -> bytes:
    """Return the next part of a chunked answer; empty at its end."""
    if told.get("transfer-encoding") != "chunked":
        return await reader.read(65536)
    size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
    content = await reader.readexactly(size)
    await reader.readexactly(2)
    return content
