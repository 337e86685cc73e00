"""Many people press Train within a second: answers, fair turns, first pictures, the end."""

from __future__ import annotations

import argparse
import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any

from common import App
from room_http import Connection
from room_machine import Machine
from room_page import PLAY, Figures, Page, first_look
from room_table import Table

WITHIN_S = 1.0
ANSWER_MS = 2000.0
UNDER_WAY = ("queued", "starting", "running", "paused", "parked")
GIVE_UP_S = 1800.0


@dataclass
class Instant:
    """All views at one moment, and how long it took to ask for them."""

    took_s: float
    views: dict[str, dict[str, Any]]

    def apart(self, name: str) -> tuple[float, float]:
        """Return how far those under way are apart in seconds, and the slice then in force."""
        active = [v for v in self.views.values() if v["state"] in UNDER_WAY]
        values = [v[name] for v in active]
        slices = [v["slice_s"] for v in active if v["slice_s"]]
        if len(values) < 2 or not slices:
            return 0.0, math.nan
        return max(values) - min(values), max(slices)


@dataclass
class Watch:
    """Looks at all runs once a second, through connections of its own."""

    address: str
    runs: list[str]
    instants: list[Instant] = field(default_factory=list)

    async def look(self) -> dict[str, dict[str, Any]]:
        """Ask for every view once; keep and return them."""
        began = time.perf_counter()
        lines = [Connection(self.address, "who-looks-at-all-of-them") for _ in range(4)]
        shares = [self.runs[n :: len(lines)] for n in range(len(lines))]

        async def some(line: Connection, share: list[str]) -> list[dict[str, Any]]:
            return [(await line.get(f"{PLAY}/runs/{run}")).json() for run in share]

        found = await asyncio.gather(*(some(*pair) for pair in zip(lines, shares, strict=True)))
        for line in lines:
            line.close()
        views = {view["id"]: view for part in found for view in part}
        self.instants.append(Instant(time.perf_counter() - began, views))
        return views


async def burst(app: App, files: list[str], options: argparse.Namespace) -> Table:
    """Let people press Train at once, watch until all have finished."""
    figures, machine = Figures(), Machine(app.pid, app.runs)
    table = Table(f"{options.people} people press Train within {WITHIN_S:g} s")
    pages = [Page(app.address, figures, seed=n) for n in range(options.people)]
    body = first_look((await pages[0].main.get(f"{PLAY}/catalogue")).json())
    if options.steps:
        body["max_steps"] = options.steps
    machine.begin()
    began = time.perf_counter()
    answers = await asyncio.gather(*(_press(page, body) for page in pages))
    started = [page for page in pages if page.run]
    follows = [asyncio.create_task(page.follow(streams=True)) for page in started]
    watch = Watch(app.address, [page.run for page in started])
    views = await watch.look()
    while any(view["state"] in UNDER_WAY for view in views.values()):
        if time.perf_counter() - began > GIVE_UP_S:
            break
        await asyncio.sleep(max(0.0, 1.0 - watch.instants[-1].took_s))
        views = await watch.look()
    total = time.perf_counter() - began
    await asyncio.wait(follows, timeout=10)
    for task in follows:
        task.cancel()
    _tell(table, answers, views, figures)
    _fairness(table, watch)
    table.spread("first picture after the click", [p.pictured for p in started if p.pictured], "s")
    table.add("all have finished after", total, "s")
    for name, share in machine.shares().items():
        table.add(f"processor, {name}", share, "% core")
    _each(table, started, views)
    for page in pages:
        page.close()
    return table


async def _press(page: Page, body: dict[str, Any]) -> tuple[float, str]:
    await asyncio.sleep(page.random.uniform(0, WITHIN_S))
    answer, view = await page.train(**body)
    return (answer.ms if answer is not None else math.nan), view.get("state", "none")


def _tell(
    table: Table, answers: list[tuple[float, str]], views: dict[str, Any], figures: Figures
) -> None:
    good = [ms for ms, state in answers if state in ("queued", "starting", "running")]
    table.add("answered with running or queued", len(good), "", bar=len(answers), at_least=True)
    table.spread("answer to Train", good)
    table.add("answer to Train, slowest", max(good, default=math.nan), "ms", bar=ANSWER_MS)
    finished = sum(view["state"] == "finished" for view in views.values())
    table.add("finished", finished, "", bar=len(answers), at_least=True)
    table.add("errors", sum(figures.errors.values()), "", bar=0)
    table.remarks += [f"error: {text} ({n} times)" for text, n in figures.errors.most_common(9)]


def _fairness(table: Table, watch: Watch) -> None:
    """Compare, at every instant, those under way: they all began within a second."""
    for name, said in (("served_s", "service"), ("waiting_s", "waiting")):
        apart = [instant.apart(name) for instant in watch.instants]
        known = [(gap, turn) for gap, turn in apart if not math.isnan(turn)]
        worst = max(known, key=lambda pair: pair[0] / pair[1], default=(math.nan, math.nan))
        table.add(f"{said}: largest difference at an instant", worst[0], "s")
        table.add(f"{said}: the slice in force then", worst[1], "s")
        table.add(f"{said}: in slices", worst[0] / worst[1], "slices", bar=1.0)
        median = sorted(gap / turn for gap, turn in known)[len(known) // 2] if known else math.nan
        table.add(f"{said}: median over all instants", median, "slices")
    took = max(instant.took_s for instant in watch.instants)
    table.remarks.append(
        f"{len(watch.instants)} instants; looking at all runs took at most {took:.2f} s, and "
        "differences are known no better than that."
    )


def _each(table: Table, pages: list[Page], views: dict[str, dict[str, Any]]) -> None:
    """Add what each person had, who waited longest first."""
    table.remarks.append(f"{'person':>8}{'waited s':>10}{'served s':>10}{'picture s':>11}  state")
    numbered = [(views[page.run], number, page) for number, page in enumerate(pages)]
    for view, number, page in sorted(numbered, key=lambda item: -item[0]["waiting_s"]):
        table.remarks.append(
            f"{number:>8}{view['waiting_s']:>10.1f}{view['served_s']:>10.1f}"
            f"{page.pictured:>11.1f}  {view['state']}"
        )
