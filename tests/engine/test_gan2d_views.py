"""Views of the GAN on points: the lab's numbers, and a step shown before it is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from small import Script, run
from small_gan2d import SMALL, data, learner
from torch import Tensor

from engine import commands, events
from engine.adversarial import generator_loss
from engine.errors import PlaygroundError
from engine.gan2d_step_parts import distance
from engine.gan2d_views import frame_of
from engine.models.gan2d import GAN2DLearner
from engine.payloads import Arrays
from engine.spec import RunSpec


def draw(found: GAN2DLearner, name: str, key: str = "ring8", **args: Any) -> Arrays:
    payload = found.draw(name, data(key), args)
    assert isinstance(payload, Arrays)
    return payload


def snapshot(found: GAN2DLearner) -> dict[str, Tensor]:
    return {**{k: v.clone() for k, v in found.tensors().items()}, "random": torch.get_rng_state()}


REMEDIES: list[dict[str, Any]] = [
    {},
    {"packing": 2},
    {"packing": 3, "minibatch_std": True},
    {"spectral_norm": True, "batch_norm": True},
    {"loss": "wgan_gp", "discriminator_steps": 2},
    {"loss": "least_squares", "instance_noise": 0.2},
    {"unrolled_steps": 2},
    {"trained": "discriminator"},
    {"trained": "generator", "noise": "uniform", "latent_dim": 1},
]


# ---------------------------------------------------------------------- a step in parts


@pytest.mark.parametrize("config", REMEDIES, ids=str)
def test_the_parts_of_a_step_are_those_that_the_step_then_takes(config: dict[str, Any]) -> None:
    found = learner("grid25", **config)
    size = found.examples_per_step
    for step in range(3):
        found.training_step(data("grid25").train.batch(slice(0, size)), torch.zeros(0), step)

    def next_batch() -> tuple[Tensor, Tensor, int]:
        torch.manual_seed(7)
        return data("grid25").train.batch(slice(size, 2 * size)), torch.zeros(size), 8

    found.next_batch = next_batch
    before = snapshot(found)
    shown = draw(found, "step_parts", "grid25")
    after = snapshot(found)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) for k in before)

    twin = learner("grid25", **config)
    twin.load_tensors({k: v.clone() for k, v in found.tensors().items()})
    record = twin.training_step(*next_batch())
    told = shown.values
    assert told["step"] == 8
    assert told["loss"]["discriminator"] == float(record["discriminator/loss"])
    assert told["loss"]["generator"] == float(record["generator/loss"])
    assert told["gradient"]["discriminator"] == float(record["discriminator/grad_norm"])
    assert told["score"]["accuracy_real"] == float(record["discriminator/accuracy_real"])
    assert told["score"]["accuracy_fake"] == float(record["discriminator/accuracy_fake"])
    if "discriminator/penalty" in record:
        penalty = float(record["discriminator/penalty"])
        assert told["loss"]["discriminator_penalty"] == penalty
    for name in ("generator", "discriminator"):
        moved = distance(getattr(found, name), getattr(twin, name))
        assert told["update"][name] == moved
        assert (moved == 0) == (config.get("trained", name) != name)
    if found.config.discriminator_steps > 1:
        return  # more draws come before the last noise
    torch.manual_seed(7)
    z = found.noise(len(shown.arrays["noise"]))
    torch.testing.assert_close(torch.from_numpy(shown.arrays["noise"]), z)
    with torch.no_grad():
        fake_after = 4 * twin.generator(z)
    np.testing.assert_allclose(shown.arrays["fake_after"], fake_after, rtol=1e-4, atol=1e-4)


def test_a_saved_model_shows_a_step_on_a_batch_of_its_own() -> None:
    found = learner()
    one, two = draw(found, "step_parts"), draw(found, "step_parts")
    assert one.values == two.values
    assert {n: a.shape for n, a in one.arrays.items()} == {
        "noise": (16, 3),
        "fake": (16, 2),
        "real": (16, 2),
        "gradient": (16, 4),
        "fake_after": (16, 2),
        **dict.fromkeys(
            (f"score_{k}{when}" for k in ("fake", "real") for when in ("", "_taught", "_after")),
            (16,),
        ),
    }
    assert one.values["loss"]["discriminator_after"] < one.values["loss"]["discriminator"]
    assert one.values["update"]["generator_learning_rate"] == found.config.generator_learning_rate


def test_a_saved_model_takes_its_step_at_its_step() -> None:
    found = learner(decay_steps=5000)
    found.steps = 5000
    shown = draw(found, "step_parts")
    assert shown.values["step"] == 5000
    assert shown.values["update"]["generator_learning_rate"] == pytest.approx(1e-5)
    assert draw(found, "lab").values["step"] == 5000


# ---------------------------------------------------------------------- the lab


@pytest.mark.parametrize("config", REMEDIES, ids=str)
def test_the_lab_has_all_its_layers(config: dict[str, Any]) -> None:
    found = learner("grid25", **config)
    before = snapshot(found)
    shown = draw(found, "lab", "grid25", count=101, resolution=12)
    after = snapshot(found)
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert {n: a.shape for n, a in shown.arrays.items()} == {
        "generated": (101, 2),
        "scores": (101,),
        "surface": (12, 12),
        "warp": (21, 21, 2),
        "arrows": (64, 4),
    }
    for name in ("scores", "surface"):
        assert 0 <= shown.arrays[name].min() <= shown.arrays[name].max() <= 1
    assert all(np.isfinite(a).all() for a in shown.arrays.values())
    x0, x1, y0, y1 = shown.values["extent"]
    assert x0 < -4 < 4 < x1
    assert y0 < -4 < 4 < y1
    assert shown.to_wire()["type"] == "arrays"


def test_the_surface_is_d_at_the_cells_top_row_first() -> None:
    found = learner("grid25")
    shown = draw(found, "lab", "grid25", resolution=4, extent=[0, 4, 10, 14])
    with torch.no_grad():
        top_right = torch.sigmoid(found.discriminator(torch.tensor([[3.5, 13.5]]) / 4))
        bottom_left = torch.sigmoid(found.discriminator(torch.tensor([[0.5, 10.5]]) / 4))
    assert shown.arrays["surface"][0, 3] == pytest.approx(top_right.item(), abs=1e-6)
    assert shown.arrays["surface"][3, 0] == pytest.approx(bottom_left.item(), abs=1e-6)


@pytest.mark.parametrize("loss", ["nonsaturating", "minimax", "least_squares"])
def test_an_arrow_is_the_way_down_the_loss_of_its_point(loss: str) -> None:
    found = learner("grid25", loss=loss, activation="tanh")
    arrows = draw(found, "lab", "grid25").arrays["arrows"]
    place = torch.tensor(arrows[5, :2], dtype=torch.float64)
    found.discriminator.double()

    def loss_at(dx: float, dy: float) -> float:
        moved = (place + torch.tensor([dx, dy], dtype=torch.float64)) / 4
        return float(generator_loss(loss, found.discriminator(moved.unsqueeze(0))).detach())

    e = 1e-4
    down = [-(loss_at(e, 0) - loss_at(-e, 0)) / 2 / e, -(loss_at(0, e) - loss_at(0, -e)) / 2 / e]
    np.testing.assert_allclose(arrows[5, 2:], down, rtol=1e-3, atol=1e-5)


def test_the_warp_runs_through_the_middle_of_the_noise() -> None:
    found = learner()
    warp = draw(found, "lab").arrays["warp"]
    with torch.no_grad():
        middle = found.generate(torch.zeros(1, 3))[0]
        edge = torch.special.ndtri(torch.tensor(0.5 / 21))
        corner = found.generate(torch.tensor([[-edge, edge, 0.0]]))[0]
    np.testing.assert_allclose(warp[10, 10], middle, atol=1e-5)
    np.testing.assert_allclose(warp[0, 20], corner, atol=1e-4)  # row: second, column: first


def test_the_same_seed_shows_the_same_noise() -> None:
    found = learner()
    one, two, other = (draw(found, "lab", seed=s).arrays["generated"] for s in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_the_live_lab_takes_what_the_page_asks_for() -> None:
    found = learner()
    found.look["lab"] = {"resolution": 9, "extent": [-1, 1, -1, 1]}
    live = found.draw_live("lab", 1, data())
    assert isinstance(live, Arrays)
    assert live.arrays["surface"].shape == (9, 9)
    assert live.values["extent"] == [-1, 1, -1, 1]
    assert set(found.draw_kept(data())) == {"lab"}
    found.look["lab"] = {"foo": 1}
    with pytest.raises(PlaygroundError, match="foo"):
        found.draw_live("lab", 1, data())


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("lab", {"count": 0}),
        ("lab", {"resolution": 1000}),
        ("lab", {"extent": [1, 0, 0, 1]}),
        ("lab", {"extent": [0, 1, float("nan"), 1]}),
        ("lab", {"seed": -1}),
        ("lab", {"other": 1}),
        ("data", {"count": "many"}),
        ("step_parts", {"count": 3}),
        ("nothing", {}),
    ],
)
def test_a_mistake_gets_one_sentence(name: str, args: dict[str, Any]) -> None:
    with pytest.raises(PlaygroundError):
        learner().draw(name, data(), args)


# ---------------------------------------------------------------------- data and health


def test_the_data_come_with_their_modes() -> None:
    shown = draw(learner(), "data", count=300)
    assert shown.arrays["labels"].dtype == np.int32
    off = shown.arrays["real"] - shown.values["means"][shown.arrays["labels"]]
    assert np.abs(off).max() < 6 * shown.values["sd"]
    assert len(shown.values["class_names"]) == 8
    moons = learner("moons").draw("data", data("moons"), {}).to_wire()
    assert moons["values"]["means"] is None


def test_health_tells_what_the_monitor_tells() -> None:
    found = learner()
    with found.evaluating():
        values, payload, _ = found.monitor(data(), 100)
    assert payload is not None
    assert found.draw("health", data(), {}).to_wire() == payload.to_wire()
    assert {"modes", "modes_strict", "discriminator/accuracy_held_out"} <= values.keys()


def test_the_view_is_a_square_around_the_data() -> None:
    x0, x1, y0, y1 = frame_of(np.array([[0.0, 0.0], [4.0, 1.0]], np.float32))
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert (x0 + x1) / 2 == pytest.approx(2)
    assert y0 < -1 < 2 < y1


# ---------------------------------------------------------------------- in a run


@pytest.mark.parametrize("trained", ["both", "discriminator", "generator"])
def test_a_paused_run_tells_the_numbers_of_its_next_step(trained: str) -> None:
    waiting = [
        commands.Set("trained", trained),
        commands.RequestPreview(1, "step_parts", {}),
        commands.Step(1),
        commands.Set("trained", "both"),
        commands.RequestPreview(1, "step_parts", {}),
        commands.Step(1),
        commands.Stop(),
    ]
    spec = RunSpec("gan2d", "ring8", SMALL, seed=3, device="cpu", paused=True)
    found = run(spec, Script(waiting))
    told = [e.payload.values for e in found if isinstance(e, events.Answer)]
    taken = [e.values for e in found if isinstance(e, events.Metrics) and e.split == "train"]
    assert len(told) == len(taken) == 2
    for shown, values in zip(told, taken, strict=True):
        assert shown["loss"]["discriminator"] == values["discriminator/loss"]
        assert shown["loss"]["generator"] == values["generator/loss"]
    changes = [e for e in found if isinstance(e, events.Changed)]
    assert len(changes) == (0 if trained == "both" else 2)
