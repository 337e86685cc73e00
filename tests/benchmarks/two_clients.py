"""Two people training at once: how late live events reach each, and whether either page stalls.

One server with two workers; two people, each with a run of the preset "First look" without an
end, started one after the other and watched together for --seconds. Events carry no time of the
day, but a progress event carries `elapsed_s`, read from the system's monotonic clock in the
worker when it was made. arrival - elapsed_s is therefore the delay plus a constant of the run,
and
  delay            that sum less its smallest value in the run: how much later than the quickest
                   event this one came, from its making in the worker to its arrival
  round trip       POST of a live change (beta), to the run's `changed` event over the stream: an
                   upper bound for the constant that `delay` leaves out (the request, the wait
                   between two steps and the way back are in it)
  gap              between two progress events that follow each other; they are made at 10 Hz
  foreign events   arrived events that do not belong to the own run: its numbers (`seq`) must
                   grow, and the two lists of runs must be disjoint
First with two plain clients of the event stream; then, --browsers being 1, with two browser
contexts in one headless Chromium: arrival is then in the page, at the store's listener, and
  longest frame    is the gap between animation frames of each page (a page that stalls has long
                   ones), p95 and maximum over all frames of both pages

    python tests/benchmarks/two_clients.py [--seconds 20] [--rounds 1] [--browsers 1] [--json]
"""

from __future__ import annotations

import itertools
import time
from typing import Any

from common import App, Client, Listener, Report, arguments, chromium, open_page, server
from live_view_cost import first_look

LONG = 1_000_000
NOTE = """
window.arrivals = [];
window.frames = [];
let last = null;
const turn = (now) => {
  if (last !== null) window.frames.push(now - last);
  last = now;
  requestAnimationFrame(turn);
};
requestAnimationFrame(turn);
"""


def main() -> None:
    """Measure both ways and print the table."""
    parser = arguments(__doc__ or "", rounds=1, seconds=20.0, browsers=1)
    options = parser.parse_args()
    report = Report("Two people training at once")
    streams: dict[str, list[float]] = {"delay": [], "round trip": [], "gap": [], "foreign": []}
    pages: dict[str, list[float]] = {"delay": [], "gap": [], "foreign": [], "frame": []}
    with server() as app:
        for _ in range(options.rounds):
            collect(streams, with_streams(app, options.seconds))
        if options.browsers:
            with chromium() as browser:
                for _ in range(options.rounds):
                    collect(pages, with_pages(browser, app, options.seconds))
    report.add("stream: delay", streams["delay"], bar=150.0)
    report.add("stream: round trip of a change", streams["round trip"], bar=300.0)
    report.add("stream: gap", streams["gap"])
    report.add("stream: foreign", streams["foreign"], unit="events", bar=0.0, of="max")
    if options.browsers:
        report.add("page: delay", pages["delay"], bar=150.0)
        report.add("page: gap", pages["gap"])
        report.add("page: frame", pages["frame"])
        report.add("page: foreign", pages["foreign"], unit="runs", bar=0.0, of="max")
    report.show(options.json)


def collect(into: dict[str, list[float]], found: dict[str, list[float]]) -> None:
    """Append what a round found."""
    for name, values in found.items():
        into[name] += values


def with_streams(app: App, seconds: float) -> dict[str, list[float]]:
    """Two plain clients."""
    people = [Client(app.address) for _ in range(2)]
    config = first_look(people[0])
    runs = [person.start(config, max_steps=LONG) for person in people]
    listeners = [Listener(p, run) for p, run in zip(people, runs, strict=True)]
    for listener in listeners:
        listener.wait(lambda event: event["kind"] == "progress" and event["step"] > 10)
    begun = [len(listener.arrived) for listener in listeners]
    trips = []
    until = time.monotonic() + seconds
    for number in itertools.count(1):
        if time.monotonic() > until:
            break
        trips += [change(p, r, 1 + number / 1000) for p, r in zip(people, listeners, strict=True)]
        time.sleep(0.5)
    mine = [{run["id"] for run in person.call("runs")["runs"]} for person in people]
    foreign = float(len(mine[0] & mine[1]))
    found: dict[str, list[float]] = {"delay": [], "round trip": trips, "gap": [], "foreign": []}
    for listener, start in zip(listeners, begun, strict=True):
        arrived = listener.arrived[start:]
        marks = [(at, e["elapsed_s"]) for at, e in arrived if e["kind"] == "progress"]
        found["delay"] += delays(marks)
        found["gap"] += gaps(marks)
        numbers = [event["seq"] for _, event in arrived]
        foreign += sum(b <= a for a, b in itertools.pairwise(numbers))
    found["foreign"] = [foreign]
    for person, run in zip(people, runs, strict=True):
        person.command(run, "stop")
    for person in people:
        person.until_all_ended()
    return found


def change(person: Client, listener: Listener, beta: float) -> float:
    """Change beta while the run trains; return the ms until the stream says so."""
    place = len(listener.arrived)
    began = time.monotonic()
    person.command(listener.run, "set", field="beta", value=beta)
    arrived, _ = listener.wait(lambda event: event["kind"] == "changed", after=place)
    return 1000 * (arrived - began)


def with_pages(browser: Any, app: App, seconds: float) -> dict[str, list[float]]:
    """Two browser contexts."""
    pages = [open_page(browser, app, NOTE) for _ in range(2)]
    runs = []
    for page in pages:
        page.until_quiet()
        page.set_steps(LONG)
        runs.append(page.train())
    for page in pages:
        page.until_state("running")
        page.until_step(20)
    for page in pages:
        page.value(
            """() => {
              window.frames.length = 0;
              window.Play.store.on("progress", (event) => {
                window.arrivals.push([performance.now() / 1000, event.elapsed_s]);
              });
            }"""
        )
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for page in pages:
            page.page.wait_for_timeout(250)  # lets Playwright's own loop turn
    found: dict[str, list[float]] = {"delay": [], "gap": [], "foreign": [], "frame": []}
    for page, run in zip(pages, runs, strict=True):
        marks = page.value("window.arrivals")
        found["delay"] += delays(marks)
        found["gap"] += gaps(marks)
        found["frame"] += page.value("window.frames")
        listed = page.value("async () => (await window.Play.store.api('runs')).runs")
        found["foreign"].append(float(sum(other["id"] != run for other in listed)))
        page.stop()
        page.page.context.close()
    return found


def delays(marks: list[tuple[float, float]]) -> list[float]:
    """Return how many ms later than the quickest event each came."""
    sums = [arrival - elapsed for arrival, elapsed in marks]
    return [1000 * (value - min(sums)) for value in sums]


def gaps(marks: list[tuple[float, float]]) -> list[float]:
    """Return the ms between events that follow each other."""
    return [1000 * (b[0] - a[0]) for a, b in itertools.pairwise(marks)]


if __name__ == "__main__":
    main()
