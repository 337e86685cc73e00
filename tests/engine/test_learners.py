"""What autoencoders must do, for each of their networks and likelihoods."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from small import (
    AUTOENCODERS,
    CPU,
    LIKELIHOODS,
    NETWORKS,
    SMALL,
    Data,
    assert_same,
    assert_sentence,
    copied,
    last,
    learn,
    made,
    run,
    spec,
)

from engine import checkpoint, events
from engine.errors import NotFound, PlaygroundError, Rejected
from engine.learner import Learner, update
from engine.payloads import Payload, Points, Sheet, Views
from engine.registry import MODELS
from engine.tensors import DataView
from engine.trainer import restore

every_key = pytest.mark.parametrize("key", AUTOENCODERS)
every_network = pytest.mark.parametrize("network", NETWORKS)
every_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS)
every_size = pytest.mark.parametrize("dims", [1, 2, 5, 64])


def drawing(colour: str = "black") -> str:
    """Return a drawn "1" as a data URL."""
    pixels = np.full((60, 50, 3), 255, np.uint8)
    pixels[8:52, 22:29] = {"black": 0, "gray": 90}[colour]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def questions(dims: int) -> dict[str, list[dict[str, Any]]]:
    """Return arguments for every view: at least one set each."""
    z = [0.1] * dims
    planes: list[dict[str, Any]] = [{}, {"plane": {"pca": True}, "at": z}]
    if dims > 1:
        planes.append({"plane": {"axes": [dims - 1, 0]}})
    extent = [-2, 2, -2, 2]
    return {
        "map": [{"count": 50, **p} for p in planes],
        "atlas": [{"extent": extent, "n": 3, **p} for p in planes],
        "grid": [{"n": 3}, {"n": 2, "quantiles": True}, {"n": 3, "extent": extent}],
        "point": [{"z": z}, {"u": [0.5, 0.0], "neighbours": 0}, {"u": [0, 1], **planes[-1]}],
        "code": [{"index": 0}, {"index": 29, **planes[1]}],
        "walk": [{"points": [z, z]}, {"points": [z, [0] * dims, z], "kind": "spherical"}],
        "encode": [{"picture": drawing()}, {"picture": drawing("gray"), "kind": "photo"}],
        "reconstructions": [{"count": 3}, {"count": 4, "worst": True}, {"seed": 5}],
        "sample": [{"count": 5}, {"count": 4, "prior": "mixture", "components": 3, **planes[1]}],
        "traverse": [{"frames": 3}, {"z": z, "dims": [dims - 1], "span": 1.0}],
        "dimensions": [{}, {"count": 10}],
    }


def drawn(learner: Learner, view: DataView) -> list[Payload]:
    """Draw everything that a learner can draw."""
    asked = questions(learner.config.latent_dim)  # type: ignore[attr-defined]
    assert set(learner.previews()) <= set(asked), "a view without arguments in this test"
    payloads = [
        learner.draw(name, view, args) for name in learner.previews() for args in asked[name]
    ]
    payloads += [learner.draw_live(v.name, t, view) for v in learner.live_views for t in (0, 1, 2)]
    return [*payloads, *learner.draw_kept(view).values()]


# ---------------------------------------------------------------------- learning


@every_key
@every_network
@every_likelihood
def test_one_step_changes_every_trainable_parameter(
    key: str, network: str, likelihood: str, few: Data
) -> None:
    learner = made(key, few.view, network=network, likelihood=likelihood, activation="tanh")
    before = copied(dict(_named(learner)))
    assert before
    learn(learner, few.view, 1)
    for name, value in _named(learner):
        assert not torch.equal(value, before[name]), f"{name} has not moved"


@every_key
@every_network
@every_likelihood
def test_it_overfits_one_batch(key: str, network: str, likelihood: str, few: Data) -> None:
    learner = made(key, few.view, network=network, likelihood=likelihood, learning_rate=5e-3)
    losses = [float(record["loss"]) for record in learn(learner, few.view, 60)]
    assert all(math.isfinite(v) for v in losses)
    assert np.mean(losses[-5:]) < losses[0] - 100, "784 pixels, and hardly a nat is learnt"


@every_key
def test_a_step_is_a_function_of_its_seed(key: str, few: Data) -> None:
    one, two = made(key, few.view), made(key, few.view)
    learn(one, few.view, 3)
    torch.manual_seed(1234)
    learn(two, few.view, 3)
    assert_same(one.tensors(), two.tensors())


@every_key
def test_weights_are_a_function_of_the_seed(key: str, few: Data) -> None:
    assert_same(made(key, few.view, 5).tensors(), made(key, few.view, 5).tensors())
    one, other = made(key, few.view, 5).tensors(), made(key, few.view, 6).tensors()
    assert any(not torch.equal(one[name], other[name]) for name in one)


@every_key
@every_size
@every_network
def test_any_latent_dimension(key: str, dims: int, network: str, few: Data) -> None:
    learner = made(key, few.view, latent_dim=dims, network=network)
    learn(learner, few.view, 2)
    found = learner.evaluate(few.view, seed=0, limit=20)
    assert found["latent_dim"] == dims
    assert all(math.isfinite(v) for v in found.values())


@every_key
@every_network
def test_it_can_be_built_without_memory(key: str, network: str, few: Data) -> None:
    config = MODELS[key].config_class.from_values({**SMALL, "network": network})
    learner = MODELS[key].learner_class(config, few.view.spec, torch.device("meta"))
    assert all(p.is_meta for p in learner.trainable())
    expected = made(key, few.view, network=network).tensors(optimizers=False)
    found = learner.tensors(optimizers=False)
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in expected.items()}


@every_key
@pytest.mark.parametrize("field", ["learning_rate", "gradient_clip"])
def test_a_live_field_takes_effect_at_the_next_step(key: str, field: str, few: Data) -> None:
    one, two = made(key, few.view), made(key, few.view)
    learn(one, few.view, 2)
    learn(two, few.view, 2)
    two.reconfigure(two.config.with_live(field, 0.05))
    assert_same(one.tensors(), two.tensors())
    learn(one, few.view, 1, start=2)
    learn(two, few.view, 1, start=2)
    assert any(not torch.equal(a, b) for a, b in zip(*_weights(one, two), strict=True))


def test_beta_zero_reproduces_what_an_ae_is_scored_by(few: Data) -> None:
    """The KL has no gradient then; what is learnt is the reconstruction alone."""
    learner = made("vae", few.view, beta=0.0)
    record = learn(learner, few.view, 1)[0]
    assert torch.equal(record["loss"], record["reconstruction_nats"])
    assert torch.equal(record["elbo_nats"], -(record["reconstruction_nats"] + record["kl_nats"]))


def test_averaged_terms_weigh_what_the_help_says(few: Data) -> None:
    record = learn(made("vae", few.view, latent_dim=4, kl_reduction="mean"), few.view, 1)[0]
    expected = record["reconstruction_nats"] + record["kl_nats"] / 4
    torch.testing.assert_close(record["loss"], expected)
    record = learn(made("vae", few.view, reconstruction_reduction="mean"), few.view, 1)[0]
    expected = record["reconstruction_nats"] / 784 + record["kl_nats"]
    torch.testing.assert_close(record["loss"], expected)


def test_warmup_scales_beta_by_the_step(few: Data) -> None:
    learner: Any = made("vae", few.view, beta=2.0, kl_warmup_steps=10)
    assert [learner.beta_now(s) for s in (0, 5, 10, 99)] == [0, 1, 2, 2]
    assert learner.settings_now(5)["beta"] == 1


@every_key
def test_a_clipped_gradient_has_that_norm(key: str, few: Data) -> None:
    learner = made(key, few.view, gradient_clip=0.1)
    record = learn(learner, few.view, 1)[0]
    assert float(record["grad_norm"]) == pytest.approx(0.1, rel=1e-3)


@every_key
def test_decoupled_weight_decay_shrinks_weights(key: str, few: Data) -> None:
    plain = made(key, few.view, learning_rate=0.1)
    decayed = made(key, few.view, learning_rate=0.1, weight_decay=1.0)
    learn(plain, few.view, 3)
    learn(decayed, few.view, 3)
    one, other = _weights(plain, decayed)
    assert sum(float(w.norm()) for w in other) < sum(float(w.norm()) for w in one)


# ---------------------------------------------------------------------- state


@every_key
@every_network
def test_state_round_trips_through_a_file(
    key: str, network: str, few: Data, tmp_path: Path
) -> None:
    run(spec(key, few, tmp_path, 12, config={"network": network}))
    header, tensors = checkpoint.load(last(tmp_path))
    learner, _ = restore(last(tmp_path), few.view, CPU)
    assert_same(learner.tensors(), tensors)
    copy = tmp_path / "copy.safetensors"
    checkpoint.save(copy, header, learner.tensors())
    assert copy.read_bytes() == last(tmp_path).read_bytes()


@every_key
def test_a_loaded_learner_goes_on_bit_by_bit(key: str, few: Data, tmp_path: Path) -> None:
    run(spec(key, few, tmp_path, 12))
    one, _ = restore(last(tmp_path), few.view, CPU)
    two = made(key, few.view, seed=77)
    two.load_tensors(copied(one.tensors()))
    learn(one, few.view, 3, start=12)
    learn(two, few.view, 3, start=12)
    assert_same(one.tensors(), two.tensors())


# ---------------------------------------------------------------------- views


@every_key
@every_network
def test_every_view_gives_a_payload_that_is_json(key: str, network: str, few: Data) -> None:
    learner = made(key, few.view, network=network, latent_dim=3)
    for payload in drawn(learner, few.view):
        assert isinstance(payload, Payload)
        json.dumps(payload.to_wire(), allow_nan=False)


@every_key
@every_size
def test_every_view_of_every_latent_dimension(key: str, dims: int, few: Data) -> None:
    for payload in drawn(made(key, few.view, latent_dim=dims), few.view):
        json.dumps(payload.to_wire(), allow_nan=False)


@every_key
@every_network
def test_colour_pictures(key: str, network: str, colour: Data) -> None:
    learner = made(key, colour.view, network=network)
    assert learner.spec.shape == (3, 32, 32)
    learn(learner, colour.view, 3)
    for payload in drawn(learner, colour.view):
        json.dumps(payload.to_wire(), allow_nan=False)
    found = learner.draw("grid", colour.view, {"n": 3})
    assert _pixels(found.items["grid"]).shape == (96, 96, 3)  # type: ignore[union-attr]
    assert all(math.isfinite(v) for v in learner.evaluate_fully(colour.view, seed=0).values())


@every_key
def test_looking_changes_nothing_of_what_is_learnt(key: str, few: Data) -> None:
    learner = made(key, few.view, latent_dim=3)
    learn(learner, few.view, 2)
    before, random = copied(learner.tensors()), torch.get_rng_state()
    groups = json.dumps([o.state_dict()["param_groups"] for o in learner.optimizers.values()])
    gradients = [None if p.grad is None else p.grad.clone() for p in learner.trainable()]
    drawn(learner, few.view)
    learner.evaluate(few.view, seed=0, limit=50)
    learner.evaluate_fully(few.view, seed=0)
    learner.forget()  # type: ignore[attr-defined]
    assert_same(learner.tensors(), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(module.training for net in learner.networks.values() for module in net.modules())
    after = json.dumps([o.state_dict()["param_groups"] for o in learner.optimizers.values()])
    assert after == groups
    for parameter, gradient in zip(learner.trainable(), gradients, strict=True):
        assert parameter.requires_grad
        assert gradient is None or torch.equal(parameter.grad, gradient)  # type: ignore[arg-type]
    assert torch.is_grad_enabled()


@every_key
def test_a_view_that_fails_leaves_things_as_they_were(key: str, few: Data) -> None:
    learner = made(key, few.view)
    random = torch.get_rng_state()
    with pytest.raises(Rejected):
        learner.draw("sample", few.view, {"prior": "mixture", "components": 10**9})
    assert torch.equal(torch.get_rng_state(), random)
    assert all(net.training for net in learner.networks.values())
    assert torch.is_grad_enabled()


@every_key
@pytest.mark.parametrize("dims", [2, 5])
def test_previews_on_or_off_learn_the_same(
    key: str, dims: int, few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.SYNC_S", 0.0)  # look as often as can be
    for name, shown in (("on", True), ("off", False)):
        config = {"latent_dim": dims}
        found = run(spec(key, few, tmp_path / name, 30, previews=shown, config=config))
        assert any(isinstance(e, events.Preview) for e in found) == shown
    one, two = (checkpoint.load(last(tmp_path / name))[1] for name in ("on", "off"))
    assert_same(one, two)


@every_key
def test_a_grid_shows_what_its_extent_says(key: str, few: Data) -> None:
    """Row 0 is at the top: the largest y; tiles are decodings at the cells' centres."""
    learner: Any = made(key, few.view)
    found = learner.draw("grid", few.view, {"n": 3, "extent": [0, 3, 10, 13]})
    assert found.values["xs"] == [0.5, 1.5, 2.5]
    assert found.values["ys"] == [12.5, 11.5, 10.5]
    with torch.no_grad():
        corner = learner.pictures(torch.tensor([[0.5, 12.5], [2.5, 10.5]]))[:, 0]
    pixels = _pixels(found.items["grid"])
    assert (pixels[:28, :28] == corner[0]).all()
    assert (pixels[56:, 56:] == corner[1]).all()


@every_key
def test_a_point_shows_the_decoding_of_its_code(key: str, few: Data) -> None:
    learner: Any = made(key, few.view)
    found = learner.draw("point", few.view, {"u": [0.5, -1.5]})
    assert found.values["z"] == found.values["u"] == [0.5, -1.5]
    with torch.no_grad():
        expected = learner.pictures(torch.tensor([[0.5, -1.5]]))[0, 0]
        mean, _ = learner.codes(few.view.train, 600)
    assert (_pixels(found.items["picture"]) == expected).all()
    distance = (mean - torch.tensor([0.5, -1.5])).norm(dim=1)
    assert found.values["nearest"]["index"] == int(distance.argmin())
    assert found.values["nearest"]["distance"] == pytest.approx(float(distance.min()), rel=1e-4)


@every_key
def test_a_map_shows_the_codes_of_test_pictures_in_their_order(key: str, few: Data) -> None:
    learner: Any = made(key, few.view)
    points = learner.draw("map", few.view, {"count": 60}).items["points"]
    with torch.no_grad():
        mean, _ = learner.codes(few.view.test, 60)
    assert isinstance(points, Points)
    assert (points.start, points.total) == (0, 60)
    np.testing.assert_array_equal(points.xy, mean.numpy())
    assert points.labels.tolist() == few.view.test.labels[:60].tolist()


@every_key
def test_reconstructions_belong_to_their_pictures(key: str, few: Data) -> None:
    found = made(key, few.view).draw("reconstructions", few.view, {"count": 4, "worst": True})
    assert isinstance(found, Views)
    indices, errors = found.values["indices"], found.values["squared_error"]
    assert errors == sorted(errors, reverse=True)
    originals = few.view.test.pixels[indices, 0].numpy()
    assert (_pixels(found.items["original"]) == np.concatenate(list(originals), 1)).all()


def test_a_drawing_is_encoded_as_it_is_prepared(few: Data) -> None:
    learner: Any = made("vae", few.view)
    found = learner.draw("encode", few.view, {"picture": drawing()})
    values = found.values
    assert set(found.items) == {"prepared", "reconstruction", "neighbours"}
    assert values["elbo_nats"] == pytest.approx(-values["reconstruction_nats"] - values["kl_nats"])
    assert values["u"] == values["z"]
    assert len(values["sd"]) == 2
    assert values["ellipse"]["center"] == pytest.approx(values["z"])
    point: Any = made("ae", few.view).draw("encode", few.view, {"picture": drawing()})
    assert point.values["sd"] is None


def test_samples_are_a_function_of_the_seed(few: Data) -> None:
    learner = made("vae", few.view)
    for prior in ("normal", "mixture"):
        asked = {"prior": prior, "count": 6, "components": 2}
        first, again = (learner.draw("sample", few.view, asked).to_wire() for _ in range(2))
        other = learner.draw("sample", few.view, {**asked, "seed": 1}).to_wire()
        assert first == again != other


@every_key
def test_a_described_plane_gives_the_same_grid(key: str, few: Data) -> None:
    """A page that holds a principal plane may give it back to any view that takes a plane."""
    learner = made(key, few.view, latent_dim=5)
    found = learner.draw("map", few.view, {"plane": {"pca": True}})
    plane = found.values["plane"]  # type: ignore[union-attr]
    for view, args in (("grid", {"n": 2, "extent": [-1, 1, -1, 1]}), ("map", {"count": 20})):
        one = learner.draw(view, few.view, {**args, "plane": {"pca": True}})
        two = learner.draw(view, few.view, {**args, "plane": plane})
        assert _close(one, two), view


# ---------------------------------------------------------------------- bad questions


@every_key
@pytest.mark.parametrize(
    ("view", "args"),
    [
        ("map", {"count": 0}),
        ("map", {"count": 1.5}),
        ("map", {"count": True}),
        ("map", {"colour": "red"}),
        ("map", {"data": 1}),
        ("map", {"plane": "xy"}),
        ("map", {"at": [1, 2, 3]}),
        ("atlas", {}),
        ("atlas", {"extent": [0, 0, 1, 1]}),
        ("atlas", {"extent": [-1, 1, -1, 1], "n": 10**6}),
        ("grid", {"n": None}),
        ("grid", {"extent": "all"}),
        ("grid", {"extent": [0, math.inf, 0, 1]}),
        ("point", {}),
        ("point", {"z": [0.0]}),
        ("point", {"z": [math.nan, 0]}),
        ("point", {"z": ["a", "b"]}),
        ("point", {"u": [1e9, 0]}),
        ("point", {"z": [0, 0], "neighbours": -1}),
        ("point", {"z": [0, 0], "plane": {"basis": 3}}),
        ("point", {"z": [0, 0], "plane": {"basis": [[1, 0]]}}),
        ("point", {"z": [0, 0], "plane": {"basis": [[1, 0], [0, 1]], "names": {"a": 1}}}),
        ("point", {"z": [0, 0], "plane": {"basis": [[1, 0], [0, 1]], "names": 7}}),
        ("code", {}),
        ("code", {"index": 10**9}),
        ("code", {"index": -1}),
        ("walk", {"points": [[0, 0]]}),
        ("walk", {"points": [[0, 0], [0]]}),
        ("walk", {"points": [[0, 0]] * 21}),
        ("walk", {"points": {"a": [0, 0], "b": [1, 1]}}),
        ("walk", {"points": [[0, 0], [1, 1]], "kind": "curly"}),
        ("walk", {"points": [[0, 0], [1, 1]], "frames": 10**6}),
        ("encode", {}),
        ("encode", {"picture": "http://example.org/a.png"}),
        ("encode", {"picture": "data:image/png;base64,AAAA"}),
        ("encode", {"picture": "data:image/png;base64,%%%"}),
        ("encode", {"picture": None}),
        ("encode", {"picture": drawing(), "kind": "sculpture"}),
        ("reconstructions", {"count": 51}),
        ("reconstructions", {"seed": -1}),
        ("sample", {"prior": "cauchy"}),
        ("sample", {"count": 10**6}),
        ("sample", {"prior": "mixture", "components": 0}),
        ("traverse", {"dims": []}),
        ("traverse", {"dims": [2]}),
        ("traverse", {"dims": "all"}),
        ("traverse", {"dims": [[0]]}),
        ("traverse", {"span": "wide"}),
        ("traverse", {"span": math.nan}),
        ("dimensions", {"count": "many"}),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(
    key: str, view: str, args: dict, few: Data
) -> None:
    with pytest.raises(PlaygroundError) as refused:
        made(key, few.view).draw(view, few.view, args)
    assert_sentence(refused.value)


@every_key
@pytest.mark.parametrize("name", ["", "pictures", "__init__", "nothing", "view_map"])
def test_an_unknown_view_is_not_found(key: str, name: str, few: Data) -> None:
    with pytest.raises(NotFound) as refused:
        made(key, few.view).draw(name, few.view, {})
    assert "map" in refused.value.sentence


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 50) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
arguments = st.dictionaries(
    st.sampled_from(
        [
            *("count", "n", "extent", "plane", "at", "z", "u", "points", "index", "seed", "dims"),
            *("span", "frames", "kind", "prior", "components", "neighbours", "picture", "worst"),
        ]
    ),
    anything,
    max_size=3,
)
planes = st.fixed_dictionaries(
    {"z": st.just([0, 0]), "neighbours": st.just(0)},
    optional={
        "plane": st.fixed_dictionaries(
            {},
            optional={
                "basis": st.just([[1, 0], [0, 1]]) | anything,
                "origin": st.just([0, 0]) | anything,
                "at": anything,
                "names": anything,
                "axes": anything,
                "pca": anything,
            },
        ),
        "at": anything,
    },
)


@pytest.fixture(scope="module")
def asked(few: Data) -> Learner:
    return made("vae", few.view)


@settings(max_examples=150)
@given(view=st.sampled_from(sorted(MODELS["vae"].learner_class.previews())), args=arguments)
def test_any_arguments_give_a_payload_or_a_sentence(
    view: str, args: dict, asked: Learner, few: Data
) -> None:
    try:
        payload = asked.draw(view, few.view, args)
    except PlaygroundError as refused:
        assert_sentence(refused)
    else:
        json.dumps(payload.to_wire(), allow_nan=False)


@settings(max_examples=150)
@given(args=planes)
def test_any_plane_gives_a_payload_or_a_sentence(args: dict, asked: Learner, few: Data) -> None:
    try:
        payload = asked.draw("point", few.view, args)
    except PlaygroundError as refused:
        assert_sentence(refused)
    else:
        json.dumps(payload.to_wire(), allow_nan=False)


# ---------------------------------------------------------------------- weights that are broken


@every_key
@every_size
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_live_views_of_broken_weights_are_still_drawn(
    key: str, dims: int, value: float, few: Data
) -> None:
    """A run that diverges must end as diverged: its pictures may not end it before."""
    learner = made(key, few.view, latent_dim=dims)
    with torch.no_grad():
        for parameter in learner.trainable():
            parameter.fill_(value)
    for view in learner.live_views:
        json.dumps(learner.draw_live(view.name, 0, few.view).to_wire(), allow_nan=False)
    for payload in learner.draw_kept(few.view).values():
        json.dumps(payload.to_wire(), allow_nan=False)


def _named(learner: Learner) -> Any:
    for name, network in learner.networks.items():
        for key, parameter in network.named_parameters():
            if parameter.requires_grad:
                yield f"{name}.{key}", parameter


def _weights(*learners: Learner) -> list[list[torch.Tensor]]:
    return [list(learner.tensors(optimizers=False).values()) for learner in learners]


def _pixels(payload: Any) -> np.ndarray:
    if isinstance(payload, Sheet):
        assert payload.media_type == "image/png"
    return np.asarray(Image.open(io.BytesIO(payload.data)))


def _close(one: Any, two: Any) -> bool:
    """Say whether two views show the same, but for the last bits of a projection."""
    for name, left in one.items.items():
        right = two.items[name]
        if isinstance(left, Points):
            if not np.allclose(left.xy, right.xy, atol=1e-4):
                return False
        elif np.abs(_pixels(left).astype(int) - _pixels(right).astype(int)).max() > 2:
            return False
    return True


class _Seen(torch.autograd.Function):
    """Passes a value on, and says in the backward pass whether autocast is on."""

    autocast: ClassVar[list[bool]] = []

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        _Seen.autocast.append(torch.is_autocast_enabled("cpu"))
        return gradient


def test_a_step_within_autocast_goes_back_without_it() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    with torch.autocast("cpu", torch.bfloat16):
        loss = _Seen.apply(weight).sum()
        update(loss, torch.optim.SGD([weight]), 0.5)
    assert _Seen.autocast == [False]
    assert weight.tolist() == [0.5, 0.5]


def test_a_step_on_the_meta_device_needs_no_autocast() -> None:
    weight = torch.nn.Parameter(torch.ones(2, device="meta"))
    update(weight.sum(), torch.optim.SGD([weight]), 0.5)
    assert weight.grad is not None
