"""A GPT-2 file that is brought to the page, made into a checkpoint by a process of its own.

The page's process does without torch, and a file may be anything: the other one has bounded
memory and time, and does what `python -m engine import FILE --model gpt` does.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
from pathlib import Path

from engine.checkpoint import MAX_HEADER
from engine.errors import Busy, CheckpointError, PlaygroundError
from engine.unpickling import bound_memory, run_bounded

TIME_S = 60.0
REFUSED = 2  # exit status of the process that has said a sentence


def is_gpt2(content: bytes) -> bool:
    """Say whether a safetensors file is in the layout of GPT-2 or nanoGPT."""
    try:
        length = struct.unpack("<Q", content[:8])[0]
        layout = json.loads(content[8 : 8 + length]) if length <= MAX_HEADER else {}
    except (struct.error, ValueError, RecursionError):
        return False
    return isinstance(layout, dict) and any(key.endswith("wte.weight") for key in layout)


def converted(content: bytes, name: str) -> bytes:
    """Return the checkpoint that a GPT-2 file becomes; `name` is what the file was called.

    Raises `CheckpointError` with one sentence, or `Busy` when it takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="playground-gpt2-") as folder:
        source, out = Path(folder) / "file.safetensors", Path(folder) / "out.safetensors"
        source.write_bytes(content)
        arguments = [str(source), str(out), Path(name).stem[:80] or "GPT-2"]
        done = run_bounded("engine.gpt2_upload", arguments, TIME_S)
        if done is None:
            raise Busy(f"The file could not be converted within {TIME_S:g} s; try again.")
        if done.returncode == REFUSED:
            said = done.stderr.decode("utf-8", "replace").strip().replace(source.name, "The file")
            raise CheckpointError(said)
        if done.returncode != 0:
            raise CheckpointError("The file could not be converted: it takes too much memory.")
        return out.read_bytes()


def _main(source: str, out: str, title: str) -> int:
    bound_memory()
    from engine.gpt2 import convert

    try:
        convert(Path(source), Path(out), title)
    except PlaygroundError as error:
        print(error.sentence, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(*sys.argv[1:4]))
