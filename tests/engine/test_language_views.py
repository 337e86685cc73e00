"""What the language models show of their inside, against plain arithmetic."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import assert_sentence
from torch import Tensor

from engine.data.base import text_dataset
from engine.errors import Rejected
from engine.language import LanguageLearner
from engine.language_reach import doubling
from engine.language_reading import MOST_CHARACTERS
from engine.language_space import nearest, principal
from engine.language_views import habits
from engine.payloads import Arrays
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build

CPU = torch.device("cpu")
TEXT = 'The Cat sat.\nA dog (old) saw "it" run, BUT ran: 12 times!\n\n' * 80
TINY = {
    "gpt": {"layers": 2, "heads": 2, "width": 16, "context": 24},
    "rnn": {"units": 12, "embedding": 8, "layers": 2, "context": 24},
    "ngram": {"order": 3, "context": 24},
}
VIEWS = ("attention", "activity", "cells", "lens", "embeddings", "gradients", "context")
LACKS = {
    "gpt": set(),
    "rnn": {"attention", "lens"},
    "ngram": {"attention", "activity", "cells", "lens", "embeddings", "gradients"},
}
every_model = pytest.mark.parametrize("key", list(TINY))


@pytest.fixture(scope="module")
def data() -> DataView:
    return DataView(text_dataset("mine", "Mine", TEXT), CPU)


def made(key: str, data: DataView, **config: Any) -> Any:
    """Build a tiny model whose weights are not all nearly 0."""
    chosen = entry(key).config_class.from_values({**TINY[key], **config})
    learner = build(key, chosen, data, CPU, 0)
    assert isinstance(learner, LanguageLearner)
    source = torch.Generator().manual_seed(1)
    for parameter in learner.network.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=source)
    return learner


def draw(learner: Any, data: DataView, view: str, **args: Any) -> Arrays:
    """Draw a view that can travel as JSON."""
    drawn = learner.draw(view, data, args)
    assert isinstance(drawn, Arrays)
    json.dumps(drawn.to_wire(), allow_nan=False)
    return drawn


def ids_of(learner: Any, text: str) -> Tensor:
    return torch.tensor([learner.encode(text)[0]])


# ---------------------------------------------------------------------- all families


@every_model
def test_each_family_shows_what_it_has_and_says_what_it_lacks(key: str, data: DataView) -> None:
    learner = made(key, data)
    lacks = set()
    for view in VIEWS:
        drawn = draw(learner, data, view)
        if drawn.values["none"]:
            assert not drawn.arrays
            assert drawn.values["none"].endswith(".")
            lacks.add(view)
    assert lacks == LACKS[key]


@pytest.mark.parametrize(
    "text",
    ["", "x", "\x00\x07", "the 🙂 한글", "\ud800", "a" * 3 * MOST_CHARACTERS, "\n\n\n"],
)
@every_model
def test_any_text_is_looked_into(key: str, text: str, data: DataView) -> None:
    learner = made(key, data)
    for view in ("attention", "activity", "lens"):
        drawn = draw(learner, data, view, text=text)
        assert drawn.values["none"] or len(drawn.values["pieces"]) >= 1


@pytest.mark.parametrize(
    "args",
    [
        {"text": 5},
        {"tokens": []},
        {"tokens": [-1]},
        {"tokens": [10**9]},
        {"tokens": [True]},
        {"tokens": "ab"},
        {"tokens": [1.0]},
        {"text": "a", "tokens": [1]},
        {"layer": 9},
        {"layer": "1"},
        {"kind": "cell"},
    ],
)
def test_bad_arguments_get_a_sentence(args: dict[str, Any], data: DataView) -> None:
    with pytest.raises(Rejected) as caught:
        made("rnn", data, cell="gru").draw("activity", data, args)
    assert caught.value.sentence.endswith(".")


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 50) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(args=st.dictionaries(st.sampled_from(["text", "tokens", "layer", "kind"]), anything))
def test_any_arguments_give_a_payload_or_a_sentence(args: dict[str, Any], data: DataView) -> None:
    try:
        draw(made("gpt", data), data, "activity", **args)
    except Rejected as refused:
        assert_sentence(refused)


def test_the_end_of_a_long_text_is_shown_and_said(data: DataView) -> None:
    drawn = draw(made("gpt", data), data, "attention", text="The Cat sat. A dog saw it run.")
    assert "".join(drawn.values["pieces"]) == "t sat. A dog saw it run."
    assert drawn.values["notes"] == ["The model sees 24 tokens: the last 24 of 30."]
    drawn = draw(made("rnn", data), data, "activity", text="dog " * 100)
    assert len(drawn.values["pieces"]) == 256
    assert drawn.values["notes"] == ["256 tokens are read: the last 256 of 400."]


def test_characters_that_the_vocabulary_lacks_are_said(data: DataView) -> None:
    drawn = draw(made("gpt", data), data, "activity", text="Cat한")
    assert drawn.values["pieces"] == ["C", "a", "t"]
    assert "한" in drawn.values["notes"][0]


def test_views_leave_the_learner_as_it_was(data: DataView) -> None:
    learner = made("gpt", data, dropout=0.2)
    learner.network.train()
    before = torch.get_rng_state()
    for view in VIEWS:
        draw(learner, data, view)
    assert learner.network.training
    assert torch.equal(torch.get_rng_state(), before)
    assert all(p.grad is None for p in learner.network.parameters())
    assert not learner.network.embedding._forward_hooks


def test_without_held_out_text_views_say_so(data: DataView) -> None:
    learner = made("rnn", data)
    bare = DataView(text_dataset("bare", "Bare", "T"), CPU)
    for view in ("cells", "gradients", "context"):
        assert "held-out" in draw(learner, bare, view).values["none"]
    assert draw(learner, bare, "activity").values["pieces"]


# ---------------------------------------------------------------------- attention


def test_attention_is_the_softmax_of_queries_and_keys(data: DataView) -> None:
    learner = made("gpt", data)
    shown = draw(learner, data, "attention", text="A dog saw").arrays["attention"]
    state = learner.network.state_dict()
    ids = ids_of(learner, "A dog saw")[0]
    x = state["embedding.weight"][ids] + state["positions.weight"][: len(ids)]
    x = (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    x = x * state["blocks.0.norm1.weight"] + state["blocks.0.norm1.bias"]
    name = "blocks.0.attention.query_key_value"
    both = x @ state[f"{name}.weight"].T + state[f"{name}.bias"]
    for head in range(2):
        q, k = both[:, 8 * head : 8 * head + 8], both[:, 16 + 8 * head : 24 + 8 * head]
        score = (q @ k.T / math.sqrt(8)).tril() + torch.full((9, 9), -1e9).triu(1)
        wanted = (score.exp() / score.exp().sum(1, keepdim=True)).numpy() * 255
        assert np.abs(shown[0, head] - wanted).max() <= 0.51


def test_without_a_mask_a_token_sees_what_follows(data: DataView) -> None:
    for causal in (True, False):
        drawn = draw(made("gpt", data, causal=causal), data, "attention", text="A dog saw")
        ahead = np.triu(drawn.arrays["attention"][0, 0], 1)
        assert ahead.any() == (not causal)


def test_habits_of_heads_that_do_one_thing() -> None:
    ids = torch.tensor([3, 1, 3, 1])
    previous = torch.tensor([[1.0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    same = torch.tensor([[1.0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]])
    found = habits(torch.stack([previous, same])[None], ids)
    assert [h["head"] for h in found] == [0, 1]
    assert found[0]["previous"] == 1
    assert found[0]["distance"] == 1
    assert found[0]["first"] == pytest.approx(1 / 3)
    assert found[1]["same"] == pytest.approx(2 / 3)
    # token 2 is equal to token 0, so token 1 follows an equal one; likewise 2 for token 3
    assert found[0]["induction"] == pytest.approx(2 / 3)


# ---------------------------------------------------------------------- activity and lens


@pytest.mark.parametrize(
    ("key", "cell", "kinds"),
    [
        ("rnn", "rnn", {"hidden": 2}),
        ("rnn", "lstm", {"hidden": 2, "cell": 2}),
        ("gpt", None, {"residual": 3, "mlp": 2}),
    ],
)
def test_activity_is_what_the_network_has_inside(
    key: str, cell: str | None, kinds: dict[str, int], data: DataView
) -> None:
    learner = made(key, data, **({"cell": cell} if cell else {}))
    inside: dict[str, Any] = {}
    learner.network(ids_of(learner, "A dog saw"), inside)
    names = {"hidden": "activity", "cell": "cells", "residual": "hidden", "mlp": "mlp"}
    for kind, layers in kinds.items():
        for layer in range(layers):
            drawn = draw(learner, data, "activity", text="A dog saw", kind=kind, layer=layer)
            assert drawn.values["kinds"] == kinds
            scale = drawn.values["scale"]
            found = (drawn.arrays["activity"].astype(float) - 128) / 127 * scale
            wanted = inside[names[kind]][layer][0].detach().numpy().clip(-scale, scale)
            assert np.abs(found - wanted).max() <= 0.51 * scale / 127


def test_the_lens_ends_at_what_the_network_predicts(data: DataView) -> None:
    learner = made("gpt", data)
    drawn = draw(learner, data, "lens", text="A dog saw")
    ids = ids_of(learner, "A dog saw")
    with torch.no_grad():
        likely = learner.network(ids)[0].softmax(-1)
        early = learner.network.lens(learner.network.entered(ids)[0])[0].softmax(-1)
    best = likely.topk(5)
    assert drawn.arrays["ids"][-1].tolist() == best.indices.tolist()
    assert drawn.arrays["probability"][-1] == pytest.approx(best.values.numpy(), abs=1e-5)
    assert not drawn.arrays["kl"][-1].any()
    wanted = (likely * (likely / early).log()).sum(-1)
    assert drawn.arrays["kl"][0] == pytest.approx(wanted.numpy(), rel=1e-3, abs=1e-5)
    order = likely.argsort(descending=True).tolist()
    ranks = [order[i].index(t) + 1 for i, t in enumerate(ids[0, 1:].tolist())]
    assert drawn.arrays["rank"][-1].tolist() == [*ranks, 0]
    words = drawn.values["vocabulary"]
    assert {learner.tokenizer.decode([i]) for i in words} == set(words.values())


# ---------------------------------------------------------------------- cells


def test_a_planted_cell_is_found(data: DataView) -> None:
    learner = made("gpt", data)
    table = learner.network.embedding.weight
    for token in range(len(table)):
        table.data[token, 5] = 9.0 * learner.tokenizer.decode([token]).isupper()
    learner.network.positions.weight.data[:, 5] = 0
    found = draw(learner, data, "cells").values
    upper = next(c for c in found["cells"] if c["property"] == "upper")
    assert (upper["kind"], upper["layer"], upper["unit"]) == ("residual", 0, 5)
    assert upper["correlation"] > 0.999
    sizes = [abs(c["correlation"]) for c in found["cells"]]
    assert sizes == sorted(sizes, reverse=True)


# ---------------------------------------------------------------------- embeddings


def test_principal_axes_are_those_of_a_singular_value_decomposition() -> None:
    rows = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 7)
    xy, explained = principal(rows)
    u, s, _ = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    assert torch.allclose(xy.abs(), (u * s)[:, :2].abs(), atol=1e-3)
    assert explained == pytest.approx((s.square() / s.square().sum())[:2].tolist(), rel=1e-4)


def test_nearest_rows_by_cosine() -> None:
    rows = torch.tensor([[1.0, 0], [2, 0.1], [-1, 0], [-1, -0.1]])
    found, cosines = nearest(rows)
    moved = rows - rows.mean(0)
    whole = torch.cosine_similarity(moved[:, None], moved, dim=-1)
    assert found[:, 0].tolist() == [1, 0, 3, 2]
    assert torch.allclose(cosines[:, 0], whole[range(4), found[:, 0]])


def test_embeddings_are_listed_by_how_frequent_they_are(data: DataView) -> None:
    learner = made("gpt", data)
    drawn = draw(learner, data, "embeddings")
    v, text = drawn.values, data.dataset.train.text
    assert v["counts"] == [text.count(piece) for piece in v["pieces"]]
    assert v["counts"] == sorted(v["counts"], reverse=True)
    assert v["pieces"][0] == " "
    assert v["kinds"][0] == "space"
    assert drawn.arrays["positions"].shape == (24, 2)
    assert v["positions_note"] == ""
    assert (
        "Rotary"
        in draw(made("gpt", data, positions="rotary"), data, "embeddings").values["positions_note"]
    )


def test_byte_pairs_of_a_korean_text_have_names(data: DataView) -> None:
    korean = DataView(text_dataset("k", "K", "나는 학교에 갔다. 그리고 집에 왔다.\n" * 80), CPU)
    learner = made("gpt", korean, tokenizer="byte_pairs", vocabulary=300)
    v = draw(learner, korean, "embeddings").values
    assert any(p.startswith("0x") for p in v["pieces"])
    assert v["total"] == len(v["pieces"]) == learner.tokenizer.size
    drawn = draw(learner, korean, "activity", text="학교에 갔다")
    assert "".join(drawn.values["pieces"]) == "학교에 갔다"


# ---------------------------------------------------------------------- reach


@pytest.mark.parametrize("key", ["gpt", "rnn"])
def test_gradients_are_those_of_finite_differences(key: str, data: DataView) -> None:
    learner = made(key, data, context=6)
    learner.network.double().eval()
    rows = learner.held_out(data, 7, 7)
    found = learner._gradients(rows)[0]

    def loss(at: int, unit: int, by: float) -> float:
        def moved(module: Any, given: Any, out: Tensor) -> Tensor:
            out = out.clone()
            out[0, at, unit] += by
            return out

        hook = learner.network.embedding.register_forward_hook(moved)
        try:
            with torch.no_grad():
                last = learner.network(rows[:, :-1])[0, -1]
        finally:
            hook.remove()
        return float(-last.log_softmax(-1)[rows[0, -1]])

    width = learner.network.embedding.embedding_dim
    for at in (0, 3, 5):
        slopes = [(loss(at, u, 1e-5) - loss(at, u, -1e-5)) / 2e-5 for u in range(width)]
        assert float(found[at]) == pytest.approx(math.hypot(*slopes), rel=1e-5)


def test_gradients_vanish_with_distance_when_the_recurrence_shrinks(data: DataView) -> None:
    learner = made("rnn", data, cell="rnn", layers=1)
    weight = learner.network.recurrent.weight_hh_l0
    weight.data = 0.5 * torch.eye(12)
    drawn = draw(learner, data, "gradients")
    norm = drawn.arrays["norm"]
    assert norm.shape == (24,)
    assert drawn.values["windows"] == 16
    assert 0 < norm[12] < norm[0] * 2.0**-10  # each step back halves it, and tanh' is below 1
    assert drawn.values["reach"] <= 4


def test_loss_by_context_is_the_mean_of_the_token_losses(data: DataView) -> None:
    learner = made("gpt", data)
    drawn = draw(learner, data, "context")
    rows = learner.held_out(data, 25, 32_768)
    learner.network.eval()
    with torch.no_grad():
        logs = learner.network(rows[:, :-1]).log_softmax(-1)
    nats = -logs.gather(2, rows[:, 1:, None])[..., 0]
    assert drawn.arrays["loss"] == pytest.approx(nats.mean(0).numpy(), rel=1e-4)
    assert drawn.values["mean"] == pytest.approx(float(nats.mean()), rel=1e-5)
    kinds = drawn.values["kinds"]
    assert sum(k["share"] for k in kinds) == pytest.approx(1)
    assert sum(k["share"] * k["nats"] for k in kinds) == pytest.approx(float(nats.mean()), rel=1e-5)


def test_doubling_stretches() -> None:
    nats = torch.tensor([[1.0, 2, 3, 5, 6], [3, math.nan, 3, 5, 8]]).double()
    bins = doubling(nats)
    assert [(b["from"], b["to"]) for b in bins] == [(1, 1), (2, 2), (3, 4), (5, 5)]
    assert [b["nats"] for b in bins] == [2, 2, 4, 7]
    assert bins[0]["error"] == pytest.approx(1 / math.sqrt(2))


def test_weights_that_are_broken_still_draw(data: DataView) -> None:
    learner = made("gpt", data)
    learner.network.blocks[0].norm1.weight.data.fill_(math.nan)
    for view in VIEWS:
        found = draw(learner, data, view)
        assert bool(found.values["none"]) == (view == "context")
