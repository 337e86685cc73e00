"""Hyperparameters of the autoencoder (AE) and the variational autoencoder (VAE)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.config import Config, field
from engine.configs import optimizer
from engine.presets import Preset, Published

LIKELIHOODS = (
    ("bernoulli", "Bernoulli, pixels drawn anew as 0 or 1 (dynamic binarisation)"),
    ("bernoulli_gray", "Bernoulli, gray targets (not a likelihood)"),
    ("gaussian", "Gaussian, fixed standard deviation"),
)


@dataclass(frozen=True)
class AEConfig(Config):
    """Hyperparameters of a plain autoencoder: encoder, code, decoder, no prior."""

    latent_dim: int = field(
        2,
        label="Latent dimension",
        help="How many numbers a picture is squeezed into. Two can be drawn as a map.",
        minimum=1,
        maximum=64,
        step=1,
    )
    learning_rate: float = optimizer.learning_rate(
        1e-3, "How far each step moves the weights. Too high and training breaks.", 10.0
    )
    batch_size: int = field(
        128,
        label="Batch size",
        help="Pictures per step.",
        minimum=1,
        maximum=1024,
        step=1,
        unit="pictures",
    )
    network: str = field(
        "mlp",
        label="Network",
        help="Fully connected layers, or strided convolutions with transposed ones back.",
        choices=(("mlp", "Fully connected (MLP)"), ("conv", "Convolutional")),
    )
    hidden_dim: int = field(
        256,
        label="Hidden width",
        help="Units in each hidden layer of encoder and decoder (MLP).",
        minimum=8,
        maximum=1024,
        step=8,
        unit="units",
        advanced=True,
        group="Network",
    )
    hidden_layers: int = field(
        2,
        label="Hidden layers",
        help="Hidden layers in the encoder, and as many in the decoder (MLP).",
        minimum=1,
        maximum=4,
        step=1,
        advanced=True,
        group="Network",
    )
    channels: int = field(
        32,
        label="Channels",
        help="Channels of the first convolution; the second has twice as many (convolutional).",
        minimum=4,
        maximum=128,
        step=4,
        advanced=True,
        group="Network",
    )
    activation: str = field(
        "relu",
        label="Activation",
        help="The non-linearity between layers.",
        choices=(("relu", "ReLU"), ("gelu", "GELU"), ("silu", "SiLU"), ("tanh", "tanh")),
        advanced=True,
        group="Network",
    )
    likelihood: str = field(
        "bernoulli",
        label="Likelihood p(x|z)",
        help=(
            "How a decoded picture is scored. Dynamic binarisation draws each pixel as 0 or 1 "
            "from its gray value; with gray targets the number is no log-likelihood."
        ),
        choices=LIKELIHOODS,
        advanced=True,
        group="Loss",
    )
    pixel_sd: float = field(
        0.2,
        label="Pixel standard deviation",
        help="Standard deviation of each pixel under the Gaussian likelihood, on a 0 to 1 scale.",
        minimum=0.01,
        maximum=2.0,
        scale="log",
        advanced=True,
        group="Loss",
    )
    reconstruction_reduction: str = field(
        "sum",
        label="Reconstruction over pixels",
        help=(
            "Summed, as the bound asks for. Averaged, the KL term weighs as many times too much "
            "as there are pixels."
        ),
        choices=(("sum", "Summed (right)"), ("mean", "Averaged (a common mistake)")),
        advanced=True,
        group="Loss",
    )
    decay_steps: int = optimizer.decay_steps()
    adam_beta1: float = optimizer.adam_beta1(0.9)
    adam_beta2: float = optimizer.adam_beta2(0.999)
    weight_decay: float = optimizer.weight_decay(
        0.0, "Decoupled weight decay (AdamW); 0 is plain Adam."
    )
    gradient_clip: float = field(
        0.0,
        label="Gradient clipping",
        help="Largest norm of the gradient; 0 leaves it as it is.",
        minimum=0.0,
        maximum=1000.0,
        step=0.1,
        live=True,
        advanced=True,
        group="Optimizer",
    )


@dataclass(frozen=True)
class VAEConfig(AEConfig):
    """Hyperparameters of a (beta-)VAE: an autoencoder whose codes are kept near a prior."""

    beta: float = field(
        1.0,
        label="Beta (weight of the KL)",
        help="1 is the VAE; more pulls the codes to the prior, 0 lets them go.",
        minimum=0.0,
        maximum=100.0,
        step=0.1,
        live=True,
    )
    kl_warmup_steps: int = optimizer.steps(
        "KL warm-up",
        "Steps over which beta rises from 0, so that the decoder learns to use the code.",
        maximum=100_000,
        group="Loss",
    )
    kl_reduction: str = field(
        "sum",
        label="KL over dimensions",
        help="Summed, as the bound asks for. Averaged, it weighs too little, D times.",
        choices=(("sum", "Summed (right)"), ("mean", "Averaged (a common mistake)")),
        advanced=True,
        group="Loss",
    )


PRESETS = (
    Preset(
        "first-look",
        "First look (10 s)",
        "Two latent dimensions, a few epochs: the map forms before your eyes.",
        "vae",
        "mnist",
        750,
        {"learning_rate": 2e-3, "decay_steps": 750},
    ),
    Preset(
        "good",
        "Good (1 min on a CPU)",
        "Ten epochs of MNIST with a falling learning rate.",
        "vae",
        "mnist",
        4690,
        {"learning_rate": 2e-3, "decay_steps": 4690},
    ),
    Preset(
        "twenty",
        "Twenty dimensions",
        "Sharper pictures, a space too large to draw: use the PCA plane and the sliders.",
        "vae",
        "mnist",
        4690,
        {"latent_dim": 20, "kl_warmup_steps": 1000, "decay_steps": 4690},
    ),
    Preset(
        "best",
        "Best (GPU)",
        "Convolutions, a long schedule.",
        "vae",
        "mnist",
        46900,
        {"network": "conv", "channels": 64, "hidden_dim": 512, "decay_steps": 46900},
    ),
    Preset(
        "plain-ae",
        "Plain autoencoder",
        "No prior: good reconstructions, and holes between the codes.",
        "ae",
        "mnist",
        3000,
        {"learning_rate": 2e-3, "decay_steps": 3000},
    ),
    Preset(
        "fashion",
        "Clothes (Fashion-MNIST)",
        "The same model on ten kinds of clothing.",
        "vae",
        "fashion",
        3000,
        {"learning_rate": 2e-3, "decay_steps": 3000},
    ),
    Preset(
        "break-collapse",
        "Break it: posterior collapse (beta 20)",
        "The KL weighs so much that the code is ignored and every picture decodes alike.",
        "vae",
        "mnist",
        800,
        {"beta": 20.0},
        breaks=True,
    ),
    Preset(
        "break-beta-zero",
        "Break it: no prior (beta 0)",
        "A plain autoencoder in disguise: codes spread without limit, samples from N(0, I) fail.",
        "vae",
        "mnist",
        1000,
        {"beta": 0.0},
        breaks=True,
    ),
    Preset(
        "break-divergence",
        "Break it: divergence (learning rate 1)",
        "Steps so long that the loss leaves every bound.",
        "vae",
        "mnist",
        1000,
        {"learning_rate": 1.0},
        breaks=True,
    ),
    Preset(
        "break-one-dimension",
        "Break it: too few dimensions",
        "One number for a picture: digits must share a line.",
        "vae",
        "mnist",
        1000,
        {"latent_dim": 1},
        breaks=True,
    ),
    Preset(
        "break-kl-mean",
        "Break it: KL averaged instead of summed",
        "With 20 dimensions the prior weighs 20 times too little: samples from it fall apart.",
        "vae",
        "mnist",
        1000,
        {"latent_dim": 20, "kl_reduction": "mean"},
        breaks=True,
    ),
    Preset(
        "break-pixel-mean",
        "Break it: reconstruction averaged over pixels",
        "The KL weighs 784 times too much: the posterior collapses at once.",
        "vae",
        "mnist",
        800,
        {"reconstruction_reduction": "mean"},
        breaks=True,
    ),
)

_SVAE = "N-VAE of Davidson et al., UAI 2018, Table 1 (dynamic binarisation, converged)"
PUBLISHED = (
    Published("vae", "mnist", 2, "elbo_nats", -137.08, _SVAE),
    Published("vae", "mnist", 5, "elbo_nats", -112.98, _SVAE),
    Published("vae", "mnist", 20, "elbo_nats", -94.79, _SVAE),
)
