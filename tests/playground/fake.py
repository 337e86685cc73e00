"""A service without an engine: routes, stream and page can be tried in milliseconds."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import json
import math
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from engine import commands, data, registry
from engine.errors import Forbidden, NotFound, Rejected
from engine.eventlog import Entry
from playground.belongings import Belongings
from playground.rate_limits import Arrivals
from playground.repeats import Repeats
from playground.service import describe_model

CHECKPOINT = "vae/mnist-2d"
EXTENT = [-4.0, 4.0, -4.0, 4.0]


def picture(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def points(spread: float, count: int = 3000) -> dict[str, Any]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, count).astype(np.uint8)
    angle = labels * 2 * math.pi / 10
    centre = np.stack([np.cos(angle), np.sin(angle)], 1) * 2 * spread
    xy = (centre + random.normal(0, 0.4, (count, 2))).astype("<f4")
    return {
        "type": "points",
        "start": 0,
        "total": count,
        "xy": base64.b64encode(xy.tobytes()).decode(),
        "labels": base64.b64encode(labels.tobytes()).decode(),
        "axes": ["z1", "z2"],
    }


def sheet(n: int, extent: list[float] | None, phase: float) -> dict[str, Any]:
    y, x = np.mgrid[0 : n * 28, 0 : n * 28] / (n * 28)
    pixels = (127 + 127 * np.sin(12 * x + phase) * np.cos(9 * y)).astype(np.uint8)
    return {
        "type": "sheet",
        "src": picture(pixels),
        "rows": n,
        "columns": n,
        "tile": [28, 28],
        "extent": extent,
        "captions": None,
        "alt": "waves",
    }


class FakeRun:
    def __init__(self, run_id: str, owner: str, body: dict[str, Any]) -> None:
        self.owner, self.log, self.news = owner, [], asyncio.Event()
        self.seq, self.task, self.paused, self.allowance = itertools.count(1), None, False, 0
        self.view = {
            "id": run_id,
            "model": body["model"],
            "dataset": body["dataset"],
            "title": body.get("title") or run_id,
            "config": body["config"],
            "seed": body["seed"],
            "state": "starting",
            "step": 0,
            "max_steps": body["max_steps"],
            "epoch": 0.0,
            "steps_per_s": None,
            "samples_per_s": None,
            "elapsed_s": 0.0,
            "remaining_s": None,
            "device": "cpu",
            "position": None,
            "eta_s": None,
            "message": None,
            "last_seq": 0,
            "created": time.time(),
            "parent": body.get("resume"),
            "rewind": None,
            "checkpoints": [],
        }

    def tell(self, kind: str, **values: Any) -> None:
        event = {"kind": kind, "step": self.view["step"], **values}
        entry = Entry(next(self.seq), event, json.dumps(event).encode())
        self.view["last_seq"] = entry.seq
        if kind == "status":
            self.view |= {"state": values["state"], "message": values.get("message")}
        self.log.append(entry)
        self.news.set()
        self.news = asyncio.Event()

    async def train(self) -> None:
        self.tell("status", state="running", message=None, detail=None)
        started, view = time.monotonic(), self.view
        while view["max_steps"] is None or view["step"] < view["max_steps"]:
            if self.paused and not self.allowance:
                await asyncio.sleep(0.02)
                continue
            taken = 1 if self.paused else 40
            self.allowance = max(0, self.allowance - taken)
            await asyncio.sleep(0.1)
            if self.paused and taken > 1:
                continue
            view["step"] += taken
            self._measure(time.monotonic() - started)
        self.tell("status", state="finished", message=None, detail=None)
        self.tell("saved", name="latest", checkpoint={"step": view["step"]})

    def _measure(self, elapsed: float) -> None:
        view = self.view
        step = view["step"]
        loss = 140 + 400 * math.exp(-step / 300)
        rate = view["config"].get("learning_rate", 0.001)
        values = {"loss": loss, "elbo_nats": -loss, "reconstruction_nats": loss - 6, "kl_nats": 6}
        values |= {"grad_norm": 3.0, "beta": 1.0, "learning_rate": rate}
        self.tell("metrics", split="train", values=values)
        progress = {
            "epoch": step * 128 / 60000,
            "steps_per_s": 400.0,
            "samples_per_s": 51200.0,
            "elapsed_s": elapsed,
            "remaining_s": 3.0,
            "device": "cpu",
            "preview_share": 0.03,
        }
        view |= progress
        self.tell("progress", **progress)
        if step > 400 and rate >= 1:
            lower = {"learning_rate": 0.0005}
            view["rewind"] = {"step": 400, **lower, "config": lower}
            message = f"This run diverged at step {step} (loss became NaN)."
            self.tell("status", state="diverged", message=message, rewind=view["rewind"])
            raise asyncio.CancelledError
        if step % 80 == 0 and view["model"] == "vae":
            self.tell("preview", name="map", payload=points(min(1, step / 800)), kept=True)
            self.tell("preview", name="grid", payload=sheet(15, EXTENT, step / 200), kept=False)


class FakeService:
    """What `playground.service.Service` offers, with made-up runs."""

    def __init__(self) -> None:
        self.all: dict[str, FakeRun] = {}
        self.numbers = itertools.count(1)
        self.room: Any = None
        self.store = SimpleNamespace(executor=None)
        self.repeats, self.arrivals = Repeats(), Arrivals()
        self.belongings = Belongings(Path(tempfile.gettempdir()))

    async def catalogue(self, viewer: str | None = None) -> dict[str, Any]:
        return self.describe()

    def describe(self, viewer: str | None = None) -> dict[str, Any]:
        config = registry.entry("vae").config_class().to_dict()
        return {
            "models": [describe_model(e) for e in registry.MODELS.values()],
            "datasets": data.describe(),
            "checkpoints": [
                {
                    "name": CHECKPOINT,
                    "model": "vae",
                    "dataset": "mnist",
                    "config": config,
                    "metrics": {"test/elbo_nats": -142.1},
                    "step": 9380,
                    "title": "VAE, 2 dimensions, MNIST",
                }
            ],
            "published": [p.to_dict() for e in registry.MODELS.values() for p in e.published],
            "device": "cpu",
            "limits": {"max_steps": 10_000_000, "picture_upload_mb": 64},
            "version": "0",
        }

    async def start(self, owner: str, body: dict[str, Any]) -> dict[str, Any]:
        config = registry.entry(body.get("model")).config_class.from_values(body.get("config", {}))
        run_id = f"fake-{next(self.numbers)}"
        body = {"seed": 0, "max_steps": None, "dataset": "mnist", **body}
        run = FakeRun(run_id, owner, {**body, "config": config.to_dict()})
        self.all[run_id] = run
        run.tell("status", state="starting", message=None, detail=None)
        run.task = asyncio.ensure_future(run.train())
        return self.view(run_id, owner)

    def run(self, run_id: str) -> FakeRun:
        if run_id not in self.all:
            raise NotFound(f"There is no run {run_id!r:.60}.")
        return self.all[run_id]

    def view(self, run_id: str, viewer: str | None) -> dict[str, Any]:
        run = self.run(run_id)
        return {**run.view, "owner_is_you": viewer == run.owner}

    def runs(self, owner: str) -> list[dict[str, Any]]:
        return [self.view(i, owner) for i, r in self.all.items() if r.owner == owner]

    def mine(self, owner: str, run_id: str) -> FakeRun:
        run = self.run(run_id)
        if run.owner != owner:
            raise Forbidden("This run belongs to someone else; you can watch it.")
        return run

    async def delete(self, owner: str, run_id: str) -> None:
        self.mine(owner, run_id).task.cancel()
        del self.all[run_id]

    async def command(self, owner: str, run_id: str, body: dict[str, Any]) -> dict[str, Any]:
        run = self.mine(owner, run_id)
        command = commands.from_json(body)
        match command:
            case commands.Pause():
                run.paused = True
                run.tell("status", state="paused", message=None, detail=None)
            case commands.Resume():
                run.paused = False
                run.tell("status", state="running", message=None, detail=None)
            case commands.Step(count):
                run.allowance += count
            case commands.Stop():
                run.task.cancel()
                run.tell("status", state="stopped", message=None, detail=None)
            case commands.Set(field, value):
                config_class = registry.entry(run.view["model"]).config_class
                config_class(**run.view["config"]).with_live(field, value)
                old = run.view["config"][field]
                run.view["config"][field] = value
                run.tell("changed", field=field, old=old, new=value)
        return {"ok": True}

    def events(self, run_id: str, after: int) -> list[Entry]:
        return [e for e in self.run(run_id).log if e.seq > after]

    async def wait(self, run_id: str, after: int, timeout: float) -> bool:
        run = self.run(run_id)
        if not self.events(run_id, after):
            try:
                await asyncio.wait_for(run.news.wait(), timeout)
            except asyncio.TimeoutError:
                return False
        return True

    async def timeline(self, run_id: str, after_step: int) -> bytes:
        metas = [e.meta for e in self.run(run_id).log]
        kept = [m for m in metas if m["kind"] == "preview" and m["kept"]]
        frames = [
            {"step": m["step"], "views": {m["name"]: m["payload"]}}
            for m in kept
            if m["step"] > after_step
        ]
        return json.dumps({"frames": frames}).encode()

    async def metrics_csv(self, run_id: str) -> str:
        self.run(run_id)
        return "step,split,loss\n"

    async def script(self, run_id: str) -> str:
        return f"# repeats {self.run(run_id).view['title']}\n"

    async def explore(self, source: dict[str, Any], view: str, args: dict[str, Any]) -> bytes:
        return json.dumps(self.draw(source, view, args)).encode()

    def draw(self, source: dict[str, Any], view: str, args: dict[str, Any]) -> dict[str, Any]:
        if source.get("checkpoint") != CHECKPOINT and source.get("run") not in self.all:
            raise NotFound(f"There is no checkpoint {source.get('checkpoint')!r:.80}.")
        extent = EXTENT
        if view == "map":
            values = {"extent": extent, "latent_dim": 2, "class_names": list("0123456789")}
            return {"type": "views", "items": {"points": points(1.0)}, "values": values}
        if view in ("atlas", "grid"):
            return sheet(int(args.get("n", 15)), args.get("extent") or extent, 0.0)
        raise Rejected(f"There is no view {view!r:.60} here.")
