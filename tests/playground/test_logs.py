from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from playground import logs

log = logging.getLogger("playground.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Put logging back as pytest had it."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = list(root.handlers), root.level
    names = ["playground", *logs.NOISY]
    kept = {n: (logging.getLogger(n).level, logging.getLogger(n).propagate) for n in names}
    yield
    logging.captureWarnings(False)
    threading.excepthook = hook
    root.handlers[:], root.level = handlers, level
    for name, (own, propagate) in kept.items():
        logging.getLogger(name).setLevel(own)
        logging.getLogger(name).propagate = propagate
    logging.getLogger("uvicorn.access").disabled = False


def written(as_json: bool, level: int = logging.INFO) -> io.StringIO:
    out = io.StringIO()
    logs.set_up(as_json, level, out)
    return out


def test_an_event_is_one_json_line_with_known_names_only() -> None:
    out = written(True)
    extra = {"event": "run_ended", "run": "abc", "model": "vae", "step": 60, "seconds": 1.23456}
    log.info("run ended", extra={**extra, "owner": "secret", "title": "Ann's", "prompt": "Dear"})
    line = json.loads(out.getvalue())
    assert line["text"] == "run ended"
    assert line["level"] == "info"
    assert (line["run"], line["step"], line["seconds"]) == ("abc", 60, 1.235)
    assert not {"owner", "title", "prompt"} & set(line)
    assert "secret" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_a_plain_line_reads_well() -> None:
    out = written(False)
    log.warning(
        "worker died\nforged line", extra={"event": "worker_died", "run": "abc", "count": 2}
    )
    assert out.getvalue().endswith("WARNING worker died\\nforged line run=abc count=2\n")
    assert out.getvalue().count("\n") == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_errors_come_with_their_traceback(as_json: bool) -> None:
    out = written(as_json)
    try:
        raise ValueError("owner=my-own-secret-token from 203.0.113.7")
    except ValueError:
        log.exception("it failed", extra={"event": "error"})
    assert "Traceback" in out.getvalue()
    assert "my-own-secret" not in out.getvalue()
    assert "203.0.113.7" not in out.getvalue()
    if as_json:
        assert "ValueError" in json.loads(out.getvalue())["error"]


@pytest.mark.parametrize(
    "text",
    [
        "owner=hunter2hunter2hunter2",
        "GET /gradio_api/play/runs?owner=hunter2",
        "{'x-play-owner': 'hunter2'}",
        "X-Play-Teacher: hunter2",
        '"prompt": "hunter2 and more"',
        "nickname = hunter2",
        "key: hunter2",
        "peer 2001:db8::7 hunter2".replace("hunter2", ""),
        "from 198.51.100.23:5000",
        "from fe80::1ff:fe23:4567:890a%eth2",
    ],
)
def test_what_is_about_people_is_blotted_out(text: str) -> None:
    cleaned = logs.clean(text)
    for secret in ("hunter2", "2001:db8", "198.51", "fe80"):
        assert secret not in cleaned


@pytest.mark.parametrize(
    "text",
    ["KeyError: 'vae'", "step 12:30:05", "version 2.15.0", "127.0.0.1:7860", "at ::1", "a::b"],
)
def test_what_is_about_nobody_stays(text: str) -> None:
    assert logs.clean(text) == text or text == "a::b"


def test_nan_is_no_number_in_json() -> None:
    out = written(True)
    log.info("x", extra={"seconds": float("nan")})
    assert json.loads(out.getvalue())["seconds"] is None


def test_uvicorn_and_gradio_are_quiet_and_speak_our_form() -> None:
    uvicorn = logging.getLogger("uvicorn.error")
    own = logging.StreamHandler(io.StringIO())
    uvicorn.addHandler(own)
    out = written(True)
    uvicorn.info("Started server process")
    logging.getLogger("uvicorn.access").warning("203.0.113.7 - GET /")
    logging.getLogger("httpx").info("HTTP Request")
    assert out.getvalue() == ""
    uvicorn.error("Exception in ASGI application")
    assert json.loads(out.getvalue())["logger"] == "uvicorn.error"
    assert own.stream.getvalue() == ""


def test_a_thread_that_dies_is_told() -> None:
    out = written(True)

    def fail() -> None:
        raise RuntimeError("gone")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    line = json.loads(out.getvalue())
    assert line["event"] == "error"
    assert "RuntimeError: gone" in line["error"]


def test_the_level_is_kept_to() -> None:
    out = written(False, logging.WARNING)
    log.info("quiet")
    assert out.getvalue() == ""


def test_start_and_end() -> None:
    out = written(True)
    logs.server_started("0.3.0", "cpu", 2)
    logs.server_stopped(5)
    first, last = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["device"], first["slots"]) == ("started", "cpu", 2)
    assert (last["event"], last["count"]) == ("stopped", 5)


def test_a_flood_of_one_text_is_one_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    once = logs.OnceAMinute()

    def passes(text: str) -> bool:
        return once.filter(logging.LogRecord("asyncio", logging.ERROR, "", 0, text, None, None))

    assert [passes("no more files") for _ in range(3)] == [True, False, False]
    assert passes("another")
    now[0] = 61.0
    assert passes("no more files")
