"""GPT-2 and nanoGPT weights in our GPT, against a forward pass of plain matrix products."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from small import assert_same

from engine import checkpoint, gpt2, gpt2_upload
from engine.__main__ import main
from engine.errors import Busy, CheckpointError
from engine.explore import Explorer
from engine.gpt2 import recognise

V, T, D, H, LAYERS = 300, 16, 64, 2, 2


def gpt2_weights(seed=0, vocabulary=V):
    """Return a small random GPT-2 in the published layout: matrices (in, out)."""
    draw = torch.Generator().manual_seed(seed)

    def some(*shape, around=0.0):
        return around + 0.3 * torch.randn(shape, generator=draw)

    state = {"wte.weight": some(vocabulary, D), "wpe.weight": some(T, D)}
    for i in range(LAYERS):
        for name, rows, columns in (
            ("attn.c_attn", D, 3 * D),
            ("attn.c_proj", D, D),
            ("mlp.c_fc", D, 4 * D),
            ("mlp.c_proj", 4 * D, D),
        ):
            state[f"h.{i}.{name}.weight"] = some(rows, columns) / math.sqrt(rows)
            state[f"h.{i}.{name}.bias"] = some(columns)
        for name in ("ln_1", "ln_2"):
            state[f"h.{i}.{name}.weight"] = some(D, around=1.0)
            state[f"h.{i}.{name}.bias"] = some(D)
        state[f"h.{i}.attn.bias"] = torch.ones(1, 1, T, T)
    return state | {"ln_f.weight": some(D, around=1.0), "ln_f.bias": some(D)}


def nano_weights(biases=False):
    """Return the same as nanoGPT names and lays it out: matrices (out, in)."""
    state = {}
    for key, value in gpt2_weights().items():
        linear = ".c_" in key and key.endswith("weight")
        if not key.endswith("bias") or (biases and ".attn.bias" not in key):
            state[f"_orig_mod.transformer.{key}"] = value.t().contiguous() if linear else value
    return state | {"_orig_mod.lm_head.weight": state["_orig_mod.transformer.wte.weight"]}


def plainly(state, tokens, tanh, heads=H):
    """Return logits (T, V) in float64, by the formulae of the paper."""
    w = {k: v.double().numpy() for k, v in state.items()}

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * w[f"{name}.weight"] + w.get(f"{name}.bias", 0)

    def linear(x, name):
        return x @ w[f"{name}.weight"] + w.get(f"{name}.bias", 0)

    def gelu(x):
        if tanh:
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))

    t = len(tokens)
    x = w["wte.weight"][tokens] + w["wpe.weight"][:t]
    hidden = np.triu(np.full((t, t), -np.inf), 1)
    for i in range(LAYERS):
        q, k, v = np.split(linear(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn"), 3, axis=1)
        parts = []
        for q1, k1, v1 in zip(*(np.split(m, heads, axis=1) for m in (q, k, v)), strict=True):
            scores = np.exp(q1 @ k1.T / math.sqrt(D // heads) + hidden)
            parts.append(scores / scores.sum(1, keepdims=True) @ v1)
        x = x + linear(np.concatenate(parts, 1), f"h.{i}.attn.c_proj")
        units = gelu(linear(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"))
        x = x + linear(units, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


def imported(tmp_path, path, *more):
    """Import a file on the terminal; return the checkpoint and the learner that it opens as."""
    out = tmp_path / "mine.safetensors"
    assert main(["import", str(path), "--model", "gpt", "--out", str(out), *map(str, more)]) == 0
    return out, Explorer()._open(out, None)[0]


def saved(tmp_path, state, name="model.safetensors", **metadata):
    path = tmp_path / name
    save_file(state, path, metadata)
    return path


TOKENS = [7, 290, 0, 7, 41, 255, 3, 120]


def logits_of(learner, tokens=TOKENS):
    with learner.evaluating():
        return learner.network(torch.tensor([tokens]))[0]


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_gpt2_gives_the_logits_of_the_formulae(tmp_path, prefix):
    state = gpt2_weights()
    path = saved(tmp_path, {prefix + k: v for k, v in state.items()})
    _, learner = imported(tmp_path, path, "--heads", H)
    expected = torch.from_numpy(plainly(state, TOKENS, tanh=True)).float()
    torch.testing.assert_close(logits_of(learner), expected, atol=1e-4, rtol=0)
    assert (learner.config.activation, learner.config.tied) == ("gelu_tanh", True)


@pytest.mark.parametrize("biases", [True, False])
def test_a_checkpoint_of_nanogpt_tells_its_heads(tmp_path, biases):
    args = {"n_head": 4, "n_layer": LAYERS, "bias": biases}
    path = tmp_path / "ckpt.pt"
    torch.save({"model": nano_weights(biases), "model_args": args, "iter_num": 5}, path)
    _, learner = imported(tmp_path, path)
    state = {k: v for k, v in gpt2_weights().items() if biases or not k.endswith("bias")}
    expected = torch.from_numpy(plainly(state, TOKENS, tanh=False, heads=4)).float()
    torch.testing.assert_close(logits_of(learner), expected, atol=1e-4, rtol=0)


def test_a_bare_state_dict_and_told_heads(tmp_path):
    torch.save(nano_weights(), tmp_path / "x.pt")
    learner = imported(tmp_path, tmp_path / "x.pt", "--heads", H)[1]
    path = saved(tmp_path, {k: v.clone() for k, v in nano_weights().items()}, n_head=str(H))
    again = imported(tmp_path, path)[1]
    assert torch.equal(logits_of(learner), logits_of(again))


def test_gpt2_writes_with_the_bytes_of_its_vocabulary(tmp_path):
    out, learner = imported(tmp_path, saved(tmp_path, gpt2_weights()), "--half")
    header, _ = checkpoint.load(out)
    assert (header.model, header.dataset, header.config["heads"]) == ("gpt", "no_text", 1)
    assert learner.encode("A ☃")[0] == [32, 220, 158, 246, 225]  # as GPT-2 numbers bytes
    assert learner.tokenizer.decode([32, 299]) == "A⟨299⟩"
    assert out.stat().st_size < 0.6 * sum(4 * v.numel() for v in gpt2_weights().values())


def test_byte_pairs_cut_the_rows_that_fill_up_the_table(tmp_path):
    from engine.tokenizers import train

    pairs = train("byte_pairs", 280, "the cat and the hat " * 40).described()
    (tmp_path / "vocab.json").write_text(json.dumps(pairs["vocabulary"]))
    lines = ["#version: 0.2", *(" ".join(pair) for pair in pairs["merges"])]
    (tmp_path / "merges.txt").write_text("\n".join(lines))
    given = ["--vocab", tmp_path / "vocab.json", "--merges", tmp_path / "merges.txt"]
    learner = imported(tmp_path, saved(tmp_path, gpt2_weights()), *given)[1]
    size = len(pairs["vocabulary"])
    assert learner.tokenizer.size == size < V
    assert learner.network.embedding.weight.shape == (size, D)
    assert len(learner.encode(" the cat")[0]) == 2


def test_characters_are_those_of_the_text_in_order(tmp_path):
    (tmp_path / "input.txt").write_text("나라 말씀이 abc")
    count = len(set("나라 말씀이 abc"))
    path = saved(tmp_path, gpt2_weights(vocabulary=count))
    learner = imported(tmp_path, path, "--characters", tmp_path / "input.txt")[1]
    assert learner.tokenizer.decode(range(count)) == "".join(sorted(set("나라 말씀이 abc")))


def without(key):
    state = gpt2_weights()
    del state[key]
    return state


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda: {"a.weight": torch.ones(2, 2)}, "holds no GPT-2"),
        (lambda: {**gpt2_weights(), "wte.weight": torch.ones(2)}, "holds no GPT-2"),
        (lambda: {**gpt2_weights(), "h.0.attn.rope": torch.ones(1)}, "h.0.attn.rope"),
        (lambda: without("h.1.mlp.c_fc.weight"), "lacks blocks.1.widen.weight"),
        (lambda: {**gpt2_weights(), "ln_f.weight": torch.ones(3)}, "norm.weight as \\(3,\\)"),
        (lambda: {**gpt2_weights(), "wpe.weight": torch.ones(2000, D)}, "Context must be"),
        (nano_weights, "takes --heads N"),
    ],
)
def test_what_is_no_gpt2_is_refused_in_one_sentence(state, said):
    with pytest.raises(CheckpointError, match=said) as refused:
        recognise(state(), "x.safetensors")
    assert "\n" not in refused.value.sentence


def test_import_refuses_in_one_sentence(tmp_path, capsys, monkeypatch):
    path = saved(tmp_path, gpt2_weights())
    few = saved(tmp_path, gpt2_weights(vocabulary=65), "few.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:-5])
    (tmp_path / "abc.txt").write_text("abc")
    out = tmp_path / "x.safetensors"
    for file, given, said in (
        (few, (), "--characters"),
        (few, ("--characters", tmp_path / "abc.txt"), "the vocabulary has 3"),
        (few, ("--characters", tmp_path / "none.txt"), "none.txt is no text"),
        (path, ("--vocab", tmp_path / "abc.txt"), "belong together"),
        (path, ("--heads", "5"), "do not divide"),
        (tmp_path / "cut.safetensors", (), "damaged"),
        (tmp_path / "none.safetensors", (), "There is no file"),
    ):
        asked = ["import", str(file), "--model", "gpt", "--out", str(out), *map(str, given)]
        assert main(asked) == 2
        assert said in capsys.readouterr().err
    monkeypatch.setattr(gpt2, "MAX_FILE", 1000)
    assert main(["import", str(path), "--model", "gpt", "--out", str(out)]) == 2
    assert "at most" in capsys.readouterr().err


def test_weights_too_large_for_float32_become_float16(monkeypatch):
    tensors = {"a": torch.ones(1000)}
    monkeypatch.setattr(checkpoint, "MAX_BYTES", checkpoint.MAX_HEADER + 3000)
    assert gpt2.fitting_size(tensors, half=False)["a"].dtype == torch.float16
    monkeypatch.setattr(checkpoint, "MAX_BYTES", checkpoint.MAX_HEADER + 1000)
    with pytest.raises(CheckpointError, match="as float16"):
        gpt2.fitting_size(tensors, half=False)


def test_a_file_brought_to_the_page_becomes_a_checkpoint(tmp_path):
    content = saved(tmp_path, gpt2_weights()).read_bytes()
    ours, _ = imported(tmp_path, tmp_path / "model.safetensors")
    assert gpt2_upload.is_gpt2(content)
    assert not any(map(gpt2_upload.is_gpt2, (b"", content[:99], ours.read_bytes(), b"\xff" * 40)))
    (tmp_path / "page.safetensors").write_bytes(gpt2_upload.converted(content, "mine.safetensors"))
    header, tensors = checkpoint.load(tmp_path / "page.safetensors")
    assert header.title == "mine"
    assert_same(tensors, checkpoint.load(ours)[1])


def test_what_the_page_cannot_convert_is_refused_in_one_sentence(tmp_path, monkeypatch):
    nano = saved(tmp_path, {k: v.clone() for k, v in nano_weights().items()}).read_bytes()
    with pytest.raises(CheckpointError, match="weights in The file do not tell how many heads"):
        gpt2_upload.converted(nano, "x")
    with pytest.raises(CheckpointError, match="The file is no safetensors file"):
        gpt2_upload.converted(nano[:-1], "x")
    monkeypatch.setattr(gpt2_upload, "TIME_S", 0.01)
    with pytest.raises(Busy, match="try again"):
        gpt2_upload.converted(nano, "x")
