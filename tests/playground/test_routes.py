from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from playground import streams
from tests.playground.conftest import OWNER, STRANGER

START = {"model": "vae", "dataset": "mnist", "config": {}, "seed": 0, "max_steps": 400}


def begin(client: httpx.Client, **changes: object) -> dict:
    answer = client.post("/runs", json={**START, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def stream(client: httpx.Client, path: str, **headers: str) -> Iterator[dict]:
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])


def test_catalogue(client: httpx.Client) -> None:
    found = client.get("/catalogue").json()
    assert {m["key"] for m in found["models"]} >= {"vae", "ae"}
    assert found["models"][0]["presets"]
    assert any(d["key"] == "mnist" for d in found["datasets"])


def test_a_run_from_start_to_end_over_the_stream(client: httpx.Client) -> None:
    run = begin(client, max_steps=80)
    assert run["owner_is_you"] is True
    seen = []
    for event in stream(client, f"/runs/{run['id']}/events"):
        seen.append(event)
        if event["kind"] == "status" and event["state"] == "finished":
            break
    numbers = [event["seq"] for event in seen]
    assert numbers == sorted(set(numbers))
    assert {"metrics", "progress", "preview", "status"} <= {event["kind"] for event in seen}


def test_the_stream_goes_on_after_a_number(client: httpx.Client) -> None:
    run = begin(client, max_steps=80)
    path = f"/runs/{run['id']}/events"
    first = next(stream(client, path))
    assert next(stream(client, f"{path}?after={first['seq']}"))["seq"] > first["seq"]
    header = {"Last-Event-ID": str(first["seq"] + 1)}
    assert next(stream(client, f"{path}?after=0", **header))["seq"] > first["seq"] + 1


def test_a_quiet_stream_beats(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.1)
    run = begin(client)
    client.post(f"/runs/{run['id']}/commands", json={"command": "pause"})
    beats = 0
    with client.stream("GET", f"/runs/{run['id']}/events?after=100000") as answer:
        for line in answer.iter_lines():
            beats += line == ": still here"
            if beats == 2:
                break


def test_polling_gives_events_and_the_run(client: httpx.Client) -> None:
    run = begin(client, max_steps=80)
    answer = client.get(f"/runs/{run['id']}/events?after=0&poll=1").json()
    assert answer["run"]["id"] == run["id"]
    assert answer["events"][0]["kind"] == "status"


def test_commands_reach_the_run(client: httpx.Client) -> None:
    run = begin(client)
    path = f"/runs/{run['id']}"
    assert client.post(f"{path}/commands", json={"command": "pause"}).json() == {"ok": True}
    assert client.get(path).json()["state"] == "paused"
    change = {"command": "set", "field": "beta", "value": 4.0}
    assert client.post(f"{path}/commands", json=change).status_code == 200
    assert client.get(path).json()["config"]["beta"] == 4.0
    assert client.delete(path).json() == {"ok": True}
    assert client.get(path).status_code == 404


def test_runs_are_their_owners(client: httpx.Client) -> None:
    run = begin(client)
    path, other = f"/runs/{run['id']}", {"X-Play-Owner": STRANGER}
    assert client.get(path, headers=other).json()["owner_is_you"] is False
    assert (
        client.post(f"{path}/commands", json={"command": "stop"}, headers=other).status_code == 403
    )
    assert client.delete(path, headers=other).status_code == 403
    mine = {r["id"] for r in client.get("/runs").json()["runs"]}
    theirs = {r["id"] for r in client.get("/runs", headers=other).json()["runs"]}
    assert run["id"] in mine
    assert run["id"] not in theirs


@pytest.mark.parametrize("token", ["", "short", "x" * 129, "sixteen or more; but odd"])
def test_a_run_needs_an_owner(client: httpx.Client, token: str) -> None:
    answer = client.post("/runs", json=START, headers={"X-Play-Owner": token})
    assert answer.status_code == 400
    assert "X-Play-Owner" in answer.json()["error"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"latent_dim": 0}, "latent_dim"),
        ({"latent_dim": 1e308}, "latent_dim"),
        ({"latent_dim": 2.5}, "latent_dim"),
        ({"latent_dim": True}, "latent_dim"),
        ({"latent_dim": "2"}, "latent_dim"),
        ({"latent_dim": [2]}, "latent_dim"),
        ({"latent_dim": None}, "latent_dim"),
        ({"network": ["mlp"]}, "network"),
        ({"network": "transformer"}, "network"),
        ({"no_such_thing": 1}, "no_such_thing"),
    ],
)
def test_bad_hyperparameters_are_named(client: httpx.Client, config: dict, field: str) -> None:
    answer = client.post("/runs", json={**START, "config": config})
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert answer.json()["error"].endswith((".", "…"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"config": {"beta": NaN}}',
        b'{"config": {"beta": Infinity}}',
        b"\xff\xfe",
    ],
)
def test_bodies_that_are_no_json_object(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/runs", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("after", ["x", "1e3", "-", "9" * 40, "1.5", "NaN"])
def test_numbers_in_addresses(client: httpx.Client, after: str) -> None:
    run = begin(client)
    answer = client.get(f"/runs/{run['id']}/events", params={"after": after})
    assert answer.status_code == 400
    assert answer.json()["field"] == "after"


@pytest.mark.parametrize("path", ["", "/events", "/timeline", "/metrics.csv", "/script.py"])
def test_unknown_runs(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/runs/no-such-run{path}")
    assert answer.status_code == 404
    assert "no-such-run" in answer.json()["error"]


@pytest.mark.parametrize(
    "body", [{}, {"source": "x"}, {"source": {"checkpoint": "vae/mnist-2d"}, "args": []}]
)
def test_exploring_needs_a_source(client: httpx.Client, body: dict) -> None:
    answer = client.post("/explore/map", json=body)
    assert answer.status_code == 400
    assert answer.json()["field"] == "source"


def test_exploring(client: httpx.Client) -> None:
    body = {"source": {"checkpoint": "vae/mnist-2d"}, "args": {"n": 4}}
    assert client.post("/explore/grid", json=body).json()["rows"] == 4


def test_an_error_that_nobody_foresaw(client: httpx.Client) -> None:
    answer = client.post(
        "/explore/grid", json={"source": {"checkpoint": "vae/mnist-2d"}, "args": {"n": "x"}}
    )
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.json()["error"]


def test_static_files_are_cached_by_content(client: httpx.Client) -> None:
    first = client.get("/web/store.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/web/store.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    from playground.web_files import version

    versioned = client.get(f"/web/v-{version()}/store.js")
    assert "immutable" in versioned.headers["cache-control"]
    assert client.get("/web/v-old/store.js").headers["cache-control"] == "no-cache"


def test_every_tab_has_modules_of_its_own_and_shares_those_of_the_page(
    client: httpx.Client,
) -> None:
    own = client.get("/web/v-old/t-vae/store.js")
    assert own.text == client.get("/web/store.js").text
    stub = client.get("/web/v-old/t-vae/page.js")
    assert stub.text == 'export * from "../page.js";\n'
    assert stub.headers["content-type"].startswith("text/javascript")
    for address in ("t-vae/page_none.js", "vae/store.js", "t-..%2F/store.js", "t-vae/none.js"):
        assert client.get(f"/web/v-old/{address}").status_code == 404


def test_plotly_comes_packed_and_from_here(client: httpx.Client) -> None:
    began = time.monotonic()
    answer = client.get("/web/plotly.min.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert "plotly.js v" in answer.text[:300]
    assert time.monotonic() - began < 5
    plain = client.get("/web/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "name", ["..%2Froutes.py", "%2e%2e%2fapp.py", "no-such.js", "store.py", "%00", ".hidden"]
)
def test_nothing_else_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/web/{name}").status_code == 404


def test_strings_are_served(client: httpx.Client) -> None:
    assert client.get("/web/strings.json").json()["panel.train"] == "Train"


def test_uploads_need_files(client: httpx.Client) -> None:
    assert client.post("/checkpoints", files=[]).status_code == 400
    two = [("file", ("a.safetensors", b"x")), ("file", ("b.safetensors", b"y"))]
    assert client.post("/checkpoints", files=two).status_code == 400


def test_one_owner_token_is_enough_everywhere() -> None:
    assert len(OWNER) >= 16
    assert OWNER != STRANGER
