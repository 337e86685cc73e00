"""Hyperparameters of the DCGAN, and its presets."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import field
from engine.configs.adversarial import GANConfig, with_default
from engine.presets import Preset, Published


@dataclass(frozen=True)
class DCGANConfig(GANConfig):
    """Hyperparameters of a generator and a discriminator made of convolutions.

    The defaults of the networks are the guidelines of Radford et al. 2015, section 3.
    """

    latent_dim: int = with_default("latent_dim", 64)
    generator_learning_rate: float = with_default("generator_learning_rate", 2e-3)
    discriminator_learning_rate: float = with_default("discriminator_learning_rate", 1e-3)
    batch_size: int = with_default("batch_size", 64, maximum=512, unit="pictures")
    channels: int = field(
        16,
        label="Channels",
        help=(
            "Channels of the discriminator's first layer and the generator's last but one; each "
            "layer of half the side has twice as many."
        ),
        minimum=2,
        maximum=128,
        step=2,
        unit="channels",
    )
    conditional: bool = field(
        False,
        label="Class-conditional",
        help="Both networks are told the class, so that a class can be asked for.",
    )
    upsampling: str = field(
        "transposed",
        label="G: enlarging",
        help="Transposed convolutions that learn to enlarge, or pixels doubled, then convolved.",
        choices=(
            ("transposed", "Transposed convolution (guideline)"),
            ("nearest", "Nearest upsampling, then convolution"),
        ),
        group="Guidelines",
    )
    downsampling: str = field(
        "strided",
        label="D: shrinking",
        help="Strided convolutions that learn to shrink, or convolutions with max pooling.",
        choices=(
            ("strided", "Strided convolution (guideline)"),
            ("max_pool", "Convolution, then max pooling"),
        ),
        group="Guidelines",
    )
    generator_batch_norm: bool = field(
        True,
        label="G: batch norm",
        help="Guideline: on. Without it the generator learns slowly and loses modes easily.",
        group="Guidelines",
    )
    discriminator_batch_norm: bool = field(
        True,
        label="D: batch norm",
        help="Guideline: on, except in its first layer.",
        group="Guidelines",
    )
    generator_activation: str = field(
        "relu",
        label="G: activation",
        help="Between the generator's layers; guideline: ReLU.",
        choices=(("relu", "ReLU (guideline)"), ("leaky_relu", "LeakyReLU"), ("tanh", "tanh")),
        group="Guidelines",
    )
    generator_output: str = field(
        "tanh",
        label="G: last layer",
        help=(
            "Guideline: tanh, with pictures scaled to -1 to 1. With the sigmoid pictures are "
            "scaled to 0 to 1."
        ),
        choices=(("tanh", "tanh (guideline)"), ("sigmoid", "Sigmoid"), ("linear", "Linear")),
        group="Guidelines",
    )
    discriminator_activation: str = field(
        "leaky_relu",
        label="D: activation",
        help="Between the discriminator's layers; guideline: LeakyReLU with slope 0.2.",
        choices=(("leaky_relu", "LeakyReLU (guideline)"), ("relu", "ReLU")),
        group="Guidelines",
    )
    augmentation: str = field(
        "none",
        label="Augmentation",
        help=(
            "D sees every picture, real or generated, changed at random: against learning by "
            "heart when there are few."
        ),
        choices=(
            ("none", "None"),
            ("shift", "Shifts"),
            ("all", "Shifts, colours and covered squares (DiffAugment)"),
        ),
        group="Remedies",
    )
    discriminator_channels: int = field(
        0,
        label="D: channels",
        help="Channels of the discriminator alone; 0 takes those above.",
        minimum=0,
        maximum=128,
        step=1,
        unit="channels",
        advanced=True,
        group="Network",
    )


PRESETS = (
    Preset(
        "first-look",
        "First look (30 s)",
        "A small pair of networks: digits in half a minute, some of them wrong.",
        "dcgan",
        "mnist",
        900,
        {"channels": 12, "batch_size": 32},
    ),
    Preset(
        "good",
        "Good (4 min on a CPU)",
        "All ten digits, with rates that fall to the end.",
        "dcgan",
        "mnist",
        7000,
        {"channels": 16, "batch_size": 32, "decay_steps": 9000},
    ),
    Preset(
        "fashion",
        "Clothes (Fashion-MNIST)",
        "The same networks on ten kinds of clothing.",
        "dcgan",
        "fashion",
        7000,
        {"channels": 16, "batch_size": 32, "decay_steps": 9000},
    ),
    Preset(
        "emoji",
        "Emoji (64 pixels, colour)",
        "Only 1,398 pictures: D sees them shifted, recoloured and partly covered.",
        "dcgan",
        "emoji",
        7000,
        {
            "channels": 16,
            "batch_size": 32,
            "upsampling": "nearest",
            "augmentation": "all",
            "decay_steps": 7000,
        },
    ),
    Preset(
        "conditional",
        "Class-conditional digits",
        "Both networks are told the digit, so that you can ask for one.",
        "dcgan",
        "mnist",
        4000,
        {"channels": 16, "batch_size": 32, "conditional": True, "decay_steps": 6000},
    ),
    Preset(
        "stacked",
        "Stacked MNIST: 1,000 modes, plain",
        "Three digits as three colours, and a D a quarter of G's size: how many does it miss?",
        "dcgan",
        "stacked_mnist",
        3500,
        {"channels": 16, "batch_size": 32, "discriminator_channels": 4},
    ),
    Preset(
        "stacked-packing",
        "Stacked MNIST with packing 2",
        "The same, but D judges two pictures at a time and sees repetitions.",
        "dcgan",
        "stacked_mnist",
        3500,
        {"channels": 16, "batch_size": 32, "discriminator_channels": 4, "packing": 2},
    ),
    Preset(
        "best",
        "Best (GPU)",
        "Sixteen times the weights, seventeen times the pictures, rates near the paper's.",
        "dcgan",
        "mnist",
        30_000,
        {
            "channels": 64,
            "latent_dim": 100,
            "batch_size": 128,
            "generator_learning_rate": 4e-4,
            "discriminator_learning_rate": 2e-4,
            "decay_steps": 30_000,
        },
    ),
    Preset(
        "break-strong-discriminator",
        "Break it: D ten times as fast as G, no batch norm in G",
        "The discriminator runs away; the generator is left with next to nothing to learn from.",
        "dcgan",
        "mnist",
        4000,
        {
            "channels": 16,
            "batch_size": 32,
            "generator_batch_norm": False,
            "generator_learning_rate": 2e-4,
            "discriminator_learning_rate": 2e-3,
        },
        breaks=True,
    ),
    Preset(
        "break-tiny-discriminator",
        "Break it: a tiny D",
        "One channel cannot tell one digit from another: a few kinds of picture pass.",
        "dcgan",
        "mnist",
        4000,
        {"channels": 16, "batch_size": 32, "discriminator_channels": 1},
        breaks=True,
    ),
    Preset(
        "break-minimax",
        "Break it: minimax loss",
        "While D is sure, log(1 - D(G(z))) is flat: the generator hardly moves.",
        "dcgan",
        "mnist",
        4000,
        {
            "channels": 16,
            "batch_size": 32,
            "loss": "minimax",
            "generator_learning_rate": 1e-3,
            "discriminator_learning_rate": 4e-3,
        },
        breaks=True,
    ),
)
PUBLISHED: tuple[Published, ...] = ()
