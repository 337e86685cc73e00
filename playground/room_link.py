"""How people find the room: the link, its QR code as SVG or in the terminal, what is printed."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import Rejected
from playground.strings import t

if TYPE_CHECKING:
    from playground.room import Room

WALL = "/gradio_api/play/wall"
ORIGIN = re.compile(r"https?://[\w.\-\[\]:]{1,200}(/[\w.\-/]{0,100})?")


def join_link(address: str, code: str) -> str:
    """Return the address under which students join."""
    return f"{address.rstrip('/')}/?room={code}"


def qr_svg(origin: Any, code: str) -> bytes:
    """Draw the join link of a page's address; raises `Rejected` for what is no address."""
    import segno

    if not isinstance(origin, str) or not ORIGIN.fullmatch(origin):
        raise Rejected(t("room.origin"), "origin")
    buffer = io.BytesIO()
    code_picture = segno.make(join_link(origin, code), error="m", micro=False)
    code_picture.save(buffer, kind="svg", scale=8, border=2, xmldecl=False, light="#ffffff")
    return buffer.getvalue()


def banner(room: Room) -> str:
    """Return what the terminal shows when a room opens."""
    import segno

    address = room.address or ""
    link = join_link(address, room.code)
    lines = [
        "",
        t("room.banner_name", name=room.name, code=spaced(room.code)),
        t("room.banner_join", link=link),
        t("room.banner_wall", link=f"{address}{WALL}#key={room.key}"),
        t("room.banner_secret"),
    ]
    if "127.0.0.1" in address or "localhost" in address:
        lines.append(t("room.banner_local"))
    if sys.stdout.isatty():
        drawn = io.StringIO()
        segno.make(link, error="l", micro=False).terminal(out=drawn, border=2, compact=True)
        lines += ["", drawn.getvalue()]
    return "\n".join(lines)


def spaced(code: str) -> str:
    """Return a code in two halves, easier to read aloud."""
    half = len(code) // 2
    return f"{code[:half]} {code[half:]}"


def limits_sentence(limits: Mapping[str, Any]) -> str:
    """Return the teacher's limits as one sentence, empty without any."""
    parts = []
    if "steps" in limits:
        parts.append(t("room.limits_steps", value=f"{limits['steps']:,}"))
    if "seconds" in limits:
        parts.append(t("room.limits_seconds", value=f"{limits['seconds']:,}"))
    for name, most in limits.get("sizes", {}).items():
        parts.append(t("room.limits_size", name=name.replace("_", " "), value=f"{most:,g}"))
    return t("room.limits_all", parts=", ".join(parts)) if parts else ""
