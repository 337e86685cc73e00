"""Straight, paused, stepped, sliced, killed and resumed: the same bits, for every model."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small import (
    CASES,
    CPU,
    KEYS,
    Data,
    Script,
    Waiter,
    assert_same,
    assert_same_end,
    ended,
    fitting,
    last,
    live,
    run,
    spec,
    usual,
)

from engine import checkpoint
from engine.commands import Park, Pause, Resume, Save, Set, Step
from engine.errors import CheckpointError
from engine.evaluation import evaluate
from engine.events import Changed, Metrics
from engine.executors.process import Handle, ProcessExecutor
from engine.spec import Budget, RunSpec
from engine.trainer import restore

STEPS = 70  # more than two epochs of the few pictures, and past the first saved power of two
every_key = pytest.mark.parametrize("key", KEYS)
every_case = pytest.mark.parametrize(("key", "variant"), CASES)


@pytest.fixture(scope="module")
def straight(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the folder of an uninterrupted run of a model in one of its forms."""
    done: dict[tuple[str, str | None], Path] = {}

    def folder(key: str, variant: str | None = None) -> Path:
        if (key, variant) not in done:
            done[key, variant] = tmp_path_factory.mktemp(f"{key}-{variant}")
            run(spec(key, few, done[key, variant], STEPS, config=usual(key, variant)))
        return done[key, variant]

    return folder


# ---------------------------------------------------------------------- one process


@every_key
def test_two_straight_runs_are_equal(key: str, few: Data, straight: Any, tmp_path: Path) -> None:
    run(spec(key, few, tmp_path, STEPS))
    assert_same_end(tmp_path, straight(key))


@every_case
def test_paused_and_stepped(
    key: str, variant: str, few: Data, straight: Any, tmp_path: Path
) -> None:
    commands = [Step(1), Step(3), Save(), Step(1), Resume()]
    given = spec(key, few, tmp_path, STEPS, paused=True, config=usual(key, variant))
    run(given, Script(commands))
    assert_same_end(tmp_path, straight(key, variant))


@every_key
def test_paused_while_it_runs(
    key: str, few: Data, straight: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    script = Script([Resume(), Step(2), Resume()], {5: Pause(), 40: Pause()})
    run(spec(key, few, tmp_path, STEPS), script)
    assert not script.waiting
    assert_same_end(tmp_path, straight(key))


@every_case
@pytest.mark.parametrize("ends", [(10, 25), (1, 2, 64, 65)], ids=str)
def test_sliced_by_budget(
    key: str, variant: str, ends: tuple[int, ...], few: Data, straight: Any, tmp_path: Path
) -> None:
    given = spec(key, few, tmp_path, STEPS, config=usual(key, variant))
    for end in (*ends, STEPS):
        run(given, None) if end == STEPS else run(replace(given, budget=Budget(end)))
        given = replace(given, resume=last(tmp_path))
    assert_same_end(tmp_path, straight(key, variant))


@every_key
def test_sliced_by_parking(
    key: str, few: Data, straight: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.trainer.POLL_S", 0.0)
    given, slices = spec(key, few, tmp_path, STEPS), 0
    while ended(run(given, Script(running={20: Park()}))).state == "parked":
        given, slices = replace(given, resume=last(tmp_path)), slices + 1
        assert slices < STEPS, "the slices come to no end"
    assert slices == 3
    assert_same_end(tmp_path, straight(key))


@every_key
def test_evaluation_of_the_resumed_run_is_equal(
    key: str, few: Data, straight: Any, tmp_path: Path
) -> None:
    given = spec(key, few, tmp_path, STEPS)
    run(replace(given, budget=Budget(33)))
    run(replace(given, resume=last(tmp_path)))
    found, expected = (
        evaluate(last(folder), device="cpu", data_root=few.root)
        for folder in (tmp_path, straight(key))
    )
    del found["seconds"], expected["seconds"]
    assert found == expected


@every_key
def test_test_metrics_of_slices_are_those_of_the_straight_run(
    key: str, few: Data, tmp_path: Path
) -> None:
    def tested(found: list[Any]) -> dict[int, dict[str, float]]:
        return {e.step: e.values for e in found if isinstance(e, Metrics) and e.split == "test"}

    given = spec(key, few, tmp_path, STEPS)
    expected = tested(run(replace(given, folder=None)))
    found = tested(run(replace(given, budget=Budget(20))))
    found |= tested(run(replace(given, resume=last(tmp_path))))
    assert set(expected) <= set(found) == set(expected) | {20}
    assert all(found[step] == expected[step] for step in expected if step < STEPS)


# ---------------------------------------------------------------------- live changes


@every_key
def test_live_changes_are_repeated_by_their_steps(key: str, few: Data, tmp_path: Path) -> None:
    rate, other = live(key)
    commands = [
        *(Step(5), Set(rate, 5e-3), Step(10), Set(other, 0.5)),
        *(Set(rate, 1e-4), Step(1), Set(rate, 1e-4), Resume()),
    ]
    given = spec(key, few, tmp_path / "live", STEPS)
    found = run(replace(given, paused=True), Script(commands))
    changes = tuple((e.step, e.field, e.new) for e in found if isinstance(e, Changed))
    assert changes == ((5, rate, 5e-3), (15, other, 0.5), (15, rate, 1e-4))
    header, _ = checkpoint.load(last(tmp_path / "live"))
    assert tuple((step, field, new) for step, field, _, new in header.history) == changes
    assert header.config[rate] == 1e-4

    run(replace(given, folder=tmp_path / "repeated", changes=changes))
    assert_same_end(tmp_path / "repeated", tmp_path / "live")


@every_key
def test_live_changes_and_slices(key: str, few: Data, tmp_path: Path) -> None:
    """A slice takes its config from the checkpoint, where earlier changes stand already."""
    rate, other = live(key)
    changes = ((7, rate, 5e-3), (20, rate, 2e-3), (41, other, 0.3))
    given = spec(key, few, tmp_path / "straight", STEPS, changes=changes)
    run(given)
    given = replace(given, folder=tmp_path / "sliced")
    for end in (7, 20, 30, STEPS):
        run(replace(given, budget=Budget(end)))
        given = replace(given, resume=last(tmp_path / "sliced"), config={})
    assert_same_end(tmp_path / "sliced", tmp_path / "straight")
    one, two = (checkpoint.load(last(tmp_path / n))[0].history for n in ("straight", "sliced"))
    assert one == two


@every_key
def test_an_override_at_a_resume_stands_in_the_history(key: str, few: Data, tmp_path: Path) -> None:
    rate, _ = live(key)
    given = spec(key, few, tmp_path, STEPS)
    before = getattr(given.checked_config(), rate)
    run(replace(given, budget=Budget(10)))
    run(replace(given, resume=last(tmp_path), config={rate: 0.004}))
    header, _ = checkpoint.load(last(tmp_path))
    assert header.history == ((10, rate, before, 0.004),)


# ---------------------------------------------------------------------- weights only


@every_key
def test_weights_alone_resume_with_a_fresh_optimizer(
    key: str, few: Data, straight: Any, tmp_path: Path
) -> None:
    header, tensors = checkpoint.load(last(straight(key)))
    weights = {name: v for name, v in tensors.items() if name.startswith("networks.")}
    light = tmp_path / "light.safetensors"
    checkpoint.save(light, replace(header, has_optimizer=False), weights)
    assert light.stat().st_size < last(straight(key)).stat().st_size / 2

    learner, _ = restore(light, fitting(key, few).view, CPU)
    assert_same(learner.tensors(optimizers=False), weights)
    run(spec(key, few, tmp_path, STEPS + 4, resume=light))
    header, tensors = checkpoint.load(last(tmp_path))
    assert header.step == STEPS + 4
    steps = {int(v) for name, v in tensors.items() if name.endswith(".step")}
    assert steps == {4}
    assert any(not torch.equal(tensors[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"hidden_dim": 24}, "expected"),
        ({"latent_dim": 3}, "expected"),
        ({"network": "conv"}, "lacks"),
        ({"hidden_layers": 2}, "lacks|expected"),
    ],
    ids=str,
)
def test_another_architecture_is_refused(
    changed: dict, sentence: str, few: Data, straight: Any, tmp_path: Path
) -> None:
    found = run(spec("vae", few, tmp_path, resume=last(straight("vae")), config=changed))
    assert ended(found).state == "failed"
    assert checkpoint_sentence(found, sentence)


def test_a_checkpoint_of_another_model_is_refused(few: Data, straight: Any, tmp_path: Path) -> None:
    given = spec("ae", few, tmp_path, resume=last(straight("vae")))
    found = run(replace(given, config={}))
    assert ended(found).state == "failed"
    assert checkpoint_sentence(found, "vae")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_pictures_of_another_shape_is_refused(
    colour: Data, straight: Any, tmp_path: Path
) -> None:
    found = run(spec("vae", colour, tmp_path, resume=last(straight("vae"))))
    assert ended(found).state == "failed"
    assert checkpoint_sentence(found, r"\(1, 28, 28\).*\(3, 32, 32\)")


def checkpoint_sentence(found: list[Any], pattern: str) -> bool:
    with pytest.raises(CheckpointError, match=pattern):
        raise CheckpointError(ended(found).message or "")
    return True


# ---------------------------------------------------------------------- worker processes


def in_worker(pool: ProcessExecutor, given: RunSpec) -> str:
    """Run in a worker to the end of the run; return its last state."""
    waiter = Waiter()
    pool.start(given, waiter.on_event, waiter.on_end)
    status = waiter.end()
    assert waiter.clean, status
    return status["state"]


@every_case
def test_in_a_worker(
    key: str, variant: str, few: Data, straight: Any, pool: ProcessExecutor, tmp_path: Path
) -> None:
    given = spec(key, few, tmp_path, STEPS, previews=True, config=usual(key, variant))
    assert in_worker(pool, given) == "finished"
    assert_same_end(tmp_path, straight(key, variant))


@every_key
def test_begun_here_and_ended_in_a_worker(
    key: str, few: Data, straight: Any, pool: ProcessExecutor, tmp_path: Path
) -> None:
    given = spec(key, few, tmp_path, STEPS)
    run(replace(given, budget=Budget(31)))
    assert in_worker(pool, replace(given, resume=last(tmp_path))) == "finished"
    assert_same_end(tmp_path, straight(key))


@contextmanager
def started(pool: ProcessExecutor, given: RunSpec) -> Iterator[tuple[Waiter, Handle]]:
    """Start a run in a worker; a test that fails gives the worker back."""
    waiter = Waiter()
    handle = pool.start(given, waiter.on_event, waiter.on_end)
    try:
        yield waiter, handle
    except BaseException:
        handle.kill()
        raise


@every_key
def test_parked_and_paused_in_a_worker(
    key: str, few: Data, straight: Any, pool: ProcessExecutor, tmp_path: Path
) -> None:
    given = spec(key, few, tmp_path, STEPS, paused=True)
    with started(pool, given) as (waiter, handle):
        handle.send(Step(30))
        waiter.until("step 30", lambda: any(meta.get("step") == 30 for meta, _ in waiter.seen))
        handle.send(Park())
        assert waiter.end()["state"] == "parked"
    assert in_worker(pool, replace(given, resume=last(tmp_path), paused=False)) == "finished"
    assert_same_end(tmp_path, straight(key))


@every_key
def test_killed_and_resumed_by_hand(
    key: str, few: Data, straight: Any, pool: ProcessExecutor, tmp_path: Path
) -> None:
    """Saved at step 64, a power of two, and killed at 67."""
    given = spec(key, few, tmp_path, STEPS, paused=True)
    with started(pool, given) as (waiter, handle):
        handle.send(Step(67))
        waiter.until("step 67", lambda: any(meta.get("step") == 67 for meta, _ in waiter.seen))
        assert handle.pid is not None
        os.kill(handle.pid, signal.SIGKILL)
        waiter.until("end of the worker", lambda: waiter.clean is not None)
        assert waiter.clean is False
    assert last(tmp_path).name == "step-00000064.safetensors"
    resumed = replace(given, resume=last(tmp_path), paused=False)
    assert in_worker(pool, resumed) == "finished"
    assert_same_end(tmp_path, straight(key))
