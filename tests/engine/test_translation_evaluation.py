"""The evaluation of translators: on networks whose results are known beforehand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import CPU, made
from torch import Tensor, nn

from engine import checkpoint, data
from engine import translation_evaluation as evaluation
from engine.data.base import Dataset, Split
from engine.tensors import DataView

Numbers = dict[str, float]


class Copy(nn.Module):
    """Stands for a generator that gives its picture back."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def pairs(paired: bool = True, distinct: int = 20) -> DataView:
    """Return random soft pictures in two domains; unpaired, B has only `distinct` of them."""
    draw = np.random.default_rng(0)

    def split(count: int) -> Split:
        images = draw.integers(80, 176, (count, 6, 32, 32)).astype(np.uint8)
        if not paired:
            images[:, 3:] = images[np.arange(count) % distinct, 3:]
        return Split(images, np.zeros(count, np.int64))

    domains = ("Flat", "3-D")
    found = Dataset(
        *("x", "x", split(60), split(40), ("all",), "", "", "0" * 16),
        kind="pairs",
        domains=domains,
        paired=paired,
    )
    return DataView(found, CPU)


def full(view: DataView, copy: bool = False) -> Numbers:
    learner: Any = made("pix2pix", view)
    if copy:
        learner.a2b = learner.b2a = Copy()
    found: Numbers = learner.evaluate_fully(view, seed=0)
    return found


def test_a_copy_measures_as_the_identity_does() -> None:
    found = full(pairs(), copy=True)
    assert found["test_pairs"] == 40
    for way in ("flat_to_3d", "3d_to_flat"):
        for name in ("retrieval_top1", "retrieval_mrr", "kid", "l1", "psnr", "ssim", "perceptual"):
            copy, identity = found[f"{name}/{way}"], found[f"{name}_identity/{way}"]
            assert copy == pytest.approx(identity, rel=1e-3), name
        assert found[f"cycle_l1/{way}"] == pytest.approx(0, abs=1e-6)
        assert found[f"identity_l1/{way}"] == pytest.approx(0, abs=1e-6)
        # the mean absolute value of a normal deviate of that deviation
        expected = 2 / 255 * math.sqrt(2 / math.pi)
        assert found[f"cycle_l1_noise/{way}"] == pytest.approx(expected, rel=0.01)
    assert not any(name.startswith("perceptual_score") for name in found)


def test_directions_are_not_taken_for_each_other() -> None:
    view = pairs()
    a, b = (torch.from_numpy(view.dataset.test.images).float() / 255).split(3, 1)
    learner: Any = made("cyclegan", view)
    learner.a2b = _Constant(1.0)
    learner.b2a = _Constant(-1.0)
    found = learner.evaluate_fully(view, seed=0)
    assert found["l1/flat_to_3d"] == pytest.approx(float((1 - b).mean()), abs=1e-5)
    assert found["l1/3d_to_flat"] == pytest.approx(float(a.mean()), abs=1e-5)
    assert found["cycle_l1/flat_to_3d"] == pytest.approx(float(a.mean()), abs=1e-5)
    assert found["identity_l1/flat_to_3d"] == pytest.approx(float((1 - b).mean()), abs=1e-5)
    assert found["retrieval_top1/flat_to_3d"] == pytest.approx(1 / 40)


class _Constant(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x, self.value)


def test_without_pairs_only_style_and_the_way_back_are_measured() -> None:
    view = pairs(paired=False)
    found = full(view)
    names = {name.split("/")[0] for name in found}
    expected = {"kid", "kid_identity", "kid_real", "cycle_l1", "cycle_l1_noise", "identity_l1"}
    assert names == expected | {"stegano_ratio", "test"}
    there, back = evaluation.crossings(view)
    assert (len(there.given), len(there.target)) == (40, 20)  # each picture once
    assert (len(back.given), len(back.target)) == (20, 40)


def test_of_one_picture_nothing_is_said() -> None:
    assert full(DataView(data.load("imported_128"), CPU)) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("3-D", "3d"), ("Flat", "flat"), ("Winter, night", "winter_night"), ("?!", "")],
)
def test_a_domain_has_a_short_name(name: str, expected: str) -> None:
    assert evaluation.slug(name) == expected


def test_domains_of_the_same_short_name_are_told_apart() -> None:
    view = pairs()
    odd = DataView(replace(view.dataset, domains=("?", "!")), CPU)
    assert [c.name for c in evaluation.crossings(odd)] == ["a_to_b", "b_to_a"]


def test_the_score_runs_from_a_copy_to_the_shipped_pix2pix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = pairs()
    view.dataset.test.images[:, 3:] = 128
    learner: Any = made("pix2pix", view)
    for layer in learner.a2b.model[-2].parameters():
        layer.data.zero_()  # all gray, as B is
    path = tmp_path / "emoji.safetensors"
    header = checkpoint.Header(
        *("pix2pix", learner.config.to_dict(), "x", view.dataset.fingerprint),
        *(view.spec.shape, view.spec.class_names, 0, 30, 0),
    )
    checkpoint.save(path, header, learner.tensors(optimizers=False))
    known = {**checkpoint.shipped(), evaluation.CEILING: path}
    monkeypatch.setattr(checkpoint, "shipped", lambda: known)
    assert learner.evaluate_fully(view, seed=0)["perceptual_score/flat_to_3d"] == 1.0
    copy = full(view, copy=True)["perceptual_score/flat_to_3d"]
    assert copy == pytest.approx(0, abs=1e-3)
    other = DataView(replace(view.dataset, fingerprint="1" * 16), CPU)
    assert evaluation.ceiling_of(other, evaluation.crossings(other)) == {}


def test_the_score_is_a_share_of_the_way() -> None:
    values = {"perceptual_identity": 0.6, "perceptual": 0.4}
    assert evaluation.score(values, 0.2)["perceptual_score"] == pytest.approx(0.5)
    assert evaluation.score(values, 0.7) == {}
