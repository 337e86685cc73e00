"""What the mode-collapse monitor measures, and that training does not notice it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small import CPU, Data, assert_same, assert_same_end, copied, few_digits, last, run, spec
from torch import Tensor

from engine import events
from engine.data.base import Dataset, Split
from engine.features import feature_net
from engine.models.dcgan import DCGANLearner
from engine.monitor import GRID, SAMPLES, ImageMonitor
from engine.monitor_classes import Classes, effective_number
from engine.monitor_real import Real
from engine.monitor_remedies import remedies
from engine.payloads import Bars, Sheet, Views
from engine.registry import MODELS
from engine.tensors import DataSpec, DataView
from engine.trainer import build, restore

ALWAYS = {
    "coverage",
    "coverage_real",
    "density",
    "diversity_ratio",
    "latent_sensitivity",
    "closest_pair",
    "grid_change",
    "discriminator/accuracy_real",
    "discriminator/accuracy_fake",
    "discriminator/accuracy_held_out",
    "discriminator/mean_real",
    "discriminator/mean_fake",
    "discriminator/mean_held_out",
    "discriminator/sign_real",
}
CLASSES = {"class_kl_nats", "classes_covered", "effective_classes"}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return few_digits(tmp_path_factory.mktemp("digits"))


def learner(view: DataView, **values: Any) -> DCGANLearner:
    config = MODELS["dcgan"].config_class.from_values({"channels": 4, "latent_dim": 8, **values})
    found = build("dcgan", config, view, CPU, 0)
    assert isinstance(found, DCGANLearner)
    return found


def looked(made: Any, view: DataView, step: int = 0) -> tuple[dict[str, float], Views, list]:
    monitor = ImageMonitor(view.spec, CPU, view.dataset.key)
    with torch.no_grad():
        values, payload, findings = monitor.tick(made, view, step)
    assert isinstance(payload, Views)
    return values, payload, findings


class Player:
    """A stand-in for a generator that plays back training pictures, chosen by `pick`."""

    def __init__(self, view: DataView, pick: Any) -> None:
        self.view, self.pick = view, pick
        self.config = SimpleNamespace(loss="nonsaturating", packing=1)

    def noise(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, 8, generator=generator)

    def generate(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        places = (z[:, 0].double().abs() * 1e6).long()  # as good as random
        chosen = self.pick(places)
        return self.view.train.batch(chosen)

    def score(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return images.flatten(1).mean(1) - 0.13


def everything(view: DataView) -> Player:
    return Player(view, lambda places: places % len(view.train))


def only(view: DataView, *classes: int) -> Player:
    found = torch.isin(view.train.labels, torch.tensor(classes)).nonzero()[:, 0]
    return Player(view, lambda places: found[places % len(found)])


@pytest.fixture(scope="module")
def mnist() -> DataView:
    from engine import data

    return DataView(data.load("mnist"), CPU)


# ---------------------------------------------------------------------- what it measures


def test_a_perfect_generator_reaches_the_real_line(mnist: DataView) -> None:
    values, payload, findings = looked(everything(mnist), mnist)
    assert values.keys() >= ALWAYS | CLASSES
    assert values["coverage_real"] > 0.93
    assert abs(values["coverage"] - values["coverage_real"]) < 0.05
    assert values["class_kl_nats"] < 0.05
    assert values["effective_classes"] > 9.5
    assert values["classes_covered"] == 10
    assert abs(values["diversity_ratio"] - 1) < 0.05
    assert findings == []
    assert set(payload.items) == {"histogram", "histogram_real", "closest", "grid"}


def test_lost_digits_are_seen(mnist: DataView) -> None:
    values, payload, _ = looked(only(mnist, 0, 1, 2, 3, 4), mnist)
    assert 0.35 < values["coverage"] < 0.62, "half of the classes"
    assert 0.5 < values["class_kl_nats"] < 0.8, "ln 2 = 0.69"
    assert 4.5 < values["effective_classes"] < 6.0
    assert values["classes_covered"] == 5
    bars = payload.items["histogram"]
    assert isinstance(bars, Bars)
    assert sum(bars.values[5:]) < 0.03


def test_one_picture_is_seen(mnist: DataView) -> None:
    values, _, _ = looked(Player(mnist, lambda places: places * 0), mnist)
    assert values["coverage"] < 0.05
    assert values["diversity_ratio"] < 0.01
    assert values["latent_sensitivity"] < 0.01
    assert values["closest_pair"] < 0.01
    assert values["effective_classes"] < 1.01


def test_copies_lie_at_no_distance_from_their_training_pictures(mnist: DataView) -> None:
    _, payload, _ = looked(everything(mnist), mnist)
    sheet = payload.items["closest"]
    assert isinstance(sheet, Sheet)
    assert (sheet.rows, sheet.columns) == (1, 4)
    assert sheet.captions is not None
    assert [c.endswith("0.00 away") for c in sheet.captions] == [False, True, False, True]


def test_nearest_is_the_nearest(mnist: DataView) -> None:
    """Against all distances to the first 3,000 pictures, for pictures of the test set."""
    first = Split(mnist.dataset.train.images[:3000], mnist.dataset.train.labels[:3000])
    view = DataView(dataclasses.replace(mnist.dataset, train=first), CPU)
    asked = mnist.test.batch(slice(0, 40))
    found, apart = Real(view, feature_net(view.dataset, CPU)).nearest(asked)
    every = torch.cdist(asked.flatten(1), view.train.batch(slice(0, 3000)).flatten(1)) / 28
    exact = every.min(1)
    assert (found == exact.indices).float().mean() >= 0.9
    assert torch.all(apart >= exact.values - 1e-3)
    assert (apart / exact.values).max() < 1.1


def test_the_grid_says_what_has_moved(mnist: DataView) -> None:
    player, monitor = everything(mnist), ImageMonitor(mnist.spec, CPU, "mnist")
    changes = []
    with torch.no_grad():
        for step, shift in enumerate((0, 0, 1)):
            player.pick = lambda places, shift=shift: (places + shift) % len(mnist.train)
            _, payload, _ = monitor.tick(player, mnist, step)
            assert isinstance(payload, Views)
            changes.append(payload.values["changes"])
            assert payload.items["grid"].rows == 8  # type: ignore[union-attr]
    assert len(changes[0]) == GRID
    assert changes[0] == changes[1] == [0.0] * GRID
    assert np.mean(changes[2]) > 0.5, "other pictures everywhere; 1 is another picture at random"


def test_d_is_asked_about_pictures_it_never_saw(mnist: DataView) -> None:
    player = everything(mnist)
    seen = {picture.tobytes() for picture in mnist.dataset.train.images}

    def knows(images: Tensor, labels: Tensor | None = None) -> Tensor:
        pixels = (images * 255).round().byte().numpy()
        return torch.tensor([1.0 if picture.tobytes() in seen else -1.0 for picture in pixels])

    player.score = knows  # type: ignore[method-assign]
    values, _, _ = looked(player, mnist)
    assert values["discriminator/accuracy_real"] == 1
    assert values["discriminator/accuracy_held_out"] < 0.05
    assert values["discriminator/sign_real"] == 1
    assert values["discriminator/mean_real"] > 0.7 > 0.3 > values["discriminator/mean_held_out"]


def test_the_same_step_gives_the_same_numbers(digits: Data) -> None:
    view = digits.view
    made = learner(view)
    first, second = looked(made, view, 7)[0], looked(made, view, 7)[0]
    assert first == second
    assert looked(made, view, 8)[0] != first


@pytest.mark.parametrize(
    "values",
    [
        {"packing": 3},
        {"conditional": True},
        {"minibatch_std": True},
        {"loss": "wgan_gp", "discriminator_batch_norm": False},
        {"loss": "least_squares"},
    ],
)
def test_it_watches_every_kind_of_model(values: dict[str, Any], digits: Data) -> None:
    view = digits.view
    found, payload, _ = looked(learner(view, **values), view)
    assert found.keys() >= ALWAYS
    assert all(np.isfinite(v) for v in found.values())
    assert payload.to_wire()["values"]["level"] == "early"


def test_pictures_without_a_classifier_have_no_classes(mnist: DataView) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (90, 3, 32, 32), dtype=np.uint8)
    whole = Split(images[:60].copy(), np.zeros(60, np.int64))
    rest = Split(images[60:].copy(), np.zeros(30, np.int64))
    own = Dataset("pictures:0", "own", whole, rest, ("all",), "", "", "0" * 16)
    view = DataView(own, CPU)
    values, payload, _ = looked(learner(view), view)
    assert values.keys() >= ALWAYS
    assert not values.keys() & CLASSES
    assert set(payload.items) == {"closest", "grid"}


# ---------------------------------------------------------------------- a thousand classes


def test_the_number_of_classes_of_a_thousand() -> None:
    random = torch.Generator().manual_seed(0)
    for many in (50, 200, 1000):
        found = [
            effective_number(torch.randint(many, (SAMPLES,), generator=random)) for _ in range(20)
        ]
        assert abs(np.mean(found) / many - 1) < 0.1
    assert effective_number(torch.zeros(SAMPLES, dtype=torch.int64)) == 1


def test_stacked_digits_are_looked_at_by_channel() -> None:
    random = torch.Generator().manual_seed(0)
    real = torch.randint(1000, (2000,), generator=random)
    made = torch.randint(1000, (SAMPLES,), generator=random) % 500  # red 0 to 4 only
    net = SimpleNamespace(class_names=tuple(str(i) for i in range(1000)))
    found = Classes.of(made, SimpleNamespace(classes=real, net=net))
    assert found is not None
    assert found.lost == ("red 5", "red 6", "red 7", "red 8", "red 9")
    assert found.values["class_kl_nats"] == pytest.approx(np.log(2), abs=0.05)
    assert 350 < found.values["effective_classes"] < 700
    assert found.values["effective_digits_red"] == pytest.approx(5, abs=0.2)
    assert found.values["effective_digits_blue"] == pytest.approx(10, abs=0.3)
    assert len(found.bars["histogram"].names) == 30  # type: ignore[union-attr]


# ---------------------------------------------------------------------- it costs nothing


def test_a_look_changes_nothing(digits: Data) -> None:
    view = digits.view
    made = learner(view)
    before, state = copied(made.tensors()), torch.get_rng_state()
    with made.evaluating():
        made.monitor(view, 3)
    assert_same(copied(made.tensors()), before)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(network.training for network in made.networks.values())


def test_a_run_learns_the_same_with_and_without(
    digits: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    for name, interval in (("with", 1e-6), ("without", 0.0)):
        monkeypatch.setattr(DCGANLearner, "monitor_interval_s", interval)
        given = spec("dcgan", digits, tmp_path / name, steps=6, previews=True)
        config = {"channels": 4, "latent_dim": 8, "batch_size": 8}
        found = run(dataclasses.replace(given, config=config))
        looks.append(sum(isinstance(e, events.Metrics) and e.split == "monitor" for e in found))
        if looks == [looks[0]]:
            views = [e for e in found if isinstance(e, events.Preview) and e.name == "monitor"]
            assert len(views) == looks[0]
    assert looks[0] > 0
    assert looks[1] == 0
    assert_same_end(tmp_path / "with", tmp_path / "without")


def test_the_spec_is_that_of_the_data() -> None:
    monitor = ImageMonitor(DataSpec((3, 64, 64), ("a", "b")), CPU, "emoji")
    assert monitor.spec.shape == (3, 64, 64)


def test_a_look_aside_leaves_the_course_of_the_run(digits: Data) -> None:
    view, made = digits.view, learner(digits.view)
    monitor = ImageMonitor(view.spec, CPU, view.dataset.key)
    with torch.no_grad():
        monitor.tick(made, view, 600)
        before = monitor.grid_features
        monitor.aside().tick(made, view, 0)
    assert monitor.watch.course.step == 600
    assert monitor.grid_features is before


def test_a_monitor_goes_on_where_an_earlier_one_left_off(digits: Data) -> None:
    """What a run's journal holds of its looks stands for having looked."""
    view, made = digits.view, learner(digits.view)
    first = ImageMonitor(view.spec, CPU, view.dataset.key)
    second = ImageMonitor(view.spec, CPU, view.dataset.key)
    well = {"coverage": 0.8, "class_kl_nats": 0.01}
    for step in range(0, 2000, 100):
        first.recall(step, well, made.config)
    with torch.no_grad():
        seen = [first.tick(made, view, step) for step in (2000, 2100, 2200)]
        for step in range(0, 2000, 100):
            second.recall(step, well, made.config)
        for step, (values, _, _) in zip((2000, 2100), seen, strict=False):
            second.recall(step, values, made.config)
        _, _, findings = second.tick(made, view, 2200)
    assert findings == seen[2][2]
    assert findings[0].name == "total_collapse"
    assert findings[0].since == 1900


# ---------------------------------------------------------------------- what it offers


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"loss": "minimax"},
        {"discriminator_channels": 1},
        {"generator_batch_norm": False, "discriminator_learning_rate": 1e-2},
        {"packing": 2, "minibatch_std": True, "spectral_norm": True},
    ],
)
def test_every_remedy_can_be_forked_from_the_run(
    values: dict[str, Any], digits: Data, tmp_path: Path
) -> None:
    view = digits.view
    given = {"channels": 4, "latent_dim": 8, "batch_size": 8, **values}
    run(dataclasses.replace(spec("dcgan", digits, tmp_path, steps=2), config=given))
    config = MODELS["dcgan"].config_class.from_values(given)
    concerns: tuple[Any, ...] = ("coverage", "discriminator", "overfitting")
    offered = {r.key: r for c in concerns for r in remedies(config, view.spec.shape, c)}
    assert len(offered) >= 4
    for remedy in offered.values():
        forked, header = restore(last(tmp_path), view, CPU, remedy.config)
        assert header.step == 2
        images, labels = view.train.batch(slice(0, 16)), view.train.labels[:16]
        loss = forked.training_step(images[: forked.examples_per_step], labels, 2)["loss"]
        assert torch.isfinite(loss), remedy.title
