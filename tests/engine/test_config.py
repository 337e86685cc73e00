from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import assert_sentence

from engine.config import Config, field
from engine.errors import NotFound, Rejected
from engine.registry import MODELS, entry


@dataclasses.dataclass(frozen=True)
class EveryKind(Config):
    """One field of each kind."""

    count: int = field(3, label="Count", help="How many.", minimum=1, maximum=9)
    rate: float = field(0.5, label="Rate", help="How fast.", minimum=0.0, maximum=1.0, live=True)
    noisy: bool = field(False, label="Noisy", help="With noise.")
    colour: str = field(
        "red", label="Colour", help="Which.", choices=(("red", "Red"), ("blue", "Blue"))
    )


CLASSES = [EveryKind, *(e.config_class for e in MODELS.values())]
FIELDS = [(c, f) for c in CLASSES for f in c.schema()]


def fields_of(*kinds: str) -> pytest.MarkDecorator:
    chosen = [(c, f) for c, f in FIELDS if f["kind"] in kinds]
    names = [f"{c.__name__}.{f['name']}" for c, f in chosen]
    return pytest.mark.parametrize(("cls", "about"), chosen, ids=names)


every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
every_field = fields_of("int", "float", "bool", "choice")
every_number = fields_of("int", "float")


def refusal(cls: type[Config], name: str, value: Any) -> str:
    with pytest.raises(Rejected) as refused:
        cls.from_values({name: value})
    assert_blamed(refused.value, {name})
    assert refused.value.status == 400
    return assert_sentence(refused.value)


def assert_blamed(error: Rejected, names: Any) -> None:
    assert error.field in names


# ---------------------------------------------------------------------- what is refused


@every_number
def test_a_number_beyond_all_bounds_is_refused(cls: Any, about: dict) -> None:
    for value in (math.nan, math.inf, -math.inf, 10**400, -(10**400), 1e308):
        assert about["label"] in refusal(cls, about["name"], value)


@every_field
def test_another_type_is_refused(cls: Any, about: dict) -> None:
    for value in (None, [], [1], {}, {"a": 1}, "0.1", "", "x" * 500, b"1"):
        sentence = refusal(cls, about["name"], value)
        assert about["label"] in sentence
        assert f"got {value!r}"[:40] in sentence


@every_field
def test_booleans_are_no_numbers_and_numbers_no_booleans(cls: Any, about: dict) -> None:
    value = 1 if about["kind"] == "bool" else True
    assert f"got {value!r}" in refusal(cls, about["name"], value)


@every_number
def test_a_number_beyond_a_bound_is_refused_and_the_bounds_are_said(cls: Any, about: dict) -> None:
    for value in (about["minimum"] - 1, about["maximum"] + 1):
        sentence = refusal(cls, about["name"], value)
        assert float(sentence.split("got ")[1].rstrip(".")) == pytest.approx(value, rel=1e-5)
        for bound in (about["minimum"], about["maximum"]):
            shown = str(int(bound)) if bound == int(bound) else f"{bound:g}"
            assert shown in sentence


@every_number
def test_the_bounds_themselves_are_allowed(cls: Any, about: dict) -> None:
    for value in (about["minimum"], about["maximum"]):
        assert getattr(cls.from_values({about["name"]: value}), about["name"]) == value


@fields_of("int")
def test_a_whole_number_has_no_fraction(cls: Any, about: dict) -> None:
    assert "whole number" in refusal(cls, about["name"], about["minimum"] + 0.5)
    kept = getattr(cls.from_values({about["name"]: float(about["minimum"])}), about["name"])
    assert type(kept) is int


@fields_of("choice")
def test_an_unknown_choice_is_refused_and_the_choices_are_said(cls: Any, about: dict) -> None:
    sentence = refusal(cls, about["name"], "purple")
    assert "'purple'" in sentence
    assert all(value in sentence for value, _ in about["choices"])


@every_class
def test_an_unknown_name_is_refused(cls: Any) -> None:
    sentence = refusal(cls, "colour_of_the_sky", 1)
    assert "'colour_of_the_sky'" in sentence
    assert cls.schema()[0]["name"] in sentence


@every_class
@pytest.mark.parametrize("values", [None, [], [["a", 1]], "beta=1", 3, True])
def test_what_is_no_object_is_refused(cls: Any, values: Any) -> None:
    with pytest.raises(Rejected):
        cls.from_values(values)


@pytest.mark.parametrize("key", ["", "gpt9", None, 3, ["vae"], "VAE"])
def test_an_unknown_model_is_not_found_and_the_known_are_said(key: Any) -> None:
    with pytest.raises(NotFound) as refused:
        entry(key)
    assert all(known in refused.value.sentence for known in MODELS)


# ---------------------------------------------------------------------- schema


@every_field
def test_the_schema_says_everything_of_a_field(cls: Any, about: dict) -> None:
    assert set(about) == {
        *("name", "kind", "default", "minimum", "maximum", "step", "scale", "unit", "label"),
        *("help", "live", "choices", "advanced", "group"),
    }
    assert about["label"]
    assert about["help"].endswith(".")
    assert about["kind"] in ("int", "float", "bool", "choice")
    assert about["scale"] in ("linear", "log")
    assert (about["choices"] is not None) == (about["kind"] == "choice")
    if about["kind"] in ("int", "float"):
        assert about["minimum"] <= about["default"] <= about["maximum"]
        assert about["scale"] == "linear" or about["minimum"] > 0
    json.dumps(about, allow_nan=False)


@every_class
def test_labels_and_names_are_unique(cls: Any) -> None:
    schema = cls.schema()
    assert len({f["label"] for f in schema}) == len({f["name"] for f in schema}) == len(schema)


@every_class
def test_defaults_are_valid_and_round_trip(cls: Any) -> None:
    config = cls.from_values({})
    assert cls.from_values(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, cls.schema()[0]["name"], 1)


@pytest.mark.parametrize("key", MODELS)
def test_every_preset_is_valid(key: str) -> None:
    config_class = entry(key).config_class
    for preset in entry(key).preset_list:
        assert config_class.from_values(preset.config)
        assert preset.title
        assert preset.help.endswith((".", "?"))
        assert preset.max_steps >= 1


# ---------------------------------------------------------------------- live fields


@every_field
def test_only_live_fields_may_change_while_a_run_trains(cls: Any, about: dict) -> None:
    config, name = cls.from_values({}), about["name"]
    if about["live"]:
        choices = about["choices"] or (("", ""),)
        other = {"bool": not about["default"], "choice": choices[-1][0]}
        value = other.get(about["kind"], about["maximum"])
        changed = config.with_live(name, value)
        assert getattr(changed, name) == value
        assert getattr(config, name) == about["default"]
    else:
        with pytest.raises(Rejected, match="cannot change while a run trains") as refused:
            config.with_live(name, about["default"])
        assert refused.value.field == name


def test_a_live_change_is_checked_like_any_value() -> None:
    with pytest.raises(Rejected, match=r"Rate must be 0 to 1; got 2\."):
        EveryKind().with_live("rate", 2)
    with pytest.raises(Rejected, match="no hyperparameter 'speed'"):
        EveryKind().with_live("speed", 2)


def test_models_have_a_live_learning_rate() -> None:
    others = {"gan2d_atlas", "ngram"}  # each cell has its own; it counts
    for model in (m for m in MODELS.values() if m.key not in others):
        live = [f["name"] for f in model.config_class.schema() if f["live"]]
        assert any(name.endswith("learning_rate") for name in live), model.key


# ---------------------------------------------------------------------- texts of the terminal


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"count": "4"}, {"count": 4}),
        ({"count": "4.0"}, {"count": 4}),
        ({"count": "4e0"}, {"count": 4}),
        ({"rate": "1e-3"}, {"rate": 0.001}),
        ({"rate": "1"}, {"rate": 1.0}),
        ({"noisy": "true"}, {"noisy": True}),
        ({"noisy": "False"}, {"noisy": False}),
        ({"noisy": "1", "colour": "blue"}, {"noisy": True, "colour": "blue"}),
    ],
)
def test_texts_are_read(texts: dict, expected: dict) -> None:
    assert EveryKind.parse(texts) == EveryKind.from_values(expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "four"),
        ("count", "4.5"),
        ("count", "1e999"),
        ("count", "9" * 5000),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", ""),
        ("noisy", "perhaps"),
        ("colour", "RED"),
        ("hue", "1"),
    ],
)
def test_texts_that_cannot_be_are_refused(name: str, text: str) -> None:
    with pytest.raises(Rejected) as refused:
        EveryKind.parse({name: text})
    assert refused.value.field == name


# ---------------------------------------------------------------------- any JSON at all

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def likely(about: dict) -> st.SearchStrategy:
    """Values near the field's bounds, among them good ones."""
    if about["choices"] is not None:
        return st.sampled_from([value for value, _ in about["choices"]]) | anything
    if about["kind"] == "bool":
        return st.booleans() | anything
    low, high = about["minimum"], about["maximum"]
    near = st.floats(low - 1, high + 1) | st.integers(math.floor(low) - 1, math.ceil(high) + 1)
    return near | anything


@every_class
@given(chosen=st.data())
def test_any_values_are_refused_or_give_a_valid_config(cls: Any, chosen: st.DataObject) -> None:
    fields = {f["name"]: f for f in cls.schema()}
    names = chosen.draw(st.lists(st.sampled_from(sorted(fields)) | st.text(max_size=8), max_size=4))
    values = {n: chosen.draw(likely(fields[n]) if n in fields else anything) for n in names}
    try:
        config = cls.from_values(values)
    except Rejected as refused:
        assert_sentence(refused)
        assert_blamed(refused, values)
        return
    assert set(values) <= set(fields)
    for name, about in fields.items():
        value = getattr(config, name)
        if about["choices"] is not None:
            assert value in [v for v, _ in about["choices"]]
        elif about["kind"] == "bool":
            assert isinstance(value, bool)
        else:
            assert type(value) is {"int": int, "float": float}[about["kind"]]
            assert about["minimum"] <= value <= about["maximum"]
    assert cls.from_values(json.loads(json.dumps(config.to_dict(), allow_nan=False))) == config
