"""From logits to the next token: pure functions of the logits, the knobs and a uniform number.

The order is that of the page: repetition penalty, temperature, top-k, top-p. A draw inverts the
cumulative distribution with the likeliest token first, at a uniform number that is a function of
(seed, position): texts written in parts join seamlessly, and models share their luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor

from engine.errors import Rejected
from engine.latent import read_int
from engine.rng import MAX_SEED, stream_seed

RECENT = 64  # tokens that the repetition penalty looks back at
TOP = 64  # likeliest tokens that are told with their logits
GROUPS = 16  # in which the others are told
DEPTH = 100.0  # nats below the likeliest, under which logits are told as no lower
MOST_HOT, MOST_PENALTY, MOST_K = 100.0, 10.0, 100_000


@dataclass(frozen=True)
class Knobs:
    """How a token is chosen: at temperature 0 the likeliest; top_k 0 and top_p 1 keep all.

    `repetition_penalty` weakens tokens among the last 64 (Keskar et al. 2019, CTRL); 1 does not.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0


def read_knobs(temperature: Any, top_k: Any, top_p: Any, repetition_penalty: Any) -> Knobs:
    """Read what a person set, or raise `Rejected` with what is allowed."""
    return Knobs(
        _number(temperature, 0.0, MOST_HOT, "temperature"),
        read_int(top_k, 0, MOST_K, "top_k"),
        _number(top_p, 1e-6, 1.0, "top_p"),
        _number(repetition_penalty, 1.0, MOST_PENALTY, "repetition_penalty"),
    )


def read_seed(seed: Any) -> int:
    """Read a seed, or raise `Rejected`."""
    return read_int(seed, 0, MAX_SEED, "seed")


def uniform(seed: int, position: int) -> float:
    """Return the number in [0, 1) that decides the token at a position of the text."""
    return (stream_seed(seed, position, "token") >> 10) / 2**53


def penalised(logits: np.ndarray, earlier: Sequence[int], penalty: float) -> np.ndarray:
    """Return logits (V) with those of recent tokens divided by the penalty, or times it below 0."""
    if penalty == 1.0 or not earlier:
        return logits
    found, recent = logits.copy(), np.unique(earlier[-RECENT:])
    x = found[recent]
    found[recent] = np.where(x > 0, x / penalty, x * penalty)
    return found


def distribution(
    logits: Tensor | np.ndarray, knobs: Knobs, earlier: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens that may come, likeliest first, and their probabilities, which sum to 1.

    `logits` are (V), `earlier` all tokens before. Equal ones stand in the order of their ids.
    """
    x = penalised(_finite(_array(logits)), earlier, knobs.repetition_penalty)
    if knobs.temperature == 0:
        return np.array([x.argmax()]), np.ones(1)
    order = np.argsort(-x, kind="stable")
    if knobs.top_k:
        order = order[: knobs.top_k]
    ranked = x[order]
    p = np.exp((ranked - ranked[0]) / knobs.temperature)
    p /= p.sum()
    if knobs.top_p < 1:
        kept = 1 + int(np.searchsorted(p.cumsum(), knobs.top_p))
        order, p = order[:kept], p[:kept] / p[:kept].sum()
    return order, p


def drawn(
    logits: Tensor | np.ndarray, knobs: Knobs, u: float, earlier: Sequence[int] = ()
) -> tuple[int, float]:
    """Return the token on which `u` falls, and its probability under the knobs."""
    tokens, p = distribution(logits, knobs, earlier)
    below = p.cumsum()
    last = int(np.searchsorted(below, below[-1]))  # behind it nothing has a share
    place = min(int(np.searchsorted(below, u * below[-1], side="right")), last)
    return int(tokens[place]), float(p[place])


def draw(logits: Tensor | np.ndarray, knobs: Knobs, u: float, earlier: Sequence[int] = ()) -> int:
    """Return the token on which `u` falls."""
    return drawn(logits, knobs, u, earlier)[0]


def told(logits: np.ndarray, ids: Sequence[int], top: int = TOP) -> dict[str, np.ndarray]:
    """Return what a page needs to redraw the distributions of logits (n, V) under any knobs.

    plain (n): the probability of each of `ids` as the model gives it. rank (n): 1 for the
    likeliest. entropy (n) in nats. top_ids, top_logits (n, K): the likeliest, falling. The
    others, falling too, in groups: rest_logits (n, R), the log of each group's mean exp, and
    rest_count (n, R).
    """
    x = np.stack([_finite(row) for row in logits]).astype(np.float64)  # n, V
    x = np.maximum(x, x.max(1, keepdims=True) - DEPTH)
    logs = x - x.max(1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(1, keepdims=True))
    chosen = np.take_along_axis(logs, np.asarray(ids, np.int64)[:, None], 1)  # n, 1
    order = np.argsort(-x, axis=1, kind="stable")
    ranked = np.take_along_axis(x, order, 1)
    rest_logits, rest_count = _groups(ranked[:, top:])
    return {
        "plain": np.exp(chosen[:, 0]).astype(np.float32),
        "rank": 1 + (logs > chosen).sum(1, dtype=np.int32),
        "entropy": -(np.exp(logs) * logs).sum(1).astype(np.float32),
        "top_ids": order[:, :top].astype(np.int32),
        "top_logits": ranked[:, :top].astype(np.float32),
        "rest_logits": rest_logits,
        "rest_count": rest_count,
    }


def _groups(rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log-mean-exp and counts of groups that grow from the likeliest to the others."""
    n, m = rest.shape
    edges = np.floor((m + 1.0) ** (np.arange(GROUPS + 1) / GROUPS) + 1e-9).astype(int) - 1
    logits = np.zeros((n, GROUPS), np.float32)
    for group, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            part, first = rest[:, start:end], rest[:, start : start + 1]
            logits[:, group] = first[:, 0] + np.log(np.exp(part - first).mean(1))
    return logits, np.tile(np.diff(edges).astype(np.int32), (n, 1))


def _array(logits: Tensor | np.ndarray) -> np.ndarray:
    if isinstance(logits, Tensor):
        logits = logits.detach().float().cpu().numpy()
    return logits.astype(np.float64)


def _finite(x: np.ndarray) -> np.ndarray:
    """Return logits (V) of which at least one is finite: those of a diverged model are all 0."""
    top = x.max()
    if np.isfinite(top):
        return x
    x = np.where(np.isfinite(x), x, -np.inf)
    return x if np.isfinite(x.max()) else np.zeros_like(x)


def _number(value: Any, low: float, high: float, name: str) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        raise Rejected(f"{name} must be from {low:g} to {high:g}; got {value!r:.60}.", field=name)
    return float(value)
