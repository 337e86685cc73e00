"""Hyperparameters of optimizers that several models have, each described once."""

from __future__ import annotations

from typing import Any

from engine.config import field


def adam_beta1(default: float, help: str = "Memory of the mean gradient.") -> Any:
    """Describe Adam's first memory."""
    return field(
        default,
        label="Adam beta 1",
        help=help,
        minimum=0.0,
        maximum=0.999,
        step=0.001,
        advanced=True,
        group="Optimizer",
    )


def adam_beta2(default: float) -> Any:
    """Describe Adam's second memory."""
    return field(
        default,
        label="Adam beta 2",
        help="Memory of the squared gradient.",
        minimum=0.0,
        maximum=0.9999,
        step=0.0001,
        advanced=True,
        group="Optimizer",
    )


def weight_decay(default: float, help: str) -> Any:
    """Describe AdamW's weight decay."""
    return field(
        default,
        label="Weight decay",
        help=help,
        minimum=0.0,
        maximum=1.0,
        step=0.001,
        advanced=True,
        group="Optimizer",
    )


def decay_steps(which: str = "the rate falls", it: str = "it") -> Any:
    """Describe how long a learning rate, or several, fall along a cosine; 0 by default."""
    return field(
        0,
        label="Learning-rate decay",
        help=f"Steps over which {which} to 1 % along a cosine; 0 keeps {it} constant.",
        minimum=0,
        maximum=1_000_000,
        step=1,
        unit="steps",
        advanced=True,
        group="Optimizer",
    )
