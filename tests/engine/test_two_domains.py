"""Two domains of one's own: what becomes a data set, its splits and pairs, what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import data
from engine.data import two_domains, uploads
from engine.data.base import Dataset
from engine.errors import DataError, NoSpace
from engine.registry import check_fit
from engine.spec import Budget, RunSpec
from tests.engine.small import SMALL_OF, ended, run

File = tuple[str, bytes]


def png(number: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    """Return a picture of one colour, another for every number; 1,000 and more is bluish."""
    held = io.BytesIO()
    colour = (number % 256, number // 256 % 4 * 60, 200 if number >= 1000 else 0)
    Image.new("RGB", size, colour).convert(mode).save(held, "PNG")
    return held.getvalue()


def files(count: int, start: int = 0) -> list[File]:
    return [(f"{i:03}.png", png(start + i)) for i in range(count)]


def zipped(members: Iterable[File]) -> list[File]:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return [("both.zip", held.getvalue())]


def folder(name: str, members: Iterable[File]) -> list[File]:
    return [(f"{name}/{member}", content) for member, content in members]


def built(a: list[File] | None = None, b: list[File] | None = None, **changes: object) -> Dataset:
    given = {"both": [], "size": 64, **changes}
    return two_domains.build(a or [], b or [], **given)  # type: ignore[arg-type]


def both(members: list[File], **changes: object) -> Dataset:
    return built(both=zipped(members), **changes)


def numbers(images: np.ndarray) -> list[int]:
    """Return what number each picture of `png` has, by its colour."""
    return [int(x[0]) + round(int(x[1]) / 60) * 256 for x in images[:, :, 32, 32]]


def blue(images: np.ndarray) -> set[int]:
    return set(images[:, 2, 32, 32].tolist())


# ---------------------------------------------------------------------- splits and rows


def test_two_sets_become_rows_of_both_and_the_smaller_one_repeats() -> None:
    made = built(files(40), files(25, 1000))
    assert made.kind == "pairs"
    assert made.shape == (6, 64, 64)
    assert (made.domains, made.paired, made.models) == (("A", "B"), False, ("cyclegan",))
    assert (len(made.train), len(made.test)) == (36, 4)
    a, b = made.train.images[:, :3], made.train.images[:, 3:]
    assert (blue(a), blue(b)) == ({0}, {200})
    assert sorted(numbers(a) + numbers(made.test.images[:, :3])) == list(range(40))
    assert len(set(numbers(b))) == 23
    assert numbers(b)[23:] == numbers(b)[:13]
    assert not set(numbers(b)) & set(numbers(made.test.images[:, 3:]))


def test_the_same_pictures_in_another_order_are_the_same_data_set() -> None:
    first = built(files(30), files(30, 1000))
    assert built(files(30)[::-1], files(30, 1000)[::-1]).key == first.key
    assert built(files(30, 1000), files(30)).key != first.key


@pytest.mark.parametrize(
    ("names", "domains"),
    [
        (("trainA", "trainB", "testA", "testB"), ("A", "B")),
        (
            ("horse2zebra/trainA", "horse2zebra/trainB", "horse2zebra/testA", "horse2zebra/testB"),
            ("Horse", "Zebra"),
        ),
        (("Train_a", "Train_b", "val_a", "val_b"), ("A", "B")),
        (("mine/A/train", "mine/B/train", "mine/A/test", "mine/B/test"), ("A", "B")),
        (("train/A", "train/B", "test/A", "test/B"), ("A", "B")),
        (("x/cats/train", "x/dogs/train", "x/cats/test", "x/dogs/test"), ("cats", "dogs")),
    ],
)
def test_folders_say_domain_and_split(names: tuple[str, ...], domains: tuple[str, str]) -> None:
    train_a, train_b, test_a, test_b = names
    members = folder(train_a, files(20)) + folder(train_b, files(22, 1000))
    members += folder(test_a, files(3, 100)) + folder(test_b, files(5, 1100))
    made = both(members)
    assert made.domains == domains
    assert made.title == f"{domains[0]} and {domains[1]}"
    assert (len(made.train), len(made.test)) == (22, 5)
    assert set(numbers(made.train.images[:, :3])) == set(range(20))
    assert set(numbers(made.test.images[:, :3])) == {100, 101, 102}
    assert (blue(made.test.images[:, :3]), blue(made.test.images[:, 3:])) == ({0}, {200})


def test_two_folders_are_split_by_content() -> None:
    made = both(folder("summer", files(30)) + folder("winter", files(20, 1000)))
    assert made.domains == ("summer", "winter")
    assert (len(made.train), len(made.test)) == (27, 3)


def test_what_lies_elsewhere_is_left_out_and_said() -> None:
    members = folder("trainA", files(30)) + folder("trainB", files(30, 1000))
    made = both([*members, ("samples/x.png", png(200)), ("readme.txt", b"hello")])
    assert (len(made.train), len(made.test)) == (27, 3)
    assert any("1 left out" in note and "neither" in note for note in made.notes)


def test_a_copy_is_left_out_and_never_both_trained_on_and_tested_with() -> None:
    members = folder("trainA", files(30)) + folder("testA", files(4))
    made = both(members + folder("trainB", files(30, 1000)))
    assert set(numbers(made.test.images[:, :3])) == {0, 1, 2, 3}
    assert set(numbers(made.train.images[:, :3])) == set(range(4, 30))
    assert any(note.startswith("4 left out as second copies") for note in made.notes)


# ---------------------------------------------------------------------- pairs


def test_pairs_stay_together_in_both_splits() -> None:
    made = built(files(40), files(40, 1000), paired=True)
    assert made.paired
    assert made.models == ()
    assert (len(made.train), len(made.test)) == (36, 4)
    for part in (made.train, made.test):
        a, b = numbers(part.images[:, :3]), numbers(part.images[:, 3:])
        assert [(i + 1000) % 256 for i in a] == [i % 256 for i in b]
    assert made.key != built(files(40), files(40, 1000)).key


def test_the_names_of_partners_may_end_in_their_side() -> None:
    a = [(f"{i}_A.png", png(i)) for i in range(30)]
    b = [(f"{i}_B.jpg", png(1000 + i)) for i in range(30)]
    members = folder("trainA", a) + folder("trainB", b)
    members += folder("testA", [("1_A.png", png(90))]) + folder("testB", [("1_B.png", png(1090))])
    made = both(members, paired=True)
    assert (len(made.train), len(made.test)) == (30, 1)
    assert numbers(made.test.images[:, :3]) == [90]


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (files(30), files(29, 1000), ("30", "29", "029.png")),
        (files(30), [("other.png", png(5000)), *files(29, 1000)], ("029.png",)),
        ([*files(30), ("000.gif", png(99))], files(30, 1000), ("two pictures 000",)),
    ],
)
def test_pairs_that_are_none_are_refused(
    a: list[File], b: list[File], words: tuple[str, ...]
) -> None:
    with pytest.raises(DataError) as refused:
        built(a, b, paired=True)
    assert refused.value.field == "paired"
    assert all(word in refused.value.sentence for word in words)


# ---------------------------------------------------------------------- pictures


def test_crop_takes_the_middle_and_letterbox_all_on_white() -> None:
    wide = Image.new("RGB", (200, 100), (7, 7, 7))
    wide.paste((255, 0, 0), (0, 0, 20, 100))
    held = io.BytesIO()
    wide.save(held, "PNG")
    a = [*files(20), ("wide.png", held.getvalue())]

    def of_wide(fit: str) -> np.ndarray:
        made = built(a, files(20, 1000), fit=fit)
        every = np.concatenate([made.train.images, made.test.images])[:, :3]  # N x 3 x 64 x 64
        (found,) = (x for x in every if (x[:, 32, 40] == 7).all())
        return found

    assert (of_wide("crop") == 7).all()
    whole = of_wide("letterbox")
    assert (whole[:, 0] == 255).all()
    assert (whole[:, 17:47, 2] == [[255], [0], [0]]).all()
    assert (whole[:, 32, 20:] == 7).all()


def test_transparency_lies_on_white() -> None:
    held = io.BytesIO()
    Image.new("RGBA", (70, 70), (9, 9, 9, 0)).save(held, "PNG")
    made = built([*files(25), ("clear.png", held.getvalue())], files(25, 1000))
    every = np.concatenate([made.train.images, made.test.images])[:, :3]
    assert any((x == 255).all() for x in every)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_sizes_and_what_is_advised_for_them(size: int) -> None:
    made = built(files(20), files(20, 1000), size=size)
    assert made.shape == (6, size, size)
    assert made.recommended["augmentation"] == "mirror"
    assert made.recommended.get("discriminator_layers") == (None if size == 64 else 3)


# ---------------------------------------------------------------------- advice and refusals


@pytest.mark.parametrize(
    ("count", "word"), [(1, "50"), (49, "50"), (50, "200"), (199, "200"), (999, "1,000")]
)
def test_advice_on_how_many(count: int, word: str) -> None:
    from engine.data.domain_rows import advice

    (sentence,) = advice(count)
    assert word in sentence.split("pictures")[0]
    assert advice(1000) == ()


def test_advice_and_counts_reach_the_notes() -> None:
    notes = built(files(40), files(25, 1000), names=("Cats", "Dogs")).notes
    assert (
        notes[0] == "36 of Cats and 23 of Dogs to train on, 4 of Cats and 2 of Dogs to test with."
    )
    assert "fewer than 50" in notes[1]


@pytest.mark.parametrize(
    ("a", "b", "options", "words"),
    [
        ([], files(20), {}, "no pictures of domain A"),
        (files(20), [], {}, "no pictures of domain B"),
        (files(19), files(20, 1000), {}, "19 different pictures of A"),
        (files(20), [("x.png", png(7))] * 30, {}, "1 different pictures of B"),
        (files(20), [(f"{i}.png", b"junk") for i in range(20)], {}, "not an image we can read"),
        ([("a.png", b"")], [("b.png", b"")], {}, "is empty"),
        (files(20), files(20, 1000), {"size": 65}, "64, 128, 256"),
        (files(20), files(20, 1000), {"fit": "stretch"}, "letterbox"),
        (files(20), files(20, 1000), {"both": zipped(files(3))}, "not all"),
        (files(20), [("svg.png", b"<svg onload=x>"), *files(19, 1000)], {}, "svg.png"),
        (files(20), [("a.zip", b"PK\x03\x04broken")], {}, "damaged zip"),
        (files(20), zipped([("../x.png", png(1))]), {}, "outside itself"),
        (files(20), zipped([("deep.zip", zipped(files(2))[0][1])]), {}, "another archive"),
        (files(20), [("", png(1))], {}, "without a name"),
        (files(20), [("tiny.png", png(1, (1, 1))), *files(19, 1000)], {}, "1 × 1"),
    ],
)
def test_what_is_refused_is_said_in_one_place(
    a: list[File], b: list[File], options: dict[str, object], words: str
) -> None:
    with pytest.raises(DataError, match=r"\.$") as refused:
        built(a, b, **options)
    assert words in refused.value.sentence


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (folder("trainA", files(30)), "0 different pictures of B"),
        (files(30), "two folders"),
        (folder("a1", files(20)) + folder("a2", files(20)) + folder("a3", files(20)), "3 folders"),
        (
            folder("trainA", files(5))
            + folder("testA", files(25, 300))
            + folder("trainB", files(30, 1000)),
            "Only 5",
        ),
    ],
)
def test_an_archive_without_two_domains(members: list[File], words: str) -> None:
    with pytest.raises(DataError) as refused:
        both(members)
    assert words in refused.value.sentence


def test_more_than_fits_into_memory_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_domains, "MAX_BYTES", 30 * 6 * 64 * 64)
    assert len(built(files(30), files(20, 1000)).train) == 27
    with pytest.raises(DataError, match="at most 30 pictures of a domain") as refused:
        built(files(31), files(20, 1000))
    assert refused.value.field == "size"


def test_an_archive_on_the_disk_is_read_within_its_own_bounds(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(zipped(folder("trainA", files(4)))[0][1])
    first, *others = uploads.archive_pictures(path, pictures=4, size=10**6)
    assert (first.name, first.folders, len(others)) == ("000.png", ("trainA",), 3)
    with pytest.raises(DataError, match="more than 3 pictures"):
        list(uploads.archive_pictures(path, pictures=3, size=10**6))


# ---------------------------------------------------------------------- saved and trained on


def test_saved_described_and_loaded_again(tmp_path: Path) -> None:
    made = built(files(30), files(25, 1000), name="Pets", names=("Cats", "Dogs"))
    assert two_domains.save(made, tmp_path) == made.key
    again = data.load(made.key, tmp_path)
    assert again.fingerprint == made.fingerprint
    assert (again.train.images == made.train.images).all()
    assert (again.title, again.domains, again.notes) == ("Pets", ("Cats", "Dogs"), made.notes)
    entry = data.load_entry(made.key, tmp_path)
    assert entry["kind"] == "pairs"
    assert entry["shape"] == [6, 64, 64]
    assert (entry["train"], entry["test"], entry["models"]) == (27, 3, ["cyclegan"])
    assert "27 of Cats" in entry["help"]
    assert data.is_own(made.key)
    described = data.describe(tmp_path, [made.key, "mnist", "domains:0000000000000000"])
    assert [d["key"] for d in described].count("mnist") == 1
    assert described[-1] == entry


@pytest.mark.parametrize(
    "key", ["domains:0000000000000000", "domains:../../../etc/pass", "domains:"]
)
def test_what_is_not_there(tmp_path: Path, key: str) -> None:
    with pytest.raises(DataError):
        data.load(key, tmp_path)


def test_a_damaged_file_is_said_to_be_so(tmp_path: Path) -> None:
    made = built(files(20), files(20, 1000))
    two_domains.save(made, tmp_path)
    (path,) = (tmp_path / "datasets").iterdir()
    content = bytearray(path.read_bytes())
    content[-7] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        data.load(made.key, tmp_path)


def test_a_full_disk_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("a file where the folder should be")
    with pytest.raises(NoSpace, match="cannot be written"):
        two_domains.save(built(files(20), files(20, 1000)), tmp_path)


@pytest.mark.parametrize(("model", "paired"), [("cyclegan", False), ("pix2pix", True)])
def test_translators_train_on_it(tmp_path: Path, model: str, paired: bool) -> None:
    made = built(files(30), files(30, 1000), paired=paired)
    key = two_domains.save(made, tmp_path)
    config = {**SMALL_OF[model], **made.recommended}
    budget = Budget(3)
    events = run(RunSpec(model, key, config, budget=budget, device="cpu", data_root=tmp_path))
    assert ended(events).state == "finished"


def test_pix2pix_needs_pairs() -> None:
    made = built(files(20), files(20, 1000))
    with pytest.raises(DataError):
        check_fit("pix2pix", made.title, made.kind, made.models)
