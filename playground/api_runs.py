"""Named endpoints about runs: start, watch, wait, command, take home.

Types and docstrings are what `client.view_api()` and MCP show; Gradio reads the types at run
time, so this file does without postponed annotations.
"""

import asyncio
import time
from typing import Any

import orjson
from gradio.data_classes import FileData

from engine import registry
from engine.errors import Rejected
from engine.events import ACTIVE
from engine.presets import Preset
from engine.rng import MAX_SEED
from engine.spec import MAX_STEPS
from playground import api_arguments as read
from playground.api_files import checkpoint_made
from playground.service import Service
from playground.strings import t

LONGEST_WAIT_S = 60.0
LOOK_AGAIN_S = 10.0
MOST_SECONDS = 7 * 86_400


class RunEndpoints:
    """Endpoints about runs; each public method is one."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_models(self, owner: str = "") -> dict[str, Any]:
        """List models with their hyperparameters and presets, data sets, checkpoints and limits.

        Args:
            owner: a secret of your own, to see what you brought as well
        """
        return await self._service.catalogue(read.owner(owner) if owner else None)

    async def list_runs(self, owner: str) -> list[dict[str, Any]]:
        """List the runs of an owner, newest first.

        Args:
            owner: the secret that the runs were started with
        """
        return self._service.runs(read.owner(owner))

    async def start_run(
        self,
        owner: str,
        model: str = "",
        dataset: str = "",
        config: dict[str, Any] | None = None,
        seed: int = 0,
        max_steps: int | None = None,
        preset: str = "",
        resume: str = "",
        resume_step: int | None = None,
        max_seconds: float | None = None,
        title: str = "",
    ) -> dict[str, Any]:
        """Start a run, or queue it; return its view, whose `id` the other endpoints take.

        Args:
            owner: a secret of your own, 16 to 128 letters, digits, - or _; it commands the run
            model: a model's key, such as "vae"; a preset or a start point may give it
            dataset: a data set's key, such as "mnist"; empty for the preset's or the model's own
            config: hyperparameters by name; those that are left out keep their defaults
            seed: equal seeds give equal runs
            max_steps: the step at which the run ends
            preset: a preset's key, such as "first-look"; config changes single values of it
            resume: a checkpoint's name or a run's id to go on from
            resume_step: of that run, the newest checkpoint at or before this step
            max_seconds: ends the run after so much time of its own
            title: a name to be shown
        """
        token = read.owner(owner)
        body: dict[str, Any] = {
            "model": read.text(model, "model"),
            "dataset": read.text(dataset, "dataset"),
            "config": read.mapping(config, "config"),
            "seed": read.whole(seed, "seed", 0, MAX_SEED),
            "title": read.text(title, "title"),
        }
        if max_steps is not None:
            body["max_steps"] = read.whole(max_steps, "max_steps", 1, MAX_STEPS)
        if max_seconds is not None:
            body["max_seconds"] = read.number(max_seconds, "max_seconds", 0.001, MOST_SECONDS)
        if resume:
            body["resume"] = _start_point(resume, resume_step)
        _fill_in(body, read.text(preset, "preset"))
        return await self._service.start(token, body)

    async def read_metrics(self, run_id: str, after: int = 0) -> dict[str, Any]:
        """Read a run's state and its metrics: all, or those that are new.

        Args:
            run_id: the run's id
            after: the `after` of the answer before; 0 for all metrics
        """
        asked, since = read.text(run_id, "run_id"), read.whole(after, "after", 0, 2**63)
        view = self._service.view(asked)
        found = [e for e in self._service.events(asked, since) if e.meta["kind"] == "metrics"]
        return {
            "run": view,
            "metrics": [orjson.loads(entry.wire) for entry in found],
            "after": max(since, view["last_seq"]),
        }

    async def run_metrics(self, run_id: str) -> dict[str, Any]:
        """Read a run's state and all its metrics; an older name of read_metrics.

        Args:
            run_id: the run's id
        """
        return await self.read_metrics(run_id)

    async def wait_for_run(
        self, run_id: str, seconds: float = 30.0, step: int | None = None
    ) -> dict[str, Any]:
        """Wait until a run has ended, or is at a step; return its view with `ended` beside.

        Call it again when it answers before the run has ended.

        Args:
            run_id: the run's id
            seconds: how long to wait at most, up to 60
            step: answer as soon as the run has taken so many steps
        """
        asked = read.text(run_id, "run_id")
        limit = read.number(seconds, "seconds", 0, LONGEST_WAIT_S)
        enough = MAX_STEPS + 1 if step is None else read.whole(step, "step", 0, MAX_STEPS)
        until = time.monotonic() + limit
        while True:
            view = self._service.view(asked)
            left = until - time.monotonic()
            if view["state"] not in ACTIVE or view["step"] >= enough or left <= 0:
                return {**view, "ended": view["state"] not in ACTIVE}
            await self._service.wait(asked, view["last_seq"], min(left, LOOK_AGAIN_S))

    async def command_run(
        self, owner: str, run_id: str, command: str | dict[str, Any]
    ) -> dict[str, Any]:
        """Command a run of yours: pause, resume, stop, save, continue, rewind, step or set.

        Args:
            owner: the secret that the run was started with
            run_id: the run's id
            command: a word such as "pause", or an object such as
                {"command": "set", "field": "learning_rate", "value": 0.001}
        """
        token, asked = read.owner(owner), read.text(run_id, "run_id")
        if isinstance(command, str):
            command = {"command": read.text(command, "command")}
        return await self._service.command(token, asked, read.mapping(command, "command"))

    async def delete_run(self, owner: str, run_id: str) -> dict[str, Any]:
        """Stop a run of yours and delete all that it left.

        Args:
            owner: the secret that the run was started with
            run_id: the run's id
        """
        await self._service.delete(read.owner(owner), read.text(run_id, "run_id"))
        return {"ok": True}

    async def download_checkpoint(self, source: str, step: int | None = None) -> FileData:
        """Download weights as a safetensors file, of a run or a saved checkpoint.

        Args:
            source: a run's id, or a checkpoint's name such as "vae/mnist-2d"
            step: of a run, the newest checkpoint at or before this step; None for the newest
        """
        kind, name = next(iter(read.source(source).items()))
        if kind == "run":
            at = None if step is None else read.whole(step, "step", 0, MAX_STEPS)
            path = await self._service.run_checkpoint(name, at)
            shown = f"{name}-{path.name}"
        else:
            path = await self._service.saved_checkpoint(name)
            shown = "-".join(path.parts[-2:])
        return await asyncio.to_thread(checkpoint_made, path, shown)


def _start_point(resume: Any, step: Any) -> dict[str, Any]:
    found = read.source(resume, "resume")
    if "run" in found and step is not None:
        found["step"] = read.whole(step, "resume_step", 0, MAX_STEPS)
    return found


def _fill_in(body: dict[str, Any], preset: str) -> None:
    """Complete a request with what its preset or its model says."""
    if preset:
        found = find_preset(body["model"], preset)
        body["model"] = found.model
        body["dataset"] = body["dataset"] or found.dataset
        body["config"] = {**found.config, **body["config"]}
        if "max_seconds" not in body:
            body.setdefault("max_steps", found.max_steps)
    elif "resume" in body:
        return  # the checkpoint says
    elif not body["model"]:
        known = ", ".join(registry.MODELS)
        raise Rejected(t("ops.api_model", known=known), field="model")
    body["dataset"] = body["dataset"] or registry.entry(body["model"]).default_dataset


def find_preset(model: str, key: str) -> Preset:
    """Return a preset by its key, of one model where several have it, or raise `Rejected`."""
    everyone = [p for e in registry.MODELS.values() for p in e.preset_list]
    found = [p for p in everyone if p.key == key and model in ("", p.model)]
    if len(found) == 1:
        return found[0]
    if found:
        models = ", ".join(p.model for p in found)
        raise Rejected(t("ops.api_preset_twice", preset=key, models=models), field="model")
    known = ", ".join(p.key for p in everyone if model in ("", p.model))
    raise Rejected(t("ops.api_preset", preset=read.shown(key), known=known), field="preset")
