"""Training throughput of our DCGAN against the public example's step, interleaved.

Two processes take turns, `--steps` steps each, on the same pictures (emoji, 3 x 64 x 64, or
MNIST), with the same base width and batch. `--reference PATH` is a checkout of pytorch/examples,
outside this one, and its `dcgan/main.py` runs as it is (ImageFolder, two loader processes, 64
pixels): its own print after each step tells the time. Without it a plain PyTorch loop of the same
step stands in: the same two networks, a DataLoader, unfused Adam, probabilities with BCELoss,
gradients of D in G's step, `.item()` of each loss. Ours is the step as the trainer takes it:
batch by index, generators seeded, `training_step`, one reading at the end. The clock is the wall's.

    python tests/benchmarks/dcgan_throughput.py [--reference PATH] [--dataset mnist|emoji]
        [--channels 32] [--batch 64] [--steps 10] [--rounds 7] [--threads N]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from common import Report, arguments
from turns import child, pairs

REFERENCE_CHILD = """
import builtins, runpy, sys, time
import torch
folder, steps, threads, channels, batch, path = sys.argv[1:7]
torch.set_num_threads(int(threads))
steps, real_print, state = int(steps), builtins.print, {"left": 0, "began": 0.0}
def wait():
    if not sys.stdin.readline():
        raise SystemExit
    state.update(left=steps, began=time.perf_counter())
def counting(*words, **options):
    if not (words and str(words[0]).startswith("[")):
        return
    state["left"] -= 1
    if state["left"] <= 0:
        if state["began"]:
            real_print(time.perf_counter() - state["began"], flush=True)
        wait()
builtins.print = counting
sys.argv = [path, "--dataset", "folder", "--dataroot", folder, "--ngf", channels, "--ndf", channels,
            "--batchSize", batch, "--outf", folder + "/../out", "--niter", "100000"]
runpy.run_path(path, run_name="__main__")
"""

SETTING = """
import sys, time
import torch
from engine import data
from engine.data.base import indices_at
from engine.device import seed_step
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build
key, steps, threads, channels, batch = sys.argv[1:6]
steps, batch = int(steps), int(batch)
torch.set_num_threads(int(threads))
cpu = torch.device("cpu")
view = DataView(data.load(key), cpu)
config = {"channels": int(channels), "batch_size": batch, "latent_dim": 100}
learner = build("dcgan", entry("dcgan").config_class.from_values(config), view, cpu, 0)
"""

PLAIN_CHILD = (
    SETTING
    + """
from torch import nn
G, D = (n.to(memory_format=torch.contiguous_format) for n in learner.networks.values())
optimizers = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (G, D)]
pictures = view.train.batch(slice(0, 4000))
pictures = learner.to_network(pictures)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(pictures), batch_size=batch, shuffle=True, drop_last=True)
criterion, real_label, fake_label = nn.BCELoss(), torch.ones(batch), torch.zeros(batch)
def batches():
    while True:
        yield from loader
stream = batches()
for line in sys.stdin:
    began = time.perf_counter()
    for _ in range(steps):
        (real,) = next(stream)
        D.zero_grad()
        error_real = criterion(torch.sigmoid(D(real)), real_label)
        error_real.backward()
        fake = G(torch.randn(batch, 100))
        error_fake = criterion(torch.sigmoid(D(fake.detach())), fake_label)
        error_fake.backward()
        optimizers[1].step()
        G.zero_grad()
        error = criterion(torch.sigmoid(D(fake)), real_label)
        error.backward()
        optimizers[0].step()
        error_real.item(), error_fake.item(), error.item()
    print(time.perf_counter() - began, flush=True)
"""
)

OUR_CHILD = (
    SETTING
    + """
step = cursor = 0
for line in sys.stdin:
    began = time.perf_counter()
    for _ in range(steps):
        chosen = torch.from_numpy(indices_at(0, cursor, batch, len(view.train)))
        seed_step(cpu, step)
        record = learner.training_step(view.train.batch(chosen), view.train.labels[chosen], step)
        step, cursor = step + 1, cursor + batch
    float(record["loss"])
    print(time.perf_counter() - began, flush=True)
"""
)


def main() -> None:
    """Run the rounds and print the table."""
    parser = arguments(
        __doc__ or "", 7, steps=10, channels=32, batch=64, threads=os.cpu_count() or 1
    )
    parser.add_argument("--reference", type=Path, help="checkout of pytorch/examples")
    parser.add_argument("--dataset", default=None, choices=("mnist", "emoji"))
    options = parser.parse_args()
    dataset = options.dataset or ("emoji" if options.reference else "mnist")
    if options.reference and dataset != "emoji":
        parser.error("the example is for 64 pixels: compare it on --dataset emoji")
    common = [str(v) for v in (options.steps, options.threads, options.channels, options.batch)]
    with tempfile.TemporaryDirectory() as folder:
        name, theirs = "plain PyTorch loop", child(PLAIN_CHILD, [dataset, *common])
        if options.reference:
            theirs.kill()
            write_pictures(Path(folder) / "pictures" / "all", dataset)
            name = "pytorch/examples dcgan"
            script = str((options.reference / "dcgan" / "main.py").resolve())
            theirs = child(REFERENCE_CHILD, [f"{folder}/pictures", *common, script])
        ours = child(OUR_CHILD, [dataset, *common])
        rounds = pairs(theirs, ours, options.rounds)
    report(name, dataset, rounds, options)


def report(
    name: str, dataset: str, rounds: list[tuple[float, float]], options: argparse.Namespace
) -> None:
    """Print ms a step of both sides and the ratio pair by pair."""
    shown = Report(f"DCGAN training step on {dataset}, {options.channels} base channels")
    shown.facts = {"batch": options.batch, "threads": options.threads, "steps": options.steps}
    shown.add(name, [1000 * t / options.steps for t, _ in rounds], unit="ms/step")
    shown.add("ours", [1000 * o / options.steps for _, o in rounds], unit="ms/step")
    shown.add("speed against it", [t / o for t, o in rounds], unit="times")
    shown.show(options.json)


def write_pictures(folder: Path, dataset: str) -> None:
    """Write the training pictures as PNG files for torchvision's ImageFolder."""
    from PIL import Image

    from engine import data

    folder.mkdir(parents=True)
    for number, pixels in enumerate(data.load(dataset).train.images):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{number:05}.png")


if __name__ == "__main__":
    main()
