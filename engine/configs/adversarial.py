"""Hyperparameters that every generative adversarial network has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.config import Config, field, restated
from engine.configs import optimizer

LOSSES = (
    ("nonsaturating", "Non-saturating: G maximises log D(G(z))"),
    ("minimax", "Minimax: G minimises log(1 - D(G(z)))"),
    ("least_squares", "Least squares"),
    ("wgan_gp", "Wasserstein with gradient penalty"),
)


@dataclass(frozen=True)
class GANConfig(Config):
    """Hyperparameters of a generator G and a discriminator D that learn from each other."""

    latent_dim: int = field(
        16,
        label="Noise dimension",
        help="How many random numbers the generator makes a sample of.",
        minimum=1,
        maximum=256,
        step=1,
        advanced=True,
        group="Network",
    )
    batch_size: int = field(
        64,
        label="Batch size",
        help="Real and generated examples that the discriminator judges in a step, each.",
        minimum=2,
        maximum=1024,
        step=1,
        unit="examples",
        advanced=True,
        group="Optimizer",
    )
    loss: str = field(
        "nonsaturating",
        label="Loss",
        help=(
            "What the two networks play for. In minimax the generator hardly learns while the "
            "discriminator is sure; the non-saturating form mends that."
        ),
        choices=LOSSES,
    )
    generator_learning_rate: float = field(
        1e-3,
        label="Learning rate of G",
        help="How far each step moves the generator's weights.",
        minimum=1e-6,
        maximum=10.0,
        scale="log",
        live=True,
    )
    discriminator_learning_rate: float = field(
        1e-3,
        label="Learning rate of D",
        help="How far each step moves the discriminator's weights.",
        minimum=1e-6,
        maximum=10.0,
        scale="log",
        live=True,
    )
    discriminator_steps: int = field(
        1,
        label="D steps per G step",
        help="How often the discriminator learns, on fresh examples, before the generator does.",
        minimum=1,
        maximum=10,
        step=1,
        unit="steps",
        live=True,
    )
    packing: int = field(
        1,
        label="Packing",
        help=(
            "How many samples the discriminator judges together (PacGAN). With 2 it sees that "
            "a generator repeats itself."
        ),
        minimum=1,
        maximum=4,
        step=1,
        unit="samples",
        group="Remedies",
    )
    minibatch_std: bool = field(
        False,
        label="Minibatch standard deviation",
        help="The discriminator is told how much the samples of a group differ.",
        group="Remedies",
    )
    r1_gamma: float = field(
        0.0,
        label="R1 penalty",
        help="Keeps the discriminator flat at real examples: gamma/2 times its squared slope.",
        minimum=0.0,
        maximum=100.0,
        step=0.01,
        live=True,
        group="Remedies",
        advanced=True,
    )
    spectral_norm: bool = field(
        False,
        label="Spectral normalisation of D",
        help="Each of the discriminator's layers stretches no direction by more than 1.",
        group="Remedies",
        advanced=True,
    )
    instance_noise: float = field(
        0.0,
        label="Instance noise",
        help="Standard deviation of noise on everything that the discriminator sees.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
        live=True,
        group="Remedies",
        advanced=True,
    )
    label_smoothing: float = field(
        0.0,
        label="Label smoothing",
        help=(
            "The discriminator's target for real examples is 1 less this (one-sided); no effect "
            "on the Wasserstein loss."
        ),
        minimum=0.0,
        maximum=0.3,
        step=0.01,
        live=True,
        group="Remedies",
        advanced=True,
    )
    two_time_scales: bool = field(
        False,
        label="Two time scales",
        help="The generator's learning rate is a quarter of what is set, the discriminator's not.",
        live=True,
        group="Remedies",
        advanced=True,
    )
    penalty_weight: float = field(
        10.0,
        label="Gradient penalty weight",
        help="Lambda of the Wasserstein loss: how much a slope of D other than 1 costs.",
        minimum=0.0,
        maximum=100.0,
        step=0.1,
        live=True,
        advanced=True,
        group="Loss",
    )
    trained: str = field(
        "both",
        label="Which network learns",
        help="Both, or one while the other stands still.",
        choices=(("both", "Both"), ("discriminator", "D only"), ("generator", "G only")),
        live=True,
        advanced=True,
        group="Optimizer",
    )
    noise: str = field(
        "normal",
        label="Noise",
        help="What the generator starts from: N(0, 1), or uniform between -1 and 1.",
        choices=(("normal", "Normal"), ("uniform", "Uniform")),
        advanced=True,
        group="Network",
    )
    adam_beta1: float = optimizer.adam_beta1(
        0.5, "Memory of the mean gradient; 0.5 or less keeps the game from swinging."
    )
    adam_beta2: float = optimizer.adam_beta2(0.99)
    decay_steps: int = optimizer.decay_steps("both rates fall", "them")

    @property
    def generator_rate(self) -> float:
        """The generator's learning rate with `two_time_scales` taken into account."""
        return self.generator_learning_rate * (0.25 if self.two_time_scales else 1.0)


def with_default(name: str, default: Any, **changed: Any) -> Any:
    """Return the field `name` of `GANConfig` with another default, for a subclass to declare."""
    return restated(GANConfig, name, default, **changed)
