"""A text over the route: looked at, kept as a data set of its owner, refused in one sentence."""

from __future__ import annotations

import httpx
import pytest

from engine import data
from playground.routes import PREFIX
from playground.service import Service
from tests.playground.conftest import STRANGER

KOREAN = "나는 밥을 먹고 학교에 갔다. <b>그리고</b> 친구를 만났다!\n" * 12


@pytest.fixture(scope="module")
def address(address_of_service: str) -> str:
    return address_of_service


def _send(
    client: httpx.Client, content: bytes, file: str = "a.txt", field: str = "file", **form: str
) -> httpx.Response:
    return client.post("/texts", files=[(field, (file, content))], data=form)


def test_a_text_is_looked_at_and_then_kept(
    client: httpx.Client, address: str, service: Service
) -> None:
    looked = _send(client, KOREAN.encode("cp949"), "소설.txt", keep="no")
    assert looked.status_code == 200, looked.text
    facts = looked.json()
    assert (facts["title"], facts["characters"]) == ("소설", len(KOREAN))
    assert facts["first"][0] == KOREAN.split("\n")[0]
    assert "Korean" in facts["notes"][0]
    assert "dataset" not in facts
    folder = service.store.root / "datasets"
    assert not folder.exists() or not list(folder.iterdir())

    kept = _send(client, KOREAN.encode("cp949"), "소설.txt", name="Mine")
    assert kept.status_code == 201, kept.text
    added = kept.json()
    assert added["dataset"].startswith("text:")
    assert (added["kind"], added["title"], added["distinct"]) == ("text", "Mine", len(set(KOREAN)))
    stored = data.load(added["dataset"], service.store.root)
    assert stored.train.text + stored.test.text == KOREAN
    mine, theirs = (
        httpx.get(f"{address}{PREFIX}/catalogue", headers={"X-Play-Owner": owner}).json()
        for owner in (client.headers["x-play-owner"], STRANGER)
    )
    assert added["dataset"] in {d["key"] for d in mine["datasets"]}
    assert added["dataset"] not in {d["key"] for d in theirs["datasets"]}


def test_a_pasted_text_needs_no_name(client: httpx.Client) -> None:
    added = _send(client, KOREAN.encode(), "whatever", "pasted").json()
    assert added["title"] == "My text"


@pytest.mark.parametrize(
    ("content", "field", "sentence"),
    [
        (b"too short", "pasted", "9 characters; at least 200"),
        (b"", "pasted", "The pasted text is empty."),
        (bytes(range(256)) * 9, "file", "a.txt is a binary file, not a text."),
        (b"%PDF-1.4", "file", "a.txt is a PDF file"),
    ],
)
def test_what_is_no_text_is_refused(
    client: httpx.Client, content: bytes, field: str, sentence: str
) -> None:
    for keep in ("no", "yes"):
        answer = _send(client, content, field=field, keep=keep)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]


def test_no_text_two_texts_and_too_much_are_refused(client: httpx.Client) -> None:
    assert client.post("/texts", data={"name": "x"}).json()["error"] == "Send one text, as a file."
    both = [("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))]
    assert client.post("/texts", files=both).status_code == 400
    assert _send(client, b"a" * 20_500_000).json()["error"].startswith("a.txt has 20 MB")
    assert _send(client, b"a" * 22_000_000).status_code == 413
