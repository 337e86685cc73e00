"""Texts: the shipped ones are what their notes say; own ones with every mistake."""

from __future__ import annotations

import hashlib
import tracemalloc
import unicodedata
from pathlib import Path

import pytest

from engine import data
from engine.data import build as recipes
from engine.data import build_texts, corpora, own_texts, text_files
from engine.data.shipped import ASSETS, read_note
from engine.errors import DataError, NoSpace

LINES = "The quick brown fox jumps over the lazy dog; nothing else happens here.\n" * 9
KOREAN = "나는 밥을 먹고 학교에 갔다. 그리고 친구를 만났다!\n" * 12
FRENCH = "Où êtes-vous allés cet été, mes frères ? À la forêt, près de la mer.\n" * 9


@pytest.mark.parametrize("key", ["shakespeare", "bible"])
def test_a_shipped_text_is_what_its_note_says(key: str) -> None:
    note = read_note(key)
    content = (ASSETS / note["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == note["sha256"] == recipes.RECIPES[key].output
    found = data.load(key)
    assert found.fingerprint == note["fingerprint"]
    assert {"train": len(found.train), "test": len(found.test)} == note["characters"]
    text = found.train.text + found.test.text
    assert " \n" not in text
    assert "\n\n\n\n" not in text
    assert not {"@", "{", "\r", "\t"} & set(text)
    assert len(set(text)) < 85


def test_no_work_of_shakespeare_comes_twice() -> None:
    found = data.load("shakespeare")
    known = set(found.train.text.split("\n"))
    lines = [line for line in found.test.text.split("\n") if len(line) > 30]
    assert sum(line in known for line in lines) < 0.001 * len(lines)


def test_parts_are_runs_of_the_whole() -> None:
    whole, tiny = data.load("shakespeare"), data.load("shakespeare_tiny")
    assert whole.train.text.startswith(tiny.train.text + tiny.test.text)
    assert len(tiny.train) + len(tiny.test) == 1_115_394
    assert tiny.fingerprint != whole.fingerprint
    scene = data.load("scene")
    assert scene.train.text.startswith("Scene I. A room in the Castle.")
    assert "To be, or not to be" in scene.train.text
    assert len(data.load("scene").test) > 800


def test_cleaning_keeps_words_and_verses() -> None:
    raw = "\n\nA. {Aside.]  \r\n@@@@\nHe's here;\n\n\n\n\n  indented 'tis\n____\n"
    assert build_texts.clean(raw) == "A. [Aside.]\nHe's here;\n\n  indented 'tis\n"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.txt.xz").write_bytes(build_texts.pack(LINES)[:-9])
    with pytest.raises(DataError, match="damaged"):
        corpora.read(tmp_path / "x.txt.xz")
    with pytest.raises(DataError, match="missing"):
        corpora.read(tmp_path / "y.txt.xz")


# ---------------------------------------------------------------------- own texts


def test_an_own_text_is_split_by_position_saved_and_loaded(tmp_path: Path) -> None:
    made = own_texts.build(KOREAN, " my\nnovel ")
    assert (made.kind, made.title, made.shape, made.notes) == ("text", "my novel", (1,), ())
    assert made.train.text + made.test.text == KOREAN
    assert len(made.train) == len(KOREAN) * 9 // 10
    key = own_texts.save(made, tmp_path)
    assert data.load(key, tmp_path) == made
    entry = data.load_entry(key, tmp_path)
    assert (entry["kind"], entry["train"], entry["test"]) == (
        "text",
        len(made.train),
        len(made.test),
    )


@pytest.mark.parametrize(
    ("content", "expected", "note"),
    [
        (KOREAN.encode(), KOREAN, ""),
        (KOREAN.encode("utf-8-sig"), KOREAN, ""),
        (KOREAN.encode("utf-16"), KOREAN, ""),
        (b"\xfe\xff" + FRENCH.encode("utf-16-be"), FRENCH, ""),
        (KOREAN.encode("cp949"), KOREAN, "Korean"),
        (FRENCH.encode("latin-1"), FRENCH, "Latin-1"),
        (KOREAN.encode() + b"\xec\x9d", KOREAN, "damaged"),
    ],
)
def test_encodings_are_told_or_guessed(content: bytes, expected: str, note: str) -> None:
    text, notes = text_files.decode(content, "a.txt")
    assert text == expected
    assert note in "".join(notes)
    assert bool(notes) == bool(note)


def test_line_ends_control_signs_and_parted_characters() -> None:
    parted = unicodedata.normalize("NFD", "가나é")
    text, notes = text_files.plain(f"a\r\nb\rc\x00\x07\x1b[0m\ud800\ufeff{parted}\tz")
    assert text == "a\nb\nc[0m가나é\tz"
    assert notes == (
        "5 control signs were left out.",
        "Characters written in parts were joined (Unicode's NFC).",
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + bytes(50), "zip"),
        (bytes(range(256)) * 40, "binary"),
        (LINES.encode("utf-16-le"), "binary"),
        (b"a" * 20_000_001, "at most 20 MB"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as caught:
        own_texts.build(*text_files.decode(content, "thing.bin"))
    assert "thing.bin" in caught.value.sentence


@pytest.mark.parametrize("text", ["", "a", " \n" * 500, "x" * 199, "x" * 900])
def test_too_little_to_learn_from_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"characters; at least 200|again and again"):
        own_texts.build(text)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with open(path, "wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="100 MB"):
        own_texts.from_path(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    with pytest.raises(DataError, match="no file"):
        own_texts.from_path(tmp_path)


def test_facts_advise_on_size_and_tokens() -> None:
    rare = "".join(map(chr, range(0xAC00, 0xAC00 + 400)))
    found = own_texts.facts(own_texts.build(rare + LINES, "rare"))
    assert (found["characters"], found["lines"]) == (400 + len(LINES), 9)
    assert found["distinct"] == 400 + len(set(LINES))
    assert found["first"][1] == LINES.split("\n")[0]
    assert "by heart" in found["advice"][0]
    assert "byte pairs" in found["advice"][1]
    assert own_texts.recommended(400) == {"tokenizer": "byte_pairs"}
    assert own_texts.advice(5_000_000, 80) == []


@pytest.mark.parametrize("key", ["text:", "text:../../x", "text:" + "g" * 16, "text:" + "0" * 16])
def test_no_other_file_is_reached_by_a_key(key: str, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        data.load(key, tmp_path)


def test_damage_and_a_full_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = own_texts.build(LINES)
    key = own_texts.save(made, tmp_path)
    path = next((tmp_path / "datasets").iterdir())
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        data.load(key, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.data.saved.write_atomically", full)
    with pytest.raises(NoSpace, match="disk is full"):
        own_texts.save(made, tmp_path)
