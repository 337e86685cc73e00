"""What a server does with the runs that an earlier one left on disk."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path

from engine.errors import PlaygroundError
from engine.eventlog import EventLog
from engine.events import ACTIVE
from engine.journal import Journal
from engine.run_record import Run
from engine.run_table import RunTable
from engine.spec import RunSpec
from engine.turns import Turns

log = logging.getLogger("playground.runs")

REVIVALS = 2  # of a run that gets no further meanwhile: it may be what takes the server down
SEQ_LEAP = 10_000_000  # numbers that an earlier server may have given since it was written down
AGAIN = "The server was restarted; your run goes on."
INTERRUPTED = "The server was restarted; continue the run."
SUSPECT = "The server went down {count} times during this run; continue it if you want to."


def take_over(table: RunTable, turns: Turns, basis: RunSpec) -> None:
    """Read all runs; those that were under way wait for a worker again."""
    found = []
    for path in sorted(table.root.glob("*/run.json")):
        try:
            found.append(_read(path.parent, basis))
        except (OSError, ValueError, KeyError, TypeError, PlaygroundError) as error:
            log.warning("run %s on disk cannot be read: %s", path.parent.name, error)
    found.sort(key=lambda run: run.created)
    for run in found:
        table.runs[run.id] = run
    for run in found:
        if run.state in ACTIVE:
            _revive(table, turns, run)
    log.info("runs taken over", extra={"event": "runs_restored", "count": len(found)})


def _read(folder: Path, basis: RunSpec) -> Run:
    journal = Journal(folder)
    described = journal.description()
    run = Run.from_disk(described, folder, basis)
    run.journal.sweep()
    # a page that comes back knows larger numbers of the earlier server's events; the wall
    # clock may have been put back since
    told = int(described.get("last_seq") or 0)
    run.log = EventLog(max(told + SEQ_LEAP, time.time_ns() // 1_000_000), told)
    _merge_changes(run)
    if run.ended_at is not None:
        run.ended_since = time.monotonic() - max(0.0, time.time() - run.ended_at)
    return run


def _merge_changes(run: Run) -> None:
    """Add the changes that were made after the run was last written down."""
    known, new = Counter(run.changes), []
    for change in run.journal.changes():
        if known[change] > 0:
            known[change] -= 1
        else:
            new.append(change)
    run.changes = sorted([*run.changes, *new], key=lambda change: change[0])
    made = [(name, value) for _, name, value in new]
    run.pending = [asked for asked in run.pending if asked not in made]


def _revive(table: RunTable, turns: Turns, run: Run) -> None:
    was = run.state
    step = max(run.checkpoints, default=-1)
    run.log.refill(run.journal.past())
    turns.settle(run)
    if was == "paused":
        table.go_back(run)
        table.status(run, "paused", run.message, turns.place(run))
        return
    begun = was == "running"
    run.revivals = run.revivals + 1 if run.revived_at == step else 1
    run.revived_at = step
    if begun and step < 0:
        table.status(run, "interrupted", INTERRUPTED)
    elif was != "queued" and run.revivals > REVIVALS:
        table.status(run, "interrupted", SUSPECT.format(count=run.revivals))
    else:
        run.step = table.go_back(run) if begun or step >= 0 else run.step
        log.info("run resumed", extra={"event": "run_resumed", "run": run.id, "step": run.step})
        turns.enqueue(run, AGAIN)
