"""The loop: commands, live changes, divergence, alerts, what is emitted and when."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import (
    AUTOENCODERS,
    CPU,
    KEYS,
    Data,
    Script,
    assert_same,
    ended,
    fitting,
    last,
    made,
    run,
    spec,
    usual,
)

from engine import checkpoint, events
from engine.commands import (
    Look,
    Park,
    Pause,
    RequestPreview,
    Resume,
    Save,
    Set,
    Step,
    Stop,
    from_json,
)
from engine.errors import Rejected
from engine.events import (
    Alert,
    Answer,
    Changed,
    Metrics,
    Preview,
    Progress,
    Refused,
    Saved,
    Status,
)
from engine.executors import inline
from engine.journal import Journal
from engine.learner import Finding
from engine.registry import MODELS
from engine.spec import Budget, check_budget, check_seed
from engine.trainer import is_milestone, restore
from engine.training_parts import Rate

every_key = pytest.mark.parametrize("key", KEYS)
every_autoencoder = pytest.mark.parametrize("key", AUTOENCODERS)


def of(kind: type, found: list[events.Event]) -> list[Any]:
    return [e for e in found if isinstance(e, kind)]


# ---------------------------------------------------------------------- the usual run


@every_key
def test_a_run_says_how_it_goes(key: str, few: Data, tmp_path: Path) -> None:
    found = run(spec(key, few, tmp_path, 40, previews=True))
    states = [s.state for s in of(Status, found)]
    assert states == ["running", "finished"]
    assert ended(found).step == 40
    assert of(Metrics, found)
    progress = of(Progress, found)[-1]
    assert progress.step == 40
    data = fitting(key, few).view
    learner = made(key, data, **usual(key))
    whole = len(learner.examples(data))
    assert progress.epoch == pytest.approx(40 * learner.examples_per_step / whole)
    assert progress.device == "CPU"
    assert 0 <= progress.preview_share <= 1
    assert of(Saved, found)[-1].step == 40
    assert checkpoint.read_header(last(tmp_path)).step == 40


@every_autoencoder
def test_everything_that_is_told_is_json(key: str, few: Data, tmp_path: Path) -> None:
    commands = [
        *(Step(2), Set("learning_rate", 0.01), Set("latent_dim", 3), Look("grid", {"n": 3})),
        *(RequestPreview(1, "map", {"count": 20}), RequestPreview(2, "map", {"count": 0})),
        Stop(),
    ]
    found = run(spec(key, few, tmp_path, paused=True, previews=True), Script(commands))
    kinds = {type(e) for e in found}
    assert kinds >= {Status, Metrics, Progress, Preview, Saved, Changed, Refused, Answer}
    for event in found:
        wire = event.to_wire()
        assert wire["step"] >= 0
        json.dumps(wire, allow_nan=False)


def test_numbers_that_are_not_finite_are_null_on_the_wire() -> None:
    values = {"loss": math.nan, "kl_nats": math.inf, "elbo_nats": -1.0}
    wire = Metrics(3, "train", values).to_wire()
    assert wire["values"] == {"loss": None, "kl_nats": None, "elbo_nats": -1.0}


def test_live_pictures_come_before_the_first_step(few: Data) -> None:
    found = run(spec("vae", few, steps=3, previews=True))
    first = [e for e in found[: found.index(of(Metrics, found)[1])] if isinstance(e, Preview)]
    assert {"map", "grid"} <= {e.name for e in first if not e.kept}
    assert {e.step for e in first} == {0}


def test_the_timeline_keeps_its_milestones(few: Data) -> None:
    found = run(spec("vae", few, steps=40, previews=True))
    kept = {e.step for e in of(Preview, found) if e.kept}
    assert kept == {s for s in range(41) if is_milestone(s)} | {40}
    assert all(isinstance(e.payload.to_wire(), dict) for e in of(Preview, found))
    assert sum(is_milestone(s) for s in range(50_000)) < 60
    assert all(is_milestone(2**i) for i in range(16))


def test_no_pictures_are_drawn_without_previews(few: Data) -> None:
    assert not of(Preview, run(spec("vae", few, steps=20)))


@every_key
def test_test_metrics_come_at_steps_that_no_clock_decides(
    key: str, few: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for pause_s in (0.0, 0.1, 1e9):
        monkeypatch.setattr("engine.trainer.SYNC_S", pause_s)
        tested = [e for e in of(Metrics, run(spec(key, few, steps=130))) if e.split == "test"]
        found.append([(e.step, e.values) for e in tested])
    steps = [step for step, _ in found[0]]
    assert steps == [0, 1, 2, 4, 8, 16, 32, 64, 100, 128, 130]
    assert found[0] == found[1] == found[2]


def test_training_metrics_are_means_since_the_last_ones(
    few: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = {}
    for name, pause_s in (("each", 0.0), ("all", 1e9)):
        monkeypatch.setattr("engine.trainer.SYNC_S", pause_s)
        trained = [e for e in of(Metrics, run(spec("vae", few, steps=24))) if e.split == "train"]
        means[name] = [e.values["loss"] for e in trained]
    assert len(means["each"]) == 24
    assert len(means["all"]) == 1
    assert means["all"][0] == pytest.approx(sum(means["each"]) / 24, rel=1e-5)


def test_vae_metrics_are_costs_and_a_bound(few: Data) -> None:
    for event in of(Metrics, run(spec("vae", few, steps=30, config={"beta": 3.0}))):
        values = event.values
        assert values["reconstruction_nats"] > 0
        assert values["kl_nats"] >= 0
        total = values["reconstruction_nats"] + values["kl_nats"]
        assert values["elbo_nats"] == pytest.approx(-total, rel=1e-5)
        if event.split == "train":
            expected = values["reconstruction_nats"] + 3 * values["kl_nats"]
            assert values["loss"] == pytest.approx(expected, rel=1e-4)
            assert values["beta"] == 3
            assert values["learning_rate"] == 1e-3


# ---------------------------------------------------------------------- budgets


def test_a_run_ends_after_its_seconds(few: Data) -> None:
    found = run(replace(spec("vae", few), budget=Budget(None, 0.2)))
    assert ended(found).state == "finished"
    assert ended(found).step > 0


def test_seconds_of_earlier_slices_count(few: Data) -> None:
    given = replace(spec("vae", few), budget=Budget(None, 50.0), elapsed_s=50.0)
    found = run(given)
    assert (ended(found).state, ended(found).step) == ("finished", 0)


def test_standing_still_is_not_the_runs_own_time(few: Data) -> None:
    """A paused run whose inbox is waited on for longer than its seconds still takes its steps."""

    class Slow(Script):
        def wait(self, timeout_s: float) -> list:
            began = time.monotonic()
            while time.monotonic() - began < 0.3:
                continue
            return super().wait(timeout_s)

    given = spec("vae", few, steps=3, paused=True)
    found = run(replace(given, budget=Budget(3, 60.0), elapsed_s=59.5), Slow([Step(1), Resume()]))
    assert (ended(found).state, ended(found).step) == ("finished", 3)
    assert of(Progress, found)[-1].elapsed_s < 60.0


def test_the_last_speed_is_told_after_a_long_last_test(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 100.0}
    monkeypatch.setattr("engine.trainer.time.monotonic", lambda: clock["now"])
    rate = Rate()
    rate.read()
    clock["now"], rate.count = 101.0, 50
    assert rate.read() == pytest.approx(50.0)
    clock["now"] = 111.0
    assert rate.read() == pytest.approx(50.0)


def test_a_run_at_its_last_step_is_finished_at_once(few: Data, tmp_path: Path) -> None:
    run(spec("vae", few, tmp_path, 10))
    found = run(spec("vae", few, tmp_path, 10, resume=last(tmp_path)))
    assert (ended(found).state, ended(found).step) == ("finished", 10)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "9", True, math.nan, 10**400, [1]])
def test_budgets_and_seeds_out_of_bounds_are_refused(bad: Any) -> None:
    for field, arguments in (("max_steps", (bad, None)), ("max_seconds", (None, bad))):
        if field == "max_seconds" and bad == 1.5:
            continue
        with pytest.raises(Rejected) as refused:
            check_budget(*arguments)
        assert refused.value.field == field
        assert refused.value.sentence.endswith(".")
    if bad != 0:
        with pytest.raises(Rejected) as refused:
            check_seed(bad)
        assert refused.value.field == "seed"


# ---------------------------------------------------------------------- pause, step, stop


def test_stepping_counts_exactly(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.SYNC_S", 1e9)
    script = Script([Step(1), Save(), Step(3), Save(), Step(2), Save(), Stop()])
    found = run(spec("vae", few, tmp_path, paused=True), script)
    assert [e.step for e in of(Saved, found)] == [1, 4, 6, 6]
    assert [(s.state, s.step) for s in of(Status, found)] == [("paused", 0), ("stopped", 6)]
    trained = [e.step for e in of(Metrics, found) if e.split == "train"]
    assert trained == [1, 4, 6], "after each allowance the curves are told"


def test_a_paused_run_stands_still(few: Data, tmp_path: Path) -> None:
    found = run(spec("vae", few, tmp_path, paused=True), Script([Save(), Pause(), Save(), Stop()]))
    assert {e.step for e in found} == {0}


def test_pause_and_resume(few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    found = run(spec("vae", few, tmp_path, 30), Script([Resume()], {10: Pause()}))
    states = [(s.state, s.step) for s in of(Status, found)]
    (running, _), (paused, at), (again, later), end = states
    assert (running, paused, again) == ("running", "paused", "running")
    assert 0 < at == later < 30
    assert end == ("finished", 30)
    assert at in [e.step for e in of(Saved, found)], "a pause is saved"


def test_a_step_of_a_running_run_pauses_it(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    found = run(spec("vae", few, tmp_path, 30), Script([Save(), Stop()], {5: Step(2)}))
    paused = [s for s in of(Status, found) if s.state == "paused"]
    assert ended(found).step == paused[0].step + 2
    assert ended(found).state == "stopped"


def test_a_pause_takes_back_steps_not_taken(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    found = run(spec("vae", few, tmp_path, paused=True), Script([Step(999), Stop()], {8: Pause()}))
    assert 0 < ended(found).step < 10


@pytest.mark.parametrize(("command", "state"), [(Stop(), "stopped"), (Park(), "parked")])
def test_stop_and_park_are_saved(
    command: Any, state: str, few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    found = run(spec("vae", few, tmp_path, 30), Script(running={7: command}))
    assert ended(found).state == state
    assert 0 < ended(found).step < 30
    assert checkpoint.read_header(last(tmp_path)).step == ended(found).step


def test_inline_gives_commands_before_the_first_step(few: Data) -> None:
    found = list(inline.run(spec("vae", few, steps=5), [Set("beta", 4.0), Stop()]))
    assert [(e.step, e.new) for e in of(Changed, found)] == [(0, 4.0)]
    assert (ended(found).state, ended(found).step) == ("stopped", 0)


# ---------------------------------------------------------------------- live changes


def test_a_live_change_takes_effect_between_two_steps(few: Data, tmp_path: Path) -> None:
    commands = [Step(2), Set("beta", 0.25), Step(1), Stop()]
    found = run(spec("vae", few, tmp_path, paused=True), Script(commands))
    assert of(Changed, found) == [Changed(2, "beta", 1.0, 0.25)]
    curves = {e.step: e.values for e in of(Metrics, found) if e.split == "train"}
    assert curves[2]["beta"] == 1.0
    assert curves[3]["beta"] == 0.25
    expected = curves[3]["reconstruction_nats"] + 0.25 * curves[3]["kl_nats"]
    assert curves[3]["loss"] == pytest.approx(expected, rel=1e-5)
    assert checkpoint.read_header(last(tmp_path)).history == ((2, "beta", 1.0, 0.25),)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("beta", 101, "0 to 100; got 101"),
        ("beta", math.nan, "got nan"),
        ("beta", "high", "got 'high'"),
        ("learning_rate", 0, "1e-06 to 10; got 0"),
        ("latent_dim", 3, "cannot change while a run trains"),
        ("colour", 1, "no hyperparameter 'colour'"),
    ],
)
def test_a_change_out_of_bounds_is_refused_and_the_run_goes_on(
    field: str, value: Any, sentence: str, few: Data, tmp_path: Path
) -> None:
    script = Script([Set(field, value), Resume()])
    found = run(spec("vae", few, tmp_path, 5, paused=True), script)
    refused = of(Refused, found)
    assert len(refused) == 1
    assert sentence in refused[0].sentence
    assert refused[0].field == field
    assert not of(Changed, found)
    assert ended(found).state == "finished"
    assert checkpoint.read_header(last(tmp_path)).history == ()


def test_a_planned_change_does_not_undo_a_later_one(few: Data, tmp_path: Path) -> None:
    planned = spec("vae", few, tmp_path, paused=True, changes=((0, "beta", 2.0),))
    found = run(planned, Script([Set("beta", 5.0), Step(1), Stop()]))
    assert [(e.step, e.new) for e in of(Changed, found)] == [(0, 2.0), (0, 5.0)]
    assert checkpoint.read_header(last(tmp_path)).config["beta"] == 5.0


def test_a_change_to_the_same_value_is_none(few: Data) -> None:
    found = run(spec("vae", few, paused=True), Script([Set("beta", 1), Stop()]))
    assert not of(Changed, found)


# ---------------------------------------------------------------------- looking at a live run


def test_a_question_is_answered_between_two_steps(few: Data) -> None:
    asked = [
        RequestPreview(7, "point", {"z": [0, 0]}),
        RequestPreview(8, "nothing", {}),
        RequestPreview(9, "point", {"z": [0]}),
    ]
    found = run(spec("vae", few, steps=3, paused=True), Script([*asked, Resume()]))
    answers = of(Answer, found)
    assert [a.request for a in answers] == [7, 8, 9]
    assert answers[0].payload.values["z"] == [0, 0]
    assert "no view 'nothing'" in answers[1].sentence
    assert "list of 2 numbers" in answers[2].sentence
    assert ended(found).state == "finished"


@pytest.mark.parametrize(
    "look",
    [
        Look("grid", {"n": "many"}),
        Look("grid", {"n": 10**6}),
        Look("grid", {"n": -1}),
        Look("grid", {"extent": [1, 2]}),
        Look("grid", {"extent": "wide"}),
        Look("grid", {"extent": [0, math.nan, 0, 1]}),
        Look("atlas", {"extent": {"a": 1}}),
        Look("atlas", {"extent": [1, 0, 1, 0]}),
        Look("map", {"plane": "xy"}),
        Look("map", {"plane": {"axes": [0, 99]}}),
        Look("map", {"plane": {"basis": 3}}),
        Look("map", {"at": [math.inf, 0]}),
    ],
    ids=str,
)
def test_a_look_that_cannot_be_is_refused_and_the_run_goes_on(look: Look, few: Data) -> None:
    found = run(spec("vae", few, steps=4, paused=True, previews=True), Script([look, Resume()]))
    assert [r.field for r in of(Refused, found)] == [look.name]
    assert ended(found).state == "finished"


def test_a_look_at_no_live_view_is_refused(few: Data) -> None:
    look = Look("point", {})
    found = run(spec("vae", few, steps=4, paused=True, previews=True), Script([look, Resume()]))
    assert [r.sentence for r in of(Refused, found)] == [
        "There is no live view point; known are map, grid, atlas, reconstructions."
    ]
    assert ended(found).state == "finished"


def test_a_look_changes_what_is_drawn(few: Data) -> None:
    commands = [Look("grid", {"n": 3, "extent": [0, 1, 0, 1]}), Step(1), Stop()]
    found = run(spec("vae", few, paused=True, previews=True), Script(commands))
    grid = [e for e in of(Preview, found) if e.name == "grid" and not e.kept][-1].payload
    assert (grid.rows, grid.columns, tuple(grid.extent)) == (3, 3, (0, 1, 0, 1))


# ---------------------------------------------------------------------- commands of the page


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ({"command": "pause"}, Pause()),
        ({"command": "resume"}, Resume()),
        ({"command": "stop"}, Stop()),
        ({"command": "save"}, Save()),
        ({"command": "step"}, Step(1)),
        ({"command": "step", "count": 10}, Step(10)),
        ({"command": "set", "field": "beta", "value": 2}, Set("beta", 2)),
        ({"command": "look", "name": "grid", "args": {"n": 3}}, Look("grid", {"n": 3})),
    ],
)
def test_commands_are_read(message: dict, command: Any) -> None:
    assert from_json(message) == command


@pytest.mark.parametrize(
    "message",
    [
        *(None, [], "pause", {}, {"command": None}, {"command": "explode"}, {"command": ["stop"]}),
        *({"command": "park"}, {"command": "step", "count": 0}, {"command": "step", "count": True}),
        *({"command": "step", "count": 1e9}, {"command": "step", "count": 10**9}),
        *({"command": "set"}, {"command": "set", "field": 3, "value": 1}),
        *({"command": "set", "field": "beta"}, {"command": "look", "name": "no view"}),
        {"command": "look", "name": "map", "args": [1]},
    ],
    ids=str,
)
def test_other_commands_are_refused(message: Any) -> None:
    with pytest.raises(Rejected) as refused:
        from_json(message)
    assert refused.value.sentence.endswith(".")


# ---------------------------------------------------------------------- divergence


BREAKS = {"hidden_layers": 2, "hidden_dim": 64}  # narrow networks stand a rate of 1


@pytest.mark.parametrize("dims", [2, 5])
def test_divergence_ends_with_the_last_finite_state_and_the_way_back(
    dims: int, few: Data, tmp_path: Path
) -> None:
    config = {**BREAKS, "learning_rate": 10.0, "latent_dim": dims}
    given = spec("vae", few, tmp_path, 400, previews=True, config=config)
    found = run(given)
    status = ended(found)
    assert status.state == "diverged", (status.message, status.detail)
    assert_way_back(given, status)
    for event in found:
        json.dumps(event.to_wire(), allow_nan=False)


@pytest.mark.parametrize("rate", [1.0, 10.0])
@pytest.mark.parametrize("sync_s", [0.0, 0.1, 1e9])
def test_divergence_of_the_preset(
    rate: float, sync_s: float, few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However seldom the losses are read, a broken state is neither kept nor offered."""
    monkeypatch.setattr("engine.trainer.SYNC_S", sync_s)
    given = spec("vae", few, tmp_path, 300, config={**BREAKS, "learning_rate": rate})
    status = ended(run(given))
    assert status.state == "diverged", (status.message, status.detail)
    assert_way_back(given, status)


def test_a_rewind_goes_before_the_change_that_broke_the_run(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.SYNC_S", 0.0)
    script = Script([Step(30), Set("learning_rate", 10.0), Resume()])
    found = run(spec("vae", few, tmp_path, 400, paused=True, config=BREAKS), script)
    status = ended(found)
    assert status.state == "diverged"
    assert status.extra["rewind"]["learning_rate"] == 3e-3
    header = checkpoint.read_header(last(tmp_path))
    assert header.step == status.step
    assert all(change[0] <= header.step for change in header.history)
    changed = {field: new for _, field, _, new in header.history}
    assert header.config["learning_rate"] == changed.get("learning_rate", 1e-3)


def assert_way_back(given: Any, status: Status) -> None:
    """Every checkpoint that is left is finite, and the newest is where the rewind leads."""
    assert status.message is not None
    assert "diverged at step" in status.message
    rewind = status.extra["rewind"]
    assert rewind["step"] == status.step
    assert rewind["config"]
    assert all(1e-6 <= rate < given.config[name] for name, rate in rewind["config"].items())
    assert str(rewind["step"]) in status.message
    folder = given.folder
    for path in folder.glob("step-*.safetensors"):
        checkpoint.load(path)
    assert checkpoint.read_header(last(folder)).step == rewind["step"]
    slower = {name: min(rate, 1e-3) for name, rate in rewind["config"].items()}
    steps = Budget(rewind["step"] + 5)
    again = run(replace(given, resume=last(folder), config=slower, budget=steps, previews=False))
    assert ended(again).state in ("finished", "diverged")
    assert of(Metrics, again)


@every_key
@pytest.mark.parametrize("steps", [10, 200])
@pytest.mark.parametrize("sync_s", [0.0, 1e9])
def test_weights_that_break_after_a_step_end_the_run(
    key: str,
    steps: int,
    sync_s: float,
    few: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loss is read before the update, so that it does not tell what the last update broke."""
    learner_class = MODELS[key].learner_class
    real = learner_class.training_step

    def broken(self: Any, images: Any, labels: Any, step: int) -> Any:
        record = real(self, images, labels, step)
        if step == 9:
            with torch.no_grad():
                self.trainable()[0].fill_(math.nan)
        return record

    monkeypatch.setattr(learner_class, "training_step", broken)
    monkeypatch.setattr("engine.trainer.SYNC_S", sync_s)
    config = {
        name: 1e-3
        for name in MODELS[key].config_class.__dataclass_fields__
        if name.endswith("learning_rate")
    }
    given = spec(key, few, tmp_path, steps, previews=True, config=config)
    status = ended(run(given))
    assert status.state == "diverged"
    monkeypatch.undo()
    assert_way_back(given, status)


# ---------------------------------------------------------------------- alerts


@pytest.mark.parametrize("beta", [20.0, 100.0])
def test_posterior_collapse_is_said_once_with_a_remedy(beta: float, few: Data) -> None:
    config = {"beta": beta, "learning_rate": 5e-3}
    found = run(spec("vae", few, steps=420, config=config))
    alerts = of(Alert, found)
    assert [a.alert for a in alerts] == ["posterior_collapse"]
    assert alerts[0].remedy == {"beta": 1.0}
    assert alerts[0].step >= 100
    assert "2 of 2" in alerts[0].sentence or "nats" in alerts[0].sentence


def test_a_healthy_run_raises_no_alert(few: Data) -> None:
    assert not of(Alert, run(spec("vae", few, steps=420, config={"learning_rate": 3e-3})))


def test_a_large_beta_leaves_fewer_units_active(few: Data) -> None:
    active = {}
    for beta in (1.0, 20.0):
        config = {"beta": beta, "learning_rate": 3e-3, "latent_dim": 8, "hidden_dim": 32}
        found = run(spec("vae", few, steps=400, config=config))
        active[beta] = of(Metrics, found)[-1].values["active_units"]
    assert active[1.0] >= 4
    assert active[20.0] <= active[1.0] / 4


# ---------------------------------------------------------------------- what cannot start


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"model": "gpt9"}, "no model 'gpt9'"),
        ({"dataset": "cats"}, "no data set 'cats'"),
        ({"config": {"beta": -1}}, "0 to 100; got -1"),
        ({"config": {"hue": 1}}, "no hyperparameter 'hue'"),
        ({"device": "cuda"}, "not on this machine"),
        ({"device": "toaster"}, "Device must be"),
        ({"device": "meta"}, "[Dd]evice"),
        ({"resume": Path("/nowhere/x.safetensors")}, "No such file"),
    ],
    ids=str,
)
def test_what_cannot_start_fails_in_a_sentence(changed: dict, sentence: str, few: Data) -> None:
    found = run(replace(spec("vae", few, steps=3), **changed))
    assert [type(e) for e in found] == [Status]
    assert ended(found).state == "failed"
    assert re.search(sentence, ended(found).message or "")


# ---------------------------------------------------------------------- the monitor

WATCHED = f"{__name__}:Watched"


class Watched(MODELS["vae"].learner_class):  # type: ignore[misc]
    """A learner whose monitor says at each look how many looks it knows of."""

    monitor_interval_s = 1e-9

    def monitor(self, data: Any, step: int) -> Any:
        self.looks = [*getattr(self, "looks", []), step]
        finding = Finding("long_run", f"{len(self.looks)} looks.", level="watch", since=0)
        return {"looks": float(len(self.looks))}, None, [finding] if len(self.looks) > 3 else []

    def recall(self, data: Any, step: int, values: dict[str, float]) -> None:
        self.looks = [*getattr(self, "looks", []), step]


def test_the_monitor_goes_on_where_an_earlier_worker_left_it(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.entry", lambda key: replace(MODELS[key], learner=WATCHED))
    monkeypatch.setattr("engine.trainer.SYNC_S", 0.0)
    monkeypatch.setattr("engine.trainer.MONITOR_SHARE", 1.0)
    journal = Journal(tmp_path)
    given = spec("vae", few, tmp_path, 6, previews=True)
    looks, alerts = [], []
    for end in (3, 6):
        for event in run(replace(given, budget=Budget(end))):
            wire = event.to_wire()
            journal.event(wire, json.dumps(wire, separators=(",", ":")).encode())
            if isinstance(event, Metrics) and event.split == "monitor":
                looks.append(event.values["looks"])
            alerts += [event] if isinstance(event, Alert) else []
        given = replace(given, resume=last(tmp_path))
    assert looks == sorted(set(looks))
    assert looks[-1] >= 6
    assert [(a.alert, a.level, a.since) for a in alerts] == [("long_run", "watch", 0)]


def test_what_a_fork_has_anew_is_a_function_of_its_start(few: Data, tmp_path: Path) -> None:
    run(spec("dcgan", few, tmp_path, 2, config={"generator_batch_norm": False}))
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        learner, _ = restore(last(tmp_path), few.view, CPU, {"generator_batch_norm": True})
        found.append(learner.tensors(optimizers=False))
    assert_same(*found)
    assert learner.steps == 2
