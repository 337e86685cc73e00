"""The sheet of held-out translations that README shows: given, translated, true partner.

The first pictures of the test split in its fixed order, none chosen by hand.

    python tests/benchmarks/translation_sheet.py [CHECKPOINT] [--count 48] [--out FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine.checkpoint import SHIPPED, read_header
from engine.data import load
from engine.tensors import DataView
from engine.trainer import restore
from engine.translation import domains, to_unit

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 16
GAP_PX = 12  # between two bands
QUALITY = 88


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "checkpoint", nargs="?", default=str(SHIPPED / "cyclegan/emoji.safetensors")
    )
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--out", default=str(ROOT / "playground/translations.webp"))
    options = parser.parse_args()
    device = torch.device("cpu")
    header = read_header(Path(options.checkpoint))
    data = DataView(load(header.dataset), device)
    learner, _ = restore(Path(options.checkpoint), data, device)
    a, b = domains(data.test.batch(slice(0, options.count)))
    with learner.evaluating():
        made = learner.translate(a, "a2b")  # type: ignore[attr-defined]
    rows = [(to_unit(x) * 255).round().byte().numpy().transpose(0, 2, 3, 1) for x in (a, made, b)]
    bands = []
    for start in range(0, options.count, COLUMNS):
        part = [np.concatenate(list(row[start : start + COLUMNS]), 1) for row in rows]
        bands += [*part, np.full((GAP_PX, part[0].shape[1], 3), 255, np.uint8)]
    Image.fromarray(np.concatenate(bands[:-1])).save(options.out, quality=QUALITY)
    print(f"{options.out}: {len(a)} pictures; given, translated, true partner")


if __name__ == "__main__":
    main()
