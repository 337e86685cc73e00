"""What a person takes home of a run: a table of metrics, a script, a film."""

from __future__ import annotations

import base64
import csv
import io
import unicodedata
from collections.abc import Sequence
from pprint import pformat
from typing import Any

import numpy as np
import orjson

from engine.errors import NotFound

FILM_S = 8.0  # the whole film, whatever the number of frames
FILM_MAX_FRAMES = 120
FILM_SIDE = 420
MAP_SIDE = 360
LAST_FRAME_S = 1.5
# Petroff (2021), as in web/theme.js.
CLASSES = np.array(
    [
        (0x3F, 0x90, 0xDA), (0xFF, 0xA9, 0x0E), (0xBD, 0x1F, 0x01), (0x94, 0xA4, 0xA2),
        (0x83, 0x2D, 0xB6), (0xA9, 0x6B, 0x59), (0xE7, 0x63, 0x00), (0xB9, 0xAC, 0x70),
        (0x71, 0x75, 0x81), (0x92, 0xDA, 0xDD),
    ],
    np.uint8,
)  # fmt: skip


def clean_name(name: str, limit: int = 60) -> str:
    """Return a name fit to be shown: normalised, without control characters or folders."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in text if c.isprintable())[:limit].strip()


def metrics_csv(metrics: Sequence[dict[str, Any]]) -> str:
    """Write metrics events as a table, one row a step and split."""
    names = sorted({name for event in metrics for name in event["values"]})
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["step", "split", *names])
    for event in metrics:
        values = event["values"]
        row = ["" if values.get(name) is None else values[name] for name in names]
        writer.writerow([event["step"], event["split"], *row])
    return buffer.getvalue()


def script(run: dict[str, Any], changed: list[dict[str, Any]]) -> str:
    """Write a program that repeats a run, its live changes at the same steps included."""
    config = dict(run["config"])
    for event in reversed(changed):
        config[event["field"]] = event["old"]
    changes = tuple((e["step"], e["field"], e["new"]) for e in changed)
    max_steps = run["step"] if changes or run["max_steps"] is None else run["max_steps"]
    parent = run.get("parent")
    note = ""
    if parent:
        origin = parent.get("checkpoint") or f"run {parent.get('run')}, step {parent.get('step')}"
        note = f"\n# It went on from {origin}: give that checkpoint's file as `resume`.\n"
    spec = {
        "model": run["model"],
        "dataset": run["dataset"],
        "config": config,
        "seed": run["seed"],
    }
    arguments = "\n".join(f"    {k}={_literal(v)}," for k, v in spec.items())
    title = run["title"].replace('"""', "'''").replace("\\", "/")
    return f'''"""Repeat the run "{title}". Start it in the folder of the playground:
python {run["id"]}.py
"""

from pathlib import Path

from engine.executors.inline import run
from engine.spec import Budget, RunSpec
{note}
SPEC = RunSpec(
{arguments}
    budget=Budget(max_steps={max_steps!r}),
    changes={_literal(changes)},  # (step, hyperparameter, value)
    folder=Path("repeated-{run["id"]}"),
    previews=False,
)

if __name__ == "__main__":
    for event in run(SPEC):
        wire = event.to_wire()
        if wire["kind"] == "metrics" and wire["split"] == "test":
            print(wire["step"], wire["values"])
        elif wire["kind"] == "status":
            print(wire["state"], wire["message"] or "")
'''


def _literal(value: Any) -> str:
    return pformat(value, sort_dicts=False, width=88, indent=4)


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
    draw = _map_drawer(chosen) if chosen[0]["type"] == "points" else _sheet
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


def _sheet(payload: dict[str, Any]) -> Any:
    from PIL import Image

    data = base64.b64decode(payload["src"].partition(",")[2])
    return Image.open(io.BytesIO(data), formats=("PNG", "JPEG")).convert("RGB")


def _map_drawer(payloads: list[dict[str, Any]]) -> Any:
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
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            pixels[row + dy, column + dx] = colour
        return Image.fromarray(pixels)

    return draw


def _points(payload: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    xy = np.frombuffer(base64.b64decode(payload["xy"]), "<f4").reshape(-1, 2)
    labels = np.frombuffer(base64.b64decode(payload["labels"]), np.uint8)
    return np.nan_to_num(xy), labels
