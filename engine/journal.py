"""What of a run is on disk beside its checkpoints: its description, its curves, its timeline.

`run.json` is rewritten whole at a change of state; `events.jsonl` and `frames.jsonl` grow by
whole lines, and a torn line is dropped when they are read.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from engine.checkpoint import write_atomically
from engine.errors import NoSpace

_ON_DISK = ("metrics", "status", "changed", "saved", "alert")


class Journal:
    """The files of one run, in its folder. Writing errors are kept, never raised into a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem: str | None = None

    def describe(self, run: dict[str, Any]) -> None:
        """Write `run.json`."""
        try:
            write_atomically(self.folder / "run.json", json.dumps(run).encode())
            self.problem = None
        except NoSpace as error:
            self.problem = error.sentence

    def event(self, meta: dict[str, Any], body: bytes) -> None:
        """Append an event; live pictures and progress are not kept."""
        if meta["kind"] in _ON_DISK:
            self._append("events.jsonl", body)
        elif meta["kind"] == "preview" and meta.get("kept"):
            self._append("frames.jsonl", body)

    def forget_after(self, step: int) -> None:
        """Drop curves and pictures of later steps: the run has gone back to this one."""
        for name in ("events.jsonl", "frames.jsonl"):
            found = self._lines(name)
            kept = [
                body
                for meta, body in found
                if meta["kind"] not in ("metrics", "preview") or meta["step"] <= step
            ]
            if len(kept) < len(found):
                try:
                    write_atomically(self.folder / name, b"".join(b"\n" + body for body in kept))
                except NoSpace as error:
                    self.problem = error.sentence

    def read(self) -> tuple[dict[str, Any], list[tuple[dict[str, Any], bytes]]]:
        """Return the description and the events, kept pictures last."""
        run = json.loads((self.folder / "run.json").read_bytes())
        found = [*self._lines("events.jsonl"), *self._lines("frames.jsonl")]
        return run, found

    def monitored(self) -> list[dict[str, Any]]:
        """Return what the monitor saw, the alerts and the live changes so far, oldest first."""
        path = self.folder / "events.jsonl"
        if not path.exists():
            return []
        marks = (b'"monitor"', b'"alert"', b'"changed"')
        found = (
            self._event(line)
            for line in path.read_bytes().splitlines()
            if any(mark in line for mark in marks)
        )
        return [event for event in found if event is not None]

    def delete(self) -> None:
        """Delete everything of the run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _append(self, name: str, body: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(self.folder / name, "ab") as file:
                file.write(b"\n" + body)  # a line torn by a crash stays a line of its own
        except OSError as error:
            self.problem = f"The run's curves are not saved ({os.strerror(error.errno or 5)})."

    def _lines(self, name: str) -> list[tuple[dict[str, Any], bytes]]:
        path = self.folder / name
        if not path.exists():
            return []
        found = ((self._event(line), line) for line in path.read_bytes().splitlines())
        return [(event, line) for event, line in found if event is not None]

    @staticmethod
    def _event(line: bytes) -> dict[str, Any] | None:
        """Return what a line says, a picture without its payload; None for a torn line."""
        try:
            event = json.loads(line)
        except ValueError:
            return None  # a crash
        if not _whole(event):
            return None
        if event["kind"] == "preview":
            return {k: event[k] for k in ("kind", "step", "name", "kept")}
        return event


def _whole(event: Any) -> bool:
    """Say whether a line holds an event that `Journal.event` writes."""
    if not isinstance(event, dict) or not isinstance(event.get("step"), int):
        return False
    return event.get("kind") in _ON_DISK or {"kind", "name", "kept", "payload"} <= set(event)
