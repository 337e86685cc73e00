"""A room of people on one machine: what the page costs, whether turns are fair, what stays behind.

Starts `python app.py` with an empty folder of runs and simulates what pages really do (the files
they load are recorded once in Chromium; then requests over raw sockets, at nice 5: below the
server, above its workers). What is measured, each with its bar in the table that is printed:

  hundred   100 pages open for --minutes, 2 of their runs train, half of the pages hold an event
            stream and half ask every 0.7 s; each clicks every 4 to 12 s on an explorer of a
            shipped checkpoint. poll = from sending GET …/events?poll=1 to the last byte; click =
            the same of POST …/explore/…; lost events = those of kinds that nothing replaces
            (metrics, alerts, changes, saves) that a reference reader has and a session has not,
            between its attaching and the run's end. Steps/s of the two runs without pages, then
            with. Memory of the web process; growth after the first 5 minutes (or first third)
  burst     30 people press Train (first preset) within a second: time and state of each answer;
            once a second all views are read: among those under way the largest difference of
            served_s and of waiting_s, in slices (slice_s) then in force; first pictures; the end
  storm     100 starts within a second: answers, places, shares of service after --seconds; then
            30 page loads in 10 s, each with all files and its first pictures
  soak      20 sessions come and go with --count tiny runs: memory, descriptors, threads, files
  rehearse  adds pages in steps until a bar of `hundred` is missed, and says how many it carries

    python tests/benchmarks/room.py hundred [--minutes 3] [--sessions 100] [--json FILE]
    python tests/benchmarks/room.py burst [--people 30] [--json FILE]
    python tests/benchmarks/room.py storm [--people 100] [--loads 30] [--seconds 240]
    python tests/benchmarks/room.py soak [--sessions 20] [--count 500]
    python tests/benchmarks/room.py rehearse [--step 25] [--most 200] [--seconds 20]

The exit status is 1 when a bar is missed. The figures mean little beside another busy process:
the load average before and after stands in the table.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from common import Client, serving
from room_burst import burst
from room_hundred import hundred, rehearse
from room_machine import be_nice
from room_page import recorded
from room_soak import soak
from room_storm import storm

SCENARIOS = {f.__name__: f for f in (hundred, burst, storm, soak, rehearse)}
LOADS_PAGES = ("hundred", "storm", "rehearse")


def main(arguments: list[str] | None = None) -> int:
    """Run one scenario; return 1 when a bar is missed."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        with serving(runs, options.workers) as app:
            warm = Client(app.address)
            warm.start(max_steps=20)
            warm.until_all_ended()
            files = recorded(app.address) if options.scenario in LOADS_PAGES else []
            be_nice()
            table = asyncio.run(SCENARIOS[options.scenario](app, files, options))
    table.facts["workers"] = options.workers
    return table.show(options.json)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="scenario", required=True)
    numbers = {
        "hundred": {"sessions": 100, "minutes": 3.0},
        "burst": {"people": 30, "steps": 0},
        "storm": {"people": 100, "loads": 30, "seconds": 240.0},
        "soak": {"sessions": 20, "count": 500},
        "rehearse": {"step": 25, "most": 200, "seconds": 20.0},
    }
    for name, known in numbers.items():
        one = commands.add_parser(name)
        for option, default in known.items():
            one.add_argument(f"--{option}", type=type(default), default=default)
        one.add_argument("--workers", type=int, default=2, help="runs that train at once")
        one.add_argument("--json", metavar="FILE", help="write the table to a file too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
