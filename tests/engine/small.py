"""Small data, small configs and short runs that the engine's tests share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import checkpoint, commands, data, events
from engine.data import own_texts, pictures, two_domains
from engine.data.base import Dataset, Split, fingerprint
from engine.device import seed_step
from engine.errors import PlaygroundError
from engine.learner import Learner
from engine.registry import MODELS
from engine.rng import stream_seed
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import build, train

CPU = torch.device("cpu")
KEYS = tuple(key for key in MODELS if key != "ngram")  # counts: no optimizer, nothing live
AUTOENCODERS = ("vae", "ae")
NETWORKS = ("mlp", "conv")
LIKELIHOODS = ("bernoulli", "bernoulli_gray", "gaussian")
SMALL = {"hidden_dim": 16, "hidden_layers": 1, "channels": 4, "batch_size": 16}
SMALL_OF: dict[str, dict[str, Any]] = {
    "vae": SMALL,
    "ae": SMALL,
    "gan2d": {
        "generator_width": 8,
        "discriminator_width": 8,
        "latent_dim": 3,
        "batch_size": 16,
        "generator_learning_rate": 1e-3,
        "discriminator_learning_rate": 1e-3,
    },
    "gan2d_atlas": {"batch_size": 16},
    "dcgan": {
        "channels": 4,
        "latent_dim": 5,
        "batch_size": 8,
        "generator_learning_rate": 1e-3,
        "discriminator_learning_rate": 1e-3,
    },
    "classifier": {"channels": 4, "batch_size": 16},
}
_TRANSLATOR = {
    "generator_channels": 4,
    "discriminator_channels": 4,
    "discriminator_layers": 1,
    "learning_rate": 1e-3,
}
SMALL_OF |= {"cyclegan": {**_TRANSLATOR, "pool_size": 3}, "pix2pix": _TRANSLATOR}
_TEXT = {"context": 8, "batch_size": 4, "warmup_steps": 0, "learning_rate": 1e-3}
SMALL_OF |= {
    "gpt": {**_TEXT, "layers": 1, "heads": 2, "width": 16},
    "rnn": {**_TEXT, "units": 8, "embedding": 8},
    "ngram": {"order": 3, "context": 16, "batch_size": 8},
}
_REMEDIES = {
    "packing": 2,
    "minibatch_std": True,
    "r1_gamma": 0.1,
    "spectral_norm": True,
    "instance_noise": 0.1,
    "label_smoothing": 0.1,
    "discriminator_steps": 2,
}
# The forms of each model that every test of the loop is run for; the first is the usual one.
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "vae": {n: {"network": n} for n in NETWORKS},
    "ae": {n: {"network": n} for n in NETWORKS},
    "gan2d": {
        "plain": {},
        "remedies": _REMEDIES,
        "wgan": {"loss": "wgan_gp", "batch_norm": True, "two_time_scales": True},
        "unrolled": {"unrolled_steps": 2, "loss": "minimax"},
    },
    "dcgan": {
        "plain": {},
        "remedies": {**_REMEDIES, "upsampling": "nearest", "downsampling": "max_pool"},
        "conditional": {"conditional": True, "loss": "least_squares"},
    },
    "cyclegan": {
        "plain": {},
        "unet": {"generator": "unet", "norm": "batch", "batch_size": 2},
        "noisy": {"cycle_noise": 2.0, "augmentation": "mirror_crop", "loss": "nonsaturating"},
    },
    "pix2pix": {"plain": {}, "unet": {"generator": "unet", "augmentation": "mirror"}},
    "gpt": {
        "plain": {},
        "pairs": {
            "tokenizer": "byte_pairs",
            "vocabulary": 280,
            "positions": "rotary",
            "tied": False,
            "dropout": 0.2,
        },
    },
    "rnn": {
        "lstm": {},
        "gru": {"cell": "gru", "layers": 2, "dropout": 0.2},
        "rnn": {"cell": "rnn"},
    },
}
CASES = [(key, name) for key in KEYS for name in VARIANTS.get(key, {"plain": {}})]
# Two hyperparameters of each model that may change while it trains.
LIVE: dict[str, tuple[str, str]] = {
    "vae": ("learning_rate", "gradient_clip"),
    "ae": ("learning_rate", "gradient_clip"),
    "gan2d": ("generator_learning_rate", "r1_gamma"),
    "dcgan": ("discriminator_learning_rate", "r1_gamma"),
    "cyclegan": ("learning_rate", "lambda_cycle"),
    "pix2pix": ("learning_rate", "lambda_l1"),
    "gpt": ("learning_rate", "dropout"),
    "rnn": ("learning_rate", "dropout"),
}


@dataclass(frozen=True)
class Data:
    """A saved data set: its key, and the folder in which it lies."""

    key: str
    root: Path

    @property
    def view(self) -> DataView:
        return DataView(data.load(self.key, self.root), CPU)


# ---------------------------------------------------------------------- data


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    mnist = data.load("mnist")
    return _dataset(_part(mnist.train, 600), _part(mnist.test, 200), mnist.class_names)


def few_digits(root: Path) -> Data:
    """Save 600 + 200 digits of MNIST under `root`."""
    return Data(pictures.save(_digits(), root), root)


@lru_cache(maxsize=1)
def _pairs() -> Dataset:
    emoji = data.load("emoji_pairs")
    parts = [
        Split(np.ascontiguousarray(p.images[:n, :, ::4, ::4]), np.zeros(n, np.int64))
        for p, n in ((emoji.train, 60), (emoji.test, 20))
    ]
    names = ("Flat", "3-D")
    content = fingerprint(*parts, (*names, "paired"))
    return Dataset(
        key=f"{two_domains.PREFIX}{content}",
        title="few",
        train=parts[0],
        test=parts[1],
        class_names=two_domains.CLASS_NAMES,
        source="",
        licence="",
        fingerprint=content,
        kind="pairs",
        domains=names,
        paired=True,
    )


def few_pairs(root: Path) -> Data:
    """Save 60 + 20 pairs of emoji, every fourth pixel, under `root`."""
    return Data(two_domains.save(_pairs(), root), root)


def few_words(root: Path) -> Data:
    """Save 5,000 characters of a play under `root`."""
    text = data.load("shakespeare").train.text[2_000:7_000]  # type: ignore[attr-defined]
    return Data(own_texts.save(own_texts.build(text, "few"), root), root)


def colour_pictures(root: Path) -> Data:
    """Save 80 + 30 pictures of coloured discs, 3 x 32 x 32, in three classes."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 110)
    rows, columns = np.mgrid[0:32, 0:32]
    images = np.zeros((110, 3, 32, 32), np.uint8)
    for i, (label, (y, x)) in enumerate(zip(labels, random.uniform(8, 24, (110, 2)), strict=True)):
        images[i, label] = np.where((rows - y) ** 2 + (columns - x) ** 2 < 40, 230, 20)
    whole = Split(images, labels.astype(np.int64))
    names = ("red", "green", "blue")
    return Data(pictures.save(_dataset(_part(whole, 80), _part(whole, 30, 80), names), root), root)


def _part(split: Split, count: int, start: int = 0) -> Split:
    chosen = slice(start, start + count)
    return Split(split.images[chosen].copy(), split.labels[chosen].copy())


def _dataset(train: Split, test: Split, names: tuple[str, ...]) -> Dataset:
    content = fingerprint(train, test, names)
    return Dataset(f"{pictures.PREFIX}{content}", "few", train, test, names, "", "", content)


def assert_sentence(error: PlaygroundError) -> str:
    """Check that an error says one sentence for a person; return it."""
    sentence = error.sentence
    assert sentence.endswith("."), sentence
    assert "\n" not in sentence, sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 600, sentence
    return sentence


# ---------------------------------------------------------------------- learners


def made(key: str, view: DataView, seed: int = 0, **values: Any) -> Learner:
    """Build a small learner."""
    config = MODELS[key].config_class.from_values({**SMALL_OF[key], **values})
    return build(key, config, view, CPU, seed)


def learn(learner: Learner, view: DataView, steps: int, start: int = 0, count: int = 8) -> list:
    """Take steps on the first `count` training images; return the records."""
    images, labels = view.train.batch(slice(0, count)), view.train.labels[:count]
    records = []
    for step in range(start, start + steps):
        seed_step(CPU, stream_seed(0, step))
        records.append(learner.training_step(images, labels, step))
    return records


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor], what: str = "") -> None:
    """Compare bit by bit, naming the first tensor that differs."""
    assert found.keys() == expected.keys(), f"{what}: other tensors"
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, f"{what}: {name} has another dtype"
        assert torch.equal(found[name], value), f"{what}: {name} differs"


# ---------------------------------------------------------------------- runs


def usual(key: str, variant: str | None = None) -> dict[str, Any]:
    """Return what a variant of a model sets; the first one without a name."""
    known = VARIANTS.get(key, {"plain": {}})
    return known[variant or next(iter(known))]


def fitting(key: str, few: Data) -> Data:
    """Return the data that a model is tested on: few pictures, few pairs, or a ring of points."""
    kind = MODELS[key].kind
    if kind == "pairs":
        return few_pairs(few.root)
    if kind == "text":
        return few_words(few.root)
    return Data("ring8", few.root) if kind == "points" else few


def live(key: str) -> tuple[str, str]:
    """Return two live hyperparameters of a model: a learning rate and another."""
    if key in LIVE:
        return LIVE[key]
    names = [f["name"] for f in MODELS[key].config_class.schema() if f["live"]]
    return names[0], names[1]


def spec(key: str, few: Data, folder: Path | None = None, steps: int = 40, **more: Any) -> RunSpec:
    """Specify a small run; `config` adds to the usual one, other names are RunSpec's."""
    config = {**SMALL_OF[key], **usual(key), **more.pop("config", {})}
    given = {"config": config, "previews": False, "device": "cpu"}
    data = fitting(key, few)
    return RunSpec(
        model=key,
        dataset=data.key,
        data_root=data.root,
        folder=folder,
        budget=Budget(steps),
        **{**given, **more},
    )


class Script:
    """An inbox that gives its commands when the run waits, or after so many looks at it.

    Each item of `waiting` is what the next wait of a paused run returns; `running` maps the
    number of a poll (from 1) to a command. A run that waits for more than there is, fails.
    """

    def __init__(
        self,
        waiting: Iterable[commands.Command] = (),
        running: dict[int, commands.Command] | None = None,
    ) -> None:
        self.waiting, self.running, self.polls = list(waiting), running or {}, 0

    def poll(self) -> list[commands.Command]:
        self.polls += 1
        return [self.running[self.polls]] if self.polls in self.running else []

    def wait(self, timeout_s: float) -> list[commands.Command]:
        if not self.waiting:
            raise AssertionError("the run waits for a command that the script does not have")
        return [self.waiting.pop(0)]


def run(given: RunSpec, script: Script | None = None) -> list[events.Event]:
    """Run in this process to its end; return all events."""
    return list(train(given, script or Script()))


def each(given: RunSpec, script: Script | None = None) -> Iterator[events.Event]:
    """Run in this process, event by event."""
    return train(given, script or Script())


def last(folder: Path) -> Path:
    """Return the newest checkpoint."""
    paths = sorted(folder.glob("step-*.safetensors"))
    assert paths, f"there is no checkpoint in {folder}"
    return paths[-1]


def ended(found: list[events.Event]) -> events.Status:
    """Return the last event, which must be a status."""
    assert isinstance(found[-1], events.Status)
    return found[-1]


def assert_same_end(found: Path, expected: Path, what: str = "") -> None:
    """Compare two runs' last checkpoints: place in the run, weights, optimizer, metrics."""
    left, left_tensors = checkpoint.load(last(found))
    right, right_tensors = checkpoint.load(last(expected))
    assert (left.step, left.cursor) == (right.step, right.cursor), f"{what}: another place"
    assert any(name.startswith("optimizers.") for name in right_tensors)
    assert_same(left_tensors, right_tensors, what)
    assert left.metrics == right.metrics, f"{what}: other metrics"


class Waiter:
    """Collects what an executor calls back with, and waits for it."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, Any], bytes]] = []
        self.clean: bool | None = None
        self._changed = threading.Condition()

    def on_event(self, meta: dict[str, Any], body: bytes) -> None:
        with self._changed:
            self.seen.append((meta, body))
            self._changed.notify_all()

    def on_end(self, clean: bool) -> None:
        with self._changed:
            self.clean = clean
            self._changed.notify_all()

    def until(self, what: str, true: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        with self._changed:
            if not self._changed.wait_for(true, timeout_s):
                kinds = [meta["kind"] for meta, _ in self.seen]
                raise AssertionError(f"no {what} within {timeout_s} s; events: {kinds[-20:]}")
            return true()

    def end(self, timeout_s: float = 90.0) -> dict[str, Any]:
        """Wait for the run's end; return the last status."""
        self.until("end of the run", lambda: self.clean is not None, timeout_s)
        return [meta for meta, _ in self.seen if meta["kind"] == "status"][-1]
