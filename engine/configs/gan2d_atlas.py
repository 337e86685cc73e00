"""Hyperparameters of the stability atlas: many small GANs on points that differ in two rates."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from engine.config import Config, field
from engine.configs.gan2d import GAN2DConfig
from engine.presets import Preset, Published

MOST = 16  # rates of each network


def _shared(name: str, default: Any = None, **changed: Any) -> Any:
    """Return a field of `GAN2DConfig`, with another default or other bounds where given."""
    found = next(f for f in dataclasses.fields(GAN2DConfig) if f.name == name)
    value = found.default if default is None else default
    return dataclasses.field(default=value, metadata={**found.metadata, **changed})


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

    generator_rates: int = field(
        10,
        label="Rates of G",
        help="How many learning rates of the generator are tried: the rows of the atlas.",
        minimum=1,
        maximum=MOST,
        step=1,
        group="Rates",
    )
    lowest_generator_learning_rate: float = _rate(1e-4, "Lowest rate of G", "lowest")
    highest_generator_learning_rate: float = _rate(1e-1, "Highest rate of G", "highest")
    discriminator_rates: int = field(
        10,
        label="Rates of D",
        help="How many learning rates of the discriminator are tried: the columns of the atlas.",
        minimum=1,
        maximum=MOST,
        step=1,
        group="Rates",
    )
    lowest_discriminator_learning_rate: float = _rate(1e-4, "Lowest rate of D", "lowest")
    highest_discriminator_learning_rate: float = _rate(1e-1, "Highest rate of D", "highest")
    loss: str = _shared("loss")
    latent_dim: int = _shared("latent_dim", 2, maximum=64)
    batch_size: int = _shared("batch_size", 64, maximum=256)
    discriminator_steps: int = _shared("discriminator_steps", live=False)
    generator_width: int = _shared("generator_width", 32, maximum=64)
    generator_depth: int = _shared("generator_depth", maximum=4)
    discriminator_width: int = _shared("discriminator_width", 32, maximum=64)
    discriminator_depth: int = _shared("discriminator_depth", maximum=4)
    activation: str = _shared("activation")
    packing: int = _shared("packing")
    r1_gamma: float = _shared("r1_gamma")
    penalty_weight: float = _shared("penalty_weight")
    label_smoothing: float = _shared("label_smoothing")
    noise: str = _shared("noise")
    optimizer: str = _shared("optimizer")
    adam_beta1: float = _shared("adam_beta1")
    adam_beta2: float = _shared("adam_beta2")

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
