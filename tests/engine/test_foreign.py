"""Official weights: read safely, recognised, and the same pictures come out."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

import pytest
import torch

from engine import unpickling
from engine.__main__ import main
from engine.checkpoint import load, read_header
from engine.errors import CheckpointError
from engine.explore import Explorer
from engine.foreign import recognise
from engine.translation_networks import PatchDiscriminator, UNetGenerator, make_generator
from engine.unpickling import read_state

BLOCK = "model.10.conv_block."


def weights_of(kind, norm="instance", channels=4, side=256):
    network = make_generator(kind, channels, norm, side).eval()
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return network, OrderedDict(network.state_dict())


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves an object as the authors' code does."""

    def save(what, name="latest_net_G.pth", **how):
        torch.save(what, tmp_path / name, **how)
        return tmp_path / name

    return save


@pytest.mark.parametrize(
    ("kind", "norm", "side"),
    [
        ("resnet6", "instance", 256),
        ("resnet9", "batch", 256),
        ("unet", "instance", 128),
        ("unet", "batch", 256),
    ],
)
def test_a_generator_is_recognised_by_its_tensors(kind, norm, side):
    network, state = weights_of(kind, norm, 8, side)
    found = recognise({f"module.{k}": v for k, v in state.items()}, "g.pth")
    assert (found.kind, found.norm, found.channels, found.side) == (kind, norm, 8, side)
    again = make_generator(kind, 8, norm, side).eval()
    again.load_state_dict(found.weights)
    picture = torch.rand(1, 3, side, side)
    with torch.no_grad():
        assert torch.equal(again(picture), network(picture))


def test_what_old_files_have_is_bent_right():
    plain, state = weights_of("resnet6")
    old = {**state, "model.2.running_mean": torch.ones(4), "model.2.running_var": torch.ones(4)}
    assert recognise(old, "g.pth").norm == "instance"
    dropped = {
        k.replace("conv_block.5.", "conv_block.6."): v for k, v in state.items()
    }  # dropout stands at place 4
    assert f"{BLOCK}6.weight" in dropped
    assert recognise(dropped, "g.pth").weights.keys() == plain.state_dict().keys()
    _, batch = weights_of("resnet6", "batch")
    moved = {
        k.replace("block.6.", "block.7.").replace("block.5.", "block.6."): v
        for k, v in batch.items()
        if not k.endswith("num_batches_tracked")
    }
    found = recognise(moved, "g.pth").weights
    assert torch.equal(found[f"{BLOCK}6.running_var"], batch[f"{BLOCK}6.running_var"])
    assert found[f"{BLOCK}6.num_batches_tracked"] == 0


def without(key):
    state = weights_of("resnet6")[1]
    del state[key]
    return state


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda: PatchDiscriminator(3, 4, 3).state_dict(), "discriminator"),
        (lambda: UNetGenerator(4, 5).state_dict(), "5 halvings"),
        (lambda: weights_of("resnet6", channels=2)[1], "Channels of G"),
        (lambda: without("model.1.weight"), "first layer"),
        (lambda: without(f"{BLOCK}1.weight"), "lacks"),
        (lambda: without("model.23.bias"), "lacks model.23.bias"),
        (lambda: {**weights_of("resnet6")[1], "model.99.odd": torch.ones(1)}, "model.99.odd"),
        (lambda: {"a.weight": torch.ones(3)}, "no generator"),
        (
            lambda: {**weights_of("resnet6")[1], "model.1.weight": torch.ones(4, 1, 7, 7)},
            "only colour",
        ),
    ],
)
def test_what_is_no_such_generator_is_refused_in_one_sentence(state, said):
    with pytest.raises(CheckpointError) as refused:
        recognise(state(), "g.pth")
    assert said in refused.value.sentence
    assert "\n" not in refused.value.sentence


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
def test_a_state_dict_is_read_whole(saved, zipped):
    state = OrderedDict(a=torch.randn(2, 3).t(), n=torch.tensor(3), h=torch.ones(2).half())
    found = read_state(saved(state, _use_new_zipfile_serialization=zipped))
    assert torch.equal(found["a"], state["a"])
    assert found["n"] == 3
    assert found["h"].dtype == torch.float32


class Evil:
    """Something that a pickle could run."""

    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (Evil, "could run code"),
        (lambda: {"model": {"a": torch.ones(1)}, "epoch": 3}, "more than tensors"),
        (dict, "more than tensors"),
    ],
)
def test_what_is_no_state_dict_is_refused(saved, capfd, what, said):
    with pytest.raises(CheckpointError, match=said):
        read_state(saved(what()))
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"not a file of PyTorch", b"PK\x03\x04" + bytes(40)])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "latest_net_G.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        read_state(path)


def test_bounds_of_size_time_and_place(saved, tmp_path, monkeypatch):
    path = saved(OrderedDict(a=torch.ones(1)))
    with pytest.raises(CheckpointError, match=r"within 0\.01 s"):
        read_state(path, time_s=0.01)
    monkeypatch.setattr(unpickling, "MAX_FILE", 10)
    with pytest.raises(CheckpointError, match="at most"):
        read_state(path)
    with pytest.raises(CheckpointError, match="There is no file"):
        read_state(tmp_path / "none.pth")


def test_import_makes_a_checkpoint_that_the_explorer_opens(saved, tmp_path, capsys):
    network, state = weights_of("resnet6")
    out = tmp_path / "mine.safetensors"
    path = saved(state, "horse2zebra.pth")
    assert main(["import", str(path), "--out", str(out), "--direction", "b2a"]) == 0
    assert "resnet6" in capsys.readouterr().out
    header, tensors = load(out)
    assert header.title == "horse2zebra"
    assert {k.split(".")[2] for k in tensors} == {"b2a"}
    learner, _ = Explorer()._open(out, None)
    assert learner.lacking == {"a2b", "judges"}
    flat = torch.full((1, 3, 256, 256), 0.3)  # where rounding would be enlarged
    with learner.evaluating():
        assert torch.equal(learner.translate(flat, "b2a"), network(flat))


def test_import_of_both_directions(saved, tmp_path):
    files = [saved(weights_of("resnet6")[1], f"latest_net_G_{x}.pth") for x in "AB"]
    out = tmp_path / "both.safetensors"
    asked = ["import", str(files[0]), "--back", str(files[1]), "--out", str(out)]
    assert main([*asked, "--half", "--model", "pix2pix"]) == 0
    assert read_header(out).model == "pix2pix"
    assert Explorer()._open(out, None)[0].lacking == {"judges"}


def test_import_refuses_in_one_sentence(saved, tmp_path, capsys, monkeypatch):
    one, other = (saved(weights_of(k)[1], f"{k}.pth") for k in ("resnet6", "resnet9"))
    out = str(tmp_path / "x.safetensors")
    for given, said in (
        (["--back", str(other), "--out", out], "different kinds"),
        (["--out", str(tmp_path / "x.pth")], "must end in .safetensors"),
        (["--out", out, "--direction", "up"], "direction must be"),
        (["--out", out, "--model", "vae"], "model must be"),
    ):
        assert main(["import", str(one), *given]) == 2
        assert said in capsys.readouterr().err
    monkeypatch.setattr("engine.checkpoint.MAX_BYTES", 1000)
    assert main(["import", str(one), "--out", out]) == 2
    assert "--half" in capsys.readouterr().err


def test_a_file_of_ours_that_lacks_a_tensor_is_not_filled_up(saved, tmp_path):
    out = tmp_path / "x.safetensors"
    main(["import", str(saved(weights_of("resnet6")[1])), "--out", str(out)])
    header, tensors = load(out)
    from engine.checkpoint import save

    del tensors["networks.generators.a2b.model.1.weight"]
    save(out, dataclasses.replace(header, title="cut"), tensors)
    with pytest.raises(CheckpointError, match="lacks"):
        Explorer().check(out)
