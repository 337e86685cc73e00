"""Which executor a host gets; and the server as a Space on a CPU starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from small import assert_sentence

from engine.capacity import Capacity
from engine.errors import PlaygroundError
from engine.executors import choose
from engine.executors.process import ProcessExecutor

ROOT = Path(choose.__file__).resolve().parents[2]
SPACE = "ada-generative-playground.hf.space"


def options(root: Path, **more: Any) -> Any:
    given = {"runs_dir": root, "workers": None, "ray": None, "gpu_share": None}
    return SimpleNamespace(**{**given, **more})


def test_without_anything_workers_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    found: Any = choose.executor(options(tmp_path, workers=3))
    assert isinstance(found, ProcessExecutor)
    assert (found.workers, found.threads) == (3, 1)
    assert found.memory_mb is None or found.memory_mb > 0


def test_workers_are_spread_over_the_gpus() -> None:
    carried = Capacity(8, 1, ("cuda:0", "cuda:1"), 4000, "two GPUs")
    found: Any = choose.by_processes(carried)
    assert (found.workers, found.devices, found.memory_mb) == (8, ("cuda:0", "cuda:1"), 4000)
    assert found.gpu_fraction == pytest.approx(0.9 / 4)


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlaygroundError) as refused:
        choose.executor(options(tmp_path, ray="127.0.0.1:1"))
    assert_sentence(refused.value)


@pytest.mark.parametrize(
    ("word", "there"), [("true", True), ("1", True), ("", False), ("0", False)]
)
def test_a_zerogpu_space_says_so(word: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", word)
    assert choose.on_zerogpu() is there


def test_a_zerogpu_space_without_its_package_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "engine.executors.zerogpu", None)
    with pytest.raises(PlaygroundError, match="ZeroGPU") as refused:
        choose.executor(options(tmp_path))
    assert_sentence(refused.value)


@pytest.mark.parametrize(("share", "runs"), [(None, 4), (1.0, 1), (0.5, 2), (0.3, 3), (0.1, 10)])
def test_a_share_of_a_gpu_says_how_many_runs_it_carries(share: float | None, runs: int) -> None:
    assert choose.runs_on_a_gpu(share) == runs


# ---------------------------------------------------------------------- as a Space


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that was started with a Space's variables."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    env = {
        **{k: v for k, v in os.environ.items() if k != "SPACES_ZERO_GPU"},
        "SYSTEM": "spaces",
        "SPACE_ID": "ada/generative-playground",
        "SPACE_HOST": SPACE,
        "SPACE_AUTHOR_NAME": "ada",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SSR_MODE": "True",
        "PLAYGROUND_RUNS_DIR": str(tmp_path_factory.mktemp("runs")),
        "PLAYGROUND_WORKERS": "1",
    }
    process = subprocess.Popen([sys.executable, ROOT / "app.py"], env=env, cwd=ROOT)
    deadline = time.monotonic() + 90
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}", headers={"Host": SPACE}, timeout=5)
            break
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.slow
def test_a_space_serves_the_page_to_its_own_name_in_hugging_faces_frame(space: str) -> None:
    page = httpx.get(space, headers={"Host": SPACE, "X-Forwarded-Proto": "https"})
    assert page.status_code == 200
    assert "Generative Playground" in page.text
    policy = page.headers["content-security-policy"]
    ancestors = next(p for p in policy.split(";") if p.strip().startswith("frame-ancestors"))
    assert "https://huggingface.co" in ancestors
    assert "x-frame-options" not in page.headers
    assert httpx.get(space, headers={"Host": "evil.example"}).status_code == 403
    catalogue = httpx.get(f"{space}/gradio_api/play/catalogue", headers={"Host": SPACE})
    assert catalogue.json()["models"]


@pytest.mark.slow
def test_a_page_in_the_frame_can_send_to_its_space(space: str) -> None:
    body = {"model": "gan2d", "dataset": "ring8", "max_steps": 1}
    headers = {"Host": SPACE, "Origin": f"https://{SPACE}", "X-Play-Owner": "owner-ada-0123456789"}
    path = f"{space}/gradio_api/play/runs"
    assert httpx.post(path, json=body, headers=headers, timeout=30).status_code < 300
    evil = {**headers, "Origin": "https://evil.example"}
    assert httpx.post(path, json=body, headers=evil).status_code == 403
