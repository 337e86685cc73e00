"""From logits to tokens: hand-worked arrays, torch's own sampler, nanoGPT's top-k."""

import math

import numpy as np
import pytest
import torch

from engine import sampling
from engine.errors import Rejected
from engine.sampling import Knobs, distribution, draw, drawn, told, uniform

LOGS = np.log(np.array([0.1, 0.4, 0.2, 0.3]))


@pytest.mark.parametrize(
    ("knobs", "tokens", "shares"),
    [
        (Knobs(), [1, 3, 2, 0], [0.4, 0.3, 0.2, 0.1]),
        (Knobs(temperature=0), [1], [1]),
        (Knobs(temperature=0.5), [1, 3, 2, 0], [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
        (Knobs(top_k=2), [1, 3], [4 / 7, 3 / 7]),
        (Knobs(top_p=0.65), [1, 3], [4 / 7, 3 / 7]),
        (Knobs(top_p=0.01), [1], [1]),
        (Knobs(top_k=3, top_p=0.5), [1, 3], [4 / 7, 3 / 7]),
    ],
)
def test_distribution_worked_by_hand(knobs, tokens, shares):
    found, p = distribution(LOGS, knobs)
    assert found.tolist() == tokens
    assert p == pytest.approx(shares)


def test_repetition_penalty_divides_positive_logits_and_multiplies_negative_ones():
    logits = np.array([2.0, -2.0, 1.0, -1.0])
    assert sampling.penalised(logits, [0, 1, 1], 2.0).tolist() == [1, -4, 1, -1]
    assert logits.tolist() == [2, -2, 1, -1]


def test_repetition_penalty_forgets_after_64_tokens():
    earlier = [0] + [1] * sampling.RECENT
    assert sampling.penalised(np.array([2.0, 2.0]), earlier, 2.0).tolist() == [2, 1]


def test_draw_inverts_the_cumulative_distribution_likeliest_first():
    picks = [draw(LOGS, Knobs(), u) for u in (0.0, 0.39, 0.41, 0.69, 0.71, 0.91, 1 - 2**-53)]
    assert picks == [1, 1, 3, 3, 2, 0, 0]
    assert drawn(LOGS, Knobs(top_k=2), 0.6) == (3, pytest.approx(3 / 7))


def test_draws_are_as_frequent_as_those_of_torch():
    logits = torch.randn(12, generator=torch.Generator().manual_seed(1)) * 2
    count = 4000
    ours = np.bincount([draw(logits, Knobs(), uniform(7, i)) for i in range(count)], minlength=12)
    chance = logits.double().softmax(0).numpy()
    theirs = np.bincount(
        torch.multinomial(logits.softmax(0), count, replacement=True).numpy(), minlength=12
    )
    for counts in (ours, theirs):  # chi-squared of 11 degrees: 31.3 is its 0.999 quantile
        assert ((counts - count * chance) ** 2 / (count * chance)).sum() < 31.3


def test_top_k_is_that_of_nanogpt():
    logits = torch.randn(40, generator=torch.Generator().manual_seed(2))
    cut = logits / 0.8
    cut[cut < torch.topk(cut, 5).values[-1]] = -math.inf
    tokens, p = distribution(logits, Knobs(temperature=0.8, top_k=5))
    assert torch.from_numpy(p) == pytest.approx(cut.softmax(0)[tokens].double(), abs=1e-6)


def test_uniform_is_a_function_of_seed_and_position():
    numbers = [uniform(s, i) for s in range(20) for i in range(200)]
    assert numbers[0] == uniform(0, 0) != uniform(0, 1)
    assert 0 <= min(numbers) < 0.01
    assert 0.99 < max(numbers) < 1
    assert np.mean(numbers) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("logits", [[math.nan] * 3, [-math.inf] * 3])
def test_a_diverged_model_draws_all_tokens_alike(logits):
    assert distribution(np.array(logits), Knobs())[1] == pytest.approx([1 / 3] * 3)


def test_what_cannot_come_is_never_drawn():
    logits = np.array([0.0, -math.inf, math.nan])
    assert {draw(logits, Knobs(), u) for u in (0.0, 0.5, 1 - 2**-53)} == {0}


def test_told_is_enough_to_redraw_the_distribution_at_another_temperature():
    logits = np.random.default_rng(0).normal(size=(3, 500)) * 2
    found = told(logits, [4, 5, 6])
    assert found["rest_count"].sum(1).tolist() == [500 - sampling.TOP] * 3
    for row in range(3):
        tokens, p = distribution(logits[row], Knobs(temperature=0.7))
        top = np.exp(found["top_logits"][row] / 0.7)
        rest = found["rest_count"][row] * np.exp(found["rest_logits"][row] / 0.7)
        assert found["top_ids"][row].tolist() == tokens[: sampling.TOP].tolist()
        assert top / (top.sum() + rest.sum()) == pytest.approx(p[: sampling.TOP], rel=0.01)


def test_told_gives_plain_probability_rank_and_entropy():
    found = told(LOGS[None].repeat(2, 0), [3, 0])
    assert found["plain"] == pytest.approx([0.3, 0.1])
    assert found["rank"].tolist() == [2, 4]
    assert found["entropy"][0] == pytest.approx(-(np.exp(LOGS) * LOGS).sum())
    assert not found["rest_count"].any()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("hot", 0, 1, 1), "temperature"),
        ((math.nan, 0, 1, 1), "temperature"),
        ((1, -1, 1, 1), "top_k"),
        ((1, 0, 0, 1), "top_p"),
        ((1, 0, 1, 0.5), "repetition_penalty"),
    ],
)
def test_knobs_that_are_not_allowed_are_named(given, name):
    with pytest.raises(Rejected, match=f"{name} must be") as caught:
        sampling.read_knobs(*given)
    assert caught.value.field == name
