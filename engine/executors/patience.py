"""When a run that takes no further step has taken too long: for workers of every kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.trainer import Training

PHASE_S = 600.0  # nor building, evaluating or drawing


class Patience:
    """Watches a run's step. A step may take `step_s`, or ten times the longest before it."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self.begin()

    def begin(self) -> None:
        """Forget what was: another job begins."""
        self._seen, self._since, self._longest = -1, time.monotonic(), 0.0

    def over(self, run: Training | None, now: float) -> bool:
        """Say whether a step, or what lies between two steps, has taken far too long."""
        step = -1 if run is None else run.step
        standing = run is not None and run.paused
        if step != self._seen or standing:
            if self._seen >= 0 and not standing:
                self._longest = max(self._longest, now - self._since)
            self._seen, self._since = step, now
        stepping = run is not None and run.stepping and run.taken > 0
        return now - self._since > (max(self._step_s, 10 * self._longest) if stepping else PHASE_S)
