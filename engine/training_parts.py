"""Parts of a run under way: what it recorded, how fast it is, its way back, its pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine import checkpoint, events
from engine.config import Config
from engine.events import Event
from engine.learner import Record

if TYPE_CHECKING:
    from engine.trainer import Training

PREVIEW_SHARE = 0.04  # of the run's time, at most; see Drawing
PREVIEW_CREDIT_S = 0.6  # beyond that share, once, so that the first pictures come at once
TURN_CREDIT_S = 0.1  # of it, for a run that goes on


def is_milestone(step: int) -> bool:
    """Say whether the timeline keeps this step: 0, 1, 2, 4 … 64, 91, 128, 181, 256, …

    Powers of two, half powers of two from 64 on, every 2,048 from 8,192 on: a run of any
    length has a few dozen frames.
    """
    if step < 64:
        return step & (step - 1) == 0
    if step > 8192:
        return step % 2048 == 0
    exponent = round(2 * math.log2(step))
    return round(2 ** (exponent / 2)) == step


def forget_after(folder: Path | None, step: int) -> None:
    """Delete checkpoints of later steps: the run has gone back to this one."""
    for at, path in checkpoint.saved_steps(folder).items() if folder else ():
        if at > step:
            path.unlink(missing_ok=True)


def prune(folder: Path, keep_last: int = 2) -> None:
    """Delete checkpoints that are neither among the newest nor at a power of two."""
    for step, path in list(checkpoint.saved_steps(folder).items())[:-keep_last]:
        if step & (step - 1) or step < 64:
            path.unlink(missing_ok=True)


class Recorder:
    """Losses stay on the device until they are read all at once."""

    def __init__(self) -> None:
        self.rows: list[Record] = []
        self.taken = 0

    def add(self, record: Record) -> None:
        """Keep one step's record."""
        self.rows.append(record)

    def take(self) -> tuple[dict[str, float], int | None, float] | None:
        """Return the means since last time, the first non-finite step, the first step's loss."""
        if not self.rows:
            return None
        rows, self.rows = self.rows, []
        self.taken = len(rows)
        names = {name for row in rows for name in row}
        columns = {n: torch.stack([r[n] for r in rows if n in r]).float() for n in names}
        means = torch.stack([c.mean() for c in columns.values()]).tolist()
        losses = columns["loss"].tolist()
        bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
        return dict(zip(columns, means, strict=True)), bad, losses[0]


@dataclass
class Rate:
    """Steps per second over a sliding window of the clock; the last one while none are taken."""

    count: int = 0
    last: float = 0.0
    marks: list[tuple[float, int]] = field(default_factory=list)

    def read(self) -> float:
        """Return steps per second over about the last two seconds."""
        now = time.monotonic()
        self.marks = [m for m in self.marks if now - m[0] <= 2.0] + [(now, self.count)]
        (t0, n0), (t1, n1) = self.marks[0], self.marks[-1]
        if t1 - t0 > 0.05 and n1 > n0:
            self.last = (n1 - n0) / (t1 - t0)
        return self.last

    def restart(self) -> None:
        """Forget the window: the run stood still."""
        self.marks = [(time.monotonic(), self.count)]


@dataclass
class Safe:
    """A finite state, kept in memory for the way back after divergence."""

    at: float
    step: int
    cursor: int
    config: Config
    history: list[tuple[int, str, Any, Any]]
    metrics: dict[str, float]
    tensors: dict[str, Tensor]

    @classmethod
    def of(cls, run: Training, now: float) -> Safe:
        """Copy the present state."""
        tensors = {k: v.detach().clone() for k, v in run.learner.tensors().items()}
        history = list(run.history)
        return cls(now, run.step, run.cursor, run.config, history, dict(run.metrics), tensors)

    def put_back(self, run: Training) -> None:
        """Return the run to this state."""
        run.learner.load_tensors(self.tensors)
        run.learner.reconfigure(self.config)
        run.config, run.history, run.metrics = self.config, self.history, self.metrics
        run.step, run.cursor = self.step, self.cursor


class Drawing:
    """Live pictures within their share of the run's time; kept ones at milestones."""

    def __init__(self, run: Training) -> None:
        self.run = run
        self.began = time.monotonic()
        # pictures of a run that goes on are on screen already
        self.spent = PREVIEW_CREDIT_S - TURN_CREDIT_S if run.spec.going_on else 0.0
        self.ticks: dict[str, int] = {}
        self.drawn_at: dict[str, float] = {}
        self.step_seen = -1

    def first(self) -> Iterator[Event]:
        """Draw everything once, so that something is on screen before the first step."""
        yield from self.whole()
        yield from self.keep()

    def whole(self, strict: bool = False) -> Iterator[Event]:
        """Draw every live view whole: at the start, at a pause, at the end."""
        self.ticks.clear()
        for view in self._views():
            yield from self._draw(view.name, strict)

    def due(self, now: float) -> Iterator[Event]:
        """Draw the views whose time has come, most overdue first, while there is time for it."""
        overdue = sorted(self._views(), key=lambda v: self.drawn_at.get(v.name, 0.0) + v.interval_s)
        for view in overdue:
            late = now - self.drawn_at.get(view.name, 0.0) >= view.interval_s * 0.9
            if late and self._within_budget():
                yield from self._draw(view.name)

    def keep(self) -> Iterator[Event]:
        """Draw what the timeline keeps of this step."""
        if not self.run.spec.previews:
            return
        began = time.monotonic()
        payloads = self.run.learner.draw_kept(self.run.data)
        self.spent += time.monotonic() - began
        for name, payload in payloads.items():
            yield events.Preview(self.run.step, name, payload, kept=True)

    def share(self) -> float:
        """Return the share of the run's time that drawing took."""
        return self.spent / max(time.monotonic() - self.began, 1e-6)

    def forget_if_moved(self) -> None:
        """Let the learner drop what it cached from older weights."""
        if self.step_seen != self.run.step:
            self.step_seen = self.run.step
            self.run.learner.forget()

    def _views(self):  # type: ignore[no-untyped-def]
        return self.run.learner.live_views if self.run.spec.previews else ()

    def _within_budget(self) -> bool:
        elapsed = time.monotonic() - self.began
        return self.spent <= PREVIEW_CREDIT_S + PREVIEW_SHARE * elapsed

    def _draw(self, name: str, strict: bool = False) -> Iterator[Event]:
        began = time.monotonic()
        self.forget_if_moved()
        tick = self.ticks.get(name, 0)
        try:
            payload = self.run.learner.draw_live(name, tick, self.run.data)
        except RuntimeError:
            if strict:
                raise
            return  # weights that are not finite cannot be drawn; the next reading ends the run
        self.ticks[name] = tick + 1
        now = time.monotonic()
        self.spent += now - began
        self.drawn_at[name] = now
        yield events.Preview(self.run.step, name, payload)
