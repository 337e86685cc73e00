"""The idx format of the MNIST files: a big-endian header, then the array."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from engine.data.base import Split
from engine.errors import DataError

_TYPES = {0x08: np.dtype(np.uint8)}


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not; raises `DataError` when it is damaged."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        dtype, dimensions = _TYPES[content[2]], content[3]
        shape = np.frombuffer(content, dtype=">i4", count=dimensions, offset=4)
        array = np.frombuffer(content, dtype=dtype, offset=4 + 4 * dimensions)
        return array.reshape(tuple(int(size) for size in shape))
    except (OSError, EOFError, KeyError, IndexError, ValueError) as error:
        raise DataError(f"{path} is not a complete idx file.") from error


def read_split(images: Path, labels: Path) -> Split:
    """Read pictures N x H x W and their labels as a `Split` of N x 1 x H x W."""
    pictures = np.ascontiguousarray(read_idx(images)[:, None])  # N x 1 x H x W
    return Split(pictures.copy(), read_idx(labels).astype(np.int64))
