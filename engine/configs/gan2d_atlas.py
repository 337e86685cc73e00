"""Hyperparameters of the stability atlas: many small GANs on points that differ in two rates."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from engine.config import Config, field, restated
from engine.configs.gan2d import GAN2DConfig
from engine.presets import Preset, Published

MOST = 16  # rates of each network


def _count(letter: str, network: str, lines: str) -> Any:
    return field(
        10,
        label=f"Rates of {letter}",
        help=f"How many learning rates of the {network} are tried: the {lines} of the atlas.",
        minimum=1,
        maximum=MOST,
        step=1,
        group="Rates",
    )


def _rate(default: float, label: str, which: str) -> Any:
    return field(
        default,
        label=label,
        help=f"The {which} of the rates, which are spaced evenly on a logarithmic scale.",
        minimum=1e-6,
        maximum=10.0,
        scale="log",
        group="Rates",
    )


@dataclass(frozen=True)
class AtlasConfig(Config):
    """What all cells have in common, and the rates by which they differ."""

    generator_rates: int = _count("G", "generator", "rows")
    lowest_generator_learning_rate: float = _rate(1e-4, "Lowest rate of G", "lowest")
    highest_generator_learning_rate: float = _rate(1e-1, "Highest rate of G", "highest")
    discriminator_rates: int = _count("D", "discriminator", "columns")
    lowest_discriminator_learning_rate: float = _rate(1e-4, "Lowest rate of D", "lowest")
    highest_discriminator_learning_rate: float = _rate(1e-1, "Highest rate of D", "highest")
    loss: str = restated(GAN2DConfig, "loss")
    latent_dim: int = restated(GAN2DConfig, "latent_dim", 2, maximum=64)
    batch_size: int = restated(GAN2DConfig, "batch_size", 64, maximum=256)
    discriminator_steps: int = restated(GAN2DConfig, "discriminator_steps", live=False)
    generator_width: int = restated(GAN2DConfig, "generator_width", 32, maximum=64)
    generator_depth: int = restated(GAN2DConfig, "generator_depth", maximum=4)
    discriminator_width: int = restated(GAN2DConfig, "discriminator_width", 32, maximum=64)
    discriminator_depth: int = restated(GAN2DConfig, "discriminator_depth", maximum=4)
    activation: str = restated(GAN2DConfig, "activation")
    packing: int = restated(GAN2DConfig, "packing")
    r1_gamma: float = restated(GAN2DConfig, "r1_gamma")
    penalty_weight: float = restated(GAN2DConfig, "penalty_weight")
    label_smoothing: float = restated(GAN2DConfig, "label_smoothing")
    noise: str = restated(GAN2DConfig, "noise")
    optimizer: str = restated(GAN2DConfig, "optimizer")
    adam_beta1: float = restated(GAN2DConfig, "adam_beta1")
    adam_beta2: float = restated(GAN2DConfig, "adam_beta2")

    @property
    def rates(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The rates of the generator (rows) and of the discriminator (columns)."""
        g = (self.lowest_generator_learning_rate, self.highest_generator_learning_rate)
        d = (self.lowest_discriminator_learning_rate, self.highest_discriminator_learning_rate)
        return _spaced(*g, self.generator_rates), _spaced(*d, self.discriminator_rates)

    @property
    def cells(self) -> int:
        """How many GANs there are."""
        return self.generator_rates * self.discriminator_rates

    def cell(self, row: int, column: int) -> GAN2DConfig:
        """Return the config of the single GAN that does what this cell does."""
        names = {f.name for f in dataclasses.fields(GAN2DConfig)}
        common = {name: value for name, value in self.to_dict().items() if name in names}
        rows, columns = self.rates
        return GAN2DConfig.from_values(
            {
                **common,
                "generator_learning_rate": rows[row],
                "discriminator_learning_rate": columns[column],
            }
        )


def _spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return `count` rates from low to high, evenly on a log scale, to three digits."""
    if count == 1:
        return (low,)
    a, b = math.log(low), math.log(high)
    return tuple(float(f"{math.exp(a + (b - a) * i / (count - 1)):.3g}") for i in range(count))


PRESETS: tuple[Preset, ...] = ()

PUBLISHED: tuple[Published, ...] = ()
