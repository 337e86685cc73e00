"""A request that a page sends again after a lost connection is done once: Idempotency-Key."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from engine.errors import Rejected
from playground.strings import t

KEY = re.compile(r"[A-Za-z0-9_\-]{16,64}")
HEADER = "Idempotency-Key"
KEPT_S = 600.0
MOST = 2000

Answer = dict[str, Any]


class Repeats:
    """Remember for ten minutes what each owner's keys led to; a refusal is not remembered."""

    def __init__(self) -> None:
        self._done: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[Answer]]] = (
            OrderedDict()
        )

    async def once(
        self, owner: str, key: str | None, work: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Return what `work` gives; for a key that was there before, what it gave then."""
        if key is None:
            return await work()
        if not KEY.fullmatch(key):
            raise Rejected(t("security.repeat_key"), field=HEADER)
        self._forget_old()
        known = self._done.get((owner, key))
        if known is not None:
            return await asyncio.shield(known[1])
        begun = asyncio.ensure_future(work())
        self._done[owner, key] = (time.monotonic(), begun)

        def settled(future: asyncio.Future[Answer]) -> None:
            if future.cancelled() or future.exception() is not None:
                self._done.pop((owner, key), None)

        begun.add_done_callback(settled)
        # Shielded: the page may be gone before the answer, and then asks again.
        return await asyncio.shield(begun)

    def _forget_old(self) -> None:
        oldest = time.monotonic() - KEPT_S
        while self._done:
            key, (began, _) = next(iter(self._done.items()))
            if began >= oldest and len(self._done) < MOST:
                return
            del self._done[key]
