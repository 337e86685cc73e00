"""Hyperparameters of the translators between two domains: CycleGAN and pix2pix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.config import Config, field
from engine.configs import optimizer
from engine.presets import Preset, Published

GENERATORS = (
    ("resnet6", "ResNet, 6 blocks"),
    ("resnet9", "ResNet, 9 blocks"),
    ("unet", "U-Net: skips at every scale"),
)
NORMS = (("instance", "Instance norm"), ("batch", "Batch norm"))
LOSSES = (("least_squares", "Least squares"), ("nonsaturating", "Cross-entropy"))
AUGMENTATIONS = (
    ("none", "None"),
    ("mirror", "Mirror half of the pictures"),
    ("mirror_crop", "Mirror, and cut out of enlarged ones"),
)


def _channels(letter: str, networks: str, default: int) -> Any:
    return field(
        default,
        label=f"Channels of {letter}",
        help=f"Channels of the {networks}' first layer; the papers have 64.",
        minimum=4,
        maximum=128,
        step=4,
        advanced=True,
        group="Network",
    )


@dataclass(frozen=True)
class TranslatorConfig(Config):
    """What both translators have: generators, patch discriminators, a schedule."""

    learning_rate: float = optimizer.learning_rate(
        2e-4, "How far each step moves the weights of all networks."
    )
    batch_size: int = field(
        1,
        label="Batch size",
        help="Pictures of each domain in a step; the paper takes 1.",
        minimum=1,
        maximum=64,
        step=1,
        unit="pictures",
        advanced=True,
        group="Optimizer",
    )
    generator: str = field(
        "resnet6",
        label="Generator",
        help="A ResNet keeps the picture and changes it; a U-Net hands every scale across.",
        choices=GENERATORS,
    )
    generator_channels: int = _channels("G", "generators", 16)
    discriminator_channels: int = _channels("D", "discriminators", 32)
    discriminator_layers: int = field(
        2,
        label="Layers of D",
        help=(
            "Halvings before a patch is judged, counted as in the authors' code: 3 judges patches "
            "of 70 pixels as in the papers, 2 of 34, 1 of 16."
        ),
        minimum=1,
        maximum=4,
        step=1,
        advanced=True,
        group="Network",
    )
    norm: str = field(
        "instance",
        label="Normalisation",
        help="Instance norm takes each picture by itself; batch norm all of a step together.",
        choices=NORMS,
        advanced=True,
        group="Network",
    )
    loss: str = field(
        "least_squares",
        label="Validity loss",
        help="How D's verdict on each patch is scored.",
        choices=LOSSES,
        advanced=True,
        group="Loss",
    )
    lambda_validity: float = field(
        1.0,
        label="Lambda validity",
        help="Weight of the adversarial loss; 0 takes the discriminators out of the game.",
        minimum=0.0,
        maximum=100.0,
        step=0.1,
        live=True,
        advanced=True,
        group="Loss",
    )
    augmentation: str = field(
        "none",
        label="Augmentation",
        help="Changes of the training pictures; the papers mirror and cut.",
        choices=AUGMENTATIONS,
        advanced=True,
        group="Data",
    )
    constant_steps: int = optimizer.steps(
        "Constant learning rate",
        "Steps before the learning rate begins to fall; the paper takes half of all.",
        maximum=10_000_000,
    )
    decay_steps: int = optimizer.steps(
        "Linear decay",
        "Steps over which the learning rate then falls to nothing; 0 keeps it constant.",
        maximum=10_000_000,
    )
    adam_beta1: float = optimizer.adam_beta1(
        0.5, "Memory of the mean gradient; the papers take 0.5."
    )
    mixed_precision: bool = optimizer.mixed_precision()


@dataclass(frozen=True)
class CycleGANConfig(TranslatorConfig):
    """Hyperparameters of the CycleGAN: two generators, two discriminators, no pairs."""

    lambda_cycle: float = field(
        10.0,
        label="Lambda cycle",
        help="Weight of the reconstruction loss: there and back again must give the same picture.",
        minimum=0.0,
        maximum=100.0,
        step=0.5,
        live=True,
    )
    lambda_identity: float = field(
        0.5,
        label="Lambda identity",
        help=(
            "Weight of the identity loss, as a part of lambda cycle: a picture that is in the "
            "target domain already must stay as it is."
        ),
        minimum=0.0,
        maximum=10.0,
        step=0.1,
        live=True,
    )
    pool_size: int = field(
        50,
        label="Image pool",
        help="Earlier translations that the discriminators are shown again; 0 shows the newest.",
        minimum=0,
        maximum=200,
        step=1,
        unit="pictures",
        advanced=True,
        group="Loss",
    )
    cycle_noise: float = field(
        0.0,
        label="Noise before the way back",
        help=(
            "Standard deviation of noise on a translation before it goes back, on a scale of 0 "
            "to 255: it destroys hidden messages."
        ),
        minimum=0.0,
        maximum=64.0,
        step=0.5,
        live=True,
        advanced=True,
        group="Loss",
    )


@dataclass(frozen=True)
class Pix2PixConfig(TranslatorConfig):
    """Hyperparameters of pix2pix: a generator and a discriminator each way, shown pairs."""

    lambda_l1: float = field(
        100.0,
        label="Lambda L1",
        help="Weight of the mean absolute difference to the true partner.",
        minimum=0.0,
        maximum=1000.0,
        step=1.0,
        live=True,
    )


_EMOJI = "emoji_pairs"
_QUICK = {"learning_rate": 8e-4, "batch_size": 2}


def _cyclegan(
    key: str, title: str, help: str, steps: int, breaks: bool = False, **config: Any
) -> Preset:
    given = {**_QUICK, **config}
    return Preset(key, title, help, "cyclegan", _EMOJI, steps, given, breaks)


PRESETS: tuple[Preset, ...] = (
    _cyclegan(
        "first",
        "First look (3 min on a CPU)",
        "A narrow CycleGAN: shapes stay, colours and shading begin to cross over.",
        500,
    ),
    _cyclegan(
        "good",
        "Good (1 h on a CPU)",
        "The settings of the shipped model.",
        14_000,
        learning_rate=5e-4,
        constant_steps=7_000,
        decay_steps=7_000,
    ),
    Preset(
        "paper",
        "Best (GPU): as published",
        "64 channels, 9 blocks, patches of 70 pixels, batch 1, 100 + 100 epochs.",
        "cyclegan",
        _EMOJI,
        271_400,
        {
            "generator": "resnet9",
            "generator_channels": 64,
            "discriminator_channels": 64,
            "discriminator_layers": 3,
            "augmentation": "mirror_crop",
            "constant_steps": 135_700,
            "decay_steps": 135_700,
            "mixed_precision": True,
        },
    ),
    _cyclegan(
        "quiet-channel",
        "No hidden messages: noise before the way back",
        "A translation can hide the original in faint patterns; noise on it destroys them.",
        500,
        cycle_noise=8.0,
    ),
    _cyclegan(
        "gan-alone",
        "Break it: GAN alone",
        "No cycle and no identity: nothing ties a translation to its original.",
        600,
        True,
        lambda_cycle=0.0,
        lambda_identity=0.0,
    ),
    _cyclegan(
        "cycle-alone",
        "Break it: cycle alone",
        "No discriminators: leaving the picture as it is costs nothing, so nothing crosses over.",
        600,
        True,
        lambda_validity=0.0,
    ),
    _cyclegan(
        "no-identity",
        "Break it: no identity",
        "Colours may drift, as long as the way back undoes it.",
        600,
        True,
        lambda_identity=0.0,
    ),
    _cyclegan(
        "break-fast",
        "Break it: learning rate too high",
        "The networks jump past each other.",
        300,
        True,
        learning_rate=0.05,
    ),
    Preset(
        "pix2pix",
        "pix2pix: told the pairs",
        "The same generator, shown which pictures belong together.",
        "pix2pix",
        _EMOJI,
        1_000,
        dict(_QUICK),
    ),
    Preset(
        "l1-only",
        "L1 only: told the pairs, no discriminator",
        "The mean of all answers that are possible: near the truth, and blurred.",
        "pix2pix",
        _EMOJI,
        1_000,
        {**_QUICK, "lambda_validity": 0.0},
    ),
)
PUBLISHED: tuple[Published, ...] = ()
