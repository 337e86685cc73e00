"""Hyperparameters of optimizers that several models have, each described once."""

from __future__ import annotations

from typing import Any

from engine.config import field


def learning_rate(default: float, help: str, maximum: float = 1.0) -> Any:
    """Describe a learning rate, which may change while a run trains."""
    return field(
        default,
        label="Learning rate",
        help=help,
        minimum=1e-6,
        maximum=maximum,
        scale="log",
        live=True,
    )


def steps(
    label: str, help: str, default: int = 0, maximum: int = 1_000_000, group: str = "Optimizer"
) -> Any:
    """Describe how many steps a part of a schedule takes."""
    return field(
        default,
        label=label,
        help=help,
        minimum=0,
        maximum=maximum,
        step=1,
        unit="steps",
        advanced=True,
        group=group,
    )


def mixed_precision() -> Any:
    """Describe computing in bfloat16 on a GPU."""
    return field(
        False,
        label="Mixed precision",
        help="bfloat16 where it is safe, on a GPU; a CPU goes on in float32.",
        advanced=True,
        group="Optimizer",
    )


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


def decay_steps(which: str = "the rate falls", it: str = "it", floor_percent: int = 1) -> Any:
    """Describe how long a learning rate, or several, fall along a cosine; 0 by default."""
    return steps(
        "Learning-rate decay",
        f"Steps over which {which} to {floor_percent} % along a cosine; 0 keeps {it} constant.",
    )
