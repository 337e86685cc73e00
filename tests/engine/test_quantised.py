"""Weights in 8 bits: how far off they are, what is left alone, what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small import Data, last, run, spec

from engine import __main__ as door
from engine import checkpoint
from engine.errors import CheckpointError
from engine.quantised import SCALES, quantised, restored

NAME = "networks.decoder.weight"
TENSORS = {
    NAME: torch.randn(64, 8, 3, 3, generator=torch.Generator().manual_seed(3)),
    "networks.decoder.bias": torch.randn(64),
    "networks.small.weight": torch.randn(8, 8),
    "networks.counter": torch.tensor(7),
    "optimizers.adam.0.exp_avg": torch.randn(64, 8, 3, 3),
}


def test_large_weights_come_back_within_half_a_step() -> None:
    packed = quantised(TENSORS)
    assert packed[NAME].dtype == torch.int8
    assert set(packed) - set(TENSORS) == {SCALES + NAME}
    found = restored(packed, "x")
    assert set(found) == set(TENSORS)
    rows, exact = found[NAME].flatten(1), TENSORS[NAME].flatten(1)
    step = exact.abs().amax(1, keepdim=True) / 127
    assert bool(((rows - exact).abs() <= 0.56 * step).all())
    for name in set(TENSORS) - {NAME}:
        torch.testing.assert_close(found[name].float(), TENSORS[name].float(), atol=2e-3, rtol=1e-3)


def test_rows_of_zeros_stay_zeros() -> None:
    zeros = {NAME: torch.zeros(64, 64)}
    assert not restored(quantised(zeros), "x")[NAME].any()


def test_what_is_packed_twice_is_packed_once() -> None:
    once = restored(quantised(TENSORS), "x")
    again = restored(quantised(once), "x")
    torch.testing.assert_close(again[NAME], once[NAME], atol=1e-3, rtol=1e-3)


def test_a_file_in_eight_bits_is_read_like_any_other(few: Data, tmp_path: Path) -> None:
    run(spec("vae", few, tmp_path, 3, config={"hidden_dim": 64}))
    header, tensors = checkpoint.load(last(tmp_path))
    weights = {k: v for k, v in tensors.items() if k.startswith("networks.")}
    half, eight = tmp_path / "half.safetensors", tmp_path / "eight.safetensors"
    checkpoint.save(half, header, checkpoint.halved(weights))
    checkpoint.save(eight, header, quantised(weights))
    assert eight.stat().st_size < 0.7 * half.stat().st_size
    _, found = checkpoint.load(eight)
    checkpoint.fit(found, weights, "eight")


@pytest.mark.parametrize("scale", [torch.ones(63), torch.ones(64, 1)])
def test_scales_that_fit_nothing_are_refused(scale: torch.Tensor) -> None:
    packed = quantised(TENSORS)
    with pytest.raises(CheckpointError, match=r"f\.safetensors has scales\.networks"):
        restored({**packed, SCALES + NAME: scale}, "f.safetensors")
    with pytest.raises(CheckpointError, match="fits none"):
        restored({SCALES + "networks.other": scale}, "f.safetensors")


def test_the_terminal_writes_eight_bits(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "RUNS", few.root)
    out = tmp_path / "x.safetensors"
    asked = ["train", "vae", "--dataset", few.key, "--set", "hidden_dim=64", "--max-steps", "2"]
    assert door.main([*asked, "--eight-bit", "--weights-only", "--out", str(out)]) == 0
    assert "--eight-bit" in checkpoint.read_header(out).command
    told = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert door.main(["evaluate", str(out)]) == 0
    again = capsys.readouterr().out
    assert f"{told['test/elbo_nats']}\n" in again
