"""`--text` of the terminal: train on a text of one's own, judge on this one or another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import __main__ as door

OWN = "the cat sat on the mat and the dog sat on the log.\n" * 20
OTHER = "a cat and a dog sat on a mat, then on a log.\n" * 8
SMALL = ("order=2", "context=8", "batch_size=8")


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(door, "RUNS", tmp_path / "runs")
    (tmp_path / "own.txt").write_text(OWN)
    (tmp_path / "other.txt").write_text(OTHER)
    out = tmp_path / "x.safetensors"
    settings = [x for value in SMALL for x in ("--set", value)]
    given = ["train", "ngram", "--text", tmp_path / "own.txt", *settings, "--max-steps", 30]
    assert door.main([str(x) for x in [*given, "--out", out]]) == 0
    return out


def _evaluated(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, float]:
    capsys.readouterr()
    assert door.main(["evaluate", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_is_judged_on_what_it_did_not_learn(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = _evaluated(capsys, trained)
    own = _evaluated(capsys, trained, "--text", trained.with_name("own.txt"))
    key = "validation/nats_per_character"
    assert own[key] == kept[key]
    assert own["test_images"] == len(OWN) // 10
    other = _evaluated(capsys, trained, "--text", trained.with_name("other.txt"))
    assert other["test_images"] == len(OTHER)
    assert other["validation/characters_left_out"] == OTHER.count(",")
    assert other[key] > own[key]
    assert "train/nats_per_character" not in other


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "ngram", "--text", "no.txt"), "There is no file no.txt."),
        (("train", "ngram", "--text", "own.txt", "--dataset", "bible"), "not both"),
        (("train", "vae", "--text", "own.txt", "--max-steps", "1"), "trains on pictures"),
        (("train", "ngram", "--text", "other.txt", "--resume", "x.safetensors"), "not trained on"),
        (("evaluate", "x.safetensors", "--text", "x.safetensors"), "binary file"),
    ],
)
def test_a_wrong_text_is_told_in_one_sentence(
    trained: Path,
    arguments: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(trained.parent)
    capsys.readouterr()
    assert door.main(list(arguments)) == 2
    assert sentence in capsys.readouterr().err
