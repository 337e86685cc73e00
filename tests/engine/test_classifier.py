"""The classifier's learner: its step, what varies its pictures, its views."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from small import Data, copied, learn, made

from engine.configs.classifier import ClassifierConfig
from engine.errors import Rejected
from engine.models.classifier import ClassifierNetwork
from engine.payloads import Arrays, Bars, Views
from engine.tensors import DataSpec


def test_one_step_changes_every_trainable_parameter(few: Data) -> None:
    learner = made("classifier", few.view)
    before = copied(dict(learner.networks["classifier"].named_parameters()))
    learn(learner, few.view, 1, count=16)
    for name, value in learner.networks["classifier"].named_parameters():
        assert not torch.equal(value, before[name]), name


def test_it_overfits_one_batch(few: Data) -> None:
    learner = made("classifier", few.view, dropout=0.0, shift_px=0, learning_rate=1e-2)
    records = learn(learner, few.view, 40, count=16)
    assert float(records[-1]["loss"]) < 0.1 < float(records[0]["loss"])
    assert float(records[-1]["accuracy"]) == 1


@pytest.mark.parametrize(
    "shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 20, 40), (1, 130, 130)]
)
def test_pictures_of_any_shape_have_features_and_logits(shape: tuple[int, ...]) -> None:
    network = ClassifierNetwork(ClassifierConfig(), DataSpec(shape, ("a", "b", "c")))
    network.eval()
    images = torch.rand(4, *shape)
    features = network.features(images)
    assert features.shape == (4, 64)
    assert torch.equal(network.logits(features), network(images))
    assert network(images).shape == (4, 3)


def test_a_picture_is_moved_whole_and_its_edge_goes_on(few: Data) -> None:
    learner = made("classifier", few.view, shift_px=3)
    images = torch.rand(40, 1, 10, 12)
    torch.manual_seed(0)
    moved = learner._varied(images)  # type: ignore[attr-defined]
    assert moved.shape == images.shape
    offsets = set()
    for one, other in zip(images, moved, strict=True):
        padded = np.pad(one[0].numpy(), 3, mode="edge")
        found = [
            (y, x)
            for y in range(7)
            for x in range(7)
            if np.array_equal(padded[y : y + 10, x : x + 12], other[0].numpy())
        ]
        assert len(found) == 1
        offsets.add(found[0])
    assert len(offsets) > 20


def test_half_of_the_pictures_are_mirrored(few: Data) -> None:
    learner = made("classifier", few.view, shift_px=0, mirror=True)
    images = torch.rand(200, 1, 6, 6)
    torch.manual_seed(0)
    varied = learner._varied(images)  # type: ignore[attr-defined]
    mirrored = (varied == images.flip(3)).flatten(1).all(1)
    assert torch.equal(varied[~mirrored], images[~mirrored])
    assert 0.35 < float(mirrored.float().mean()) < 0.65


def test_accuracy_is_the_share_of_right_answers(few: Data) -> None:
    learner = made("classifier", few.view)
    learn(learner, few.view, 3, count=32)
    found = learner.evaluate_fully(few.view, seed=0)
    test = few.view.test
    with learner.evaluating():
        answers = learner.networks["classifier"](test.batch(slice(0, len(test)))).argmax(1)
    assert found["test_accuracy"] == pytest.approx(float((answers == test.labels).double().mean()))
    assert set(found) == {"test_accuracy", "loss"}
    assert math.isfinite(found["loss"])


def test_views_agree_with_each_other(few: Data) -> None:
    learner = made("classifier", few.view)
    learn(learner, few.view, 5, count=32)
    table = learner.draw("confusion", few.view, {"count": 200})
    wrong = learner.draw("mistakes", few.view, {"count": 200})
    bars = learner.draw("classes", few.view, {"count": 200})
    assert isinstance(table, Arrays)
    assert isinstance(wrong, Views)
    assert isinstance(bars, Bars)
    counts = table.arrays["confusion"]
    assert counts.shape == (10, 10)
    assert counts.sum() == wrong.values["of"] == 200
    assert wrong.values["mistakes"] == 200 - np.trace(counts)
    assert counts.sum(1).tolist() == torch.bincount(few.view.test.labels, minlength=10).tolist()
    np.testing.assert_allclose(bars.values, np.diag(counts) / counts.sum(1), rtol=1e-5)
    for payload in (table, wrong, bars, *learner.draw_kept(few.view).values()):
        json.dumps(payload.to_wire(), allow_nan=False)
    for live in learner.live_views:
        json.dumps(learner.draw_live(live.name, 0, few.view).to_wire(), allow_nan=False)
    with pytest.raises(Rejected, match="count must be"):
        learner.draw("confusion", few.view, {"count": 0})
