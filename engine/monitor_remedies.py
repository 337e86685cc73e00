"""What helps against a lost mode, in the order of the evidence for it, where it is not on yet.

Each remedy is a fork of the run with a few other hyperparameters; all of them keep the run's
networks loadable (`Learner.graft`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal

from engine.config import Config
from engine.errors import Rejected
from engine.learner import Remedy

Concern = Literal["coverage", "discriminator", "overfitting"]
Option = tuple[str, str, dict[str, Any]]  # key, title, hyperparameters

MOST = 6  # buttons that an alert offers
R1_POINTS = 0.1  # worked on the ring with 2 x 128 nets
R1_GAMMA, R1_SIDE = 10.0, 256  # Mescheder et al. 2018 at 256 px; the slope grows with the pixels
STRONG = 2.0  # D so many times faster than usual, or narrower than G: a cause


def remedies(config: Config | None, shape: tuple[int, ...], concern: Concern) -> tuple[Remedy, ...]:
    """Return what a fork could switch on: first what undoes a known cause, then by evidence.

    A remedy is left out when it is on already, or when the model has no such hyperparameter or
    would refuse the value.
    """
    if config is None:
        return ()
    found: list[Remedy] = []
    for key, title, changed in _OPTIONS[concern](_Settings(config), shape):
        if _fits(config, changed) and key not in (r.key for r in found):
            found.append(Remedy(key, title, changed))
    return tuple(found[:MOST])


class _Settings:
    """A config's values by name, with a stand-in for what the model does not have."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, name: str, default: Any = None) -> Any:
        return getattr(self.config, name, default)

    def default(self, name: str, otherwise: Any) -> Any:
        """Return what a new run of the model would start with."""
        return getattr(type(self.config)(), name, otherwise)


def _fits(config: Config, changed: dict[str, Any]) -> bool:
    known = {f.name for f in dataclasses.fields(config)}
    try:
        values = {name: config.check(name, value) for name, value in changed.items()}
    except Rejected:
        return False
    return set(changed) <= known and any(getattr(config, n) != v for n, v in values.items())


def _against_lost_modes(now: _Settings, shape: tuple[int, ...]) -> Iterator[Option]:
    yield from _causes(now)
    if now("packing") == 1:
        yield "packing", "Packing 2: D judges pairs", {"packing": 2}
    yield "minibatch_std", "Minibatch standard deviation", {"minibatch_std": True}
    if now("r1_gamma") == 0:
        yield _r1(shape)
    yield "spectral_norm", "Spectral normalisation of D", {"spectral_norm": True}
    if now("unrolled_steps") == 0 and now("loss") != "wgan_gp":
        yield "unrolling", "Unroll D by 5 steps (slow)", {"unrolled_steps": 5}
    yield from _weaker_discriminator(now)
    yield "two_time_scales", "Two time scales: G at a quarter", {"two_time_scales": True}


def _against_strong_discriminator(now: _Settings, shape: tuple[int, ...]) -> Iterator[Option]:
    yield from _causes(now)
    if now("r1_gamma") == 0:
        yield _r1(shape)
    yield "spectral_norm", "Spectral normalisation of D", {"spectral_norm": True}
    yield from _weaker_discriminator(now)
    if now("instance_noise") == 0:
        yield "instance_noise", "Instance noise 0.1", {"instance_noise": 0.1}


def _against_overfitting(now: _Settings, shape: tuple[int, ...]) -> Iterator[Option]:
    if now("augmentation") == "none":
        yield "augmentation", "Augmentation of what D sees", {"augmentation": "all"}
    if now("r1_gamma") == 0:
        yield _r1(shape)
    if now("instance_noise") == 0:
        yield "instance_noise", "Instance noise 0.1", {"instance_noise": 0.1}
    yield "spectral_norm", "Spectral normalisation of D", {"spectral_norm": True}
    yield from _weaker_discriminator(now)


def _causes(now: _Settings) -> Iterator[Option]:
    """Yield what undoes settings that are known to make a generator collapse."""
    if now("loss") == "minimax":
        yield "loss", "Non-saturating loss", {"loss": "nonsaturating"}
    usual = now.default("discriminator_learning_rate", 0.0)
    fast = usual > 0 and now("discriminator_learning_rate", 0.0) >= STRONG * usual
    slower = {"discriminator_learning_rate": usual} if fast else {}
    if now("generator_batch_norm") is False:
        title = "Batch norm in G" + (", D's usual rate" if fast else "")
        yield "generator_batch_norm", title, {"generator_batch_norm": True, **slower}
    if 0 < now("discriminator_channels", 0) <= now("channels", 0) / STRONG:
        yield "discriminator_channels", "D as wide as G", {"discriminator_channels": 0}
    if fast:
        yield "discriminator_rate", "D's usual rate", slower


def _weaker_discriminator(now: _Settings) -> Iterator[Option]:
    rate = now("discriminator_learning_rate", 0.0)
    lower = float(f"{rate / 4:.2g}")
    yield "discriminator_rate", "D's rate a quarter", {"discriminator_learning_rate": lower}
    if now("label_smoothing") == 0 and now("loss") in ("nonsaturating", "minimax"):
        yield "label_smoothing", "Label smoothing 0.1", {"label_smoothing": 0.1}


def _r1(shape: tuple[int, ...]) -> Option:
    gamma = R1_POINTS
    if len(shape) == 3:
        gamma = float(f"{R1_GAMMA * (shape[1] / R1_SIDE) ** 2:.2g}")
    return "r1", f"R1 penalty {gamma:g}", {"r1_gamma": gamma}


_OPTIONS: dict[Concern, Callable[[_Settings, tuple[int, ...]], Iterator[Option]]] = {
    "coverage": _against_lost_modes,
    "discriminator": _against_strong_discriminator,
    "overfitting": _against_overfitting,
}
