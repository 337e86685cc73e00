"""Public sets by name, from a server of this test: fetched, resumed, checked, refused."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine import data
from engine.data import fetching, public_sets, two_domains
from engine.errors import DataError, NoSpace, NotFound
from tests.engine.test_two_domains import files, folder, zipped

ARCHIVE = zipped(
    [
        *folder("horse2zebra/trainA", files(30)),
        *folder("horse2zebra/trainB", files(25, 1000)),
        *folder("horse2zebra/testA", files(4, 100)),
        *folder("horse2zebra/testB", files(3, 1100)),
        *folder("horse2zebra/train", files(9, 500)),
    ]
)[0][1]


class Site:
    """A server of one archive, and what it was asked; it may break off after some bytes."""

    def __init__(self) -> None:
        self.content, self.asked, self.cut, self.ranges = ARCHIVE, [], None, True
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                site.asked.append((self.path, wanted))
                found = re.fullmatch(r"bytes=(\d+)-", wanted)
                start = int(found[1]) if found and site.ranges else 0
                if not self.path.endswith("horse2zebra.zip"):
                    self.send_error(404)
                elif start > len(site.content):
                    self.send_error(416)
                else:
                    self.answer(site.content[start:], start)

            def answer(self, body: bytes, start: int) -> None:
                self.send_response(206 if start else 200)
                if start:
                    end = len(site.content)
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if site.cut is None else body[: site.cut])

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    one = Site()
    thread = threading.Thread(target=one.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(public_sets, "SITES", (one.url,))
    small = replace(public_sets.known("horse2zebra"), size=len(ARCHIVE))
    monkeypatch.setattr(public_sets, "SETS", (small,))
    monkeypatch.setattr(fetching, "PART", 1024)
    yield one
    one.server.shutdown()
    one.server.server_close()


def test_a_set_is_fetched_once_and_is_a_data_set(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    made = public_sets.build(
        "horse2zebra", tmp_path, size=64, report=lambda *told: seen.append(told)
    )
    assert made.domains == ("Horses", "Zebras")
    assert (len(made.train), len(made.test)) == (30, 4)
    assert ("fetching", len(ARCHIVE), len(ARCHIVE)) in seen
    assert seen[-1][0] == "reading"
    assert made.source.endswith("horse2zebra.zip")
    again = public_sets.build("horse2zebra", tmp_path, size=64)
    assert again.key == made.key
    assert len(site.asked) == 1
    key = two_domains.save(made, tmp_path)
    assert data.load(key, tmp_path).licence == public_sets.LICENCE


def test_what_is_not_the_published_archive_is_said(site: Site, tmp_path: Path) -> None:
    made = public_sets.build("horse2zebra", tmp_path, size=64)
    assert any("not the published one" in note for note in made.notes)


def test_another_archive_than_the_first_time_is_deleted(site: Site, tmp_path: Path) -> None:
    public_sets.build("horse2zebra", tmp_path, size=64)
    kept = tmp_path / "datasets" / "public" / "horse2zebra.zip"
    record = kept.with_name("horse2zebra.zip.sha256")
    assert record.read_text() == f"{fetching.sha256(kept)}  horse2zebra.zip\n"
    kept.write_bytes(ARCHIVE[:-1] + b"x")
    with pytest.raises(DataError, match="has been deleted"):
        public_sets.build("horse2zebra", tmp_path, size=64)
    assert public_sets.build("horse2zebra", tmp_path, size=64).title == "horse2zebra"
    assert len(site.asked) == 2


def test_a_broken_connection_goes_on_where_it_broke_off(site: Site, tmp_path: Path) -> None:
    site.cut = 5000
    with pytest.raises(DataError, match=r"broke off.*next try") as refused:
        public_sets.build("horse2zebra", tmp_path, size=64)
    assert refused.value.sentence.endswith(".")
    site.cut = None
    public_sets.build("horse2zebra", tmp_path, size=64)
    assert [wanted for _, wanted in site.asked] == ["", "bytes=5000-"]


def test_a_server_that_cannot_go_on_begins_again(site: Site, tmp_path: Path) -> None:
    site.cut, site.ranges = 5000, False
    with pytest.raises(DataError):
        public_sets.build("horse2zebra", tmp_path, size=64)
    site.cut = None
    assert len(public_sets.build("horse2zebra", tmp_path, size=64).train) == 30


def test_a_part_that_belongs_to_another_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    part = tmp_path / "datasets" / "public" / "horse2zebra.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(ARCHIVE) + 10))
    assert len(public_sets.build("horse2zebra", tmp_path, size=64).train) == 30


def test_a_person_may_stop_it(site: Site, tmp_path: Path) -> None:
    with pytest.raises(fetching.Stopped):
        public_sets.build("horse2zebra", tmp_path, size=64, stopped=lambda: True)
    assert (tmp_path / "datasets" / "public" / "horse2zebra.zip.part").stat().st_size >= 1024


def test_more_than_it_should_be_is_not_fetched(site: Site, tmp_path: Path) -> None:
    site.content = ARCHIVE * 2
    with pytest.raises(DataError, match="larger than"):
        public_sets.build("horse2zebra", tmp_path, size=64)
    assert not list((tmp_path / "datasets" / "public").glob("*.zip"))


def test_a_disk_without_room_is_said_before(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SPARE_BYTES", 10**18)
    with pytest.raises(NoSpace, match="the disk has"):
        public_sets.build("horse2zebra", tmp_path, size=64)


def test_what_is_no_archive_is_said(site: Site, tmp_path: Path) -> None:
    site.content = b"<html>moved</html>"
    with pytest.raises(DataError, match="no zip archive"):
        public_sets.build("horse2zebra", tmp_path, size=64)
    site.content = ARCHIVE
    assert len(public_sets.build("horse2zebra", tmp_path, size=64).train) == 30


def test_without_a_network_one_clear_sentence(site: Site, tmp_path: Path) -> None:
    site.server.shutdown()
    site.server.server_close()
    with pytest.raises(DataError) as refused:
        public_sets.build("horse2zebra", tmp_path, size=64)
    sentence = refused.value.sentence
    assert sentence.startswith("horse2zebra.zip could not be fetched from 127.0.0.1 (no network")
    assert sentence.endswith("train on what is shipped.")


def test_a_name_that_is_unknown_asks_nobody(site: Site, tmp_path: Path) -> None:
    for name in ("lions2tigers", "../horse2zebra", "", None):
        with pytest.raises(NotFound, match="known are"):
            public_sets.build(name, tmp_path, size=64)  # type: ignore[arg-type]
    assert site.asked == []


def test_the_terminal_says_under_which_key_it_lies(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert public_sets.main(["horse2zebra", "--root", str(tmp_path)]) == 0
    key = capsys.readouterr().out.split()[-1]
    assert data.load(key, tmp_path).title == "horse2zebra"
    assert public_sets.main(["horse2zebra", "--size", "65", "--root", str(tmp_path)]) == 2
    assert "64, 128, 256" in capsys.readouterr().err
