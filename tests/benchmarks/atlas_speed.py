"""GAN steps/s of the stability atlas against a plain PyTorch loop of one GAN, taking turns.

Ring of 8, the atlas as it comes (10 x 10 cells, noise of 2, both nets 2 x 32, batch 64,
non-saturating loss, Adam (.5, .99)), one thread, one process. The plain loop trains one such GAN
as the DCGAN example of pytorch/examples writes it (D on real, D on generated, G; BCE with logits;
two Adams), the losses not even read, with the points in one tensor. The atlas is a whole run of
`train()` without pictures, from its first step to its last, with its evaluations, its looks at
every cell and its checks; "step alone" is `training_step` with a batch at hand. A step of the
atlas counts as one step of each of its cells. Each round: so many plain steps, half as many of
the atlas. Ratios are taken round by round, once by CPU time, which other processes disturb less,
and once by the clock on the wall; the bar is for both.

    python tests/benchmarks/atlas_speed.py [--rounds 15] [--steps 400] [--json]
"""

from __future__ import annotations

import torch
from common import Report, arguments
from turns import Took, add_ratios, plain_loop, rounds_of, step_alone, timed, whole_run

from engine.configs.gan2d_atlas import AtlasConfig

CONFIG = AtlasConfig()
BATCH, NOISE = CONFIG.batch_size, CONFIG.latent_dim


def each(took: Took, steps: int) -> Took:
    """Return the seconds of one step of one GAN."""
    cpu, wall = took
    return cpu / steps, wall / steps


def main() -> None:
    """Run the rounds and print the table."""
    args = arguments(__doc__, 15, steps=400).parse_args()
    torch.set_num_threads(1)
    theirs, widths = "plain PyTorch loop", (CONFIG.generator_width, CONFIG.discriminator_width)
    half = args.steps // 2
    count = half * CONFIG.cells
    took = rounds_of(
        {
            theirs: lambda: each(
                timed(plain_loop(NOISE, widths, BATCH, args.steps, read=False)), args.steps
            ),
            "atlas, whole run": lambda: each(whole_run("gan2d_atlas", half), count),
            "step alone": lambda: each(step_alone("gan2d_atlas", half), count),
        },
        args.rounds,
    )
    facts = {"plain steps a round": args.steps, "cells": CONFIG.cells, "threads": 1}
    report = Report(__doc__.splitlines()[0], facts=facts)
    for name, pairs in took.items():
        for i, clock in enumerate(("CPU", "wall")):
            rates = [1 / pair[i] for pair in pairs]
            report.add(f"{name}, {clock}", rates, unit="steps/s")
    add_ratios(report, took, theirs, 20.0)
    report.show(args.json)


if __name__ == "__main__":
    main()
