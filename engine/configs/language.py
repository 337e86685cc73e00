"""Hyperparameters of the language models: GPT, recurrent networks, n-grams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.config import Config, field, restated
from engine.configs import optimizer
from engine.presets import Preset, Published

TOKENIZERS = (
    ("characters", "Characters"),
    ("byte_pairs", "Byte pairs"),
)
POSITIONS = (("learnt", "Learnt"), ("rotary", "Rotary"), ("none", "None"))
ACTIVATIONS = (("gelu", "GELU"), ("gelu_tanh", "GELU, tanh form"))
CELLS = (("rnn", "RNN, vanilla"), ("lstm", "LSTM"), ("gru", "GRU"))
SMOOTHINGS = (
    ("witten_bell", "Witten-Bell"),
    ("add_one", "Add one"),
    ("none", "None"),
)


@dataclass(frozen=True)
class TextConfig(Config):
    """What every model of text has: how text becomes tokens, and how much is read at once."""

    tokenizer: str = field(
        "characters",
        label="Tokenizer",
        help="What one symbol is: a character, or a piece learnt from the text by byte pairs.",
        choices=TOKENIZERS,
    )
    vocabulary: int = field(
        1024,
        label="Vocabulary",
        help="Tokens of the byte-pair tokenizer, 256 of them the bytes; characters need no number.",
        minimum=257,
        maximum=8192,
        step=1,
        scale="log",
        unit="tokens",
        advanced=True,
        group="Text",
    )
    context: int = field(
        64,
        label="Context",
        help="Tokens that the model sees at most; a recurrent network learns through so many.",
        minimum=2,
        maximum=1024,
        step=1,
        scale="log",
        unit="tokens",
    )
    batch_size: int = field(
        12,
        label="Batch size",
        help="Stretches of text of the context's length in a step.",
        minimum=1,
        maximum=512,
        step=1,
        unit="stretches",
        advanced=True,
        group="Optimizer",
    )


@dataclass(frozen=True)
class NeuralTextConfig(TextConfig):
    """What both kinds of network have: an optimizer and its schedule."""

    learning_rate: float = optimizer.learning_rate(1e-3, "How far each step moves the weights.")
    dropout: float = field(
        0.0,
        label="Dropout",
        help="Share of the values that are left out at random in training.",
        minimum=0.0,
        maximum=0.8,
        step=0.05,
        live=True,
        advanced=True,
        group="Network",
    )
    warmup_steps: int = optimizer.steps(
        "Warm-up", "Steps over which the learning rate rises from 0.", 100, 100_000
    )
    decay_steps: int = optimizer.decay_steps(floor_percent=10)
    clip: float = field(
        1.0,
        label="Gradient clipping",
        help="The gradient's norm is cut to this; 0 leaves it as it is.",
        minimum=0.0,
        maximum=100.0,
        step=0.1,
        live=True,
        advanced=True,
        group="Optimizer",
    )
    weight_decay: float = optimizer.weight_decay(0.1, "Pulls matrices towards zero each step.")
    adam_beta1: float = optimizer.adam_beta1(0.9)
    adam_beta2: float = optimizer.adam_beta2(0.99)
    mixed_precision: bool = optimizer.mixed_precision()


@dataclass(frozen=True)
class GPTConfig(NeuralTextConfig):
    """Hyperparameters of the decoder-only transformer."""

    layers: int = field(
        4,
        label="Layers",
        help="Blocks of attention and a small network, one after another; 0 leaves a bigram net.",
        minimum=0,
        maximum=24,
        step=1,
    )
    heads: int = field(
        4,
        label="Heads",
        help="Attentions side by side in each layer; the width must be a multiple.",
        minimum=1,
        maximum=16,
        step=1,
    )
    width: int = field(
        128,
        label="Width",
        help="Numbers that describe a token inside the network.",
        minimum=8,
        maximum=1024,
        step=8,
        unit="numbers",
    )
    positions: str = field(
        "learnt",
        label="Positions",
        help=(
            "How the network knows where a token stands: a vector for each place, a rotation "
            "by the distance, or not at all."
        ),
        choices=POSITIONS,
        advanced=True,
        group="Network",
    )
    tied: bool = field(
        True,
        label="Tied head",
        help="Reading a token and predicting it share one table.",
        advanced=True,
        group="Network",
    )
    causal: bool = field(
        True,
        label="Causal mask",
        help="A token sees only what comes before it. Without, it sees the answer.",
        advanced=True,
        group="Network",
    )
    activation: str = field(
        "gelu",
        label="Activation",
        help="Of the small networks; published GPT-2 weights have the tanh form.",
        choices=ACTIVATIONS,
        advanced=True,
        group="Network",
    )


@dataclass(frozen=True)
class RNNConfig(NeuralTextConfig):
    """Hyperparameters of the recurrent networks."""

    cell: str = field(
        "lstm",
        label="Cell",
        help="Vanilla forgets over long stretches; LSTM and GRU have gates that keep.",
        choices=CELLS,
    )
    layers: int = field(
        1, label="Layers", help="Recurrent layers above each other.", minimum=1, maximum=4, step=1
    )
    units: int = field(
        256,
        label="Units",
        help="Numbers that a layer remembers from token to token.",
        minimum=4,
        maximum=1024,
        step=4,
        unit="units",
    )
    embedding: int = field(
        64,
        label="Embedding",
        help="Numbers that describe a token on its way in.",
        minimum=4,
        maximum=512,
        step=4,
        unit="numbers",
        advanced=True,
        group="Network",
    )
    learning_rate: float = restated(NeuralTextConfig, "learning_rate", 2e-3)
    warmup_steps: int = restated(NeuralTextConfig, "warmup_steps", 20)
    weight_decay: float = optimizer.weight_decay(0.01, "Pulls matrices towards zero each step.")
    adam_beta2: float = optimizer.adam_beta2(0.999)


@dataclass(frozen=True)
class NgramConfig(TextConfig):
    """Hyperparameters of the counted model: the next token given the last few."""

    order: int = field(
        5,
        label="Order",
        help="Tokens that are looked at together: 2 knows one token of the past, 6 knows five.",
        minimum=1,
        maximum=6,
        step=1,
    )
    smoothing: str = field(
        "witten_bell",
        label="Smoothing",
        help="What becomes of contexts never seen: Witten-Bell falls back to shorter ones.",
        choices=SMOOTHINGS,
    )
    batch_size: int = restated(TextConfig, "batch_size", 256)
    context: int = restated(TextConfig, "context", 128)


_GPT, _RNN, _NGRAM = "gpt", "rnn", "ngram"
_TEXT, _TINY = "shakespeare", "shakespeare_tiny"


def _preset(
    key: str,
    title: str,
    help: str,
    model: str,
    steps: int,
    breaks: bool = False,
    dataset: str = _TEXT,
    **config: Any,
) -> Preset:
    return Preset(key, title, help, model, dataset, steps, config, breaks)


PRESETS: tuple[Preset, ...] = (
    _preset(
        "first",
        "First look (20 s on a CPU)",
        "A small GPT on characters: letters, then words of the right length.",
        _GPT,
        300,
        layers=2,
        width=64,
        heads=4,
        context=48,
        learning_rate=5e-3,
        warmup_steps=20,
        decay_steps=300,
    ),
    _preset(
        "good",
        "Good (1.5 min on a CPU)",
        "Words, names and lines of a play.",
        _GPT,
        1200,
        layers=3,
        width=96,
        heads=4,
        context=64,
        positions="rotary",
        learning_rate=4e-3,
        warmup_steps=50,
        decay_steps=1200,
    ),
    _preset(
        "nanogpt",
        "As published: nanoGPT on a CPU (3 min)",
        "4 layers, 4 heads, width 128, context 64, batches of 12, 2,000 steps.",
        _GPT,
        2000,
        decay_steps=2000,
    ),
    _preset(
        "pairs",
        "Better (3 min on a CPU)",
        "The same time on byte pairs, with rotary positions: a token says more than a letter.",
        _GPT,
        1900,
        tokenizer="byte_pairs",
        vocabulary=512,
        positions="rotary",
        learning_rate=3e-3,
        decay_steps=1900,
    ),
    _preset(
        "best-cpu",
        "Best (10 min on a CPU)",
        "The shipped model's settings, for a seventh of its steps.",
        _GPT,
        2000,
        tokenizer="byte_pairs",
        vocabulary=1024,
        layers=6,
        heads=5,
        width=160,
        context=128,
        batch_size=8,
        positions="rotary",
        learning_rate=3e-3,
        decay_steps=2000,
    ),
    _preset(
        "gpu",
        "Best (GPU)",
        "nanoGPT's settings for a GPU: 6 layers, 6 heads, width 384, context 256.",
        _GPT,
        5000,
        layers=6,
        heads=6,
        width=384,
        context=256,
        batch_size=64,
        dropout=0.2,
        decay_steps=5000,
        mixed_precision=True,
    ),
    _preset(
        "lstm",
        "LSTM (1 min on a CPU)",
        "One layer of 256 units that carries its memory from letter to letter.",
        _RNN,
        2000,
        learning_rate=5e-3,
        decay_steps=2000,
    ),
    _preset(
        "gru",
        "GRU (1 min on a CPU)",
        "Two gates in place of three.",
        _RNN,
        2000,
        cell="gru",
        learning_rate=5e-3,
        decay_steps=2000,
    ),
    _preset(
        "vanilla",
        "Vanilla RNN (1 min on a CPU)",
        "No gates: quick, and forgetful.",
        _RNN,
        1500,
        cell="rnn",
        learning_rate=1e-3,
    ),
    _preset(
        "ngram",
        "5-gram (seconds)",
        "Nothing but counts of what followed the last four characters.",
        _NGRAM,
        150,
    ),
    _preset(
        "bigram-net",
        "Bigram net: a GPT without layers",
        "It can only learn which character follows which; the best is known by counting.",
        _GPT,
        1500,
        layers=0,
        positions="none",
        tied=False,
        learning_rate=1e-2,
        batch_size=32,
        weight_decay=0.0,
        decay_steps=1500,
    ),
    _preset(
        "break-causal",
        "Break it: no causal mask",
        "Each token sees the one it has to predict: the loss falls below what is possible.",
        _GPT,
        600,
        True,
        causal=False,
        layers=2,
        width=64,
        learning_rate=3e-3,
    ),
    _preset(
        "break-positions",
        "Break it: no positions",
        "One layer that cannot tell which of the earlier tokens is the last.",
        _GPT,
        600,
        True,
        positions="none",
        layers=1,
        width=64,
        learning_rate=3e-3,
    ),
    _preset(
        "break-fast",
        "Break it: learning rate too high",
        "The steps are too long: the loss stays high, or leaps.",
        _GPT,
        300,
        True,
        learning_rate=0.3,
        layers=2,
        width=64,
        warmup_steps=0,
        clip=0.0,
    ),
    _preset(
        "break-tiny",
        "Break it: a tiny corpus",
        "One scene learnt by heart: training loss falls, validation loss rises.",
        _GPT,
        1500,
        True,
        "scene",
        layers=3,
        width=96,
        learning_rate=3e-3,
    ),
    _preset(
        "break-vanilla",
        "Break it: a vanilla RNN on long context",
        "The gradient fades with distance: what is 100 characters back teaches nothing.",
        _RNN,
        400,
        True,
        cell="rnn",
        context=192,
        learning_rate=1e-3,
    ),
)
PUBLISHED: tuple[Published, ...] = ()
