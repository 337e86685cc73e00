"""What a person may ask of this server: how many runs, how large, how long.

The run store holds one policy and asks it; whoever leads a room may put another in its place
at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Rejected
from engine.spec import Budget


@dataclass(frozen=True)
class Policy:
    """Quotas and limits; None is no limit.

    `max_under_way` and `max_kept` count the runs of one owner, `max_queued` those that wait in
    all. `max_seconds` is a run's own time for each start or continue; a run that takes longer is
    saved and ended. `caps` are the largest values of hyperparameters, for every model that has
    them. `hour_seconds` is the training time of one owner within an hour, after which the runs
    of that owner go behind all others. `memory_mb` is the private memory of one worker. A run
    that nobody has watched for `idle_park_s` gives way for good when others wait; after
    `idle_release_s` what stands still is put away. Ended runs are deleted after `keep_hours`.
    """

    max_under_way: int = 3
    max_queued: int = 200
    max_kept: int = 20
    max_steps: int | None = None
    max_seconds: float | None = None
    caps: Mapping[str, float] = field(default_factory=dict)
    hour_seconds: float | None = None
    memory_mb: int | None = None
    idle_park_s: float = 60.0
    idle_release_s: float = 1800.0
    keep_hours: float | None = None

    def check(self, config: Mapping[str, Any], budget: Budget, begin: int = 0) -> None:
        """Raise `Rejected` with one sentence when a run would be larger than is allowed.

        `begin` is the step that it goes on from: only its own steps count.
        """
        for name, largest in self.caps.items():
            value = config.get(name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and value > largest:  # type: ignore[operator]
                shown = name.replace("_", " ").capitalize()
                raise Rejected(f"{shown} may be at most {largest:g} here; got {value:g}.", name)
        steps, seconds = budget.max_steps, budget.max_seconds
        if self.max_steps is not None and (steps or 0) - begin > self.max_steps:
            raise Rejected(
                f"A run may take at most {self.max_steps:,} steps here; "
                f"got {(steps or 0) - begin:,}.",
                "max_steps",
            )
        if self.max_seconds is not None and seconds is not None and seconds > self.max_seconds:
            raise Rejected(
                f"A run may take at most {self.max_seconds:g} seconds here; got {seconds:g}.",
                "max_seconds",
            )
