"""The zip of a lesson: everyone's files under safe names, and nothing that is secret."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from PIL import Image

from playground.room_export import safe_name
from tests.playground.fake import sheet
from tests.playground.test_room import ADA, BOB, EVE, TEACHER, Class

NASTY = "../<script>=1</script>"


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Class]:
    one = Class(tmp_path)
    for who, name in ((ADA, NASTY), (BOB, "=SUM(A1)"), (EVE, "Eve")):
        one.join(who, name)
    for who in (ADA, BOB):
        run = one.train(who)
        picture = {"kind": "preview", "step": 1, "name": "grid", "payload": sheet(2, None, 0.0)}
        one.store.table.runs[run].journal.event(
            {**picture, "kept": True}, orjson.dumps({**picture, "kept": True})
        )
    yield one
    one.end()


def exported(school: Class, **body: str) -> zipfile.ZipFile:
    key = {"X-Play-Teacher": school.room.key}
    ticket = school.ask(TEACHER, "/room/export", body, **key).json()
    path = f"/room/export/{ticket['ticket']}.zip"
    answer = school.ask(TEACHER, path)
    assert answer.headers["content-disposition"].endswith('filename="Class-7b.zip"')
    assert school.ask(TEACHER, path).status_code == 404  # a ticket counts once
    return zipfile.ZipFile(io.BytesIO(answer.content))


def test_every_student_has_curves_pictures_checkpoint_and_description(school: Class) -> None:
    archive = exported(school)
    assert archive.testzip() is None
    names = archive.namelist()
    for ending in ("run.json", "curves.csv", "grid.webp", "grid-step-1.png", ".safetensors"):
        assert sum(name.endswith(ending) for name in names) == 2, ending
    still = next(name for name in names if name.endswith(".png"))
    assert Image.open(io.BytesIO(archive.read(still))).size > (50, 50)
    curves = next(name for name in names if name.endswith("curves.csv"))
    assert archive.read(curves).startswith(b"step,split,loss\n1,train,1.0")


def test_no_name_leaves_the_folder_and_no_text_is_read_as_code(school: Class) -> None:
    archive = exported(school, runs="all")
    for name in archive.namelist():
        assert ".." not in Path(name).parts
        assert not name.startswith("/")
        assert not set(name) & set('<>:"|?*\\')
    page = archive.read("index.html").decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Eve" in page
    rows = list(csv.reader(io.StringIO(archive.read("overview.csv").decode())))
    assert [row[0] for row in rows[1:]] == [NASTY, "'=SUM(A1)", "Eve"]


def test_nothing_secret_is_inside(school: Class) -> None:
    archive = exported(school)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (ADA, BOB, EVE, TEACHER, school.room.key, str(school.room.folder)):
        assert secret.encode() not in everything


def test_file_names_are_safe_and_never_twice() -> None:
    taken: set[str] = set()
    given = ["Mina", "mina", "CON", "...", "a/b", "민아", "x" * 80]
    names = [safe_name(name, taken) for name in given]
    assert len({name.casefold() for name in names}) == len(given)
    assert names[1:6] == ["mina_2", "CON_", "student", "a_b", "민아"]
    assert len(names[6]) == 40
