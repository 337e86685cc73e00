from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine import data
from engine.data import build, fashion
from engine.data.base import Split
from engine.data.idx import read_idx
from engine.data.packed import pack, unpack
from engine.data.shipped import ASSETS, read_note
from engine.errors import DataError

# The counts of the digits 0 to 9, as published.
MNIST_COUNTS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


def _write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.mark.parametrize("key", ["mnist", "fashion"])
def test_files_are_what_their_notes_say(key: str) -> None:
    note = read_note(key)
    content = (ASSETS / note["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == note["sha256"] == build.RECIPES[key].output
    assert len(content) == note["bytes"] < 9_500_000
    assert note["source"]
    assert note["licence"]
    assert note["command"] == f"python -m engine.data.build {key}"
    assert data.load(key).fingerprint == note["fingerprint"]


def test_mnist_is_complete_and_in_its_own_order() -> None:
    mnist = data.load("mnist")
    assert mnist.shape == (1, 28, 28)
    assert mnist.classes == 10
    for name, split in (("train", mnist.train), ("test", mnist.test)):
        assert np.bincount(split.labels).tolist() == MNIST_COUNTS[name]
        assert split.images.flags.c_contiguous
    assert mnist.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert round(mnist.train.images.mean() / 255, 4) == 0.1307  # the known mean
    assert round(float(mnist.train.images.std()) / 255, 4) == 0.3081
    # The original files' own digests: header and pixels, header and labels.
    for stem, split in (("train", mnist.train), ("t10k", mnist.test)):
        inputs = build.RECIPES["mnist"].inputs
        sizes = np.array([len(split), 28, 28], ">i4").tobytes()
        pixels = b"\0\0\x08\x03" + sizes + split.images.tobytes()
        labels = b"\0\0\x08\x01" + sizes[:4] + split.labels.astype(np.uint8).tobytes()
        assert hashlib.sha256(pixels).hexdigest() == inputs[f"{stem}-images-idx3-ubyte"]
        assert hashlib.sha256(labels).hexdigest() == inputs[f"{stem}-labels-idx1-ubyte"]


def test_fashion_subset_is_balanced() -> None:
    subset = data.load("fashion")
    assert np.bincount(subset.train.labels).tolist() == [1000] * 10
    assert np.bincount(subset.test.labels).tolist() == [200] * 10
    assert subset.class_names[9] == "Ankle boot"
    assert subset.train.labels[0] == 9  # the complete set's first picture


def test_a_data_set_is_read_once() -> None:
    assert data.load("mnist") is data.load("mnist")


def test_catalogue_reads_no_pictures_and_tells_the_truth() -> None:
    data._load_shipped.cache_clear()
    started = time.process_time()
    entries = {entry["key"]: entry for entry in data.describe()}
    assert time.process_time() - started < 0.1
    assert data._load_shipped.cache_info().currsize == 0
    json.dumps(list(entries.values()), allow_nan=False)
    assert {"mnist", "fashion", "fashion-full", "ring8", "grid25"} <= set(entries)
    for key, entry in entries.items():
        if key == "fashion-full":
            continue
        loaded = data.load(key)
        assert (entry["kind"], tuple(entry["models"])) == (loaded.kind, loaded.models)
        assert entry["available"]
        assert entry["reason"] is None
        assert tuple(entry["shape"]) == loaded.shape
        assert tuple(entry["classes"]) == loaded.class_names
        assert (entry["train"], entry["test"]) == (len(loaded.train), len(loaded.test))
        assert entry["recommended"] == dict(loaded.recommended)


@pytest.mark.parametrize(
    "key", ["cifar", "", "../mnist", "MNIST", "x" * 500, "a\nb", None, ["mnist"]]
)
def test_unknown_data_set_lists_the_known_ones(key: object) -> None:
    with pytest.raises(DataError, match="known are mnist, fashion, fashion-full") as caught:
        data.load(key)  # type: ignore[arg-type]
    assert len(caught.value.sentence) < 330
    assert "\n" not in caught.value.sentence


def test_loading_data_needs_no_torch() -> None:
    code = (
        "import sys; from engine import data; data.describe(); data.load('fashion'); "
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'torchvision', 'gradio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_packing_is_lossless_and_repeatable(tmp_path: Path) -> None:
    mnist = data.load("mnist")
    splits = {
        "train": Split(mnist.train.images[:300].copy(), mnist.train.labels[:300].copy()),
        "test": Split(np.zeros((2, 3, 5, 7), np.uint8), np.array([0, 255])),
    }
    packed = pack(splits)
    assert packed == pack(splits)
    (tmp_path / "x.zip").write_bytes(packed)
    for name, split in unpack(tmp_path / "x.zip").items():
        assert (split.images == splits[name].images).all()
        assert (split.labels == splits[name].labels).all()


def test_damaged_or_missing_files_are_named(tmp_path: Path) -> None:
    good = (ASSETS / "fashion.zip").read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for bad in (b"", b"x" * 100, good[:-500], bytes(flipped)):
        (tmp_path / "y.zip").write_bytes(bad)
        with pytest.raises(DataError, match=r"y\.zip is damaged"):
            unpack(tmp_path / "y.zip")
    with pytest.raises(DataError, match=r"z\.zip is missing"):
        unpack(tmp_path / "z.zip")


def test_build_refuses_other_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in build.RECIPES["mnist"].inputs:
        (tmp_path / name).write_bytes(b"other")
    assert build.main(["mnist", "--from", str(tmp_path)]) == 1
    assert "expected" in capsys.readouterr().err
    assert build.main(["fashion", "--from", str(tmp_path / "nowhere")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_damaged_idx_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    _write_idx(path, np.arange(24).reshape(2, 3, 4))
    assert (read_idx(path) == np.arange(24).reshape(2, 3, 4)).all()
    for bad in (b"", path.read_bytes()[:-9], gzip.compress(b"\0\0\x08\x03\0\0\0\x09" + bytes(20))):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="not a complete idx file"):
            read_idx(path)


@pytest.fixture
def no_full_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(fashion, "DEBIAN_FOLDER", tmp_path / "none")
    monkeypatch.delenv(fashion.FOLDER_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    data._load_full.cache_clear()
    return tmp_path


def test_complete_fashion_is_found_where_it_may_lie(
    no_full_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = no_full_set
    assert fashion.find_full(root) is None
    for folder in (root / "datasets/FashionMNIST/raw", root / "mine"):
        folder.mkdir(parents=True)
        for stem, count in (("train", 60_000), ("t10k", 10_000)):
            _write_idx(folder / f"{stem}-images-idx3-ubyte.gz", np.zeros((count, 28, 28)))
            _write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", np.zeros(count))
        assert fashion.find_full(root) == folder
        monkeypatch.setenv(fashion.FOLDER_VARIABLE, str(root / "mine"))
    full = data.load("fashion-full", root)
    assert (len(full.train), len(full.test)) == (60_000, 10_000)
    _write_idx(root / "mine/t10k-labels-idx1-ubyte.gz", np.zeros(9))
    data._load_full.cache_clear()
    with pytest.raises((DataError, ValueError)):
        data.load("fashion-full", root)


def test_complete_fashion_without_disk_or_network(
    no_full_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)  # its import fails
    with pytest.raises(DataError, match=r"could not be downloaded.*use the subset, or install"):
        data.load("fashion-full", no_full_set)
    monkeypatch.setattr(fashion.importlib.util, "find_spec", lambda name: None)
    entry = next(e for e in data.describe(no_full_set) if e["key"] == "fashion-full")
    assert not entry["available"]
    assert fashion.FOLDER_VARIABLE in entry["reason"]
