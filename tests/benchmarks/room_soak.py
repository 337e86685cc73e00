"""Sessions come and go with many tiny runs: what the server keeps of them."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time

from common import App
from room_machine import Machine, Sample, slope
from room_page import PLAY, Figures, Page, first_look
from room_table import Table

OWNERS = 10  # each keeps 20 ended runs, so that what is kept is steady after 200
STEPS = 20


async def soak(app: App, files: list[str], options: argparse.Namespace) -> Table:
    """Let sessions come and go until so many runs have ended."""
    table = Table(f"{options.sessions} sessions come and go, {options.count} runs")
    figures, machine = Figures(), Machine(app.pid, app.runs, every_s=2.0)
    first = Page(app.address, figures)
    body = {**first_look((await first.main.get(f"{PLAY}/catalogue")).json()), "max_steps": STEPS}
    owners = [Page(app.address, figures).owner for _ in range(OWNERS)]
    numbers, ended = itertools.count(), [0]
    machine.begin()
    watch = asyncio.create_task(machine.watch())

    async def come_and_go(place: int) -> None:
        while (number := next(numbers)) < options.count:
            page = Page(app.address, figures, seed=number)
            page.owner = owners[place % OWNERS]
            page.main.owner = page.second.owner = page.owner
            await page.ask(page.main.get(f"{PLAY}/runs"), "runs")
            answer, _ = await page.train(**body)
            if answer is not None:
                await page.follow(streams=number % 2 == 0)
                ended[0] += 1
            await page.click()
            page.close()

    began = time.monotonic()
    await asyncio.gather(*(come_and_go(n) for n in range(options.sessions)))
    took = time.monotonic() - began
    await asyncio.sleep(2 * machine.every_s)
    watch.cancel()
    _tell(table, machine.samples)
    table.add("runs that ended", ended[0], "", bar=options.count, at_least=True)
    table.add("runs a minute", 60 * ended[0] / took)
    table.add("errors", sum(figures.errors.values()), "", bar=0)
    table.add("asked for patience (429)", figures.patience)
    table.remarks += [f"error: {text} ({n} times)" for text, n in figures.errors.most_common(9)]
    first.close()
    return table


def _tell(table: Table, samples: list[Sample]) -> None:
    """Compare the second half with the first: by then as many runs are kept as ever will be."""
    late = samples[len(samples) // 2 :]
    table.add("memory of the web process at the start", samples[0].rss_mb, "MB")
    table.add("memory half-way", late[0].rss_mb, "MB")
    table.add("memory at the end", late[-1].rss_mb, "MB")
    table.add("slope in the second half", slope([(s.at / 3600, s.rss_mb) for s in late]), "MB/h")
    for name in ("fds", "threads", "temporary"):
        values = [getattr(s, name) for s in samples]
        table.add(f"{name} at the start", values[0])
        table.add(f"{name}, most", max(values))
        table.add(f"{name} at the end", values[-1])
    table.add("fds kept", late[-1].fds - samples[0].fds, "", bar=10)
    table.add("threads kept", late[-1].threads - samples[0].threads, "", bar=5)
    table.add("temporary files kept", late[-1].temporary, "", bar=0)
