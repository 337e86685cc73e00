"""Storms: a hundred starts within a second; a class that opens the page at the same time."""

from __future__ import annotations

import argparse
import asyncio
import math
import time
from typing import Any

from common import App
from room_burst import Watch
from room_http import Lost
from room_machine import Machine
from room_page import PLAY, Figures, Page, first_look
from room_table import Table

LONG = 10_000_000
POSITION_S = 1.0


async def storm(app: App, files: list[str], options: argparse.Namespace) -> Table:
    """Start, look at places and at shares; then open pages."""
    table = Table(f"{options.people} starts in 1 s, then {options.loads} page loads in 10 s")
    machine = Machine(app.pid, app.runs)
    before = machine.look().rss_mb
    await _starts(app, table, options)
    await _loads(app, files, table, options.loads)
    table.add("memory of the web process before", before, "MB")
    table.add("memory of the web process after", machine.look().rss_mb, "MB", bar=350)
    return table


async def _starts(app: App, table: Table, options: argparse.Namespace) -> None:
    figures = Figures()
    pages = [Page(app.address, figures, seed=n) for n in range(options.people)]
    body = first_look((await pages[0].main.get(f"{PLAY}/catalogue")).json())
    states = await asyncio.gather(*(_start(p, {**body, "max_steps": LONG}) for p in pages))
    started = [page for page in pages if page.run]
    placed = [s for _, _, s in states if not math.isnan(s)]
    table.add(
        "answered 201 or 429", sum(ok for ok, _, _ in states), "", bar=len(pages), at_least=True
    )
    table.add("of these 201", len(started))
    table.spread("answer", [ms for _, ms, _ in states if not math.isnan(ms)], p95=2000)
    table.add("place or start known after, slowest", max(placed), "s", bar=POSITION_S)
    watch = Watch(app.address, [page.run for page in started])
    views, began = await watch.look(), time.monotonic()
    while time.monotonic() - began < options.seconds:
        await asyncio.sleep(1.0)
        views = await watch.look()
    served = sorted(view["served_s"] for view in views.values())
    table.add("service after this, least", served[0], "s")
    table.add("service after this, most", served[-1], "s")
    ratio = served[-1] / served[0] if served[0] else math.inf
    table.add("most / least", ratio, "", bar=2.0)
    await asyncio.gather(*(page.command("stop") for page in started))
    table.add("errors of the starts", sum(figures.errors.values()), "", bar=0)
    table.remarks += [f"error: {text} ({n} times)" for text, n in figures.errors.most_common(9)]
    for page in pages:
        page.close()


async def _start(page: Page, body: dict[str, Any]) -> tuple[bool, float, float]:
    """Return whether the answer is one of the two, its ms, and the s until a place is known."""
    await asyncio.sleep(page.random.uniform(0, 1))
    began = time.perf_counter()
    try:
        answer = await page.main.post(f"{PLAY}/runs", body)
    except Lost:
        page.figures.errors["start: lost"] += 1
        return False, math.nan, math.nan
    if answer.status != 201:
        return answer.status == 429, answer.ms, math.nan
    view = answer.json()
    page.run = view["id"]
    while view["state"] == "queued" and view["position"] is None:
        view = (await page.main.get(f"{PLAY}/runs/{page.run}")).json()
    return True, answer.ms, time.perf_counter() - began


async def _loads(app: App, files: list[str], table: Table, count: int) -> None:
    """Let a class open the page: one every third of a second, each with all files."""
    figures = Figures()
    pages = [Page(app.address, figures, seed=n) for n in range(count)]

    async def arrive(number: int, page: Page) -> None:
        await asyncio.sleep(10 * number / count)
        await page.open(files)
        page.close()

    await asyncio.gather(*(arrive(n, page) for n, page in enumerate(pages)))
    table.spread("page with all files and first pictures", figures.load_s, "s")
    table.add("slowest page", max(figures.load_s, default=math.nan), "s", bar=10)
    table.add("files a page", len(files))
    table.add("errors of the loads", sum(figures.errors.values()), "", bar=0)
    table.remarks += [f"error: {text} ({n} times)" for text, n in figures.errors.most_common(9)]
