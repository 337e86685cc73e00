"""How many of Stacked MNIST's 1,000 modes a plain DCGAN covers, and how many with packing 2.

Both are the preset "stacked" (a D a quarter of G's width, as in the setting of the unrolled GAN,
Metz et al. 2017), trained by the engine on one thread for the same --minutes of CPU time each and
from the same seeds; a packed D judges twice as many pictures a step, so that it gets fewer steps.
Modes and KL are counted as published: 26,000 samples, each named by the classifier of digits
channel by channel; a mode is covered with at least one sample; KL(p || uniform) in nats.

    python tests/benchmarks/stacked_mnist.py [--minutes 4] [--rounds 1] [--set NAME=VALUE ...]
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from collapse_alerts import LONG, Clock
from common import Report, arguments

from engine import checkpoint, data, events
from engine.features import FeatureNet, feature_net
from engine.metrics import Modes, modes
from engine.registry import entry
from engine.rng import stream_seed
from engine.spec import Budget, RunSpec
from engine.tensors import DataView
from engine.trainer import restore, train

SAMPLES = 26_000
CHUNK = 250
FACTOR = 5.0  # as many modes as plain: the bar
PUBLISHED = (
    ("D a quarter of G (unrolled setting)", "DCGAN", "30.6 +- 20.7", "5.99", "Metz et al. 2017"),
    ("D a quarter of G (unrolled setting)", "DCGAN", "78.5 +- 17.6", "5.21", "Lin et al. 2018"),
    ("D a quarter of G (unrolled setting)", "unrolled 10", "327.2", "4.66", "Metz et al. 2017"),
    ("D a quarter of G (unrolled setting)", "PacDCGAN2", "484.5", "2.61", "Lin et al. 2018"),
    ("equal widths (VEEGAN setting)", "DCGAN", "78.9 +- 6.5", "4.50", "Lin et al. 2018"),
    ("equal widths (VEEGAN setting)", "PacDCGAN2", "1000.0", "0.06", "Lin et al. 2018"),
    ("26,000 samples", "a perfect sampler", "1000.0", "0.019", "computed"),
)


def main() -> None:
    """Train both, count, and print beside what is published."""
    parser = arguments(__doc__ or "", rounds=1, minutes=4.0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    preset = next(p for p in entry("dcgan").preset_list if p.key == "stacked")
    texts = dict(item.split("=", 1) for item in options.set)
    changed = entry("dcgan").config_class.parse(texts).to_dict()
    config = {**preset.config, **{name: changed[name] for name in texts}}
    view = DataView(data.load("stacked_mnist"), torch.device("cpu"))
    net = feature_net(view.dataset, view.device)
    found: dict[int, list[Modes]] = {1: [], 2: []}
    steps: dict[int, list[float]] = {1: [], 2: []}
    for seed in range(options.rounds):
        for packing in (1, 2):
            took, counted = trained(config, packing, seed, 60 * options.minutes, view, net)
            found[packing].append(counted)
            steps[packing].append(took)
    report = Report("Modes of Stacked MNIST, of 1,000, in 26,000 samples")
    report.facts = {"minutes of CPU": options.minutes, **config}
    for packing, name in ((1, "plain"), (2, "packing 2")):
        report.add(f"{name}: modes", [m.covered for m in found[packing]], unit="modes")
        report.add(f"{name}: KL", [m.kl_nats for m in found[packing]], unit="nats")
        report.add(f"{name}: steps", steps[packing], unit="steps")
    ratio = [b.covered / max(a.covered, 1) for a, b in zip(found[1], found[2], strict=True)]
    report.add("modes, packing 2 / plain", ratio, unit="", bar=FACTOR, of="median", at_least=True)
    report.show(options.json)
    if not options.json:
        for setting, name, covered, kl, source in PUBLISHED:
            print(f"  published  {setting:37}{name:18}{covered:>13} modes  KL {kl:6} {source}")
        print(f"  mean ratio {statistics.mean(ratio):.1f}")


def trained(
    config: dict[str, Any], packing: int, seed: int, seconds: float, view: DataView, net: FeatureNet
) -> tuple[int, Modes]:
    """Train for so many CPU seconds; return the steps taken and the modes covered."""
    with tempfile.TemporaryDirectory() as folder:
        spec = RunSpec(
            "dcgan",
            "stacked_mnist",
            {**config, "packing": packing},
            seed,
            Budget(LONG),
            device="cpu",
            folder=Path(folder),
            previews=False,
        )
        last = [e for e in train(spec, Clock(seconds)) if isinstance(e, events.Status)][-1]
        path = checkpoint.saved_steps(Path(folder))[last.step]
        learner: Any
        learner, _ = restore(path, view, view.device)
    source = torch.Generator().manual_seed(stream_seed(seed, 0, "modes"))
    classes = []
    with learner.evaluating():
        for start in range(0, SAMPLES, CHUNK):
            z = learner.noise(min(CHUNK, SAMPLES - start), source)
            classes.append(net.classify(learner.generate(z)))
    return last.step, modes(torch.cat(classes))


if __name__ == "__main__":
    main()
