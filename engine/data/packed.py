"""The shipped files' format: which pixels carry ink, then the ink, each losslessly packed.

MNIST is four fifths background. One bit a pixel for "not zero" and one byte for each pixel that
is not, both as xz, come to 9.0 MB; the gzipped idx files take 11.6 MB, xz of the idx files 9.5,
PNG sheets 11.5 and lossless WebP sheets 10.6. The ink is cut into parts that are unpacked by
several threads at once (lzma lets go of the interpreter lock).
"""

from __future__ import annotations

import io
import json
import lzma
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engine.data.base import Split
from engine.errors import DataError

FORMAT = 1
PART_BYTES = 1_500_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same data give the same bytes


def pack(splits: dict[str, Split]) -> bytes:
    """Return the file's bytes; the same splits give the same bytes (for one liblzma)."""
    members: dict[str, bytes] = {}
    shapes = {}
    for name, split in splits.items():
        mask = split.images != 0
        ink = split.images[mask].tobytes()
        parts = [ink[i : i + PART_BYTES] for i in range(0, len(ink), PART_BYTES)]
        members[f"{name}/mask.xz"] = _xz(np.packbits(mask).tobytes(), literal_context=0)
        for i, part in enumerate(parts):
            members[f"{name}/ink-{i:02d}.xz"] = _xz(part, literal_context=4)
        members[f"{name}/labels.xz"] = _xz(split.labels.astype(np.uint8).tobytes())
        shapes[name] = {"shape": list(split.images.shape), "parts": len(parts)}
    head = json.dumps({"format": FORMAT, "splits": shapes}, indent=1)
    members = {"splits.json": head.encode(), **members}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            archive.writestr(info, content)
    return out.getvalue()


def unpack(path: Path) -> dict[str, Split]:
    """Read a shipped file; raises `DataError` when it is missing or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(archive.read("splits.json"))
            names = [name for name in archive.namelist() if name.endswith(".xz")]
            packed = [archive.read(name) for name in names]
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            members = dict(zip(names, pool.map(lzma.decompress, packed), strict=True))
        return {
            name: _split(name, entry["shape"], entry["parts"], members)
            for name, entry in head["splits"].items()
        }
    except FileNotFoundError:
        raise DataError(f"The data file {path.name} is missing from {path.parent}.") from None
    except (OSError, zipfile.BadZipFile, lzma.LZMAError, KeyError, ValueError) as error:
        raise DataError(
            f"The data file {path.name} is damaged; fetch it again from the repository."
        ) from error


def _split(name: str, shape: list[int], parts: int, members: dict[str, bytes]) -> Split:
    bits = np.frombuffer(members[f"{name}/mask.xz"], dtype=np.uint8)
    images = np.zeros(int(np.prod(shape)), dtype=np.uint8)
    mask = np.unpackbits(bits, count=images.size).view(bool)
    ink = b"".join(members[f"{name}/ink-{i:02d}.xz"] for i in range(parts))
    if len(ink) != np.count_nonzero(mask):
        raise ValueError("the ink does not fill the mask")
    np.place(images, mask, np.frombuffer(ink, dtype=np.uint8))  # three times as fast as [mask] =
    labels = np.frombuffer(members[f"{name}/labels.xz"], dtype=np.uint8).astype(np.int64)
    return Split(images.reshape(shape), labels)


def _xz(content: bytes, literal_context: int = 0) -> bytes:
    chain = {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": 1 << 23,  # the preset's 64 MiB would be allocated by every reader
        "lc": literal_context,
        "lp": 0,
        "pb": 0,
        "nice_len": 273,
    }
    return lzma.compress(content, format=lzma.FORMAT_XZ, filters=[chain])
