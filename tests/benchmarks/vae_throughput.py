"""Training throughput of our VAE against the `vae` of pytorch/examples, interleaved.

The same network (784-400-20), batch 128, gray targets, Adam 1e-3, on the same machine: two
processes take turns, one epoch each. `--reference PATH` is a checkout of pytorch/examples;
without it a plain PyTorch loop of the same step (DataLoader, Adam, `.item()` each step) stands
in, and the table says so.

    python tests/benchmarks/vae_throughput.py --reference PATH [--rounds 5] [--threads N]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import sys
import tempfile
from pathlib import Path

from common import ROOT
from turns import child, pairs

IMAGES = 60_000

REFERENCE_CHILD = """
import contextlib, io, runpy, sys, time
import torch
torch.set_num_threads(int(sys.argv[2]))
path = sys.argv[1]
sys.argv = [path, "--no-accel"]
with contextlib.redirect_stdout(io.StringIO()):
    module = runpy.run_path(path, run_name="reference")
for line in sys.stdin:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        module["train"](1)
    print(time.perf_counter() - began, flush=True)
"""

PLAIN_CHILD = """
import sys, time
import torch
from torch import nn
from torch.nn import functional as F
from torchvision import datasets, transforms
torch.set_num_threads(int(sys.argv[2]))
loader = torch.utils.data.DataLoader(
    datasets.MNIST("../data", train=True, transform=transforms.ToTensor()),
    batch_size=128, shuffle=True)
encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
for line in sys.stdin:
    began, total = time.perf_counter(), 0.0
    for x, _ in loader:
        x = x.view(-1, 784)
        mean, logvar = encoder(x).chunk(2, 1)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        loss = F.binary_cross_entropy(decoder(z), x, reduction="sum")
        loss = loss - 0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
        optimizer.zero_grad()
        loss.backward()
        total += loss.item()
        optimizer.step()
    print(time.perf_counter() - began, flush=True)
"""

OUR_CHILD = """
import sys, time
from engine import events
from engine.executors.inline import run
from engine.spec import Budget, RunSpec
config = {"latent_dim": 20, "hidden_dim": 400, "hidden_layers": 1, "batch_size": 128,
          "likelihood": "bernoulli_gray"}
epoch = 469
for line in sys.stdin:
    spec = RunSpec("vae", "mnist", config, budget=Budget(max_steps=epoch), device="cpu",
                   threads=int(sys.argv[2]), previews=False)
    began = None
    for event in run(spec):
        if isinstance(event, events.Metrics) and event.step == 0:
            began = time.perf_counter()
        if isinstance(event, events.Progress) and event.step == epoch:
            ended = time.perf_counter()
            break
    print(ended - began, flush=True)
"""


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, help="checkout of pytorch/examples")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "vae"
        work.mkdir()
        write_idx(Path(folder) / "data" / "MNIST" / "raw")
        name, code, path = "plain PyTorch loop", PLAIN_CHILD, ""
        if args.reference:
            name, code = "pytorch/examples vae", REFERENCE_CHILD
            path = str((args.reference / "vae" / "main.py").resolve())
        theirs = child(code, [path, str(args.threads)], work)
        ours = child(OUR_CHILD, ["", str(args.threads)], work)
        rounds = pairs(theirs, ours, args.rounds)
    report(name, rounds, args)


def report(name: str, rounds: list[tuple[float, float]], args: argparse.Namespace) -> None:
    """Print medians and the ratio pair by pair."""
    theirs = [IMAGES / t for t, _ in rounds]
    ours = [IMAGES / o for _, o in rounds]
    ratios = [o / t for t, o in zip(theirs, ours, strict=True)]
    if args.json:
        medians = {"reference": statistics.median(theirs), "ours": statistics.median(ours)}
        print(json.dumps({**medians, "ratio": statistics.median(ratios), "name": name}))
        return
    if not args.reference:
        print("No checkout given: compared with a plain PyTorch loop of the same step.")
    print(f"{args.rounds} rounds of one epoch each, {args.threads} threads, batch 128, 784-400-20")
    print(f"{'':24}{'samples/s, median':>20}{'min':>10}{'max':>10}")
    for label, values in ((name, theirs), ("ours", ours)):
        low, high = min(values), max(values)
        print(f"{label:24}{statistics.median(values):>20,.0f}{low:>10,.0f}{high:>10,.0f}")
    low, high = min(ratios), max(ratios)
    print(f"{'ratio':24}{statistics.median(ratios):>20.2f}{low:>10.2f}{high:>10.2f}")


def write_idx(folder: Path) -> None:
    """Write our MNIST as the idx files that torchvision reads."""
    from engine import data

    folder.mkdir(parents=True)
    dataset = data.load("mnist")
    for prefix, split in (("train", dataset.train), ("t10k", dataset.test)):
        images = split.images[:, 0]
        header = struct.pack(">IIII", 0x803, *images.shape)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        labels = split.labels.astype("uint8")
        header = struct.pack(">II", 0x801, len(labels))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
