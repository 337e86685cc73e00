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

import time
from collections.abc import Callable

import torch
from common import Report, arguments
from torch import nn
from torch.nn import functional as F

from engine import events
from engine.configs.gan2d import GAN2DConfig
from engine.data import load
from engine.executors.inline import run
from engine.models.gan2d import GAN2DLearner
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import build

BATCH, NOISE, WIDTH = 256, 16, 128
CPU = torch.device("cpu")
Took = tuple[float, float]  # seconds of the CPU, of the wall clock


def timed(work: Callable[[], object]) -> Took:
    """Run; return the seconds that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def plain(steps: int) -> Took:
    """The step as anyone writes it."""
    points = torch.from_numpy(load("ring8").train.images)
    g = nn.Sequential(
        nn.Linear(NOISE, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2)
    )
    leaky = nn.LeakyReLU(0.2)
    d = nn.Sequential(
        nn.Linear(2, WIDTH), leaky, nn.Linear(WIDTH, WIDTH), leaky, nn.Linear(WIDTH, 1)
    )
    g_adam = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_adam = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.99))
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def loop() -> None:
        for _ in range(steps):
            real = points[torch.randint(len(points), (BATCH,))]
            fake = g(torch.randn(BATCH, NOISE))
            d_adam.zero_grad()
            on_real = F.binary_cross_entropy_with_logits(d(real), ones)
            on_real.backward()
            on_fake = F.binary_cross_entropy_with_logits(d(fake.detach()), zeros)
            on_fake.backward()
            d_adam.step()
            g_adam.zero_grad()
            loss = F.binary_cross_entropy_with_logits(d(fake), ones)
            loss.backward()
            g_adam.step()
            on_real.item(), on_fake.item(), loss.item()

    return timed(loop)


def whole_run(steps: int) -> Took:
    """A run of ours, from its first step to its last."""
    spec = RunSpec("gan2d", "ring8", budget=Budget(max_steps=steps), device="cpu", previews=False)
    cpu = wall = 0.0
    for event in run(spec):
        if isinstance(event, events.Metrics) and event.step == 0:
            cpu, wall = time.process_time(), time.perf_counter()
        if isinstance(event, events.Progress) and event.step == steps:
            break
    return time.process_time() - cpu, time.perf_counter() - wall


def step_alone(steps: int) -> Took:
    """Only what is learnt: no evaluation, no order of examples, no events."""
    data = DataView(load("ring8"), CPU)
    learner = build("gan2d", GAN2DConfig(), data, CPU, 0)
    assert isinstance(learner, GAN2DLearner)
    real, labels = data.train.batch(slice(0, BATCH)), data.train.labels[:BATCH]

    def loop() -> None:
        for step in range(steps):
            learner.training_step(real, labels, step)

    return timed(loop)


def main() -> None:
    """Run the rounds and print the table."""
    args = arguments(__doc__, 10, steps=1000).parse_args()
    torch.set_num_threads(1)
    ways = {"plain PyTorch loop": plain, "our whole run": whole_run, "our step alone": step_alone}
    took: dict[str, list[Took]] = {name: [] for name in ways}
    report = Report(__doc__.splitlines()[0], facts={"steps": args.steps, "threads": 1})
    for number in range(args.rounds + 1):
        for name, way in ways.items():
            seconds = way(args.steps)
            if number:  # the first round warms caches
                took[name].append(seconds)
    for name, pairs in took.items():
        report.add(f"{name}, CPU", [cpu / args.steps * 1e3 for cpu, _ in pairs], unit="ms/step")
        report.add(f"{name}, wall", [wall / args.steps * 1e3 for _, wall in pairs], unit="ms/step")
    theirs = took.pop("plain PyTorch loop")
    for name, ours in took.items():
        bar = {"bar": 1.3, "of": "median", "at_least": True} if "run" in name else {}
        for i, clock in enumerate(("CPU", "wall")):
            ratios = [t[i] / o[i] for t, o in zip(theirs, ours, strict=True)]
            report.add(f"{name} is faster, {clock}", ratios, unit="times", **bar)
    report.show(args.json)


if __name__ == "__main__":
    main()
