"""Everything that students of a room made, as one zip file that a teacher can open anywhere.

Built on the disk, one run after the other, so that memory is bounded; no owner token, key or
path of the server goes into it.
"""

from __future__ import annotations

import csv
import html
import io
import json
import logging
import os
import re
import tempfile
import time
import unicodedata
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from engine import run_views
from engine.errors import PlaygroundError
from engine.run_record import Run
from playground import downloads, film
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

log = logging.getLogger("playground.room")

TOLD = (
    "id", "model", "dataset", "title", "config", "seed", "state", "step", "max_steps",
    "elapsed_s", "message", "created",
)  # fmt: skip
MOST_FRAMES = 12  # of one film
RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:24px;color:#1c2026;background:#f5f6f8}"
    "table{border-collapse:collapse;background:#fff}td,th{padding:6px 12px;text-align:left;"
    "border:1px solid #dfe3e8;vertical-align:top}img{width:160px;image-rendering:pixelated}"
)


@dataclass
class _Line:
    """One run in the overview."""

    student: str
    folder: str
    about: dict[str, Any]
    pictures: list[str]
    checkpoint: str


def written(
    service: Service, room: str, students: Sequence[tuple[str, Sequence[Run]]], newest: bool
) -> Path:
    """Write the zip to a temporary file; return its path. `newest`: only the last run of each."""
    descriptor, name = tempfile.mkstemp(prefix="room-", suffix=".zip")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            lines: list[_Line] = []
            folders: set[str] = set()
            for student, runs in students:
                folder = safe_name(student, folders)
                for run in runs[:1] if newest else runs:
                    with suppress(PlaygroundError):  # deleted a moment ago
                        lines.append(_run(service, archive, student, folder, run))
            names = [student for student, _ in students]
            _overview(archive, room, names, lines)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def safe_name(text: str, taken: set[str]) -> str:
    """Return a name that every file system takes, none twice."""
    plain = unicodedata.normalize("NFKC", text)
    name = re.sub(r"[^\w\- ]+", "_", plain).strip(" _.")[:40] or "student"
    if name.lower() in RESERVED:
        name += "_"
    found, number = name, 2
    while found.casefold() in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found.casefold())
    return found


def _run(service: Service, archive: zipfile.ZipFile, student: str, folder: str, run: Run) -> _Line:
    store = service.store
    about = {name: v for name, v in run_views.view(run, {}, "").items() if name in TOLD}
    at = f"{folder}/{safe_name(about['title'], set())}-{run.id[:6]}"
    changes = [list(change) for change in run.changes]
    told = json.dumps({**about, "student": student, "changes": changes}, indent=1)
    _text(archive, f"{at}/run.json", told)
    _text(archive, f"{at}/curves.csv", downloads.metrics_csv(store.metrics(run.id)))
    pictures = _pictures(archive, at, store.timeline(run.id))
    checkpoint = ""
    with suppress(PlaygroundError, OSError):  # none yet
        saved = store.saved(run.id)
        checkpoint = f"{at}/{saved.name}"
        archive.write(saved, checkpoint, zipfile.ZIP_STORED)
    return _Line(student, at, about, pictures, checkpoint)


def _pictures(archive: zipfile.ZipFile, at: str, timeline: bytes) -> list[str]:
    """Write each kept view as a short film, and its last picture as PNG; return those."""
    frames = orjson.loads(timeline)["frames"]
    names = sorted({name for frame in frames for name in frame["views"]})
    stills = []
    for view in names:
        having = [frame for frame in frames if view in frame["views"]]
        chosen = _spread(having, MOST_FRAMES)
        safe = safe_name(view, set())
        try:
            _bytes(archive, f"{at}/{safe}.webp", film.film(orjson.dumps({"frames": chosen}), view))
            last = film.film(orjson.dumps({"frames": having[-1:]}), view)
        except (PlaygroundError, KeyError, ValueError, OSError) as error:
            log.warning("pictures of %s could not be exported: %s", view, error)
            continue
        still = f"{at}/{safe}-step-{having[-1]['step']}.png"
        _bytes(archive, still, _png(last))
        stills.append(still)
    return stills


def _spread(items: list[Any], most: int) -> list[Any]:
    if len(items) <= most:
        return items
    return [items[i * (len(items) - 1) // (most - 1)] for i in range(most)]


def _png(webp: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(webp), formats=("WEBP",)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _overview(
    archive: zipfile.ZipFile, room: str, students: Sequence[str], lines: Sequence[_Line]
) -> None:
    _text(archive, "overview.csv", _table(students, lines))
    rows = "".join(_row(line) for line in lines)
    without = sorted(set(students) - {line.student for line in lines})
    none = f"<p>{_e(t('room.export_without', names=', '.join(without)))}</p>" if without else ""
    heads = ("student", "run", "model", "state", "step", "picture", "files")
    head = "".join(f"<th>{_e(t(f'room.export_{name}'))}</th>" for name in heads)
    day = time.strftime("%Y-%m-%d %H:%M")
    _text(
        archive,
        "index.html",
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_e(room)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{_e(room)}</h1>"
        f"<p>{_e(t('room.export_when', when=day, count=len(students)))}</p>{none}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>",
    )


def _row(line: _Line) -> str:
    about = line.about
    pictures = "".join(f'<img src="{_link(p)}" alt="{_e(Path(p).stem)}">' for p in line.pictures)
    files = [f"{line.folder}/curves.csv", f"{line.folder}/run.json", line.checkpoint]
    links = " · ".join(f'<a href="{_link(f)}">{_e(Path(f).name)}</a>' for f in files if f)
    cells = [
        _e(line.student), _e(about["title"]), _e(f"{about['model']}, {about['dataset']}"),
        _e(about["state"]), f"{about['step']:,}", pictures, links,
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(students: Sequence[str], lines: Sequence[_Line]) -> str:
    """Write one row a run; a student without a run has a row, too."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["student", "run", "title", "model", "dataset", "state", "step", "folder"])
    for student in students:
        mine = [line for line in lines if line.student == student]
        for line in mine:
            a = line.about
            row = [a["id"], _cell(a["title"]), a["model"], a["dataset"], a["state"], a["step"]]
            writer.writerow([_cell(student), *row, _cell(line.folder)])
        if not mine:
            writer.writerow([_cell(student), *[""] * 7])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """Keep a spreadsheet from reading a name as a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text


def _e(text: str) -> str:
    return html.escape(text, quote=True)


def _link(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _text(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(name, text.encode(), zipfile.ZIP_DEFLATED)


def _bytes(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(name, data, zipfile.ZIP_STORED)
