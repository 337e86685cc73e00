"""Weights of GPT-2 and of nanoGPT, in our GPT.

GPT-2's published layout has linear layers as Conv1D, their matrices (in, out), and GELU in its
tanh form; nanoGPT has them as `nn.Linear`, (out, in), and the exact GELU. Both split queries,
keys and values as ours does, so that the logits are the same. What a file leaves out (biases)
becomes zeros; causal masks that it stores are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine import checkpoint
from engine.checkpoint import Header, fit
from engine.configs.language import GPTConfig
from engine.data import load as load_dataset
from engine.data.imported import NO_TEXT
from engine.errors import CheckpointError, Rejected
from engine.imported_header import imported_header
from engine.language import TABLE
from engine.models.gpt import GPT
from engine.tokenizers import BYTES, BytePairs, Bytes, Characters, Tokenizer
from engine.unpickling import read_training_state

State = dict[str, Tensor]
MAX_FILE = 2**30  # bytes; GPT-2 small has 548 MB in float32
HEAD_WIDTH = 64  # of all GPT-2 sizes
PREFIXES = ("_orig_mod.", "module.", "transformer.")  # torch.compile, DataParallel, with a head
OURS = {
    "wte": "embedding",
    "wpe": "positions",
    "ln_f": "norm",
    "ln_1": "norm1",
    "ln_2": "norm2",
    "attn.c_attn": "attention.query_key_value",
    "attn.c_proj": "attention.project",
    "mlp.c_fc": "widen",
    "mlp.c_proj": "narrow",
}
LINEAR = ("attention.query_key_value", "attention.project", "widen", "narrow")
_LAYER = re.compile(r"h\.(\d+)\.(.+)\.(weight|bias)")
_PLAIN = re.compile(r"(wte|wpe|ln_f)\.(weight|bias)")
_MASK = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")


@dataclass(frozen=True)
class Found:
    """A GPT as our config names it, and its weights under our names."""

    config: dict[str, Any]
    weights: State
    published: bool  # whether it is in GPT-2's layout, not in nanoGPT's

    @property
    def tokens(self) -> int:
        """V."""
        return len(self.weights["embedding.weight"])


def recognise(found: Mapping[str, Tensor], name: str, heads: int | None = None) -> Found:
    """Return the GPT that a state dict is of; `name` is the file's, for the sentence.

    The number of heads does not show in the weights. Raises `CheckpointError` with one sentence.
    """
    state = {_plain_name(key): value for key, value in found.items()}
    state = {key: value for key, value in state.items() if not _MASK.fullmatch(key)}
    table, places = state.get("wte.weight"), state.get("wpe.weight")
    first = state.get("h.0.attn.c_attn.weight")
    if table is None or places is None or first is None or not _matrices(table, places, first):
        raise CheckpointError(f"{name} holds no GPT-2: wte, wpe and h.0.attn.c_attn are needed.")
    width = table.shape[1]
    published = tuple(first.shape) == (width, 3 * width)
    weights = _ours(state, published, name)
    head = state.get("lm_head.weight")
    tied = head is None or torch.equal(head, table)
    if head is not None and not tied:
        weights["head.weight"] = head
    config = {
        "layers": 1 + max(int(m[1]) for m in map(_LAYER.fullmatch, state) if m),
        "heads": _heads(heads, width, published, name),
        "width": width,
        "context": len(places),
        "positions": "learnt",
        "tied": tied,
        "activation": "gelu_tanh" if published else "gelu",
        "tokenizer": "byte_pairs",
    }
    return _fitted(Found(config, weights, published), name)


def _plain_name(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _matrices(*tensors: Tensor) -> bool:
    return all(tensor.dim() == 2 for tensor in tensors)


def _ours(state: State, published: bool, name: str) -> State:
    """Return the tensors of a state dict under our names, matrices (out, in)."""
    weights = {}
    for key, value in state.items():
        layer, plain = _LAYER.fullmatch(key), _PLAIN.fullmatch(key)
        if layer and layer[2] in OURS:
            ours = OURS[layer[2]]
            turned = published and layer[3] == "weight" and ours in LINEAR and value.dim() == 2
            value = value.t().contiguous() if turned else value
            weights[f"blocks.{layer[1]}.{ours}.{layer[3]}"] = value
        elif plain:
            weights[f"{OURS[plain[1]]}.{plain[2]}"] = value
        elif key != "lm_head.weight":
            raise CheckpointError(f"{name} has {key:.60}, which a GPT-2 does not have.")
    return weights


def _heads(heads: int | None, width: int, published: bool, name: str) -> int:
    """Return the number of heads: as told, or as all of GPT-2's sizes have it."""
    if heads is None and published and width % HEAD_WIDTH == 0:
        return width // HEAD_WIDTH
    if heads is None:
        raise CheckpointError(
            f"The weights in {name} do not tell how many heads they have: "
            "`python -m engine import` takes --heads N."
        )
    if heads < 1 or width % heads:
        raise CheckpointError(f"{name} has width {width}, which {heads} heads do not divide.")
    return heads


def _fitted(found: Found, name: str) -> Found:
    """Return what was found with zeros for biases that it lacks, checked against our GPT."""
    try:
        config = GPTConfig.from_values(found.config)
    except Rejected as error:
        raise CheckpointError(f"Such a GPT is not made here: {error.sentence}") from error
    with torch.device("meta"):
        expected = GPT(config, found.tokens).state_dict()
    weights = {key: value.float() for key, value in found.weights.items()}
    for key, empty in expected.items():
        if key.endswith(".bias"):
            weights.setdefault(key, torch.zeros(empty.shape))
    fit(weights, expected, name)
    strange = next((key for key in weights if key not in expected), None)
    if strange is not None:
        raise CheckpointError(f"{name} has {strange:.60}, which such a GPT does not have.")
    return replace(found, weights=weights)


# ---------------------------------------------------------------------- files


def read(path: Path) -> tuple[State, int | None]:
    """Return the tensors of a file by name, and the number of heads where it tells them.

    A `.safetensors` file is read as it is; what PyTorch saved, in a bounded process, and of a
    checkpoint of nanoGPT its `model`. Raises `CheckpointError` with one sentence.
    """
    if path.suffix != ".safetensors":
        tensors, numbers = read_training_state(path)
        return tensors, numbers.get("n_head")
    from safetensors import SafetensorError, safe_open

    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            most = MAX_FILE // 2**20
            raise CheckpointError(
                f"{path.name} has {size / 2**20:.0f} MB; at most {most} are read."
            )
        with safe_open(path, "pt") as file:
            names, told = list(file.keys()), file.metadata() or {}
            if len(names) > checkpoint.MAX_TENSORS:
                raise CheckpointError(
                    f"{path.name} has {len(names)} tensors: no GPT-2 has so many."
                )
            tensors = {name: file.get_tensor(name) for name in names}
    except OSError as error:
        raise CheckpointError(f"There is no file {path}.") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path.name} is no safetensors file, or it is damaged.") from error
    heads = told.get("n_head", "")
    return tensors, int(heads) if heads.isascii() and heads.isdigit() else None


def read_tokenizer(
    found: Found, vocabulary: Path | None, merges: Path | None, characters: Path | None
) -> Tokenizer:
    """Return the tokenizer of files that a person gives, or the bytes of GPT-2's vocabulary."""
    if (vocabulary is None) != (merges is None):
        raise Rejected("--vocab and --merges belong together: give both.", field="merges")
    if vocabulary is not None and merges is not None:
        return BytePairs.from_files(vocabulary, merges)
    if characters is not None:
        try:
            text = characters.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Rejected(f"{characters.name} is no text in UTF-8 that can be read.") from error
        return Characters("".join(sorted(set(text))))
    if found.tokens < BYTES:
        raise CheckpointError(
            f"These weights know {found.tokens} tokens, fewer than there are bytes: "
            "`python -m engine import` takes --characters FILE.txt, the text they learnt from."
        )
    return Bytes(found.tokens)


def checkpoint_of(found: Found, tokenizer: Tokenizer, title: str) -> tuple[Header, State]:
    """Return header and tensors of one of our checkpoints.

    Rows of the table beyond the tokenizer's, with which nanoGPT fills it up, are left out.
    Raises `CheckpointError` when the tokenizer is another's.
    """
    size, weights = tokenizer.size, dict(found.weights)
    filled = tokenizer.kind == "byte_pairs" and size < found.tokens
    if size != found.tokens and not filled:
        raise CheckpointError(
            f"The weights know {found.tokens:,} tokens, the vocabulary has {size:,}: "
            "it is another's."
        )
    for key in ("embedding.weight", "head.weight"):
        if key in weights:
            weights[key] = weights[key][:size]
    kind = "characters" if tokenizer.kind == "characters" else "byte_pairs"
    config = GPTConfig.from_values({**found.config, "tokenizer": kind}).to_dict()
    header = imported_header("gpt", config, load_dataset(NO_TEXT), title)
    tensors = {f"networks.network.{key}": value for key, value in weights.items()}
    return header, {**tensors, TABLE: torch.from_numpy(tokenizer.packed())}


def fitting_size(tensors: State, half: bool) -> State:
    """Return the tensors as they are, or as float16 when asked for or when only so they fit.

    Raises `CheckpointError` when they are too large even so.
    """
    most = checkpoint.MAX_BYTES - checkpoint.MAX_HEADER
    if not half and _bytes(tensors) <= most:
        return tensors
    tensors = checkpoint.halved(tensors)
    if _bytes(tensors) > most:
        raise CheckpointError(
            f"These weights have {_bytes(tensors) / 2**20:.0f} MB as float16; at most "
            f"{checkpoint.MAX_BYTES // 2**20} MB are read."
        )
    return tensors


def _bytes(tensors: State) -> int:
    return sum(v.numel() * v.element_size() for v in tensors.values())


def convert(
    path: Path,
    out: Path,
    title: str,
    *,
    heads: int | None = None,
    vocabulary: Path | None = None,
    merges: Path | None = None,
    characters: Path | None = None,
    half: bool = False,
) -> dict[str, Any]:
    """Write the GPT of a file as a checkpoint of ours; return what it is, JSON-able."""
    tensors, told = read(path)
    found = recognise(tensors, path.name, heads if heads is not None else told)
    tokenizer = read_tokenizer(found, vocabulary, merges, characters)
    header, tensors = checkpoint_of(found, tokenizer, title)
    tensors = fitting_size(tensors, half)
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.save(out, header, tensors)
    names = ("layers", "heads", "width", "context", "activation", "tied")
    return {
        "out": str(out),
        "bytes": out.stat().st_size,
        "model": "gpt",
        **{name: found.config[name] for name in names},
        "tokens": tokenizer.size,
        "tokenizer": tokenizer.kind,
        "float16": any(v.dtype == torch.float16 for v in tensors.values()),
    }
