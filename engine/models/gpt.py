"""GPT: a decoder-only transformer on characters or byte pairs.

Radford et al. 2019 ("Language Models are Unsupervised Multitask Learners"): layer norm before
each part, residual projections initialised smaller by sqrt(2 L). Options beyond it: rotary
positions (Su et al. 2021), none at all, no causal mask (to see what goes wrong).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.configs.language import GPTConfig
from engine.errors import Rejected
from engine.language import Network, NeuralLanguageLearner

INIT_SD = 0.02  # GPT-2
ROTARY_BASE = 10_000.0  # Su et al. 2021

Kept = dict[str, list[Tensor]]


@dataclass
class GPTState:
    """The tokens so far, and keys and values (B, H, T, D/H) of those in the context."""

    tokens: Tensor  # B, at most T
    keys: list[Tensor]
    values: list[Tensor]
    length: int = 0  # of the text so far
    used: int = 0  # places of the context that are filled


class Attention(nn.Module):
    """Causal self-attention of H heads."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.heads, self.causal, self.rate = c.heads, c.causal, c.dropout
        self.query_key_value = nn.Linear(c.width, 3 * c.width)
        self.project = nn.Linear(c.width, c.width)
        self.dropout = nn.Dropout(c.dropout)

    def split(self, x: Tensor, turn: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values (B, H, T, D/H) of x (B, T, D), turned when rotary."""
        b, t, d = x.shape
        size = (b, t, self.heads, d // self.heads)
        parts = self.query_key_value(x).split(
            d, -1
        )  # its backward is cheaper than a permuted one's
        q, k, v = (part.view(size).transpose(1, 2) for part in parts)  # B, H, T, D/H
        return (q, k, v) if turn is None else (rotate(q, turn), rotate(k, turn), v)

    def joined(self, x: Tensor) -> Tensor:
        """Return heads (B, H, T, D/H) side by side and projected, (B, T, D)."""
        b, _, t, _ = x.shape
        return self.dropout(self.project(x.transpose(1, 2).reshape(b, t, -1)))

    def forward(self, x: Tensor, turn: Tensor | None, kept: list[Tensor] | None = None) -> Tensor:
        """Let each token of x (B, T, D) look at those up to it; `kept` gets the weights."""
        q, k, v = self.split(x, turn)
        rate = self.dropout.p if self.training else 0.0
        if kept is None:
            found = F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=self.causal)
        else:
            weights = attention_weights(q, k, self.causal)
            kept.append(weights)
            found = weights @ v
        return self.joined(found)


class Block(nn.Module):
    """Attention, then a small network for each token; each adds to the residual stream."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(c.width)
        self.attention = Attention(c)
        self.norm2 = nn.LayerNorm(c.width)
        self.widen = nn.Linear(c.width, 4 * c.width)
        self.activation = nn.GELU("tanh" if c.activation == "gelu_tanh" else "none")
        self.narrow = nn.Linear(4 * c.width, c.width)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor, turn: Tensor | None, kept: Kept | None = None) -> Tensor:
        """Return the residual stream (B, T, D) after this block; `kept` gets what is inside."""
        x = x + self.attention(self.norm1(x), turn, None if kept is None else kept["attention"])
        return x + self.feed(x, None if kept is None else kept["mlp"])

    def feed(self, x: Tensor, kept: list[Tensor] | None = None) -> Tensor:
        """Return what the small network adds to x (B, T, D); `kept` gets its units (B, T, 4D)."""
        units = self.activation(self.widen(self.norm2(x)))
        if kept is not None:
            kept.append(units)
        return self.dropout(self.narrow(units))

    def step(self, x: Tensor, turn: Tensor | None, state: GPTState, layer: int) -> Tensor:
        """Return the stream of new tokens (B, t, D), with keys and values kept for the next."""
        a, start, new = self.attention, state.used, x.shape[1]
        q, k, v = a.split(self.norm1(x), turn)
        keys, values = state.keys[layer], state.values[layer]
        keys[:, :, start : start + new] = k
        values[:, :, start : start + new] = v
        k, v = keys[:, :, : start + new], values[:, :, : start + new]
        if new == 1 or not a.causal:
            found = F.scaled_dot_product_attention(q, k, v)
        elif start == 0:
            found = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            seen = torch.ones(new, start + new, dtype=torch.bool, device=x.device).tril(start)
            found = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + a.joined(found)
        return x + self.feed(x)


class GPT(Network):
    """Token ids (B, T) to logits (B, T, V)."""

    def __init__(self, c: GPTConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = c
        self.embedding = nn.Embedding(vocabulary, c.width)
        if c.positions == "learnt":
            self.positions = nn.Embedding(c.context, c.width)
        self.dropout = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        if not c.tied:
            self.head = nn.Linear(c.width, vocabulary, bias=False)
        self.apply(_initialise)
        for name, parameter in self.named_parameters():
            if name.endswith(("project.weight", "narrow.weight")):
                nn.init.normal_(parameter, 0.0, INIT_SD / math.sqrt(2 * c.layers))

    def entered(self, tokens: Tensor, start: int = 0) -> tuple[Tensor, Tensor | None]:
        """Return the residual stream (B, T, D) before the first block, and the rotations."""
        x, t = self.embedding(tokens), tokens.shape[1]
        if self.config.positions == "learnt":
            x = x + self.positions.weight[start : start + t]
        turn = None
        if self.config.positions == "rotary":
            turn = rotations(start, t, self.config.width // self.config.heads, x.device)
        return self.dropout(x), turn

    def lens(self, hidden: Tensor) -> Tensor:
        """Return logits (B, T, V) as if the stream (B, T, D) were at its end."""
        table = self.embedding.weight if self.config.tied else self.head.weight
        return F.linear(self.norm(hidden), table)

    def forward(self, tokens: Tensor, inside: dict[str, Any] | None = None) -> Tensor:
        """Return logits (B, T, V).

        `inside` gets lists by layer: attention (B, H, T, T), mlp (B, T, 4D), and hidden, the
        streams (B, T, D) before the first block and after each.
        """
        x, turn = self.entered(tokens)
        kept: Kept | None = None if inside is None else {"attention": [], "mlp": [], "hidden": [x]}
        for block in self.blocks:
            x = block(x, turn, kept)
            if kept is not None:
                kept["hidden"].append(x)
        if inside is not None and kept is not None:
            inside |= kept
        return self.lens(x)

    # ------------------------------------------------------------------ token by token

    def start(self, batch: int) -> GPTState:
        """Return the state before the first token, with room for the whole context."""
        c, table = self.config, self.embedding.weight
        size = (batch, c.heads, c.context, c.width // c.heads)
        keys, values = ([table.new_zeros(size) for _ in self.blocks] for _ in range(2))
        empty = torch.zeros(batch, 0, dtype=torch.int64, device=table.device)
        return GPTState(empty, keys, values)

    def step(self, tokens: Tensor, state: Any) -> Tensor:
        """Append tokens (B, t); return the logits (B, t, V) of those in the context.

        While the text fits the context, keys and values are kept. Beyond its edge the last T
        tokens are read anew, since each of them then stands elsewhere: the answer is always
        that of the full forward pass over the last T tokens.
        """
        c, new = self.config, tokens.shape[1]
        fits = state.used + new <= c.context and state.length == state.used
        state.tokens = torch.cat([state.tokens, tokens], 1)[:, -c.context :]
        state.length += new
        if not c.causal or not fits:
            state.used = 0
            if not c.causal:
                return self.forward(state.tokens)[:, -new:]
            return self._append(state.tokens, state, new)
        return self._append(tokens, state, new)

    def _append(self, tokens: Tensor, state: GPTState, told: int) -> Tensor:
        x, turn = self.entered(tokens, state.used)
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            x = block.step(x, turn, state, layer)
        state.used += tokens.shape[1]
        return self.lens(x[:, -told:])


class GPTLearner(NeuralLanguageLearner):
    """Predict the next token by attention to the earlier ones."""

    config: GPTConfig

    def build_network(self, vocabulary: int) -> GPT:
        """Return the untrained GPT for V tokens; raises `Rejected` when the heads do not fit."""
        c = self.config
        if c.width % c.heads:
            raise Rejected(
                f"Width must be a multiple of heads; got {c.width} and {c.heads}.", "width"
            )
        if c.positions == "rotary" and (c.width // c.heads) % 2:
            raise Rejected(
                "Rotary positions turn numbers in pairs: width / heads must be even; "
                f"got {c.width // c.heads}.",
                "width",
            )
        return GPT(c, vocabulary)


def attention_weights(q: Tensor, k: Tensor, causal: bool) -> Tensor:
    """Return softmax(q k^T / sqrt(d)), (B, H, T, T), each row over what it may see."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if causal:
        t = scores.shape[-1]
        hidden = torch.ones(t, t, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(hidden, -math.inf)
    return scores.softmax(-1)


def rotations(start: int, count: int, width: int, device: torch.device) -> Tensor:
    """Return cosines and sines (2, t, width) of positions start … start + t - 1."""
    rates = ROTARY_BASE ** (-torch.arange(0, width, 2, device=device) / width)
    angles = torch.outer(torch.arange(start, start + count, device=device).float(), rates)
    angles = torch.cat([angles, angles], -1)  # t, width
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn pairs of numbers of x (B, H, T, D/H) by the angles of their positions."""
    first, second = x.chunk(2, -1)
    cosine, sine = turn
    return x * cosine + torch.cat([-second, first], -1) * sine


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, 0.0, INIT_SD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
