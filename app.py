"""Serve the playground: `python app.py`, then open http://127.0.0.1:7860.

Workers start first, in processes of their own, because importing torch takes longest; Gradio
is imported beside them. This module is also imported by every worker, so nothing heavy stands
at its top.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO, Any

ROOT = Path(__file__).resolve().parent
DEFAULT_PORT = 7860
PORTS_TRIED = 100
OPENS_WITH = ("vae/mnist-2d",)  # loaded before anyone clicks


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    port = _free_port(options.host, options.port)
    if port is None:
        return _complain(_port_taken(options))
    lock = _lock(options.runs_dir)
    if isinstance(lock, str):
        return _complain(lock)

    from engine.executors.process import ProcessExecutor

    executor = ProcessExecutor(options.workers)
    executor.warm()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _serve(options, port, executor)
    except KeyboardInterrupt:
        return 0
    finally:
        executor.close()


def _serve(options: argparse.Namespace, port: int, executor: Any) -> int:
    _environment(options.runs_dir)
    from playground import light_import

    light_import.prepare()
    import gradio  # noqa: F401  (the slow one: 2 s)
    from starlette.middleware import Middleware

    from engine.runs import RunStore
    from playground import security, shell
    from playground.routes import routes
    from playground.service import Service

    store = RunStore(options.runs_dir, executor)
    service = Service(store, device=executor.device)
    demo = shell.build(service)
    hosts = security.allowed_hosts(options.host, options.share)
    demo.queue(max_size=200, default_concurrency_limit=4)
    if hasattr(demo._queue, "sleep_when_free"):
        # Gradio looks for queued events every millisecond, 8 % of a core; nothing here is queued.
        demo._queue.sleep_when_free = 0.05
    demo.launch(
        server_name=options.host,
        server_port=port,
        share=options.share,
        prevent_thread_lock=True,
        app_kwargs={
            "routes": routes(service),
            "middleware": [Middleware(security.Guard, hosts=hosts)],
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        blocked_paths=[str(options.runs_dir)],
        max_file_size="8mb",
        strict_cors=True,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        state_session_capacity=500,
        max_threads=40,
        run_history=False,
        footer_links=["api"],
        theme=shell.theme(),
        head=shell.head(),
        quiet=True,
    )
    address = f"http://{'127.0.0.1' if options.host == '0.0.0.0' else options.host}:{port}"
    print(f"Generative Playground: {demo.share_url or address}", flush=True)
    threading.Thread(target=_warm, args=(executor, store), daemon=True).start()
    try:
        threading.Event().wait()
    finally:
        store.close()
        demo.close(verbose=False)
    return 0


def _warm(executor: Any, store: Any) -> None:
    """Load the model on which the page opens, so that the first click is quick."""
    from engine.errors import PlaygroundError

    for name in OPENS_WITH:
        try:
            executor.explore(store.checkpoint_path(name), "", {}, store.root).result(60)
        except (PlaygroundError, TimeoutError) as error:
            logging.getLogger("playground").warning("%s could not be warmed up: %s", name, error)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(prog="app.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default=env.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=_port, default=env.get("GRADIO_SERVER_PORT") or None)
    parser.add_argument(
        "--share",
        action="store_true",
        default=env.get("GRADIO_SHARE", "").lower() in ("1", "true"),
        help="serve a public link through Gradio's tunnel",
    )
    parser.add_argument(
        "--runs-dir",
        type=Path,
        default=Path(env.get("PLAYGROUND_RUNS_DIR") or ROOT / "checkpoints" / "runs"),
        help="where runs are kept (also PLAYGROUND_RUNS_DIR)",
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        default=max(1, min(4, os.cpu_count() or 1)),
        help="runs that train at the same time",
    )
    options = parser.parse_args(arguments)
    options.runs_dir = options.runs_dir.resolve()
    return options


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535; got {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"workers must be 1 to 64; got {text!r}")
    return int(text)


def _free_port(host: str, asked: int | None) -> int | None:
    """Return the port asked for, else the first free one from 7860, or None if taken."""
    ports = [asked] if asked else range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), port))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    continue
                raise SystemExit(
                    _complain(f"The address {host} cannot be used: {error}.")
                ) from None
            return port
    return None


def _port_taken(options: argparse.Namespace) -> str:
    if options.port:
        return f"Port {options.port} is in use or not allowed; choose another with --port."
    return f"No port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TRIED - 1} is free; give --port."


def _lock(folder: Path) -> IO[str] | str:
    """Take the runs folder for this server; return the open lock, or a sentence."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "a", encoding="utf-8")  # noqa: SIM115  (held while we run)
    except OSError as error:
        return f"The runs folder {folder} cannot be written ({error.strerror}); choose --runs-dir."
    try:
        import fcntl
    except ImportError:  # Windows
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return f"Another playground uses the runs folder {folder}; give this one --runs-dir."
    return lock


def _environment(runs_dir: Path) -> None:
    """Keep Gradio quiet, at home and off the network."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_TEMP_DIR", str(runs_dir / "gradio"))
    local = "127.0.0.1,localhost"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = f"{os.environ[name]},{local}" if os.environ.get(name) else local


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
