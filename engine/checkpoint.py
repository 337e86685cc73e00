"""Checkpoints: one safetensors file with everything that the next step depends on.

The header's JSON (key `playground`) has format number, model, config, data set, history of
live changes, seed, step, cursor, metrics, the SHA-256 of the tensor data and that of the JSON
itself (files of older versions lack it). Reading the header needs no torch; nothing is ever
unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import files
from engine.errors import CheckpointError, NoSpace, NotFound, PlaygroundError
from engine.quantised import restored
from engine.rng import MAX_SEED

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

FORMAT = 1
MAX_BYTES = 256 * 2**20  # an imported U-Net has 218 MB
MAX_HEADER = 2**20
MAX_TENSORS = 2000
_SEAL = "header_sha256"
SHIPPED = Path(__file__).resolve().parent.parent / "checkpoints"


@dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself; JSON-able."""

    model: str
    config: dict[str, Any]
    dataset: str
    dataset_fingerprint: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    seed: int
    step: int
    cursor: int
    max_steps: int | None = None
    has_optimizer: bool = True
    optimizer_groups: dict[str, Any] = field(default_factory=dict)
    history: tuple[tuple[int, str, Any, Any], ...] = ()
    metrics: dict[str, float | None] = field(default_factory=dict)
    title: str = ""
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    format: int = FORMAT


def save(path: Path, header: Header, tensors: dict[str, Tensor]) -> str:
    """Write atomically: to a temporary file in the same folder, flushed, then renamed.

    Returns the SHA-256 of the tensors. Raises `NoSpace` when the disk is full or not writable;
    the old file is then still there.
    """
    from safetensors.torch import save as to_bytes

    cpu = {k: v.detach().cpu().contiguous() for k, v in sorted(tensors.items())}
    digest = _digest_of(to_bytes(cpu))
    described = json.loads(json.dumps(asdict(header) | {"sha256": digest}, allow_nan=False))
    described[_SEAL] = _seal_of(described)
    data = to_bytes(cpu, metadata={"playground": json.dumps(described)})
    write_atomically(path, data)
    return digest


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole, as `engine.files` does; raises `NoSpace` with one sentence."""
    try:
        files.write_atomically(path, data)
    except OSError as error:
        raise NoSpace(
            f"{path.name} could not be written ({os.strerror(error.errno or 5)}); "
            "free some disk space or choose another folder."
        ) from error


def read_header(path: Path) -> Header:
    """Read and check the header alone; raises `CheckpointError` with one sentence."""
    layout = _read_layout(path)
    metadata = layout.get("__metadata__", {})
    if not isinstance(metadata, dict) or "playground" not in metadata:
        raise CheckpointError(
            f"{path.name} is a safetensors file, but not a checkpoint of this playground."
        )
    try:
        found = json.loads(metadata["playground"])
        if not isinstance(found, dict):
            raise ValueError("not an object")
        if found.get("format") != FORMAT:
            raise CheckpointError(
                f"{path.name} has checkpoint format {found.get('format')!r:.20}; "
                f"this version reads format {FORMAT}."
            )
        if _SEAL in found and found[_SEAL] != _seal_of(found):
            raise CheckpointError(
                f"{path.name} has a damaged header: its SHA-256 is not the recorded one."
            )
        return _header_from(found)
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path.name} has a damaged header: {error}.") from error


def load(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Read header and tensors, checked: size, layout, SHA-256, finite values.

    Weights stored as float16 or in 8 bits come back as float32. Raises `CheckpointError` with one
    sentence; names, shapes and dtypes are compared with the architecture by `fit`, before any
    weight is replaced.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    header = read_header(path)
    data = path.read_bytes()
    if header.sha256 != _digest_of(data):
        raise CheckpointError(f"{path.name} is damaged: its SHA-256 is not the recorded one.")
    try:
        tensors = from_bytes(data)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged: {error}.") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.element_size() < 2:
            raise CheckpointError(f"{path.name} holds {name} as {tensor.dtype}: not read here.")
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(f"{path.name} holds values that are not finite, in {name}.")
    whole = {k: v.float() if v.element_size() == 2 else v for k, v in tensors.items()}
    return header, restored(whole, path.name)


def sound(path: Path) -> bool:
    """Say whether a checkpoint is what was written, by its SHA-256; reads no tensors."""
    try:
        return read_header(path).sha256 == _digest_of(path.read_bytes())
    except (PlaygroundError, OSError):
        return False


def halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return float32 tensors as float16, to ship them at half the size."""
    import torch

    return {k: v.half() if v.dtype == torch.float32 else v for k, v in tensors.items()}


def fit(found: dict[str, Tensor], expected: dict[str, Tensor], name: str) -> None:
    """Raise `CheckpointError` naming the first difference of names, shapes or dtypes."""
    for key, tensor in expected.items():
        if key not in found:
            raise CheckpointError(f"{name} lacks {key}: it is of another architecture.")
        if found[key].shape != tensor.shape or found[key].dtype != tensor.dtype:
            got, want = tuple(found[key].shape), tuple(tensor.shape)
            raise CheckpointError(
                f"{name} has {key} as {got} {found[key].dtype}; expected {want} {tensor.dtype}."
            )
    for key in found:
        if key.startswith("networks.") and key not in expected:
            raise CheckpointError(f"{name} has {key}, which this architecture does not have.")


def fit_optimizers(found: dict[str, Tensor], optimizers: dict[str, Optimizer], name: str) -> None:
    """Raise `CheckpointError` naming the first optimizer state that belongs to no parameter."""
    expected = {
        f"optimizers.{key}.{index}": parameter
        for key, optimizer in optimizers.items()
        for index, parameter in enumerate(p for g in optimizer.param_groups for p in g["params"])
    }
    for key, tensor in found.items():
        if not key.startswith("optimizers."):
            continue
        owner, _, slot = key.rpartition(".")
        parameter = expected.get(owner)
        if parameter is None or tensor.dtype != parameter.dtype:
            raise CheckpointError(f"{name} has {key}, which fits no parameter of this optimizer.")
        shape = () if slot == "step" else tuple(parameter.shape)
        if tuple(tensor.shape) != shape:
            got = tuple(tensor.shape)
            raise CheckpointError(f"{name} has {key} as {got}; expected {shape}.")


def step_path(folder: Path, step: int) -> Path:
    """Return where a run keeps its checkpoint of a step."""
    return folder / f"step-{step:08d}.safetensors"


def saved_steps(folder: Path) -> dict[int, Path]:
    """Return the checkpoints that a run has kept, by step, oldest first."""
    paths = sorted(folder.glob("step-*.safetensors"))
    return {int(path.stem.removeprefix("step-")): path for path in paths}


def shipped() -> dict[str, Path]:
    """Return the shipped checkpoints by name, such as `vae/mnist-2d`."""
    paths = sorted(SHIPPED.glob("*/*.safetensors"))
    return {
        f"{p.parent.name}/{p.stem}": p for p in paths if p.parent.name not in ("runs", "uploads")
    }


def find(name: str) -> Path:
    """Return the path of a shipped checkpoint, or raise `NotFound`."""
    known = shipped()
    if not isinstance(name, str) or name not in known:
        raise NotFound(f"There is no checkpoint {name!r:.80}; known are {', '.join(known)}.")
    return known[name]


def _header_from(found: dict[str, Any]) -> Header:
    from engine.registry import entry

    names = Header.__dataclass_fields__
    header = Header(**{k: v for k, v in found.items() if k in names})
    try:
        entry(header.model).config_class.from_values(header.config)
    except PlaygroundError as error:
        raise CheckpointError(f"The checkpoint does not fit: {error.sentence}") from error
    shape = header.shape
    good = isinstance(shape, (list, tuple)) and len(shape) in (1, 3)
    if not good or not all(isinstance(s, int) and 1 <= s <= 512 for s in shape):
        raise ValueError("the shape of an example is not one or three whole numbers")
    if not isinstance(header.class_names, (list, tuple)) or len(header.class_names) > 1000:
        raise ValueError("the class names are not a list")
    for key, high in (("seed", MAX_SEED), ("step", 10**9), ("cursor", 10**15)):
        value = getattr(header, key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
            raise ValueError(f"{key} is not a whole number from 0 to {high}")
    history = tuple(tuple(change) for change in header.history)
    metrics = {
        str(k): v
        for k, v in dict(header.metrics).items()
        if v is None or (isinstance(v, (int, float)) and math.isfinite(v))
    }
    checked = {
        "shape": tuple(shape),
        "class_names": tuple(str(n)[:80] for n in header.class_names),
        "history": history,
        "metrics": metrics,
        "title": str(header.title)[:120],
        "dataset": str(header.dataset)[:80],
    }
    return Header(**{**asdict(header), **checked})


def _read_layout(path: Path) -> dict[str, Any]:
    """Read and check the JSON part of a safetensors file, within bounds."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            if size > MAX_BYTES:
                raise CheckpointError(
                    f"{path.name} has {size / 2**20:.0f} MB; checkpoints may have at most "
                    f"{MAX_BYTES // 2**20} MB."
                )
            if len(start) < 8:
                raise CheckpointError(f"{path.name} is empty or cut off: no safetensors file.")
            length = struct.unpack("<Q", start)[0]
            if length > min(MAX_HEADER, size):
                raise CheckpointError(
                    f"{path.name} is no safetensors file (pickled .pt files are not read: "
                    "they could run code)."
                )
            layout = json.loads(file.read(length))
    except OSError as error:
        raise NotFound(f"{path.name} cannot be read ({os.strerror(error.errno or 5)}).") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.name} is no safetensors file, or it is damaged.") from error
    if not isinstance(layout, dict):
        raise CheckpointError(f"{path.name} is no safetensors file.")
    entries = [v for k, v in layout.items() if k != "__metadata__"]
    if len(entries) > MAX_TENSORS:
        raise CheckpointError(f"{path.name} has {len(entries)} tensors; at most {MAX_TENSORS}.")
    try:
        end = max((int(v["data_offsets"][1]) for v in entries), default=0)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CheckpointError(f"{path.name} has a damaged list of tensors.") from error
    if 8 + length + end != size:
        raise CheckpointError(f"{path.name} is cut off or has bytes too many.")
    return layout


def _seal_of(described: dict[str, Any]) -> str:
    """Return the SHA-256 of a header's JSON object, without the seal itself."""
    plain = {k: v for k, v in described.items() if k != _SEAL}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _digest_of(data: bytes) -> str:
    """Return the SHA-256 of the tensor bytes and their layout, without the metadata."""
    length = struct.unpack("<Q", data[:8])[0]
    layout = json.loads(data[8 : 8 + length])
    layout.pop("__metadata__", None)
    digest = hashlib.sha256(json.dumps(layout, sort_keys=True).encode())
    digest.update(memoryview(data)[8 + length :])
    return digest.hexdigest()
