"""One person's way to a run store, for tests that use it as the page does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from small import SMALL_OF, Data, fitting, usual

from engine.events import ACTIVE
from engine.runs import RunStore

LONG = 1_000_000


class Page:
    """One person's way to the store: starts, commands and watches runs with a deadline."""

    def __init__(self, store: RunStore, data: Data, owner: str) -> None:
        self.store, self.data, self.owner = store, data, owner

    def start(self, steps: int = LONG, key: str = "vae", **more: Any) -> str:
        config = {**SMALL_OF[key], **usual(key), **more.pop("config", {})}
        data = fitting(key, self.data)
        return self.store.start(self.owner, key, data.key, config, 0, steps, **more)

    def tell(self, run_id: str, command: str, **more: Any) -> None:
        self.store.command(self.owner, run_id, {"command": command, **more})

    def view(self, run_id: str) -> dict[str, Any]:
        return self.store.view(run_id, self.owner)

    def events(self, run_id: str, kind: str = "") -> list[dict[str, Any]]:
        found = [json.loads(e.wire) for e in self.store.events(run_id, 0)]
        return [e for e in found if kind in ("", e["kind"])]

    def until(self, run_id: str, what: str, true: Callable[[], Any], timeout_s: float = 60) -> Any:
        """Wait for the run's events until something is true; fail with what was seen."""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = self.view(run_id)["last_seq"]
            found = true()
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                view = self.view(run_id)
                states = [e["state"] for e in self.events(run_id, "status")]
                raise AssertionError(f"no {what} within {timeout_s} s; {states[-9:]} {view}")
            asyncio.run(self.store.wait(run_id, seen, min(left, 1.0)))

    def until_state(self, run_id: str, *states: str) -> dict[str, Any]:
        self.until(run_id, " or ".join(states), lambda: self.view(run_id)["state"] in states)
        return self.view(run_id)

    def until_step(self, run_id: str, step: int) -> int:
        def reached() -> bool:
            view = self.view(run_id)
            assert view["state"] in ACTIVE, view
            return view["step"] >= step

        self.until(run_id, f"step {step}", reached)
        return self.view(run_id)["step"]

    def until_saved(self, run_id: str, step: int = 64) -> None:
        self.until(run_id, f"checkpoint at {step}", lambda: self._saved(run_id, step))

    def _saved(self, run_id: str, step: int) -> bool:
        return any(c["step"] >= step for c in self.view(run_id)["checkpoints"])

    def pid(self, run_id: str) -> int | None:
        handle = self.store._get(run_id).handle
        return None if handle is None else handle.pid

    def until_working(self, run_id: str, but: int | None = None) -> int:
        """Wait until the run is in a worker (another one than `but`); return its process id."""

        def there() -> int | None:
            pid = self.pid(run_id)
            return pid if self.view(run_id)["state"] == "running" and pid != but else None

        return self.until(run_id, "worker", there)

    def folder(self, run_id: str) -> Path:
        return self.store.root / run_id

    def clear(self) -> None:
        for view in self.store.list(self.owner):
            self.store.delete(self.owner, view["id"])
