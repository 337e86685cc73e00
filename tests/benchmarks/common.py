"""What the benchmarks share: the server, a client of its API, Chromium, statistics, a table."""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import httpx  # noqa: E402
from browser.server import App, free_port, serving  # noqa: E402

from tests.chromium import chromium  # noqa: E402

__all__ = ["ROOT", "App", "Client", "Listener", "Report", "Row", "arguments", "chromium"]
__all__ += ["cpu_seconds", "free_port", "open_page", "percentile", "server", "serving", "tree"]
ENDED = ("finished", "stopped", "diverged", "failed", "interrupted")


# ---- statistics ---------------------------------------------------------------------------------


@dataclass
class Row:
    """One measured quantity; `bar` is what it must not exceed, or reach when `at_least`."""

    name: str
    values: Sequence[float]
    unit: str = "ms"
    bar: float | None = None
    of: str = "p95"  # the statistic that the bar is for
    at_least: bool = False
    note: str = ""

    def statistics(self) -> dict[str, Any]:
        """Return count, median, p95, extremes, and whether the bar is reached."""
        values = sorted(self.values)
        found: dict[str, Any] = {"name": self.name, "unit": self.unit, "n": len(values)}
        if values:
            found |= {
                "median": statistics.median(values),
                "p95": percentile(values, 0.95),
                "min": values[0],
                "max": values[-1],
            }
        if self.bar is not None:
            reached = found.get(self.of, math.nan)
            good = reached >= self.bar if self.at_least else reached <= self.bar
            found |= {"bar": self.bar, "of": self.of, "reached": good}
        if self.note:
            found["note"] = self.note
        return found


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass
class Report:
    """Rows with what was measured, on what, under which load."""

    title: str
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    load_before: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def add(self, name: str, values: Sequence[float], **more: Any) -> None:
        """Add a row."""
        self.rows.append(Row(name, list(values), **more))

    def show(self, as_json: bool) -> None:
        """Print the table, or one JSON object."""
        machine = {
            "cpus": os.cpu_count(),
            "load_1min_before": round(self.load_before[0], 2),
            "load_1min_after": round(os.getloadavg()[0], 2),
        }
        rows = [row.statistics() for row in self.rows]
        if as_json:
            print(json.dumps({"title": self.title, **machine, **self.facts, "rows": rows}))
            return
        print(self.title)
        print("  ".join(f"{name} {value}" for name, value in {**machine, **self.facts}.items()))
        print(f"{'':46}{'n':>5}{'median':>10}{'p95':>10}{'min':>10}{'max':>10}  {'unit':9}bar")
        for row in rows:
            cells = "".join(_cell(row.get(key)) for key in ("median", "p95", "min", "max"))
            print(f"{row['name']:46}{row['n']:>5}{cells}  {row['unit']:9}{_bar(row, self.rows)}")
        for row in rows:
            if "note" in row:
                print(f"  {row['name']}: {row['note']}")


def _cell(value: float | None) -> str:
    if value is None:
        return f"{'–':>10}"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:>10,.{digits}f}"


def _bar(row: dict[str, Any], rows: list[Row]) -> str:
    if "bar" not in row:
        return ""
    sign = ">=" if next(r for r in rows if r.name == row["name"]).at_least else "<="
    return f"{row['of']} {sign} {row['bar']:g} {'ok' if row['reached'] else 'MISSED'}"


def arguments(doc: str, rounds: int, **more: Any) -> argparse.ArgumentParser:
    """Return a parser with --rounds and --json; `doc` is the script's docstring."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser


# ---- server and client --------------------------------------------------------------------------


@contextmanager
def server(workers: int = 2) -> Iterator[App]:
    """Run the app with an empty folder of runs; its workers are warm when it is given out."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        with serving(runs, workers) as app:
            warm = Client(app.address)
            for _ in range(workers):
                warm.start(max_steps=20)
            warm.until_all_ended()
            yield app


class Client:
    """A person who talks to the routes without a browser."""

    def __init__(self, address: str, owner: str | None = None) -> None:
        self.owner = owner or secrets.token_urlsafe(18)
        self.http = httpx.Client(
            base_url=f"{address}/gradio_api/play/",
            headers={"X-Play-Owner": self.owner},
            timeout=60,
            trust_env=False,
        )

    def call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """GET, or POST a body; return the JSON, raise on a refusal."""
        answer = self.http.get(path) if body is None else self.http.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def start(self, config: dict[str, Any] | None = None, **more: Any) -> str:
        """Start a VAE on MNIST; return the run's id."""
        body = {"model": "vae", "dataset": "mnist", "config": config or {}, "seed": 0, **more}
        return str(self.call("runs", body)["id"])

    def command(self, run: str, name: str, **more: Any) -> None:
        """Command a run."""
        self.call(f"runs/{run}/commands", {"command": name, **more})

    def view(self, run: str) -> dict[str, Any]:
        """Return the RunView."""
        return self.call(f"runs/{run}")

    def until(self, run: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at a run twenty times a second until a condition holds; return its view."""
        deadline = time.monotonic() + 120
        while not condition(view := self.view(run)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run} is {view['state']} at step {view['step']}")
            time.sleep(0.05)
        return view

    def until_all_ended(self) -> None:
        """Wait until no run of this owner is under way."""
        for run in self.call("runs")["runs"]:
            self.until(run["id"], lambda view: view["state"] in ENDED)

    def progress(self, run: str) -> tuple[int, float]:
        """Return step and elapsed seconds of the newest progress event."""
        for event in reversed(self.call(f"runs/{run}/events?after=0&poll=1")["events"]):
            if event["kind"] == "progress":
                return event["step"], event["elapsed_s"]
        return 0, 0.0


class Listener:
    """A thread that reads a run's stream and notes when each event arrived."""

    def __init__(self, client: Client, run: str) -> None:
        self.client, self.run = client, run
        self.arrived: list[tuple[float, dict[str, Any]]] = []
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], after: int = 0, timeout_s: float = 60.0
    ) -> tuple[float, dict[str, Any]]:
        """Return the first arrival from place `after` on that is wanted."""
        deadline = time.monotonic() + timeout_s
        with self.news:
            place = after
            while True:
                while place < len(self.arrived):
                    if wanted(self.arrived[place][1]):
                        return self.arrived[place]
                    place += 1
                if not self.news.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"run {self.run} did not say what was waited for")

    def _read(self) -> None:
        address = f"runs/{self.run}/events"
        with self.client.http.stream("GET", address, timeout=None) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    now = time.monotonic()
                    event = json.loads(line[6:])
                    with self.news:
                        self.arrived.append((now, event))
                        self.news.notify_all()
                    if event["kind"] == "status" and event["state"] in ENDED:
                        return


# ---- processes ----------------------------------------------------------------------------------


def tree(root: int) -> dict[int, str]:
    """Return the descendants of a process: pid to command name."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it has just ended
        name = text[text.index("(") + 1 : text.rindex(")")]
        parents[int(folder.name)] = int(text[text.rindex(")") + 2 :].split()[1]), name
    found: dict[int, str] = {}
    fresh = [root]
    while fresh:
        fresh = [pid for pid, (parent, _) in parents.items() if parent in fresh]
        found |= {pid: parents[pid][1] for pid in fresh}
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time that processes have taken so far, all their threads together."""
    ticks = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        user, system = text[text.rindex(")") + 2 :].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


# ---- Chromium -----------------------------------------------------------------------------------


def open_page(browser: Any, app: App, script: str = "", path: str = "/", kind: Any = None) -> Any:
    """Open the app as a new person, `script` first; return a `Playground`, or one of its `kind`."""
    from browser.page import Playground

    context = browser.new_context(base_url=app.address, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(60_000)
    if script:
        context.add_init_script(script)
    return (kind or Playground).open(context, path)
