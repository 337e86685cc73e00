"""A really started app for tests that call it as a stranger would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

import app
from tests.playground.conftest import free_port

ROOT = Path(app.__file__).parent
START_S = 90.0


@contextmanager
def started(folder: Path, *flags: str, python: str = sys.executable) -> Iterator[str]:
    """Start `python app.py` with all it writes in `folder`; yield its address."""
    port = free_port()
    command = [python, str(ROOT / "app.py"), "--port", str(port), "--workers", "1", *flags]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio")}
    process = subprocess.Popen([*command, "--runs-dir", str(folder / "runs")], env=environment)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_S
    try:
        while not _answers(address):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/gradio_api/play/catalogue", timeout=5).is_success
    except httpx.TransportError:
        return False
