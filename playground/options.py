"""What `python app.py` may be told: on the command line, or by the environment of a host."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PERSISTENT = Path("/data")  # where a Space keeps what outlives it
MAX_SLOTS = 64


def options(arguments: list[str] | None, about: str) -> argparse.Namespace:
    """Read the command line; argparse ends the program when it makes no sense."""
    env = os.environ
    parser = argparse.ArgumentParser(prog="app.py", description=about)
    parser.add_argument("--host", default=env.get("GRADIO_SERVER_NAME"))
    parser.add_argument("--port", type=_port, default=env.get("GRADIO_SERVER_PORT") or None)
    parser.add_argument(
        "--share",
        action="store_true",
        default=_yes(env.get("GRADIO_SHARE")),
        help="serve a public link through Gradio's tunnel",
    )
    parser.add_argument(
        "--runs-dir",
        type=Path,
        default=Path(env.get("PLAYGROUND_RUNS_DIR") or _home()),
        help="where runs are kept (also PLAYGROUND_RUNS_DIR)",
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        default=env.get("PLAYGROUND_WORKERS") or None,
        help="runs that train at the same time; without it as many as the machine carries",
    )
    parser.add_argument(
        "--workshop",
        nargs="?",
        const="",
        default=env.get("PLAYGROUND_WORKSHOP"),
        metavar="NAME",
        help="open a room for a class: join code, teacher's wall (on all addresses)",
    )
    parser.add_argument(
        "--ray",
        default=env.get("PLAYGROUND_RAY") or None,
        metavar="ADDRESS",
        help="send runs to a Ray cluster (auto, HOST:PORT or ray://HOST:PORT)",
    )
    parser.add_argument(
        "--gpu-share",
        type=_share,
        default=env.get("PLAYGROUND_GPU_SHARE") or None,
        metavar="F",
        help="with --ray: the part of a GPU that one run takes, above 0 and at most 1",
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        default=_yes(env.get("GRADIO_MCP_SERVER")),
        help='offer the named endpoints as MCP tools (needs pip install "gradio[mcp]")',
    )
    parser.add_argument(
        "--log-json",
        action="store_true",
        default=env.get("PLAYGROUND_LOG", "").lower() == "json",
        help="write the log as JSON lines (also PLAYGROUND_LOG=json)",
    )
    chosen = parser.parse_args(arguments)
    chosen.runs_dir = chosen.runs_dir.resolve()
    if chosen.host is None:
        chosen.host = "127.0.0.1" if chosen.workshop is None else "0.0.0.0"
    return chosen


def _home() -> Path:
    """Return the folder of runs: a Space's storage when there is one, else beside the code."""
    on_space = bool(os.environ.get("SPACE_ID"))
    if on_space and PERSISTENT.is_dir() and os.access(PERSISTENT, os.W_OK):
        return PERSISTENT / "runs"
    return ROOT / "checkpoints" / "runs"


def _yes(text: str | None) -> bool:
    return (text or "").lower() in ("1", "true", "yes")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535; got {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SLOTS:
        raise argparse.ArgumentTypeError(f"workers must be 1 to {MAX_SLOTS}; got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.0 < share <= 1.0:
        raise argparse.ArgumentTypeError(f"a share must be above 0 and at most 1; got {text!r}")
    return share
