"""A person's own points over the route: what becomes a data set, and what is refused how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from engine.runs import RunStore
from playground.rate_limits import Unlimited
from playground.routes import PREFIX, routes
from playground.security import LOCAL_NAMES, Guard
from playground.service import Service
from tests.playground.conftest import STRANGER, serving
from tests.playground.fake_workers import FakeWorkers

DRAWN = [[round(0.01 * i, 2), round(0.5 - 0.01 * i, 2)] for i in range(60)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    nobody = FakeWorkers(Path("none"), workers=0)  # no run is started here
    store = RunStore(tmp_path_factory.mktemp("runs"), nobody)  # type: ignore[arg-type]
    middleware = [Middleware(Guard, hosts=LOCAL_NAMES, limits=Unlimited())]
    with serving(Starlette(routes=routes(Service(store)), middleware=middleware)) as url:
        yield url
    store.close()


def test_drawn_points_become_a_data_set_of_their_owner(client: httpx.Client, address: str) -> None:
    answer = client.post("/points", json={"points": DRAWN, "name": "A slope <b>"})
    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert added["dataset"].startswith("points:")
    assert added["title"] == "A slope <b>"
    assert added["kind"] == "points"
    assert (added["train"], added["test"]) == (54, 6)
    assert added["dataset"] in {d["key"] for d in client.get("/catalogue").json()["datasets"]}
    stranger = httpx.get(f"{address}{PREFIX}/catalogue", headers={"X-Play-Owner": STRANGER})
    assert added["dataset"] not in {d["key"] for d in stranger.json()["datasets"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("slope.csv", "x,y\n" + "\n".join(f"{x},{y}" for x, y in DRAWN)),
        ("slope.txt", "\n".join(f"{x} {y}" for x, y in DRAWN)),
        ("slope.json", str(DRAWN)),
    ],
)
def test_a_file_of_points_is_the_same_data_set(
    client: httpx.Client, name: str, content: str
) -> None:
    drawn = client.post("/points", json={"points": DRAWN, "name": "slope"}).json()
    answer = client.post("/points", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    assert answer.json()["dataset"] == drawn["dataset"]
    assert answer.json()["title"] == "slope"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "points"),
        ({"points": "many"}, "points"),
        ({"points": DRAWN[:5]}, "20"),
        ({"points": [[0, 1]] * 40}, ""),
        ({"points": [[0, 1, 2]] * 40}, ""),
        ({"points": [[i, "x"] for i in range(40)]}, ""),
        ({"points": [[i, None] for i in range(40)]}, ""),
        ({"points": [[i, 1e300] for i in range(40)]}, ""),
        ({"points": [[i, 1] for i in range(20_001)]}, "20,000"),
        ({"points": DRAWN, "name": 7}, "name"),
    ],
)
def test_what_are_no_points_is_said_in_one_sentence(
    client: httpx.Client, body: dict, word: str
) -> None:
    answer = client.post("/points", json=body)
    assert answer.status_code == 400, answer.text
    sentence = answer.json()["error"]
    assert sentence.endswith(".")
    assert word in sentence


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"1,2\n3,four\n", b"[[1,2],[3]]"])
def test_a_file_that_is_none_is_refused(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/points", files={"file": ("mine.csv", content)})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_exactly_one_file_and_an_owner(client: httpx.Client, address: str) -> None:
    two = [("file", ("a.csv", b"1,2")), ("file", ("b.csv", b"1,2"))]
    assert client.post("/points", files=two).status_code == 400
    nobody = httpx.post(f"{address}{PREFIX}/points", json={"points": DRAWN})
    assert "X-Play-Owner" in nobody.json()["error"]


def test_more_than_the_limit_is_not_read(client: httpx.Client) -> None:
    answer = client.post("/points", files={"file": ("big.csv", b"1,2\n" * 700_000)})
    assert answer.status_code == 413
    assert "2 MB" in answer.json()["error"]
