"""Hyperparameters of the small classifier, and its presets."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import Config, field
from engine.configs import optimizer
from engine.presets import Preset, Published


@dataclass(frozen=True)
class ClassifierConfig(Config):
    """Hyperparameters of a small convolutional classifier of pictures."""

    learning_rate: float = optimizer.learning_rate(
        2e-3, "Step length of AdamW; with a decay, of its beginning."
    )
    batch_size: int = field(
        128,
        label="Batch size",
        help="Pictures per step.",
        minimum=2,  # batch norm needs two
        maximum=1024,
        step=1,
        unit="pictures",
    )
    channels: int = field(
        24,
        label="Channels",
        help="Channels of the first convolution; the second has twice as many, the others 64.",
        minimum=4,
        maximum=64,
        step=4,
        unit="channels",
    )
    feature_dim: int = field(
        64,
        label="Features",
        help="Numbers that the last but one layer describes a picture by.",
        minimum=8,
        maximum=256,
        step=8,
    )
    largest_side: int = field(
        32,
        label="Largest side",
        help="Larger pictures are shrunk to this first: a quarter of the work for half the side.",
        minimum=8,
        maximum=128,
        step=8,
        unit="px",
        advanced=True,
        group="Network",
    )
    decay_steps: int = optimizer.decay_steps()
    weight_decay: float = optimizer.weight_decay(0.01, "Decoupled weight decay (AdamW).")
    label_smoothing: float = field(
        0.0,
        label="Label smoothing",
        help="Share of a label that is spread over all classes.",
        minimum=0.0,
        maximum=0.5,
        step=0.01,
        live=True,
        advanced=True,
        group="Against learning by heart",
    )
    dropout: float = field(
        0.2,
        label="Dropout",
        help="Share of numbers that are left out at random before the last two layers.",
        minimum=0.0,
        maximum=0.9,
        step=0.05,
        advanced=True,
        group="Against learning by heart",
    )
    shift_px: int = field(
        2,
        label="Random shift",
        help="Pixels by which training pictures are moved at random, in each direction.",
        minimum=0,
        maximum=16,
        step=1,
        unit="px",
        advanced=True,
        group="Against learning by heart",
    )
    mirror: bool = field(
        False,
        label="Random mirroring",
        help="Half of the training pictures are seen mirrored left to right.",
        advanced=True,
        group="Against learning by heart",
    )
    colour_jitter: float = field(
        0.0,
        label="Random colours",
        help="Each channel of a training picture is multiplied by up to 1 ± this, and moved by "
        "up to ± this.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        advanced=True,
        group="Against learning by heart",
    )


PRESETS = (
    Preset(
        "digits",
        "Digits (2 min on a CPU)",
        "More than 99 of 100 test digits right.",
        "classifier",
        "mnist",
        2500,
        {"decay_steps": 2500},
    ),
)
PUBLISHED: tuple[Published, ...] = ()
