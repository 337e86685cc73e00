"""Model key -> Config and Learner, imported on use: a new model adds one line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.errors import NotFound
from engine.presets import Preset, Published

if TYPE_CHECKING:
    from engine.config import Config
    from engine.learner import Learner


@dataclass(frozen=True)
class Entry:
    """One model family: where its Config (without torch) and its Learner (with torch) are."""

    key: str
    title: str
    config: str
    learner: str
    presets: str

    @property
    def config_class(self) -> type[Config]:
        """The Config subclass; does not import torch."""
        return _resolve(self.config)

    @property
    def learner_class(self) -> type[Learner]:
        """The Learner subclass; imports torch."""
        return _resolve(self.learner)

    @property
    def preset_list(self) -> tuple[Preset, ...]:
        """The presets whose model this is."""
        found: tuple[Preset, ...] = _resolve(self.presets + ":PRESETS")
        return tuple(p for p in found if p.model == self.key)

    @property
    def published(self) -> tuple[Published, ...]:
        """Figures of the literature for this model."""
        found: tuple[Published, ...] = _resolve(self.presets + ":PUBLISHED")
        return tuple(p for p in found if p.model == self.key)


_AUTOENCODERS = "engine.configs.autoencoders"
MODELS: dict[str, Entry] = {
    e.key: e
    for e in (
        Entry(
            "vae",
            "Variational autoencoder (VAE)",
            f"{_AUTOENCODERS}:VAEConfig",
            "engine.models.autoencoders:VAELearner",
            _AUTOENCODERS,
        ),
        Entry(
            "ae",
            "Autoencoder (AE)",
            f"{_AUTOENCODERS}:AEConfig",
            "engine.models.autoencoders:AELearner",
            _AUTOENCODERS,
        ),
    )
}


def entry(key: str) -> Entry:
    """Return the entry of a model key, or raise `NotFound` with the known keys."""
    if not isinstance(key, str) or key not in MODELS:
        raise NotFound(f"There is no model {key!r:.60}; known are {', '.join(MODELS)}.")
    return MODELS[key]


def _resolve(reference: str) -> Any:
    module, name = reference.split(":")
    return getattr(import_module(module), name)
