"""What people brought: listed after a restart, bounded, deleted by its owner alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine import data
from engine.data import own_points
from engine.errors import NoSpace, NotFound, Rejected
from playground import belongings
from playground.belongings import Belongings, Bounds, file_of
from playground.repeats import Repeats

ADA, BOB = "ada-ada-ada-ada-ada", "bob-bob-bob-bob-bob"


def key(number: int, kind: str = "points") -> str:
    return f"upload/number{number:010}" if kind == "upload" else f"{kind}:{number:016x}"


def put(root: Path, name: str, size: int = 1000) -> str:
    path = file_of(name, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return name


def bring(mine: Belongings, owner: str, number: int, size: int = 1000, kind: str = "points") -> Any:
    return mine.bring(owner, put(mine.root, key(number, kind), size), f"thing {number}")


def names(mine: Belongings, owner: str) -> list[str]:
    return [thing.name for thing in mine.of(owner)]


def test_they_are_there_after_a_restart_and_no_token_is_on_the_disk(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    bring(mine, ADA, 2, kind="upload")
    bring(mine, BOB, 3, kind="text")
    again = Belongings(tmp_path)
    assert names(again, ADA) == [key(1), key(2, "upload")]
    assert [thing.kind for thing in again.of(ADA)] == ["dataset", "checkpoint"]
    assert names(again, BOB) == [key(3, "text")]
    written = b"".join(p.read_bytes() + p.name.encode() for p in tmp_path.rglob("*") if p.is_file())
    assert ADA.encode() not in written


def test_what_is_gone_from_the_disk_is_not_listed(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    file_of(key(1), tmp_path).unlink()
    assert names(Belongings(tmp_path), ADA) == []


def test_a_damaged_list_is_left_alone(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    bring(mine, BOB, 2)
    broken = sorted((tmp_path / "belongings").glob("*.json"))
    for path, content in zip(broken, (b"[", b'[{"name": "../../etc/passwd"}]'), strict=True):
        path.write_bytes(content)
    again = Belongings(tmp_path)
    assert names(again, ADA) == names(again, BOB) == []


def test_the_least_lately_used_makes_room_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(1000, 2000))
    monkeypatch.setattr(belongings, "time", SimpleNamespace(time=lambda: float(next(now))))
    mine = Belongings(tmp_path, lambda: {key(2)}, Bounds(things=3, megabytes=300))
    for number in (1, 2, 3):
        assert bring(mine, ADA, number) == []
    mine.used(ADA, key(1))
    [sentence] = bring(mine, ADA, 4)
    assert "“thing 3”" in sentence  # 1 was used after it, a run under way needs 2
    assert names(mine, ADA) == [key(1), key(2), key(4)]
    assert not file_of(key(3), tmp_path).exists()
    assert "“thing 1”" in bring(mine, ADA, 5)[0]


def test_bytes_are_bounded(tmp_path: Path) -> None:
    mine = Belongings(tmp_path, bounds=Bounds(things=20, megabytes=1))
    bring(mine, ADA, 1, 600_000)
    bring(mine, BOB, 2, 600_000)
    assert len(bring(mine, ADA, 3, 600_000)) == 1
    assert names(mine, ADA) == [key(3)]
    assert names(mine, BOB) == [key(2)]
    with pytest.raises(Rejected, match="1 MB"):
        bring(mine, ADA, 4, 1_100_000)
    assert not file_of(key(4), tmp_path).exists()
    assert names(mine, ADA) == [key(3)]


def test_two_people_with_the_same_content(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    mine.bring(BOB, key(1), "mine too")
    assert [thing.title for thing in mine.of(ADA)] == ["thing 1"]
    mine.remove(ADA, key(1))
    assert file_of(key(1), tmp_path).exists()
    assert names(mine, BOB) == [key(1)]
    mine.check(key(1))
    mine.remove(BOB, key(1))
    assert not file_of(key(1), tmp_path).exists()


def test_only_its_owner_deletes_it(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    for name in (key(1), key(9), "../x", "", None, 3, ["x"]):
        with pytest.raises(NotFound) as refused:
            mine.remove(BOB, name)
        assert refused.value.sentence == "Nothing of yours has that name."
    assert file_of(key(1), tmp_path).exists()


def test_what_a_run_needs_goes_when_the_run_has_ended(tmp_path: Path) -> None:
    needed = {key(1)}
    mine = Belongings(tmp_path, lambda: needed)
    bring(mine, ADA, 1)
    assert mine.describe(ADA)["things"][0]["in_use"] is True
    mine.remove(ADA, key(1))
    assert names(mine, ADA) == []
    assert file_of(key(1), tmp_path).exists()
    with pytest.raises(NotFound):
        mine.check(key(1))
    again = Belongings(tmp_path, lambda: needed)  # a restart in between forgets nothing
    needed.clear()
    again.sweep()
    assert not file_of(key(1), tmp_path).exists()
    bring(again, ADA, 1)  # and it may be brought again
    again.check(key(1))


def test_a_full_disk_is_said_before_anything_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Belongings(tmp_path)
    mine.check_room()
    usage = SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=1_500_000_000))
    monkeypatch.setattr(belongings, "shutil", usage)
    mine.check_room(100_000_000)
    with pytest.raises(NoSpace, match="1000 MB"):
        mine.check_room(600_000_000)


@pytest.mark.parametrize(
    "name",
    ["upload/../../x", "upload/a", "upload/" + "A" * 400, "points:../x", "points:" + "g" * 16,
     "upload/aaaaaaaa\0", "upload/ａａａａａａａａ", "pictures:" + "0" * 17, "/etc/passwd", ""],
)  # fmt: skip
def test_no_name_is_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises((NotFound, data.DataError)):
        file_of(name, tmp_path)


def test_bounds_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Bounds.of_server(local=False) == Bounds()
    assert Bounds.of_server(local=True).things > 100
    monkeypatch.setenv("PLAY_OWNER_THINGS", "5")
    monkeypatch.setenv("PLAY_OWNER_MB", "nonsense")
    assert Bounds.of_server(local=False) == Bounds(things=5)


def test_the_same_points_under_another_name_change_nothing(tmp_path: Path) -> None:
    points = [[i / 30, (i % 7) / 7] for i in range(40)]
    first, second = (own_points.build(points, name) for name in ("Ada's", "Bob's"))
    name = own_points.save(first, tmp_path)
    written = file_of(name, tmp_path).read_bytes()
    assert own_points.save(second, tmp_path) == name
    assert file_of(name, tmp_path).read_bytes() == written
    file_of(name, tmp_path).write_bytes(b"damaged")
    own_points.save(second, tmp_path)
    assert own_points.load_saved(name, tmp_path).title == "Bob's"


# ---- a start that is sent twice ---------------------------------------------------------------


def test_a_repeated_key_is_one_run() -> None:
    asyncio.run(_repeat())


async def _repeat() -> None:
    repeats, begun, go = Repeats(), [], asyncio.Event()

    async def work() -> dict[str, Any]:
        begun.append(1)
        await go.wait()
        return {"id": len(begun)}

    key = "k" * 16
    first = asyncio.ensure_future(repeats.once(ADA, key, work))
    lost = asyncio.ensure_future(repeats.once(ADA, key, work))
    await asyncio.sleep(0)
    lost.cancel()  # that page's connection broke
    go.set()
    assert await first == await repeats.once(ADA, key, work) == {"id": 1}
    assert await repeats.once(BOB, key, work) == {"id": 2}
    assert await repeats.once(ADA, "m" * 16, work) == {"id": 3}
    assert await repeats.once(ADA, None, work) == {"id": 4}
    with pytest.raises(Rejected, match="Idempotency-Key"):
        await repeats.once(ADA, "short", work)


def test_a_refusal_is_not_remembered() -> None:
    async def tried() -> None:
        repeats, turns = Repeats(), []

        async def work() -> dict[str, Any]:
            turns.append(1)
            if len(turns) == 1:
                raise Rejected("No.")
            return {"id": 2}

        with pytest.raises(Rejected):
            await repeats.once(ADA, "k" * 16, work)
        assert await repeats.once(ADA, "k" * 16, work) == {"id": 2}

    asyncio.run(tried())


def test_keys_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.repeats.MOST", 10)

    async def many() -> int:
        repeats = Repeats()

        async def work() -> dict[str, Any]:
            return {}

        for number in range(50):
            await repeats.once(ADA, f"key-number-{number:08}", work)
        return len(repeats._done)

    assert asyncio.run(many()) == 10


def test_lists_are_json_of_a_few_fields(tmp_path: Path) -> None:
    mine = Belongings(tmp_path)
    bring(mine, ADA, 1)
    [path] = (tmp_path / "belongings").glob("*.json")
    assert set(json.loads(path.read_bytes())[0]) == {"name", "title", "size", "brought", "used"}
