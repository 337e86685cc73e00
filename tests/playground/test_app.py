"""`python app.py` as a person starts it."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import app
from playground import hosting
from playground.options import options as read
from playground.public_api import ENDPOINTS

ROOT = Path(app.__file__).parent


def read_options(arguments: list[str]) -> argparse.Namespace:
    return read(arguments, "about")


def taken() -> socket.socket:
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    one.listen()
    return one


def test_a_busy_port_that_was_asked_for_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with taken() as one:
        port = one.getsockname()[1]
        assert app.main(["--port", str(port), "--runs-dir", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert str(port) in said
    assert said.count("\n") == 1


def test_a_busy_default_port_leads_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with taken() as one:
        port = one.getsockname()[1]
        monkeypatch.setattr(app, "DEFAULT_PORT", port)
        found = app._free_port("127.0.0.1", None)
    assert found is not None
    assert found > port


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1", ""])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app.main(["--port", port])
    assert "port" in capsys.readouterr().err


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        app.main(["--host", "192.0.2.1", "--runs-dir", str(tmp_path)])


def test_a_runs_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    assert app.main(["--runs-dir", str(tmp_path / "file" / "runs")]) == 2
    assert "runs folder" in capsys.readouterr().err


def test_two_servers_do_not_share_a_runs_folder(tmp_path: Path) -> None:
    first = app._lock(tmp_path)
    second = app._lock(tmp_path)
    assert not isinstance(first, str)
    assert isinstance(second, str)
    first.close()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7999")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    options = read_options([])
    assert (options.host, options.port, options.share) == ("0.0.0.0", 7999, True)
    assert read_options(["--port", "8001"]).port == 8001


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The address of a served page, and the process id."""
    with taken() as one:
        port = one.getsockname()[1]
    runs = tmp_path_factory.mktemp("runs")
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port), "--runs-dir", str(runs)]
    process = subprocess.Popen([*command, "--workers", "1"])
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url, timeout=5)
            break
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield url, process.pid
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_the_page_is_served_and_loads_from_here_only(server: tuple[str, int]) -> None:
    page = httpx.get(server[0])
    assert page.status_code == 200
    assert "Generative Playground" in page.text
    asked = re.findall(r'(?:src|href)="(https?://[^"]+)"', page.text)
    assert [url for url in asked if "127.0.0.1" not in url and "gradio.app" not in url] == []


def test_the_web_process_is_small_and_without_torch(server: tuple[str, int]) -> None:
    status = Path(f"/proc/{server[1]}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024  # type: ignore[union-attr]
    assert resident < 200
    assert "libtorch" not in Path(f"/proc/{server[1]}/maps").read_text()


def test_gradio_is_behind_the_guard(server: tuple[str, int]) -> None:
    url, _ = server
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403
    evil = {"Origin": "https://evil.example"}
    files = {"files": ("a.txt", b"x")}
    assert httpx.post(f"{url}/gradio_api/upload", files=files, headers=evil).status_code == 403
    big = {"data": ["x" * 2_000_000]}
    assert httpx.post(f"{url}/gradio_api/call/list_models", json=big).status_code == 413
    for path in ("/monitoring", "/docs", "/openapi.json", "/gradio_api/file=/etc/passwd"):
        assert httpx.get(url + path).status_code >= 400, path
    answer = httpx.get(url)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_only_the_named_endpoints_are_public(server: tuple[str, int]) -> None:
    info = httpx.get(f"{server[0]}/gradio_api/info").json()
    named = set(info["named_endpoints"])
    expected = {f"/{n}" for n in ENDPOINTS}
    assert named == expected
    assert info["unnamed_endpoints"] == {}


def call(url: str, name: str, **given: object) -> httpx.Response:
    begun = httpx.post(f"{url}/gradio_api/call/v2/{name}", json=given)
    assert begun.status_code == 200, begun.text
    event = begun.json()["event_id"]
    return httpx.get(f"{url}/gradio_api/call/{name}/{event}", timeout=60)


def test_programs_can_train(server: tuple[str, int]) -> None:
    url, _ = server
    assert "event: complete" in call(url, "list_models").text
    owner = "a-program-with-a-secret"
    config = {"hidden_dim": 16, "hidden_layers": 1, "batch_size": 16}
    given = {"owner": owner, "model": "vae", "dataset": "mnist", "config": config}
    text = call(url, "start_run", **given, max_steps=20).text
    assert "event: complete" in text, text
    run_id = re.search(r'"id":\s*"([\w-]+)"', text).group(1)  # type: ignore[union-attr]
    deadline = time.monotonic() + 60
    while '"finished"' not in call(url, "read_metrics", run_id=run_id).text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    other = "somebody-elses-token"
    stopped = call(url, "command_run", owner=other, run_id=run_id, command="stop").text
    assert "event: error" in stopped


def test_a_workshop_is_open_to_its_network_and_bounded() -> None:
    room, own = read_options(["--workshop", "Class 7b"]), read_options([])
    assert (room.host, room.workshop) == ("0.0.0.0", "Class 7b")
    assert (own.host, own.workshop) == ("127.0.0.1", None)
    assert read_options(["--workshop"]).workshop == ""
    executor = argparse.Namespace(workers=2)
    assert hosting.policy(own, executor).max_seconds is None
    assert hosting.policy(room, executor).max_seconds == 1800
    assert hosting.policy(room, executor).hour_seconds == 1200


def test_a_space_keeps_runs_in_its_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("playground.options.PERSISTENT", tmp_path)
    assert read_options([]).runs_dir == ROOT / "checkpoints" / "runs"
    monkeypatch.setenv("SPACE_ID", "someone/playground")
    assert read_options([]).runs_dir == tmp_path / "runs"
    monkeypatch.setattr("playground.options.PERSISTENT", tmp_path / "none")
    assert read_options([]).runs_dir == ROOT / "checkpoints" / "runs"


@pytest.mark.parametrize("share", ["0", "1.5", "half", ""])
def test_a_share_of_a_gpu_is_a_part(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["--gpu-share", share])
    assert "share" in capsys.readouterr().err


def test_an_address_for_others_is_no_wildcard() -> None:
    assert hosting.address("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert "0.0.0.0" not in hosting.address("0.0.0.0", 7860)


def test_a_weak_key_of_a_teacher_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "--workshop", "--host", "127.0.0.1"]
    key = {**os.environ, "PLAYGROUND_TEACHER_KEY": "secret"}
    ended = subprocess.run(
        [*command, "--runs-dir", str(tmp_path)], env=key, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "key" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
