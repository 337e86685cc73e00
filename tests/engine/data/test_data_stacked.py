"""Stacked MNIST: composed on the fly, the same as composed by hand."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from engine import tensors
from engine.data import load, stacked
from engine.data.base import Dataset
from engine.tensors import DataView, StackedPixels


@lru_cache(maxsize=1)
def dataset() -> Dataset:
    return stacked.load()


def test_it_is_what_the_catalogue_says() -> None:
    found = dataset()
    assert found.shape == stacked.ABOUT.shape
    assert (len(found.train), len(found.test)) == (128_000, 26_000)
    assert found.class_names[7] == "007"
    assert found.classes == 1000
    assert found.fingerprint == stacked.load().fingerprint
    assert found.models == stacked.ABOUT.models == ("dcgan",)
    counts = np.bincount(found.train.labels, minlength=1000)
    assert counts.min() > 50  # all modes are there
    shares = counts / counts.sum()
    assert (shares * np.log(1000 * shares)).sum() < 0.02


def test_a_batch_is_the_three_digits_of_its_triple() -> None:
    found, digits = dataset(), load("mnist")
    view = DataView(found, torch.device("cpu"))
    indices = torch.tensor([5, 127_999, 0, 5])
    batch = view.train.batch(indices)
    assert batch.shape == (4, 3, 28, 28)
    assert batch.dtype == torch.float32
    for picture, i in zip(batch, indices.tolist(), strict=True):
        triple = found.train.images.triples[i]
        by_hand = np.stack([digits.train.images[t, 0] for t in triple]) / np.float32(255)
        np.testing.assert_array_equal(picture.numpy(), by_hand)
        a, b, c = digits.train.labels[triple]
        assert found.train.labels[i] == view.train.labels[i] == 100 * a + 10 * b + c
    assert torch.equal(view.train.batch(slice(3, 6))[2], batch[0])
    assert len(view.train) == 128_000
    np.testing.assert_array_equal(found.train.images[[5, 0]], view.train.pixels[indices[[0, 2]]])


def test_test_pictures_are_of_test_digits_in_the_fixed_order() -> None:
    found, digits = dataset(), load("mnist")
    view = DataView(found, torch.device("cpu"))
    order = tensors.test_order(26_000)
    np.testing.assert_array_equal(view.test.pixels[slice(0, 3)], found.test.images[order[:3]])
    assert view.test.labels[:3].tolist() == found.test.labels[order[:3]].tolist()
    assert np.shares_memory(found.test.images.digits, digits.test.images)


def test_it_is_never_in_memory_as_a_whole() -> None:
    view = DataView(dataset(), torch.device("cpu"))
    pixels = view.train.pixels
    assert isinstance(pixels, StackedPixels)
    assert pixels.digits.data_ptr() == torch.from_numpy(dataset().train.images.digits).data_ptr()
    held = pixels.triples.numel() * pixels.triples.element_size()
    assert held < 4_000_000
    assert tuple(pixels.shape) == (128_000, 3, 28, 28)
