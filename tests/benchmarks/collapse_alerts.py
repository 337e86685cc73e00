"""Do the alarms ring when a DCGAN collapses, and only then?

Every preset that breaks the DCGAN, and --healthy runs of the preset "Good" (seeds from 100 on),
is trained by the engine itself with its previews and its monitor on, on one thread, for --minutes
of CPU time; a breaking one until both its bars are reached. Printed for each: CPU time, steps,
best and last coverage, last class KL, and every alert with the CPU second at which it came.
Bars:
  a breaking preset   class KL >= 0.36 nats, or coverage below half of its best, within the time,
                      and an alert of level "collapse" or "total"
  a healthy run       no alert of level "collapse" or "total"
--record FOLDER writes the monitor's numbers of each run there, a JSON line a check.

    python tests/benchmarks/collapse_alerts.py [--minutes 3] [--healthy 5] [--only KEY] [--json]
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import arguments

from engine import commands, events
from engine.presets import Preset
from engine.registry import entry
from engine.spec import Budget, RunSpec
from engine.trainer import train

LONG = 10_000_000
SERIOUS = ("collapse", "total")


class Clock:
    """An inbox that stops a run when this process has had so much CPU time."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.began, self.over = seconds, time.process_time(), False

    @property
    def spent(self) -> float:
        """CPU seconds so far."""
        return time.process_time() - self.began

    def poll(self) -> list[commands.Command]:
        """Stop when the time is over, or nothing is left to see."""
        return [commands.Stop()] if self.over or self.spent >= self.seconds else []

    def wait(self, timeout_s: float) -> list[commands.Command]:
        """Never wait: the run is not paused."""
        return self.poll()


@dataclass
class Course:
    """What a run's monitor saw and what it said."""

    name: str
    breaks: bool
    seed: int
    steps: int = 0
    state: str = ""
    checks: list[dict[str, float]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def numbers(self, name: str) -> list[float]:
        """Return a metric's values."""
        return [c[name] for c in self.checks if math.isfinite(c.get(name, math.nan))]

    @property
    def collapsed(self) -> bool:
        """Say whether the run has collapsed by the bar, at any check after the first 500 steps.

        Coverage counts as fallen when it is below half of the best before.
        """
        best = 0.0
        for check in self.checks:
            best = max(best, check["coverage"])
            late = check["step"] >= 500
            if late and (check["coverage"] < best / 2 or check.get("class_kl_nats", 0) >= 0.36):
                return True
        return False

    @property
    def serious(self) -> list[dict[str, Any]]:
        """The alerts that say collapse."""
        return [a for a in self.alerts if a["level"] in SERIOUS]

    @property
    def good(self) -> bool:
        """Say whether the bar is reached."""
        return bool(self.collapsed and self.serious) if self.breaks else not self.serious

    def summary(self) -> dict[str, Any]:
        """Return what is printed."""
        coverage, kl = self.numbers("coverage"), self.numbers("class_kl_nats")
        return {
            "run": f"{self.name}, seed {self.seed}",
            "breaks": self.breaks,
            "state": self.state,
            "steps": self.steps,
            "checks": len(self.checks),
            "cpu_s": self.checks[-1]["cpu_s"] if self.checks else math.nan,
            "coverage_best": max(coverage, default=math.nan),
            "coverage_last": coverage[-1] if coverage else math.nan,
            "class_kl_last": kl[-1] if kl else math.nan,
            "alerts": [f"{a['name']} at {a['cpu_s']:.0f} s" for a in self.alerts],
            "sentences": [a["sentence"] for a in self.alerts],
            "reached": self.good,
        }


def main() -> None:
    """Run all and print the table."""
    parser = arguments(__doc__ or "", rounds=1, minutes=3.0, healthy=5, only="", record="")
    options = parser.parse_args()
    presets = {p.key: p for p in entry("dcgan").preset_list}
    broken = [p for p in presets.values() if p.breaks and options.only in ("", p.key)]
    wanted = [(p, seed) for p in broken for seed in range(options.rounds)]
    if options.only in ("", "good"):
        wanted += [(presets["good"], 100 + i) for i in range(options.healthy)]
    rows = []
    for preset, seed in wanted:
        course = followed(preset, seed, 60 * options.minutes)
        if options.record:
            record(Path(options.record), course)
        rows.append(course.summary())
        if not options.json:
            show(rows[-1])
    if options.json:
        print(json.dumps({"title": "Collapse and its alerts", "rows": rows}))
    else:
        reached = sum(row["reached"] for row in rows)
        print(f"{reached} of {len(rows)} bars reached.")


def followed(preset: Preset, seed: int, seconds: float) -> Course:
    """Train a preset for so many CPU seconds; return what its monitor saw."""
    course = Course(preset.key, preset.breaks, seed)
    clock = Clock(seconds)
    spec = RunSpec(
        "dcgan", preset.dataset, preset.config, seed, Budget(LONG), device="cpu", threads=1
    )
    for event in train(spec, clock):
        if isinstance(event, events.Metrics) and event.split == "monitor":
            course.checks.append({"step": event.step, "cpu_s": clock.spent, **event.values})
        elif isinstance(event, events.Alert):
            course.alerts.append(
                {
                    "name": event.alert,
                    "level": event.level,
                    "step": event.step,
                    "since": event.since,
                    "sentence": event.sentence,
                    "cpu_s": clock.spent,
                }
            )
        elif isinstance(event, events.Status):
            course.state, course.steps = event.state, event.step
        clock.over = course.breaks and course.good
    return course


def record(folder: Path, course: Course) -> None:
    """Write a run's checks and alerts, a JSON line each."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(line) for line in [*course.checks, *course.alerts]]
    (folder / f"{course.name}-{course.seed}.jsonl").write_text("\n".join(lines) + "\n")


def show(row: dict[str, Any]) -> None:
    """Print one run."""
    print(
        f"{row['run']:34} {row['cpu_s']:4.0f} s {row['steps']:6,} steps {row['checks']:3} checks  "
        f"coverage best "
        f"{row['coverage_best']:.2f} last {row['coverage_last']:.2f}  class KL "
        f"{row['class_kl_last']:.2f}  {'ok' if row['reached'] else 'MISSED'}",
        flush=True,
    )
    for when, sentence in zip(row["alerts"], row["sentences"], strict=True):
        print(f"    {when}: {sentence}", flush=True)


if __name__ == "__main__":
    main()
