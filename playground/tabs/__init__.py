"""One module a tab: its key, its models, its layout. Here: which there are, and what each sees."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

ORDER = ("vae", "gan2d", "dcgan", "cyclegan", "text")  # the order of learning


def modules() -> tuple[ModuleType, ...]:
    """Return the modules of all tabs, in their order on the page."""
    return tuple(import_module(f"{__name__}.{key}") for key in ORDER)


def seen(catalogue: dict[str, Any], models: tuple[str, ...]) -> dict[str, Any]:
    """Return the part of a catalogue that concerns some models: theirs, and data for them."""
    mine = [m for m in catalogue["models"] if m["key"] in models]
    return {
        **catalogue,
        "models": mine,
        "datasets": [d for d in catalogue["datasets"] if any(fits(m, d) for m in mine)],
        "checkpoints": [c for c in catalogue["checkpoints"] if c["model"] in models],
        "published": [p for p in catalogue["published"] if p["model"] in models],
    }


def fits(model: dict[str, Any], dataset: dict[str, Any]) -> bool:
    """Whether a model trains on a data set, both as the catalogue has them."""
    only = dataset.get("models") or (model["key"],)
    return dataset["kind"] == model["kind"] and model["key"] in only
