"""How soon a run goes on after its worker was killed with SIGKILL.

A run store and a pool of workers as the app has them, in this process; the bare minimum of a
page is an observer of the run's events. Each round trains a run (the preset "First look"
without an end, so that it has checkpoints), kills its worker with signal 9, and measures from
just before the kill to
  noticed        the store has put the run back in the queue
  worker ready   a worker forked after the kill says that it is ready for a run; with one worker
                 it is the one that takes the run
  taken          another process has the run: it has said `running`, data and checkpoint loaded
  next step      the first new step's metrics have come
`--workers 1` (the default) is the hard case: nobody is idle, so a new worker must be forked.
With --workers 2 an idle one takes the run at once, and the new one is only its substitute.

    python tests/benchmarks/worker_restart.py [--rounds 10] [--workers 1] [--json]
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import Report, arguments

OWNER = "owner-of-the-benchmark"
LONG = 1_000_000
LIMIT_S = 60.0


def main() -> None:
    """Run the rounds and print the table."""
    options = arguments(__doc__ or "", rounds=10, workers=1).parse_args()
    report = Report("A run goes on after kill -9 of its worker")
    report.facts = {"workers": options.workers}
    from engine.executors.process import ProcessExecutor
    from engine.runs import RunStore

    executor = ProcessExecutor(options.workers, device="cpu")
    executor.warm()
    columns: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder), executor)
        try:
            one_round(store, executor)  # warms caches
            for _ in range(options.rounds):
                for name, value in one_round(store, executor).items():
                    columns.setdefault(name, []).append(value)
        finally:
            store.close()
            executor.close()
    for name, values in columns.items():
        bar = 500.0 if name in ("worker ready", "taken") else None
        report.add(name, values, bar=bar)
    report.show(options.json)


def one_round(store: Any, executor: Any) -> dict[str, float]:
    """Train, kill, watch, stop; return the ms to each stage."""
    ready = executor._idle + executor._busy
    until(lambda: all(worker.ready.is_set() for worker in ready))
    run = store.start(OWNER, "vae", "mnist", first_look(), max_steps=LONG)
    until(lambda: len(store.view(run)["checkpoints"]) > 0)
    pid = store._runs[run].handle.pid
    known = {worker.pid for worker in executor._idle + executor._busy}
    last = store.view(run)["last_seq"]
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    stages: dict[str, Callable[[], bool]] = {
        "noticed": lambda: told(store, run, last, "queued"),
        "worker ready": lambda: any(
            worker.ready.is_set() and worker.pid not in known
            for worker in executor._idle + executor._busy
        ),
        "taken": lambda: told(store, run, last, "running"),
        "next step": lambda: trained(store, run, last),
    }
    found = {}
    deadline = began + LIMIT_S
    while len(found) < len(stages):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"after {LIMIT_S:.0f} s only {', '.join(found)} has happened")
        for name, reached in stages.items():
            if name not in found and reached():
                found[name] = 1000 * (time.perf_counter() - began)
        time.sleep(0.001)
    assert store._runs[run].handle.pid != pid
    store.command(OWNER, run, {"command": "stop"})
    until(lambda: store.view(run)["state"] == "stopped" and store._runs[run].handle is None)
    store.delete(OWNER, run)
    return {name: found[name] for name in stages}


def first_look() -> dict[str, Any]:
    """Return the settings of the preset "First look"."""
    from engine.registry import entry

    return dict(entry("vae").preset_list[0].config)


def told(store: Any, run: str, after: int, state: str) -> bool:
    """Say whether a status came after an event's number."""
    return any(
        event.meta["kind"] == "status" and event.meta["state"] == state
        for event in store.events(run, after)
    )


def trained(store: Any, run: str, after: int) -> bool:
    """Say whether training metrics came after `running`."""
    events = store.events(run, after)
    begun = [e.seq for e in events if e.meta["kind"] == "status" and e.meta["state"] == "running"]
    return bool(begun) and any(
        e.seq > begun[-1] and e.meta["kind"] == "metrics" and e.meta["split"] == "train"
        for e in events
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what the benchmark waits for has not come")
        time.sleep(0.005)


if __name__ == "__main__":
    main()
