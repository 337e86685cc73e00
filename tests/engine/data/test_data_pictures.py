"""Own pictures: what is made of good uploads, and fault rows 10 and 11."""

from __future__ import annotations

import errno
import io
import json
import os
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from upload_samples import encoded, noise, pixel_bomb, pngs, zipped

from engine import data
from engine.data import uploads
from engine.data.base import Dataset
from engine.data.pictures import build, describe_saved, load_saved, save
from engine.errors import DataError, NoSpace


def _build(files: list[tuple[str, bytes]], **changes: object) -> Dataset:
    return build(files, **{"size": 28, "colour": False, "name": "mine", **changes})


def _named(contents: list[bytes], folder: str = "") -> dict[str, bytes]:
    return {f"{folder}{i}.png": content for i, content in enumerate(contents)}


def _two_classes() -> bytes:
    return zipped({**_named(pngs(30), "set/cats/"), **_named(pngs(20, 100), "set/dogs/")})


def test_folders_are_classes_and_each_is_split() -> None:
    own = _build([("set.zip", _two_classes())], size=32, colour=True, name=" My\nset ")
    assert own.shape == (3, 32, 32)
    assert _build([("set.zip", _two_classes())], size=64).shape[1:] == (64, 64)
    assert own.class_names == ("cats", "dogs")
    assert own.title == "My set"
    assert np.bincount(own.train.labels).tolist() == [27, 18]
    assert np.bincount(own.test.labels).tolist() == [3, 2]
    assert own.key == f"pictures:{own.fingerprint}"
    assert own.recommended == {"likelihood": "bernoulli_gray"}
    assert own.notes == ()


def test_split_depends_on_content_only() -> None:
    contents = pngs(25)
    first = _build([(f"{i}.png", content) for i, content in enumerate(contents)])
    second = _build([(f"other-{i}.png", c) for i, c in enumerate(reversed(contents))])
    third = _build([("z.zip", zipped(_named(contents)))], name="another name")
    assert first.fingerprint == second.fingerprint == third.fingerprint
    assert first.class_names == ("all",)
    assert (len(first.train), len(first.test)) == (23, 2)
    assert _build([("z.zip", zipped(_named(pngs(25, 1))))]).fingerprint != first.fingerprint


def test_loose_files_and_top_level_pictures() -> None:
    files = [(f"birds/{i}.png", content) for i, content in enumerate(pngs(15))]
    files += [(f"{i}.png", content) for i, content in enumerate(pngs(10, 50))]
    assert _build(files).class_names == ("other", "birds")


def test_tiny_classes_still_leave_something_to_test() -> None:
    own = _build([("z.zip", zipped({f"{i}/a.png": c for i, c in enumerate(pngs(20))}))])
    assert (len(own.train), len(own.test), own.classes) == (18, 2, 20)


def test_pixels_are_the_middle_square() -> None:
    wide = np.zeros((50, 100), np.uint8)
    wide[:, 25:75] = 255
    files = [("wide.png", encoded(Image.fromarray(wide)))]
    own = _build(files + [(f"{i}.png", content) for i, content in enumerate(pngs(30))])
    images = np.concatenate([own.train.images, own.test.images])
    assert (images == 255).all(axis=(1, 2, 3)).sum() == 1


def test_copies_are_left_out_and_counted() -> None:
    contents = pngs(20)
    own = _build([(f"{i}.png", content) for i, content in enumerate([*contents, *contents[:4]])])
    assert len(own.train) + len(own.test) == 20
    assert own.notes == ("4 left out as second copies of the same picture.",)


def test_junk_of_other_systems_is_skipped_silently() -> None:
    extra = {
        "__MACOSX/._0.png": b"\0\5\x16\7",
        "a/.DS_Store": b"x",
        "Thumbs.db": b"x",
        "a/._1.png": b"x",
        "readme.txt": b"hello",
        "a/": b"",
    }
    own = _build([("z.zip", zipped({**_named(pngs(20), "a/"), **extra}))])
    assert own.class_names == ("a",)
    assert own.notes == ()


def test_bad_pictures_among_good_ones_are_named_and_counted() -> None:
    bad = {
        "cut.png": pngs(1)[0][:-500],
        "noise.jpg": np.random.default_rng(0).bytes(999),
        "bomb.png": pixel_bomb(),
        "empty.png": b"",
    }
    own = _build([("z.zip", zipped({**_named(pngs(20)), **bad}))])
    (note,) = own.notes
    assert note.startswith("4 left out: cut.png is damaged or cut short and cannot be read.")
    assert "noise.jpg is not an image we can read" in note
    assert note.endswith("And 1 more.")
    with pytest.raises(DataError, match=r"5 different pictures.*at least 20.*4 left out: cut\.png"):
        _build([("z.zip", zipped({**_named(pngs(5)), **bad}))])


@pytest.mark.parametrize("files", [[], [("a.zip", zipped({}))], [("a.png", b"")]])
def test_nothing_usable(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(DataError, match=r"0 different pictures could be read; at least 20"):
        _build(files)


@pytest.mark.parametrize("size", [0, 27, 128, "28", None])
def test_other_sizes_are_refused(size: object) -> None:
    with pytest.raises(DataError, match="28, 32 or 64 px"):
        _build([], size=size)


CLIMBING = ["../a.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "a\\..\\b.png"]


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_climb_out_of_the_archive(name: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match="names a file outside itself"):
        _build([("z.zip", zipped({**_named(pngs(20)), name: pngs(1)[0]}))])
    assert sorted(tmp_path.rglob("*")) == before


def test_nul_in_an_archive_name() -> None:
    content = zipped({**_named(pngs(20)), "aXb.png": pngs(1)[0]}).replace(b"aXb.png", b"a\0b.png")
    with pytest.raises(DataError, match="names a file outside itself"):
        _build([("z.zip", content)])


ODD_NAMES = ["../../x.png", "con.png", "a\0b.png", "x" * 300 + ".png", "고양이.png", "😀.png", "/x"]


def test_odd_names_of_single_files_are_only_looked_at() -> None:
    files = [(name, content) for name, content in zip(ODD_NAMES, pngs(7), strict=True)]
    own = _build(files + [(f"{i}.png", content) for i, content in enumerate(pngs(20, 40))])
    assert own.class_names == ("all",)
    assert len(own.train) + len(own.test) == 27


@pytest.mark.parametrize("name", ["", "  "])
def test_empty_name(name: str) -> None:
    with pytest.raises(DataError, match="without a name"):
        _build([(name, pngs(1)[0])])


def test_links_locks_and_archives_inside() -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (0o120777) << 16
    with pytest.raises(DataError, match="holds a link"):
        _build([("z.zip", zipped([(link, b"/etc/passwd")]))])
    inner = zipped(_named(pngs(20)))
    for name in ("inner.zip", "inner.png", "inner"):
        with pytest.raises(DataError, match="another archive"):
            _build([("z.zip", zipped({**_named(pngs(3)), name: inner}))])
    locked = bytearray(zipped({"a.png": pngs(1)[0]}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match="password"):
        _build([("z.zip", bytes(locked))])


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.png", pngs(1)[0])
    with pytest.raises(DataError, match="make a plain zip"):
        _build([("z.zip", out.getvalue())])


def test_damaged_archives() -> None:
    good = _two_classes()
    for bad in (good[:-30], good[:500], b"PK\x03\x04" + bytes(100), b"PK\x05\x06"):
        with pytest.raises(DataError, match="damaged zip archive"):
            _build([("z.zip", bad)])


def test_a_picture_damaged_inside_the_archive_counts_as_unreadable() -> None:
    content = bytearray(zipped(_named(pngs(21))))
    content[content.index(b"\x89PNG") if b"\x89PNG" in content else 200] ^= 0xFF
    own = _build([("z.zip", bytes(content))])
    assert own.notes[0].startswith("1 left out: 0.png")


def _bomb(start: bytes, megabytes: int, name: str) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open(name, "w") as entry,
    ):
        entry.write(start)
        for _ in range(megabytes):
            entry.write(bytes(1_000_000))
    return out.getvalue()


@pytest.mark.parametrize(
    ("start", "name", "message"),
    [
        (b"\x89PNG\r\n\x1a\n", "bomb.png", "larger than 20 MB"),
        (b"", "bomb.png", "0 different pictures"),
        (b"", "bomb.txt", "0 different pictures"),
    ],
)
def test_zip_bomb_is_left_early(start: bytes, name: str, message: str) -> None:
    bomb = _bomb(start, 100, name)
    assert len(bomb) < 150_000
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(DataError, match=message):
        _build([("z.zip", bomb)])
    elapsed = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert elapsed < 2
    assert peak < 70_000_000


def test_limits_count_what_is_really_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_TOTAL_BYTES", 50_000)
    with pytest.raises(DataError, match="once unpacked"):
        _build([("z.zip", zipped(_named(pngs(40))))])
    with pytest.raises(DataError, match="once unpacked"):
        _build([(f"{i}.png", content) for i, content in enumerate(pngs(40))])


def test_too_many_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_PICTURES", 30)
    with pytest.raises(DataError, match="more than 30 pictures"):
        _build([("z.zip", zipped(_named(pngs(31))))])
    monkeypatch.setattr(uploads, "MAX_ENTRIES", 10)
    with pytest.raises(DataError, match="more than 10 files"):
        _build([("z.zip", zipped(_named(pngs(11))))])


def test_too_many_classes() -> None:
    tiny = [encoded(noise(i, 6, 6)) for i in range(101)]
    with pytest.raises(DataError, match="101 folders; at most 100"):
        _build([("z.zip", zipped({f"{i}/a.png": content for i, content in enumerate(tiny)}))])


def test_many_unreadable_files_are_not_tried_to_the_end() -> None:
    with pytest.raises(DataError, match="More than 100 files cannot be read"):
        _build([("z.zip", zipped({f"{i}.png": b"no" for i in range(200)}))])


def test_saved_pictures_come_back_the_same(tmp_path: Path) -> None:
    own = _build([("set.zip", _two_classes())], colour=True)
    assert save(own, tmp_path) == own.key
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [
        f"{own.fingerprint}.safetensors"
    ]
    back = data.load(own.key, tmp_path)
    assert (back.train.images == own.train.images).all()
    assert (back.test.labels == own.test.labels).all()
    assert (back.title, back.class_names, back.notes) == (own.title, own.class_names, own.notes)
    entry = describe_saved(own.key, tmp_path)
    json.dumps(entry)
    assert (entry["train"], entry["test"], entry["shape"]) == (45, 5, [3, 28, 28])
    listed = data.describe(tmp_path, keys=[own.key, "pictures:" + "0" * 16])
    assert listed[-1] == entry
    assert len(listed) == len(data.describe()) + 1


@pytest.mark.parametrize(
    "key", ["pictures:", "pictures:../../etc/passwd", "pictures:" + "G" * 16, "pictures:a\0"]
)
def test_other_keys_never_reach_the_disk(key: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the name of saved pictures"):
        load_saved(key, tmp_path)


def test_gone_or_damaged_pictures(tmp_path: Path) -> None:
    own = _build([("set.zip", _two_classes())])
    with pytest.raises(DataError, match="no longer on this server"):
        load_saved(own.key, tmp_path)
    save(own, tmp_path)
    path = tmp_path / "datasets" / f"{own.fingerprint}.safetensors"
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[-1000] ^= 1
    for bad in (
        b"",
        good[:-10],
        bytes(flipped),
        b"\x80\x04" + good,
        good.replace(b"about", b"abouX"),
    ):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="damaged; upload them again"):
            load_saved(own.key, tmp_path)


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    own = _build([("set.zip", _two_classes())])
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpace, match="the disk is full"):
        save(own, tmp_path)
    assert list((tmp_path / "datasets").iterdir()) == []
