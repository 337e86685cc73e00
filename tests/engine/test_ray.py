"""Runs on a Ray cluster of two nodes on this machine: bit-identical, whatever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small import Data, assert_same_end, assert_sentence, few_digits, run, spec

from engine import checkpoint
from engine.events import ACTIVE
from engine.executors import cluster_gate
from engine.executors import ray as cluster
from engine.executors.process import ProcessExecutor
from engine.executors.ray import ClusterError, RayExecutor
from engine.runs import RunStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OWNER = "owner-ada-0123456789"
LONG = 1_000_000
NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 100 * 2**20}


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A head and a second node, each with room for one run, all on loopback."""
    pytest.importorskip("ray")
    before = dict(os.environ)
    os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", **cluster_gate.ENVIRONMENT)
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    found.second = found.add_node(**NODE)
    yield found
    found.shutdown()
    for name in set(os.environ) - set(before):
        del os.environ[name]


@pytest.fixture(scope="module")
def explorer() -> Iterator[ProcessExecutor]:
    found = ProcessExecutor(0, device="cpu")
    yield found
    found.close()


class Page:
    """One person's way to the store, with deadlines."""

    def __init__(self, store: RunStore, executor: RayExecutor, data: Data) -> None:
        self.store, self.executor, self.data = store, executor, data

    def start(self, steps: int = LONG) -> str:
        given = spec("vae", self.data)
        return self.store.start(OWNER, "vae", self.data.key, given.config, 0, steps)

    def tell(self, run_id: str, command: str, **more: Any) -> None:
        self.store.command(OWNER, run_id, {"command": command, **more})

    def view(self, run_id: str) -> dict[str, Any]:
        return self.store.view(run_id, OWNER)

    def events(self, run_id: str, kind: str) -> list[dict[str, Any]]:
        found = [json.loads(e.wire) for e in self.store.events(run_id, 0)]
        return [e for e in found if e["kind"] == kind]

    def until(
        self, run_id: str, true: Callable[[dict[str, Any]], Any], timeout_s: float = 60
    ) -> Any:
        """Wait for the run's events until something is true of its view."""
        deadline = time.monotonic() + timeout_s
        while True:
            view = self.view(run_id)
            if found := true(view):
                return found
            left = deadline - time.monotonic()
            assert left > 0, (view, self.executor.describe())
            asyncio.run(self.store.wait(run_id, view["last_seq"], min(left, 1.0)))

    def until_state(self, run_id: str, state: str, timeout_s: float = 60) -> None:
        self.until(run_id, lambda view: view["state"] == state, timeout_s)

    def until_saved(self, run_id: str, step: int = 64) -> None:
        self.until(run_id, lambda v: any(c["step"] >= step for c in v["checkpoints"]))

    def pid(self, run_id: str) -> int:
        mine = [w["pid"] for w in self.executor.describe()["workers"] if w["run"] == run_id]
        assert len(mine) == 1
        return mine[0]

    def clear(self) -> None:
        for view in self.store.list(OWNER):
            self.store.delete(OWNER, view["id"])


def page_on(two_nodes: Any, explorer: ProcessExecutor, root: Path, **options: Any) -> Page:
    data = few_digits(root)
    executor = RayExecutor(
        two_nodes.address,
        root,
        device="cpu",
        explorer=explorer,
        look_s=0.3,
        silence_s=5.0,
        **options,
    )
    return Page(RunStore(root, executor), executor, data)


@pytest.fixture(scope="module")
def apart(
    two_nodes: Any, explorer: ProcessExecutor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A server whose folder the nodes do not see: all goes by the object store."""
    page = page_on(two_nodes, explorer, tmp_path_factory.mktemp("apart"), shared=False)
    yield page
    page.store.close()
    page.executor.close()


@pytest.fixture
def ada(apart: Page) -> Iterator[Page]:
    yield apart
    apart.clear()


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Data, int], Path]:
    """Return the folder of an undisturbed run in a process executor's worker."""

    def folder(data: Data, steps: int) -> Path:
        found = tmp_path_factory.mktemp("straight")
        run(spec("vae", data, found, steps))
        return found

    return folder


def went_on_from(page: Page, run_id: str) -> list[str]:
    told = page.events(run_id, "status")
    return [e["message"] for e in told if e["state"] == "queued" and e["message"]]


# ---------------------------------------------------------------------- without a cluster


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "there", "host:", ":1"])
def test_no_cluster_is_one_sentence_soon(address: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ClusterError) as refused:
        RayExecutor(address, tmp_path)
    assert_sentence(refused.value)
    assert time.monotonic() - began < 2 * cluster.PROBE_S


def test_ray_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"requirements-ray\.txt") as refused:
        cluster.check("auto")
    assert_sentence(refused.value)


# ---------------------------------------------------------------------- on two nodes


def test_a_run_ends_bit_identical(ada: Page, straight: Callable[[Data, int], Path]) -> None:
    mine = ada.start(200)
    ada.until_state(mine, "finished")
    assert_same_end(ada.store.root / mine, straight(ada.data, 200))
    steps = [c["step"] for c in ada.view(mine)["checkpoints"]]
    assert steps == [64, 128, 200]
    assert any(e["split"] == "test" for e in ada.events(mine, "metrics"))


def test_commands_and_live_views(ada: Page) -> None:
    mine = ada.start()
    ada.until(mine, lambda view: view["state"] == "running" and view["step"] > 10)
    drawn = ada.store.explore({"run": mine}, "reconstructions", {}).result(30)
    assert json.loads(drawn)["type"] == "views"
    ada.tell(mine, "set", field="learning_rate", value=2e-4)
    ada.tell(mine, "pause")
    ada.until_state(mine, "paused")
    before = ada.view(mine)["step"]
    ada.tell(mine, "step", count=3)
    ada.until(mine, lambda view: view["step"] == before + 3)
    assert [e["new"] for e in ada.events(mine, "changed")] == [2e-4]
    ada.tell(mine, "resume")
    ada.until(mine, lambda view: view["step"] > before + 20)
    ada.tell(mine, "stop")
    ada.until_state(mine, "stopped")
    header = checkpoint.read_header(ada.store.saved(mine))
    assert header.config["learning_rate"] == 2e-4
    seen = json.loads(ada.store.explore({"run": mine}, "reconstructions", {}).result(60))
    assert seen["type"] == "views"


def test_who_finds_no_slot_waits_in_our_queue(ada: Page) -> None:
    ada.until(ada.start(), lambda view: view["state"] == "running")
    second = ada.start()
    ada.until(second, lambda view: view["state"] == "running")
    third = ada.start()
    assert (ada.view(third)["state"], ada.view(third)["position"]) == ("queued", 1)
    assert ada.executor.free() == 0
    assert len(ada.executor.describe()["workers"]) == ada.executor.describe()["slots"] == 2
    ada.tell(second, "stop")
    ada.until_state(third, "running")


def test_a_killed_actor_loses_the_work_since_the_last_checkpoint(
    ada: Page, straight: Callable[[Data, int], Path]
) -> None:
    steps = 1000
    mine = ada.start(steps)
    ada.until_saved(mine, 128)
    pid = ada.pid(mine)
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    ada.until(mine, lambda _: went_on_from(ada, mine))
    assert time.monotonic() - began < 10
    last = max(c["step"] for c in ada.view(mine)["checkpoints"])
    assert last >= 128
    ada.until_state(mine, "finished")
    assert len(went_on_from(ada, mine)) == 1
    assert_same_end(ada.store.root / mine, straight(ada.data, steps))
    assert not Path(f"/proc/{pid}").exists()


def test_a_deleted_run_leaves_nothing(ada: Page) -> None:
    mine = ada.start()
    ada.until_saved(mine)
    folder = ada.store.root / mine
    ada.store.delete(OWNER, mine)
    again = ada.start(20)
    ada.until_state(again, "finished")
    assert not folder.exists()


def test_the_web_process_has_neither_torch_nor_ray(two_nodes: Any, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.executors.ray import RayExecutor\n"
        "if __name__ == '__main__':\n"
        f"    found = RayExecutor({two_nodes.address!r}, Path({str(tmp_path)!r}), workers=0)\n"
        "    print(found.free(), *({'torch', 'ray'} & set(sys.modules)))\n"
        "    found.close()\n"
    )
    path = tmp_path / "server.py"
    path.write_text(script)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["0"], done.stderr


# ---------------------------------------------------------------------- a node, then all, die


def test_a_node_dies_and_then_the_head(
    two_nodes: Any,
    apart: Page,
    explorer: ProcessExecutor,
    tmp_path: Path,
    straight: Callable[[Data, int], Path],
) -> None:
    """Last in this file. The folder is shared here: nothing travels but events."""
    apart.store.close()
    apart.executor.close()
    page = page_on(two_nodes, explorer, tmp_path)
    steps = 1000
    try:
        both = [page.start(steps), page.start(steps)]
        for one in both:
            page.until_saved(one)
        two_nodes.remove_node(two_nodes.second, allow_graceful=False)
        began = time.monotonic()
        page.until(both[0], lambda _: any(went_on_from(page, one) for one in both))
        assert time.monotonic() - began < 60
        expected = straight(page.data, steps)
        for one in both:
            page.until(one, lambda view: view["state"] not in ACTIVE, 90)
            assert page.view(one)["state"] == "finished"
            assert_same_end(page.store.root / one, expected)
        assert sum(len(went_on_from(page, one)) for one in both) == 1
        third = page.start()
        page.until_saved(third)
        two_nodes.shutdown()
        page.until_state(third, "queued")
        assert page.executor.free() == 0
        assert page.store.saved(third).is_file()
    finally:
        page.store.close()
        page.executor.close()
