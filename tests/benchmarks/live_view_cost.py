"""What the page costs a run that trains: steps/s with the page open, as a share of without.

One server. A round is four runs, A B B A, of the same model, data, seed and settings (the preset
"First look" without an end), each trained for --seconds in a worker process:
  no page       nobody watches; no browser is started on this machine's behalf but an idle one
                that shows about:blank
  page open     the page is attached to the run in headless Chromium: stream, curves, map, grid
Steps/s is taken between two progress events of the run itself, (step, elapsed_s) of the first
one after --skip seconds and of the last, so that the start and the end are left out. The ratio
is the mean of the two B over the mean of the two A of a round. Chromium draws WebGL in software
here and shares the cores with the training: on a person's machine the page runs elsewhere.
Beside it, because they say where the time goes even on a busy machine:
  worker CPU       CPU time of the workers a step: what the page asks of the run itself
  web process CPU  cores that the web process used meanwhile
  Chromium CPU     cores that all processes of Chromium used; with it and the run on fewer cores
                   than both want, the run gives way, whatever the page does
  previews off  for information: the same run in a worker of its own executor that draws nothing
                for anybody (`RunSpec(previews=False)`), once a round

    python tests/benchmarks/live_view_cost.py [--rounds 5] [--seconds 10] [--skip 2] [--json]
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass
from typing import Any

from common import App, Client, Report, arguments, chromium, cpu_seconds, open_page, server, tree

LONG = 1_000_000


@dataclass(frozen=True)
class Pace:
    """One run's pace and what it took."""

    rate: float  # steps/s
    worker_ms: float  # CPU time a step
    web_cores: float
    chromium_cores: float


def main() -> None:
    """Run the rounds and print the table."""
    options = arguments(__doc__ or "", rounds=5, seconds=10.0, skip=2.0).parse_args()
    report = Report("Steps/s of a run with and without the page")
    report.facts = {"seconds a run": options.seconds}
    without: list[Pace] = []
    with_page: list[Pace] = []
    ratios, plain = [], []
    with server() as app, chromium() as browser, Plain() as undrawn:
        client = Client(app.address)
        config = first_look(client)
        page = open_page(browser, app)
        page.page.goto("about:blank")
        for _ in range(options.rounds):
            first = alone(app, client, config, options)
            watched_ones = [watched(app, page, config, options) for _ in range(2)]
            last = alone(app, client, config, options)
            without += [first, last]
            with_page += watched_ones
            ratios.append(mean_rate(watched_ones) / mean_rate([first, last]))
            plain.append(undrawn.rate(config, options))
    report.add("no page", [p.rate for p in without], unit="steps/s")
    report.add("page open", [p.rate for p in with_page], unit="steps/s")
    report.add("page open / no page", ratios, unit="ratio", bar=0.95, of="median", at_least=True)
    for name, paces in (("no page", without), ("page open", with_page)):
        report.add(f"worker CPU, {name}", [p.worker_ms for p in paces], unit="ms/step")
        report.add(f"web process CPU, {name}", [p.web_cores for p in paces], unit="cores")
    report.add("Chromium CPU, page open", [p.chromium_cores for p in with_page], unit="cores")
    report.add("previews off", plain, unit="steps/s")
    report.add(
        "no page / previews off", [mean_rate(without) / rate for rate in plain], unit="ratio"
    )
    report.show(options.json)


def mean_rate(paces: list[Pace]) -> float:
    """Return the mean of steps/s."""
    return statistics.mean(pace.rate for pace in paces)


def first_look(client: Client) -> dict[str, Any]:
    """Return the settings of the preset "First look"."""
    model = next(m for m in client.call("catalogue")["models"] if m["key"] == "vae")
    found: dict[str, Any] = model["presets"][0]["config"]
    return found


def alone(app: App, client: Client, config: dict[str, Any], options: Any) -> Pace:
    """Train with nobody watching."""
    run = client.start(config, max_steps=LONG)
    return measured(app, client, run, options)


def watched(app: App, page: Any, config: dict[str, Any], options: Any) -> Pace:
    """Train with the page attached and in sight."""
    page.page.goto("/", wait_until="domcontentloaded")
    page.wait_until_ready()
    page.until_quiet()
    run = page.value(
        """async (body) => (await window.Play.store.start(body)).id""",
        {"model": "vae", "dataset": "mnist", "config": config, "seed": 0, "max_steps": LONG},
    )
    page.until_state("running")
    client = Client(app.address, page.value("localStorage.getItem('play-owner')"))
    # Playwright's own loop must turn while Chromium works, so the waiting is the browser's.
    pace = measured(app, client, run, options, lambda s: page.page.wait_for_timeout(1000 * s))
    page.until_state("stopped")
    page.page.goto("about:blank")
    return pace


def measured(app: App, client: Client, run: str, options: Any, rest: Any = time.sleep) -> Pace:
    """Measure from the first progress after --skip seconds for --seconds; stop the run."""
    client.until(run, lambda view: (view["elapsed_s"] or 0) >= options.skip)
    workers = tree(app.pid)
    browser = [pid for pid, name in tree(os.getpid()).items() if "chrom" in name]
    groups = (workers, [app.pid], browser)

    first_step, first_s = client.progress(run)
    before = [cpu_seconds(group) for group in groups]
    began = time.monotonic()
    rest(options.seconds)
    spent = [cpu_seconds(g) - b for g, b in zip(groups, before, strict=True)]
    took = time.monotonic() - began
    last_step, last_s = client.progress(run)

    client.command(run, "stop")
    client.until(run, lambda view: view["state"] == "stopped")
    steps = last_step - first_step
    return Pace(
        rate=steps / (last_s - first_s),
        worker_ms=1000 * spent[0] / steps,
        web_cores=spent[1] / took,
        chromium_cores=spent[2] / took,
    )


class Plain:
    """A worker of its own in which runs draw nothing."""

    def __enter__(self) -> Plain:
        from engine.executors.process import ProcessExecutor

        self.executor = ProcessExecutor(1, device="cpu")
        self.executor.warm()
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.close()

    def rate(self, config: dict[str, Any], options: Any) -> float:
        """Train for the same time; return steps/s as `measured` does."""
        from engine.spec import Budget, RunSpec

        seen: list[tuple[int, float]] = []
        ended = threading.Event()

        def on_event(meta: dict[str, Any], body: bytes) -> None:
            if meta["kind"] == "progress":
                seen.append((meta["step"], meta["elapsed_s"]))

        budget = Budget(max_seconds=options.skip + options.seconds)
        threads = self.executor.threads
        spec = RunSpec(
            "vae", "mnist", config, budget=budget, device="cpu", threads=threads, previews=False
        )
        self.executor.start(spec, on_event, lambda clean: ended.set())
        ended.wait(options.skip + options.seconds + 60)
        inside = [mark for mark in seen if options.skip <= mark[1] <= budget.max_seconds]
        (s0, t0), (s1, t1) = inside[0], inside[-1]
        return (s1 - s0) / (t1 - t0)


if __name__ == "__main__":
    main()
