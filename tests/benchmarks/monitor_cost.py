"""What the mode-collapse monitor costs a DCGAN that trains: steps/s with it, as a share of without.

A round is four runs of the preset "Good", A B B A, each by the engine in this process, on one
thread, with its previews on, for --seconds of CPU time from its first step on (the monitor's
first look, which computes the real data's side, is within):
  without   the learner's `monitor_interval_s` is 0
  with      as shipped
Steps per second of CPU time are compared, so that other processes matter less; the ratio is the
mean of the two B over the mean of the two A. Beside it: how long a look takes once the real
data's side is known, for the shipped channels and for 32 base channels at 32 px.

    python tests/benchmarks/monitor_cost.py [--rounds 3] [--seconds 60] [--json]
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from collapse_alerts import LONG, Clock
from common import Report, arguments

from engine import data, events
from engine.models.dcgan import DCGANLearner
from engine.presets import Preset
from engine.registry import entry
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import build, train

LOOKS = 7


def main() -> None:
    """Run the rounds and print the table."""
    options = arguments(__doc__ or "", rounds=3, seconds=60.0).parse_args()
    torch.set_num_threads(1)
    preset = next(p for p in entry("dcgan").preset_list if p.key == "good")
    report = Report("Steps/s of a DCGAN with and without the monitor")
    report.facts = {"seconds a run": options.seconds}
    rates: dict[bool, list[float]] = {False: [], True: []}
    ratios, looks = [], []
    for index in range(options.rounds):
        found: dict[bool, list[float]] = {False: [], True: []}
        for monitored in (False, True, True, False):
            rate, count = pace(preset, index, options.seconds, monitored)
            found[monitored].append(rate)
            looks += [float(count)] if monitored else []
        for monitored, values in found.items():
            rates[monitored] += values
        ratios.append(statistics.mean(found[True]) / statistics.mean(found[False]))
    report.add("without", rates[False], unit="steps/s")
    report.add("with", rates[True], unit="steps/s")
    report.add("with / without", ratios, unit="ratio", bar=0.95, of="median", at_least=True)
    report.add("looks a run", looks, unit="")
    for channels in sorted({int(preset.config.get("channels", 16)), 32}):
        times, first = look_times(preset, channels)
        report.add(f"a look, {channels} base channels", times, unit="ms")
        report.add(f"the first look, {channels} base channels", [first], unit="ms")
    report.show(options.json)


def pace(preset: Preset, seed: int, seconds: float, monitored: bool) -> tuple[float, int]:
    """Train; return steps per CPU second, and how often the monitor looked."""
    usual = DCGANLearner.monitor_interval_s
    if not monitored:
        DCGANLearner.monitor_interval_s = 0.0
    spec = RunSpec(
        "dcgan", preset.dataset, preset.config, seed, Budget(LONG), device="cpu", threads=1
    )
    clock, steps, looks = Clock(seconds), 0, 0
    try:
        for event in train(spec, clock):
            if isinstance(event, events.Status) and event.state == "running":
                clock.began = time.process_time()
            looks += isinstance(event, events.Metrics) and event.split == "monitor"
            if isinstance(event, events.Status):
                steps, spent = event.step, clock.spent
    finally:
        DCGANLearner.monitor_interval_s = usual
    return steps / spent, looks


def look_times(preset: Preset, channels: int) -> tuple[list[float], float]:
    """Return how long each of a few looks takes, and the first one, in milliseconds."""
    config: dict[str, Any] = {**preset.config, "channels": channels}
    view = DataView(data.load(preset.dataset), torch.device("cpu"))
    checked = entry("dcgan").config_class.from_values(config)
    learner = build("dcgan", checked, view, torch.device("cpu"), 0)
    times = []
    for step in range(LOOKS + 2):
        began = time.perf_counter()
        with learner.evaluating():
            learner.monitor(view, step)
        times.append(1000 * (time.perf_counter() - began))
    return times[2:], times[0]


if __name__ == "__main__":
    main()
