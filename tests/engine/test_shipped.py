"""The shipped checkpoints are what their metadata and the README say."""

from __future__ import annotations

import math
import shlex

import pytest
from small import CPU

from engine import checkpoint, data
from engine.__main__ import _change, _parser
from engine.data.shipped import ASSETS
from engine.registry import MODELS, entry
from engine.tensors import DataView
from engine.trainer import restore

SHIPPED = checkpoint.shipped()
BARS = {"vae/mnist-2d": -150.0, "vae/mnist-20d": -102.0}  # nats, of the test split
MEGABYTE = 1_000_000
every_checkpoint = pytest.mark.parametrize("name", SHIPPED)


@every_checkpoint
def test_its_line_says_how_it_was_made(name: str) -> None:
    header = checkpoint.read_header(SHIPPED[name])
    words = shlex.split(header.command)
    assert words[:4] == ["python", "-m", "engine", "train"]
    given = _parser().parse_args(words[3:])
    assert (given.model, str(given.out)) == (header.model, f"checkpoints/{name}.safetensors")
    config = entry(given.model).config_class.parse(dict(v.split("=", 1) for v in given.values))
    for change in given.at:
        _, field, value = _change(change, type(config))
        config = config.with_live(field, value)
    assert config == type(config).from_values(header.config)  # older files lack newer fields
    assert (given.seed or 0, given.max_steps) == (header.seed, header.step)
    assert (given.dataset or entry(given.model).default_dataset) == header.dataset


@every_checkpoint
def test_its_data_are_those_that_are_shipped(name: str) -> None:
    header = checkpoint.read_header(SHIPPED[name])
    assert data.load(header.dataset).fingerprint == header.dataset_fingerprint


@every_checkpoint
def test_its_figures_are_finite_and_name_the_headline(name: str) -> None:
    header = checkpoint.read_header(SHIPPED[name])
    assert all(v is not None and math.isfinite(v) for v in header.metrics.values())
    assert MODELS[header.model].shown(header.metrics)


@pytest.mark.parametrize("name", [n for n in SHIPPED if n.startswith("vae/")])
def test_the_bound_is_the_recorded_one(name: str) -> None:
    """One draw a picture instead of fifty: the same mean up to the noise of the draws."""
    view = DataView(data.load(checkpoint.read_header(SHIPPED[name]).dataset), CPU)
    learner, header = restore(SHIPPED[name], view, CPU)
    found = learner.evaluate(view, seed=1, limit=None)
    assert found["elbo_nats"] == pytest.approx(header.metrics["test/elbo_nats"], abs=0.5)
    assert found["active_units"] == header.metrics["test/active_units"]
    assert found["elbo_nats"] >= BARS.get(name, -math.inf)


def test_files_stay_within_their_bounds() -> None:
    files = [*SHIPPED.values(), *ASSETS.glob("*")]
    sizes = {p.name: p.stat().st_size for p in files}
    assert max(sizes.values()) <= 10 * MEGABYTE, sizes
    assert sum(sizes.values()) <= 40 * MEGABYTE, sizes
