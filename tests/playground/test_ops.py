"""Health, status and the meter, with a store that says what the test wants."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground import ops
from playground.ops_meter import EDGES, SECONDS, quantile, template
from playground.routes import PREFIX

WORKER = {"pid": 11, "run": "SECRETRUNID1", "model": "vae", "state": "training"}
WELL: dict[str, Any] = {
    "slots": 2,
    "running": 1,
    "queued": 3,
    "frozen": 0,
    "runs": 9,
    "workers": [{**WORKER, "rss_mb": 500.0, "beat_s": 0.4, "title": "Ann's", "owner": "ann"}],
    "explorer": {"pid": 10, "rss_mb": 700.0},
    "device": "cpu",
    "gpu_memory_mb": None,
    "disk_free_mb": 9000,
    "uptime_s": 500.0,
    "waits_s": [12.0, 3.0],
}


def client(root: Path, status: Any, public: bool = False, more: Any = ()) -> TestClient:
    store = SimpleNamespace(root=root, status=status if callable(status) else lambda: status)
    traffic = ops.Traffic()
    service: Any = SimpleNamespace(store=store)
    app = Starlette(
        routes=[*ops.routes(service, traffic, public), *more],
        middleware=[Middleware(ops.Meter, traffic=traffic)],
    )
    return TestClient(app)


@pytest.mark.parametrize("path", ["/healthz", PREFIX + "/healthz"])
def test_all_is_well(tmp_path: Path, path: str) -> None:
    answer = client(tmp_path, WELL).get(path)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "reasons": []}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slots": 0}, "no worker"),
        ({"workers": []}, "alive"),
        ({"workers": [{**WORKER, "pid": None}]}, "alive"),
        ({"workers": [{**WORKER, "state": "dead"}]}, "alive"),
        ({"workers": [{**WORKER, "beat_s": 500.0}]}, "heard of"),
        ({"disk_free_mb": 3}, "3 MB"),
        ({"closing": True}, "shutting down"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    answer = client(tmp_path, {**WELL, **change}).get("/healthz")
    assert answer.status_code == 503
    assert said in answer.json()["reasons"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"workers": [], "uptime_s": 20.0},  # they are on their way
        {"workers": [], "kind": "zerogpu"},  # they come with the runs
        {"workers": [{**WORKER, "beat_s": None}]},  # nothing to do
        {"workers": [{**WORKER, "beat_s": 500.0}, {**WORKER, "beat_s": 1.0}]},
    ],
)
def test_what_is_no_reason(tmp_path: Path, change: dict[str, Any]) -> None:
    assert client(tmp_path, {**WELL, **change}).get("/healthz").status_code == 200


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    answer = client(tmp_path / "gone", WELL).get("/healthz")
    assert answer.status_code == 503
    assert "No such file" in answer.json()["reasons"][0]


def test_an_engine_that_hangs_is_said_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops, "ANSWER_S", 0.05)
    go_on = threading.Event()

    def status() -> dict[str, Any]:
        go_on.wait(10)
        return WELL

    with client(tmp_path, status) as http:
        began = time.monotonic()
        answers = [http.get("/healthz") for _ in range(3)]
        assert time.monotonic() - began < 5
        assert {a.status_code for a in answers} == {503}
        assert "did not say" in answers[0].json()["reasons"][0]
        assert http.get(PREFIX + "/status.json").json()["ok"] is False
        go_on.set()


def test_an_engine_that_fails_is_said_without_details(tmp_path: Path) -> None:
    def status() -> dict[str, Any]:
        raise RuntimeError("the secret path /home/ann")

    answer = client(tmp_path, status).get("/healthz")
    assert answer.status_code == 503
    assert "/home" not in answer.text


def test_the_status_names_no_one(tmp_path: Path) -> None:
    text = client(tmp_path, WELL).get(PREFIX + "/status.json").text
    assert "SECRETRUNID1" not in text
    assert "Ann" not in text
    assert '"ann"' not in text
    assert '"model":"vae"' in text


def test_a_public_host_shows_counts_only(tmp_path: Path) -> None:
    body = client(tmp_path, WELL, public=True).get(PREFIX + "/status.json").json()
    assert set(body["engine"]) == {*ops.COUNTS, "workers_up", "longest_wait_s"}
    assert body["engine"]["queued"] == 3
    assert body["engine"]["longest_wait_s"] == 12.0


def test_the_page_has_its_words_and_escapes_them(tmp_path: Path) -> None:
    page = client(tmp_path, WELL).get(PREFIX + "/status")
    assert page.headers["cache-control"] == "no-store"
    assert "<h1>Server status</h1>" in page.text
    assert "ops.api_" not in page.text
    words = page.text.partition('type="application/json">')[2].partition("</script>")[0]
    assert "<" not in words


def test_every_word_of_the_page_is_in_the_table() -> None:
    from playground import web_files
    from playground.strings import table

    script = (web_files.WEB / "ops.js").read_text(encoding="utf-8")
    used = set(re.findall(r"""\bt\("(\w+)\"""", script))
    used |= set(re.findall(r"""\[+"(\w+)",""", script))  # rows of facts
    used |= set(re.findall(r"""\bcard\("(\w+)\"""", script))
    used |= set(re.findall(r"""\"(col_\w+)\"""", script))
    assert len(used) > 40
    assert {f"ops.{word}" for word in used} <= set(table())


# ---- the meter -----------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_minute_forgets_what_is_older() -> None:
    clock = Clock()
    traffic = ops.Traffic(clock)
    for _ in range(30):
        traffic.answered(10.0, 200)
    assert traffic.minute()["requests"] == 30
    assert traffic.minute()["per_second"][-1] == 30
    clock.now += SECONDS - 1
    traffic.answered(10.0, 500)
    assert traffic.minute()["requests"] == 31
    assert traffic.minute()["errors"] == 1
    clock.now += 1
    assert traffic.minute()["requests"] == 1
    clock.now += 10 * SECONDS
    assert traffic.minute()["requests"] == 0
    assert traffic.minute()["p95_ms"] is None


def test_quantiles_are_within_a_class_of_the_truth() -> None:
    traffic = ops.Traffic(Clock())
    for ms in range(1, 101):
        traffic.answered(float(ms), 200)
    found = traffic.minute()
    assert 50 <= found["p50_ms"] <= 50 * 1.19
    assert 95 <= found["p95_ms"] <= 95 * 1.19
    traffic = ops.Traffic(Clock())
    traffic.answered(1e9, 200)
    assert traffic.minute()["p95_ms"] == round(EDGES[-1], 2)
    assert quantile([0] * 5, 0.5) is None


async def _refuse(request: Any) -> Response:
    return Response(status_code=int(request.path_params["code"]))


async def _stream(request: Any) -> Response:
    async def two() -> Any:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"

    return StreamingResponse(two(), media_type="text/event-stream")


def test_refusals_are_counted_and_streams_end(tmp_path: Path) -> None:
    more = [Route(PREFIX + "/say/{code}", _refuse), Route(PREFIX + "/stream", _stream)]
    http = client(tmp_path, WELL, more=more)
    for code in (429, 429, 413, 404, 500):
        http.get(f"{PREFIX}/say/{code}")
    assert http.get(PREFIX + "/stream").text.count("data") == 2
    body = http.get(PREFIX + "/status.json").json()
    assert body["refusals"] == {"413": 1, "429": 2}
    assert body["traffic"]["refused"] == 3
    assert body["traffic"]["rate_limited"] == 2
    assert body["traffic"]["errors"] == 1
    assert body["web"]["streams"] == 0
    assert body["web"]["connections"] == 1  # this one


def test_slow_requests_are_told_without_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("playground.ops_meter.SLOW_MS", 0.0)
    more = [Route(PREFIX + "/runs/{id}/say/{code}", _refuse)]
    with caplog.at_level("INFO", "playground"):
        client(tmp_path, WELL, more=more).get(f"{PREFIX}/runs/SECRETRUNID1/say/200?owner=secret")
    told = [r for r in caplog.records if getattr(r, "event", "") == "slow"]
    assert len(told) == 1
    assert told[0].route == PREFIX + "/runs/{id}/say/{code}"  # type: ignore[attr-defined]


def test_a_template_without_parameters_is_the_path() -> None:
    assert template({"path": "/a/b"}) == "/a/b"
