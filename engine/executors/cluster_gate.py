"""The process that talks to Ray, so that the web process need not.

Ray ends a driver whose cluster is gone, brings threads and handlers of its own and a hundred
megabytes; here all that happens beside the page, over one pipe.
"""

from __future__ import annotations

import asyncio
import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from engine.executors.cluster_pool import LOCAL, Gate, Options

CONNECT_S = 40.0
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_DEDUP_LOGS": "0",
}


def main(pipe: Connection, options: Options) -> None:
    """Connect to the cluster and serve; what goes wrong at the start is told as a sentence."""
    from engine.executors.worker import _die_with_parent

    _die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends the gate, by the pipe
    try:
        gate = _connected(pipe, options)
    except Exception as error:
        pipe.send(("sorry", refusal(options.address, error)))
        return
    pipe.send(("up", {}))
    try:
        asyncio.run(gate.serve())
    finally:
        gate.probe.close()
        gate.end()
        pipe.close()
        os._exit(0)  # Ray would wait for a head that may be gone; its actors end with this process


def _connected(pipe: Connection, options: Options) -> Gate:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if options.address == LOCAL:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # all of it on 127.0.0.1
        quiet |= {
            "num_cpus": options.workers or os.cpu_count() or 1,
            "include_dashboard": False,
            "object_store_memory": 128 * 2**20,
        }
    gate = Gate(pipe, options)
    gate.ray.init(address=options.address, ignore_reinit_error=False, **quiet)
    return gate


def refusal(address: str, error: BaseException) -> str:
    """Return the sentence for a cluster that cannot be reached."""
    if isinstance(error, ImportError):
        return "Ray is not installed; run pip install -r requirements-ray.txt, or leave --ray away."
    where = "on this machine" if address == "auto" else f"at {address}"
    reason = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")[:160]
    return (
        f"No Ray cluster answers {where}; start one as playground/CLUSTER.md says, or leave "
        f"--ray away ({type(error).__name__}{': ' if reason else ''}{reason})."
    )
