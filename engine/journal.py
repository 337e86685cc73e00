"""What of a run is on disk beside its checkpoints: its description, its curves, its timeline.

`run.json` is rewritten whole at a change of state; `events.jsonl` and `frames.jsonl` grow by
whole lines, and a torn line is dropped when they are read. `live.jsonl` has the last live
pictures of a run whose log was put away.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from engine import files

_ON_DISK = ("metrics", "status", "changed", "saved", "alert")
_TAKEN_BACK = ("metrics", "preview", "changed")
_STEP = re.compile(rb'"step":(\d+)')

Told = list[tuple[dict[str, Any], bytes]]


class Journal:
    """The files of one run, in its folder. Writing errors are kept, never raised into a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem: str | None = None

    def describe(self, run: dict[str, Any], sync: bool = True) -> None:
        """Write `run.json`; without `sync` it need not outlive the machine, only this process."""
        try:
            content = json.dumps(run).encode()
            files.write_atomically(self.folder / "run.json", content, sync=sync)
            self.problem = None
        except OSError as error:
            self.problem = f"The run is not saved ({os.strerror(error.errno or 5)})."

    def event(self, meta: dict[str, Any], body: bytes) -> None:
        """Append an event; live pictures and progress are not kept."""
        if meta["kind"] in _ON_DISK:
            self._append("events.jsonl", body)
        elif meta["kind"] == "preview" and meta.get("kept"):
            self._append("frames.jsonl", body)

    def forget_after(self, step: int) -> None:
        """Drop curves, pictures and changes of later steps: the run has gone back to this one."""
        for name in ("events.jsonl", "frames.jsonl"):
            lines = self._raw(name)
            kept = [line for line in lines if _step_of(line) <= step or not self._goes(line)]
            if len(kept) < len(lines):
                try:
                    content = b"".join(b"\n" + line for line in kept)
                    files.write_atomically(self.folder / name, content)
                except OSError as error:
                    self.problem = f"The run is not saved ({os.strerror(error.errno or 5)})."

    def description(self) -> dict[str, Any]:
        """Return what `run.json` holds."""
        found: dict[str, Any] = json.loads((self.folder / "run.json").read_bytes())
        return found

    def past(self) -> Told:
        """Return the events, kept pictures and then the last live ones at the end."""
        told = [*self._lines("events.jsonl"), *self._lines("frames.jsonl")]
        return [*told, *self._lines("live.jsonl")]

    def changes(self) -> list[tuple[int, str, Any]]:
        """Return the live changes, as (step, field, value)."""
        found = (self._event(line) for line in self._raw("events.jsonl") if b'"changed"' in line)
        return [(e["step"], e["field"], e["new"]) for e in found if e and e["kind"] == "changed"]

    def keep_live(self, pictures: list[bytes]) -> None:
        """Write the last live pictures of a run that is put away."""
        if self.folder.is_dir():
            try:
                content = b"".join(b"\n" + body for body in pictures)
                files.write_atomically(self.folder / "live.jsonl", content, sync=False)
            except OSError as error:
                self.problem = f"The run is not saved ({os.strerror(error.errno or 5)})."

    def timeline(self, after_step: int = -1) -> bytes:
        """Return the kept frames as JSON: {"frames": [{"step", "views"}]}."""
        frames: dict[int, dict[str, bytes]] = {}
        for line in self._raw("frames.jsonl"):
            step = _step_of(line)
            event = self._event(line) if step > after_step else None
            if event is not None:
                payload = line[line.index(b'"payload":') + 10 : line.rindex(b',"kept"')]
                frames.setdefault(step, {})[event["name"]] = payload
        shown = [
            b'{"step":%d,"views":{%s}}'
            % (step, b",".join(json.dumps(n).encode() + b":" + p for n, p in views.items()))
            for step, views in sorted(frames.items())
        ]
        return b'{"frames":[' + b",".join(shown) + b"]}"

    def monitored(self) -> list[dict[str, Any]]:
        """Return what the monitor saw, the alerts and the live changes so far, oldest first."""
        marks = (b'"monitor"', b'"alert"', b'"changed"')
        found = (
            self._event(line)
            for line in self._raw("events.jsonl")
            if any(mark in line for mark in marks)
        )
        return [event for event in found if event is not None]

    def sweep(self) -> None:
        """Delete what a crash left half written."""
        for stale in self.folder.glob("*.tmp.*"):
            stale.unlink(missing_ok=True)

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

    def _raw(self, name: str) -> list[bytes]:
        try:
            return [line for line in (self.folder / name).read_bytes().splitlines() if line]
        except OSError:
            return []

    def _lines(self, name: str) -> Told:
        found = ((self._event(line), line) for line in self._raw(name))
        return [(event, line) for event, line in found if event is not None]

    def _goes(self, line: bytes) -> bool:
        """Say whether a line tells of steps that can be taken back, or is torn."""
        event = self._event(line)
        return event is None or event["kind"] in _TAKEN_BACK

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


def _step_of(line: bytes) -> int:
    """Return the first step that a line names; 0 for none."""
    found = _STEP.search(line)
    return int(found[1]) if found else 0


def _whole(event: Any) -> bool:
    """Say whether a line holds an event that `Journal` writes."""
    if not isinstance(event, dict) or not isinstance(event.get("step"), int):
        return False
    return event.get("kind") in _ON_DISK or {"kind", "name", "kept", "payload"} <= set(event)
