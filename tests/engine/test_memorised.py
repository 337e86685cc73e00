"""The longest run copied from a corpus, against a search that tries everything."""

from __future__ import annotations

import random
import time

import pytest

from engine.memorised import copied_share, longest_copied


def tried(text: str, corpus: str) -> int:
    """Return the length of the longest run that both have, by trying all."""
    runs = (text[i:j] for i in range(len(text)) for j in range(i, len(text) + 1))
    return max(len(run) for run in runs if run in corpus)


def lying(text: str, corpus: str, least: int) -> float:
    inside: set[int] = set()
    for i in range(len(text) - least + 1):
        if text[i : i + least] in corpus:
            inside |= set(range(i, i + least))
    return len(inside) / len(text)


@pytest.mark.parametrize("letters", ["ab", "abcdefgh", "가나다ab", "a가😀"], ids=ascii)
def test_runs_and_shares_are_those_of_trying_everything(letters):
    draw = random.Random(0)
    for _ in range(40):
        text = "".join(draw.choices(letters, k=draw.randint(1, 40)))
        corpus = "".join(draw.choices(letters, k=draw.randint(0, 200)))
        length, start, found = longest_copied(text, corpus)
        assert length == tried(text, corpus)
        assert text[start : start + length] == corpus[found : found + length]
        least = draw.randint(1, 6)
        assert copied_share(text, corpus, least) == pytest.approx(lying(text, corpus, least))


def test_nothing_in_common():
    assert longest_copied("", "abc") == longest_copied("xyz", "abc") == (0, 0, 0)
    assert copied_share("", "abc") == copied_share("abc", "") == 0


def test_a_page_is_looked_up_in_five_million_characters_at_once():
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 8))) for _ in range(20_000)]
    corpus = " ".join(draw.choices(words, k=830_000))
    text = corpus[1000:1240] + "#" + corpus[300_000:300_258]
    began = time.perf_counter()
    assert longest_copied(text, corpus)[0] >= 258
    assert time.perf_counter() - began < 1.0  # 0.1 s where nothing else runs
