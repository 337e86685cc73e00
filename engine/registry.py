"""Model key -> Config and Learner, imported on use: a new model adds one line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.data.base import Kind
from engine.errors import DataError, NotFound
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
    kind: Kind = "images"
    default_dataset: str = "mnist"
    headline: str = "test/elbo_nats"  # the metric that lists show
    headline_else: str = ""  # where the data have no such thing

    def shown(self, metrics: Mapping[str, float | None]) -> tuple[str, float] | None:
        """Return the name and the value of the metric that lists show, or None."""
        for name in (self.headline, self.headline_else):
            value = metrics.get(name)
            if value is not None:
                return name, value
        return None

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


def _language(key: str, title: str, name: str) -> Entry:
    """Return the entry of a language model whose classes begin with `name`."""
    return Entry(
        key,
        title,
        f"engine.configs.language:{name}Config",
        f"engine.models.{key}:{name}Learner",
        "engine.configs.language",
        "text",
        "shakespeare",
        "validation/nats_per_character",
        "test/nats_per_character",
    )


_AUTOENCODERS = "engine.configs.autoencoders"
_ALL = (
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
    Entry(
        "gan2d",
        "GAN on points",
        "engine.configs.gan2d:GAN2DConfig",
        "engine.models.gan2d:GAN2DLearner",
        "engine.configs.gan2d",
        "points",
        "ring8",
        "modes_strict",
        "js_nats",
    ),
    Entry(
        "gan2d_atlas",
        "Stability atlas",
        "engine.configs.gan2d_atlas:AtlasConfig",
        "engine.models.gan2d_atlas:AtlasLearner",
        "engine.configs.gan2d_atlas",
        "points",
        "ring8",
        "covered_share",
    ),
    Entry(
        "dcgan",
        "DCGAN",
        "engine.configs.dcgan:DCGANConfig",
        "engine.models.dcgan:DCGANLearner",
        "engine.configs.dcgan",
        "images",
        "mnist",
        "coverage",
    ),
    Entry(
        "cyclegan",
        "CycleGAN",
        "engine.configs.translation:CycleGANConfig",
        "engine.models.cyclegan:CycleGANLearner",
        "engine.configs.translation",
        "pairs",
        "emoji_pairs",
        "retrieval_top1/flat_to_3d",
        "test/a2b/cycle",
    ),
    Entry(
        "pix2pix",
        "pix2pix",
        "engine.configs.translation:Pix2PixConfig",
        "engine.models.pix2pix:Pix2PixLearner",
        "engine.configs.translation",
        "pairs",
        "emoji_pairs",
        "retrieval_top1/flat_to_3d",
        "test/a2b/l1",
    ),
    _language("gpt", "GPT", "GPT"),
    _language("rnn", "Recurrent network", "RNN"),
    _language("ngram", "n-gram", "Ngram"),
    Entry(
        "classifier",
        "Classifier",
        "engine.configs.classifier:ClassifierConfig",
        "engine.models.classifier:ClassifierLearner",
        "engine.configs.classifier",
        "images",
        "mnist",
        "test_accuracy",
    ),
)


WANTED: dict[Kind, str] = {
    "images": "pictures",
    "points": "points",
    "pairs": "pictures of two domains",
    "text": "text",
}
MODELS: dict[str, Entry] = {e.key: e for e in _ALL}


def entry(key: str) -> Entry:
    """Return the entry of a model key, or raise `NotFound` with the known keys."""
    if not isinstance(key, str) or key not in MODELS:
        raise NotFound(f"There is no model {key!r:.60}; known are {', '.join(MODELS)}.")
    return MODELS[key]


def check_fit(model: str, title: str, kind: str, models: Sequence[str]) -> None:
    """Raise `DataError` when a model does not train on such a data set."""
    found = entry(model)
    if found.kind != kind:
        wanted = WANTED[found.kind]
        raise DataError(f"{found.title} trains on {wanted}; {title} has none.", field="dataset")
    if models and model not in models:
        raise DataError(f"{found.title} does not train on {title}.", field="dataset")


def _resolve(reference: str) -> Any:
    module, name = reference.split(":")
    return getattr(import_module(module), name)
