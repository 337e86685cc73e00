"""The kept pictures of a run as an animation."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson

from engine.errors import NotFound

FILM_S = 8.0  # the whole film, whatever the number of frames
FILM_MAX_FRAMES = 120
FILM_SIDE = 420
MAP_SIDE = 360
LAST_FRAME_S = 1.5
PLANE_SIDE = 360
PAGE, PAGE_COLUMNS, PAGE_FONT, PAGE_LINE = (420, 300), 54, 14, 18
DOT = ((0, 0), (1, 0), (0, 1), (1, 1))
BIG_DOT = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1))
# As in web/theme.js and web/lab_colours.js.
REAL, GENERATED = np.array((0x00, 0x72, 0xB2)), np.array((0xD5, 0x5E, 0x00))
EQUAL, STRENGTH = np.array((226, 229, 234)), 0.46
# Petroff (2021), as in web/theme.js.
CLASSES = np.array(
    [
        (0x3F, 0x90, 0xDA), (0xFF, 0xA9, 0x0E), (0xBD, 0x1F, 0x01), (0x94, 0xA4, 0xA2),
        (0x83, 0x2D, 0xB6), (0xA9, 0x6B, 0x59), (0xE7, 0x63, 0x00), (0xB9, 0xAC, 0x70),
        (0x71, 0x75, 0x81), (0x92, 0xDA, 0xDD),
    ],
    np.uint8,
)  # fmt: skip


def film(timeline: bytes, view: str) -> bytes:
    """Make an animated WebP of one view of a timeline; raise `NotFound` without pictures."""
    from PIL import Image

    frames = orjson.loads(timeline)["frames"]
    payloads = [f["views"][view] for f in frames if view in f["views"]]
    if not payloads:
        have = sorted({name for f in frames for name in f["views"]})
        known = f"; there are {', '.join(have)}" if have else ""
        raise NotFound(f"This run has kept no pictures of {view[:40]!r} yet{known}.")
    chosen = _spread(payloads, FILM_MAX_FRAMES)
    draw = _drawer(chosen)
    pictures = [draw(payload) for payload in chosen]
    wide = max(p.width for p in pictures)
    scale = max(1, FILM_SIDE // wide)
    size = (wide * scale, max(p.height for p in pictures) * scale)
    pictures = [p.resize(size, Image.Resampling.NEAREST) if p.size != size else p for p in pictures]
    each = max(40, min(400, int(1000 * FILM_S / len(pictures))))
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=[each] * (len(pictures) - 1) + [int(1000 * LAST_FRAME_S)],
        loop=0,
        quality=80,
        method=0,
    )
    return buffer.getvalue()


def _spread(items: list[Any], count: int) -> list[Any]:
    if len(items) <= count:
        return items
    return [items[i * (len(items) - 1) // (count - 1)] for i in range(count)]


def _drawer(payloads: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    match payloads[0]["type"]:
        case "points":
            return _map_drawer(payloads)
        case "arrays":
            return _plane
        case "views":
            return _page
        case _:
            return _sheet


def _sheet(payload: dict[str, Any]) -> Any:
    from PIL import Image

    data = base64.b64decode(payload["src"].partition(",")[2])
    return Image.open(io.BytesIO(data), formats=("PNG", "JPEG")).convert("RGB")


def _page(payload: dict[str, Any]) -> Any:
    """Write a sample of text on a page; what the page cannot hold is cut off."""
    import textwrap

    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("RGB", PAGE, "white")
    lines = [
        part
        for line in str(payload["values"]["text"]).split("\n")
        for part in textwrap.wrap(line, PAGE_COLUMNS) or [""]
    ]
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(PAGE_FONT)
    for i, line in enumerate(lines[: (PAGE[1] - PAGE_LINE) // PAGE_LINE]):
        pen.text((10, 8 + i * PAGE_LINE), line, fill="black", font=font)
    return page


def _map_drawer(payloads: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """Return a function that draws points, all frames to one scale (99 % of the last points)."""
    from PIL import Image

    last = _points(payloads[-1])[0]
    reach = float(np.quantile(np.abs(last), 0.99)) * 1.25 if len(last) else 1.0
    reach = reach if reach > 0 else 1.0

    def draw(payload: dict[str, Any]) -> Any:
        xy, labels = _points(payload)
        pixels = np.full((MAP_SIDE, MAP_SIDE, 3), 255, np.uint8)
        column = ((xy[:, 0] / reach + 1) / 2 * (MAP_SIDE - 2)).astype(int)
        row = ((1 - xy[:, 1] / reach) / 2 * (MAP_SIDE - 2)).astype(int)
        inside = (column >= 0) & (column < MAP_SIDE - 1) & (row >= 0) & (row < MAP_SIDE - 1)
        column, row, colour = column[inside], row[inside], CLASSES[labels[inside] % 10]
        for dx, dy in DOT:
            pixels[row + dy, column + dx] = colour
        return Image.fromarray(pixels)

    return draw


def _points(payload: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    xy = np.frombuffer(base64.b64decode(payload["xy"]), "<f4").reshape(-1, 2)
    labels = np.frombuffer(base64.b64decode(payload["labels"]), np.uint8)
    return np.nan_to_num(xy), labels


def _plane(payload: dict[str, Any]) -> Any:
    """Draw the plane of the GAN lab: what D says of each place, and the generated points."""
    from PIL import Image

    arrays, (x0, x1, y0, y1) = payload["arrays"], payload["values"]["extent"]
    height = round(PLANE_SIDE * min(2.0, max(0.5, (y1 - y0) / (x1 - x0))))
    surface = Image.fromarray(_opinion(_array(arrays["surface"])))
    pixels = np.array(surface.resize((PLANE_SIDE, height), Image.Resampling.BILINEAR))
    xy = _array(arrays["generated"])
    column = ((xy[:, 0] - x0) / (x1 - x0) * (PLANE_SIDE - 1)).astype(int)
    row = ((y1 - xy[:, 1]) / (y1 - y0) * (height - 1)).astype(int)
    inside = (column > 0) & (column < PLANE_SIDE - 1) & (row > 0) & (row < height - 1)
    for dx, dy in BIG_DOT:
        pixels[row[inside] + dy, column[inside] + dx] = GENERATED
    return Image.fromarray(pixels)


def _opinion(probability: np.ndarray) -> np.ndarray:
    """Return colours from "generated" over gray at one half to "real", as web/lab_colours.js."""
    off = np.nan_to_num(np.clip(probability, 0, 1)) * 2 - 1
    share = (np.abs(off) ** 0.85 * STRENGTH)[..., None]
    end = np.where(off[..., None] < 0, GENERATED, REAL)
    return (EQUAL + share * (end - EQUAL)).astype(np.uint8)


def _array(entry: dict[str, Any]) -> np.ndarray:
    found = np.frombuffer(base64.b64decode(entry["data"]), f"<{entry['dtype']}")
    return np.nan_to_num(found.reshape(entry["shape"]))
