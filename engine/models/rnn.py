"""Recurrent language models: a vanilla RNN, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho 2014).

One vector of memory is carried from token to token. Gradients flow back through `context`
tokens; at generation the memory runs on without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.configs.language import RNNConfig
from engine.language import Network, NeuralLanguageLearner
from engine.tensors import DataView

CELLS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
STREAMS = 32  # parts that a text is read in side by side, memory carried through each
STRETCH = 128  # tokens read at once in each

Memory = Tensor | tuple[Tensor, Tensor]


@dataclass
class RNNState:
    """How many tokens were read, and the memory: (L, B, units), two of them for LSTM."""

    memory: Memory | None = None
    length: int = 0


class RNN(Network):
    """Token ids (B, T) to logits (B, T, V)."""

    def __init__(self, c: RNNConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = c
        self.embedding = nn.Embedding(vocabulary, c.embedding)
        self.dropout = nn.Dropout(c.dropout)
        self.recurrent = CELLS[c.cell](c.embedding, c.units, c.layers, batch_first=True)
        self.head = nn.Linear(c.units, vocabulary)
        if c.cell == "lstm":
            for layer in range(c.layers):
                bias = getattr(self.recurrent, f"bias_ih_l{layer}")
                with torch.no_grad():  # remember at first (Jozefowicz et al. 2015)
                    bias[c.units : 2 * c.units].fill_(1.0)

    def read(self, tokens: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        """Return logits (B, T, V) and the memory after the last token."""
        x = self.dropout(self.embedding(tokens))  # B, T, D
        x, memory = self.recurrent(x, memory)  # B, T, units
        return self.head(self.dropout(x)), memory

    def forward(self, tokens: Tensor, inside: dict[str, Any] | None = None) -> Tensor:
        """Return logits (B, T, V); `inside` gets activity, and cells of an LSTM, a layer each."""
        if inside is None:
            return self.read(tokens, None)[0]
        memory: Memory | None = None
        steps: list[Memory] = []
        logits = []
        for t in range(tokens.shape[1]):
            found, memory = self.read(tokens[:, t : t + 1], memory)
            logits.append(found)
            steps.append(memory)
        hidden = torch.stack([m[0] if isinstance(m, tuple) else m for m in steps], 2)  # L, B, T, U
        inside["activity"] = list(hidden.unbind(0))
        if isinstance(steps[0], tuple):
            inside["cells"] = list(torch.stack([m[1] for m in steps], 2).unbind(0))
        return torch.cat(logits, 1)

    def start(self, batch: int) -> RNNState:
        """Return an empty memory."""
        return RNNState()

    def step(self, tokens: Tensor, state: Any) -> Tensor:
        """Append tokens (B, t); return their logits (B, t, V)."""
        logits, state.memory = self.read(tokens, state.memory)
        state.length += tokens.shape[1]
        return logits


class RNNLearner(NeuralLanguageLearner):
    """Predict the next token from a memory of all earlier ones."""

    config: RNNConfig

    def build_network(self, vocabulary: int) -> RNN:
        """Return the untrained network for V tokens."""
        return RNN(self.config, vocabulary)

    def further_metrics(self, data: DataView) -> dict[str, float]:
        """Return also nats with the memory carried on, as at generation: it sees further back."""
        found, (_, ids) = super().further_metrics(data), self.tokens(data)
        if len(ids) > 1:
            ratio = self.characters_per_token(data, validation=True)
            found["validation/nats_per_character_carried"] = self.carried_nats(ids) / ratio
        return found

    def carried_nats(self, ids: Tensor) -> float:
        """Return the mean nats of a text read in a few streams, memory carried through each."""
        streams = min(STREAMS, max(1, (len(ids) - 1) // STRETCH))
        length = (len(ids) - 1) // streams
        starts = torch.arange(streams, device=ids.device) * length
        rows = ids[starts[:, None] + torch.arange(length + 1, device=ids.device)]  # S, n + 1
        assert isinstance(self.network, RNN)
        memory: Memory | None = None
        total = torch.zeros((), dtype=torch.float64)
        for at in range(0, length, STRETCH):
            given = rows[:, at : min(at + STRETCH, length)]
            wanted = rows[:, at + 1 : at + 1 + given.shape[1]]
            logits, memory = self.network.read(given, memory)
            total += (
                F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="sum")
                .double()
                .cpu()
            )
        return float(total) / (streams * length)
