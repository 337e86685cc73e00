"""Hyperparameters and presets of the GAN on points of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.config import field
from engine.configs.adversarial import GANConfig, with_default
from engine.presets import Preset, Published


def _width(letter: str, network: str) -> Any:
    return field(
        128,
        label=f"Width of {letter}",
        help=f"Units in each hidden layer of the {network}.",
        minimum=2,
        maximum=512,
        step=1,
        unit="units",
        group="Network",
        advanced=True,
    )


def _depth(letter: str, network: str, without: str) -> Any:
    return field(
        2,
        label=f"Depth of {letter}",
        help=f"Hidden layers of the {network}; {without}",
        minimum=0,
        maximum=6,
        step=1,
        unit="layers",
        group="Network",
        advanced=True,
    )


@dataclass(frozen=True)
class GAN2DConfig(GANConfig):
    """Hyperparameters of two multilayer perceptrons that play the game on points."""

    batch_size: int = with_default(
        "batch_size",
        256,
        unit="points",
        help="Real and generated points that the discriminator judges in a step, each.",
    )
    generator_width: int = _width("G", "generator")
    generator_depth: int = _depth("G", "generator", "with 0 it only stretches and turns the noise.")
    discriminator_width: int = _width("D", "discriminator")
    discriminator_depth: int = _depth(
        "D", "discriminator", "with 0 it can only draw a straight line."
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
        advanced=True,
    )
    batch_norm: bool = field(
        False,
        label="Batch normalisation in G",
        help="Each hidden unit of the generator is centred and scaled over the batch.",
        group="Network",
        advanced=True,
    )
    unrolled_steps: int = field(
        0,
        label="Unrolling",
        help=(
            "How many steps of the discriminator the generator looks ahead; penalties on its "
            "slope are left out of them. Each costs about as much as two of D's own steps."
        ),
        minimum=0,
        maximum=10,
        step=1,
        unit="steps",
        group="Remedies",
        advanced=True,
    )
    optimizer: str = field(
        "adam",
        label="Optimizer",
        help="Adam, or plain gradient descent with beta 1 as its momentum.",
        choices=(("adam", "Adam"), ("sgd", "SGD with momentum")),
        advanced=True,
        group="Optimizer",
    )


PRESETS: tuple[Preset, ...] = (
    Preset(
        "gan2d-first-look",
        "First look (10 s)",
        "Two moons: the generator's cloud tears in two and bends into shape before your eyes.",
        "gan2d",
        "moons",
        2500,
        {"decay_steps": 2500},
    ),
    Preset(
        "gan2d-packing",
        "All eight modes (40 s)",
        "Ring of 8. The discriminator judges pairs, and a generator that repeats itself is caught.",
        "gan2d",
        "ring8",
        5000,
        {"packing": 2, "decay_steps": 5000},
    ),
    Preset(
        "gan2d-grid",
        "Grid of 25 (1 to 2 min)",
        "All 25 modes, told to the discriminator by the deviation of each group; both learning "
        "rates fall to nothing, so that the points settle.",
        "gan2d",
        "grid25",
        15_000,
        {"minibatch_std": True, "decay_steps": 15_000},
    ),
    Preset(
        "gan2d-moons",
        "Two moons (20 s)",
        "A shape without separate modes: coverage is measured on a grid.",
        "gan2d",
        "moons",
        5000,
        {"decay_steps": 5000},
    ),
    Preset(
        "gan2d-spiral",
        "Spiral (1 min)",
        "Two thin arms: the generator must roll its noise up.",
        "gan2d",
        "spiral",
        12_000,
        {"minibatch_std": True, "decay_steps": 12_000},
    ),
    Preset(
        "gan2d-wgan",
        "Wasserstein with gradient penalty (1 min)",
        "The critic scores instead of judging, its slope is held near 1, and it learns three "
        "times a step. The loss follows how good the points are.",
        "gan2d",
        "ring8",
        4000,
        {
            "loss": "wgan_gp",
            "penalty_weight": 0.1,
            "discriminator_steps": 3,
            "adam_beta1": 0.0,
            "adam_beta2": 0.9,
            "decay_steps": 4000,
        },
    ),
    Preset(
        "gan2d-unrolled",
        "Unrolled, 5 steps ahead (1 min)",
        "The generator learns against the discriminator that would follow. Slow, and it does not "
        "run after one mode.",
        "gan2d",
        "ring8",
        2000,
        {"unrolled_steps": 5},
    ),
    Preset(
        "gan2d-break-ring",
        "Break it: the plain game loses modes",
        "Ring of 8 without any remedy: most of the eight modes are never found, or lost again.",
        "gan2d",
        "ring8",
        5000,
        {},
        breaks=True,
    ),
    Preset(
        "gan2d-break-minimax",
        "Break it: minimax saturates",
        "A discriminator that is sure leaves log(1 - D) flat: the generator gets no gradient.",
        "gan2d",
        "ring8",
        2500,
        {"loss": "minimax", "discriminator_learning_rate": 0.005, "discriminator_steps": 5},
        breaks=True,
    ),
    Preset(
        "gan2d-break-tiny-d",
        "Break it: a tiny discriminator",
        "Four hidden units cannot tell eight modes from one.",
        "gan2d",
        "ring8",
        2500,
        {"discriminator_width": 4, "discriminator_depth": 1},
        breaks=True,
    ),
    Preset(
        "gan2d-break-line",
        "Break it: a discriminator without hidden layers",
        "It can only draw a straight line, and the generator runs back and forth across it.",
        "gan2d",
        "ring8",
        2500,
        {"discriminator_depth": 0},
        breaks=True,
    ),
    Preset(
        "gan2d-break-fast-d",
        "Break it: the discriminator is too fast",
        "Its learning rate is a hundred times the generator's: it is nearly always right, and the "
        "generator settles on one mode.",
        "gan2d",
        "ring8",
        2500,
        {"generator_learning_rate": 1e-4, "discriminator_learning_rate": 1e-2},
        breaks=True,
    ),
    Preset(
        "gan2d-break-orbit",
        "Break it: the game goes in circles",
        "Much momentum and small nets: each network overshoots the other's last move.",
        "gan2d",
        "ring8",
        2500,
        {"adam_beta1": 0.95, "generator_width": 16, "discriminator_width": 16},
        breaks=True,
    ),
)

_PACGAN = "of Lin et al. 2018, PacGAN, Table 1 (400,000 steps, larger networks)"
PUBLISHED: tuple[Published, ...] = (
    Published("gan2d", "ring8", 2, "modes_covered", 6.3, f"GAN {_PACGAN}"),
    Published("gan2d", "ring8", 2, "modes_covered", 7.9, f"PacGAN2 {_PACGAN}"),
    Published("gan2d", "grid25", 2, "modes_covered", 17.3, f"GAN {_PACGAN}"),
    Published("gan2d", "grid25", 2, "modes_covered", 23.8, f"PacGAN2 {_PACGAN}"),
)
