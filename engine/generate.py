"""`python -m engine generate`: a text that a language model writes, as the page does it."""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import CheckpointError

CHUNK = 16  # tokens between two lines of what is flushed
MOST_TOKENS = 10_000
SECONDS = 60.0  # a chunk's budget: it is never spent


def add_to(commands: Any) -> None:
    """Add the command to the terminal door."""
    parser = commands.add_parser("generate", help="the text that a language model writes")
    parser.add_argument("file", type=Path, help="a checkpoint of a gpt, a rnn or an ngram")
    parser.add_argument("--prompt", default="", metavar="TEXT", help="where it begins")
    parser.add_argument("--tokens", type=int, default=200, help=f"at most {MOST_TOKENS}")
    parser.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest")
    parser.add_argument("--top-k", type=int, default=0, help="of the likeliest K; 0: of all")
    parser.add_argument("--top-p", type=float, default=1.0, help="of the likeliest, so much mass")
    parser.add_argument("--repetition-penalty", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="say in JSON what was written, and how")
    parser.set_defaults(run=_generate)


def _generate(args: argparse.Namespace) -> int:
    writing = _chunks(args)
    prompt, notes = next(writing)
    if args.json:
        return _told(prompt, notes, writing)
    print(*notes, sep="\n", end="\n" if notes else "", file=sys.stderr)
    try:
        print(_shown(prompt), end="", flush=True)
        for text, _ in writing:
            print(_shown(text), end="", flush=True)
        print(flush=True)
    except BrokenPipeError:  # whoever read it has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _told(prompt: str, notes: list[Any], writing: Iterator[tuple[str, list[Any]]]) -> int:
    """Say in JSON what was written."""
    began = time.perf_counter()
    parts = list(writing)
    seconds = time.perf_counter() - began
    ids = [i for _, found in parts for i in found]
    told = {
        "prompt": prompt,
        "text": "".join(text for text, _ in parts),
        "ids": ids,
        "seconds": round(seconds, 3),
        "tokens_per_s": round(len(ids) / seconds, 1),
        "notes": notes,
    }
    print(json.dumps(told))
    return 0


def _chunks(args: argparse.Namespace) -> Iterator[tuple[str, list[Any]]]:
    """Yield the prompt with its notes, then text with its tokens, a little at a time."""
    from engine.latent import read_int
    from engine.sampling import read_knobs, read_seed

    count, seed = read_int(args.tokens, 1, MOST_TOKENS, "tokens"), read_seed(args.seed)
    knobs = read_knobs(args.temperature, args.top_k, args.top_p, args.repetition_penalty)
    learner = _opened(args)
    prompt = args.prompt.encode("utf-8", "replace").decode("utf-8")
    ids, notes = learner.encode(prompt)
    yield prompt, notes
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with learner.evaluating():
        for done in range(0, count, CHUNK):
            size = min(CHUNK, count - done)
            found = learner.continued(ids, size, knobs, seed, SECONDS)[0]["ids"].tolist()
            ids = [*ids, *found]
            data = b"".join(map(learner.tokenizer.token_bytes, found))
            yield decoder.decode(data, final=done + size == count), found


def _opened(args: argparse.Namespace) -> Any:
    """Return the language model of a checkpoint, or raise `CheckpointError`."""
    import torch

    from engine.__main__ import RUNS
    from engine.checkpoint import read_header
    from engine.data import load as load_dataset
    from engine.device import pick_device
    from engine.registry import entry
    from engine.tensors import DataView
    from engine.trainer import restore

    if not args.file.is_file():
        raise CheckpointError(f"There is no file {args.file}.")
    header = read_header(args.file)
    if entry(header.model).kind != "text":
        raise CheckpointError(f"{args.file.name} holds a {header.model}, which cannot write.")
    device = pick_device(args.device)
    torch.set_num_threads(1)  # as the page's workers do: the same bits
    return restore(args.file, DataView(load_dataset(header.dataset, RUNS), device), device)[0]


def _shown(text: str) -> str:
    """Return a text without what would command the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
