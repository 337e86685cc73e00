"""The named endpoints for programs (`gradio_client`, `/gradio_api/call/…`); all else is private."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import orjson

from engine.errors import PlaygroundError
from playground.service import Service


def publish(service: Service) -> None:
    """Add the endpoints to the Blocks that is being built."""

    async def list_models() -> dict[str, Any]:
        """List models with their hyperparameters and presets, data sets and checkpoints."""
        return await service.catalogue()

    async def start_run(
        owner: str, model: str, dataset: str, config: dict, seed: float, max_steps: float
    ) -> dict[str, Any]:
        """Start a run; `owner` is a secret of your own, 16 characters or more."""
        body = {"model": model, "dataset": dataset, "config": config}
        numbers = {"seed": _whole(seed), "max_steps": _whole(max_steps)}
        with _told():
            _check_owner(owner)
            return await service.start(owner, {**body, **numbers})

    async def run_metrics(run_id: str) -> dict[str, Any]:
        """Return a run's state and all its metrics."""
        with _told():
            view = service.view(run_id)
            return {"run": view, "metrics": service.store.metrics(run_id)}

    async def command_run(owner: str, run_id: str, command: dict) -> dict[str, Any]:
        """Command a run of yours, such as {"command": "pause"}."""
        with _told():
            return await service.command(owner, run_id, command)

    async def explore(source: dict, view: str, args: dict) -> dict[str, Any]:
        """Draw a view, such as "samples", of {"checkpoint": name} or {"run": id}."""
        with _told():
            return orjson.loads(await service.explore(source, view, args))

    async def decode(source: dict, z: list) -> dict[str, Any]:
        """Decode one point of an autoencoder's checkpoint or run; z is a list of numbers."""
        with _told():
            return orjson.loads(await service.explore(source, "point", {"z": z}))

    for endpoint in (list_models, start_run, run_metrics, command_run, explore, decode):
        gr.api(endpoint, api_name=endpoint.__name__, queue=False)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the engine refuses into an error whose sentence Gradio passes on."""
    try:
        yield
    except PlaygroundError as error:
        raise gr.Error(error.sentence, print_exception=False) from error


def _check_owner(owner: str) -> None:
    if len(owner) < 16:
        raise gr.Error("owner must have at least 16 characters.", print_exception=False)


def _whole(value: float) -> Any:
    """Return a JSON number as int where it is one; the engine refuses what is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
