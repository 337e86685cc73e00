"""A ZeroGPU Space on this machine, for `test_zerogpu.py`: python zero_space.py FOLDER.

Real: the package `spaces` with SPACES_ZERO_GPU set (its patch of torch, its decorator, the forked
workers, what crosses the fork, the calls of its scheduler's interface), Gradio and its queue, the
store, the executor, the routes. Imitated: the scheduler behind that interface (an HTTP server on
loopback, which can refuse), and the moment in which a forked worker takes the GPU
(`spaces.zero.torch.init` and `move`): there is none, so the worker computes on the CPU. Not
imitated: the proxy of Hugging Face that adds the visitor's token, and its ending a worker that is
late; a test adds the header itself, and kills the worker.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit


class Scheduler(BaseHTTPRequestHandler):
    """Lends the GPU, or refuses; `refusals` are the next answers, `asked` what was asked."""

    asked: ClassVar[list[dict[str, Any]]] = []
    refusals: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if url.path == "/refuse":
            self.refusals.append(json.loads(body))
            self._say(200, {})
            return
        self.asked.append({"path": url.path, **dict(parse_qsl(url.query))})
        if url.path == "/schedule" and self.refusals:
            self._say(429, self.refusals.pop(0), ("X-Approve-Result", "quota-exceeded"))
        elif url.path == "/schedule":
            self._say(200, {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0",
                            "allowToken": f"allow-{len(self.asked)}"})  # fmt: skip
        else:
            self._say(200, {})

    def do_GET(self) -> None:
        self._say(200, self.asked)

    def _say(self, status: int, answer: Any, *headers: tuple[str, str]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (*headers, ("content-type", "application/json")):
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


def main(root: Path) -> None:
    """Serve until the standard input ends; the first line says where."""
    scheduler = ThreadingHTTPServer(("127.0.0.1", 0), Scheduler)
    threading.Thread(target=scheduler.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{scheduler.server_port}"
    os.environ.update(SPACES_ZERO_GPU="true", SPACES_ZERO_DEVICE_API_URL=there)
    import spaces.zero.torch

    spaces.zero.torch.init = lambda uuid: None
    spaces.zero.torch.move = lambda callback=None: None

    import gradio as gr

    from engine.executors import zerogpu as executors
    from engine.executors import zerogpu_turn
    from engine.runs import RunStore
    from playground import zerogpu
    from playground.routes import routes
    from playground.service import Service

    executors.LEASE_S = int(os.environ.get("LEASE_S", "55"))
    zerogpu_turn.PAUSE_S = 0.5
    executor = executors.ZeroGpuExecutor()
    executor.warm()
    store = RunStore(root, executor)
    service = Service(store, device=executor.device)
    with gr.Blocks(analytics_enabled=False) as demo:
        zerogpu.mount(service)
    demo.queue(max_size=200, default_concurrency_limit=4)
    _, address, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
        app_kwargs={"routes": routes(service)},
    )
    print(json.dumps({"address": address, "scheduler": there}), flush=True)
    os.read(0, 1)  # not sys.stdin: a worker forked meanwhile would wait for its lock
    store.close()
    executor.close()
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
