"""Reading a state dict out of a `.pth` file: in a process of its own, bounded, nothing run.

Such a file is a pickle, which could run code. PyTorch reads it with `weights_only=True`, which
allows tensors and plain containers only; the process that does so may take little memory and
little time, and hands over safetensors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

MAX_FILE = 512 * 2**20  # bytes; unet_256 has 218 MB
MEMORY = 6 * 2**30  # bytes of data: PyTorch itself, the file, and what is made of it
TIME_S = 300.0
MAX_TENSORS = 2000
_NOT_ALLOWED = ("Unsupported global", "reduce")  # how PyTorch says that it would run something
REFUSED, DAMAGED = 3, 4  # exit statuses of the process


def read_state(path: Path, time_s: float = TIME_S) -> dict[str, Tensor]:
    """Return the tensors of a state dict, float32 or whole numbers, by name.

    Raises `CheckpointError` with one sentence.
    """
    return _read(path, time_s)[0]


def read_training_state(path: Path) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Return the tensors of a state dict, or of the `model` of a checkpoint of nanoGPT.

    The numbers are whole ones of its `model_args`. Raises as `read_state` does.
    """
    return _read(path, TIME_S, "model")


def _read(path: Path, time_s: float, part: str = "") -> tuple[dict[str, Tensor], dict[str, int]]:
    """Let the bounded process read a file, of a nested one only `part`."""
    from safetensors import safe_open

    name = path.name
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise CheckpointError(f"{path} is no file.")
    except OSError as error:
        raise CheckpointError(f"There is no file {path}.") from error
    if size > MAX_FILE:
        most = MAX_FILE // 2**20
        raise CheckpointError(f"{name} has {size / 2**20:.0f} MB; at most {most} MB are read.")
    with tempfile.TemporaryDirectory(prefix="playground-import-") as folder:
        out = Path(folder) / "state.safetensors"
        done = run_bounded("engine.unpickling", [str(path.resolve()), str(out), part], time_s)
        if done is None:
            raise CheckpointError(f"{name} could not be read within {time_s:g} s.")
        if done.returncode == REFUSED:
            raise CheckpointError(
                f"{name} is not read: it holds more than tensors by name, which could run code; "
                "only state dicts are imported."
            )
        if done.returncode == DAMAGED:
            raise CheckpointError(f"{name} is no file of PyTorch, or it is damaged.")
        if done.returncode != 0:
            raise CheckpointError(
                f"{name} could not be read within {MEMORY // 2**30} GB of memory."
            )
        with safe_open(out, "pt") as file:
            numbers = json.loads(file.metadata()["numbers"])
            return {key: file.get_tensor(key) for key in file.keys()}, numbers  # noqa: SIM118


def run_bounded(
    module: str, arguments: list[str], time_s: float
) -> subprocess.CompletedProcess[bytes] | None:
    """Run a module of the engine in a process of its own; None when it takes longer."""
    try:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            timeout=time_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None


def _main(source: str, out: str, part: str) -> int:
    bound_memory()
    import torch
    from safetensors.torch import save_file

    try:
        found: Any = torch.load(source, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file does
        if "memory" in str(error).lower():
            return 1
        return REFUSED if any(word in str(error) for word in _NOT_ALLOWED) else DAMAGED
    numbers = {}
    if part and isinstance(found, Mapping) and isinstance(found.get(part), Mapping):
        numbers = _whole_numbers(found.get(f"{part}_args"))
        found = found[part]
    state = _tensors(found)
    if state is None:
        return REFUSED
    save_file(state, out, {"numbers": json.dumps(numbers)})
    return 0


def _whole_numbers(found: Any) -> dict[str, int]:
    known = found if isinstance(found, Mapping) else {}
    return {str(k)[:40]: v for k, v in known.items() if type(v) is int and abs(v) < 2**31}


def _tensors(found: Any) -> dict[str, Tensor] | None:
    """Return a dict of dense tensors by name, each with memory of its own; None for all else."""
    import torch

    if not isinstance(found, Mapping) or not 0 < len(found) <= MAX_TENSORS:
        return None
    state = {}
    for key, value in found.items():
        dense = isinstance(value, torch.Tensor) and value.layout == torch.strided
        if not isinstance(key, str) or not dense or value.is_complex() or value.is_quantized:
            return None
        kind = torch.float32 if value.is_floating_point() else torch.int64
        state[key] = value.detach().to(kind).clone(memory_format=torch.contiguous_format)
    return state


def bound_memory() -> None:
    """Take no more than `MEMORY`, where the system can bound it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


if __name__ == "__main__":
    raise SystemExit(_main(*sys.argv[1:4]))
