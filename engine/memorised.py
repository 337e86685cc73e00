"""What a text has word for word from a corpus: the longest run, and the share of all.

Both are looked at as bytes, eight at a time as one number. Where eight of the corpus stand in
the text as well is found in one pass; runs of 16, 32, … are two of the half (Karp, Miller &
Rosenberg 1972), and only ever fewer places are left to look at. NumPy alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

WORD = 8  # bytes that are looked at as one number
TABLE_BITS = 16
CHUNK = 2**16  # places of the corpus at once: what is made of them stays in the cache
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hashing, 2^64 / golden ratio


@dataclass(frozen=True)
class _Matches:
    """Where windows of `length` units of the text stand in the corpus.

    `text` numbers the window that begins at each place of the text, the same number for the same
    window. `places` of the corpus, ascending, begin a window that the text has: that of `numbers`.
    """

    length: int
    text: np.ndarray
    places: np.ndarray
    numbers: np.ndarray


def longest_copied(text: str, corpus: str) -> tuple[int, int, int]:
    """Return the longest run that both have: characters, start in the text, in the corpus.

    Without any it is (0, 0, 0).
    """
    shared = _Shared(text, corpus)
    best, high = (0, 0, 0), len(text)
    while best[0] < high:
        middle = (best[0] + high + 1) // 2
        place = shared.place(middle)
        if place is None:
            high = middle - 1
        else:
            best = middle, *place
    return best


def copied_share(text: str, corpus: str, least: int = 20) -> float:
    """Return the share of a text's characters that lie in runs of `least` from the corpus."""
    shared = _Shared(text, corpus)
    if not 0 < least <= len(text):
        return 0.0
    found = shared.found(least)
    begins = np.isin(found.text, found.numbers).astype(np.int64)
    lies = np.convolve(begins, np.ones(least, np.int64))
    return float((lies > 0).mean())


class _Shared:
    """A text and a corpus as units of one, two or four bytes, and where they agree."""

    def __init__(self, text: str, corpus: str) -> None:
        encoding, self.width = _encoding(text, corpus)
        self.windows = _windows(text.encode(encoding, "surrogatepass"), self.width)
        self.corpus = _windows(corpus.encode(encoding, "surrogatepass"), self.width)
        self.seed = WORD // self.width
        self.levels: list[_Matches] = []

    def found(self, length: int) -> _Matches:
        """Return where windows of a length, at most the text's, stand in the corpus."""
        if length <= self.seed:
            return self._first(length)
        if not self.levels:
            self.levels.append(self._first(self.seed))
        while self.levels[-1].length * 2 <= length:
            last = self.levels[-1]
            self.levels.append(_joined(last, last.length))
        level = max((m for m in self.levels if m.length <= length), key=lambda m: m.length)
        return level if level.length == length else _joined(level, length - level.length)

    def place(self, length: int) -> tuple[int, int] | None:
        """Return where such a window begins in the text and in the corpus, if there is one."""
        some = self._passes(length) if length <= self.seed else [self.found(length)]
        for found in some:
            if len(found.places):
                start = np.flatnonzero(found.text == found.numbers[0])[0]
                return int(start), int(found.places[0])
        return None

    def _first(self, length: int) -> _Matches:
        parts = list(self._passes(length))
        places = np.concatenate([part.places for part in parts])
        return replace(parts[0], places=places, numbers=np.concatenate([p.numbers for p in parts]))

    def _passes(self, length: int) -> Iterator[_Matches]:
        """Find windows of at most eight bytes, a part of the corpus at a time.

        By a table of hashes most places are out at once; the others are looked up exactly.
        """
        mask = np.uint64(2 ** (8 * length * self.width) - 1)
        has = self.windows[: max(0, len(self.windows) - length + 1)] & mask
        known, text = np.unique(has, return_inverse=True)
        table = np.zeros(2**TABLE_BITS, bool)
        table[_hash(known)] = True
        end = len(self.corpus) - length + 1
        for start in range(0, max(1, end), CHUNK):
            windows = self.corpus[start : max(0, min(start + CHUNK, end))] & mask
            near = np.flatnonzero(table[_hash(windows)])
            numbers, same = _looked_up(windows[near], known)
            yield _Matches(length, text, near[same] + start, numbers[same])


def _joined(half: _Matches, shift: int) -> _Matches:
    """Return the matches of windows that are one of `half` and, `shift` units on, another."""
    size = max(1, len(half.text))
    text = half.text[: max(0, len(half.text) - shift)] * size + half.text[shift:]
    known, text = np.unique(text, return_inverse=True)
    second, both = _looked_up(half.places + shift, half.places)
    places = half.places[both]
    codes = half.numbers[both] * size + half.numbers[second[both]]
    numbers, same = _looked_up(codes, known)
    return _Matches(half.length + shift, text, places[same], numbers[same])


def _looked_up(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each value among the `known`, ascending, and whether it is there."""
    if not len(known):
        return np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return places, known[places] == values


def _encoding(text: str, corpus: str) -> tuple[str, int]:
    """Return the narrowest encoding that has one unit a character, and its bytes a unit."""
    try:
        text.encode("latin-1"), corpus.encode("latin-1")
        return "latin-1", 1
    except UnicodeEncodeError:
        units = sum(len(s.encode("utf-16-le", "surrogatepass")) for s in (text, corpus))
        narrow = units == 2 * (len(text) + len(corpus))
        return ("utf-16-le", 2) if narrow else ("utf-32-le", 4)


def _windows(data: bytes, width: int) -> np.ndarray:
    """Return the eight bytes from each unit on as one number; zeros come after the end."""
    padded = data + bytes(WORD)
    return np.ndarray((len(data) // width,), "<u8", padded, strides=(width,))


def _hash(windows: np.ndarray) -> np.ndarray:
    return (windows * MULTIPLIER) >> np.uint64(64 - TABLE_BITS)
