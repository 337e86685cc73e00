"""Twenty workers killed at random moments: their runs end as if nothing had been."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import Data, Script, assert_same_end, few_digits, run, spec
from store_page import LONG, Page

from engine import checkpoint, commands
from engine.executors.process import ProcessExecutor
from engine.journal import Journal
from engine.runs import RunStore

KILLS = 20
STEPS = 260
DELAY_S = (0.0, 0.6)  # after its worker's first word: starting, training, saving


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return few_digits(tmp_path_factory.mktemp("kills"))


@pytest.fixture(scope="module")
def store(pool: ProcessExecutor, data: Data) -> Iterator[RunStore]:
    found = RunStore(data.root, pool)
    yield found
    found.close()


def test_twenty_killed_workers_and_nobody_notices(
    store: RunStore, data: Data, few: Data, tmp_path: Path
) -> None:
    run(spec("vae", few, tmp_path, STEPS))
    victim, bystander = (
        Page(store, data, "owner-victim-012345"),
        Page(store, data, "owner-by-0123456"),
    )
    watched = bystander.start(LONG)
    bystander.until_step(watched, 1)
    pid, chance, killed = bystander.pid(watched), random.Random(6), 0
    for number in range(3 * KILLS):  # a run that was quicker than its kill does not count
        if killed == KILLS:
            break
        mine = victim.start(STEPS)
        target = victim.until(mine, "worker", lambda: victim.pid(mine))  # noqa: B023
        end = time.monotonic() + chance.uniform(*DELAY_S)
        while time.monotonic() < end and victim.view(mine)["state"] != "finished":
            asyncio.run(store.wait(mine, victim.view(mine)["last_seq"], 0.02))
        if victim.pid(mine) == target:
            os.kill(target, signal.SIGKILL)
            killed += 1
        assert victim.until_state(mine, "finished", "failed")["state"] == "finished", number
        assert_same_end(victim.folder(mine), tmp_path, f"kill {number}")
        steps = [e["step"] for e in victim.events(mine, "metrics") if e["split"] == "train"]
        assert steps == sorted(set(steps)), number
        victim.clear()
    assert killed == KILLS
    assert bystander.pid(watched) == pid
    states = [e["state"] for e in bystander.events(watched, "status")]
    assert states[-1] == "running"
    assert not any(e["message"] for e in bystander.events(watched, "status"))
    seqs = [e["seq"] for e in bystander.events(watched)]
    assert seqs == sorted(set(seqs))
    bystander.clear()


def save_for_ever(folder: Path, few: Data) -> None:
    """Train in a process of its own, saving all the time."""
    given = spec("vae", few, folder, LONG)
    script = Script(running=dict.fromkeys(range(1, 10**6), commands.Save()))
    run(given, script)


def test_a_process_killed_while_it_saves_leaves_whole_checkpoints(
    pool: ProcessExecutor, few: Data, tmp_path: Path
) -> None:
    context, chance = multiprocessing.get_context("forkserver"), random.Random(27)
    for number in range(12):
        folder = tmp_path / str(number)
        process = context.Process(target=save_for_ever, args=(folder, few))
        process.start()
        while not list(folder.glob("step-*.safetensors")) and process.is_alive():
            process.join(0.01)
        process.join(chance.uniform(0, 0.15))
        process.kill()
        process.join()
        saved = checkpoint.saved_steps(folder)
        assert saved
        assert all(checkpoint.sound(path) for path in saved.values()), number
        Journal(folder).sweep()
        assert not list(folder.glob("*.tmp.*"))
