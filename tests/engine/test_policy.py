"""What may be asked for, and what a machine carries."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small import assert_sentence

from engine import capacity as machine
from engine.capacity import GPU_RUN_MB, RUN_MB, SERVER_MB, capacity
from engine.errors import Rejected
from engine.policy import Policy
from engine.spec import Budget


@pytest.mark.parametrize(
    ("policy", "config", "budget", "begin", "field"),
    [
        (Policy(caps={"batch_size": 64}), {"batch_size": 65}, Budget(5), 0, "batch_size"),
        (Policy(caps={"beta": 1.5}), {"beta": 1.6}, Budget(5), 0, "beta"),
        (Policy(max_steps=100), {}, Budget(101), 0, "max_steps"),
        (Policy(max_steps=100), {}, Budget(1101), 1000, "max_steps"),
        (Policy(max_seconds=60), {}, Budget(None, 61), 0, "max_seconds"),
    ],
)
def test_too_much_is_refused_in_a_sentence(
    policy: Policy, config: dict[str, Any], budget: Budget, begin: int, field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        policy.check(config, budget, begin)
    assert_sentence(refused.value)
    assert refused.value.field == field


def test_what_is_allowed_passes() -> None:
    policy = Policy(max_steps=100, max_seconds=60, caps={"batch_size": 64, "width": 8})
    policy.check({"batch_size": 64, "deep": True}, Budget(1100, 60), begin=1000)
    policy.check({"batch_size": True, "width": "8"}, Budget(100))  # other checks refuse these
    Policy().check({"batch_size": 10**9}, Budget(10**7, 10**6))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a way to lay out a machine's files: eight cores, 32 GB and what is given."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def lay(found: dict[str, str]) -> Path:
        given = {"proc/meminfo": f"MemTotal: {32 * 2**20} kB\nMemFree: 1 kB\n", **found}
        for name, text in given.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return lay


def test_cores_and_memory_of_a_bare_machine(files: Any) -> None:
    found = capacity(root=files({}))
    assert (found.slots, found.threads, found.devices) == (8, 1, ("auto",))
    assert found.memory_mb == (32 * 1024 - SERVER_MB) // 8
    assert "8 cores" in found.why


@pytest.mark.parametrize(
    "found",
    [
        {
            "proc/self/cgroup": "0::/kube/pod\n",
            "sys/fs/cgroup/kube/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/kube/pod/cpu.max": "max 100000\n",
            "sys/fs/cgroup/kube/pod/memory.max": "max\n",
        },
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"},
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n",
            "sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "9223372036854771712\n",
        },
    ],
    ids=["version 2, nested", "version 2, container", "version 1"],
)
def test_the_group_cuts_the_cores(found: dict[str, str], files: Any) -> None:
    assert capacity(root=files(found)).slots == 2


def test_the_group_cuts_the_memory(files: Any) -> None:
    limit = (SERVER_MB + 3 * RUN_MB) * 2**20
    root = files({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": f"{limit}\n"})
    found = capacity(root=root)
    assert (found.slots, found.memory_mb) == (3, RUN_MB)
    assert capacity(5, root).slots == 5
    assert "asked for" in capacity(5, root).why


def test_a_tiny_machine_carries_one_run(files: Any) -> None:
    root = files({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": f"{2**29}\n"})
    assert capacity(root=root).slots == 1


def test_runs_are_spread_over_gpus(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    root = files({"proc/driver/nvidia/gpus/0/information": "", "proc/driver/nvidia/gpus/1/x": ""})
    told = SimpleNamespace(stdout=f"{GPU_RUN_MB * 3}\n{GPU_RUN_MB * 100}\n")
    monkeypatch.setattr(machine.subprocess, "run", lambda *a, **k: told)
    found = capacity(root=root)
    assert found.devices == ("cuda:0", "cuda:1")
    assert found.slots == 3 + 8
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert capacity(root=root).devices == ("auto",)


def test_a_driver_without_its_tool_still_counts(files: Any, monkeypatch: Any) -> None:
    def missing(*args: Any, **more: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    assert capacity(root=files({"proc/driver/nvidia/gpus/0/information": ""})).slots == 2
