"""Visit every tab of a server where there is no network but the loopback; see test_offline.py.

    unshare -n python -m tests.faults.offline FOLDER

Prints one JSON object: the tabs that came up, and what went wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from tests.chromium import chromium
from tests.faults.servers import Person, served

IFF_UP, SIOCSIFFLAGS = 0x1, 0x8914
TABS = ("vae", "gan2d", "dcgan", "cyclegan", "text")


def main(folder: Path) -> None:
    """Visit all tabs, train once, print what was found."""
    raise_loopback()
    found: dict[str, Any] = {"tabs": [], "wrong": [], "outside": reaches_outside()}
    with served(folder, workers=1) as server, chromium() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: found["wrong"].append(str(error)))
        page.on("console", lambda m: found["wrong"].append(m.text) if m.type == "error" else None)
        page.on("requestfailed", lambda r: _note(found["wrong"], r))
        for tab in TABS:
            page.goto(f"{server.address}/?tab={tab}", wait_until="domcontentloaded")
            shown = f"#play-{tab}-train"
            page.wait_for_selector(shown, state="visible", timeout=90_000)
            found["tabs"].append(tab)
        person = Person(server)
        run = person.start(5)["id"]
        found["run"] = person.until_state(run, "finished", "failed")["state"]
    print(json.dumps(found))


def _note(wrong: list[str], request: Any) -> None:
    if "ERR_ABORTED" not in str(request.failure):  # the page was left
        wrong.append(f"{request.url} {request.failure}")


def raise_loopback() -> None:
    """Do what `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def reaches_outside() -> bool:
    """Say whether there is a way to another machine."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return True
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
