"""A room for a class: who is in it, what the teacher has set, and who may do what.

The room stands between the routes and the run store: students join by a code, the teacher acts
by a key. What it keeps lies in `room.json` beside the runs, so that a restarted server knows
everyone again.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from engine.errors import Forbidden, NotFound
from engine.files import write_atomically
from playground import room_export, room_link
from playground.room_doors import Doors, kept_key, new_code
from playground.room_lesson import Lesson
from playground.room_members import Member, Members, digest
from playground.room_teaching import Teaching
from playground.room_wall import Wall
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

log = logging.getLogger("playground.room")

FILE = "room.json"
MOST_TEACHERS = 20
TAB_LETTERS = 32
ALWAYS_ALLOWED = ("stop", "pause", "look")


class Room(Teaching):
    """One room of one server; every method may be called from any thread."""

    def __init__(
        self, service: Service, folder: Path, name: str | None = None, key: str | None = None
    ) -> None:
        self.service, self.store = service, service.store
        self.folder = Path(folder)
        self.key = kept_key(self.folder, key)
        self.keeper = f"room-{digest(self.key)[:32]}"  # owns the checkpoints that are sent around
        self.address: str | None = None  # where students find the server; see `banner`
        self.epoch = secrets.token_hex(4)
        self.doors = Doors()
        self._lock = threading.RLock()
        self._basis = self.store.policy
        found = self._read()
        self.name = _room_name(name) or found.get("name") or t("room.default_name")
        self.code: str = found.get("code") or new_code()
        self.members = Members(found.get("members", []))
        self.lesson = Lesson.from_disk(found.get("lesson", {}))
        self._teachers: list[str] = list(found.get("teachers", []))
        self._news = 1  # counts changes; a page names the last one that it knows
        self._room_news = 1
        self.wall = Wall(self.store, self.epoch)
        self._apply()
        self._keep()

    def routes(self) -> list[Route]:
        """Return the room's routes, for `playground.routes.routes(service, extra=…)`."""
        from playground import room_routes

        return room_routes.routes(self)

    def banner(self, address: str) -> str:
        """Return what is printed at start-up: join link, code, the teacher's link, a QR code."""
        self.address = address.rstrip("/")
        return room_link.banner(self)

    def export(self, newest: bool = True) -> Path:
        """Write what all students made to a temporary zip file; return its path."""
        with self._lock:
            students = [(m.nickname, self.wall.runs_of(m)) for m in self.members]
        return room_export.written(self.service, self.name, students, newest)

    # ---- who may do what --------------------------------------------------------------------

    def check_start(self, owner: str, body: Mapping[str, Any]) -> None:
        """Raise `Forbidden` unless a student of the room, or its teacher, wants to train."""
        with self._lock:
            if not self._belongs(owner):
                raise Forbidden(t("room.join_first"))

    def check_command(self, owner: str, run_id: str, body: Mapping[str, Any]) -> None:
        """As `check_start`; ending and pausing is allowed to everyone."""
        name = body.get("command") if isinstance(body, Mapping) else None
        if name not in ALWAYS_ALLOWED:
            self.check_start(owner, body)

    def _belongs(self, owner: str) -> bool:
        member = self.members.known(owner)
        return (member is not None and not member.removed) or digest(owner) in self._teachers

    def teacher_is(self, owner: str | None) -> None:
        """Note with which token the teacher's browser trains."""
        with self._lock:
            if owner is not None and digest(owner) not in self._teachers:
                self._teachers = [*self._teachers[-MOST_TEACHERS + 1 :], digest(owner)]
                self._keep()

    # ---- students ---------------------------------------------------------------------------

    def join(self, owner: str, code: Any, wanted: Any, address: str) -> dict[str, Any]:
        """Let a student in by the room's code; return what `state` returns."""
        with self._lock:
            known = self.members.known(owner)
            if known is None or known.removed:
                self.doors.check_code(code, self.code, address)
            member = self.members.join(owner, wanted)
            member.seen = time.monotonic()
            self._changed(member)
            return self._state(member)

    def state(
        self, owner: str, code: str | None, after: str, tab: str, address: str
    ) -> dict[str, Any]:
        """Return what a page has to know of the room; only a cursor when nothing is new."""
        with self._lock:
            member = self.members.known(owner)
            if member is None or member.removed:
                return self._outside(member, code, address)
            member.seen, member.tab = time.monotonic(), _tab(tab)
            cursor = self._cursor(member)
            return {"cursor": cursor} if after == cursor else self._state(member)

    def raise_hand(self, owner: str, up: bool) -> dict[str, Any]:
        """Raise a student's hand, or lower it."""
        with self._lock:
            member = self.members.known(owner)
            if member is None or member.removed:
                raise Forbidden(t("room.join_first"))
            if up != (member.hand is not None):
                member.hand = time.time() if up else None
                self._changed(member)
            return self._state(member)

    def spotlight(self, after: int) -> tuple[dict[str, Any], bytes | None]:
        """Return the run that is shown to all, and its picture when there is a newer one."""
        with self._lock:
            shown = self.lesson.spotlight
        if shown is None:
            raise NotFound(t("room.no_spotlight"))
        view = self.store.view(shown["run"])
        entry = self.wall.picture(shown["run"], after)
        about = {name: view[name] for name in ("id", "model", "state", "step", "max_steps")}
        return {**about, "seq": entry[0] if entry else after}, entry[1] if entry else None

    def _outside(self, member: Member | None, code: str | None, address: str) -> dict[str, Any]:
        """What somebody is told who is not in the room; the name only to who has the code."""
        told: dict[str, Any] = {"cursor": "", "member": None, "removed": member is not None}
        if code:
            self.doors.check_code(code, self.code, address)
            told["room"] = self.name
        return told

    def _state(self, member: Member) -> dict[str, Any]:
        lesson = self.lesson
        pushes = [p for p in (lesson.push, member.push) if p]
        return {
            "cursor": self._cursor(member),
            "member": {"nickname": member.nickname, "hand": member.hand is not None},
            "room": self.name,
            "code": self.code,
            "frozen": lesson.frozen,
            "spotlight": lesson.spotlight,
            "push": max(pushes, key=lambda p: p["n"]) if pushes else None,
            "hide": lesson.hide,
            "only": lesson.only,
            "tries": lesson.tries,
            "limits": room_link.limits_sentence(lesson.limits),
        }

    def _cursor(self, member: Member) -> str:
        return f"{self.epoch}.{max(self._room_news, member.news)}"

    # ---- keeping ----------------------------------------------------------------------------

    def _changed(self, member: Member | None = None) -> None:
        """Count a change, of one student or of the whole room, and write it down."""
        self._news += 1
        if member is None:
            self._room_news = self._news
        else:
            member.news = self._news
        self._keep()

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / FILE).read_bytes())
            return found if isinstance(found, dict) else {}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            log.warning("the room's file is damaged; a new room begins")
            return {}

    def _keep(self) -> None:
        kept = {
            "name": self.name,
            "code": self.code,
            "members": self.members.to_disk(),
            "lesson": self.lesson.to_disk(),
            "teachers": self._teachers,
        }
        try:
            write_atomically(self.folder / FILE, json.dumps(kept).encode(), sync=False)
        except OSError as error:
            log.warning("the room could not be saved: %s", error.strerror)


def _room_name(name: str | None) -> str:
    kept = "".join(c if c.isprintable() else " " for c in name or "")
    return " ".join(kept.split())[:60]


def _tab(text: str) -> str:
    return text[:TAB_LETTERS] if text[:TAB_LETTERS].replace("_", "").isalnum() else ""
