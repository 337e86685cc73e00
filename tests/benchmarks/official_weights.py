"""Largest difference of our networks' pictures from the authors' networks, same weights, float32.

For each kind of generator the authors' `define_G` makes a network with random weights (and, with
batch norm, random running statistics); its state dict is saved as a `.pth` file as their
`save_networks` does, read back by `engine.unpickling`, recognised by `engine.foreign`, and both
networks see the same pictures. Both are in eval mode on the CPU. `--reference PATH` is a checkout
of the authors' code (GitHub: junyanz/pytorch-CycleGAN-and-pix2pix), outside this one. `--gain` is
the standard deviation of the weights: 0.02 as their code begins, larger ones drive the outputs
towards -1 and 1 as trained weights do.

    python tests/benchmarks/official_weights.py --reference PATH [--channels 64] [--gain 0.02]
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
from torch import nn

from engine.foreign import recognise
from engine.translation_networks import make_generator
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


def main() -> None:
    """Compare every kind and print the table."""
    parser = arguments(__doc__ or "", 3, channels=64, gain=0.02)
    parser.add_argument("--reference", type=Path, required=True)
    options = parser.parse_args()
    sys.path.insert(0, str(options.reference.resolve()))
    from models import networks as theirs

    torch.manual_seed(0)
    shown = Report("Our generators against the authors', the same weights: largest difference")
    shown.facts = {"torch": torch.__version__, "channels": options.channels, "gain": options.gain}
    for kind, norm, dropout in KINDS:
        with contextlib.redirect_stdout(io.StringIO()):
            made = theirs.define_G(
                3, 3, options.channels, kind, norm, dropout, init_gain=options.gain
            )
        named = f"{kind}, {norm} norm{', trained with dropout' if dropout else ''}"
        shown.add(named, differences(made, options.rounds), unit="", bar=BAR, of="max")
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
    ours = make_generator(found.kind, found.channels, found.norm, found.side)
    ours.load_state_dict(found.weights)
    ours.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    off = []
    for _ in range(rounds):
        picture = torch.rand(1, 3, found.side, found.side) * 2 - 1
        with torch.no_grad():
            off.append(float((theirs(picture) - ours(picture)).abs().max()))
    return off


if __name__ == "__main__":
    main()
