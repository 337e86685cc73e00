"""Steps/s of the GAN on points against a plain PyTorch loop of the same step, taking turns.

Ring of 8, noise of 16, both nets 2 x 128, batch 256, non-saturating loss, Adam 1e-3 (.5, .99), one
thread, one process. The plain loop is the step as the DCGAN example of pytorch/examples writes it
(D on real, D on generated, G; BCE with logits; two Adams; the losses read each step), with the
points in one tensor. Ours is a whole run of `train()` without pictures, from its first step to its
last, with its evaluations, its reading of losses and its checks; "step alone" is `training_step`
with a batch at hand. Each round: so many steps of each. The ratio is of CPU time, pair by pair, so
that other processes disturb it less; the wall clock's is beside it.

    python tests/benchmarks/gan2d_speed.py [--rounds 10] [--steps 1000] [--json]
"""

from __future__ import annotations

import torch
from common import Report, arguments
from turns import add_ratios, plain_loop, rounds_of, step_alone, timed, whole_run

BATCH, NOISE, WIDTH = 256, 16, 128


def main() -> None:
    """Run the rounds and print the table."""
    args = arguments(__doc__, 10, steps=1000).parse_args()
    torch.set_num_threads(1)
    theirs = "plain PyTorch loop"
    took = rounds_of(
        {
            theirs: lambda: timed(plain_loop(NOISE, (WIDTH, WIDTH), BATCH, args.steps, read=True)),
            "our whole run": lambda: whole_run("gan2d", args.steps),
            "our step alone": lambda: step_alone("gan2d", args.steps),
        },
        args.rounds,
    )
    report = Report(__doc__.splitlines()[0], facts={"steps": args.steps, "threads": 1})
    for name, pairs in took.items():
        report.add(f"{name}, CPU", [cpu / args.steps * 1e3 for cpu, _ in pairs], unit="ms/step")
        report.add(f"{name}, wall", [wall / args.steps * 1e3 for _, wall in pairs], unit="ms/step")
    add_ratios(report, took, theirs, 1.3)
    report.show(args.json)


if __name__ == "__main__":
    main()
