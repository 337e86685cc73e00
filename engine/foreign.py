"""Generators of the authors' PyTorch code for CycleGAN and pix2pix, in our networks.

Their files (`latest_net_G.pth`) hold nothing but a state dict; which network it is of is read off
its names and shapes. Our layers stand in the same order (`engine.translation_networks`), so that
the weights give the same pictures. What is bent: the prefix of DataParallel goes; so do running
statistics of an instance norm, which old files have and the authors' code drops as well; dropout
has no weights, and here none is applied, but it shifts the layers after it in a residual block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.checkpoint import Header, fit
from engine.data import load as load_dataset
from engine.data.imported import PREFIX
from engine.errors import CheckpointError, Rejected
from engine.imported_header import imported_header
from engine.registry import entry
from engine.translation import DIRECTIONS, Direction
from engine.translation_networks import make_generator

State = dict[str, Tensor]
JUDGES = "judges"
RESNET_SIDE_PX = 256  # what the authors' code cuts pictures to
RESNETS, UNET_DEPTHS = (6, 9), (7, 8)
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_BLOCK = re.compile(r"model\.(\d+)\.conv_block\.(\d+)\.(.+)")
_AFTER_DROPOUT = {"6": "5", "7": "6"}  # second convolution and its norm


@dataclass(frozen=True)
class Generator:
    """A generator as our config names it, and its weights under our names."""

    kind: str
    channels: int
    norm: str
    side: int
    weights: State

    def config(self, model: str) -> dict[str, object]:
        """Return the config of a model that has this generator and the authors' discriminator."""
        values = {
            "generator": self.kind,
            "generator_channels": self.channels,
            "norm": self.norm,
            "discriminator_channels": 64,
            "discriminator_layers": 3,
        }
        try:
            return entry(model).config_class.from_values(values).to_dict()
        except Rejected as error:
            raise CheckpointError(f"Such a generator is not made here: {error.sentence}") from error


def recognise(found: Mapping[str, Tensor], name: str) -> Generator:
    """Return the generator that a state dict is of; `name` is the file's, for the sentence.

    Raises `CheckpointError` with one sentence.
    """
    state = {k.removeprefix("module."): v for k, v in found.items()}
    norm = "batch" if any(v.ndim == 1 for v in _weights(state)) else "instance"
    if norm == "instance":
        state = {k: v for k, v in state.items() if not k.endswith(_STATISTICS)}
    if "model.model.0.weight" in state:
        generator = _unet(state, norm, name)
    elif any(_BLOCK.fullmatch(key) for key in state):
        generator = _resnet(state, norm, name)
    elif _is_discriminator(state):
        raise CheckpointError(f"{name} holds a discriminator; only generators are imported.")
    else:
        raise CheckpointError(
            f"{name} holds no generator of the authors' code: a ResNet of 6 or 9 blocks, unet_128 "
            "or unet_256."
        )
    generator.config("cyclegan")  # whether its width is one of ours
    expected = _empty(generator)
    if norm == "batch":  # files of before PyTorch 0.4.1 do not count batches
        for key in expected:
            if key.endswith("num_batches_tracked"):
                generator.weights.setdefault(key, torch.zeros((), dtype=torch.int64))
    fit(generator.weights, expected, name)
    strange = next((k for k in generator.weights if k not in expected), None)
    if strange is not None:
        raise CheckpointError(f"{name} has {strange:.60}, which such a generator does not have.")
    return generator


def _resnet(state: State, norm: str, name: str) -> Generator:
    first = _first(state, "model.1.weight", 7, name)
    blocks = {m[1] for m in map(_BLOCK.fullmatch, state) if m}
    if len(blocks) not in RESNETS:
        raise CheckpointError(f"{name} has {len(blocks)} residual blocks; 6 or 9 are read.")
    dropped = any(m[2] == "6" and v.ndim == 4 for m, v in _blocks(state))
    if dropped:
        state = {_before_dropout(key): value for key, value in state.items()}
    return Generator(f"resnet{len(blocks)}", len(first), norm, RESNET_SIDE_PX, state)


def _blocks(state: State) -> list[tuple[re.Match[str], Tensor]]:
    return [(m, v) for k, v in state.items() if (m := _BLOCK.fullmatch(k))]


def _before_dropout(key: str) -> str:
    found = _BLOCK.fullmatch(key)
    if found is None:
        return key
    block, layer, rest = found.groups()
    return f"model.{block}.conv_block.{_AFTER_DROPOUT.get(layer, layer)}.{rest}"


def _unet(state: State, norm: str, name: str) -> Generator:
    first = _first(state, "model.model.0.weight", 4, name)
    depth = sum(v.ndim == 4 for v in _weights(state)) // 2  # one down and one up a scale
    if depth not in UNET_DEPTHS:
        raise CheckpointError(f"{name} is a U-Net of {depth} halvings; 7 and 8 are read.")
    return Generator("unet", len(first), norm, 2**depth, state)


def _first(state: State, key: str, kernel: int, name: str) -> Tensor:
    """Return the weights of the first layer, checked: C, 3, k, k."""
    weight = state.get(key)
    if weight is None or weight.ndim != 4 or tuple(weight.shape[2:]) != (kernel, kernel):
        raise CheckpointError(f"{name} has no first layer of {kernel} x {kernel}: it is damaged.")
    if weight.shape[1] != 3:
        raise CheckpointError(f"{name} takes {weight.shape[1]} channels; only colour is read: 3.")
    return weight


def _weights(state: State) -> list[Tensor]:
    return [value for key, value in state.items() if key.endswith(".weight")]


def _is_discriminator(state: State) -> bool:
    first = state.get("model.0.weight", state.get("net.0.weight"))
    return first is not None and first.ndim == 4


def _empty(generator: Generator) -> State:
    """Return the state of our network for it, without memory for the weights."""
    g = generator
    with torch.device("meta"):
        return make_generator(g.kind, g.channels, g.norm, g.side).state_dict()


# ---------------------------------------------------------------------- checkpoints


def checkpoint_of(
    generators: Mapping[Direction, Generator], model: str, title: str
) -> tuple[Header, State]:
    """Return header and tensors of one of our checkpoints for one direction, or for both.

    Nothing is made up: what the files did not hold is not in it, and `completed` says so when it
    is read. Raises `CheckpointError` when the two are not of one kind.
    """
    first, *more = generators.values()
    if any((g.kind, g.channels, g.norm, g.side) != _kind(first) for g in more):
        raise CheckpointError("The two files hold generators of different kinds.")
    data = load_dataset(f"{PREFIX}{first.side}")
    header = imported_header(model, first.config(model), data, title)
    return header, {
        f"networks.generators.{way}.{key}": value
        for way, g in generators.items()
        for key, value in g.weights.items()
    }


def _kind(g: Generator) -> tuple[str, int, str, int]:
    return g.kind, g.channels, g.norm, g.side


def completed(tensors: State, networks: Mapping[str, nn.Module]) -> tuple[State, frozenset[str]]:
    """Fill up a checkpoint that lacks whole networks with those here; return what it lacked.

    What is lacking is told as "a2b", "b2a" and "judges". A file that lacks single tensors stays
    as it is: `engine.checkpoint.fit` refuses it.
    """
    parts = {way: f"generators.{way}." for way in DIRECTIONS} | {JUDGES: "discriminators."}
    lacking = {
        part
        for part, prefix in parts.items()
        if not any(key.startswith(f"networks.{prefix}") for key in tensors)
    }
    if not lacking or lacking.issuperset(DIRECTIONS):
        return tensors, frozenset()
    for network in networks.values():
        for generator in network.children():
            _plain_order(generator)
    begins = tuple(parts[part] for part in lacking)
    fresh = {
        f"networks.{name}.{key}": value
        for name, network in networks.items()
        for key, value in network.state_dict().items()
        if f"{name}.{key}".startswith(begins)
    }
    return tensors | fresh, frozenset(lacking)


def _plain_order(network: nn.Module) -> None:
    """Let a network work on contiguous tensors, as the authors' does.

    Then it rounds as theirs does. Channels last is as exact, but an instance norm enlarges what
    rounding leaves of an even ground: on a picture of one colour the two would differ visibly.
    """
    network.to(memory_format=torch.contiguous_format)
    network.register_forward_pre_hook(lambda _, given: tuple(x.contiguous() for x in given))
