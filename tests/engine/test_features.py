"""The shipped classifiers: their accuracy, their features, and the three digits of a stack."""

from __future__ import annotations

import math
from functools import lru_cache

import pytest
import torch
from small import CPU

from engine import checkpoint, data, metrics
from engine.data import emoji, stacked
from engine.data.base import Dataset, Split
from engine.features import FeatureNet, feature_net, fitted
from engine.tensors import DataView

BARS = {"mnist": 0.99, "fashion": 0.88, "emoji": 0.6}
LOADERS = {"emoji": emoji.load, "stacked_mnist": stacked.load}
every_data_set = pytest.mark.parametrize("key", BARS)


@lru_cache(maxsize=4)
def view(key: str) -> DataView:
    return DataView(LOADERS[key]() if key in LOADERS else data.load(key), CPU)


def net(key: str) -> FeatureNet:
    return feature_net(view(key).dataset, CPU)


@every_data_set
def test_a_shipped_classifier_is_as_good_as_its_file_says(key: str) -> None:
    path = checkpoint.find(f"classifier/{key}")
    assert path.stat().st_size <= 400_000
    header = checkpoint.read_header(path)
    assert (header.model, header.dataset) == ("classifier", key)
    assert header.dataset_fingerprint == view(key).dataset.fingerprint
    assert not header.has_optimizer
    test = view(key).test
    count = min(len(test), 2000)
    right = (net(key).classify(test.batch(slice(0, count))) == test.labels[:count]).float().mean()
    expected = net(key).accuracy
    assert expected == header.metrics["test_accuracy"] >= BARS[key]
    noise = math.sqrt(expected * (1 - expected) / count)
    assert float(right) == pytest.approx(expected, abs=3 * noise if count < len(test) else 1e-6)


@every_data_set
def test_one_look_gives_features_classes_and_probabilities(key: str) -> None:
    images = view(key).test.batch(slice(0, 150))  # more than are computed at once
    found, classes = net(key).look(images)
    assert found.shape == (150, 64)
    assert found.dtype == torch.float32
    assert not found.requires_grad
    assert torch.equal(net(key).features(images), found)
    assert classes is not None
    assert classes.dtype == torch.int64
    likely = net(key).probabilities(images)
    assert likely is not None
    assert torch.equal(likely.argmax(1), classes)
    assert torch.allclose(likely.sum(1), torch.ones(150))
    assert likely.shape[1] == len(net(key).class_names or ()) == view(key).dataset.classes


@every_data_set
def test_test_pictures_cover_training_pictures_as_training_pictures_do(key: str) -> None:
    """The net has not learnt its pictures by heart so far that new ones lie elsewhere."""
    split, other = view(key).train, view(key).test
    count = min(500, len(other))
    chosen = torch.randperm(len(split), generator=torch.Generator().manual_seed(0))[:500]
    real = net(key).features(split.batch(chosen))  # writers of digits come one after another
    fresh = net(key).features(other.batch(slice(0, count)))
    found = metrics.coverage_density(real, fresh)
    assert found.coverage == pytest.approx(metrics.ceiling(500, count), abs=0.1)
    assert found.density == pytest.approx(1, abs=0.2)


def test_a_stack_is_named_by_its_three_digits() -> None:
    found = net("stacked_mnist")
    images = view("stacked_mnist").test.batch(slice(0, 100))
    labels = view("stacked_mnist").test.labels[:100]
    features, classes = found.look(images)
    assert features.shape == (100, 3 * 64)
    digit = net("mnist").features(images[:, 1:2])
    assert torch.allclose(features[:, 64:128], digit, atol=1e-5)
    assert classes is not None
    assert float((classes == labels).float().mean()) > 0.9
    likely = found.probabilities(images)
    assert likely is not None
    assert torch.equal(likely.argmax(1), classes)
    assert torch.allclose(likely.sum(1), torch.ones(100), atol=1e-5)


def test_own_pictures_are_described_and_not_named() -> None:
    for shape, expected in (((3, 32, 32), (3, 64, 64)), ((1, 28, 28), (1, 28, 28))):
        images = torch.zeros((30, *shape), dtype=torch.uint8).numpy()
        split = Split(images, torch.zeros(30, dtype=torch.int64).numpy())
        own = Dataset("pictures:0123456789abcdef", "x", split, split, ("a",), "", "", "0" * 16)
        found = feature_net(own, CPU)
        assert found.spec.shape == expected
        assert found.class_names is None
        pictures = torch.rand(3, *shape)
        assert found.features(pictures).shape == (3, 64)
        assert found.classify(pictures) is None
        assert found.probabilities(pictures) is None


def test_pictures_are_made_to_fit() -> None:
    gray = torch.rand(2, 1, 28, 28)
    assert torch.equal(fitted(gray, (1, 28, 28)), gray)
    assert torch.allclose(fitted(gray, (3, 28, 28))[:, 2:], gray)
    assert fitted(torch.full((1, 3, 40, 50), 0.5), (3, 64, 64)).mean() == pytest.approx(0.5)
    triple = torch.rand(2, 3, 28, 28)
    assert torch.equal(fitted(triple, (1, 28, 28), stacked=True)[4, 0], triple[1, 1])


def test_a_net_is_read_once_a_process() -> None:
    assert net("mnist").network is net("mnist").network is net("stacked_mnist").network
