"""The shipped emoji: what they hold, how they were split, how they are built."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data import build, build_emoji, emoji
from engine.data.shipped import ASSETS, read_note
from engine.errors import DataError

CODES = json.loads(zipfile.ZipFile(ASSETS / "emoji.zip").read("emoji.json"))["splits"]


def test_the_file_is_what_its_note_says() -> None:
    note = read_note("emoji")
    content = (ASSETS / note["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == note["sha256"] == build.RECIPES["emoji"].output
    assert len(content) == note["bytes"] < 2_600_000
    loaded = emoji.load()
    assert loaded.fingerprint == note["fingerprint"]
    assert loaded.shape == emoji.ABOUT.shape == (3, 64, 64)
    assert (len(loaded.train), len(loaded.test)) == (emoji.ABOUT.train, emoji.ABOUT.test)
    for name, split in (("train", loaded.train), ("test", loaded.test)):
        assert np.bincount(split.labels).tolist() == note["per_class"][name]


def test_the_ground_is_white_and_the_pictures_are_not() -> None:
    images = emoji.load().train.images
    ground = (images == 255).all(axis=1)
    assert 0.4 < ground.mean() < 0.6
    assert ground.mean(axis=(1, 2)).max() < 0.97  # every picture shows something
    assert ground[:, 0, 0].mean() > 0.95


def test_an_identity_is_on_one_side_only() -> None:
    train = {build_emoji.identity(code) for code in CODES["train"]["codes"]}
    test = {build_emoji.identity(code) for code in CODES["test"]["codes"]}
    assert not train & test
    assert not set("".join(CODES["train"]["codes"]).split("-")) & build_emoji.SKIN_TONES
    loaded = emoji.load()
    x, y = (s.images.reshape(len(s), -1) / np.float32(255) for s in (loaded.train, loaded.test))
    apart = (x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T
    assert np.sqrt(apart.min() / x.shape[1]) > 0.05  # no picture of the test has a copy


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1f468-200d-1f33e", "1f469-200d-1f33e", True),  # man and woman farmer
        ("1f9d1-200d-1f33e", "1f469-200d-1f680", False),  # farmer and astronaut
        ("1f3c3-200d-2640-fe0f", "1f3c3", True),  # woman running, person running
        ("1f468-200d-1f469-200d-1f466", "1f469-200d-1f467-200d-1f467", True),  # two families
        ("1f468-200d-2764-fe0f-200d-1f468", "1f491", True),  # two couples with heart
        ("1f550", "1f55f", True),  # two clock faces
        ("2640-fe0f", "2642-fe0f", False),  # the signs themselves
        ("1f600", "1f601", False),
    ],
)
def test_identity(one: str, other: str, same: bool) -> None:
    assert (build_emoji.identity(one) == build_emoji.identity(other)) == same


def test_groups_are_read_of_fully_qualified_emoji_only(tmp_path: Path) -> None:
    table = tmp_path / "emoji-test.txt"
    table.write_text(
        "# group: Smileys & Emotion\n# subgroup: face\n"
        "1F600 ; fully-qualified # x\n263A FE0F ; fully-qualified # x\n263A ; unqualified # x\n"
        "# group: Flags\n1F3C1 ; fully-qualified # x\n",
        encoding="utf-8",
    )
    assert build_emoji.read_groups(table) == {
        "1f600": "Smileys & Emotion",
        "263a-fe0f": "Smileys & Emotion",
        "1f3c1": "Flags",
    }


def test_an_oblong_emoji_is_made_square_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (256, 128), (255, 0, 0, 255)).save(out, "PNG")
    made = build_emoji.compose(out.getvalue())
    assert made.shape == (64, 64, 3)
    assert made[0, 32].tolist() == [255, 255, 255]
    assert made[32, 32].tolist() == [255, 0, 0]


def test_building_is_repeatable_and_read_back_close(tmp_path: Path) -> None:
    random = np.random.Generator(np.random.PCG64(0))
    blobs = random.integers(0, 255, (44, 4, 4, 3), dtype=np.uint8)
    pictures = {
        f"{i:x}": np.asarray(Image.fromarray(b).resize((64, 64), Image.Resampling.BICUBIC))
        for i, b in enumerate(blobs)
    }
    labels = {code: i % 8 for i, code in enumerate(pictures)}
    train, test = build_emoji.split(pictures, labels)
    assert sorted(train + test) == sorted(pictures)
    assert np.bincount([labels[c] for c in test], minlength=8).max() <= 1
    content = build_emoji.pack(train, test, pictures, labels)
    assert content == build_emoji.pack(train, test, pictures, labels)
    (tmp_path / "x.zip").write_bytes(content)
    splits = emoji.read(tmp_path / "x.zip")
    assert splits["test"].labels.tolist() == [labels[c] for c in test]
    for name, codes in (("train", train), ("test", test)):
        original = np.stack([pictures[c] for c in codes]).transpose(0, 3, 1, 2)
        error = splits[name].images.astype(float) - original
        assert np.sqrt((error**2).mean()) < 6


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    good = (ASSETS / "emoji.zip").read_bytes()
    path = tmp_path / "y.zip"
    with pytest.raises(DataError, match=r"y\.zip is missing"):
        emoji.read(path)
    for bad in (b"", b"x" * 100, good[:-500]):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"y\.zip is damaged"):
            emoji.read(path)
