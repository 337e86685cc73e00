"""`python -m engine import`: weights of the authors' code, or of GPT-2, as a checkpoint of ours."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.errors import CheckpointError, Rejected

MODELS = ("cyclegan", "pix2pix", "gpt")


def add_to(commands: Any) -> None:
    """Add the command to the terminal door."""
    parser = commands.add_parser(
        "import",
        help="a generator of the authors' CycleGAN or pix2pix code, or a GPT-2, as a checkpoint",
    )
    parser.add_argument(
        "file",
        type=Path,
        help="latest_net_G.pth, model.safetensors, ckpt.pt; only tensors are read",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--direction", default="a2b", help="what it does: a2b (their G_A) or b2a")
    parser.add_argument("--back", type=Path, metavar="FILE.pth", help="the other direction's")
    parser.add_argument("--model", default="cyclegan", help=", ".join(MODELS))
    parser.add_argument("--title", default="", help="what the page calls it; the file's name else")
    parser.add_argument(
        "--half", action="store_true", help="as float16: half the size, and not the same results"
    )
    gpt = parser.add_argument_group("GPT-2 and nanoGPT")
    gpt.add_argument("--vocab", type=Path, metavar="vocab.json", help="its byte pairs")
    gpt.add_argument("--merges", type=Path, metavar="merges.txt", help="and how they merge")
    gpt.add_argument(
        "--characters", type=Path, metavar="FILE.txt", help="the text, of a model on characters"
    )
    gpt.add_argument("--heads", type=int, help="where the file does not tell how many")
    parser.add_argument("--json", action="store_true", help="say in JSON what was done")
    parser.set_defaults(run=_import)


def _import(args: argparse.Namespace) -> int:
    from engine.translation_given import read_choice

    model = read_choice(args.model, MODELS, "model")
    if args.out.suffix != ".safetensors":
        raise Rejected(f"{args.out.name} must end in .safetensors.")
    told, sentence = _gpt(args) if model == "gpt" else _generators(args, model)
    if args.json:
        print(json.dumps(told))
    else:
        print(f"{sentence}: saved to {args.out} ({told['bytes'] / 2**20:.0f} MB)")
    return 0


def _gpt(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Write the GPT of a file as a checkpoint; return what it is, also in words."""
    from engine.gpt2 import convert

    told = convert(
        args.file,
        args.out,
        args.title or args.file.stem,
        heads=args.heads,
        vocabulary=args.vocab,
        merges=args.merges,
        characters=args.characters,
        half=args.half,
    )
    size = f"{told['layers']} layers, {told['heads']} heads, width {told['width']}"
    seen = f"context {told['context']}, {told['tokens']:,} tokens ({told['tokenizer']})"
    return told, f"GPT of {size}, {seen}{', as float16' if told['float16'] else ''}"


def _generators(args: argparse.Namespace, model: str) -> tuple[dict[str, Any], str]:
    """Write generators as a checkpoint; return what it holds, also in words."""
    from engine import checkpoint
    from engine.foreign import checkpoint_of, recognise
    from engine.translation import DIRECTIONS
    from engine.translation_given import other, read_choice
    from engine.unpickling import read_state

    way = read_choice(args.direction, DIRECTIONS, "direction")
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
    ways = " and ".join(sorted(generators))
    return told, f"{found.kind} of {found.channels} channels, {found.norm} norm, {ways}"
