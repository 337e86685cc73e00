"""Training steps/s of our CycleGAN against the authors' code, interleaved on one machine.

Both sides have the same networks (ResNet of 6 blocks, the same widths and layers of D), the same
losses, a pool of 50 and batch, on the emoji at 64 px; each is a process of its own, and they take
turns, `--steps` steps each. `--reference PATH` is a checkout of the authors' code (GitHub:
junyanz/pytorch-CycleGAN-and-pix2pix), outside this one: its `CycleGANModel.optimize_parameters`
runs as it is, on pictures that are in memory already (its loader is not timed). Without it a plain
PyTorch loop of the same step stands in: contiguous tensors, one pass a picture, PyTorch's instance
norm, unfused Adam. Ours is the step as the trainer takes it: batch by index, generators seeded,
`training_step`. The clock is the wall's; `--clock cpu` is what a busy machine bends less.

    python tests/benchmarks/cyclegan_speed.py [--reference PATH] [--channels 16] [--batch 1]
        [--steps 4] [--rounds 9] [--threads 1] [--device cpu|cuda] [--mixed]
        [--clock wall|cpu]
"""

from __future__ import annotations

from pathlib import Path

from common import Report, arguments
from turns import child, pairs

BAR = {"cpu": 1.2, "cuda": 2.0}

SETTING = """
import contextlib, io, sys, time
import torch
from engine import data
from engine.data.base import indices_at
from engine.device import seed_step
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build
from engine.translation import domains
threads, steps, channels, batch = map(int, sys.argv[1:5])
device, mixed, reference = torch.device(sys.argv[5]), sys.argv[6] == "True", sys.argv[8]
clock = time.process_time if sys.argv[7] == "cpu" else time.perf_counter
torch.set_num_threads(threads)
view = DataView(data.load("emoji_pairs"), device)
wide = 2 * channels if channels < 64 else channels
config = {"generator_channels": channels, "discriminator_channels": wide,
          "discriminator_layers": 3, "batch_size": batch, "mixed_precision": mixed}
learner = build("cyclegan", entry("cyclegan").config_class.from_values(config), view, device, 0)
count = learner.examples_per_step
def done():
    if device.type == "cuda":
        torch.cuda.synchronize()
"""

TURNS = """
taken = 0
for line in sys.stdin:
    done()
    began = clock()
    for _ in range(steps):
        step(taken)
        taken += 1
    done()
    print(clock() - began, flush=True)
"""

OURS = (
    SETTING
    + """
def step(number):
    chosen = torch.from_numpy(indices_at(0, number * count, count, len(view.train))).to(device)
    seed_step(device, number)
    learner.training_step(view.train.batch(chosen), view.train.labels[chosen], number)
"""
    + TURNS
)

PICTURES = """
a, b = (x.contiguous() for x in domains(view.train.batch(slice(0, 1200))))
def batch_at(number):
    first = number * batch % (len(a) - batch)
    return a[first : first + batch], b[len(b) - batch - first : len(b) - first]
"""

REFERENCE = (
    SETTING
    + PICTURES
    + """
from types import SimpleNamespace
sys.path.insert(0, reference)
from models.cycle_gan_model import CycleGANModel
options = SimpleNamespace(
    gpu_ids=[0] if device.type == "cuda" else [], isTrain=True, checkpoints_dir="", name="",
    preprocess="none", direction="AtoB", input_nc=3, output_nc=3, ngf=channels, ndf=wide,
    netG="resnet_6blocks", netD="basic", n_layers_D=3, norm="instance", no_dropout=True,
    init_type="normal", init_gain=0.02, pool_size=50, gan_mode="lsgan", lr=2e-4, beta1=0.5,
    lambda_A=10.0, lambda_B=10.0, lambda_identity=0.5)
with contextlib.redirect_stdout(io.StringIO()):
    model = CycleGANModel(options)
def step(number):
    x, y = batch_at(number)
    model.set_input({"A": x, "B": y, "A_paths": [], "B_paths": []})
    model.optimize_parameters()
"""
    + TURNS
)

PLAIN = (
    SETTING
    + PICTURES
    + """
import random
from torch import nn
from torch.nn import functional as F
def plain(network):
    for name, layer in network.named_children():
        if isinstance(layer, nn.InstanceNorm2d):
            setattr(network, name, nn.InstanceNorm2d(layer.num_features))
        plain(layer)
    return network.to(memory_format=torch.contiguous_format)
G, D = plain(learner.generators), plain(learner.discriminators)
adams = [torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (G, D)]
pools = {"a": [], "b": []}
def handed(pool, pictures):
    found = []
    for picture in pictures.detach().split(1):
        if len(pool) < 50:
            pool.append(picture)
        elif random.random() > 0.5:
            place = random.randrange(50)
            picture, pool[place] = pool[place].clone(), picture
        found.append(picture)
    return torch.cat(found)
def square(logits, target):
    return F.mse_loss(logits, torch.full_like(logits, target))
def step(number):
    x, y = batch_at(number)
    made = {"b": G["a2b"](x), "a": G["b2a"](y)}
    back = {"a": G["b2a"](made["b"]), "b": G["a2b"](made["a"])}
    for p in D.parameters():
        p.requires_grad_(False)
    adams[0].zero_grad()
    same = F.l1_loss(G["a2b"](y), y) + F.l1_loss(G["b2a"](x), x)
    cycle = F.l1_loss(back["a"], x) + F.l1_loss(back["b"], y)
    valid = square(D["b"](made["b"]), 1.0) + square(D["a"](made["a"]), 1.0)
    (valid + 10 * cycle + 5 * same).backward()
    adams[0].step()
    for p in D.parameters():
        p.requires_grad_(True)
    adams[1].zero_grad()
    for domain, real in (("b", y), ("a", x)):
        on_fake = square(D[domain](handed(pools[domain], made[domain])), 0.0)
        (0.5 * (square(D[domain](real), 1.0) + on_fake)).backward()
    adams[1].step()
"""
    + TURNS
)


def main() -> None:
    """Run the rounds and print the table."""
    parser = arguments(__doc__ or "", 9, steps=4, channels=16, batch=1, threads=1, device="cpu")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--reference", type=Path, help="checkout of the authors' code")
    parser.add_argument("--mixed", action="store_true", help="ours in bfloat16, on a GPU")
    options = parser.parse_args()
    o, path = options, "" if options.reference is None else str(options.reference.resolve())
    numbers = (o.threads, o.steps, o.channels, o.batch)
    given = [str(v) for v in (*numbers, o.device, o.mixed, o.clock, path)]
    theirs = child(REFERENCE if path else PLAIN, given)
    rounds = pairs(theirs, child(OURS, given), o.rounds)
    shown = Report(
        f"CycleGAN training step, 64 px, ResNet-6 of {o.channels} channels, batch {o.batch}"
    )
    shown.facts = {"threads": o.threads, "steps": o.steps, "device": o.device, "clock": o.clock}
    name = "the authors' optimize_parameters" if path else "plain PyTorch loop"
    shown.add(name, [1000 * t / o.steps for t, _ in rounds], unit="ms/step")
    shown.add("ours", [1000 * t / o.steps for _, t in rounds], unit="ms/step")
    ratios = [t / ours for t, ours in rounds]
    bar = {"bar": BAR.get(o.device, 2.0), "of": "median", "at_least": True}
    shown.add("speed against it", ratios, unit="times", **bar)
    shown.show(options.json)


if __name__ == "__main__":
    main()
