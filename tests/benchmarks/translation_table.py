"""The README's table of translators: how well held-out pairs cross over, beside simple lines.

Each CHECKPOINT is a file or the name of a shipped one; none stands for all shipped translators.
What is measured is what `python -m engine evaluate` measures (engine.translation_evaluation).
Above them stand what takes no network: the picture as it was given, the nearest training picture
of the target domain by pixels (no pairs needed), and the best change a x + b of each colour
(fitted on training pairs). In each cell: A to B, then B to A. N pairs give top-1 a standard error
of sqrt(p (1 - p) / N). Bars, for each CycleGAN that has its three losses:
  retrieval, top-1     at least 50 %, at most 5 points below that of the picture as it was given
  KID                  at most half of that of the picture as it was given
  perceptual score     at least 0.4

    python tests/benchmarks/translation_table.py [--json] [CHECKPOINT …]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from common import arguments

from engine import checkpoint, data
from engine import translation_evaluation as evaluation
from engine import translation_measures as measures
from engine.tensors import DataView
from engine.trainer import restore

KEY = "emoji_pairs"
TITLES = {
    "retrieval_top1": ("top-1", "{:.1%}"),
    "retrieval_top5": ("top-5", "{:.1%}"),
    "retrieval_features_top1": ("top-1, features", "{:.1%}"),
    "kid": ("KID", "{:.3f}"),
    "perceptual": ("perceptual", "{:.3f}"),
    "perceptual_score": ("S", "{:.2f}"),
    "l1": ("L1", "{:.4f}"),
    "l1_foreground": ("L1, foreground", "{:.4f}"),
    "psnr": ("PSNR, dB", "{:.2f}"),
    "ssim": ("SSIM", "{:.3f}"),
    "cycle_l1": ("cycle", "{:.4f}"),
    "stegano_ratio": ("noise / none", "{:.2f}"),
}
Row = dict[str, float]


def main() -> None:
    """Measure all, print a row each, then the bars."""
    parser = arguments(__doc__ or "", rounds=1)
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT")
    options = parser.parse_args()
    torch.set_num_threads(1)
    view = DataView(data.load(KEY), torch.device("cpu"))
    both = evaluation.crossings(view)
    names = [crossing.name for crossing in both]
    rows = floors(view, both)
    bars: dict[str, bool] = {}
    for path in chosen(options.checkpoints):
        header = checkpoint.read_header(path)
        learner: Any
        learner, _ = restore(path, view, view.device)
        name = f"{path.parent.name}/{path.stem}, {header.step:,} steps"
        rows[name] = found = learner.evaluate_fully(view, seed=0)
        weights = ("lambda_validity", "lambda_cycle", "lambda_identity")
        if header.model == "cyclegan" and all(header.config[w] > 0 for w in weights):
            bars |= {f"{name}: {said}": good for said, good in judged(found, names).items()}
    if options.json:
        print(json.dumps({"pairs": len(both[0].given), "rows": rows, "bars": bars}))
        return
    print(f"{len(both[0].given)} pairs; in each cell {names[0]}, then {names[1]}\n")
    print("| | " + " | ".join(title for title, _ in TITLES.values()) + " |")
    print("|---" * (len(TITLES) + 1) + "|")
    for name, found in rows.items():
        cells = (cell(found, measure, names) for measure in TITLES)
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    for sentence, reached in bars.items():
        print(f"{sentence}: {'ok' if reached else 'MISSED'}")


def chosen(given: list[str]) -> list[Path]:
    """Return the files of names and paths, all shipped translators for none."""
    shipped = checkpoint.shipped()
    known = [name for name in shipped if name.startswith(("cyclegan/", "pix2pix/"))]
    return [shipped.get(name, Path(name)) for name in given or known]


def floors(view: DataView, both: list[evaluation.Crossing]) -> dict[str, Row]:
    """Return the rows of what takes no network."""
    ceiling = evaluation.ceiling_of(view, both)
    other = [c.other_target.float() / 255 for c in reversed(both)]  # of A, of B
    found: dict[str, Row] = {
        "copy": {},
        "nearest in training": {},
        "colours fitted": {},
        "real": {},
    }
    for i, crossing in enumerate(both):
        change = measures.colour_change(other[i], other[1 - i])
        made = {
            "copy": crossing.given,
            "nearest in training": measures.nearest(crossing.given, other[1 - i]),
            "colours fitted": change(crossing.given),
        }
        copied = evaluation.judged(crossing, crossing.given)["perceptual"]
        for name, pictures in made.items():
            values = evaluation.judged(crossing, pictures)
            if crossing.way in ceiling:
                known = {**values, "perceptual_identity": copied}
                values |= evaluation.score(known, ceiling[crossing.way])
            found[name] |= {f"{k}/{crossing.name}": v for k, v in values.items()}
        found["real"][f"kid/{crossing.name}"] = evaluation.kid_real(crossing)
    return found


def cell(found: Row, measure: str, names: list[str]) -> str:
    """Return a measure of both directions."""
    form = TITLES[measure][1]
    values = [found.get(f"{measure}/{name}") for name in names]
    return " / ".join("–" if v is None else form.format(v) for v in values)


def judged(found: Row, names: list[str]) -> dict[str, bool]:
    """Return the bars of a CycleGAN, each with whether it is reached."""
    bars: dict[str, bool] = {}
    for name in names:
        top, copied = (found[f"retrieval_top1{x}/{name}"] for x in ("", "_identity"))
        kid, own = (found[f"kid{x}/{name}"] for x in ("", "_identity"))
        said = f"{name}, top-1 {top:.1%} beside the copy's {copied:.1%}"
        bars[said] = top >= 0.5 and top >= copied - 0.05
        bars[f"{name}, KID {kid:.3f} beside the copy's {own:.3f}"] = kid <= own / 2
        share = found.get(f"perceptual_score/{name}")
        if share is not None:
            bars[f"{name}, perceptual score {share:.2f}"] = share >= 0.4
    return bars


if __name__ == "__main__":
    main()
