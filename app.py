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
import shutil
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import IO, Any

DEFAULT_PORT = 7860
PORTS_TRIED = 100
DESCRIPTORS = 65_536  # open files and connections, where the system allows it
OPENS_WITH = ("vae/mnist-2d",)  # loaded before anyone clicks
PARK_S = 8.0  # for saving all runs when the server is told to go; a Space gives ten


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    from playground import hosting, logs
    from playground.options import options as read

    options = read(arguments, __doc__.partition("\n")[0])
    logs.set_up(options.log_json, hosting.log_level(options))
    if options.mcp and find_spec("mcp") is None:
        from playground.strings import t

        return _complain(t("ops.mcp_missing"))
    port = _free_port(options.host, options.port)
    if port is None:
        return _complain(_port_taken(options.port))
    lock = _lock(options.runs_dir)
    if isinstance(lock, str):
        return _complain(lock)

    from engine.errors import PlaygroundError
    from engine.executors import choose

    try:
        executor = choose.executor(options)
    except PlaygroundError as error:
        return _complain(error.sentence)
    executor.warm()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _serve(options, port, executor)
    except PlaygroundError as error:
        return _complain(error.sentence)
    except ValueError as error:  # Gradio's word when its first request to itself fails
        if "localhost" not in str(error):
            raise
        return _complain("The server could not reach itself; too many connections, or a proxy?")
    except KeyboardInterrupt:
        return 0
    finally:
        executor.close()


def _serve(options: argparse.Namespace, port: int, executor: Any) -> int:
    temporary = _environment()
    from playground import light_import

    light_import.prepare()
    import gradio  # noqa: F401  (the slow one: 2 s)
    from starlette.middleware import Middleware

    from engine.runs import RunStore
    from playground import connections, hosting, logs, ops, public_api, security, shell
    from playground.routes import routes
    from playground.service import Service

    store = RunStore(options.runs_dir, executor, hosting.policy(options, executor))
    local = security.is_local(options.host, options.share)
    service = Service(store, device=executor.device, local=local)
    if options.workshop is not None:
        from playground.room import Room

        key = os.environ.get("PLAYGROUND_TEACHER_KEY") or None
        service.room = Room(service, options.runs_dir, options.workshop or None, key)
    traffic = ops.Traffic()
    extra = [
        *ops.routes(service, traffic, hosting.public(options)),
        *(service.room.routes() if service.room else []),
    ]
    demo = shell.build(service)
    demo.queue(max_size=200, default_concurrency_limit=4)
    if hasattr(demo._queue, "sleep_when_free"):
        # Gradio looks for queued events every millisecond, 8 % of a core; few are queued here.
        demo._queue.sleep_when_free = 0.05
    hosts = security.allowed_hosts(options.host, options.share)
    _raise_descriptors()
    demo.launch(
        server_name=options.host,
        server_port=port,
        share=options.share,
        prevent_thread_lock=True,
        app_kwargs={
            "routes": routes(service, extra=extra),
            "middleware": [
                Middleware(ops.Meter, traffic=traffic),
                Middleware(security.Guard, hosts=hosts),
            ],
            "exception_handlers": public_api.exception_handlers(),
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
        blocked_paths=[str(options.runs_dir), str(Path.home())],
        max_file_size="8mb",
        strict_cors=True,
        show_error=False,
        ssr_mode=False,
        mcp_server=options.mcp,
        pwa=False,
        enable_monitoring=False,
        state_session_capacity=100,  # of API sessions, whose last answers Gradio keeps
        max_threads=40,
        run_history=False,
        footer_links=["api"],
        theme=shell.theme(),
        head=shell.head(),
        quiet=True,
    )
    connections.close_silent(demo.server)
    logs.set_up(options.log_json, hosting.log_level(options))  # again: uvicorn brings handlers
    logs.server_started(ops.version(), executor.device, executor.workers)
    address = demo.share_url or hosting.address(options.host, port)
    print(f"Generative Playground: {address}", flush=True)
    if service.room:
        print(service.room.banner(address), flush=True)
    threading.Thread(target=_warm, args=(executor, store), daemon=True).start()
    try:
        threading.Event().wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: the runs are being saved
        parked = store.park_all(PARK_S)
        store.close()
        demo.close(verbose=False)
        shutil.rmtree(temporary, ignore_errors=True)
        logs.server_stopped(parked)
    return 0


def _warm(executor: Any, store: Any) -> None:
    """Load the model on which the page opens, so that the first click is quick."""
    from engine.errors import PlaygroundError

    for name in OPENS_WITH:
        try:
            executor.explore(store.checkpoint_path(name), "", {}, store.root).result(60)
        except (PlaygroundError, TimeoutError) as error:
            logging.getLogger("playground").warning("%s could not be warmed up: %s", name, error)


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


def _port_taken(asked: int | None) -> str:
    if asked:
        return f"Port {asked} is in use or not allowed; choose another with --port."
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


def _raise_descriptors() -> None:
    """Let the server hold a class's connections: up to six a page, and 1,024 is usual."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _environment() -> str:
    """Keep Gradio quiet and off the network; return its folder for files, which is not kept."""
    folder = tempfile.mkdtemp(prefix="playground-")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_TEMP_DIR", folder)
    local = "127.0.0.1,localhost"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = f"{os.environ[name]},{local}" if os.environ.get(name) else local
    return folder


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
