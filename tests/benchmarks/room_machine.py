"""What the server takes of the machine: memory, processor, descriptors, threads, files."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from common import cpu_seconds, tree

NICE = 5  # below the server, above its workers: students have machines of their own


@dataclass(frozen=True)
class Sample:
    """One look at the server's process."""

    at: float
    rss_mb: float
    fds: int
    threads: int
    temporary: int


@dataclass
class Machine:
    """Look at a server every so many seconds, beside whatever else is measured."""

    pid: int
    runs: Path
    every_s: float = 5.0
    samples: list[Sample] = field(default_factory=list)

    def begin(self) -> None:
        """Note the processor times from which `shares` counts."""
        self._began = time.monotonic()
        self._cpu = self._taken()

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            self.samples.append(self.look())
            await asyncio.sleep(self.every_s)

    def look(self) -> Sample:
        """Return what the web process has now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        words = {
            line.split(":")[0]: line.split()[1:2] for line in status.splitlines() if ":" in line
        }
        return Sample(
            time.monotonic(),
            int(words["VmRSS"][0]) / 1024,
            len(os.listdir(f"/proc/{self.pid}/fd")),
            int(words["Threads"][0]),
            sum(".tmp." in path.name for path in self.runs.rglob("*")),
        )

    def shares(self) -> dict[str, float]:
        """Return the shares of one core since `begin`, in percent."""
        seconds = time.monotonic() - self._began
        now = self._taken()
        return {name: 100 * (now[name] - self._cpu[name]) / seconds for name in now}

    def _taken(self) -> dict[str, float]:
        children = tree(self.pid)
        return {
            "web process": cpu_seconds([self.pid]),
            "its workers": cpu_seconds(children),
            "this script": sum(os.times()[:2]),
        }


def slope(points: list[tuple[float, float]]) -> float:
    """Return the least-squares slope of (x, y)."""
    if len(points) < 2:
        return float("nan")
    n = len(points)
    x = sum(p[0] for p in points) / n
    y = sum(p[1] for p in points) / n
    across = sum((p[0] - x) ** 2 for p in points)
    return sum((p[0] - x) * (p[1] - y) for p in points) / across if across else float("nan")


def be_nice() -> None:
    """Let the server go before this process."""
    os.nice(NICE)
