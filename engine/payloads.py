"""What a view shows: frozen, picklable, encoded once in the worker for all viewers.

`to_wire` gives the JSON object that the page reads; arrays travel as base64 little-endian.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """One encoded picture."""

    data: bytes
    media_type: str
    height: int
    width: int
    alt: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "type": "picture",
            "src": _data_url(self.data, self.media_type),
            "height": self.height,
            "width": self.width,
            "alt": self.alt,
        }


@dataclass(frozen=True)
class Sheet:
    """Tiles of one size in rows and columns, row-major, without gaps; row 0 is at the top.

    `extent` (x0, x1, y0, y1) is the part of the map that the sheet covers; row 0 is y1.
    """

    data: bytes
    media_type: str
    rows: int
    columns: int
    tile: tuple[int, int]
    extent: Extent | None = None
    captions: tuple[str, ...] | None = None
    alt: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "type": "sheet",
            "src": _data_url(self.data, self.media_type),
            "rows": self.rows,
            "columns": self.columns,
            "tile": list(self.tile),
            "extent": None if self.extent is None else [plain(v) for v in self.extent],
            "captions": None if self.captions is None else list(self.captions),
            "alt": self.alt,
        }


@dataclass(frozen=True)
class Points:
    """Points start … start+n-1 of `total`: xy float32 (n, 2), labels uint8 (n)."""

    xy: np.ndarray
    labels: np.ndarray
    start: int
    total: int
    axes: tuple[str, str] = ("z1", "z2")

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        xy = np.ascontiguousarray(np.nan_to_num(self.xy, posinf=0.0, neginf=0.0), "<f4")
        return {
            "type": "points",
            "start": self.start,
            "total": self.total,
            "xy": base64.b64encode(xy.tobytes()).decode(),
            "labels": base64.b64encode(self.labels.astype(np.uint8).tobytes()).decode(),
            "axes": list(self.axes),
        }


@dataclass(frozen=True)
class Bars:
    """Named values in one unit."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    unit: str
    alt: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "type": "bars",
            "names": list(self.names),
            "values": [plain(v) for v in self.values],
            "unit": self.unit,
            "alt": self.alt,
        }


@dataclass(frozen=True)
class Views:
    """Several payloads by name, with plain values beside them."""

    items: dict[str, Payload] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page."""
        return {
            "type": "views",
            "items": {name: item.to_wire() for name, item in self.items.items()},
            "values": plain(self.values),
        }


@dataclass(frozen=True)
class Arrays:
    """Named arrays (float32, uint8 or int32), with plain values beside them."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the page; what is not finite becomes 0."""
        return {
            "type": "arrays",
            "arrays": {name: _array(array) for name, array in self.arrays.items()},
            "values": plain(self.values),
        }


Payload = Picture | Sheet | Points | Bars | Views | Arrays
_WIRE_TYPES = {"float32": "f4", "uint8": "u1", "int32": "i4"}


def picture(pixels: np.ndarray, alt: str = "") -> Picture:
    """Encode one image, uint8 (C, H, W) with C 1 or 3, as PNG."""
    data = _encode(_to_hwc(pixels), "PNG")
    return Picture(data, "image/png", pixels.shape[1], pixels.shape[2], alt)


def sheet(
    tiles: np.ndarray,
    columns: int,
    *,
    extent: Extent | None = None,
    captions: tuple[str, ...] | None = None,
    alt: str = "",
    quality: int | None = None,
) -> Sheet:
    """Encode tiles, uint8 (N, C, H, W), as one sheet: PNG, or JPEG with `quality`.

    The last row is filled with black when N is no multiple of `columns`.
    """
    n, c, h, w = tiles.shape
    rows = -(-n // columns)
    if rows * columns != n:
        padding = np.zeros((rows * columns - n, c, h, w), tiles.dtype)
        tiles = np.concatenate([tiles, padding])
    grid = tiles.reshape(rows, columns, c, h, w).transpose(2, 0, 3, 1, 4)
    pixels = _to_hwc(grid.reshape(c, rows * h, columns * w))
    kind = "PNG" if quality is None else "JPEG"
    data = _encode(pixels, kind, quality)
    media = "image/png" if quality is None else "image/jpeg"
    return Sheet(data, media, rows, columns, (h, w), extent, captions, alt)


def plain(value: Any) -> Any:
    """Return `value` JSON-able: NumPy to Python, NaN and infinity to None."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _array(array: np.ndarray) -> dict[str, Any]:
    kind = _WIRE_TYPES[array.dtype.name]
    finite = np.nan_to_num(array, posinf=0.0, neginf=0.0) if kind == "f4" else array
    data = np.ascontiguousarray(finite, f"<{kind}").tobytes()
    shape = list(array.shape)
    return {"dtype": kind, "shape": shape, "data": base64.b64encode(data).decode()}


def _to_hwc(pixels: np.ndarray) -> np.ndarray:
    return pixels[0] if pixels.shape[0] == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _encode(pixels: np.ndarray, kind: str, quality: int | None = None) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    options: dict[str, Any] = {"compress_level": 1} if kind == "PNG" else {"quality": quality}
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
