"""Hyperparameters and presets of the GAN on points of the plane."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import field
from engine.configs.adversarial import GANConfig, with_default
from engine.presets import Preset, Published


@dataclass(frozen=True)
class GAN2DConfig(GANConfig):
    """Hyperparameters of two multilayer perceptrons that play the game on points."""

    batch_size: int = with_default(
        "batch_size",
        256,
        unit="points",
        help="Real and generated points that the discriminator judges in a step, each.",
    )
    generator_width: int = field(
        128,
        label="Width of G",
        help="Units in each hidden layer of the generator.",
        minimum=2,
        maximum=512,
        step=1,
        unit="units",
        group="Network",
    )
    generator_depth: int = field(
        2,
        label="Depth of G",
        help="Hidden layers of the generator; with 0 it only stretches and turns the noise.",
        minimum=0,
        maximum=6,
        step=1,
        unit="layers",
        group="Network",
    )
    discriminator_width: int = field(
        128,
        label="Width of D",
        help="Units in each hidden layer of the discriminator.",
        minimum=2,
        maximum=512,
        step=1,
        unit="units",
        group="Network",
    )
    discriminator_depth: int = field(
        2,
        label="Depth of D",
        help="Hidden layers of the discriminator; with 0 it can only draw a straight line.",
        minimum=0,
        maximum=6,
        step=1,
        unit="layers",
        group="Network",
    )
    activation: str = field(
        "relu",
        label="Activation",
        help="The non-linearity between layers.",
        choices=(
            ("relu", "ReLU in G, leaky ReLU in D"),
            ("leaky_relu", "Leaky ReLU in both"),
            ("tanh", "tanh in both"),
        ),
        group="Network",
    )
    batch_norm: bool = field(
        False,
        label="Batch normalisation in G",
        help="Each hidden unit of the generator is centred and scaled over the batch.",
        group="Network",
    )
    unrolled_steps: int = field(
        0,
        label="Unrolling",
        help=(
            "How many steps of the discriminator the generator looks ahead. Each costs about as "
            "much as two of D's own steps."
        ),
        minimum=0,
        maximum=10,
        step=1,
        unit="steps",
        group="Remedies",
    )
    averaging: float = field(
        0.0,
        label="Averaging of G",
        help=(
            "Points are shown and measured from a running mean of the generator's weights with "
            "this memory; 0 shows the generator as it is."
        ),
        minimum=0.0,
        maximum=0.9999,
        step=0.0001,
        group="Remedies",
    )
    optimizer: str = field(
        "adam",
        label="Optimizer",
        help="Adam, or plain gradient descent with beta 1 as its momentum.",
        choices=(("adam", "Adam"), ("sgd", "SGD with momentum")),
        advanced=True,
        group="Optimizer",
    )
    decay_steps: int = field(
        0,
        label="Learning-rate decay",
        help="Steps over which both rates fall to 1 % along a cosine; 0 keeps them constant.",
        minimum=0,
        maximum=1_000_000,
        step=1,
        unit="steps",
        advanced=True,
        group="Optimizer",
    )


PRESETS: tuple[Preset, ...] = (
    Preset(
        "gan2d-first-look",
        "First look (15 s)",
        "Ring of 8 with the plain game: watch how many of the eight modes it finds.",
        "gan2d",
        "ring8",
        2500,
        {},
    ),
)

PUBLISHED: tuple[Published, ...] = ()
