"""Modes that the GAN on points covers: the toy protocol of PacGAN at a live budget.

Ring of 8 at the defaults (noise 16, batch 256, both nets 2 x 128, non-saturating loss, Adam 1e-3
(.5, .99)), 5,000 steps: plain, with packing 2, and with the minibatch standard deviation, for
seeds 0 to N-1. With `--grid`, also the grid of 25 at its preset, seed 0, which takes minutes. Each
row is one run's 2,500 samples: modes with at least one high-quality sample (published) and with
20 % of their share (strict), share of high quality (98.9 % is the most), reverse KL.

    python tests/benchmarks/gan2d_modes.py [--rounds 5] [--steps 5000] [--grid] [--json]
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from common import arguments

from engine import events
from engine.configs.gan2d import PRESETS
from engine.executors.inline import run
from engine.spec import Budget, RunSpec

VARIANTS: dict[str, dict[str, Any]] = {
    "ring, plain": {},
    "ring, packing 2": {"packing": 2},
    "ring, minibatch deviation": {"minibatch_std": True},
}
METRICS = ("modes_covered", "modes_strict", "high_quality_share", "reverse_kl_nats")


def train(dataset: str, config: dict[str, Any], steps: int, seed: int) -> dict[str, float]:
    """Train as the terminal does; return the metrics of the end, on 2,500 samples."""
    spec = RunSpec(
        "gan2d", dataset, config, seed=seed, budget=Budget(max_steps=steps), previews=False
    )
    values: dict[str, float] = {}
    began = time.process_time()
    for event in run(spec):
        if isinstance(event, events.Metrics) and event.split == "test":
            values = event.values
    found = {name: values[name] for name in METRICS}
    return {**found, "cpu_s": time.process_time() - began}


def show(name: str, seed: int, found: dict[str, float]) -> None:
    """Print one run's row at once: a whole table takes minutes."""
    modes = f"{found['modes_covered']:>7.0f}{found['modes_strict']:>8.0f}"
    quality = f"{found['high_quality_share']:>9.1%}{found['reverse_kl_nats']:>9.4f}"
    print(f"{name:28}{seed:>5}{modes}{quality}{found['cpu_s']:>8.0f}", flush=True)


def main() -> None:
    """Run the variants and say which bars are reached."""
    parser = arguments(__doc__, 5, steps=5000)
    parser.add_argument("--grid", action="store_true", help="the grid of 25 too")
    args = parser.parse_args()
    if not args.json:
        print(f"{'':28}{'seed':>5}{'>= 1':>7}{'strict':>8}{'quality':>9}{'KL':>9}{'CPU s':>8}")
    runs: dict[str, list[dict[str, float]]] = {}
    for name, config in VARIANTS.items():
        for seed in range(args.rounds):
            runs.setdefault(name, []).append(train("ring8", config, args.steps, seed))
            if not args.json:
                show(name, seed, runs[name][-1])
    if args.grid:
        best = next(p for p in PRESETS if p.key == "gan2d-grid")
        runs["grid"] = [train(best.dataset, best.config, best.max_steps, 0)]
        if not args.json:
            show("grid, its preset", 0, runs["grid"][0])
    bars = judged(runs)
    if args.json:
        print(json.dumps({"steps": args.steps, "runs": runs, "bars": bars}))
        return
    for sentence, reached in bars.items():
        print(f"{sentence}: {'ok' if reached else 'MISSED'}")


def judged(runs: dict[str, list[dict[str, float]]]) -> dict[str, bool]:
    """Return the bars, each with whether it is reached."""
    plain = statistics.mean(r["modes_covered"] for r in runs["ring, plain"])
    bars = {f"plain: mean of {plain:.1f} modes is at most 5": plain <= 5}
    for name in list(VARIANTS)[1:]:
        good = sum(r["modes_strict"] == 8 for r in runs[name])
        kl = statistics.median(r["reverse_kl_nats"] for r in runs[name])
        of = len(runs[name])
        said = f"{name}: strictly 8 of 8 on {good} of {of} seeds, median KL {kl:.3f}"
        bars[said] = good >= 0.8 * of and kl <= 0.05
    for grid in runs.get("grid", []):
        said = f"grid: {grid['modes_strict']:.0f} of 25, {grid['high_quality_share']:.0%} good"
        bars[said] = grid["modes_strict"] >= 24 and grid["high_quality_share"] >= 0.8
    return bars


if __name__ == "__main__":
    main()
