"""What 64 pictures from the shipped sampler cost: in the worker, and from click to screen.

worker, 64 samples    the view `samples` of a saved model: noise, generator, encoding, JSON; one
                      thread, the model loaded, another seed each time
worker, one sample    the view `sample`: the picture, D's and the classifier's opinions, the eight
                      nearest training pictures
click to samples      headless Chromium against the real server over loopback, workers warm: from
                      the time stamp of the click on "New samples" to the frame with the new grid
                      painted (as in page_latency.py)

  python tests/benchmarks/sampler_latency.py [--rounds 60] [--model dcgan/mnist] [--json]
      [--page 0]
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

from common import Report, arguments, chromium, server
from page_latency import SPY

GRID = ".dc-grid-canvas"


def main() -> None:
    """Measure both parts and print the table."""
    parser = arguments(__doc__ or "", rounds=60, model="dcgan/mnist", page=1)
    options = parser.parse_args()
    report = Report(f"Sampler latency, {options.model}")
    worker(report, options.model, options.rounds)
    if options.page:
        with server(workers=1) as app, chromium() as browser:
            clicks(report, browser, app, options.rounds)
    report.show(options.json)


def worker(report: Report, model: str, rounds: int) -> None:
    """Draw the views in this process, as the exploring worker does."""
    import torch

    from engine import checkpoint
    from engine.explore import Explorer

    torch.set_num_threads(1)
    explorer, path = Explorer(), checkpoint.find(model)
    explorer.warm(path)
    many, one = [], []
    for seed in range(rounds + 3):
        for times, view, args in (
            (many, "samples", {"seed": seed, "count": 64}),
            (one, "sample", {"seed": seed, "index": seed % 64}),
        ):
            began = time.perf_counter()
            json.dumps(explorer.draw(path, view, args).to_wire())
            times.append(1000 * (time.perf_counter() - began))
    report.add("worker, 64 samples", many[3:], bar=60.0)  # the first ones warm the kernels
    report.add("worker, one sample", one[3:])


def clicks(report: Report, browser: Any, app: Any, rounds: int) -> None:
    """Press "New samples" when the page has come to rest, again and again."""
    from browser.page import COUNT_REQUESTS, Playground

    context = browser.new_context(base_url=app.address, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(120_000)
    context.add_init_script(SPY)
    tab = context.new_page()
    tab.add_init_script(COUNT_REQUESTS)
    page = Playground(tab)
    tab.goto("/?tab=dcgan", wait_until="domcontentloaded")
    page.until(f"() => document.querySelector('{GRID}')?.dataset.paints > 0")
    page(".dc-sample .filled").wait_for()
    chance, times = random.Random(0), []
    for number in range(rounds + 3):
        page.until_quiet()
        tab.wait_for_timeout(chance.uniform(0, 50))  # anywhere between two frames
        page.value(
            """(grid) => { window.bench.samples = window.bench.next(
              (canvas, image) => canvas.matches(grid) && image instanceof HTMLImageElement); }""",
            GRID,
        )
        page(".dc-grid").get_by_role("button", name="New samples").click()
        took = page.value(
            "async () => (await window.bench.samples).time - window.bench.input.click"
        )
        if number >= 3:  # the first ones warm the generator
            times.append(took)
    context.close()
    report.add("click to samples", times, bar=150.0)


if __name__ == "__main__":
    main()
