"""`python app.py` as a person starts it."""

from __future__ import annotations

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

ROOT = Path(app.__file__).parent
ENDPOINTS = ("list_models", "start_run", "run_metrics", "command_run", "explore", "decode")


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
    options = app._options([])
    assert (options.host, options.port, options.share) == ("0.0.0.0", 7999, True)
    assert app._options(["--port", "8001"]).port == 8001


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


def call(url: str, name: str, data: list) -> httpx.Response:
    begun = httpx.post(f"{url}/gradio_api/call/{name}", json={"data": data})
    assert begun.status_code == 200, begun.text
    event = begun.json()["event_id"]
    return httpx.get(f"{url}/gradio_api/call/{name}/{event}", timeout=60)


def test_programs_can_train(server: tuple[str, int]) -> None:
    url, _ = server
    assert "event: complete" in call(url, "list_models", []).text
    owner = "a-program-with-a-secret"
    config = {"hidden_dim": 16, "hidden_layers": 1, "batch_size": 16}
    text = call(url, "start_run", [owner, "vae", "mnist", config, 0, 20]).text
    assert "event: complete" in text, text
    run_id = re.search(r'"id":\s*"([\w-]+)"', text).group(1)  # type: ignore[union-attr]
    deadline = time.monotonic() + 60
    while '"finished"' not in call(url, "run_metrics", [run_id]).text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    z = call(url, "decode", [{"run": run_id}, [0.0, 0.0]]).text
    assert "data:image/png;base64" in z
    stopped = call(url, "command_run", ["somebody else's token", run_id, {"command": "stop"}]).text
    assert "event: error" in stopped
