"""Largest difference of our networks' pictures from the authors' networks, same weights, float32.

For each kind of generator the authors' `define_G` makes a network with random weights (and, with
batch norm, random running statistics); its state dict is saved as a `.pth` file as their
`save_networks` does, read back by `engine.unpickling`, recognised by `engine.foreign` and loaded as
a checkpoint of imported weights is. Both translate the same pictures, on the CPU, in eval mode:
noise, smooth colours, and one colour alone, on which an instance norm enlarges what rounding
leaves. `--reference PATH` is a checkout of the authors' code (GitHub:
junyanz/pytorch-CycleGAN-and-pix2pix), outside this one.

    python tests/benchmarks/official_weights.py --reference PATH [--channels 64]
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from common import Report, arguments
from torch import Tensor, nn
from torch.nn import functional as F

from engine.data import load
from engine.foreign import checkpoint_of, recognise
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build
from engine.unpickling import read_state

KINDS = (
    ("resnet_6blocks", "instance", False),
    ("resnet_9blocks", "instance", False),
    ("resnet_9blocks", "batch", True),
    ("unet_128", "batch", False),
    ("unet_256", "instance", False),
    ("unet_256", "batch", True),
)
BAR = 1e-5
MILLIONTH = 1e-6
CPU = torch.device("cpu")


def main() -> None:
    """Compare every kind and print the table."""
    parser = arguments(__doc__ or "", 1, channels=64)
    parser.add_argument("--reference", type=Path, required=True)
    options = parser.parse_args()
    sys.path.insert(0, str(options.reference.resolve()))
    from models import networks as theirs

    torch.manual_seed(0)
    shown = Report("Our generators against the authors', the same weights: largest difference")
    shown.facts = {"torch": torch.__version__, "channels": options.channels}
    for kind, norm, dropout in KINDS:
        with contextlib.redirect_stdout(io.StringIO()):
            made = theirs.define_G(3, 3, options.channels, kind, norm, dropout)
        named = f"{kind}, {norm} norm{', dropout' if dropout else ''}"
        off = [x / MILLIONTH for x in differences(made, options.rounds)]
        shown.add(named, off, unit="1e-6", bar=BAR / MILLIONTH, of="max")
    shown.show(options.json)


def differences(theirs: nn.Module, rounds: int) -> list[float]:
    """Return the largest difference on each of several pictures of noise."""
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)  # type: ignore[union-attr,operator]
            layer.running_var.uniform_(0.5, 2)  # type: ignore[union-attr,operator]
    theirs.eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "latest_net_G.pth"
        torch.save(theirs.state_dict(), path)
        found: Any = recognise(read_state(path), path.name)
    header, tensors = checkpoint_of({"a2b": found}, "cyclegan", "")
    data = DataView(load(header.dataset), CPU)
    config = entry("cyclegan").config_class.from_values(header.config)
    learner: Any = build("cyclegan", config, data, CPU, 0)
    learner.load_tensors(learner.complete(tensors))
    off = []
    for _ in range(rounds):
        for picture in pictures(found.side):
            with learner.evaluating():
                made = learner.translate(picture, "a2b")
                off.append(float((theirs(picture) - made).abs().max()))
    return off


def pictures(side: int) -> list[Tensor]:
    """Return noise, smooth colours and one colour, each (1, 3, side, side) in [-1, 1]."""
    small = torch.rand(1, 3, 8, 8)
    smooth = F.interpolate(small, (side, side), mode="bilinear")
    flat = torch.rand(1, 3, 1, 1).expand(1, 3, side, side)
    return [x * 2 - 1 for x in (torch.rand(1, 3, side, side), smooth, flat)]


if __name__ == "__main__":
    main()
