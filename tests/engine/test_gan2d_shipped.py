"""The shipped GANs on points are what they say they are."""

from __future__ import annotations

import pytest

from engine import checkpoint
from engine.evaluation import evaluate

NAMES = [name for name in checkpoint.shipped() if name.startswith("gan2d/")]


def test_there_is_one_of_each() -> None:
    wanted = {"ring8", "grid25", "moons", "spiral", "ring8-collapsed"}
    assert {name.removeprefix("gan2d/") for name in NAMES} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_one_is_small_and_rebuilt_by_one_line(name: str) -> None:
    path = checkpoint.find(name)
    header = checkpoint.read_header(path)
    assert path.stat().st_size < 300_000
    assert header.command.startswith("python -m engine train gan2d")
    assert header.title


@pytest.mark.parametrize(
    ("name", "modes", "share", "kl"), [("ring8", 8, 0.8, 0.05), ("grid25", 24, 0.8, 0.05)]
)
def test_the_good_ones_cover_their_modes(name: str, modes: int, share: float, kl: float) -> None:
    found = evaluate(checkpoint.find(f"gan2d/{name}"), device="cpu")
    assert found["modes_strict"] >= modes
    assert found["high_quality_share"] >= share
    assert found["reverse_kl_nats"] <= kl


@pytest.mark.parametrize(("name", "js"), [("moons", 0.1), ("spiral", 0.15)])
def test_shapes_without_modes_overlap(name: str, js: float) -> None:
    assert evaluate(checkpoint.find(f"gan2d/{name}"), device="cpu")["js_nats"] <= js


def test_the_collapsed_one_is() -> None:
    found = evaluate(checkpoint.find("gan2d/ring8-collapsed"), device="cpu")
    assert found["modes_covered"] <= 2
