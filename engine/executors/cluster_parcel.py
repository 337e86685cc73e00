"""A run that travels: its specification and the files it needs, and its checkpoints back.

Used where the place of training may not see the server's folder (a node of a cluster, a GPU
lease). Only what this one run needs goes: its start point, what a person brought, and what the
monitor saw so far. Everything is bytes and numbers; nothing here imports torch.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import checkpoint, data
from engine.data import fashion
from engine.errors import DataError, NotFound
from engine.journal import Journal
from engine.spec import RunSpec

START = "start.safetensors"
MONITORED = "events.jsonl"
DATASETS = "datasets"  # under the server's root, as in `engine.data.saved`
KEEP_LAST = 2  # beside the powers of two, as `trainer.prune`


@dataclass(frozen=True)
class Parcel:
    """A specification without paths, and files by name."""

    spec: RunSpec
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return how many bytes the files have."""
        return sum(map(len, self.files.values()))


def pack(spec: RunSpec, there: frozenset[str] = frozenset()) -> Parcel:
    """Read what a run needs from the server's folders, without data files that are `there`.

    Raises `NotFound` or `DataError` with one sentence when something of it is gone.
    """
    files: dict[str, bytes] = {}
    if spec.resume is not None:
        files[START] = _read(spec.resume)
    for path in _data_files(spec):
        name = f"{DATASETS}/{path.name}"
        if name not in there:
            files[name] = _read(path)
    if spec.folder is not None and spec.resume is not None and spec.previews:
        seen = Journal(spec.folder).monitored()
        files[MONITORED] = b"\n".join(json.dumps(event).encode() for event in seen)
    return Parcel(replace(spec, resume=None, folder=None, data_root=None), files)


def unpack(parcel: Parcel, folder: Path, root: Path) -> RunSpec:
    """Lay a parcel out on this machine and return the run as `train` takes it.

    `folder` is the run's own and empty; data sets go to `root` and stay for later runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in parcel.files.items():
        path = (root if name.startswith(f"{DATASETS}/") else folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    resume = folder / START if START in parcel.files else None
    return replace(parcel.spec, resume=resume, folder=folder, data_root=root)


def saved(folder: Path | None, meta: dict[str, Any]) -> bytes | None:
    """Return the checkpoint that a `saved` event tells of, or None for any other event."""
    if folder is None or meta["kind"] != "saved":
        return None
    with suppress(OSError):
        return checkpoint.step_path(folder, meta["step"]).read_bytes()
    return None  # pruned already, by a later one that follows


def keep(folder: Path, step: int, content: bytes) -> None:
    """Write a checkpoint that came back; later steps are forgotten, as in the run itself.

    Raises `NoSpace` with one sentence; the older checkpoints are then still there.
    """
    checkpoint.write_atomically(checkpoint.step_path(folder, step), content)
    kept = checkpoint.saved_steps(folder)
    for at, path in kept.items():
        if at > step:
            path.unlink(missing_ok=True)
    for at, path in [(a, p) for a, p in kept.items() if a <= step][:-KEEP_LAST]:
        if at & (at - 1) or at < 64:
            path.unlink(missing_ok=True)


class Probe:
    """A file by which another machine finds out whether it sees the same folder."""

    def __init__(self, root: Path) -> None:
        self.token = secrets.token_hex(16)
        self.path = root / f".shared-{self.token[:8]}"
        root.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.token, encoding="ascii")

    @staticmethod
    def seen(path: Path, token: str) -> bool:
        """Say whether the file is there, with the same content, and its folder can be written."""
        try:
            if path.read_text(encoding="ascii") != token:
                return False
            mine = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
            mine.touch()
            mine.unlink()
        except (OSError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Take the file away."""
        self.path.unlink(missing_ok=True)


def _data_files(spec: RunSpec) -> list[Path]:
    """Return the files of a data set that does not come with the program."""
    root = spec.data_root
    if data.is_own(spec.dataset) and root is not None:
        path: Path = data._module(spec.dataset)._path(spec.dataset, root)
        return [path]
    if spec.dataset == fashion.FULL.key:
        folder = fashion.find_full(root)
        if folder is None:
            raise DataError(
                "The complete Fashion-MNIST is not on the server, so it cannot go to the cluster; "
                "use the subset, or download it first.",
                field="dataset",
            )
        return sorted(folder.glob("*-ubyte*"))
    return []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"{path.name} is no longer on the server.") from error
