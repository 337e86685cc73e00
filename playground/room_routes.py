"""The room's addresses: what students' pages ask, and what only the teacher's key opens."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from engine.errors import Busy, Forbidden, NotFound, Rejected
from playground.answers import json_bytes
from playground.asked import body_of, number_of, owner_of, viewer_of
from playground.origins import Origins, proxies
from playground.room_link import qr_svg
from playground.room_page import page
from playground.strings import t

if TYPE_CHECKING:
    from playground.room import Room

Handler = Callable[[Request], Awaitable[Any]]
KEY_HEADER = "x-play-teacher"
TICKET_S = 180.0
TICKET = re.compile(r"[A-Za-z0-9_\-]{32}")
FILE_NAME = re.compile(r"[^A-Za-z0-9]+")


def routes(room: Room) -> list[Route]:
    """Return the routes of a room."""
    from playground.routes import PREFIX, guarded

    def route(path: str, method: str, handler: Handler) -> Route:
        async def bound(service: Any, request: Request) -> Any:
            return await handler(request)

        bound.__name__ = handler.__name__
        return Route(PREFIX + path, guarded(room.service, bound), methods=[method])

    doors, teacher = _Students(room), _Teacher(room)
    return [
        route("/room/state", "GET", doors.state),
        route("/room/join", "POST", doors.join),
        route("/room/hand", "POST", doors.hand),
        route("/room/spotlight", "GET", doors.spotlight),
        route("/wall", "GET", teacher.page),
        route("/room/wall", "GET", teacher.wall),
        route("/room/qr", "GET", teacher.qr),
        route("/room/act", "POST", teacher.act),
        route("/room/export", "POST", teacher.export),
        route("/room/export/{ticket}.zip", "GET", teacher.fetch),
    ]


class _Students:
    """What everyone's page may ask."""

    def __init__(self, room: Room) -> None:
        self.room, self._origins = room, Origins((), proxies())

    async def state(self, request: Request) -> Any:
        query = request.query_params
        return self.room.state(
            owner_of(request),
            query.get("code"),
            query.get("after", "")[:40],
            query.get("tab", ""),
            self._peer(request),
        )

    async def join(self, request: Request) -> Any:
        owner, body = owner_of(request), await body_of(request)
        return await asyncio.to_thread(
            self.room.join, owner, body.get("code"), body.get("nickname"), self._peer(request)
        )

    async def hand(self, request: Request) -> Any:
        owner, body = owner_of(request), await body_of(request)
        return await asyncio.to_thread(self.room.raise_hand, owner, body.get("up") is True)

    async def spotlight(self, request: Request) -> Any:
        after = number_of(request, "after", 0) or 0
        about, picture = await asyncio.to_thread(self.room.spotlight, after)
        event = b"null" if picture is None else picture
        return json_bytes(orjson.dumps(about)[:-1] + b',"event":' + event + b"}")

    def _peer(self, request: Request) -> str:
        client = (request.client.host, request.client.port) if request.client else None
        return self._origins.peer(client, request.headers)


class _Teacher(_Students):
    """What only the key opens."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self._exporting = asyncio.Lock()
        self._tickets: dict[str, tuple[float, Any]] = {}

    def _check(self, request: Request) -> None:
        key = request.headers.get(KEY_HEADER, "")
        if not key:
            raise Forbidden(t("room.key_missing"))
        self.room.doors.check_key(key, self.room.key, self._peer(request))

    async def page(self, request: Request) -> Any:
        return HTMLResponse(page(), headers={"Cache-Control": "no-cache"})

    async def wall(self, request: Request) -> Any:
        self._check(request)
        after = request.query_params.get("after", "")[:60]
        if not after:
            self.room.teacher_is(viewer_of(request))
        return json_bytes(await asyncio.to_thread(self.room.wall_changes, after))

    async def qr(self, request: Request) -> Any:
        self._check(request)
        drawn = qr_svg(request.query_params.get("origin"), self.room.code)
        return Response(drawn, media_type="image/svg+xml")

    async def act(self, request: Request) -> Any:
        self._check(request)
        body = await body_of(request)
        name = body.get("action")
        action = ACTIONS.get(name) if isinstance(name, str) else None
        if action is None:
            raise Rejected(t("room.no_action", known=", ".join(ACTIONS)), "action")
        if name == "push":
            await self._push(body)
        else:
            await asyncio.to_thread(action, self.room, body)
        return {"ok": True}

    async def _push(self, body: dict[str, Any]) -> None:
        """Send a preset or a checkpoint; that of a student's run is kept first, as it is now."""
        room, to = self.room, body.get("to")
        if to is not None:
            room.members.get(to)
        if "preset" in body:
            what = room.preset(body.get("model"), body["preset"])
        elif "checkpoint" in body:
            name = body["checkpoint"]
            path = await room.service.saved_checkpoint(name)
            about = await asyncio.to_thread(_about, room, name, path)
            what = {"checkpoint": name, **about}
        else:
            what = await self._of_run(body.get("from"))
        await asyncio.to_thread(room.push, what, to)

    async def _of_run(self, member_id: Any) -> dict[str, Any]:
        room = self.room
        nickname, run_id = room.run_of(member_id)
        path = await room.service.run_checkpoint(run_id, None)
        content = await asyncio.to_thread(path.read_bytes)
        added = await room.service.add_checkpoint(room.keeper, "", content)
        title = t("room.run_of", name=nickname, title=added.get("title") or added["model"])
        return {"checkpoint": added["checkpoint"], "model": added["model"], "title": title}

    async def export(self, request: Request) -> Any:
        self._check(request)
        body = await body_of(request)
        if self._exporting.locked():
            raise Busy(t("room.exporting"))
        async with self._exporting:
            path = await asyncio.to_thread(self.room.export, body.get("runs") != "all")
        ticket = secrets.token_urlsafe(24)
        self._forget_tickets()
        self._tickets[ticket] = (time.monotonic() + TICKET_S, path)
        name = FILE_NAME.sub("-", self.room.name).strip("-") or "room"
        size = path.stat().st_size
        return {"ticket": ticket, "name": f"{name}.zip", "megabytes": round(size / 1e6, 1)}

    async def fetch(self, request: Request) -> Any:
        """Answer an export by its ticket, which counts once: a browser then saves as it comes."""
        self._forget_tickets()
        ticket = request.path_params["ticket"]
        found = self._tickets.pop(ticket, None) if TICKET.fullmatch(ticket) else None
        if found is None:
            raise NotFound(t("room.ticket_gone"))
        name = FILE_NAME.sub("-", self.room.name).strip("-") or "room"
        away = BackgroundTask(os.unlink, found[1])
        return FileResponse(
            found[1], media_type="application/zip", filename=f"{name}.zip", background=away
        )

    def _forget_tickets(self) -> None:
        now = time.monotonic()
        for ticket in [one for one, (until, _) in self._tickets.items() if until < now]:
            self._tickets.pop(ticket)[1].unlink(missing_ok=True)


def _about(room: Room, name: str, path: Any) -> dict[str, Any]:
    from engine import checkpoint
    from engine.runs import describe_checkpoint

    about = describe_checkpoint(name, checkpoint.read_header(path))
    return {"model": about["model"], "title": about["title"]}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Rejected(t("room.no_member"), name)
    return value


ACTIONS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "freeze": lambda room, body: room.freeze(True),
    "resume": lambda room, body: room.freeze(False),
    "spotlight": lambda room, body: room.show(body.get("member")),
    "push": lambda room, body: None,
    "limits": lambda room, body: room.limit(body),
    "hide": lambda room, body: room.hide(body),
    "end": lambda room, body: room.end(_text(body, "member")),
    "rename": lambda room, body: room.rename(_text(body, "member"), body.get("nickname")),
    "remove": lambda room, body: room.remove(_text(body, "member")),
    "lower": lambda room, body: room.lower(_text(body, "member")),
    "renew": lambda room, body: room.renew(),
}
