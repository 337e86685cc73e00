"""How often one person, and one network address, may ask: token buckets, bounded in memory.

A person is an owner token; tokens cost nothing to make, so the peer's address pays too, from a
bucket that is large enough for a class behind one address. Static files are free.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from engine.errors import Busy
from playground.strings import t

PLAY = "/gradio_api/play"
MAX_OWNERS = 20_000
MAX_ADDRESSES = 20_000


@dataclass(frozen=True)
class Rate:
    """A bucket: so many tokens at once, and so many more a second."""

    per_s: float
    burst: float


@dataclass(frozen=True)
class Kind:
    """What is counted together: the buckets of a person and of an address, and the sentence."""

    name: str
    sentence: str
    owner: Rate
    address: Rate


def _a_minute(count: float, burst: float) -> Rate:
    return Rate(count / 60, burst)


# The page polls 1.5 times a second; while a person drags, it asks for one picture after another,
# as fast as they come (20 to 60 a second), and retries what is busy.
ASK = Kind("ask", "security.often", Rate(100, 400), Rate(1000, 6000))
START = Kind("start", "security.starts", _a_minute(30, 15), _a_minute(900, 400))
UPLOAD = Kind("upload", "security.uploads", _a_minute(10, 10), _a_minute(400, 200))
SMALL = Kind("small", "security.uploads", _a_minute(60, 40), _a_minute(2000, 600))
# Gradio's own addresses carry no owner: the page does not call them, scripts of a class do.
CALL = Kind("call", "security.often", Rate(50, 300), Rate(200, 1200))
FILE = Kind("file", "security.uploads", _a_minute(10, 10), _a_minute(200, 100))

FREE = (f"{PLAY}/web/", "/assets/", "/static/", "/svelte/", "/theme.css", "/favicon.ico")
UPLOADS = tuple(f"{PLAY}/{name}" for name in ("pictures", "domains", "checkpoints", "public-sets"))
SMALL_ONES = tuple(f"{PLAY}/{name}" for name in ("points", "texts"))


def kind_of(method: str, path: str) -> Kind | None:
    """Return what a request is counted as; None for what is free."""
    if path.startswith(FREE):
        return None
    if method == "POST":
        if path == f"{PLAY}/runs":
            return START
        if path.startswith(UPLOADS):
            return UPLOAD
        if path.startswith(SMALL_ONES):
            return SMALL
        if path.rstrip("/") == "/gradio_api/upload":
            return FILE
    if path.startswith(PLAY):
        return ASK
    return CALL if path.startswith("/gradio_api/") else ASK


@dataclass
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Buckets by name; the one that was used longest ago goes when there are too many."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, kind: str, who: str, rate: Rate) -> float:
        """Take a token; return 0.0, or the seconds until there is one."""
        now = self._clock()
        with self._lock:
            bucket = self._buckets.setdefault((kind, who), _Bucket(rate.burst, now))
            self._buckets.move_to_end((kind, who))
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            passed = max(0.0, now - bucket.at)
            bucket.tokens = min(rate.burst, bucket.tokens + passed * rate.per_s)
            bucket.at = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return 0.0
            return (1 - bucket.tokens) / rate.per_s


@dataclass(frozen=True)
class Refusal:
    """A sentence, and the whole seconds after which to ask again."""

    sentence: str
    seconds: int


class RateLimits:
    """Count every request of a person and of an address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._owners = Buckets(MAX_OWNERS, clock)
        self._addresses = Buckets(MAX_ADDRESSES, clock)

    def check(
        self, method: str, path: str, headers: Mapping[str, str], address: str
    ) -> Refusal | None:
        """Count a request; return the refusal when it is one too many."""
        kind = kind_of(method, path)
        if kind is None:
            return None
        owner = headers.get("x-play-owner", "")
        if 16 <= len(owner) <= 128:
            wait = self._owners.take(kind.name, owner, kind.owner)
            if wait:
                return _refusal(kind.sentence, wait)
        wait = self._addresses.take(kind.name, address, kind.address)
        return _refusal("security.often_here", wait) if wait else None


class Unlimited(RateLimits):
    """Count nothing: for tests that ask as fast as they can."""

    def check(self, *request: object) -> Refusal | None:
        """Let everything pass."""
        return None


class TooMany(Busy):
    """One too many; `retry_s` says when to ask again."""

    def __init__(self, sentence: str, retry_s: int) -> None:
        super().__init__(sentence)
        self.retry_s = retry_s


class Arrivals:
    """How many uploads may be on their way at once, of one owner and in all."""

    def __init__(self, of_one: int = 3, in_all: int = 40) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._now: Counter[str] = Counter()

    @contextmanager
    def one(self, owner: str) -> Iterator[None]:
        """Count an upload while it arrives and is read; raises `TooMany`."""
        if self._now[owner] >= self._of_one:
            raise TooMany(t("security.uploads_at_once", seconds=5), 5)
        if self._now.total() >= self._in_all:
            raise TooMany(t("security.uploads_full", seconds=10), 10)
        self._now[owner] += 1
        try:
            yield
        finally:
            self._now[owner] -= 1
            if not self._now[owner]:
                del self._now[owner]


def _refusal(key: str, wait: float) -> Refusal:
    seconds = max(1, math.ceil(wait))
    return Refusal(t(key, seconds=seconds), seconds)
