"""A table of figures with their bars, and the same as one JSON object in a file."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from common import percentile


@dataclass
class Line:
    """One figure; `bar` is what it must not exceed (or reach, with `at_least`)."""

    name: str
    value: float
    unit: str = ""
    bar: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none. What was not measured meets none."""
        if self.bar is None:
            return None
        if math.isnan(self.value):
            return False
        return self.value >= self.bar if self.at_least else self.value <= self.bar


@dataclass
class Table:
    """All figures of a scenario, under which load they were taken, and remarks."""

    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    began: float = field(default_factory=time.monotonic)

    def add(self, name: str, value: float, unit: str = "", **more: Any) -> None:
        """Add a figure."""
        self.lines.append(Line(name, float(value), unit, **more))

    def spread(self, name: str, values: Sequence[float], unit: str = "ms", **bars: float) -> None:
        """Add p50, p95 and p99 of many values; `bars` has a bar for p50, p95 or p99."""
        ordered = sorted(values)
        self.add(f"{name}, number", len(ordered))
        for share in (50, 95, 99):
            value = percentile(ordered, share / 100) if ordered else math.nan
            self.add(f"{name}, p{share}", value, unit, bar=bars.get(f"p{share}"))

    def show(self, file: str | None) -> int:
        """Print the table, write JSON if asked to; return 0 when every bar is met, else 1."""
        self.facts |= {
            "cpus": os.cpu_count(),
            "load before": round(self.load_before, 2),
            "load after": round(os.getloadavg()[0], 2),
            "took_s": round(time.monotonic() - self.began),
        }
        print(f"\n{self.title}")
        print("  ".join(f"{name}: {value}" for name, value in self.facts.items()))
        for line in self.lines:
            sign = "" if line.bar is None else f"{'>=' if line.at_least else '<='} {line.bar:g}"
            said = {None: "", True: "met", False: "MISSED"}[line.met]
            print(f"{line.name:52}{_number(line.value):>12} {line.unit:9}{sign:12}{said}")
        for remark in self.remarks:
            print(remark)
        if file:
            lines = [{**asdict(line), "met": line.met} for line in self.lines]
            found = {"title": self.title, **self.facts, "lines": lines, "remarks": self.remarks}
            Path(file).write_text(json.dumps(_plain(found), indent=1), encoding="utf-8")
        return int(any(line.met is False for line in self.lines))


def _number(value: float) -> str:
    if math.isnan(value):
        return "–"
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
