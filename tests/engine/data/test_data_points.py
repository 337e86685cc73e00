"""Data sets of points: the shipped ones by their formulas, own ones with every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.data import point_files, points
from engine.data.own_points import build, describe_saved, load_saved, parse_file, save
from engine.errors import DataError, NoSpace


@pytest.mark.parametrize("key", points.KEYS)
def test_a_shipped_set_is_a_function_of_nothing(key: str) -> None:
    found, again = points.load(key), points.load(key)
    about = next(a for a in points.ABOUT if a.key == key)
    assert found.fingerprint == again.fingerprint
    assert (len(found.train), len(found.test)) == (about.train, about.test) == (100_000, 10_000)
    assert (found.kind, found.shape, found.title) == ("points", (2,), about.title)
    assert found.class_names == about.class_names
    assert np.abs(found.train.images / found.scale).max() < 1.8
    counts = np.bincount(found.train.labels, minlength=found.classes)
    assert counts.max() - counts.min() <= 1
    assert about.describe()["kind"] == "points"


def test_the_sets_differ() -> None:
    assert len({points.load(key).fingerprint for key in points.KEYS}) == len(points.KEYS)


@pytest.mark.parametrize(
    ("key", "modes", "sd", "first"), [("ring8", 8, 0.01, (1, 0)), ("grid25", 25, 0.05, (-4, -4))]
)
def test_a_mixture_is_what_the_protocol_says(
    key: str, modes: int, sd: float, first: tuple[float, float]
) -> None:
    found = points.load(key)
    assert found.mixture is not None
    assert len({tuple(np.round(m, 6)) for m in found.mixture.means}) == modes
    assert tuple(found.mixture.means[0]) == first
    off = found.train.images - found.mixture.means[found.train.labels]
    assert off.std() == pytest.approx(sd, rel=0.01)
    assert np.abs(off.mean(0)).max() < 4 * sd / 100_000**0.5 * 2


def test_the_ring_has_radius_one_and_eight_even_angles() -> None:
    means = points.RING8.means
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1)
    angles = np.sort(np.arctan2(means[:, 1], means[:, 0]) % (2 * np.pi))
    np.testing.assert_allclose(np.diff(angles), np.pi / 4)


# ---------------------------------------------------------------------- own points

CIRCLE = [[float(np.cos(t)), float(np.sin(t))] for t in np.linspace(0, 6, 50)]


def test_points_in_view_stay_where_they_were_drawn() -> None:
    found = build(CIRCLE, "my ring")
    assert (found.title, found.kind, found.notes, found.scale) == ("my ring", "points", (), 1.0)
    assert (len(found.train), len(found.test)) == (45, 5)
    both = np.concatenate([found.train.images, found.test.images])
    assert {tuple(p) for p in both} == {tuple(p) for p in np.array(CIRCLE, np.float32)}


@pytest.mark.parametrize("factor", [1e-4, 5e3])
def test_points_elsewhere_are_brought_into_view(factor: float) -> None:
    found = build(np.array(CIRCLE) * [factor, factor / 2] + 7 * factor, "far")
    both = np.concatenate([found.train.images, found.test.images])
    assert np.abs(both).max() == pytest.approx(1)
    assert np.ptp(both[:, 1]) == pytest.approx(np.ptp(both[:, 0]) / 2, rel=0.01)
    assert "fill the view" in found.notes[0]


def test_own_points_are_saved_described_and_loaded(tmp_path: Path) -> None:
    made = build(CIRCLE, "ring")
    key = save(made, tmp_path)
    assert key.startswith("points:")
    back = load_saved(key, tmp_path)
    assert (back.key, back.title, back.fingerprint) == (key, "ring", made.fingerprint)
    np.testing.assert_array_equal(back.train.images, made.train.images)
    entry = describe_saved(key, tmp_path)
    assert (entry["title"], entry["train"], entry["kind"]) == ("ring", 45, "points")
    assert build(CIRCLE, "ring").key == key


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (CIRCLE[:19], "There are 19 points; 20 to 20,000 are allowed."),
        (np.zeros((20_001, 2)), "There are 20,001 points; 20 to 20,000 are allowed."),
        ([[0, 0]] * 30, "All points lie on one spot"),
        ([*CIRCLE, [float("nan"), 1]], r"Point 51 is \(nan, 1\); coordinates must lie"),
        ([*CIRCLE, [1e7, 1]], r"Point 51 is \(1e\+07, 1\)"),
        ([*CIRCLE, [1, 2, 3]], "Points must be a list of pairs"),
        ([*CIRCLE, ["1", "2"]], "Points must be a list of pairs"),
        ([*CIRCLE, [True, 1]], "Points must be a list of pairs"),
        ([*CIRCLE, [10**400, 1]], "Points must be a list of pairs"),
        ("points", "Points must be a list of pairs"),
        (None, "Points must be a list of pairs"),
    ],
)
def test_a_mistake_in_points_gets_one_sentence(given: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        build(given, "x")


def lines(separator: str = ",", head: str = "", count: int = 20) -> bytes:
    return (head + "".join(f"{i}{separator}{i / 2}\n" for i in range(count))).encode()


@pytest.mark.parametrize(
    "data",
    [
        lines(","),
        lines("\t", "x\ty\n"),
        lines(";", "# made by hand\n\n"),
        lines(" , ", '"x","y"\n'),
        lines("   "),
        b"\xef\xbb\xbf" + lines(","),
        lines(",").decode().encode("utf-16"),
        lines(",").replace(b"\n", b"\r\n"),
        lines(";").replace(b".", b","),
        json.dumps([[i, i / 2] for i in range(20)]).encode(),
        json.dumps({"points": [{"x": i, "y": i / 2} for i in range(20)]}).encode(),
    ],
)
def test_files_of_many_habits_are_read(data: bytes) -> None:
    found = parse_file("points.txt", data)
    np.testing.assert_array_equal(found, [[i, i / 2] for i in range(20)])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "p.csv is empty"),
        (b"\x89PNG\0\0", "p.csv is not a text file"),
        (lines(count=3), "p.csv has 3 points; 20 to 20,000"),
        (lines() + b"1,2,3\n", "Line 21 of p.csv has 3 values; each line needs two numbers"),
        (lines() + b"1,abc\n", "Line 21 of p.csv has 'abc' where a number is needed"),
        (b"x,y\nz,w\n" + lines(), "Line 2 of p.csv has 'z' where a number"),
        (lines() + b"1,inf\n", "Line 21 of p.csv has inf; coordinates must lie"),
        (lines() + b"nan,1\n", "Line 21 of p.csv has nan; coordinates must lie"),
        (lines() + b"1,\n", "Line 21 of p.csv has '' where a number is needed"),
        (lines(count=20_001), "p.csv has more than 20,000 points"),
        (b"1" * 2_000_001, "p.csv is larger than 2 MB"),
        (b'{"a": 1}', "p.csv must hold a JSON list of pairs"),
        (b'{"a": 1', "p.csv is not valid JSON"),
        (json.dumps([[1, 2]] * 20 + [[1]]).encode(), "Point 21 of p.json is not a pair"),
        (b"[" + b"[1,2]," * 19 + b"[1e999,2]]", "Point 20 of p.json has inf"),
    ],
)
def test_a_mistake_in_a_file_gets_one_sentence(data: bytes, sentence: str) -> None:
    name = "p.json" if "p.json" in sentence else "p.csv"
    with pytest.raises(DataError, match=sentence):
        parse_file(name, data)


@pytest.mark.parametrize("key", ["points:../../etc", "points:12", "pictures:0123456789abcdef", ""])
def test_only_keys_reach_a_path(key: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not the name of saved points"):
        load_saved(key, tmp_path)


def test_points_that_are_gone_or_damaged_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no longer on this server"):
        load_saved("points:0123456789abcdef", tmp_path)
    key = save(build(CIRCLE, "ring"), tmp_path)
    (path,) = (tmp_path / "datasets").glob("*.safetensors")
    whole = path.read_bytes()
    for damaged in (whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1]), b"x"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged"):
            load_saved(key, tmp_path)


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("not a folder")
    with pytest.raises(NoSpace, match="points could not be saved"):
        save(build(CIRCLE, "ring"), tmp_path)


def test_the_limits_are_those_that_are_said() -> None:
    assert (point_files.MIN_POINTS, point_files.MAX_POINTS) == (20, 20_000)
