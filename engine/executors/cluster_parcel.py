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

MONITORED = "events.jsonl"
DATASETS = "datasets"  # under the server's root, as in `engine.data.saved`
KEEP_LAST = 2  # beside the powers of two, as `trainer.prune`


@dataclass(frozen=True)
class Parcel:
    """A specification without paths, and files by name; `start` names the one to go on from."""

    spec: RunSpec
    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    start: str | None = None

    @property
    def size(self) -> int:
        """Return how many bytes the files have."""
        return sum(map(len, self.files.values()))


def pack(spec: RunSpec, there: frozenset[str] = frozenset()) -> Parcel:
    """Read what a run needs from the server's folders, without data files that are `there`.

    A run that goes on and whose newest checkpoint is damaged goes on from an older one. Raises
    `NotFound` or `DataError` with one sentence when something of it is gone.
    """
    files: dict[str, bytes] = {}
    path, going_on = _start_point(spec)
    if path is not None:
        files[path.name] = _read(path)
    for source in _data_files(spec):
        name = f"{DATASETS}/{source.name}"
        if name not in there:
            files[name] = _read(source)
    if spec.folder is not None and path is not None and spec.previews:
        seen = Journal(spec.folder).monitored()
        files[MONITORED] = b"\n".join(json.dumps(event).encode() for event in seen)
    name = spec.folder.name if spec.folder is not None else "run"
    bare = replace(spec, resume=None, folder=None, data_root=None, origin=None, going_on=going_on)
    return Parcel(bare, name, files, None if path is None else path.name)


def unpack(parcel: Parcel, root: Path) -> RunSpec:
    """Lay a parcel out under `root` on this machine; return the run as the trainer takes it.

    The run has a folder of its own there; data sets stay for later runs.
    """
    folder = root / parcel.name
    for path in folder.glob("step-*.safetensors"):
        path.unlink()  # of an earlier turn here: what the server sends counts
    for name, content in parcel.files.items():
        place = (root if name.startswith(f"{DATASETS}/") else folder) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    folder.mkdir(parents=True, exist_ok=True)
    resume = None if parcel.start is None else folder / parcel.start
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


def _start_point(spec: RunSpec) -> tuple[Path | None, bool]:
    """Return what a run goes on from, and whether that is a checkpoint of its own."""
    if not spec.going_on or spec.resume is None or spec.folder is None:
        return spec.resume, False
    newest = spec.resume
    older = (p for p in reversed(checkpoint.saved_steps(spec.folder).values()) if p < newest)
    for path in [newest, *older]:
        if checkpoint.sound(path):
            return path, True
        path.unlink(missing_ok=True)
    return spec.origin, False


def _data_files(spec: RunSpec) -> list[Path]:
    """Return the files of a data set that does not come with the program."""
    root = spec.data_root
    if data.is_own(spec.dataset) and root is not None:
        return [data.saved_file(spec.dataset, root)]
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
