"""A GPT in plain PyTorch, as nanoGPT writes it: it stands in where no checkout of nanoGPT is given.

`load_reference` gives either, `share_weights` copies those of our GPT into it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    """The fields of nanoGPT's config."""

    block_size: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float = 0.0
    bias: bool = False


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.heads = c.n_head
        self.c_attn = nn.Linear(c.n_embd, 3 * c.n_embd, bias=c.bias)
        self.c_proj = nn.Linear(c.n_embd, c.n_embd, bias=c.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, D)."""
        b, t, d = x.shape
        q, k, v = (
            part.view(b, t, self.heads, d // self.heads).transpose(1, 2)
            for part in self.c_attn(x).split(d, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, d))


class Block(nn.Module):
    """Attention and a small network."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = (nn.LayerNorm(c.n_embd, bias=c.bias) for _ in range(2))
        self.attn = Attention(c)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": nn.Linear(c.n_embd, 4 * c.n_embd, bias=c.bias),
                "c_proj": nn.Linear(4 * c.n_embd, c.n_embd, bias=c.bias),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, T, D)."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x))))


class GPT(nn.Module):
    """Logits and loss of token ids, with nanoGPT's names."""

    def __init__(self, c: GPTConfig) -> None:
        super().__init__()
        self.config = c
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(c.vocab_size, c.n_embd),
                "wpe": nn.Embedding(c.block_size, c.n_embd),
                "h": nn.ModuleList(Block(c) for _ in range(c.n_layer)),
                "ln_f": nn.LayerNorm(c.n_embd, bias=c.bias),
            }
        )
        self.lm_head = nn.Linear(c.n_embd, c.vocab_size, bias=False)
        self.transformer["wte"].weight = self.lm_head.weight
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0.0, 0.02)

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return logits, of the last token alone without targets, and the loss."""
        x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[: idx.shape[1]]
        for block in self.transformer["h"]:  # type: ignore[union-attr]
            x = block(x)
        x = self.transformer["ln_f"](x)
        if targets is None:
            return self.lm_head(x[:, [-1]]), None
        logits = self.lm_head(x)
        return logits, F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))

    def configure_optimizers(
        self, weight_decay: float, learning_rate: float, betas: tuple[float, float], _: str
    ) -> torch.optim.AdamW:
        """Return AdamW that decays matrices only, not fused."""
        matrices = [p for p in self.parameters() if p.dim() >= 2]
        others = [p for p in self.parameters() if p.dim() < 2]
        groups = [
            {"params": matrices, "weight_decay": weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas)

    @torch.no_grad()
    def generate(self, idx: Tensor, count: int, temperature: float = 1.0) -> Tensor:
        """Return idx (B, T) with `count` tokens more, each from a whole forward pass."""
        for _ in range(count):
            logits, _ = self(idx[:, -self.config.block_size :])
            p = F.softmax(logits[:, -1] / temperature, dim=-1)
            idx = torch.cat([idx, torch.multinomial(p, 1)], 1)
        return idx


def load_reference(checkout: Path | None, **config: Any) -> Any:
    """Return the GPT of a checkout of nanoGPT, or the one of this file."""
    if checkout is None:
        return GPT(GPTConfig(**config))
    sys.path.insert(0, str(checkout.resolve()))
    model = importlib.import_module("model")
    with contextlib.redirect_stdout(io.StringIO()):
        return model.GPT(model.GPTConfig(**config))


@torch.no_grad()
def share_weights(ours: Any, theirs: Any) -> None:
    """Copy the weights of our GPT into one with nanoGPT's names and biases."""
    table = theirs.transformer
    pairs = [
        (table["wte"].weight, ours.embedding.weight),
        (table["wpe"].weight, ours.positions.weight),
    ]
    layers = [(table["ln_f"], ours.norm)]
    for block, own in zip(table["h"], ours.blocks, strict=True):
        mlp = dict(block.mlp.named_children())
        layers += [
            (block.ln_1, own.norm1),
            (block.ln_2, own.norm2),
            (block.attn.c_attn, own.attention.query_key_value),
            (block.attn.c_proj, own.attention.project),
            (mlp["c_fc"], own.widen),
            (mlp["c_proj"], own.narrow),
        ]
    pairs += [(a.weight, b.weight) for a, b in layers]
    pairs += [(a.bias, b.bias) for a, b in layers]
    for to, value in pairs:
        to.copy_(value)
