"""Hostile input over the routes: what faults.md lists in rows 9 to 19, 38, 41 and 54."""

from __future__ import annotations

import ast
import asyncio
import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from engine.checkpoint import SHIPPED
from engine.eventlog import Entry
from engine.runs import RunStore
from playground import downloads, streams
from playground.rate_limits import RateLimits, Unlimited
from playground.routes import BUILD_HEADER, PREFIX, routes
from playground.security import Guard
from playground.service import Service
from playground.web_files import version
from tests.playground.conftest import OWNER
from tests.playground.fake_workers import FakeWorkers

SAMPLE = SHIPPED / "gan2d" / "moons.safetensors"
RUN = {"model": "gan2d", "dataset": "ring8", "max_steps": 9}


class Here:
    """The real service behind the guard, with workers without torch."""

    def __init__(self, root: Path, limits: RateLimits) -> None:
        self.root = root
        self.workers = FakeWorkers(SAMPLE)
        self.store = RunStore(root, self.workers)  # type: ignore[arg-type]
        self.service = Service(self.store)
        guard = Middleware(Guard, hosts={"testserver"}, limits=limits)
        app = Starlette(routes=routes(self.service), middleware=[guard])
        self.http = TestClient(app, base_url=f"http://testserver{PREFIX}")
        self.http.headers["X-Play-Owner"] = OWNER

    def refused(self, method: str, path: str, **sent: Any) -> str:
        """Send what has to be refused; return the one sentence."""
        answer = self.http.request(method, path, **sent)
        assert 400 <= answer.status_code < 500, answer.text
        sentence: str = answer.json()["error"]
        assert sentence.endswith((".", "…"))
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        return sentence

    def close(self) -> None:
        self.store.close()
        self.workers.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    one = Here(tmp_path_factory.mktemp("runs"), Unlimited())
    yield one
    one.close()


@pytest.fixture
def run(here: Here) -> Iterator[str]:
    answer = here.http.post("/runs", json=RUN)
    assert answer.status_code == 201, answer.text
    here.workers.settle()
    yield answer.json()["id"]
    here.http.delete(f"/runs/{answer.json()['id']}")
    here.workers.settle()


def bomb(width: int = 13_000, height: int = 13_000) -> bytes:
    """Return a PNG of 169 megapixels in a few hundred kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    rows = zlib.compressobj(9)
    line = b"\0" * (1 + width // 8)
    packed = b"".join(rows.compress(line) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def zipped(entries: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return held.getvalue()


def png(number: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8), (number, 7, 3)).save(held, "PNG")
    return held.getvalue()


# ---- rows 1, 2, 4, 9, 10: pictures and checkpoints that are none --------------------------------


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (os.urandom(1024), "not an image we can read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image we can read"),
        (b"<!doctype html><script>alert(1)</script>", "not an image we can read"),
        (b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)", "GIF"),
        (bomb(), "megapixels"),
    ],
)
def test_pictures_that_are_none(here: Here, content: bytes, word: str) -> None:
    files = [("files", (f"{i}.png", content)) for i in range(20)]
    began = time.perf_counter()
    sentence = here.refused("POST", "/pictures", files=files)
    assert "0 different pictures" in sentence
    assert word in sentence or "cannot be read" in sentence
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "content",
    [b"", os.urandom(5000), zipped({"a.safetensors": b"x"}), b"\x80\x04cos\nsystem\n(S'x'\ntR."],
)
def test_checkpoints_that_are_none(here: Here, content: bytes) -> None:
    here.refused("POST", "/checkpoints", files={"file": ("a.safetensors", content)})
    assert not list((here.root / "uploads").glob("*"))


def test_a_zip_in_a_zip_and_a_zip_bomb(here: Here) -> None:
    nested = zipped({"inner.zip": zipped({"a.png": png(1)})})
    assert "another archive" in here.refused("POST", "/pictures", files={"f": ("a.zip", nested)})
    bombs = zipped({f"{i}.png": png(0) + b"\0" * 19_000_000 for i in range(12)})
    assert len(bombs) < 2**20
    assert "MB once unpacked" in here.refused("POST", "/pictures", files={"f": ("b.zip", bombs)})


# ---- row 11: names ------------------------------------------------------------------------------

NAMES = (
    "../../../etc/x.png", "..\\..\\x.png", "a/b/c.png", "con.png", "x" * 300 + ".png",
    "🙂.png", "한글.png", ".htaccess", "<img src=x onerror=alert(1)>.png", "a\0b.png", "~/x.png",
    "/abs/x.png", "C:\\x.png", "\u202egnp.x", "%2e%2e%2fx.png", "nul", " ", "\u00a0", "",
)  # fmt: skip


@pytest.mark.parametrize("route", ["/pictures", "/domains", "/checkpoints", "/points", "/texts"])
def test_no_name_reaches_the_disk(here: Here, route: str, tmp_path: Path) -> None:
    before = outside(here.root)
    for number, name in enumerate(NAMES):
        field = "both" if route == "/domains" else "file"
        content = b"1 2\n3 4\n" * 10 + str(number).encode() if route == "/points" else png(number)
        answer = here.http.post(route, files={field: (name, content)})
        assert answer.status_code in (201, *range(400, 500)), (name, answer.text)
    assert outside(here.root) == before
    for path in here.root.rglob("*"):
        assert path.name.isascii()
        assert not any(name and name in str(path) for name in NAMES if len(name) > 3)


def outside(root: Path) -> set[Path]:
    places = (root.parent, Path("/etc"), Path.home(), Path.cwd(), Path.cwd().parent)
    return {path for place in places for path in place.iterdir() if path != root}


@pytest.mark.parametrize(
    "path",
    [
        "/runs/{}", "/runs/{}/checkpoint", "/runs/{}/events?poll=1", "/checkpoints/{}",
        "/web/{}", "/web/v-1/{}", "/web/v-1/t-vae/{}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2fetc%2fpasswd", "a%00b",
        "..%5c..%5cx", "%252e%252e%252fx", "....//....//x", ".lock", "run.json", "~root",
        "upload%2f..%2f..%2fx", "upload/" + "a" * 2000, "C:%5cx", "con", "%ff%fe", "%F0%9F%99%82",
    ],
)  # fmt: skip
def test_no_address_reaches_the_disk(
    here: Here, path: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def noted(file: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(str(file))
        return real(file, *args, **kwargs)

    real = io.open
    monkeypatch.setattr("builtins.open", noted)
    answer = here.http.get(path.format(name))
    assert answer.status_code in (400, 404), answer.text
    assert not [file for file in opened if "passwd" in file or ".." in file or "\0" in file]


# ---- row 12: too much and too often -------------------------------------------------------------


def test_too_many_files_and_too_often(tmp_path: Path) -> None:
    one = Here(tmp_path, RateLimits())
    try:
        many = [("files", (f"{i}.png", b"")) for i in range(5001)]
        assert "5000" in one.refused("POST", "/pictures", files=many)
        answers = [one.http.post("/pictures", files={"f": ("a.png", b"x")}) for _ in range(50)]
        assert [a.status_code for a in answers].count(429) >= 40
        last = answers[-1]
        assert int(last.headers["retry-after"]) == last.json()["retry_s"]
        stored = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        assert stored < 100_000
    finally:
        one.close()


# ---- rows 15 and 16: texts ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [2**20, 20 * 2**20])
def test_a_long_prompt_is_refused_at_once(here: Here, size: int) -> None:
    source = {"checkpoint": "gpt/shakespeare"}
    body = orjson.dumps({"source": source, "args": {"prompt": "a" * size}})
    began = time.perf_counter()
    assert "256 KB" in here.refused("POST", "/explore/generate", content=body)
    assert time.perf_counter() - began < 1


SIGNS = "é 👨‍👩‍👧 각 \u202eabc \0\x07 <b>${1+1}{{x}}</b> \ufeff"


def test_titles_are_cleaned_and_answers_stay_valid(here: Here) -> None:
    answer = here.http.post("/runs", json={**RUN, "title": SIGNS})
    title = orjson.loads(answer.content)["title"]
    assert title.isprintable()
    assert "\0" not in title
    assert "\u202e" not in title
    assert "<b>${1+1}{{x}}</b>" in title  # text, and shown as text
    here.http.delete(f"/runs/{answer.json()['id']}")
    here.workers.settle()


def test_a_lone_surrogate_is_no_json(here: Here) -> None:
    body = b'{"model": "gan2d", "title": "\\ud800"}'
    assert "JSON" in here.refused("POST", "/runs", content=body)


def test_names_of_what_is_brought_are_cleaned(here: Here) -> None:
    points = [[i / 30, (i % 7) / 7] for i in range(40)]
    answer = here.http.post("/points", json={"points": points, "name": SIGNS})
    assert answer.status_code == 201
    assert answer.json()["title"].isprintable()


# ---- row 17: what is downloaded is no code of a stranger ----------------------------------------


@settings(max_examples=60)
@given(
    st.text(max_size=60)
    | st.sampled_from(['"""', '\\"""', '"' * 4, "'''", "\\", 'x"""\nimport os#', "{RUN}", "\\N{x}"])
)
def test_a_title_stays_a_text_in_the_script(title: str) -> None:
    shown = "".join(c for c in title if c.isprintable())
    run = {
        "id": "abc", "title": shown, "model": "gan2d", "dataset": "ring8", "config": {}, "seed": 0,
        "max_steps": 5, "step": 5, "parent": {"checkpoint": "upload/x", "step": None},
    }  # fmt: skip
    tree = ast.parse(downloads.script(run, []))
    kinds = [type(node).__name__ for node in tree.body]
    assert kinds == ["Expr", "ImportFrom", "ImportFrom", "ImportFrom", "Assign", "If"]
    assert isinstance(tree.body[0].value, ast.Constant)  # type: ignore[attr-defined]


def test_downloads_are_kept_and_not_shown(here: Here, run: str) -> None:
    for path in ("metrics.csv", "script.py", "checkpoint"):
        answer = here.http.get(f"/runs/{run}/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


# ---- rows 18 and 19: any JSON anywhere ----------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e308, -1e308, 3.7, "", "NaN", "<b>", "x" * 300, "../..", "\0"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = ("model", "dataset", "config", "seed", "max_steps", "max_seconds", "resume", "title", "x")


def sent(here: Here, path: str, body: Any) -> None:
    try:
        content = orjson.dumps(body)
    except (TypeError, orjson.JSONEncodeError):
        return
    answer = here.http.post(path, content=content)
    assert answer.status_code < 500, (path, body, answer.text)
    if answer.status_code >= 400:
        assert answer.json()["error"].endswith((".", "…"))
    elif path == "/runs":
        here.http.delete(f"/runs/{answer.json()['id']}")
        here.workers.settle()


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=3), st.booleans())
def test_any_start_is_refused_or_runs(here: Here, changes: dict[str, Any], whole: bool) -> None:
    sent(here, "/runs", {**RUN, **changes} if whole else changes)


@settings(max_examples=100)
@given(
    st.sampled_from(["pause", "step", "set", "look", "continue", "rewind", "save", "x", ""]),
    st.dictionaries(
        st.sampled_from(
            ["command", "field", "value", "count", "name", "args", "config", "max_steps"]
        ),
        values,
        max_size=4,
    ),
)
def test_any_command_is_refused_or_obeyed(
    here: Here, fuzzed: str, name: str, more: dict[str, Any]
) -> None:
    sent(here, f"/runs/{fuzzed}/commands", {"command": name, **more})
    here.workers.settle()


@pytest.fixture(scope="module")
def fuzzed(here: Here) -> str:
    found: str = here.http.post("/runs", json=RUN).json()["id"]
    return found


@settings(max_examples=60)
@given(values, values, st.sampled_from(["map", "point", "x", "%00", "a" * 300]))
def test_any_view_is_refused_or_drawn(here: Here, source: Any, args: Any, view: str) -> None:
    sent(here, f"/explore/{view}", {"source": source, "args": args})
    sent(here, f"/explore/{view}", {"source": {"checkpoint": source}, "args": args})


@settings(max_examples=60)
@given(values, values)
def test_any_points_are_refused_or_kept(here: Here, points: Any, name: Any) -> None:
    sent(here, "/points", {"points": points, "name": name})
    sent(here, "/public-sets", {"set": points, "size": name, "fit": name})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_never_arrives(here: Here, text: str) -> None:
    body = f'{{"model": "gan2d", "dataset": "ring8", "config": {{"packing": {text}}}}}'
    here.refused("POST", "/runs", content=body.encode())


# ---- row 38: guessing ---------------------------------------------------------------------------


def test_ids_hold_enough_and_unknown_ones_answer_alike(here: Here, run: str) -> None:
    assert len(run) >= 12  # of 64 letters: 72 bits
    near = [run[:-1] + c for c in "ab-_"] + ["x", "y" * 12, run[::-1]]
    for path in ("", "/events?poll=1", "/timeline", "/checkpoint"):
        answers = {
            (a.status_code, a.content, tuple(sorted(a.headers)))
            for a in (here.http.get(f"/runs/{one}{path}") for one in near if one != run)
        }
        assert len(answers) == 1
        assert answers.pop()[0] == 404


# ---- row 41: who does not read ------------------------------------------------------------------


def test_a_client_that_does_not_read_holds_nothing_up() -> None:
    """While one chunk waits to be sent, no further event is taken from the log."""
    taken = []

    def events(after: int) -> list[Entry]:
        taken.append(after)
        meta = {"kind": "metrics", "step": after + 1}
        return [Entry(after + 1, meta, b"{}")]

    async def wait(after: int, seconds: float) -> bool:
        return True

    async def try_it() -> None:
        blocked, gone = asyncio.Event(), asyncio.Event()
        chunks = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                chunks.append(message["body"])
                if len(chunks) == 2:  # the greeting went, the socket is full now
                    gone.set()
                    await blocked.wait()

        async def receive() -> Any:
            await gone.wait()
            for _ in range(50):
                await asyncio.sleep(0)
            return {"type": "http.disconnect"}

        await streams.EventStream(streams.chunks(events, wait, 0))({}, receive, send)
        assert len(chunks) == 2

    asyncio.run(asyncio.wait_for(try_it(), 10))
    assert taken == [0]


# ---- row 54: a page of an earlier build ---------------------------------------------------------


def test_every_answer_says_of_which_build_the_server_is(here: Here) -> None:
    answer = here.http.get("/catalogue")
    assert answer.headers[BUILD_HEADER] == version()
    old = here.http.get("/web/v-0123456789/store.js")
    assert old.status_code == 200
    assert old.headers["cache-control"] == "no-cache"
