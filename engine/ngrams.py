"""How often n tokens follow each other in a text, and what that says of the next token.

Interpolated Witten-Bell smoothing (Witten & Bell 1991, as in Chen & Goodman 1999, section 2.6):
a context h of n - 1 tokens that came c(h) times, before N(h) different tokens, gives token w

    P(w | h) = (c(h, w) + N(h) P(w | h without its oldest token)) / (c(h) + N(h))

and below the single tokens lies 1 / V. NumPy alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ORDERS = 6
CHUNK = 2**20  # tokens that are counted or scored at once
KEY_BITS = 62
MULTIPLIER = 0x5851F42D4C957F2D  # Knuth's MMIX; for contexts that do not fit as they are
UNSEEN = 1e-6  # of each distribution without smoothing, so that its loss is a number


@dataclass(frozen=True)
class Table:
    """All n-grams of one order: `keys` int64, ascending, and how often each came, int32.

    A key has the context in its high bits and the last token in its low ones, so that all that
    follows a context stands together.
    """

    keys: np.ndarray
    counts: np.ndarray

    @classmethod
    def empty(cls) -> Table:
        """Return the table of no text."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32))

    def with_more(self, keys: np.ndarray) -> Table:
        """Return a table that counts further n-grams too, given in any order and repeated."""
        keys, found = np.unique(keys, return_counts=True)
        counts = found.astype(np.int32)
        if not len(self.keys):
            return Table(keys, counts)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        grown = self.counts.copy()
        grown[places[known]] += counts[known]
        new = np.searchsorted(self.keys, keys[~known])
        return Table(np.insert(self.keys, new, keys[~known]), np.insert(grown, new, counts[~known]))

    def count(self, keys: np.ndarray) -> np.ndarray:
        """Return how often each n-gram came."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.counts[places], 0)

    def following(self, contexts: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where what follows each context begins, and where it ends."""
        first = np.searchsorted(self.keys, contexts << bits)
        return first, np.searchsorted(self.keys, (contexts + 1) << bits)

    @cached_property
    def before(self) -> np.ndarray:
        """How often all n-grams before each place came together; one place more than keys."""
        return np.concatenate([[0], np.cumsum(self.counts)])


class Counts:
    """The n-grams of a text up to an order, and the probabilities that they give.

    `size` is V. Tokens are given as windows, int (B, L); no n-gram goes over a window's edge.
    A token below 0 is none: no n-gram has it.
    """

    def __init__(
        self,
        order: int,
        size: int,
        smoothing: str = "witten_bell",
        tables: Sequence[Table] | None = None,
    ) -> None:
        self.order, self.size, self.smoothing = order, size, smoothing
        self.tables = list(tables or (Table.empty() for _ in range(order)))
        self.bits = max(1, (size - 1).bit_length())
        self._mask = 2 ** (KEY_BITS - self.bits) - 1
        exact = ORDERS * self.bits <= KEY_BITS
        self._base = 2**self.bits if exact else MULTIPLIER

    # ------------------------------------------------------------------ counting

    def add(self, windows: np.ndarray, known: int = 0) -> None:
        """Count windows; what ends within their first `known` columns was counted before."""
        for n, keys in enumerate(self._keys(windows), 1):
            fresh = keys[:, max(0, known - n + 1) :].ravel()
            self.tables[n - 1] = self.tables[n - 1].with_more(fresh[fresh >= 0])

    def add_text(self, tokens: np.ndarray) -> None:
        """Count a whole text, int (N), a part of it at a time."""
        lead = self.order - 1
        for start in range(0, len(tokens), CHUNK):
            before = min(lead, start)
            self.add(tokens[None, start - before : start + CHUNK], before)

    def _contexts(self, tokens: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the contexts of order 1, 2, …: (B, L + 1), (B, L), …

        A context has its oldest token in the highest place, and place p of order n ends with
        token p + n - 2. Without some of its tokens it is -1.
        """
        length, none = tokens.shape[1], tokens < 0
        context, factor = np.zeros((len(tokens), length + 1), np.int64), 1
        lacking, holes = np.zeros(context.shape, bool), bool(none.any())
        for n in range(1, min(self.order, length + 1) + 1):
            if n > 1:
                oldest = tokens[:, : length - n + 2] * np.int64(factor)
                context = (context[:, 1:] + oldest) & self._mask
                factor = _wrapped(factor * self._base)
                lacking = lacking[:, 1:] | none[:, : length - n + 2]
            yield np.where(lacking, -1, context) if holes else context

    def _keys(self, windows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the keys of order 1, 2, …: (B, L), (B, L - 1), …"""
        tokens = windows.astype(np.int64)
        for n, contexts in enumerate(self._contexts(tokens), 1):
            if n <= tokens.shape[1]:
                yield (contexts[:, :-1] << self.bits) | tokens[:, n - 1 :]

    # ------------------------------------------------------------------ probabilities

    def nats(self, tokens: np.ndarray) -> np.ndarray:
        """Return the nats that a whole text, int (N), costs each order: (order)."""
        found, lead = np.zeros(self.order), self.order - 1
        for start in range(0, len(tokens), CHUNK):
            before = min(lead, start)
            part = tokens[None, start - before : start + CHUNK]
            costs = [-np.log(p[:, before:]).sum() for p in self.scored(part)]
            found += costs + costs[-1:] * (self.order - len(costs))
        return found

    def scored(self, windows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield, for order 1, 2, …, the probability of each token after those before it, (B, L).

        Where a window's start cuts the context short, the highest order that fits counts.
        """
        found = np.full(windows.shape, 1 / self.size)
        for n, keys in enumerate(self._keys(windows), 1):
            table = self.tables[n - 1]
            distinct, back = np.unique(keys, return_inverse=True)
            count = table.count(distinct)
            first, end = table.following(distinct >> self.bits, self.bits)
            own, lower = self._mixed(count, table.before[end] - table.before[first], end - first)
            back = back.reshape(keys.shape)
            found[:, n - 1 :] = own[back] + lower[back] * found[:, n - 1 :]
            yield found

    def distributions(self, windows: np.ndarray) -> np.ndarray:
        """Return the probabilities of what follows each token of windows, (B, L, V)."""
        batch, length = windows.shape
        found = np.full((batch, length, self.size), 1 / self.size)
        for n, contexts in enumerate(self._contexts(windows.astype(np.int64)), 1):
            table, skipped = self.tables[n - 1], max(0, n - 2)
            first, end = table.following(contexts[:, 1:] if n == 1 else contexts, self.bits)
            kinds = (end - first).ravel()
            row = np.repeat(np.arange(kinds.size), kinds)
            place = np.arange(len(row)) + np.repeat(first.ravel() - np.cumsum(kinds) + kinds, kinds)
            counts = np.zeros((kinds.size, self.size))
            counts[row, table.keys[place] & (2**self.bits - 1)] = table.counts[place]
            total = counts.sum(1)[:, None]
            own, lower = self._mixed(counts, total, kinds[:, None])
            rest = found[:, skipped:]
            found[:, skipped:] = own.reshape(rest.shape) + lower.reshape(*rest.shape[:2], 1) * rest
        return found

    def after(self, tokens: Sequence[int], order: int) -> np.ndarray:
        """Return the probabilities of what follows a text, by n-grams up to `order`: (V)."""
        if order == 0:
            return np.full(self.size, 1 / self.size)
        lower = Counts(order, self.size, self.smoothing, self.tables[:order])
        return lower.distributions(np.array([tokens[-max(1, order - 1) :]]))[0, -1]

    def _mixed(
        self, count: np.ndarray, total: np.ndarray, kinds: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what a token gets of its own, and the factor of what the order below gives it.

        It came `count` times after a context that came `total` times, before so many `kinds`.
        """
        if self.smoothing == "witten_bell":
            whole = np.maximum(total + kinds, 1)
            return count / whole, np.where(total > 0, kinds / whole, 1.0)
        alone = np.zeros(total.shape)
        if self.smoothing == "add_one":
            return (count + 1) / (total + self.size), alone
        shares = (1 - UNSEEN) * count / np.maximum(total, 1) + UNSEEN / self.size
        return np.where(total > 0, shares, 1 / self.size), alone


def counted(tokens: np.ndarray, size: int) -> Counts:
    """Return the n-grams of a whole text up to the highest order; `size` is V."""
    counts = Counts(ORDERS, size)
    counts.add_text(tokens)
    return counts


def lines(counts: Counts, validation: np.ndarray, characters: int) -> dict[str, float]:
    """Return nats per character of a validation text: of "uniform", and of orders "1" to "6".

    `characters` is how many the validation tokens stand for.
    """
    uniform = len(validation) * math.log(counts.size) / characters
    nats = counts.nats(validation) / characters
    return {"uniform": uniform} | {str(n): float(value) for n, value in enumerate(nats, 1)}


def _wrapped(value: int) -> int:
    """Return a number modulo 2^64, as int64 has it."""
    return (value + 2**63) % 2**64 - 2**63
