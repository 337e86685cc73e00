"""What stands in a text, place by place, and which unit of a network tells of it.

Karpathy et al. 2015, "Visualizing and Understanding Recurrent Networks", found cells that count
the line's length or know that a quotation is open; here they are looked for. Without torch.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SEEN = 10  # places with a property, and without it, in each half of the text
RIDGE = 1e-2  # of the units' variance, so that the joint probe does not learn by heart
MOST_UNITS = 1024  # of a group that is probed jointly

_OPENING, _CLOSING = "([{", ")]}"
_QUOTES = {'"': None, "“": True, "”": False, "«": True, "»": False}  # None: the other of the two


@dataclass(frozen=True)
class Cell:
    """The unit that tells a property best, and how well all units of its group do together."""

    group: int
    unit: int
    correlation: float
    together: float | None


def kind_of(piece: str) -> str:
    """Return what a token's text is: a kind of character, or a word or a piece of several."""
    if len(piece) > 1:
        if not piece.strip():
            return "space"
        return "word" if piece[0] == " " else "piece"
    if not piece or piece == "\ufffd":
        return "byte"
    if piece.isspace():
        return "newline" if piece == "\n" else "space"
    if piece.isdigit():
        return "digit"
    if not piece.isalpha():
        return "punctuation"
    plain = unicodedata.normalize("NFD", piece)[0]
    if not ("a" <= plain.lower() <= "z"):
        return "letter"
    if plain.isupper():
        return "upper"
    return "vowel" if plain in "aeiou" else "consonant"


def ends_of(pieces: Sequence[str]) -> np.ndarray:
    """Return where in the joined text the last character of each token stands, int64 (T)."""
    return np.maximum(np.cumsum([len(p) for p in pieces]) - 1, 0)


# ---------------------------------------------------------------------- properties


def since(text: str, starts: Callable[[str], bool]) -> np.ndarray:
    """Return how many characters ago the last one was that `starts` something."""
    found, count = np.zeros(len(text), np.float32), 0
    for i, c in enumerate(text):
        count = 0 if starts(c) else count + 1
        found[i] = count
    return found


def in_quotes(text: str) -> np.ndarray:
    """Return where a quotation is open; an empty line closes it, for one may be forgotten."""
    found, is_open = np.zeros(len(text), np.float32), False
    for i, c in enumerate(text):
        if c in _QUOTES:
            told = _QUOTES[c]
            is_open = not is_open if told is None else told
        elif c == "\n" and text[i - 1 : i] == "\n":
            is_open = False
        found[i] = is_open
    return found


def in_brackets(text: str) -> np.ndarray:
    """Return where a bracket is open; an empty line closes all."""
    found, depth = np.zeros(len(text), np.float32), 0
    for i, c in enumerate(text):
        if c in _OPENING:
            depth += 1
        elif c in _CLOSING:
            depth = max(0, depth - 1)
        elif c == "\n" and text[i - 1 : i] == "\n":
            depth = 0
        found[i] = depth > 0
    return found


def in_capitals(text: str) -> np.ndarray:
    """Return where a word of capitals goes on, as speakers' names in a play: two or more."""
    found, run = np.zeros(len(text), np.float32), 0
    for i, c in enumerate(text):
        run = run + 1 if c.isupper() else 0
        found[i] = run > 1
    return found


def _where(is_so: Callable[[str], bool]) -> Callable[[str], np.ndarray]:
    return lambda text: np.fromiter(map(is_so, text), np.float32, len(text))


def _after_newline(text: str) -> np.ndarray:
    return np.fromiter((c == "\n" for c in "\n" + text[:-1]), np.float32, len(text))


PROPERTIES: dict[str, Callable[[str], np.ndarray]] = {
    "line_position": lambda text: since(text, lambda c: c == "\n"),
    "after_newline": _after_newline,
    "in_quotes": in_quotes,
    "in_brackets": in_brackets,
    "upper": _where(str.isupper),
    "in_capitals": in_capitals,
    "since_space": lambda text: since(text, str.isspace),
    "since_stop": lambda text: since(text, lambda c: c in ".!?"),
    "space": _where(str.isspace),
    "vowel": _where(lambda c: kind_of(c) == "vowel"),
    "punctuation": _where(lambda c: kind_of(c) == "punctuation"),
    "digit": _where(str.isdigit),
}


# ---------------------------------------------------------------------- probes


def correlations(activity: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return Pearson's r (U, P) of activity (N, U) with values (N, P); 0 for what is constant."""
    x, y = activity - activity.mean(0), values - values.mean(0)
    size = np.sqrt(np.outer((x * x).sum(0), (y * y).sum(0)))
    return np.divide(x.T @ y, size, out=np.zeros_like(size), where=size > 1e-12)


def tells(values: np.ndarray) -> bool:
    """Return whether a property varies enough in both halves of a text to be looked for."""
    return all(
        min((h != h.min()).sum(), (h != h.max()).sum()) >= LEAST_SEEN
        for h in np.array_split(values, 2)
        if h.size
    )


def best_units(groups: Sequence[np.ndarray], values: np.ndarray) -> list[Cell]:
    """Return for each property the unit, of groups (N, U), that goes most with values (N, P).

    It is chosen on the first half; the correlations told are those on the second, which had no
    say in the choice. `together` is None where a group has too many units for it.
    """
    half = len(values) // 2
    found = [correlations(x[:half], values[:half]) for x in groups]
    chosen = np.stack([np.abs(r).max(0) for r in found]).argmax(0)  # P
    cells: dict[int, Cell] = {}
    for group in sorted(set(chosen.tolist())):
        x, wanted = groups[group], np.flatnonzero(chosen == group)
        there = correlations(x[half:], values[half:][:, wanted])
        joint = _joint(x, values[:, wanted], half) if x.shape[1] <= MOST_UNITS else None
        for i, place in enumerate(wanted.tolist()):
            unit = int(np.abs(found[group][:, place]).argmax())
            told = None if joint is None else float(joint[i])
            cells[place] = Cell(group, unit, float(there[unit, i]), told)
    return [cells[place] for place in range(values.shape[1])]


def _joint(x: np.ndarray, y: np.ndarray, half: int) -> np.ndarray:
    """Return r (P) of y (N, P) with ridge regression on x (N, U): the first half for the second."""
    middle = x[:half].mean(0)
    moved = x[:half] - middle
    gram = (moved.T @ moved).astype(np.float64)
    gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / len(gram) + 1e-9
    weights = np.linalg.solve(gram, (moved.T @ (y[:half] - y[:half].mean(0))).astype(np.float64))
    guessed = (x[half:] - middle) @ weights  # N / 2, P
    return np.array(
        [
            correlations(g[:, None], t[:, None])[0, 0]
            for g, t in zip(guessed.T, y[half:].T, strict=True)
        ]
    )
