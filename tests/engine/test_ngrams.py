"""n-gram counts and Witten-Bell probabilities, against a hand-worked text and plain dicts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from engine import ngrams
from engine.ngrams import UNSEEN, Counts, counted, lines


def some_text(count=400, size=5, seed=0):
    """Return tokens in which some follow others more often than by chance."""
    draw = np.random.default_rng(seed)
    return (np.cumsum(draw.integers(0, 2, count)) + draw.integers(0, 2, count)) % size


def plain(train, text, order, size):
    """Return the interpolated Witten-Bell probability of each token of a text, from dicts."""
    after = defaultdict(Counter)
    for n in range(1, order + 1):
        for i in range(n - 1, len(train)):
            after[tuple(train[i - n + 1 : i])][train[i]] += 1
    found = []
    for i, token in enumerate(text):
        p = 1 / size
        for n in range(1, min(order, i + 1) + 1):
            seen = after[tuple(text[i - n + 1 : i])]
            total, kinds = sum(seen.values()), len(seen)
            if total:
                p = (seen[token] + kinds * p) / (total + kinds)
        found.append(p)
    return np.array(found)


def test_a_bigram_worked_by_hand():
    counts = Counts(2, 3)
    counts.add_text(np.array([0, 1, 0, 1, 0, 2]))
    single = (3 + 3 / 3) / (6 + 3)  # of token 0: three of six, over 1 / 3
    after_1 = (2 + 1 * single) / (2 + 1)  # token 1 came twice, before token 0 alone
    *_, found = counts.scored(np.array([[1, 0]]))
    assert found[0, 1] == pytest.approx(after_1)
    assert counts.distributions(np.array([[1]]))[0, 0, 0] == pytest.approx(after_1)


@pytest.mark.parametrize("spread", [1, 9000], ids=["packed", "hashed"])
@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_probabilities_are_those_of_plain_counts(order, spread):
    train, text = some_text() * spread, some_text(60, seed=1) * spread
    size = 5 * spread
    counts = Counts(order, size)
    counts.add_text(train)
    *_, found = counts.scored(text[None])
    expected = plain(train.tolist(), text.tolist(), order, size)
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    assert counts.nats(text)[-1] == pytest.approx(-np.log(expected).sum())


@pytest.mark.parametrize("smoothing", ["witten_bell", "add_one", "none"])
def test_distributions_sum_to_one_and_agree_with_what_is_scored(smoothing):
    counts = Counts(3, 6, smoothing)  # token 5 never comes
    counts.add_text(some_text(50))
    windows = np.stack([some_text(20, seed=1), np.full(20, 5)])
    found = counts.distributions(windows)
    np.testing.assert_allclose(found.sum(2), 1)
    *_, scored = counts.scored(windows)
    after = np.take_along_axis(found[:, :-1], windows[:, 1:, None], 2)[..., 0]
    np.testing.assert_allclose(after, scored[:, 1:])


def test_what_smoothing_does_with_the_unseen():
    text = np.array([0, 1, 0, 1, 0, 2])
    after_0 = {}
    for smoothing in ("add_one", "none"):
        counts = Counts(2, 4, smoothing)
        counts.add_text(text)
        after_0[smoothing] = counts.distributions(np.array([[0]]))[0, 0]
    np.testing.assert_allclose(after_0["add_one"], [1 / 7, 3 / 7, 2 / 7, 1 / 7])
    np.testing.assert_allclose(after_0["none"], [0, 2 / 3, 1 / 3, 0], atol=UNSEEN)


def test_text_in_parts_counts_like_the_whole(monkeypatch):
    text = some_text(100)
    whole, parts = Counts(4, 5), Counts(4, 5)
    whole.add_text(text)
    cost = whole.nats(text)
    monkeypatch.setattr(ngrams, "CHUNK", 7)
    parts.add_text(text)
    for one, other in zip(whole.tables, parts.tables, strict=True):
        np.testing.assert_array_equal(one.keys, other.keys)
        np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_allclose(parts.nats(text), cost)


def test_baselines_are_told_per_character():
    train, text = some_text(), some_text(60, seed=1)
    found = lines(counted(train, 5), text, 120)
    assert list(found) == ["uniform", "1", "2", "3", "4", "5", "6"]
    assert found["uniform"] == pytest.approx(math.log(5) / 2)
    expected = plain(train.tolist(), text.tolist(), 3, 5)
    assert found["3"] == pytest.approx(-np.log(expected).sum() / 120)


def test_texts_shorter_than_the_order_are_told_too():
    assert lines(counted(np.array([0]), 2), np.array([0]), 1)["6"] == pytest.approx(-math.log(0.75))
