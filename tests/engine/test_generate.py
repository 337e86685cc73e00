"""`python -m engine generate`: text on the terminal."""

from __future__ import annotations

import json

import pytest

from engine import __main__ as door
from engine.checkpoint import shipped

SMALL = ["layers=1", "heads=2", "width=16", "context=16"]


TEXT = "HAMLET:\nTo be, or not to be: that is the question.\n\n" * 30


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt")
    text, path = folder / "mine.txt", folder / "tiny.safetensors"
    text.write_text(TEXT)
    values = [part for value in SMALL for part in ("--set", value)]
    given = ["--text", str(text), "--max-steps", "20", "--out", str(path), "--weights-only"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "RUNS", folder / "runs")
        assert door.main(["train", "gpt", *given, *values]) == 0
        yield path


def written(capsys, *arguments):
    capsys.readouterr()
    assert door.main(["generate", *map(str, arguments)]) == 0
    return capsys.readouterr()


def test_writes_the_prompt_and_what_follows_and_again_the_same(saved, capsys):
    given = (saved, "--prompt", "HAMLET", "--tokens", 40, "--top-k", 5, "--seed", 3)
    first = written(capsys, *given).out
    assert first.startswith("HAMLET")
    assert len(first) == len("HAMLET") + 40 + 1
    assert written(capsys, *given).out == first
    assert written(capsys, *given[:-1], 4).out != first


def test_json_says_what_was_written(saved, capsys):
    told = json.loads(written(capsys, saved, "--tokens", 40, "--temperature", 0, "--json").out)
    assert len(told["ids"]) == len(told["text"]) == 40
    assert told["tokens_per_s"] > 0


def test_what_the_vocabulary_lacks_is_said_beside_the_text(saved, capsys):
    found = written(capsys, saved, "--prompt", "a🙂", "--tokens", 2)
    assert "🙂" in found.err
    assert found.out.startswith("a")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tokens", "0"], "tokens must be a whole number from 1"),
        (["--temperature", "-1"], "temperature must be from 0"),
        (["--top-p", "0"], "top_p must be from"),
        (["--seed", "-1"], "seed must be"),
    ],
)
def test_what_is_not_allowed_is_said_in_one_sentence(saved, capsys, arguments, said):
    assert door.main(["generate", str(saved), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_other_models_cannot_write(tmp_path, capsys):
    assert door.main(["generate", str(shipped()["vae/mnist-2d"])]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert door.main(["generate", str(tmp_path / "none")]) == 2
    assert "There is no file" in capsys.readouterr().err
