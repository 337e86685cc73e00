"""The DCGAN's views: what travels, what comes back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from test_dcgan import CPU, data_of, learner_of

from engine.dcgan_augment import augment
from engine.dcgan_neighbours import NearestPictures
from engine.dcgan_networks import Discriminator, Generator, describe
from engine.dcgan_views import beside, truncate
from engine.errors import NotFound, Rejected
from engine.models.dcgan import DCGANLearner
from engine.payloads import Sheet, Views
from engine.registry import entry
from engine.tensors import DataSpec, DataView, Images


class NoFeatures:
    """A data set without a classifier of its own."""

    def probabilities(self, images: torch.Tensor) -> None:
        """There is none."""


@pytest.fixture
def model() -> tuple[DCGANLearner, DataView]:
    """Return a tiny learner and its data."""
    data = data_of()
    learner = learner_of(data)
    learner.look["features"] = NoFeatures()
    return learner, data


def values_of(learner: DCGANLearner, data: DataView, name: str, **args: Any) -> dict[str, Any]:
    """Draw a view; return its values as the page gets them."""
    view = learner.draw(name, data, args)
    assert isinstance(view, Views)
    found: dict[str, Any] = json.loads(json.dumps(view.to_wire()))["values"]
    return found


def sheet_of(learner: DCGANLearner, data: DataView, name: str, item: str, **args: Any) -> Sheet:
    """Draw a view; return one of its sheets."""
    view = learner.draw(name, data, args)
    assert isinstance(view, Views)
    found = view.items[item]
    assert isinstance(found, Sheet)
    return found


def test_samples_depend_on_the_seed_and_not_on_the_count(model: Any) -> None:
    few = values_of(*model, "samples", seed=3, count=4)["zs"]
    many = values_of(*model, "samples", seed=3, count=9)["zs"]
    other = values_of(*model, "samples", seed=4, count=4)["zs"]
    assert few == many[:4]
    assert few != other
    shown = sheet_of(*model, "samples", "sheet", count=9)
    assert (shown.rows, shown.columns, shown.tile) == (2, 8, (28, 28))


def test_a_sample_is_the_same_by_place_and_by_its_noise(model: Any) -> None:
    learner, data = model
    by_place = learner.draw("sample", data, {"seed": 2, "index": 5})
    z = json.loads(json.dumps(by_place.to_wire()))["values"]["z"]
    by_noise = learner.draw("sample", data, {"z": z})
    assert by_noise.items["picture"].data == by_place.items["picture"].data
    assert by_noise.values["score"] == by_place.values["score"]
    assert values_of(learner, data, "samples", seed=2)["zs"][5] == z
    assert by_place.items["nearest"].columns == 8
    assert by_place.values["distances"] == sorted(by_place.values["distances"])


def test_pictures_near_a_sample_come_closer_as_the_step_shrinks(model: Any) -> None:
    z = values_of(*model, "samples")["zs"][0]
    far = np.array(values_of(*model, "near", z=z, sd=1.0, count=50)["zs"])
    near = np.array(values_of(*model, "near", z=z, sd=0.1, count=50)["zs"])
    here = np.array(values_of(*model, "near", z=z, sd=0.0, count=2)["zs"])
    assert np.abs(near - z).mean() < np.abs(far - z).mean()
    assert np.allclose(here, z, atol=1e-4)


def test_noise_near_a_sample_is_distributed_as_noise() -> None:
    data = data_of()
    learner = learner_of(data, latent_dim=64)
    z = learner.noise(1, torch.Generator().manual_seed(0))[0].tolist()
    near = torch.tensor(values_of(learner, data, "near", z=z, sd=1.0, count=100)["zs"])
    assert float(near.square().mean()) == pytest.approx(1.0, abs=0.15)


def test_uniform_noise_stays_between_minus_one_and_one() -> None:
    z = torch.rand(64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    step = torch.randn(200, 64, generator=torch.Generator().manual_seed(1))
    near = beside(z, step, 1.0, "uniform")
    assert float(near.abs().max()) <= 1
    assert float(near.square().mean()) == pytest.approx(1 / 3, abs=0.05)
    assert torch.allclose(beside(z, step, 0.0, "uniform"), z.expand(200, 64), atol=1e-3)


def test_a_look_at_health_changes_nothing_of_the_runs_monitor() -> None:
    data = data_of(classes=10)
    learner = learner_of(data)
    kept = learner._monitor(data)
    kept.watch.check(300, {"coverage": 0.5})
    before = repr(vars(kept.watch))
    learner.draw("health", data, {})
    assert repr(vars(kept.watch)) == before
    assert kept.grid_features is None


def test_a_wasserstein_score_is_counted_from_halfway() -> None:
    data = data_of()
    learner = learner_of(data, loss="wgan_gp", discriminator_batch_norm=False)
    learner.look["features"] = NoFeatures()
    with torch.no_grad():
        learner.discriminator.blocks.verdict.convolution.bias.fill_(50.0)
    scores = values_of(learner, data, "game", count=10)["scores"]
    assert min(scores) > 0.01
    assert max(scores) < 0.99


def test_a_walk_passes_through_its_points_and_keeps_its_length(model: Any) -> None:
    zs = values_of(*model, "samples")["zs"][:3]
    path = np.array(values_of(*model, "walk", zs=zs, frames=9)["zs"])
    assert np.allclose(path[[0, 4, 8]], zs, atol=2e-4)
    lengths = np.linalg.norm(path, axis=1)
    ends = np.linalg.norm(zs, axis=1)
    assert lengths.min() >= ends.min() - 1e-3
    straight = np.array(values_of(*model, "walk", zs=zs, frames=9, kind="linear")["zs"])
    assert np.allclose(straight[2], np.mean(zs[:2], axis=0), atol=2e-4)


def test_arithmetic_is_a_minus_b_plus_c_of_the_means(model: Any) -> None:
    zs = np.array(values_of(*model, "samples")["zs"])
    a, b, c = zs[:3], zs[3:5], zs[5:6]
    found = values_of(*model, "arithmetic", a=a.tolist(), b=b.tolist(), c=c.tolist())["zs"]
    assert np.allclose(found[3], a.mean(0) - b.mean(0) + c[0], atol=2e-4)


def test_truncation_keeps_the_middle_of_the_distribution() -> None:
    z = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    half = truncate(z, 0.5, "normal")
    assert float(half.abs().max()) <= 0.6745 + 1e-3  # the quartiles of N(0, 1)
    assert torch.equal(truncate(z, 1.0, "normal"), z)
    assert float(truncate(z, 0.0, "normal").abs().max()) == 0
    assert bool((half[z[:, 0].argsort(), 0].diff() >= 0).all())  # the order stays
    assert float(truncate(z.clamp(-1, 1), 0.25, "uniform").abs().max()) <= 0.25


def test_the_game_has_both_kinds_and_repeats_itself(model: Any) -> None:
    first = values_of(*model, "game", seed=1, count=20)
    assert first == values_of(*model, "game", seed=1, count=20)
    assert {True, False} == set(first["truth"])
    assert len(first["scores"]) == 20
    right = [(s > 0.5) != t for s, t in zip(first["scores"], first["truth"], strict=True)]
    assert first["accuracy"] == pytest.approx(np.mean(right))
    for seed in range(20):  # even two pictures are one of each
        assert set(values_of(*model, "game", seed=seed, count=2)["truth"]) == {True, False}


def test_labels_belong_to_conditional_models(model: Any) -> None:
    with pytest.raises(Rejected, match="without classes"):
        model[0].draw("samples", model[1], {"label": 1})
    data = data_of()
    learner = learner_of(data, conditional=True)
    assert values_of(learner, data, "samples", label=2, count=3)["labels"] == [2, 2, 2]
    assert len(set(values_of(learner, data, "samples", count=9)["labels"])) == 3
    with pytest.raises(Rejected, match="label must be"):
        learner.draw("samples", data, {"label": 3})


@pytest.mark.parametrize(
    ("view", "args", "sentence"),
    [
        ("samples", {"count": 101}, "count must be"),
        ("samples", {"truncation": 2}, "truncation must be 0 to 1; got 2"),
        ("samples", {"seed": -1}, "seed must be"),
        ("sample", {"z": [1.0]}, "z must be a list of 4 numbers"),
        ("near", {"z": [0.0] * 4, "sd": -1}, "sd must be 0 to 10; got -1"),
        ("samples", {"truncation": True}, "truncation must be 0 to 1; got True"),
        ("walk", {"zs": [[0.0] * 4]}, "zs must be a list of 2 to 16"),
        ("walk", {"zs": [[0.0] * 4] * 2, "kind": "round"}, "kind must be"),
        ("arithmetic", {"a": [], "b": [[0.0] * 4], "c": [[0.0] * 4]}, "a must be a list of 1"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(
    model: Any, view: str, args: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Rejected, match=sentence):
        model[0].draw(view, model[1], args)


def test_an_unknown_view_is_named(model: Any) -> None:
    with pytest.raises(NotFound, match="samples"):
        model[0].draw("nothing", model[1], {})


def test_views_leave_training_as_it_was(model: Any) -> None:
    learner, data = model
    before = {k: v.clone() for k, v in learner.tensors().items()}
    random = torch.get_rng_state()
    for name in ("samples", "sample", "game", "architecture"):
        learner.draw(name, data, {})
    learner.draw_live("samples", 0, data)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(v, before[k]) for k, v in learner.tensors().items())
    assert learner.generator.training


# ------------------------------------------------------------------ the drawing of the networks


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"upsampling": "nearest", "downsampling": "max_pool", "minibatch_std": True},
        {"packing": 2, "conditional": True, "spectral_norm": True},
    ],
    ids=["guidelines", "other", "remedies"],
)
def test_output_sizes_are_those_of_the_layers(
    shape: tuple[int, int, int], config: dict[str, Any]
) -> None:
    """The formulas against torch itself: each layer's real output."""
    spec = DataSpec(shape, ("a", "b"))
    chosen = entry("dcgan").config_class.from_values({"channels": 2, "latent_dim": 4, **config})
    generator, discriminator = Generator(chosen, spec), Discriminator(chosen, spec)  # type: ignore[arg-type]
    labels = torch.zeros(4, dtype=torch.long)
    for network, args in (
        (generator, (torch.zeros(4, 4), labels)),
        (discriminator, (torch.zeros(4, shape[0], discriminator.side, discriminator.side), labels)),
    ):
        seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        for block in network.blocks:
            for layer in block:
                layer.register_forward_hook(
                    lambda _, i, o, seen=seen: seen.append((tuple(i[0].shape), tuple(o.shape)))
                )
        network(*args)
        layers = describe(network.blocks, seen[0][0][1:])
        assert [tuple(layer["input"]) for layer in layers] == [i[1:] for i, _ in seen]
        assert [tuple(layer["output"]) for layer in layers[:-1]] == [o[1:] for _, o in seen[:-1]]
        assert sum(layer["parameters"] for layer in layers) == sum(
            p.numel() for p in network.blocks.parameters()
        )


def test_the_formula_of_a_transposed_convolution_is_the_right_one(model: Any) -> None:
    layers = values_of(*model, "architecture")
    first = next(x for x in layers["generator"] if x["kind"] == "transposed convolution")
    assert first["formula"] == "(4 - 1) x 2 - 2 x 1 + 4 = 8"
    down = next(x for x in layers["discriminator"] if x["kind"] == "convolution")
    assert down["formula"] == "floor((32 + 2 x 1 - 4) / 2) + 1 = 16"


# ------------------------------------------------------------------ neighbours, augmentation


@pytest.mark.parametrize("query", ["like the data", "noise", "gray"])
def test_neighbours_are_exact(query: str) -> None:
    draw = torch.Generator().manual_seed(0)
    faces = torch.rand(20, 1, 8, 8, generator=draw)
    weights = torch.rand(900, 20, generator=draw).softmax(1)
    mixed = torch.einsum("nk,kchw->nchw", weights, faces)
    pixels = (mixed * 255).round().to(torch.uint8)
    images = Images(pixels, torch.zeros(900, dtype=torch.long))
    picture = {
        "like the data": mixed[3] * 0.9 + 0.02,
        "noise": torch.rand(1, 8, 8, generator=draw),
        "gray": torch.full((1, 8, 8), 0.5),
    }[query]
    indices, distances = NearestPictures(images).find(picture, 5)
    every = (images.batch(slice(0, 900)) - picture).square().mean((1, 2, 3)).sqrt()
    expected = every.topk(5, largest=False)
    assert indices.tolist() == expected.indices.tolist()
    assert torch.allclose(distances, expected.values, atol=1e-6)


def test_augmentation_moves_whole_pixels_and_is_differentiable() -> None:
    torch.manual_seed(0)
    x = (torch.rand(6, 3, 32, 32, device=CPU) * 2 - 1).requires_grad_()
    moved = augment(x.detach(), "shift")
    for before, after in zip(x.detach(), moved, strict=True):
        padded = torch.nn.functional.pad(before[None], (4, 4, 4, 4), mode="replicate")[0]
        apart = [
            float((padded[:, i : i + 32, j : j + 32] - after).abs().max())
            for i in range(9)
            for j in range(9)
        ]
        assert min(apart) < 1e-4
    augment(x, "all").square().sum().backward()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
    assert augment(x, "none") is x
