"""The app as `python app.py` starts it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 120.0
END_S = 20.0


@dataclass(frozen=True)
class App:
    """A running server: its address, its folder of runs, what it has printed so far."""

    address: str
    runs: Path
    log: Path
    pid: int


@contextmanager
def serving(folder: Path, workers: int = 2) -> Iterator[App]:
    """Start the app on a free port with its runs in `folder`; end it on the way out."""
    port = free_port()
    log = folder.with_name(folder.name + ".log")
    command = [sys.executable, "app.py", "--port", str(port), "--runs-dir", str(folder)]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)], cwd=ROOT, stdout=output, stderr=output
        )
    app = App(f"http://127.0.0.1:{port}", folder, log, process.pid)
    try:
        _until_it_answers(app, process)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_it_answers(app: App, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The app has ended:\n{app.log.read_text()}")
        try:
            with urllib.request.urlopen(app.address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"The app did not answer in {START_S:.0f} s:\n{app.log.read_text()}")
