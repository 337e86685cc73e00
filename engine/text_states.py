"""Texts that a network has read, kept so that going on from one costs a single step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

MOST = 8
MOST_BYTES = 2**28  # of all that is kept together; the newest stays, whatever its size
CHUNK = 256  # tokens read at once: the logits of each take room


@dataclass
class Read:
    """A network's state after some tokens, int32 (n), and its logits (V) of the next one."""

    tokens: np.ndarray
    state: Any
    logits: Tensor


class States:
    """The last few texts that were read, the newest last."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self.most, self.most_bytes = most, most_bytes
        self.kept: list[Read] = []

    def read(
        self, network: Any, ids: Sequence[int], device: torch.device, sight: int | None = None
    ) -> Read:
        """Return what `network` makes of a text of one token or more, from the nearest one kept.

        `sight` is how many tokens it sees at most. The caller may step on from the state, and
        then gives it to `keep`.
        """
        wanted = np.asarray(ids, np.int32)
        found = self._nearest(wanted)
        if found is None:
            skipped = 0 if sight is None else max(0, len(wanted) - max(1, sight))
            found = Read(wanted[:skipped], network.start(1), torch.empty(0))
        logits = found.logits
        for part in torch.from_numpy(wanted[len(found.tokens) :]).long().split(CHUNK):
            if len(part):
                logits = network.step(part[None].to(device), found.state)[0, -1]
        return Read(wanted, found.state, logits)

    def keep(self, read: Read) -> None:
        """Keep one more text, and drop the oldest beyond what there is room for."""
        self.kept = [r for r in self.kept if not np.array_equal(r.tokens, read.tokens)]
        self.kept.append(read)
        while len(self.kept) > 1 and (
            len(self.kept) > self.most or sum(map(_bytes, self.kept)) > self.most_bytes
        ):
            del self.kept[0]

    def _nearest(self, wanted: np.ndarray) -> Read | None:
        """Return the longest beginning of a text whose state is at hand, free to step on from."""
        best, length = None, 0
        for read in self.kept:
            shared = _shared(read.tokens, wanted)
            if shared < len(read.tokens):  # one token at least is read anew, for its logits
                shared = min(shared, len(wanted) - 1) if _can_be_cut(read) else 0
            if shared > length:
                best, length = read, shared
        if best is None:
            return None
        if length < len(best.tokens):
            return Read(wanted[:length], _cut(best.state, length), best.logits)
        if _grows_in_place(best.state):
            self.kept = [r for r in self.kept if r is not best]
            return best
        return Read(best.tokens, replace(best.state), best.logits)


def _shared(a: np.ndarray, b: np.ndarray) -> int:
    """Return how many first tokens two texts have in common."""
    n = min(len(a), len(b))
    other = np.flatnonzero(a[:n] != b[:n])
    return int(other[0]) if len(other) else n


def _grows_in_place(state: Any) -> bool:
    """Return whether it holds keys and values, which are written to, as those of a GPT."""
    return hasattr(state, "keys")


def _can_be_cut(read: Read) -> bool:
    """Return whether each token of the text stands at its own place among keys and values."""
    return _grows_in_place(read.state) and read.state.used == len(read.tokens)


def _cut(state: Any, length: int) -> Any:
    """Return a copy of a state with its first tokens only."""
    keys, values = ([x.clone() for x in part] for part in (state.keys, state.values))
    tokens = state.tokens[:, :length]
    return replace(state, tokens=tokens, keys=keys, values=values, length=length, used=length)


def _bytes(read: Read) -> int:
    """Return the memory of a text that is kept."""
    parts = [getattr(read.state, f.name) for f in fields(read.state)]
    flat = [x for p in parts for x in (p if isinstance(p, (list, tuple)) else [p])]
    return sum(x.numel() * x.element_size() for x in flat if isinstance(x, Tensor))
