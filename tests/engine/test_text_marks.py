"""Properties of a text, and the units that tell of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.text_marks import PROPERTIES, best_units, correlations, ends_of, kind_of, tells


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("line_position", "ab\nc", [1, 2, 0, 1]),
        ("after_newline", "a\nbc", [1, 0, 1, 0]),
        ("since_space", "ab c", [1, 2, 0, 1]),
        ("since_stop", "a. b", [1, 0, 1, 2]),
        ("in_quotes", 'a"b"c', [0, 1, 1, 0, 0]),
        ("in_quotes", "“a”“\n\nb", [1, 1, 0, 1, 1, 0, 0]),
        ("in_brackets", "(a[b]c)d)e", [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
        ("in_brackets", "(\n\na", [1, 1, 0, 0]),
        ("in_capitals", "A Bc ROM.", [0, 0, 0, 0, 0, 0, 1, 1, 0]),
        ("upper", "aBÉ1", [0, 1, 1, 0]),
        ("vowel", "aéy!", [1, 1, 0, 0]),
    ],
)
def test_properties_place_by_place(name: str, text: str, wanted: list[int]) -> None:
    assert PROPERTIES[name](text).tolist() == wanted


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        *(("a", "vowel"), ("b", "consonant"), ("É", "upper"), ("7", "digit"), ("?", "punctuation")),
        *((" ", "space"), ("\n", "newline"), ("  ", "space"), (" the", "word"), ("ing", "piece")),
        *(
            ("한", "letter"),
            ("б", "letter"),
            ("", "byte"),
            ("\ufffd", "byte"),
            ("🙂", "punctuation"),
        ),
    ],
)
def test_kinds_of_tokens(piece: str, kind: str) -> None:
    assert kind_of(piece) == kind


def test_a_token_ends_at_its_last_character() -> None:
    assert ends_of(["", "한", "ab", "", "c"]).tolist() == [0, 0, 2, 2, 3]


def test_correlations_are_pearsons() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(50, 3)), draw.normal(size=(50, 2))
    x[:, 2] = 4.0
    wanted = np.array([[np.corrcoef(u, v)[0, 1] for v in y.T] for u in x.T[:2]])
    found = correlations(x, y)
    assert found[:2] == pytest.approx(wanted)
    assert found[2].tolist() == [0, 0]


def test_the_unit_that_tells_is_found_and_judged_on_the_other_half() -> None:
    draw = np.random.default_rng(1)
    told = draw.normal(size=400).astype(np.float32)
    groups = [draw.normal(size=(400, 20)).astype(np.float32) for _ in range(2)]
    groups[1][:, 7] = -told
    other, cell = best_units(groups, np.stack([groups[0][:, 3], told], 1))
    assert (other.group, other.unit) == (0, 3)
    assert (cell.group, cell.unit) == (1, 7)
    assert cell.correlation == pytest.approx(-1.0, abs=1e-5)
    groups[1][200:, 7] = draw.normal(size=200)  # it told the first half only
    (cell,) = best_units(groups, told[:, None])
    assert (cell.group, cell.unit) == (1, 7)
    assert abs(cell.correlation) < 0.25


def test_all_units_together_tell_what_no_single_one_does() -> None:
    draw = np.random.default_rng(2)
    units = draw.normal(size=(2000, 16)).astype(np.float32)
    (cell,) = best_units([units], units.sum(1, keepdims=True))
    assert cell.together == pytest.approx(1.0, abs=0.01)
    assert abs(cell.correlation) < 0.5


def test_what_hardly_varies_is_not_looked_for() -> None:
    there = np.zeros(200)
    there[::5] = 1
    assert tells(there)
    assert not tells(np.zeros(200))
    there[100:] = 0
    assert not tells(there)
