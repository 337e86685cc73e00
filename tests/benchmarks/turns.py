"""Two sides that take turns: in this process, or each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from common import ROOT, Report
from torch import nn
from torch.nn import functional as F

from engine import events
from engine.data import load
from engine.executors.inline import run
from engine.registry import entry
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import build

CPU = torch.device("cpu")
Took = tuple[float, float]  # seconds of the CPU, of the wall clock
T = TypeVar("T")


def timed(work: Callable[[], object]) -> Took:
    """Run; return the seconds that it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def rounds_of(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Let each way have its turn in every round; a round before them warms caches."""
    took: dict[str, list[T]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            found = way()
            if number:
                took[name].append(found)
    return took


def add_ratios(report: Report, took: Mapping[str, Sequence[Took]], theirs: str, bar: float) -> None:
    """Add how much faster each other way is, round by round; the bar is for whole runs."""
    for name, ours in took.items():
        if name == theirs:
            continue
        more = {"bar": bar, "of": "median", "at_least": True} if "run" in name else {}
        for i, clock in enumerate(("CPU", "wall")):
            ratios = [t[i] / o[i] for t, o in zip(took[theirs], ours, strict=True)]
            report.add(f"{name} is faster, {clock}", ratios, unit="times", **more)


# ---------------------------------------------------------------------- GANs on points


def whole_run(model: str, steps: int) -> Took:
    """Train on the ring of 8 without pictures, and time it from its first step to its last."""
    spec = RunSpec(model, "ring8", budget=Budget(max_steps=steps), device="cpu", previews=False)
    cpu = wall = 0.0
    for event in run(spec):
        if isinstance(event, events.Metrics) and event.step == 0:
            cpu, wall = time.process_time(), time.perf_counter()
        if isinstance(event, events.Progress) and event.step == steps:
            break
    return time.process_time() - cpu, time.perf_counter() - wall


def step_alone(model: str, steps: int) -> Took:
    """Take only what is learnt: no evaluation, no order of examples, no events."""
    data = DataView(load("ring8"), CPU)
    learner = build(model, entry(model).config_class(), data, CPU, 0)
    count = learner.examples_per_step
    real, labels = data.train.batch(slice(0, count)), data.train.labels[:count]

    def loop() -> None:
        for step in range(steps):
            learner.training_step(real, labels, step)

    return timed(loop)


def plain_loop(
    noise: int, widths: tuple[int, int], batch: int, steps: int, *, read: bool
) -> Callable[[], None]:
    """Return a plain PyTorch loop of a GAN with two hidden layers of `widths` in G and D.

    The step is written as the DCGAN example of pytorch/examples does; `read` reads the losses.
    """
    points = torch.from_numpy(load("ring8").train.images)
    g = perceptron(noise, widths[0], 2, nn.ReLU())
    d = perceptron(2, widths[1], 1, nn.LeakyReLU(0.2))
    g_adam = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_adam = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.99))
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    def loop() -> None:
        for _ in range(steps):
            real = points[torch.randint(len(points), (batch,))]
            fake = g(torch.randn(batch, noise))
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
            if read:
                on_real.item(), on_fake.item(), loss.item()

    return loop


def perceptron(inputs: int, width: int, outputs: int, activation: nn.Module) -> nn.Sequential:
    """Return a perceptron with two hidden layers."""
    return nn.Sequential(
        nn.Linear(inputs, width),
        activation,
        nn.Linear(width, width),
        activation,
        nn.Linear(width, outputs),
    )


# ---------------------------------------------------------------------- a process each


def child(code: str, args: Sequence[str], folder: Path | None = None) -> subprocess.Popen:
    """Start one side; it works for each line that it is sent, and answers with its seconds."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def turn(process: subprocess.Popen) -> float:
    """Let one side work; return its seconds."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def pairs(theirs: subprocess.Popen, ours: subprocess.Popen, rounds: int) -> list[Took]:
    """Let both sides take turns; return the seconds of each pair, then end both."""
    took = rounds_of({"theirs": lambda: turn(theirs), "ours": lambda: turn(ours)}, rounds)
    for process in (theirs, ours):
        process.kill()
        process.wait()
    return list(zip(took["theirs"], took["ours"], strict=True))
