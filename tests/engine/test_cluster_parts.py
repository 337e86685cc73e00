"""What a run takes along to another machine, what comes back, and the bounded way in between."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from small import Data, assert_same_end, run, spec

from engine import checkpoint
from engine.errors import NotFound
from engine.executors import cluster_actor
from engine.executors.cluster_actor import Buffer, LeasedInbox
from engine.executors.cluster_parcel import Probe, keep, pack, saved, unpack


@pytest.fixture
def parked(few: Data, tmp_path: Path) -> Path:
    """A folder with checkpoints of steps 64, 128 and 130."""
    folder = tmp_path / "mine"
    run(spec("vae", few, folder, 130))
    assert list(checkpoint.saved_steps(folder)) == [64, 128, 130]
    return folder


def test_a_run_goes_on_from_its_parcel_bit_identically(
    few: Data, parked: Path, tmp_path: Path
) -> None:
    newest = checkpoint.step_path(parked, 130)
    given = replace(spec("vae", few, parked, 200), resume=newest, going_on=True)
    parcel = pack(given)
    assert set(parcel.files) == {newest.name, next(n for n in parcel.files if "datasets/" in n)}
    there = frozenset(n for n in parcel.files if n.startswith("datasets/"))
    assert set(pack(given, there).files) == {newest.name}  # the data set is there already
    assert str(tmp_path) not in repr(parcel.spec)
    found = unpack(parcel, tmp_path / "node")
    run(found)
    run(spec("vae", few, tmp_path / "straight", 200))
    assert found.folder is not None
    assert_same_end(found.folder, tmp_path / "straight")


def test_a_damaged_checkpoint_is_passed_over(few: Data, parked: Path) -> None:
    newest = checkpoint.step_path(parked, 130)
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    given = replace(spec("vae", few, parked, 200), resume=newest, going_on=True)
    assert pack(given).start == checkpoint.step_path(parked, 128).name
    for path in checkpoint.saved_steps(parked).values():
        path.write_bytes(b"")
    parcel = pack(given)
    assert (parcel.start, parcel.spec.going_on) == (None, False)


def test_what_is_gone_is_one_sentence(few: Data, tmp_path: Path) -> None:
    given = replace(spec("vae", few, tmp_path / "mine"), resume=tmp_path / "gone.safetensors")
    with pytest.raises(NotFound, match=r"gone\.safetensors"):
        pack(given)


def test_what_comes_back_is_kept_as_the_run_keeps_it(parked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    content = saved(parked, {"kind": "saved", "step": 130})
    assert content is not None
    assert saved(parked, {"kind": "metrics", "step": 130}) is None
    assert saved(parked, {"kind": "saved", "step": 1}) is None
    for step in (64, 100, 128, 130, 140):
        keep(folder, step, content)
    assert list(checkpoint.saved_steps(folder)) == [64, 128, 130, 140]
    keep(folder, 128, content)  # the run went back
    assert list(checkpoint.saved_steps(folder)) == [64, 128]


def test_a_shared_folder_is_seen_by_what_is_in_it(tmp_path: Path) -> None:
    probe = Probe(tmp_path)
    assert Probe.seen(probe.path, probe.token)
    assert not Probe.seen(probe.path, "another")
    assert not Probe.seen(tmp_path / "elsewhere", probe.token)
    probe.close()
    assert list(tmp_path.iterdir()) == []


def test_events_wait_in_a_bounded_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_actor, "MAX_ITEMS", 3)
    buffer = Buffer()
    put = threading.Thread(target=lambda: [buffer.put(({"n": n}, b"", None)) for n in range(9)])
    put.start()
    found: list[int] = []
    while len(found) < 9:
        items, ended = buffer.take(5.0)
        assert 1 <= len(items) <= 3
        assert not ended
        found += [meta["n"] for meta, _, _ in items]
    put.join(5)
    assert found == list(range(9))
    buffer.end()
    assert buffer.take(5.0) == ([], True)


def test_a_run_that_nobody_asks_for_ends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = Buffer()
    inbox = LeasedInbox(buffer)
    assert inbox.poll() == []
    monkeypatch.setattr(cluster_actor, "LEASE_S", -1.0)
    for look in (inbox.poll, lambda: inbox.wait(0)):
        with pytest.raises(TimeoutError):
            look()
