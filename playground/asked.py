"""What a request says: whose it is, its JSON, its numbers."""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request

from engine.errors import Rejected
from playground.strings import t

OWNER = re.compile(r"[A-Za-z0-9_\-]{16,128}")


def owner_of(request: Request) -> str:
    """Return the owner token; raises `Rejected` without one."""
    token = viewer_of(request)
    if token is None:
        raise Rejected(t("shell.owner_missing"), field="X-Play-Owner")
    return token


def viewer_of(request: Request) -> str | None:
    """Return the owner token, if there is one; it never stands in an address."""
    token = request.headers.get("x-play-owner", "")
    return token if OWNER.fullmatch(token) else None


async def body_of(request: Request) -> dict[str, Any]:
    """Read a JSON object; NaN, which JSON does not know, is refused by the parser."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise Rejected(t("shell.not_json")) from None
    if not isinstance(body, dict):
        raise Rejected(t("shell.not_object"))
    return body


def number_of(request: Request, name: str, default: int | None = None) -> int | None:
    """Return a whole number of the address; raises `Rejected` for what is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d{1,15}", text):
        raise Rejected(t("shell.not_whole", name=name, value=text[:40]), field=name)
    return int(text)
