"""How the server is doing: /healthz for machines, a status page for people.

Nothing here names a person, a title, a run's id or a token. A public host shows counts only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from playground import ops_page
from playground.answers import JSON
from playground.ops_meter import Meter, Traffic
from playground.routes import PREFIX
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

log = logging.getLogger("playground")
__all__ = ["Meter", "Traffic", "health", "routes", "version"]

ANSWER_S = 2.0  # within which the engine must say how it is
FRESH_S = 1.0  # a status is asked for at most so often
WRITE_EVERY_S = 10.0
SILENT_S = 120.0  # a worker that is not heard of for so long does not answer
STARTING_S = 90.0  # in which workers may still be on their way
LEAST_DISK_MB = 100
NO_STORE = {"Cache-Control": "no-store"}
COUNTS = ("slots", "running", "queued", "frozen", "runs", "device", "gpu_memory_mb", "disk_free_mb")


def routes(service: Service, traffic: Traffic | None = None, public: bool = False) -> list[Route]:
    """Return the routes of health and status; `public` leaves out all but counts."""
    watch = Watch(service, traffic or Traffic(), public)
    return [
        Route("/healthz", watch.healthz, methods=["GET"]),
        Route(PREFIX + "/healthz", watch.healthz, methods=["GET"]),
        Route(PREFIX + "/status.json", watch.status_json, methods=["GET"]),
        Route(PREFIX + "/status", _page, methods=["GET"]),
    ]


class Watch:
    """Asks the engine how it is, in a thread of its own that no one else can fill."""

    def __init__(self, service: Service, traffic: Traffic, public: bool) -> None:
        self.service, self.traffic, self.public = service, traffic, public
        self.began = time.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ops")
        self._asked: tuple[float, asyncio.Future[dict[str, Any]]] | None = None
        self._wrote, self._unwritable = 0.0, ""

    async def healthz(self, request: Request) -> Response:
        """Answer 200 when all is well, else 503 with the reasons."""
        try:
            reasons = health(await self.engine())
        except asyncio.TimeoutError:
            reasons = [t("ops.silent", seconds=int(ANSWER_S))]
        except Exception:
            reasons = [t("ops.unknown")]
        code = 503 if reasons else 200
        return JSON({"ok": not reasons, "reasons": reasons}, code, headers=NO_STORE)

    async def status_json(self, request: Request) -> Response:
        """Answer everything that the page shows."""
        try:
            engine = await self.engine()
            reasons = health(engine)
        except asyncio.TimeoutError:
            engine, reasons = {}, [t("ops.silent", seconds=int(ANSWER_S))]
        except Exception:
            engine, reasons = {}, [t("ops.unknown")]
        shown = only_counts(engine) if self.public else without_ids(engine)
        web = {"version": version(), "uptime_s": round(time.monotonic() - self.began), **_process()}
        body = {
            "ok": not reasons,
            "reasons": reasons,
            "public": self.public,
            "engine": shown,
            "web": {
                **web,
                "connections": self.traffic.connections,
                "streams": self.traffic.streams,
            },
            "traffic": self.traffic.minute(),
            "refusals": {str(k): v for k, v in sorted(self.traffic.totals.items())},
        }
        return JSON(body, headers=NO_STORE)

    async def engine(self) -> dict[str, Any]:
        """Return `store.status()` and whether the disk can be written, at most a second old."""
        now = time.monotonic()
        if self._asked is None or (now - self._asked[0] > FRESH_S and self._asked[1].done()):
            loop = asyncio.get_running_loop()
            self._asked = now, loop.run_in_executor(self._thread, self._look)
        return await asyncio.wait_for(asyncio.shield(self._asked[1]), ANSWER_S)

    def _look(self) -> dict[str, Any]:
        try:
            found = dict(self.service.store.status())
        except Exception:
            log.exception("status failed", extra={"event": "error"})
            raise
        now = time.monotonic()
        if now - self._wrote > WRITE_EVERY_S:
            self._wrote, self._unwritable = now, unwritable(self.service.store.root)
        if found.get("device") == "auto":  # each worker looks for itself, and finds the same
            found["device"] = "cpu" if found.get("gpu_memory_mb") is None else "cuda"
        return {**found, "unwritable": self._unwritable}


def health(engine: dict[str, Any]) -> list[str]:
    """Return what is wrong, one sentence each; nothing when all is well."""
    reasons = []
    if engine.get("closing"):
        reasons.append(t("ops.closing"))
    if engine.get("unwritable"):
        reasons.append(t("ops.disk_unwritable", reason=engine["unwritable"]))
    free = engine.get("disk_free_mb")
    if free is not None and free < LEAST_DISK_MB:
        reasons.append(t("ops.disk_full", free=int(free)))
    workers = engine.get("workers") or []
    alive = [w for w in workers if w.get("pid") and w.get("state") != "dead"]
    beats = [w["beat_s"] for w in workers if w.get("beat_s") is not None]  # of those at work
    local = engine.get("kind", "process") == "process"  # elsewhere none may be there between runs
    if not engine.get("slots"):
        reasons.append(t("ops.no_slots"))
    elif local and not alive and engine.get("uptime_s", 0) > STARTING_S:
        reasons.append(t("ops.no_workers"))
    elif beats and min(beats) > SILENT_S:
        reasons.append(t("ops.workers_silent", seconds=int(SILENT_S)))
    return reasons


def only_counts(engine: dict[str, Any]) -> dict[str, Any]:
    """Return what a public host may show: numbers, no processes and no models."""
    workers = engine.get("workers") or []
    waits = engine.get("waits_s") or []
    return {
        **{name: engine.get(name) for name in COUNTS},
        "workers_up": sum(bool(w.get("pid")) for w in workers),
        "longest_wait_s": max(waits, default=None),
    }


def without_ids(engine: dict[str, Any]) -> dict[str, Any]:
    """Return the status with the workers' runs as yes or no: an id lets its holder look."""
    names = ("pid", "model", "state", "rss_mb", "beat_s")
    workers = [
        {**{name: worker.get(name) for name in names}, "run": bool(worker.get("run"))}
        for worker in engine.get("workers") or []
    ]
    explorer = engine.get("explorer")
    return {
        **only_counts(engine),
        "waits_s": engine.get("waits_s"),
        "workers": workers,
        "explorer": explorer and {name: explorer.get(name) for name in ("pid", "rss_mb")},
    }


def unwritable(folder: Path) -> str:
    """Return why a folder cannot be written, or an empty text."""
    probe = folder / f".health.{os.getpid()}"
    try:
        probe.write_bytes(b"ok")
        probe.unlink()
    except OSError as error:
        return os.strerror(error.errno or 0)
    return ""


def version() -> str:
    """Return the playground's version: the installed one, else what pyproject.toml says."""
    try:
        return metadata.version("generative-playground")
    except metadata.PackageNotFoundError:
        file = Path(__file__).parent.parent / "pyproject.toml"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        found = [line.split('"')[1] for line in lines if line.startswith("version = ")]
        return found[0] if found else "dev"


async def _page(request: Request) -> Response:
    return HTMLResponse(ops_page.page(), headers=NO_STORE)


def _process() -> dict[str, Any]:
    """Return memory, threads and open files of the web process; None where /proc is missing."""
    rss = files = None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        rss = round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
        files = len(os.listdir("/proc/self/fd"))
    except (OSError, ValueError, IndexError):
        rss = rss or None
    return {"rss_mb": rss, "threads": threading.active_count(), "files": files}
