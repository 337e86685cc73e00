"""Texts that the language models write, judge and cut up, against plain full passes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from engine.data.base import text_dataset
from engine.errors import PlaygroundError
from engine.language_reading import MOST_CHARACTERS
from engine.payloads import Arrays, Views
from engine.registry import entry
from engine.tensors import DataView
from engine.text_states import States
from engine.trainer import build

CPU = torch.device("cpu")
TEXT = "The cat sat.\nA dog saw it run, BUT ran: 12 times!\n한글도 된다.\n" * 40
TINY: dict[str, dict[str, Any]] = {
    "gpt": {"layers": 2, "heads": 2, "width": 16, "context": 16},
    "rnn": {"units": 12, "embedding": 8, "layers": 2, "context": 16},
    "ngram": {"order": 3, "context": 16},
}
every_model = pytest.mark.parametrize("key", list(TINY))
every_tokenizer = pytest.mark.parametrize("tokenizer", ["characters", "byte_pairs"])


@pytest.fixture(scope="module")
def data() -> DataView:
    return DataView(text_dataset("mine", "Mine", TEXT), CPU)


def made(key: str, data: DataView, **config: Any) -> Any:
    """Build a tiny model whose weights are not all nearly 0."""
    chosen = entry(key).config_class.from_values({"vocabulary": 270, **TINY[key], **config})
    learner: Any = build(key, chosen, data, CPU, 0)
    source = torch.Generator().manual_seed(1)
    for parameter in learner.network.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=source)
    if key == "ngram":
        learner.network.add(learner.tokens(data)[0][None].numpy(), 0)
    return learner


def draw(learner: Any, data: DataView, view: str, **args: Any) -> Any:
    """Draw a view that can travel as JSON."""
    drawn = learner.draw(view, data, args)
    assert isinstance(drawn, Arrays | Views)
    json.dumps(drawn.to_wire(), allow_nan=False)
    return drawn


def written(learner: Any, data: DataView, **args: Any) -> Any:
    return draw(learner, data, "continue", budget_ms=10_000, **args)


# ---------------------------------------------------------------------- writing


@every_tokenizer
@every_model
def test_parts_join_to_the_whole(key: str, tokenizer: str, data: DataView) -> None:
    whole = written(made(key, data, tokenizer=tokenizer), data, prompt="The c", count=40, seed=3)
    learner, tokens, pieces = made(key, data, tokenizer=tokenizer), None, []
    for count in (1, 9, 30):
        start = {"prompt": "The c"} if tokens is None else {"tokens": tokens}
        part = written(learner, data, **start, count=count, seed=3)
        tokens = (tokens or part.values["prompt_ids"]) + part.arrays["ids"].tolist()
        pieces += part.values["pieces"]
    assert tokens == whole.values["prompt_ids"] + whole.arrays["ids"].tolist()
    assert pieces == whole.values["pieces"]


@pytest.mark.parametrize("key", ["gpt", "rnn"])
def test_greedy_tokens_are_those_of_full_passes_across_the_edge(key: str, data: DataView) -> None:
    learner = made(key, data)
    ids = learner.encode("The cat")[0]
    found = written(learner, data, prompt="The cat", count=40, temperature=0)
    with torch.no_grad():
        learner.network.eval()
        for token in found.arrays["ids"].tolist():
            seen = torch.tensor([ids[-16:] if key == "gpt" else ids])
            assert int(learner.network(seen)[0, -1].argmax()) == token
            ids.append(token)
    assert found.values["forgotten"] == (len(ids) - 16 if key == "gpt" else 0)


def test_probabilities_are_those_of_the_model_and_of_the_knobs(data: DataView) -> None:
    learner = made("gpt", data)
    found = written(learner, data, prompt="A d", count=1, temperature=0.5, top_k=3, seed=1)
    with torch.no_grad():
        logits = learner.network(torch.tensor([learner.encode("A d")[0]]))[0, -1]
    token = int(found.arrays["ids"][0])
    cut = (logits / 0.5).topk(3)
    place = cut.indices.tolist().index(token)
    assert found.arrays["plain"][0] == pytest.approx(float(logits.softmax(0)[token]), rel=1e-4)
    assert found.arrays["probability"][0] == pytest.approx(
        float(cut.values.softmax(0)[place]), rel=1e-4
    )
    assert found.arrays["top_ids"][0, :3].tolist() == cut.indices.tolist()
    assert found.arrays["top_logits"][0, :3] == pytest.approx(logits.topk(3).values, abs=1e-4)


@every_model
def test_a_repetition_penalty_keeps_greedy_text_from_repeating(key: str, data: DataView) -> None:
    learner = made(key, data)
    plain, penal = (
        written(learner, data, prompt="a", count=30, temperature=0, repetition_penalty=r)
        for r in (1.0, 5.0)
    )
    assert len(set(penal.arrays["ids"].tolist())) > len(set(plain.arrays["ids"].tolist()))


def test_one_token_comes_however_small_the_budget(data: DataView) -> None:
    found = draw(made("gpt", data), data, "continue", prompt="A", count=1000, budget_ms=1)
    assert 1 <= len(found.arrays["ids"]) < 1000
    assert not found.values["done"]


def test_a_prompt_without_tokens_starts_a_line(data: DataView) -> None:
    found = written(made("gpt", data), data, prompt="")
    assert found.values["prompt_pieces"] == [""]
    lacking = written(made("gpt", data), data, prompt="🙂")
    assert lacking.values["prompt_ids"] == found.values["prompt_ids"]
    assert "🙂" in lacking.values["notes"][0]


# ---------------------------------------------------------------------- states that are kept


class Counted:
    """A network that counts the tokens it reads."""

    def __init__(self, network: Any) -> None:
        self.network, self.read = network, 0
        self.start = network.start

    def step(self, tokens: Any, state: Any) -> Any:
        self.read += tokens.shape[1]
        return self.network.step(tokens, state)


@pytest.mark.parametrize(("key", "again"), [("gpt", 1), ("rnn", 7), ("ngram", 7)])
@torch.inference_mode()
def test_going_on_reads_only_what_is_new(key: str, again: int, data: DataView) -> None:
    network, states = Counted(made(key, data).network), States()
    for ids, expected in (
        ([1, 2, 3, 4, 5, 6, 7, 8], 8),
        ([1, 2, 3, 4, 5, 6, 7, 8], 0),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], 1),
        ([1, 2, 3, 4, 5, 6, 3], again),  # another branch: keys and values are cut, memory not
    ):
        network.read = 0
        found = states.read(network, ids, CPU)
        states.keep(found)
        assert network.read == expected
        fresh = States().read(network.network, ids, CPU)
        assert torch.allclose(found.logits, fresh.logits, atol=1e-5)


@torch.inference_mode()
def test_the_oldest_texts_go_first(data: DataView) -> None:
    network, states = made("rnn", data).network, States(most=2)
    for first in (1, 2, 3):
        states.keep(states.read(network, [first, 4], CPU))
    assert [r.tokens[0] for r in states.kept] == [2, 3]
    states.most_bytes = 1
    states.keep(states.read(network, [5], CPU))
    assert [r.tokens[0] for r in states.kept] == [5]


def test_weights_that_move_are_read_anew(data: DataView) -> None:
    learner = made("gpt", data)
    before = written(learner, data, prompt="The", count=1)
    with torch.no_grad():
        learner.network.embedding.weight.mul_(2)
    learner.forget()
    after = written(learner, data, prompt="The", count=1)
    assert not np.allclose(before.arrays["top_logits"], after.arrays["top_logits"])


# ---------------------------------------------------------------------- judging, cutting up


@every_model
def test_a_judged_text_has_the_nats_of_a_full_pass(key: str, data: DataView) -> None:
    learner = made(key, data, context=64)
    text = "A dog saw the cat.\n"
    found = draw(learner, data, "score", text=text)
    ids = [*learner.encode("")[0], *learner.encode(text)[0]]
    with torch.no_grad():
        learner.network.eval()
        logs = learner.network(torch.tensor([ids]))[0, :-1].log_softmax(-1)
    each = logs.gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    assert found.arrays["plain"] == pytest.approx(each.exp().numpy(), rel=1e-3, abs=1e-6)
    assert found.values["nats_per_character"] == pytest.approx(-float(each.mean()), rel=1e-3)
    assert "".join(found.values["pieces"]) == text
    assert found.arrays["top_ids"].shape == (len(text), 10)


def test_a_judged_text_may_be_longer_than_the_context(data: DataView) -> None:
    found = draw(made("gpt", data), data, "score", text=TEXT[:500])
    assert len(found.arrays["ids"]) == 500
    assert found.arrays["rank"].min() >= 1


def test_korean_is_cut_into_bytes_that_join_to_characters(data: DataView) -> None:
    learner = made("gpt", data, tokenizer="byte_pairs")
    found = draw(learner, data, "tokenise", text="글 é!", merges=5).values
    assert "".join(found["pieces"]) == "글 é!"
    assert bytes.fromhex("".join(found["bytes"])).decode() == "글 é!"
    assert (found["count"], found["characters"]) == (len(found["ids"]), 4)
    a, b = learner.tokenizer.merges[0]
    assert found["merges"][0] == [a.hex(), b.hex()]
    assert found["merges_total"] == len(learner.tokenizer.merges)


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text", ["\x00\x07\x1b", "🙂 한글", "\ud800", "a" * 3 * MOST_CHARACTERS, "x" * 1_000_000]
)
@every_tokenizer
def test_any_text_is_taken(tokenizer: str, text: str, data: DataView) -> None:
    learner = made("gpt", data, tokenizer=tokenizer)
    assert len(written(learner, data, prompt=text, count=2).arrays["ids"]) == 2
    assert len(draw(learner, data, "score", text=text).values["pieces"]) >= 1
    assert draw(learner, data, "tokenise", text=text).values["count"] >= 1


@pytest.mark.parametrize(
    ("view", "args"),
    [
        ("continue", {"prompt": 3}),
        ("continue", {"prompt": "a", "tokens": [1]}),
        ("continue", {"tokens": []}),
        ("continue", {"tokens": [10**9]}),
        ("continue", {"tokens": ["a"]}),
        ("continue", {"count": 0}),
        ("continue", {"temperature": -1}),
        ("continue", {"seed": -1}),
        ("continue", {"budget_ms": 10**9}),
        ("score", {"text": None}),
        ("tokenise", {"text": "a", "merges": -1}),
    ],
)
def test_bad_arguments_get_one_sentence(view: str, args: Any, data: DataView) -> None:
    with pytest.raises(PlaygroundError) as caught:
        made("gpt", data).draw(view, data, args)
    assert caught.value.sentence.endswith(".")
    assert len(caught.value.sentence) < 200
