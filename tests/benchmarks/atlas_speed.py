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

import time
from collections.abc import Callable

import torch
from common import Report, arguments
from torch import nn
from torch.nn import functional as F

from engine import events
from engine.configs.gan2d_atlas import AtlasConfig
from engine.data import load
from engine.executors.inline import run
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import build

CONFIG = AtlasConfig()
BATCH, NOISE = CONFIG.batch_size, CONFIG.latent_dim
CPU = torch.device("cpu")
Took = tuple[float, float]  # seconds of the CPU, of the wall clock, for one step of one GAN


def timed(work: Callable[[], object], steps: int) -> Took:
    """Run; return the seconds that it took for each step."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.process_time() - cpu) / steps, (time.perf_counter() - wall) / steps


def network(inputs: int, width: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    """Return a perceptron with two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, width),
        activation,
        nn.Linear(width, width),
        activation,
        nn.Linear(width, outputs),
    )


def plain(steps: int) -> Took:
    """One GAN, the step as anyone writes it."""
    points = torch.from_numpy(load("ring8").train.images)
    g = network(NOISE, CONFIG.generator_width, 2, nn.ReLU())
    d = network(2, CONFIG.discriminator_width, 1, nn.LeakyReLU(0.2))
    g_adam = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_adam = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.99))
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def loop() -> None:
        for _ in range(steps):
            real = points[torch.randint(len(points), (BATCH,))]
            fake = g(torch.randn(BATCH, NOISE))
            d_adam.zero_grad()
            F.binary_cross_entropy_with_logits(d(real), ones).backward()
            F.binary_cross_entropy_with_logits(d(fake.detach()), zeros).backward()
            d_adam.step()
            g_adam.zero_grad()
            F.binary_cross_entropy_with_logits(d(fake), ones).backward()
            g_adam.step()

    return timed(loop, steps)


def whole_run(steps: int) -> Took:
    """A run of the atlas, from its first step to its last."""
    spec = RunSpec(
        "gan2d_atlas", "ring8", budget=Budget(max_steps=steps), device="cpu", previews=False
    )
    cpu = wall = 0.0
    for event in run(spec):
        if isinstance(event, events.Metrics) and event.step == 0:
            cpu, wall = time.process_time(), time.perf_counter()
        if isinstance(event, events.Progress) and event.step == steps:
            break
    count = steps * CONFIG.cells
    return (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count


def step_alone(steps: int) -> Took:
    """Only what is learnt: no evaluation, no order of examples, no events."""
    data = DataView(load("ring8"), CPU)
    learner = build("gan2d_atlas", CONFIG, data, CPU, 0)
    real, labels = data.train.batch(slice(0, BATCH)), data.train.labels[:BATCH]

    def loop() -> None:
        for step in range(steps):
            learner.training_step(real, labels, step)

    return timed(loop, steps * CONFIG.cells)


def main() -> None:
    """Run the rounds and print the table."""
    args = arguments(__doc__, 15, steps=400).parse_args()
    torch.set_num_threads(1)
    ways = {"plain PyTorch loop": plain, "atlas, whole run": whole_run, "step alone": step_alone}
    took: dict[str, list[Took]] = {name: [] for name in ways}
    facts = {"plain steps a round": args.steps, "cells": CONFIG.cells, "threads": 1}
    report = Report(__doc__.splitlines()[0], facts=facts)
    for number in range(args.rounds + 1):
        for name, way in ways.items():
            steps = args.steps if way is plain else args.steps // 2
            seconds = way(steps)
            if number:  # the first round warms caches
                took[name].append(seconds)
    for name, pairs in took.items():
        for i, clock in enumerate(("CPU", "wall")):
            rates = [1 / pair[i] for pair in pairs]
            report.add(f"{name}, {clock}", rates, unit="steps/s")
    theirs = took.pop("plain PyTorch loop")
    for name, ours in took.items():
        bar = {"bar": 20.0, "of": "median", "at_least": True} if "run" in name else {}
        for i, clock in enumerate(("CPU", "wall")):
            ratios = [t[i] / o[i] for t, o in zip(theirs, ours, strict=True)]
            report.add(f"{name} is faster, {clock}", ratios, unit="times", **bar)
    report.show(args.json)


if __name__ == "__main__":
    main()
