"""`python -m engine import`: weights of the authors' PyTorch code as a checkpoint of ours."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.errors import CheckpointError, Rejected

MODELS = ("cyclegan", "pix2pix")


def add_to(commands: Any) -> None:
    """Add the command to the terminal door."""
    parser = commands.add_parser(
        "import", help="a generator of the authors' CycleGAN or pix2pix code as a checkpoint"
    )
    parser.add_argument("file", type=Path, help="such as latest_net_G.pth; only tensors are read")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--direction", default="a2b", help="what it does: a2b (their G_A) or b2a")
    parser.add_argument("--back", type=Path, metavar="FILE.pth", help="the other direction's")
    parser.add_argument("--model", default="cyclegan", help="cyclegan or pix2pix")
    parser.add_argument("--title", default="", help="what the page calls it; the file's name else")
    parser.add_argument(
        "--half", action="store_true", help="as float16: half the size, and not the same pictures"
    )
    parser.add_argument("--json", action="store_true", help="say in JSON what was done")
    parser.set_defaults(run=_import)


def _import(args: argparse.Namespace) -> int:
    from engine import checkpoint
    from engine.foreign import checkpoint_of, recognise
    from engine.translation import DIRECTIONS
    from engine.translation_given import other, read_choice
    from engine.unpickling import read_state

    way = read_choice(args.direction, DIRECTIONS, "direction")
    model = read_choice(args.model, MODELS, "model")
    if args.out.suffix != ".safetensors":
        raise Rejected(f"{args.out.name} must end in .safetensors.")
    files = {way: args.file} | ({} if args.back is None else {other(way): args.back})
    generators = {to: recognise(read_state(path), path.name) for to, path in files.items()}
    title = args.title or args.file.stem
    header, tensors = checkpoint_of(generators, model, title)
    if args.half:
        tensors = checkpoint.halved(tensors)
    size = sum(v.numel() * v.element_size() for v in tensors.values())
    if size > checkpoint.MAX_BYTES - checkpoint.MAX_HEADER:
        most = checkpoint.MAX_BYTES // 2**20
        raise CheckpointError(
            f"{args.out.name} would have {size / 2**20:.0f} MB; at most {most} MB are read: "
            "give --half, or one direction only."
        )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save(args.out, header, tensors)
    found = generators[way]
    told = {
        "out": str(args.out),
        "bytes": args.out.stat().st_size,
        "model": model,
        "directions": sorted(generators),
        "generator": found.kind,
        "channels": found.channels,
        "norm": found.norm,
        "side": found.side,
    }
    if args.json:
        print(json.dumps(told))
    else:
        print(
            f"{found.kind} of {found.channels} channels, {found.norm} norm, "
            f"{' and '.join(sorted(generators))}: saved to {args.out} "
            f"({told['bytes'] / 2**20:.0f} MB)"
        )
    return 0
