from __future__ import annotations

import numpy as np
import pytest

from engine.data import indices_at
from engine.data.base import Split, _permutation, fingerprint


def test_each_epoch_is_a_permutation() -> None:
    for epoch in range(3):
        order = indices_at(7, epoch * 101, 101, 101)
        assert sorted(order) == list(range(101))


def test_epochs_and_seeds_differ() -> None:
    first, second = indices_at(7, 0, 100, 100), indices_at(7, 100, 100, 100)
    assert (first != second).any()
    assert (indices_at(8, 0, 100, 100) != first).any()


@pytest.mark.parametrize("batch", [1, 32, 50, 128, 1000])
def test_batches_are_the_one_stream_however_it_is_cut(batch: int) -> None:
    whole = indices_at(3, 0, 1000, 50)
    cut = [indices_at(3, cursor, min(batch, 1000 - cursor), 50) for cursor in range(0, 1000, batch)]
    assert (np.concatenate(cut) == whole).all()


def test_crossing_an_epoch_joins_both_orders() -> None:
    across = indices_at(5, 95, 10, 100)
    assert (across[:5] == indices_at(5, 95, 5, 100)).all()
    assert (across[5:] == indices_at(5, 100, 5, 100)).all()


def test_order_does_not_depend_on_what_was_asked_before_or_on_global_randomness() -> None:
    expected = indices_at(1, 60_000 * 9 + 17, 128, 60_000)
    _permutation.cache_clear()
    np.random.seed(0)
    for seed in range(10):
        indices_at(seed, 0, 10, 60_000)
    assert (indices_at(1, 60_000 * 9 + 17, 128, 60_000) == expected).all()


def test_order_is_the_documented_one() -> None:
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([4, 2])))
    assert (indices_at(4, 2 * 30, 30, 30) == generator.permutation(30)).all()


def test_writing_into_a_batch_leaves_the_stream_alone() -> None:
    batch = indices_at(1, 0, 10, 20)
    expected = batch.copy()
    batch[:] = -1
    assert batch.dtype == np.int64
    assert (indices_at(1, 0, 10, 20) == expected).all()


def test_nothing_is_asked_and_nonsense_is_refused() -> None:
    assert len(indices_at(0, 5, 0, 10)) == 0
    for bad in ((-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, -1, 1), (0, 0, 1, 0)):
        with pytest.raises(ValueError, match="at least"):
            indices_at(*bad)


def test_split_refuses_other_types_and_shapes() -> None:
    images, labels = np.zeros((3, 1, 4, 4), np.uint8), np.zeros(3, np.int64)
    assert len(Split(images, labels)) == 3
    for bad_images, bad_labels in (
        (images.astype(np.float32), labels),
        (images[:, 0], labels),
        (images, labels[:2]),
        (images, labels.astype(np.int32)),
        (images[:, :, ::2], labels),
    ):
        with pytest.raises(ValueError, match="must be"):
            Split(bad_images, bad_labels)


def test_fingerprint_sees_pixels_labels_names_and_split() -> None:
    def split(pixel: int, label: int) -> Split:
        return Split(np.full((2, 1, 2, 2), pixel, np.uint8), np.full(2, label, np.int64))

    base = fingerprint(split(0, 0), split(1, 0), ("a", "b"))
    others = {
        fingerprint(split(1, 0), split(1, 0), ("a", "b")),
        fingerprint(split(0, 1), split(1, 0), ("a", "b")),
        fingerprint(split(0, 0), split(1, 0), ("a", "c")),
        fingerprint(split(1, 0), split(0, 0), ("a", "b")),
    }
    assert len(base) == 16
    assert len(others) == 4
    assert base not in others
