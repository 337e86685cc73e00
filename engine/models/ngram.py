"""n-grams: how often each token followed the last few, counted while the text is read.

Shannon 1948, section 3; smoothing as in `engine.ngrams`. There is nothing to optimise: a step
counts a batch of stretches, and after one pass over the text the counts are all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.config import Config
from engine.configs.language import NgramConfig
from engine.errors import CheckpointError
from engine.language import LanguageLearner, Network
from engine.language_reading import per_character
from engine.learner import Record
from engine.ngrams import Counts, Table
from engine.tensors import DataSpec, DataView

PREFIX = "networks.network."
JUDGED_TOKENS = 4096  # of a batch, for the training loss: before they are counted
CELLS = 2**22  # probabilities that are worked out at once
NONE = -1  # in place of a token before the text's start or after its end


@dataclass
class NgramState:
    """The last n - 1 tokens (B, n - 1) or fewer, and how long the text is."""

    tokens: Tensor
    length: int = 0


@dataclass(frozen=True)
class Stretches:
    """A text cut into stretches of T tokens, each with the `lead` tokens before it.

    So each token is counted once, after all that its n-gram needs.
    """

    ids: Tensor
    context: int
    lead: int

    @property
    def labels(self) -> Tensor:
        """Text has none: a zero for each stretch."""
        return self.ids.new_zeros(()).expand(len(self))

    def __len__(self) -> int:
        return max(1, -(-len(self.ids) // self.context))

    def batch(self, indices: Tensor | slice) -> Tensor:
        """Return tokens, int64 (B, lead + T); -1 where the text has none."""
        if isinstance(indices, slice):
            indices = torch.arange(len(self), device=self.ids.device)[indices]
        columns = torch.arange(-self.lead, self.context, device=self.ids.device)
        places = indices[:, None] * self.context + columns  # B, lead + T
        inside = (places >= 0) & (places < len(self.ids))
        found = self.ids[places.clamp(0, max(0, len(self.ids) - 1))]
        return torch.where(inside, found, NONE)


class Ngrams(Network):
    """Counts of n-grams as a model of the next token; its tables grow as it reads.

    Buffers: keys1, counts1, … as in `engine.ngrams.Table`, and `read`, how many tokens were.
    """

    read: Tensor

    def __init__(self, c: NgramConfig, vocabulary: int) -> None:
        super().__init__()
        self.counts = Counts(c.order, vocabulary, c.smoothing)
        self.register_buffer("read", torch.zeros((), dtype=torch.float64))
        self._keep()

    def add(self, windows: np.ndarray, lead: int) -> None:
        """Count windows (B, L) whose first `lead` columns were counted before."""
        self.counts.add(windows, lead)
        self.read = self.read + float((windows[:, lead:] >= 0).sum())
        self._keep()

    def take(self, tensors: dict[str, Tensor]) -> None:
        """Take over tables of any length, under the names of the buffers.

        Raises `CheckpointError` for what cannot be tables of such n-grams.
        """
        tables = []
        for n in range(1, self.counts.order + 1):
            keys, counts = (tensors.get(f"{name}{n}") for name in ("keys", "counts"))
            if keys is None or counts is None:
                raise CheckpointError(f"The checkpoint lacks the counts of order {n}.")
            tables.append(self._table(n, keys, counts))
        self.counts.tables = tables
        self.read = tensors["read"].double().cpu().clone() if "read" in tensors else self.read
        self._keep()

    def _table(self, n: int, keys: Tensor, counts: Tensor) -> Table:
        sound = (
            (keys.dtype, counts.dtype) == (torch.int64, torch.int32)
            and keys.dim() == 1
            and keys.shape == counts.shape
            and bool((keys[1:] > keys[:-1]).all())
            and bool((counts > 0).all())
            and bool((keys >= 0).all())
            and bool(((keys & (2**self.counts.bits - 1)) < self.counts.size).all())
        )
        if not sound:
            raise CheckpointError(f"The checkpoint's counts of order {n} are damaged.")
        return Table(keys.cpu().numpy().copy(), counts.cpu().numpy().copy())

    def _keep(self) -> None:
        """Let the buffers be the tables."""
        for n, table in enumerate(self.counts.tables, 1):
            self.register_buffer(f"keys{n}", torch.from_numpy(table.keys))
            self.register_buffer(f"counts{n}", torch.from_numpy(table.counts))

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        """Read back tables of another length than the present ones."""
        self.take({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})

    # ------------------------------------------------------------------ the next token

    def forward(self, tokens: Tensor, inside: dict[str, Any] | None = None) -> Tensor:
        """Return log-probabilities (B, T, V) of what follows tokens (B, T), as logits."""
        given, order = tokens.cpu().numpy(), self.counts.order
        batch, length = given.shape
        found = np.empty((batch, length, self.counts.size), np.float32)
        columns = max(1, CELLS // max(1, batch * self.counts.size))
        for start in range(0, length, columns):
            before = min(order, start)
            part = self.counts.distributions(given[:, start - before : start + columns])
            found[:, start : start + columns] = np.log(part[:, before:])
        return torch.from_numpy(found).to(tokens.device)

    def start(self, batch: int) -> NgramState:
        """Return the state before the first token."""
        return NgramState(torch.empty(batch, 0, dtype=torch.int64))

    def step(self, tokens: Tensor, state: Any) -> Tensor:
        """Append tokens (B, t); return their log-probabilities (B, t, V)."""
        known = torch.cat([state.tokens, tokens.cpu()], 1)
        state.length += tokens.shape[1]
        state.tokens = known[:, -max(1, self.counts.order - 1) :]
        return self(known)[:, -tokens.shape[1] :].to(tokens.device)

    def nats(self, windows: Tensor) -> np.ndarray:
        """Return the nats of each token of windows (B, L) after those before it."""
        *_, found = self.counts.scored(windows.cpu().numpy())
        return -np.log(found)


class NgramLearner(LanguageLearner):
    """Predict the next token by what followed the last few before."""

    config: NgramConfig
    network: Ngrams

    def __init__(self, config: NgramConfig, spec: DataSpec, device: torch.device) -> None:
        super().__init__(config, spec, device)
        assert spec.tokenizer is not None
        self.network = Ngrams(config, spec.tokenizer.size)
        self.networks["network"] = self.network
        self._ratio, self._total = 1.0, 0

    def examples(self, data: DataView) -> Stretches:
        """Return the training text in stretches, each token in one of them."""
        ids = self.tokens(data)[0]
        self._ratio, self._total = self.characters_per_token(data), len(ids)
        return Stretches(ids, self.config.context, self.config.order - 1)

    def training_step(self, images: Tensor, labels: Tensor, step: int) -> Record:
        """Count a batch of stretches, int64 (B, lead + T); a second reading counts nothing.

        The loss is that of the first of them, before they are counted.
        """
        lead = self.config.order - 1
        images = images.cpu()
        judged = images[: max(1, JUDGED_TOKENS // images.shape[1])]
        nats = self.network.nats(judged)[:, lead:][judged[:, lead:].numpy() >= 0]
        fresh = (images[:, lead:] >= 0).sum(1).cumsum(0) + self.network.read
        self.network.add(images[fresh <= self._total].numpy(), lead)
        mean = torch.tensor(float(nats.mean()))
        return {"loss": mean, **per_character(mean, self._ratio)}

    def settings_now(self, step: int) -> dict[str, float]:
        """Return how much of the text was read, for the curves."""
        return {"read_share": float(self.network.read) / max(1, self._total)}

    # ------------------------------------------------------------------ evaluation

    def nats(self, ids: Tensor, limit: int | None = None) -> float:
        """Return the mean nats of every token of a text but the first; windows with a limit."""
        if limit is not None:
            return super().nats(ids, limit)
        return float(self.network.nats(ids[None])[0, 1:].mean())

    def token_nats(self, tokens: Tensor) -> Tensor:
        """Return the nats (B, T) of tokens (B, T + 1), each given those before it in its row."""
        return torch.from_numpy(self.network.nats(tokens)[:, 1:]).float().to(tokens.device)

    def further_metrics(self, data: DataView) -> dict[str, float]:
        """Return how many n-grams are counted: they are the parameters of such a model."""
        return {"parameters": sum(len(table.keys) for table in self.network.counts.tables)}

    # ------------------------------------------------------------------ state

    def complete(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Make room for as many n-grams as a checkpoint has."""
        given = {k.removeprefix(PREFIX): v for k, v in tensors.items() if k.startswith(PREFIX)}
        self.network.take(given)
        return tensors

    def graft(self, tensors: dict[str, Tensor], old: Config) -> dict[str, Tensor]:
        """Leave out the counts of a higher order; for a higher one than before start anew."""
        assert isinstance(old, NgramConfig)
        order = self.config.order
        if order > old.order:
            fresh = {f"{PREFIX}{k}": v for k, v in self.network.state_dict().items()}
            return {k: v for k, v in tensors.items() if not k.startswith(PREFIX)} | fresh
        gone = {f"{PREFIX}{name}{n}" for name in ("keys", "counts") for n in range(order + 1, 7)}
        return {k: v for k, v in tensors.items() if k not in gone}
