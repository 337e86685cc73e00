"""`python -m engine`: what it prints, and one sentence for whatever is wrong."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from small import AUTOENCODERS, SMALL, Data, assert_same_end, last, run, spec

from engine import __main__ as door
from engine import checkpoint
from engine.config import Config
from engine.registry import MODELS, entry

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [x for k, v in SMALL.items() for x in ("--set", f"{k}={v}")]


class Terminal:
    """The door in this process: exit status, standard output, standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: Any) -> tuple[int, str, str]:
        self.capsys.readouterr()
        try:
            code = door.main([str(a) for a in arguments])
        except SystemExit as end:  # the argument parser's own way out
            code = int(end.code or 0)
        out, err = self.capsys.readouterr()
        return code, out, err


@pytest.fixture
def terminal(
    capsys: pytest.CaptureFixture[str], few: Data, monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    monkeypatch.setattr(door, "RUNS", few.root)
    return Terminal(capsys)


@pytest.fixture(scope="module")
def saved(few: Data, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    run(spec("vae", few, folder, 40))
    return last(folder)


def refused(done: tuple[int, str, str]) -> str:
    """Check that a command ended with status 2 and one sentence; return it."""
    code, out, err = done
    assert code == 2, (code, out, err)
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].endswith((".", "?"))
    assert "Traceback" not in err
    return lines[0]


def test_the_door_itself(tmp_path: Path) -> None:
    """One real process: events a line, the last one the finished object, a file that is read."""
    out = tmp_path / "new" / "mine.safetensors"
    command = [sys.executable, "-m", "engine", "train", "vae", "--dataset", "fashion", *SETTINGS]
    command += ["--max-steps", "30", "--device", "cpu", "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["event"] for line in lines} >= {"status", "metrics", "progress", "finished"}
    finished = lines[-1]
    assert finished["event"] == "finished"
    assert finished["step"] == 30
    assert finished["metrics"]["test/elbo_nats"] < 0
    assert finished["out"] == str(out)
    header, _ = checkpoint.load(out)
    assert header.metrics == finished["metrics"]
    assert "--max-steps 30" in header.command


def test_training_prints_events_and_saves(terminal: Terminal, few: Data, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    code, printed, err = terminal(
        *("train", "ae", "--dataset", few.key, *SETTINGS, "--max-steps", 20, "--seed", 3),
        *("--device", "cpu", "--title", "Mine", "--out", out, "--json"),
    )
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in printed.splitlines()]
    assert lines[-1]["event"] == "finished"
    header, tensors = checkpoint.load(out)
    assert (header.model, header.step, header.seed, header.title) == ("ae", 20, 3, "Mine")
    assert any(name.startswith("optimizers.") for name in tensors)


def test_without_json_there_is_a_bar_and_a_table(
    terminal: Terminal, few: Data, tmp_path: Path
) -> None:
    out = tmp_path / "mine.safetensors"
    code, printed, err = terminal(
        *("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 20, "--out", out)
    )
    assert code == 0
    assert "step 20" in err
    assert "#" * 24 in err
    assert "test/elbo_nats" in printed
    assert f"saved to {out}" in printed


def test_resuming_goes_on_bit_by_bit(
    terminal: Terminal, few: Data, saved: Path, tmp_path: Path
) -> None:
    run(spec("vae", few, tmp_path / "straight", 55))
    out = tmp_path / "resumed" / "step-00000055.safetensors"
    code, _, err = terminal(
        *("train", "vae", "--resume", saved, "--max-steps", 55, "--device", "cpu"),
        *("--out", out, "--json"),
    )
    assert (code, err) == (0, "")
    header, _ = checkpoint.load(out)
    straight, tensors = checkpoint.load(last(tmp_path / "straight"))
    checkpoint.save(last(tmp_path / "straight"), _with(straight, header.metrics), tensors)
    assert_same_end(tmp_path / "resumed", tmp_path / "straight")
    assert header.dataset == few.key


def test_a_history_can_be_repeated(terminal: Terminal, few: Data, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    code, _, _ = terminal(
        *("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 12, "--out", out),
        *("--at", "4:beta=0.5", "--at", "8:learning_rate=1e-4", "--json"),
    )
    assert code == 0
    history = checkpoint.read_header(out).history
    assert [(step, field, new) for step, field, _, new in history] == [
        (4, "beta", 0.5),
        (8, "learning_rate", 1e-4),
    ]


def test_weights_alone_can_be_saved(terminal: Terminal, few: Data, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    code, _, _ = terminal(
        *("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 5, "--out", out),
        *("--weights-only", "--json"),
    )
    assert code == 0
    header, tensors = checkpoint.load(out)
    assert not header.has_optimizer
    assert all(name.startswith("networks.") for name in tensors)


def test_seconds_end_a_run(terminal: Terminal, few: Data) -> None:
    code, printed, _ = terminal(
        *("train", "vae", "--dataset", few.key, *SETTINGS, "--max-seconds", 0.2, "--json")
    )
    assert code == 0
    finished = json.loads(printed.splitlines()[-1])
    assert finished["step"] > 0
    assert finished["out"] is None


def test_evaluation_prints_one_object(terminal: Terminal, saved: Path) -> None:
    code, printed, err = terminal("evaluate", saved, "--device", "cpu", "--json")
    assert (code, err) == (0, "")
    found = json.loads(printed)
    required = ("elbo_nats", "reconstruction_nats", "kl_nats", "iwae_5_nats", "iwae_50_nats")
    assert {*(f"test/{n}" for n in required), "test/active_units", "latent_dim"} <= set(found)
    assert found["test/elbo_nats"] <= found["test/iwae_5_nats"] <= found["test/iwae_50_nats"] < 0
    assert (found["test_images"], found["latent_dim"], found["model"]) == (200, 2, "vae")
    again = json.loads(terminal("evaluate", saved, "--device", "cpu", "--json")[1])
    other = json.loads(terminal("evaluate", saved, "--seed", 1, "--device", "cpu", "--json")[1])
    for found_again in (found, again, other):
        del found_again["seconds"]
    assert found == again
    assert other["test/elbo_nats"] != found["test/elbo_nats"]
    code, printed, _ = terminal("evaluate", saved)
    assert code == 0
    assert "test/iwae_50_nats" in printed


@pytest.mark.parametrize("key", MODELS)
def test_every_model_can_be_evaluated(
    key: str, terminal: Terminal, few: Data, tmp_path: Path
) -> None:
    run(spec(key, few, tmp_path, 10))
    code, printed, _ = terminal("evaluate", last(tmp_path), "--json")
    assert code == 0
    found = json.loads(printed)
    assert entry(key).headline in found
    if key in AUTOENCODERS:
        assert found["test/elbo_nats"] <= found["test/iwae_5_nats"] <= found["test/iwae_50_nats"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train",), "model"),
        (("train", "vae", "--max-steps", "many"), "--max-steps"),
        (("bake", "vae"), "bake"),
        (("evaluate", "file", "--loud"), "--loud"),
        ((), "COMMAND"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(
    arguments: tuple, said: str, terminal: Terminal
) -> None:
    code, out, err = terminal(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert said in err
    assert "--help" in err


def test_listing(terminal: Terminal, tmp_path: Path) -> None:
    code, printed, err = terminal("list", "--json", "--runs", tmp_path)
    assert (code, err) == (0, "")
    found = json.loads(printed)
    assert set(found) == {"checkpoints", "runs"}
    assert {c["name"] for c in found["checkpoints"]} == set(checkpoint.shipped())
    for listed in found["checkpoints"]:
        assert {"model", "dataset", "config", "metrics", "step", "seed", "bytes"} <= set(listed)
    assert terminal("list", "--runs", tmp_path)[0] == 0


def test_a_listed_run_keeps_its_owner_secret(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "abc"
    folder.mkdir()
    about = {"id": "abc", "owner": "secret-token", "model": "vae", "state": "finished", "step": 3}
    (folder / "run.json").write_text(json.dumps(about))
    for bad in (b"", b"{", b"[]", b"3"):
        (tmp_path / "bad").mkdir(exist_ok=True)
        (tmp_path / "bad" / "run.json").write_bytes(bad)
        for arguments in (["--json"], []):
            code, printed, err = terminal("list", *arguments, "--runs", tmp_path)
            assert (code, err) == (0, "")
            assert "abc" in printed
            assert "secret-token" not in printed


# ---------------------------------------------------------------------- bad input


def numbers() -> list[tuple[str, str]]:
    """Return a value out of bounds and one of another type for each hyperparameter."""
    config: type[Config] = MODELS["vae"].config_class
    found = []
    for field in config.schema():
        found.append((field["name"], "purple"))
        if field["maximum"] is not None:
            found += [(field["name"], f"{field['maximum'] * 2 + 1:g}"), (field["name"], "nan")]
    return found


def test_hyperparameters_out_of_bounds(terminal: Terminal) -> None:
    for name, value in numbers():
        sentence = refused(terminal("train", "vae", "--set", f"{name}={value}", "--json"))
        got = sentence.rpartition("got ")[2].rstrip(".").strip("'")
        assert got == value or float(got) == pytest.approx(float(value))


@pytest.mark.parametrize("json_", [[], ["--json"]], ids=["bar", "json"])
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["train", "gpt9"], "'gpt9'"),
        (["train", "vae", "--dataset", "cats"], "cats"),
        (["train", "vae", "--dataset", "pictures:0000000000000000"], "."),
        (["train", "vae", "--set", "hue=1"], "'hue'"),
        (["train", "vae", "--set", "beta"], "KEY=VALUE"),
        (["train", "vae", "--set", "=1"], "KEY=VALUE"),
        (["train", "vae", "--at", "beta=1"], "STEP:KEY=VALUE"),
        (["train", "vae", "--at", "3:beta=900"], "900"),
        (["train", "vae", "--at", "3:hue=1"], "hue"),
        (["train", "vae", "--max-steps", "0"], "got 0"),
        (["train", "vae", "--max-steps", "-5"], "got -5"),
        (["train", "vae", "--max-seconds", "nan"], "nan"),
        (["train", "vae", "--seed", "-1"], "got -1"),
        (["train", "vae", "--threads", "0"], "got 0"),
        (["train", "vae", "--device", "toaster"], "toaster"),
        (["train", "vae", "--device", "cuda"], "cuda"),
        (["train", "vae", "--device", "meta"], "meta"),
        (["train", "vae", "--resume", "nowhere.safetensors"], "nowhere.safetensors"),
        (["train", "vae", "--resume", "."], "no file"),
        (["evaluate", "nowhere.safetensors"], "nowhere.safetensors"),
        (["evaluate", "."], "no file"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_bad_input_is_one_sentence(
    arguments: list[str], word: str, json_: list[str], terminal: Terminal
) -> None:
    assert word in refused(terminal(*arguments, *json_))


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "vae", "--max-steps", "many"],
        ["train", "vae", "--seed", "1.5"],
        ["train", "vae", "--speed", "9"],
        ["evaluate"],
        ["evaluate", "x", "--seed", "one"],
        ["fly"],
        [],
    ],
    ids=" ".join,
)
def test_a_command_that_cannot_be_read_ends_with_status_2(
    arguments: list[str], terminal: Terminal
) -> None:
    code, out, err = terminal(*arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert err.strip()


def test_bad_files_are_one_sentence(terminal: Terminal, saved: Path, tmp_path: Path) -> None:
    pickled, cut, text = (tmp_path / n for n in ("a.pt", "b.safetensors", "c.safetensors"))
    torch.save({"a": torch.zeros(3)}, pickled)
    cut.write_bytes(saved.read_bytes()[:-5])
    text.write_text("hello, I am no checkpoint")
    for path in (pickled, cut, text):
        for arguments in (("evaluate", path), ("train", "vae", "--resume", path)):
            assert path.name in refused(terminal(*arguments, "--json"))
    assert "pickled" in refused(terminal("evaluate", pickled))


def test_a_checkpoint_of_another_model_is_refused(terminal: Terminal, saved: Path) -> None:
    assert "holds a" in refused(terminal("train", "ae", "--resume", saved))


def test_an_architecture_that_differs_is_refused(terminal: Terminal, saved: Path) -> None:
    done = terminal("train", "vae", "--resume", saved, "--set", "hidden_dim=24", "--json")
    assert "expected" in refused(done)


def test_a_place_that_cannot_be_written_is_said(
    terminal: Terminal, few: Data, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = terminal(
        *("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 2, "--json"),
        *("--out", tmp_path / "file" / "x.safetensors"),
    )
    assert "cannot be written" in refused(done)
    assert done[1] == "", "it is said before the training, not after"
    assert "cannot be written" in refused(terminal("train", "vae", "--out", tmp_path))


def test_a_full_temporary_folder_is_said(
    terminal: Terminal, few: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = terminal("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 2, "--json")
    assert "could not be saved" in refused(done)


def test_divergence_is_said(terminal: Terminal, few: Data) -> None:
    done = terminal(
        *("train", "vae", "--dataset", few.key, "--set", "learning_rate=10", "--json"),
        *("--set", "hidden_dim=64", "--set", "batch_size=16", "--max-steps", 400),
    )
    assert "diverged" in refused(done)


def test_nothing_is_left_in_the_temporary_folder(
    terminal: Terminal, few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    given = ("train", "vae", "--dataset", few.key, *SETTINGS, "--max-steps", 3, "--json")
    assert terminal(*given)[0] == 0
    refused(terminal(*given, "--device", "toaster"))
    refused(terminal(*given, "--set", "hue=1"))
    assert list(tmp_path.iterdir()) == []


def _with(header: checkpoint.Header, metrics: dict[str, float | None]) -> checkpoint.Header:
    from dataclasses import replace

    return replace(header, metrics=metrics)
