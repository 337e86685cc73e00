"""What people bring, on disk: arrays in one safetensors file, described in its header."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.data.base import Dataset
from engine.data.reading import clean_name
from engine.errors import DataError, NoSpace
from engine.files import write_atomically

FORMAT = 1
T = TypeVar("T")


def saved_path(key: Any, root: Path, prefix: str, what: str, start: str = "") -> Path:
    """Return where the data set `key` lies; only 16 hexadecimal digits ever reach a path.

    `start` begins the file's name. Raises `DataError`: the key is not the name of `what`.
    """
    if not isinstance(key, str) or not re.fullmatch(prefix + "[0-9a-f]{16}", key):
        raise DataError(f"{clean_name(str(key))!r} is not the name of {what}.", field="dataset")
    return root / "datasets" / f"{start}{key.removeprefix(prefix)}.safetensors"


def checked(dataset: Dataset, key: str, about: dict[str, Any], damaged: str) -> Dataset:
    """Return a data set that was read, or raise `DataError` when it is not what was saved."""
    if dataset.key != key or dataset.fingerprint != about["fingerprint"]:
        raise DataError(damaged, field="dataset")
    return dataset


def write_arrays(
    path: Path, arrays: dict[str, np.ndarray], about: dict[str, Any], what: str
) -> None:
    """Write arrays and what is said of them; `what` names them in the sentence of `NoSpace`.

    Where the same arrays lie already they stay, under the title of whoever brought them first:
    two people may bring the same, and neither changes what the other has.
    """
    from safetensors.numpy import save

    if _same(path, arrays, about):
        return
    described = json.dumps({"format": FORMAT, **about})
    try:
        write_atomically(path, save(arrays, metadata={"about": described}))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else "the disk cannot be written"
        raise NoSpace(f"The {what} could not be saved: {reason}.") from error


def _same(path: Path, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> bool:
    try:
        there = read_about(path, set(about), "", "")
        if there["fingerprint"] != about["fingerprint"]:
            return False
        return read_arrays(
            path, lambda get: all(np.array_equal(get(name), arrays[name]) for name in arrays), ""
        )
    except DataError:
        return False


def read_arrays(path: Path, build: Callable[[Callable[[str], np.ndarray]], T], damaged: str) -> T:
    """Return what `build` makes of the arrays, which it is given by name.

    Raises `DataError` with the sentence `damaged` when one is missing or is not what it should be.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as stored:
            return build(lambda name: stored.get_tensor(name).copy())
    except (OSError, ValueError, SafetensorError) as error:
        raise DataError(damaged, field="dataset") from error


def read_about(path: Path, wanted: set[str], gone: str, damaged: str) -> dict[str, Any]:
    """Return what is said of the arrays, from the file's header alone, with all that is wanted.

    Raises `DataError` with the sentence `gone` or `damaged`.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as stored:
            about = json.loads(stored.metadata()["about"])
    except FileNotFoundError:
        raise DataError(gone, field="dataset") from None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DataError(damaged, field="dataset") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT or wanted - set(about):
        raise DataError(damaged, field="dataset")
    return about
