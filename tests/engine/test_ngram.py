"""The n-gram model: one pass counts the whole text once, and its growing tables travel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import CPU, assert_same, copied, ended, last, run, spec

from engine import checkpoint
from engine.data.base import indices_at, text_dataset
from engine.errors import CheckpointError
from engine.ngrams import Counts
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build

WORDS = ["ba", "dab", "cab", "a", "bad"]


@pytest.fixture(scope="module")
def view():
    draw = np.random.default_rng(0)
    text = " ".join(draw.choice(WORDS, 400))
    return DataView(text_dataset("words", "words", text), CPU)


def made(view, **values):
    given = {"context": 7, "batch_size": 10, "order": 4, **values}
    return build("ngram", entry("ngram").config_class.from_values(given), view, CPU, 0)


def read(learner, view, passes=1):
    """Read the text so often, in the order of a run; return the losses."""
    examples, losses, step = learner.examples(view), [], 0
    while step * 10 < passes * len(examples):
        at = torch.from_numpy(indices_at(0, step * 10, 10, len(examples)))
        given = examples.batch(at)
        losses.append(float(learner.training_step(given, examples.labels[at], step)["loss"]))
        step += 1
    return losses


@pytest.mark.parametrize("order", [1, 4])
def test_one_pass_counts_every_token_once_and_a_second_none(view, order):
    learner = made(view, order=order)
    read(learner, view, passes=2)
    ids, validation = (x.numpy() for x in learner.tokens(view))
    whole = Counts(order, learner.tokenizer.size)
    whole.add_text(ids)
    for found, expected in zip(learner.network.counts.tables, whole.tables, strict=True):
        np.testing.assert_array_equal(found.keys, expected.keys)
        np.testing.assert_array_equal(found.counts, expected.counts)
    assert learner.settings_now(0)["read_share"] == 1
    counted = learner.evaluate_fully(view, seed=0)["parameters"]
    assert counted == sum(len(table.keys) for table in whole.tables)
    told = learner.evaluate(view, seed=0, limit=None)["loss"]
    *_, each = whole.scored(validation[None])
    assert told == pytest.approx(-np.log(each[0, 1:]).mean())


def test_loss_falls_as_more_is_read_and_the_view_tells_the_goal(view):
    learner = made(view)
    losses = read(learner, view)
    assert losses[-1] < 0.6 * losses[0]
    found = learner.evaluate(view, seed=0, limit=None)
    goal = learner.draw("baselines", view, {}).values["lines"]
    assert found["nats_per_character"] == pytest.approx(goal["4"], rel=0.02)
    assert goal["4"] < goal["2"] < goal["uniform"]


def test_tokens_one_by_one_are_those_of_the_whole(view):
    learner = made(view)
    read(learner, view)
    tokens = learner.tokens(view)[1][None, :30]
    with learner.evaluating():
        whole = learner.network(tokens)
        state = learner.network.start(1)
        parts = [learner.network.step(tokens[:, :5], state)]
        parts += [learner.network.step(tokens[:, i : i + 1], state) for i in range(5, 30)]
    assert torch.equal(torch.cat(parts, 1), whole)
    torch.testing.assert_close(whole.exp().sum(2), torch.ones(1, 30))
    nats = learner.token_nats(tokens)
    expected = torch.nn.functional.cross_entropy(whole[0, :-1], tokens[0, 1:], reduction="none")
    torch.testing.assert_close(nats[0], expected)


def restored(learner, view, tensors, **values):
    again = made(view, **values)
    tensors = again.complete(again.graft(tensors, learner.config))
    checkpoint.fit(tensors, again.tensors(optimizers=False), "x")
    again.load_tensors(tensors)
    return again


def test_tables_travel_and_go_on_growing(view):
    learner = made(view)
    examples = learner.examples(view)
    for step in range(4):
        if step == 2:
            halfway = copied(learner.tensors())
        learner.training_step(examples.batch(slice(10 * step, 10 * step + 10)), None, step)
    again = restored(learner, view, halfway)
    again.examples(view)
    for step in (2, 3):
        again.training_step(examples.batch(slice(10 * step, 10 * step + 10)), None, step)
    for name, value in learner.tensors().items():
        assert torch.equal(value, again.tensors()[name]), name
    learner.load_tensors(halfway)  # back to a state with shorter tables
    assert float(learner.network.read) == float(halfway["networks.network.read"])


def test_a_fork_of_lower_order_keeps_counts_and_one_of_higher_order_starts_anew(view):
    learner = made(view)
    read(learner, view)
    lower = restored(learner, view, learner.tensors(), order=2)
    direct = made(view, order=2)
    read(direct, view)
    assert torch.equal(lower.network.keys2, direct.network.keys2)
    assert float(restored(learner, view, learner.tensors(), order=5).network.read) == 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("keys2", None, "lacks the counts of order 2"),
        ("keys2", torch.tensor([3, 1]), "order 2 are damaged"),
        ("counts4", torch.tensor([1.0]), "order 4 are damaged"),
        ("keys1", torch.tensor([7]), "order 1 are damaged"),
    ],
)
def test_damaged_tables_are_refused(view, name, value, said):
    tensors = made(view).tensors()
    del tensors[f"networks.network.{name}"]
    if value is not None:
        tensors[f"networks.network.{name}"] = value
        other = f"networks.network.counts{name[-1]}"
        if name.startswith("keys"):
            tensors[other] = torch.ones(len(value), dtype=torch.int32)
    with pytest.raises(CheckpointError, match=said):
        made(view).complete(tensors)


def test_an_ngram_of_the_corpus_writes_beside_any_model(view):
    learner = made(view)
    drawn = learner.draw("continue_ngram", view, {"order": 4, "prompt": "ba", "count": 60})
    words = "".join(drawn.values["pieces"]).split()[1:-1]
    assert len(drawn.arrays["ids"]) == 60
    assert set(words) <= set(WORDS)
    uniform = learner.draw("continue_ngram", view, {"order": 0, "count": 5, "temperature": 1})
    np.testing.assert_allclose(uniform.arrays["probability"], 1 / learner.tokenizer.size)


def test_a_run_parked_halfway_ends_as_one_that_went_through(few, tmp_path):
    ends = []
    for name, cut in (("straight", ()), ("parked", (9,))):
        folder, start = tmp_path / name, None
        for steps in (*cut, 20):
            given = spec("ngram", few, folder, steps, resume=start, config={"batch_size": 3})
            assert ended(run(given)).state == "finished"
            start = last(folder)
        ends.append(checkpoint.load(start))
    assert_same(ends[0][1], ends[1][1])
    assert ends[0][0].metrics == ends[1][0].metrics
    assert len(ends[0][1]["networks.network.keys3"]) > 0
