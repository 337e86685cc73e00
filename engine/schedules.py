"""Schedules: pure functions of the step, so that a resumed run needs no memory of them."""

from __future__ import annotations

import math


def linear_warmup(step: int, steps: int) -> float:
    """Return a factor that rises from 0 to 1 over `steps` steps (1 at once when it is 0)."""
    return 1.0 if steps <= 0 else min(1.0, step / steps)


def cosine_decay(step: int, steps: int, floor: float = 0.01) -> float:
    """Return a factor that falls from 1 to `floor` over `steps` steps along half a cosine.

    With `steps` 0 it stays 1; after `steps` it stays at `floor`.
    """
    if steps <= 0:
        return 1.0
    share = min(1.0, step / steps)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * share))


def linear_decay(step: int, constant: int, steps: int) -> float:
    """Return a factor that is 1 for `constant` steps and then falls to 0 over `steps` steps.

    With `steps` 0 it stays 1.
    """
    if steps <= 0:
        return 1.0
    return min(1.0, max(0.0, 1.0 - (step - constant) / steps))
