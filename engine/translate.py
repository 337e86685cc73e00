"""`python -m engine translate`: a picture through a translator, as the page does it."""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError, DataError, NoSpace, Rejected

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
MODELS = ("cyclegan", "pix2pix")


def add_to(commands: Any) -> None:
    """Add the command to the terminal door."""
    parser = commands.add_parser("translate", help="a picture into a model's other domain")
    parser.add_argument("file", type=Path, help="a checkpoint of a cyclegan or a pix2pix")
    parser.add_argument("picture", type=Path, help="at most 20 MB; up to 4096 px a side are kept")
    parser.add_argument("--out", type=Path, required=True, metavar="PICTURE")
    parser.add_argument("--direction", default="a2b", help="a2b or b2a")
    parser.add_argument("--fit", default="letterbox", help="letterbox, or tiles for its own size")
    parser.add_argument("--cycle", type=Path, metavar="PICTURE", help="where the way back goes")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="say in JSON what was done")
    parser.set_defaults(run=_translate)


def _translate(args: argparse.Namespace) -> int:
    from engine.data.reading import MAX_BYTES, read_picture
    from engine.translation_pictures import MOST_SIDE_PX

    for path in filter(None, (args.out, args.cycle)):
        _check_out(path)
    try:
        with args.picture.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise DataError(f"{args.picture} cannot be read ({reason}).") from error
    name = args.picture.name
    image = read_picture(content, name, keep_alpha=True, kept_side_px=MOST_SIDE_PX)
    told = _crossed(args, image)
    if args.json:
        print(json.dumps(told))
    else:
        print(*told["notes"], sep="\n", end="\n" if told["notes"] else "")
        print(f"{name}, {told['direction']}, saved to {args.out} in {told['seconds']} s")
    return 0


def _crossed(args: argparse.Namespace, image: Image.Image) -> dict[str, Any]:
    """Translate the picture, write the results, and return what was done."""
    from engine.__main__ import RUNS
    from engine.checkpoint import read_header
    from engine.data import load as load_dataset
    from engine.device import pick_device
    from engine.tensors import DataView
    from engine.trainer import restore
    from engine.translation import DIRECTIONS
    from engine.translation_given import given_picture, other, read_choice
    from engine.translation_pictures import FITS, to_pixels

    way = read_choice(args.direction, DIRECTIONS, "direction")
    fit = read_choice(args.fit, FITS, "fit")
    if not args.file.is_file():
        raise CheckpointError(f"There is no file {args.file}.")
    header = read_header(args.file)
    if header.model not in MODELS:
        raise CheckpointError(f"{args.file.name} holds a {header.model}, which cannot translate.")
    device = pick_device(args.device)
    data = DataView(load_dataset(header.dataset, RUNS), device)
    translator: Any = restore(args.file, data, device)[0]
    translator.patient = True
    translator.demand(*((way,) if args.cycle is None else (way, other(way))))
    given, began = given_picture(image), time.monotonic()
    with translator.evaluating():
        canvas = translator.canvas_of(data, given, way, fit, passes=1 + (args.cycle is not None))
        made = translator.crossed(canvas.pixels, way)
        _write(args.out, canvas.returned(to_pixels(made)))
        if args.cycle is not None:
            _write(args.cycle, canvas.returned(to_pixels(translator.crossed(made, other(way)))))
    return {
        "direction": way,
        "fit": fit,
        "width": image.width,
        "height": image.height,
        "out": str(args.out),
        "cycle": None if args.cycle is None else str(args.cycle),
        "seconds": round(time.monotonic() - began, 2),
        "notes": given.notes,
    }


def _check_out(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise Rejected(f"{path.name} must end in .png, .jpg or .webp (PNG, JPEG or WebP).")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise NoSpace(f"{path} cannot be written; choose another place.")


def _write(path: Path, image: Image.Image) -> None:
    from engine.checkpoint import write_atomically
    from engine.translation_pictures import on_white

    kind = FORMATS[path.suffix.lower()]
    buffer = io.BytesIO()
    options: dict[str, Any] = {"compress_level": 1} if kind == "PNG" else {"quality": 95}
    (on_white(image) if kind == "JPEG" else image).save(buffer, kind, **options)
    write_atomically(path, buffer.getvalue())
