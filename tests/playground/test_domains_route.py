"""Two domains over the route: uploads that become data sets, refusals, public sets in a thread."""

from __future__ import annotations

import http.client
import io
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from engine.data import public_sets, two_domains
from engine.data.fetching import Stopped
from engine.errors import DataError
from playground.routes import PREFIX
from playground.service import Service
from tests.playground.conftest import STRANGER

Sent = list[tuple[str, tuple[str, bytes]]]


def png(number: int, blue: int = 0) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (20, 30), (number, 7, blue)).save(held, "PNG")
    return held.getvalue()


def side(field: str, count: int = 24, blue: int = 0) -> Sent:
    return [(field, (f"{i:03}.png", png(i, blue))) for i in range(count)]


def archive(*folders: str, count: int = 24) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as zipped:
        for blue, folder in enumerate(folders):
            for i in range(count):
                zipped.writestr(f"{folder}/{i}.png", png(i, 50 * blue))
    return held.getvalue()


BOTH = [*side("a"), *side("b", 22, 200)]


@pytest.fixture(scope="module")
def address(address_of_service: str) -> str:
    return address_of_service


# ---------------------------------------------------------------------- uploads


def test_two_sets_become_a_data_set_of_their_owner(client: httpx.Client, address: str) -> None:
    form = {"name": "Pets <b>", "name_a": "Cats", "name_b": "Dogs", "fit": "letterbox"}
    answer = client.post("/domains", files=BOTH, data=form)
    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert added["dataset"].startswith("domains:")
    assert (added["title"], added["domains"], added["paired"]) == (
        "Pets <b>",
        ["Cats", "Dogs"],
        False,
    )
    assert (added["shape"], added["train"], added["test"]) == ([6, 64, 64], 22, 2)
    assert "fewer than 50" in " ".join(added["notes"])
    catalogue = client.get("/catalogue").json()
    assert added["dataset"] in {d["key"] for d in catalogue["datasets"]}
    assert catalogue["two_domains"]["sizes"] == [64, 128]
    stranger = httpx.get(f"{address}{PREFIX}/catalogue", headers={"X-Play-Owner": STRANGER})
    assert added["dataset"] not in {d["key"] for d in stranger.json()["datasets"]}


def test_one_archive_with_the_usual_folders(client: httpx.Client) -> None:
    zipped = archive("x/trainA", "x/trainB", "x/testA", "x/testB")
    answer = client.post("/domains", files={"both": ("x.zip", zipped)}, data={"size": "128"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["shape"] == [6, 128, 128]
    assert (answer.json()["train"], answer.json()["test"]) == (24, 24)


def test_a_folder_of_files_keeps_its_names(client: httpx.Client) -> None:
    files = [
        ("both", (f"mine/{w}/{i}.png", png(i, k))) for k, w in enumerate("AB") for i in range(20)
    ]
    answer = client.post("/domains", files=files, data={"paired": "yes"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["paired"] is True
    assert answer.json()["models"] == []


@pytest.mark.parametrize(
    ("files", "form", "word"),
    [
        ([], {}, "domain A"),
        (side("a"), {}, "domain B"),
        ([*side("a", 19), *side("b", 20, 9)], {}, "19 different"),
        ([*side("a"), *side("c")], {}, "fields a, b and both"),
        ([*BOTH, ("both", ("x.zip", archive("A", "B")))], {}, "not all"),
        (BOTH, {"size": "63"}, "64, 128"),
        (BOTH, {"size": "256"}, "GPU"),
        (BOTH, {"fit": "stretch"}, "letterbox"),
        (BOTH, {"paired": "perhaps"}, "yes or no"),
        (BOTH, {"paired": "yes"}, "same file names"),
        ([("a", ("a.png", b"")), ("b", ("b.png", b""))], {}, "empty"),
        ([*side("a"), *[("b", (f"{i}.png", b"<svg/>")) for i in range(20)]], {}, "not an image"),
        ([("both", ("x.zip", b"PK\x03\x04broken"))], {}, "damaged zip"),
        ([("both", ("x.zip", archive("cats", "dogs", "cows")))], {}, "3 folders"),
        ([("both", ("x.zip", archive("../A", "B")))], {}, "outside itself"),
        ([("both", ("", archive("A", "B")))], {}, "."),
    ],
)
def test_what_is_no_two_domains_is_said_in_one_place(
    client: httpx.Client, files: Sent, form: dict[str, str], word: str
) -> None:
    answer = client.post("/domains", files=files or {"none": ("", b"")}, data=form)
    assert answer.status_code == 400, answer.text
    sentence = answer.json()["error"]
    assert sentence.endswith(".")
    assert word in sentence


def test_names_from_outside_never_become_paths(service: Service, client: httpx.Client) -> None:
    hostile = ["../../x.png", "..\\x.png", "con.png", "a" * 300 + ".png", "한글 <img>.png"]
    files = [*side("a"), *side("b", 22, 200)]
    files += [("a", (name, png(100 + i))) for i, name in enumerate(hostile)]
    answer = client.post("/domains", files=files)
    assert answer.status_code == 201, answer.text
    kept = [path for path in service.store.root.rglob("*") if path.is_file()]
    lists = [path for path in kept if path.parent.name == "belongings"]
    assert all(re.fullmatch(r"([0-9a-f]{32}\.json|leaving)", path.name) for path in lists)
    assert all(path.name.startswith("domains-") for path in kept if path not in lists)
    assert "29" not in answer.json()["help"]  # one in ten of 29 is for testing
    assert "26 of A" in answer.json()["help"]


def test_more_than_the_limit_is_not_read(address: str) -> None:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", f"{PREFIX}/domains")
    connection.putheader("Content-Length", str(130 * 2**20))
    connection.endheaders()  # the body never comes
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"128 MB" in answer.read()
    connection.close()


def test_an_upload_needs_an_owner(address: str) -> None:
    nobody = httpx.post(f"{address}{PREFIX}/domains", files=side("a"))
    assert "X-Play-Owner" in nobody.json()["error"]


# ---------------------------------------------------------------------- public sets


def job(client: httpx.Client, until: tuple[str, ...] = ("ready", "failed", "stopped")) -> Any:
    """Return the job once its stage is one of these."""
    for _ in range(500):
        found = client.get("/public-sets").json()["job"]
        if found and found["stage"] in until:
            return found
        time.sleep(0.01)
    raise AssertionError(found)


class Fetching:
    """Takes the place of what fetches: waits to be let go, then gives or raises."""

    def __init__(self, raised: Exception | None = None) -> None:
        self.raised, self.begun, self.go = raised, threading.Event(), threading.Event()

    def __call__(self, key: str, root: Any, *, report: Any, stopped: Any, **square: Any) -> Any:
        report("fetching", 5, 10)
        self.begun.set()
        while not self.go.wait(0.005):
            if stopped():
                raise Stopped("Stopped after 5 MB, which are kept for the next time.")
        if self.raised:
            raise self.raised
        report("reading", 7, None)
        files = [[(f"{i}.png", png(i, blue)) for i in range(20)] for blue in (0, 90)]
        return two_domains.build(*files, [], **square, names=public_sets.known(key).domains)


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetching]:
    one = Fetching()
    monkeypatch.setattr(public_sets, "build", one)
    yield one
    one.go.set()


def test_a_public_set_is_fetched_in_a_thread_one_at_a_time(
    client: httpx.Client, address: str, fetching: Fetching
) -> None:
    body = {"set": "horse2zebra", "size": 64, "fit": "crop"}
    answer = client.post("/public-sets", json=body)
    assert answer.status_code == 202, answer.text
    assert fetching.begun.wait(5)
    found = job(client, ("fetching",))
    assert (found["key"], found["done"], found["total"]) == ("horse2zebra", 5, 10)
    second = client.post("/public-sets", json={**body, "set": "monet2photo"})
    assert second.status_code == 429
    assert "horse2zebra" in second.json()["error"]
    fetching.go.set()
    done = job(client)
    assert done["stage"] == "ready"
    key = done["added"]["dataset"]
    assert key in {d["key"] for d in client.get("/catalogue").json()["datasets"]}
    headers = {"X-Play-Owner": STRANGER}
    other = httpx.get(f"{address}{PREFIX}/public-sets", headers=headers).json()["job"]
    assert (other["mine"], other["added"]) == (False, None)


def test_only_who_asked_may_stop_it(client: httpx.Client, address: str, fetching: Fetching) -> None:
    client.post("/public-sets", json={"set": "facades"})
    headers = {"X-Play-Owner": STRANGER}
    assert httpx.delete(f"{address}{PREFIX}/public-sets", headers=headers).status_code == 404
    assert client.delete("/public-sets").status_code == 200
    found = job(client)
    assert (found["stage"], found["error"][:7]) == ("stopped", "Stopped")
    assert client.delete("/public-sets").status_code == 404


@pytest.mark.parametrize("raised", [DataError("No network."), RuntimeError("a fault of ours")])
def test_what_goes_wrong_is_one_sentence(
    client: httpx.Client, fetching: Fetching, raised: Exception
) -> None:
    fetching.raised = raised
    fetching.go.set()
    client.post("/public-sets", json={"set": "facades"})
    found = job(client)
    assert found["stage"] == "failed"
    assert found["error"].endswith(".")
    assert "fault of ours" not in found["error"]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"set": "lions2tigers"}, 404, "known are"),
        ({}, 404, "known are"),
        ({"set": ["horse2zebra"]}, 404, "known are"),
        ({"set": "horse2zebra", "size": 256}, 400, "GPU"),
        ({"set": "horse2zebra", "size": None}, 400, "64, 128"),
        ({"set": "horse2zebra", "fit": [1]}, 400, "letterbox"),
    ],
)
def test_what_cannot_be_fetched_is_refused(
    client: httpx.Client, fetching: Fetching, body: dict[str, Any], status: int, word: str
) -> None:
    answer = client.post("/public-sets", json=body)
    assert answer.status_code == status, answer.text
    assert word in answer.json()["error"]
    assert not fetching.begun.is_set()
