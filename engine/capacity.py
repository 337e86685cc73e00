"""What this machine can carry: how many runs at once, on which devices, with how much memory.

Read from the system without importing torch: cores that this process may use, the limits of
its control group, and GPUs by the driver's own files or `nvidia-smi`.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MAX_SLOTS = 64
SERVER_MB = 1500  # the web process, the fork server and the exploring worker
RUN_MB = 700  # of a run on the CPU, at its largest here
GPU_RUN_MB = 3000  # of a run on a GPU, its CUDA context among it
GPU_SLOTS = 8  # more only take turns on its compute units
_UNLIMITED = 2**60


@dataclass(frozen=True)
class Capacity:
    """How many runs at once (`slots`), each with `threads`, on which devices; and `why`."""

    slots: int
    threads: int
    devices: tuple[str, ...]
    memory_mb: int | None
    why: str

    @property
    def device(self) -> str:
        """The first device, for those who take only one."""
        return self.devices[0]


def capacity(asked: int | None = None, root: Path = Path("/")) -> Capacity:
    """Return what the machine carries; `asked` slots are taken as they are.

    `root` is where the system's files lie, for tests.
    """
    cores, memory, gpus = _cores(root), _memory_mb(root), _gpus(root)
    words = [f"{cores:g} cores"]
    if memory is not None:
        words.append(f"{memory / 1024:.1f} GB of memory")
    if gpus:
        words.append(f"{len(gpus)} GPU{'s' if len(gpus) > 1 else ''}")
    slots = _slots(cores, memory, gpus)
    if asked is not None:
        slots = max(1, min(asked, MAX_SLOTS))
        words.append(f"{slots} at once as asked for")
    share = None if memory is None else max(RUN_MB, (memory - SERVER_MB) // slots)
    devices = tuple(f"cuda:{i}" for i in range(len(gpus))) or ("auto",)
    threads = 1  # the same on every host: what is learnt depends on it
    return Capacity(slots, threads, devices, share, ", ".join(words))


def _slots(cores: float, memory: int | None, gpus: list[int]) -> int:
    most = max(1, int(cores))
    if gpus:
        fit = sum(max(1, min(GPU_SLOTS, mb // GPU_RUN_MB)) for mb in gpus)
        most = min(fit, max(len(gpus), 2 * most))  # a run on a GPU waits for it half its time
    if memory is not None:
        most = min(most, max(1, (memory - SERVER_MB) // RUN_MB))
    return max(1, min(most, MAX_SLOTS))


def _cores(root: Path) -> float:
    """Return the cores that this process may use: affinity, cut by the group's quota."""
    try:
        found = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # not Linux
        found = float(os.cpu_count() or 1)
    for folder in _groups(root, "cpu"):
        words = _read(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            found = min(found, int(words[0]) / int(words[1]))
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            found = min(found, int(quota) / int(period))
    return found


def _memory_mb(root: Path) -> int | None:
    """Return the memory of the machine, cut by the group's limit; None when nothing says."""
    known = []
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            known.append(int(line.split()[1]) * 1024)
    for folder in _groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            if text.isdecimal() and int(text) < _UNLIMITED:
                known.append(int(text))
    return min(known) // 2**20 if known else None


def _groups(root: Path, controller: str) -> list[Path]:
    """Return the folders of this process's control groups, innermost first, of both versions."""
    base, found = root / "sys/fs/cgroup", []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = base / controller if names else base
        inner = top / path.strip("/")
        while inner != top and top in inner.parents:
            found.append(inner)
            inner = inner.parent
        found.append(top)
    return [*found, base, base / controller]


def _gpus(root: Path) -> list[int]:
    """Return the memory of each GPU that may be used, in MB."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return []
    if not (root / "proc/driver/nvidia/gpus").is_dir():
        return []
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        told = ""
    found = [int(line) for line in told.splitlines() if line.strip().isdecimal()]
    if not found:
        found = [GPU_RUN_MB * 2 for _ in (root / "proc/driver/nvidia/gpus").iterdir()]
    if visible is not None:
        found = found[: len(visible.split(","))]
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
