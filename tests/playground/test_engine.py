"""The routes with the real run store and real workers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load
from starlette.applications import Starlette

from engine.executors.process import ProcessExecutor
from engine.runs import RunStore
from playground.routes import PREFIX, routes
from playground.service import Service
from tests.playground.conftest import OWNER, STRANGER, serving

SMALL = {"hidden_dim": 16, "hidden_layers": 1, "batch_size": 16}
START = {"model": "vae", "dataset": "mnist", "config": SMALL, "seed": 1, "max_steps": 60}
ENDED = {"finished", "stopped", "failed", "diverged"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    executor = ProcessExecutor(2, device="cpu")
    executor.warm()
    store = RunStore(tmp_path_factory.mktemp("runs"), executor)
    with serving(Starlette(routes=routes(Service(store)))) as url:  # type: ignore[arg-type]
        yield url
    store.close()
    executor.close()


@pytest.fixture
def client(engine: str) -> Iterator[httpx.Client]:
    headers = {"X-Play-Owner": OWNER}
    with httpx.Client(base_url=engine + PREFIX, headers=headers, timeout=60) as http:
        yield http


def until(client: httpx.Client, run_id: str, states: set[str]) -> list[dict]:
    """Follow the stream until the run is in one of the states; return all events."""
    events = []
    with client.stream("GET", f"/runs/{run_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line[6:]))
                if events[-1]["kind"] == "status" and events[-1]["state"] in states:
                    return events
    raise AssertionError("the stream ended early")


@pytest.fixture(scope="module")
def finished(engine: str) -> str:
    headers = {"X-Play-Owner": OWNER}
    with httpx.Client(base_url=engine + PREFIX, headers=headers, timeout=60) as client:
        run = client.post("/runs", json={**START, "preset": "first-look", "title": "A test"}).json()
        events = until(client, run["id"], ENDED)
        assert events[-1]["state"] == "finished", events[-1]
        kinds = {e["kind"] for e in events}
        assert {"metrics", "progress", "preview", "saved", "status"} <= kinds
        return str(run["id"])


def test_what_can_be_taken_home(client: httpx.Client, finished: str) -> None:
    table = client.get(f"/runs/{finished}/metrics.csv").text.splitlines()
    assert table[0].startswith("step,split,")
    assert "elbo_nats" in table[0]
    assert len(table) > 1
    checkpoint = client.get(f"/runs/{finished}/checkpoint")
    assert b"playground" in checkpoint.content[:20_000]
    film = client.get(f"/runs/{finished}/film.webp?view=grid")
    assert film.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(film.content)).format == "WEBP"
    assert client.get(f"/runs/{finished}/film.webp?view=nothing").status_code == 404


def test_the_timeline_has_pictures(client: httpx.Client, finished: str) -> None:
    frames = client.get(f"/runs/{finished}/timeline").json()["frames"]
    assert frames
    last = frames[-1]["step"]
    assert client.get(f"/runs/{finished}/timeline?after_step={last}").json()["frames"] == []


def test_the_script_repeats_the_run(
    client: httpx.Client, finished: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = client.get(f"/runs/{finished}/script.py").text
    names: dict = {"__name__": "script"}
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "script.py", "exec"), names)
    spec = names["SPEC"]
    assert (spec.model, spec.seed, spec.budget.max_steps) == ("vae", 1, 60)
    assert spec.checked_config().to_dict()["hidden_dim"] == 16
    last = {}
    for event in names["run"](spec):
        if event.to_wire()["kind"] == "status":
            last = event.to_wire()
    assert last["state"] == "finished"
    again = tmp_path / f"repeated-{finished}" / "step-00000060.safetensors"
    files = sorted((tmp_path / f"repeated-{finished}").glob("*.safetensors"))
    assert again in files or files, "the script saves a checkpoint"


def test_a_gan_is_stepped_by_hand_filmed_and_repeated(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"generator_width": 8, "discriminator_width": 8, "batch_size": 16}
    body = {"model": "gan2d", "dataset": "ring8", "config": small, "seed": 2, "max_steps": 4000}
    run = client.post("/runs", json=body).json()["id"]
    until(client, run, {"running"})

    def command(**message: object) -> None:
        assert client.post(f"/runs/{run}/commands", json=message).status_code == 200

    command(command="pause")
    until(client, run, {"paused"})
    command(command="set", field="trained", value="discriminator")
    command(command="step", count=1)
    command(command="set", field="trained", value="both")
    command(command="resume")
    events = until(client, run, ENDED)
    assert events[-1]["state"] == "finished", events[-1]
    changed = [(e["field"], e["new"]) for e in events if e["kind"] == "changed"]
    assert changed == [("trained", "discriminator"), ("trained", "both")]
    film = client.get(f"/runs/{run}/film.webp?view=lab")
    assert Image.open(io.BytesIO(film.content)).format == "WEBP"
    own = client.get(f"/runs/{run}/checkpoint").content
    names: dict = {"__name__": "script"}
    monkeypatch.chdir(tmp_path)
    exec(compile(client.get(f"/runs/{run}/script.py").text, "script.py", "exec"), names)
    assert list(names["run"](names["SPEC"]))
    again = sorted((tmp_path / f"repeated-{run}").glob("*.safetensors"))[-1]
    assert weights(again.read_bytes()) == weights(own)


def weights(content: bytes) -> dict[str, bytes]:
    """Return the tensors of a checkpoint as bytes."""
    return {name: array.tobytes() for name, array in load(content).items()}


def test_a_run_can_be_explored_by_anyone(client: httpx.Client, finished: str) -> None:
    body = {"source": {"run": finished}, "args": {"count": 50}}
    answer = client.post("/explore/map", json=body, headers={"X-Play-Owner": STRANGER})
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "views"


def test_a_live_run_answers_views_itself(client: httpx.Client) -> None:
    run = client.post("/runs", json={**START, "max_steps": 100_000}).json()
    until(client, run["id"], {"running"})
    body = {"source": {"run": run["id"]}, "args": {"z": [0.0, 0.0]}}
    answer = client.post("/explore/point", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "views"
    change = {"command": "set", "field": "learning_rate", "value": 0.0004}
    assert client.post(f"/runs/{run['id']}/commands", json=change).status_code == 200
    client.post(f"/runs/{run['id']}/commands", json={"command": "stop"})
    events = until(client, run["id"], ENDED)
    changed = [e for e in events if e["kind"] == "changed"]
    assert [(e["field"], e["new"]) for e in changed] == [("learning_rate", 0.0004)]
    script = client.get(f"/runs/{run['id']}/script.py").text
    assert "'learning_rate', 0.0004" in script
    assert "'learning_rate': 0.001" in script


def test_continue_goes_on_with_the_same_run(client: httpx.Client) -> None:
    run = client.post("/runs", json={**START, "max_steps": 20}).json()
    until(client, run["id"], ENDED)
    more = {"command": "continue", "max_steps": 30}
    assert client.post(f"/runs/{run['id']}/commands", json=more).status_code == 200
    last = client.get(f"/runs/{run['id']}").json()["last_seq"]
    with client.stream("GET", f"/runs/{run['id']}/events?after={last}") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: ") and json.loads(line[6:]).get("state") == "finished":
                break
    assert client.get(f"/runs/{run['id']}").json()["step"] == 30


def test_a_stranger_commands_nothing(client: httpx.Client, finished: str) -> None:
    stranger = {"X-Play-Owner": STRANGER}
    for body in ({"command": "stop"}, {"command": "continue"}, {"command": "rewind"}):
        answer = client.post(f"/runs/{finished}/commands", json=body, headers=stranger)
        assert answer.status_code == 403
    assert client.delete(f"/runs/{finished}", headers=stranger).status_code == 403


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "no-model"}, None),
        ({"model": ["vae"]}, None),
        ({"dataset": "no-data"}, "dataset"),
        ({"dataset": None}, "dataset"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"max_steps": 0}, "max_steps"),
        ({"max_steps": 10**12}, "max_steps"),
        ({"max_seconds": "long"}, "max_seconds"),
        ({"config": [1]}, "config"),
        ({"config": {"beta": -1}}, "beta"),
        ({"resume": {"checkpoint": "../../etc/passwd"}}, None),
        ({"resume": "vae/mnist-2d"}, "resume"),
        ({"resume": {"run": "no-run"}}, None),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_started(client: httpx.Client, change: dict, field: str | None) -> None:
    answer = client.post("/runs", json={**START, **change})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["field"] == field
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": "explode"},
        {"command": ["pause"]},
        {"command": "step", "count": -1},
        {"command": "set"},
        {"command": "set", "field": "latent_dim", "value": 3},
        {"command": "set", "field": "beta", "value": "much"},
    ],
)
def test_what_cannot_be_commanded(client: httpx.Client, finished: str, body: dict) -> None:
    answer = client.post(f"/runs/{finished}/commands", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize("z", [["x"], [1e400], "0,0", [0.0] * 500, None, [[0.0, 0.0]]])
def test_points_that_are_none(client: httpx.Client, finished: str, z: object) -> None:
    text = json.dumps({"source": {"run": finished}, "args": {"z": z}})
    answer = client.post("/explore/point", content=text)
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "content", [b"", b"x" * 100, b"PK\x03\x04" + b"0" * 500, b"\x80\x04\x95" + b"0" * 50]
)
def test_files_that_are_no_checkpoint(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/checkpoints", files={"file": ("model.safetensors", content)})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_a_checkpoint_goes_out_and_comes_back(client: httpx.Client, finished: str) -> None:
    content = client.get(f"/runs/{finished}/checkpoint").content
    added = client.post("/checkpoints", files={"file": ("mine.safetensors", content)}).json()
    assert added["checkpoint"].startswith("upload/")
    mine = {c["name"] for c in client.get("/catalogue").json()["checkpoints"]}
    theirs = client.get("/catalogue", headers={"X-Play-Owner": STRANGER}).json()["checkpoints"]
    assert added["checkpoint"] in mine
    assert added["checkpoint"] not in {c["name"] for c in theirs}
    body = {"source": {"checkpoint": added["checkpoint"]}, "args": {"n": 3}}
    assert client.post("/explore/grid", json=body).status_code == 200
    back = client.get(f"/checkpoints/{added['checkpoint']}")
    assert back.content == content


def pictures() -> bytes:
    random = np.random.default_rng(0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for folder in ("cats", "dogs"):
            for i in range(60):
                one = io.BytesIO()
                pixels = random.integers(0, 256, (40, 40, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(one, "PNG")
                archive.writestr(f"{folder}/{i}.png", one.getvalue())
    return buffer.getvalue()


def test_own_pictures_become_a_data_set_and_a_run(client: httpx.Client) -> None:
    form = {"size": "32", "colour": "rgb", "name": "Pets <b>"}
    answer = client.post("/pictures", files={"files": ("pets.zip", pictures())}, data=form)
    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert added["classes"] == ["cats", "dogs"]
    assert added["shape"] == [3, 32, 32]
    assert added["key"] in {d["key"] for d in client.get("/catalogue").json()["datasets"]}
    body = {**START, "dataset": added["dataset"], "max_steps": 5}
    body["config"] = {**SMALL, **added["recommended"]}
    run = client.post("/runs", json=body).json()
    assert until(client, run["id"], ENDED)[-1]["state"] == "finished"


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({}, {}),
        ({"files": ("a.png", b"")}, {}),
        ({"files": ("a.png", b"no picture")}, {}),
        ({"files": ("a.zip", b"PK\x03\x04broken")}, {}),
        ({"files": ("a.zip", pictures())}, {"size": "1000"}),
        ({"files": ("a.zip", pictures())}, {"colour": "infrared"}),
    ],
)
def test_what_is_no_data_set(client: httpx.Client, files: dict, form: dict) -> None:
    answer = client.post("/pictures", files=files or None, data=form)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_too_many_runs_at_once_are_refused_with_a_sentence(client: httpx.Client) -> None:
    owner = {"X-Play-Owner": "another-owner-with-a-long-token"}
    started = []
    for _ in range(10):
        answer = client.post("/runs", json={**START, "max_steps": 10**6}, headers=owner)
        if answer.status_code != 201:
            break
        started.append(answer.json())
    assert answer.status_code == 429
    assert str(len(started)) in answer.json()["error"]
    assert any(run["state"] == "queued" and run["position"] for run in started)
    for run in started:
        client.delete(f"/runs/{run['id']}", headers=owner)
