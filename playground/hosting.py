"""What the host decides: how large a run may be, and who may see how the server is doing."""

from __future__ import annotations

import argparse
import os
import socket
from typing import Any

from engine.policy import Policy

ANYWHERE = ("0.0.0.0", "::", "[::]")
CLASS_MINUTES = 30  # of one run, where many share a machine
CLASS_HOUR_S = 1200.0  # of one person's training within an hour, before others go first


def policy(options: argparse.Namespace, executor: Any) -> Policy:
    """Return the quotas: next to none for one's own machine, fair shares where many come."""
    memory = getattr(executor, "memory_mb", None)
    if not (public(options) or options.workshop is not None):
        return Policy(max_under_way=max(3, executor.workers), memory_mb=memory)
    return Policy(
        max_seconds=CLASS_MINUTES * 60.0,
        hour_seconds=CLASS_HOUR_S,
        memory_mb=memory,
        keep_hours=24.0 if public(options) else None,
    )


def public(options: argparse.Namespace) -> bool:
    """Say whether strangers come: a Space, or a tunnel."""
    return bool(os.environ.get("SPACE_HOST")) or options.share


def log_level(options: argparse.Namespace) -> str:
    """Return how much the log tells: on one's own machine only what is wrong."""
    told = options.log_json or options.workshop is not None or public(options)
    return "INFO" if told else "WARNING"


def address(host: str, port: int) -> str:
    """Return an address of the server that others on its network can open, too."""
    space = os.environ.get("SPACE_HOST")
    if space:
        return f"https://{space}"
    if host not in ANYWHERE:
        return f"http://{host}:{port}"
    return f"http://{_own_address()}:{port}"


def _own_address() -> str:
    """Return this machine's address on its network; asks no one, only the routing table."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
