"""A hundred pages open while two people train: delays, lost events, memory, slow-down."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from common import App
from room_events import Reference
from room_http import Connection, Lost, Refused
from room_machine import Machine, slope
from room_page import PLAY, Figures, Page, first_look
from room_table import Table

TRAINING = 2
LONG = 10_000_000
BASELINE_S = 20.0
WARM_UP_S = 300.0
DRAIN_S = 15.0


@dataclass
class Training:
    """A run under way and the reference reader of its events."""

    page: Page
    reference: Reference
    reader: asyncio.Task[None]


async def read_all(address: str, run: str, reference: Reference) -> None:
    """Read a run's stream from the start, and note when each event came."""
    while not reference.tally.ended:
        connection, rest = Connection(address, "reference-reader-of-the-room"), b""
        path = f"{PLAY}/runs/{run}/events?after={reference.tally.cursor}"
        with contextlib.suppress(Lost, Refused):
            async for chunk in connection.stream(path):
                whole, end, rest = (rest + chunk).rpartition(b"\n\n")
                if end:
                    reference.take(whole, time.monotonic())
                if reference.tally.ended:
                    break
        connection.close()


@contextlib.asynccontextmanager
async def training(address: str, figures: Figures, count: int) -> AsyncIterator[list[Training]]:
    """Let so many people train without an end; stop them on the way out."""
    begun = []
    for number in range(count):
        page = Page(address, figures, seed=1000 + number)
        answer = await page.main.get(f"{PLAY}/catalogue")
        await page.train(**{**first_look(answer.json()), "max_steps": LONG})
        reference = Reference()
        reader = asyncio.create_task(read_all(address, page.run, reference))
        begun.append(Training(page, reference, reader))
    try:
        while not all(t.reference.speed for t in begun):
            await asyncio.sleep(0.1)
        yield begun
    finally:
        for one in begun:
            await one.page.command("stop")
        await asyncio.wait([t.reader for t in begun], timeout=DRAIN_S)
        for one in begun:
            one.reader.cancel()
            one.page.close()


@contextlib.asynccontextmanager
async def watching(
    address: str, figures: Figures, count: int, runs: list[Training], files: list[str]
) -> AsyncIterator[list[Page]]:
    """Open so many pages over some seconds; they watch the runs and click until the way out."""
    pages = [Page(address, figures, seed=n) for n in range(count)]

    async def live(number: int, page: Page) -> None:
        await page.open(files)
        await page.attach(runs[number % len(runs)].page.run)
        clicks = asyncio.create_task(page.click_now_and_then())
        try:
            await page.follow(streams=number // 2 % 2 == 0)
        finally:
            clicks.cancel()

    lives = []
    for number, page in enumerate(pages):
        lives.append(asyncio.create_task(live(number, page)))
        await asyncio.sleep(0.2)
    while len(figures.load_s) < count and not all(task.done() for task in lives):
        await asyncio.sleep(0.1)
    try:
        yield pages
    finally:
        for one in runs:
            await one.page.command("stop")
        _, late = await asyncio.wait(lives, timeout=DRAIN_S)
        for task in late:
            task.cancel()
        for page in pages:
            page.close()


async def hundred(app: App, files: list[str], options: argparse.Namespace) -> Table:
    """Measure; see the table."""
    figures, machine = Figures(), Machine(app.pid, app.runs)
    table = Table(f"{options.sessions} pages open, {TRAINING} train, for {options.minutes:g} min")
    async with training(app.address, Figures(), TRAINING) as alone:
        await asyncio.sleep(BASELINE_S)
        before = _speed(alone, time.monotonic() - BASELINE_S, time.monotonic())
    async with training(app.address, figures, TRAINING) as runs:
        async with watching(app.address, figures, options.sessions, runs, files) as pages:
            loads = len(figures.load_s)
            figures.poll_ms.clear()
            figures.click_ms.clear()
            machine.begin()
            watch = asyncio.create_task(machine.watch())
            began = time.monotonic()
            await asyncio.sleep(60 * options.minutes)
            during, shares = _speed(runs, began, time.monotonic()), machine.shares()
            watch.cancel()
            late = sum(t.reference.tally.cursor == 0 for t in runs)
        lost, unread = _compare(runs, pages)
    table.facts |= {"pages loaded": loads, "runs": TRAINING, "reference readers idle": late}
    _latencies(table, figures)
    table.add("lost events, all sessions", lost, "events", bar=0)
    table.add("events behind at the end, all sessions", unread, "events", bar=0)
    table.add("numbers out of order", sum(p.tally.backwards for p in pages), "events", bar=0)
    table.add("events compared", sum(p.tally.count for p in pages))
    table.add("steps/s of a run alone with the other", before)
    table.add("steps/s with all pages open", during)
    table.add("slow-down by viewers and this script", 100 * (1 - during / before), "%", bar=25)
    _memory(table, machine, 60 * options.minutes)
    for name, share in shares.items():
        table.add(f"processor, {name}", share, "% core")
    table.remarks += [f"error: {text} ({n} times)" for text, n in figures.errors.most_common(9)]
    return table


def _latencies(table: Table, figures: Figures) -> None:
    table.spread("poll", figures.poll_ms, p95=500)
    table.spread("click to picture", figures.click_ms, p95=1000)
    table.add("errors", sum(figures.errors.values()), "", bar=0)
    table.add("asked for patience (429)", figures.patience)


def _speed(runs: list[Training], since: float, until: float) -> float:
    found = [t.reference.steps_per_s(since, until) for t in runs]
    return sum(found) / len(found)


def _compare(runs: list[Training], pages: list[Page]) -> tuple[int, int]:
    """Return how many events sessions have lost, and how many they never came to."""
    lost = unread = 0
    by_id = {t.page.run: t.reference for t in runs}
    for page in pages:
        reference = by_id[page.run]
        lost += reference.lost(page.tally)
        unread += sum(number > page.tally.cursor for number in reference.numbers)
    return lost, unread


def _memory(table: Table, machine: Machine, seconds: float) -> None:
    """Add the web process's memory, and its growth after the first five minutes (or a third)."""
    samples = machine.samples
    warm = min(WARM_UP_S, seconds / 3)
    after = [s for s in samples if s.at - samples[0].at >= warm] or samples[-1:]
    table.add("memory of the web process at the start", samples[0].rss_mb, "MB")
    table.add(f"memory after {warm / 60:.1f} min", after[0].rss_mb, "MB")
    table.add("memory at the end", after[-1].rss_mb, "MB", bar=350)
    growth = 100 * (after[-1].rss_mb / after[0].rss_mb - 1)
    table.add("growth after that", growth, "%", bar=5)
    hours = [(s.at / 3600, s.rss_mb) for s in after]
    table.add("slope after that", slope(hours), "MB/h")


async def rehearse(app: App, files: list[str], options: argparse.Namespace) -> Table:
    """Add pages in steps until a bar is missed; say how many the machine carries."""
    table = Table(f"How many pages this machine carries, in steps of {options.step}")
    carried = 0
    for count in range(options.step, options.most + 1, options.step):
        figures = Figures()
        async with (
            training(app.address, Figures(), TRAINING) as runs,
            watching(app.address, figures, count, runs, files) as pages,
        ):
            figures.poll_ms.clear()
            figures.click_ms.clear()
            await asyncio.sleep(options.seconds)
        lost, unread = _compare(runs, pages)
        step = Table(f"{count} pages")
        _latencies(step, figures)
        step.add("lost events", lost + unread, "events", bar=0)
        table.lines += [_named(line, f"{count} pages: {line.name}") for line in step.lines]
        if any(line.met is False for line in step.lines):
            break
        carried = count
    answer = await Connection(app.address, "rehearsal-owner-of-the-room").get(f"{PLAY}/status.json")
    slots = answer.json().get("slots") if answer.status == 200 else options.workers
    table.remarks.append(
        f"This machine carries about {carried} students whose pages ask every 0.7 s, "
        f"{slots} runs at once (the students were simulated on this same machine)."
    )
    return table


def _named(line: Any, name: str) -> Any:
    line.name = name
    return line
