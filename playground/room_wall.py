"""What the teacher's wall shows, told as changes: whoever asks names what they have (`after`).

Texts and pictures have numbers of their own. An answer holds all texts that changed, and as many
pictures as fit, those that waited longest first: a hundred students cost a bounded number of
bytes a second.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from engine import run_views
from engine.errors import NotFound
from engine.events import ACTIVE
from engine.run_record import Run
from playground.room_lesson import preset_title
from playground.room_members import Member, digest
from playground.room_run import Watched

if TYPE_CHECKING:
    from engine.runs import RunStore

CURSOR = re.compile(r"([0-9a-f]{8})\.(\d{1,12})\.(\d{1,12})")
PICTURE_BYTES = 160_000  # of one answer
LOOK_S = 0.4  # two walls cost hardly more than one
FRESH_S = 0.3  # of one look, for runs that are new here: after a restart they lie on the disk
VIEW = (
    "id", "model", "dataset", "title", "state", "step", "max_steps", "steps_per_s", "remaining_s",
    "position", "eta_s", "frozen", "resting", "message",
)  # fmt: skip


class Wall:
    """All tiles with the numbers of their last changes. Thread-safe."""

    def __init__(self, store: RunStore, epoch: str) -> None:
        self._store, self._epoch = store, epoch
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}
        self._watched: dict[str, Watched] = {}  # by run
        self._presets: dict[str, tuple[Any, str | None]] = {}  # by run
        self._tiles: dict[str, tuple[bytes, int]] = {}  # by member
        self._gone: dict[str, int] = {}
        self._shown: dict[str, str] = {}  # member -> run
        self._texts = self._pictures = 0
        self._looked = self._spot_looked = -1e9
        self._spot: Watched | None = None  # what is shown to all, when no tile shows it

    def answer(self, after: str, members: Iterable[Member], room: dict[str, Any]) -> bytes:
        """Return what changed since the cursor `after`, with the room's own state, as JSON."""
        with self._lock:
            if time.monotonic() - self._looked > LOOK_S:
                self._look(list(members))
                self._looked = time.monotonic()
            found = CURSOR.fullmatch(after)
            texts, pictures = (0, 0)
            if found and found[1] == self._epoch:
                texts, pictures = int(found[2]), int(found[3])
            return self._changes(texts, pictures, room)

    def run_of(self, member_id: str) -> str | None:
        """Return the run that a member's tile shows."""
        with self._lock:
            return self._shown.get(member_id)

    def runs_of(self, member: Member) -> list[Run]:
        """Return all runs of a member, newest first."""
        with self._store.table.lock:
            runs = [r for r in self._store.table.runs.values() if self._digest(r) == member.who]
        return sorted(runs, key=lambda r: -r.created)

    def picture(self, run_id: str, after: int) -> tuple[int, bytes] | None:
        """Return (number, preview event as JSON) of a run's newest picture, if it is newer."""
        with self._lock:
            watched = self._watched.get(run_id) or self._spot
            if watched is None or watched.run_id != run_id:
                watched = self._spot = Watched(run_id)
            if time.monotonic() - self._spot_looked > LOOK_S or watched.picture is None:
                self._spot_looked = time.monotonic()
                if watched.read_on(self._store) and run_id in self._watched:
                    self._pictures += 1
                    watched.version = self._pictures
            newer = watched.picture is not None and watched.picture_seq > after
            return (watched.picture_seq, watched.picture) if newer and watched.picture else None

    # ---- looking ----------------------------------------------------------------------------

    def _digest(self, run: Run) -> str:
        known = self._digests.get(run.owner)
        if known is None:
            if len(self._digests) > 5000:
                self._digests.clear()
            known = self._digests[run.owner] = digest(run.owner)
        return known

    def _look(self, members: list[Member]) -> None:
        views = self._views(members)
        until = time.monotonic() + FRESH_S
        for member in members:
            view = views.get(member.id)
            if view is None:
                self._shown.pop(member.id, None)
                self._tell(member, None, None)
                continue
            run_id = self._shown[member.id] = view["id"]
            watched = self._watched.get(run_id)
            if watched is None:
                if time.monotonic() > until:
                    self._tell(member, view, None)  # its picture comes with a later look
                    continue
                watched = self._watched[run_id] = Watched(run_id)
            try:
                if watched.read_on(self._store):
                    self._pictures += 1
                    watched.version = self._pictures
            except NotFound:
                continue  # deleted a moment ago
            self._tell(member, view, watched)
        self._leave(members)

    def _views(self, members: list[Member]) -> dict[str, dict[str, Any]]:
        """Return the view of the run that stands for each member: one under way, else the last."""
        by_who = {member.who: member for member in members}
        chosen: dict[str, Run] = {}
        with self._store.table.lock:
            for run in self._store.table.runs.values():
                member = by_who.get(self._digest(run))
                if member is None:
                    continue
                before = chosen.get(member.id)
                if before is None or _rank(run) > _rank(before):
                    chosen[member.id] = run
            place = self._store.turns.place
            views = {
                who: (run.id, run.config, run_views.view(run, place(run), ""))
                for who, run in chosen.items()
            }
        return {who: self._view(*found) for who, found in views.items()}

    def _view(self, run_id: str, config: dict[str, Any], view: dict[str, Any]) -> dict[str, Any]:
        known = self._presets.get(run_id)
        if known is None or known[0] is not config:
            title = preset_title(view["model"], view["dataset"], config)
            known = self._presets[run_id] = (config, title)
        shown = {name: view.get(name) for name in VIEW}
        # While others wait, "running" and "queued" alternate: one steady word for both.
        between = view["state"] in ("queued", "starting", "running")
        turns = between and bool(view.get("turns_with")) and bool(view.get("served_s"))
        more = {"preset": known[1], "saved": bool(view["checkpoints"]), "turns": turns}
        return {**shown, **more}

    def _tell(self, member: Member, view: Any, watched: Watched | None) -> None:
        tile = {
            "id": member.id,
            "nickname": member.nickname,
            "joined": member.joined,
            "hand": member.hand,
            "here": member.here,
            "tab": member.tab,
            "run": view,
            "alert": watched.alert if watched else None,
            "spark": watched.spark() if watched else [],
        }
        body = orjson.dumps(tile)
        if self._tiles.get(member.id, (b"", 0))[0] != body:
            self._texts += 1
            self._tiles[member.id] = (body, self._texts)

    def _leave(self, members: list[Member]) -> None:
        here = {member.id for member in members}
        for gone in [one for one in self._tiles if one not in here]:
            del self._tiles[gone]
            self._shown.pop(gone, None)
            self._texts += 1
            self._gone[gone] = self._texts
        shown = set(self._shown.values())
        for kept in (self._watched, self._presets):
            for run_id in [one for one in kept if one not in shown]:
                del kept[run_id]  # type: ignore[attr-defined]

    # ---- telling ----------------------------------------------------------------------------

    def _changes(self, texts: int, pictures: int, room: dict[str, Any]) -> bytes:
        tiles = [body for body, number in self._tiles.values() if number > texts]
        gone = [member for member, number in self._gone.items() if number > texts]
        sent, last = self._newer(pictures)
        head = {"cursor": f"{self._epoch}.{self._texts}.{last}", "room": room, "gone": gone}
        return b'%b,"tiles":[%b],"pictures":[%b]}' % (
            orjson.dumps(head)[:-1],
            b",".join(tiles),
            b",".join(sent),
        )

    def _newer(self, after: int) -> tuple[list[bytes], int]:
        """Return pictures that changed after a number, oldest first, and the last one's number."""
        waiting = []
        for member, run_id in self._shown.items():
            watched = self._watched.get(run_id)
            if watched is not None and watched.picture and watched.version > after:
                waiting.append((watched.version, member, watched.picture))
        waiting.sort(key=lambda one: one[0])
        sent: list[bytes] = []
        room = PICTURE_BYTES
        for number, member, picture in waiting:
            if sent and len(picture) > room:
                return sent, after
            room -= len(picture)
            sent.append(b'{"id":"%b","event":%b}' % (member.encode(), picture))
            after = number
        return sent, max(after, self._pictures)


def _rank(run: Run) -> tuple[bool, float]:
    return run.state in ACTIVE, run.created
