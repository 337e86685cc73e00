"""What is checked and settled before a run begins: data set, start point, budget, title."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import checkpoint
from engine.errors import DataError, NoSpace, PlaygroundError, Rejected
from engine.registry import check_fit
from engine.run_record import Run
from engine.spec import Budget


def kept(path: Path, folder: Path) -> Path:
    """Give a fork its own start point: the parent may prune it, or go, while the fork waits."""
    own = folder / "start.safetensors"  # no step-*.safetensors: it is none of the fork's own
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, own)
        except OSError:  # a file system without links
            shutil.copyfile(path, own)
    except OSError as error:
        raise NoSpace(
            f"The fork's start could not be kept ({os.strerror(error.errno or 5)}); "
            "free some disk space."
        ) from error
    return own


def check_dataset(known: list[dict[str, Any]], key: Any, model: str) -> None:
    """Raise `DataError` when a data set is not here or not for this model."""
    for info in known:
        if info["key"] == key:
            if not info["available"]:
                raise DataError(info["reason"] or f"{key} is not on this machine.", "dataset")
            check_fit(model, info["title"], info["kind"], info["models"])
            return
    names = ", ".join(info["key"] for info in known)
    raise DataError(f"There is no data set {key!r:.60}; known are {names}.", field="dataset")


def describe_checkpoint(name: str, header: checkpoint.Header) -> dict[str, Any]:
    """Return what the page shows of a checkpoint."""
    return {
        "name": name,
        "model": header.model,
        "dataset": header.dataset,
        "config": header.config,
        "metrics": header.metrics,
        "step": header.step,
        "seed": header.seed,
        "title": header.title or name,
        "command": header.command,
        "class_names": list(header.class_names),
        "shape": list(header.shape),
    }


def continued(run: Run) -> list[tuple[int, str, Any]]:
    """Return the live changes with which an ended run goes on from its newest checkpoint."""
    held = run.spec.config
    if run.checkpoints:
        path = checkpoint.step_path(run.journal.folder, run.checkpoints[-1])
        with suppress(PlaygroundError):  # a damaged one: the worker goes back further
            held = checkpoint.read_header(path).config
    earlier = [change for change in run.changes if change[0] < run.step]
    new = [(run.step, n, v) for n, v in run.config.items() if n in held and held[n] != v]
    return [*earlier, *new]


def rates(message: dict[str, Any]) -> dict[str, Any]:
    """Return the live hyperparameters that a run goes on with."""
    config = message.get("config") or {}
    if not isinstance(config, dict):
        raise Rejected("config must hold hyperparameters by name.", field="config")
    rate = message.get("learning_rate")
    return config if rate is None else {"learning_rate": rate, **config}


def further(budget: Budget, step: int) -> Budget:
    """Count a fork's steps from its start point when the budget lies behind it."""
    if budget.max_steps is not None and budget.max_steps <= step:
        return replace(budget, max_steps=step + budget.max_steps)
    return budget


def clean(title: Any) -> str:
    """Return a title that is short and printable."""
    text = title if isinstance(title, str) else ""
    return "".join(c for c in text if c.isprintable())[:60].strip()


_FIRST = ("amber", "brisk", "calm", "deep", "eager", "gentle", "hazel", "keen", "lively", "noble")
_LAST = ("birch", "comet", "dune", "ember", "fjord", "grove", "heron", "iris", "lark", "maple")


def memorable(run_id: str) -> str:
    """Return a name that a person can remember, made from the id."""
    number = int.from_bytes(run_id.encode(), "big")
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number // 31 % len(_LAST)]}"
