"""What a teacher may do with a room; the routes have checked the key before."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from engine.errors import NotFound
from engine.policy import Policy
from engine.runs import RunStore
from playground.room_doors import new_code
from playground.room_lesson import Lesson, checked_hidden, checked_limits, preset_of
from playground.room_members import Member, Members, nickname
from playground.room_wall import Wall
from playground.strings import t


class Teaching:
    """The teacher's half of `playground.room.Room`."""

    store: RunStore
    wall: Wall
    members: Members
    lesson: Lesson
    name: str
    code: str
    address: str | None
    _lock: threading.RLock
    _basis: Policy

    def wall_changes(self, after: str) -> bytes:
        """Return what changed on the teacher's wall, as JSON."""
        with self._lock:
            members = list(self.members)
            about = {
                "name": self.name,
                "code": self.code,
                "address": self.address,
                **self.lesson.to_disk(),
            }
        return self.wall.answer(after, members, about)

    def freeze(self, frozen: bool) -> None:
        """Let all runs stand still, or go on."""
        with self._lock:
            self.lesson.frozen = frozen
            self._apply_frozen()
            self._changed()

    def show(self, member_id: str | None) -> None:
        """Show the run of a student on all screens; None ends it."""
        with self._lock:
            if member_id is None:
                self.lesson.spotlight = None
            else:
                member = self.members.get(member_id)
                run_id = self._run_of(member)
                model = self.store.view(run_id)["model"]
                shown = {"run": run_id, "nickname": member.nickname, "model": model}
                self.lesson.spotlight = {**shown, "member": member.id}
            self._changed()

    def push(self, what: dict[str, Any], to: str | None) -> None:
        """Send a preset or a checkpoint to one student, or to all."""
        with self._lock:
            self.lesson.pushes += 1
            what = {**what, "n": self.lesson.pushes}
            if to is None:
                self.lesson.push = what
                self._changed()
            else:
                member = self.members.get(to)
                member.push = what
                self._changed(member)

    def preset(self, model: Any, key: Any) -> dict[str, Any]:
        """Return what a student's page needs of a preset."""
        preset = preset_of(model, key)
        return {"preset": preset.key, "model": preset.model, "title": preset.title}

    def limit(self, body: Mapping[str, Any]) -> None:
        """Bound steps, seconds and sizes of all runs that are started from now on."""
        limits = checked_limits(body)
        with self._lock:
            self.lesson.limits = limits
            self.store.policy = self.lesson.policy(self._basis)
            self._changed()

    def hide(self, body: Mapping[str, Any]) -> None:
        """Hide controls on all screens, and give sentences to try."""
        found = checked_hidden(body)
        with self._lock:
            self.lesson.hide, self.lesson.only = found["hide"], found["only"]
            self.lesson.tries = found["tries"]
            self._changed()

    def end(self, member_id: str) -> None:
        """End the run of a student; it is saved."""
        with self._lock:
            run_id = self._run_of(self.members.get(member_id))
        self.store.end(run_id, t("room.ended"))

    def rename(self, member_id: str, wanted: Any) -> None:
        """Give a student another nickname."""
        with self._lock:
            member = self.members.get(member_id)
            member.nickname = self.members.free(nickname(wanted), member)
            if self.lesson.spotlight and self.lesson.spotlight["member"] == member.id:
                self.lesson.spotlight = {**self.lesson.spotlight, "nickname": member.nickname}
                self._changed()
            self._changed(member)

    def remove(self, member_id: str) -> None:
        """Send a student out; what runs is ended, and saved as always."""
        with self._lock:
            member = self.members.get(member_id)
            runs = self.wall.runs_of(member)
            member.removed, member.hand, member.push = True, None, None
            if self.lesson.spotlight and self.lesson.spotlight["member"] == member.id:
                self.lesson.spotlight = None
            self._changed()
        for run in runs:
            with suppress(NotFound):
                self.store.end(run.id, t("room.ended"))

    def lower(self, member_id: str) -> None:
        """Lower a student's hand: the question is answered."""
        with self._lock:
            member = self.members.get(member_id)
            member.hand = None
            self._changed(member)

    def renew(self) -> None:
        """Begin with a new class: another code, nobody in the room, nothing set."""
        with self._lock:
            self.code, self.members = new_code(), Members()
            pushes = self.lesson.pushes
            self.lesson = Lesson(pushes=pushes)
            self._apply()
            self._changed()

    def run_of(self, member_id: str) -> tuple[str, str]:
        """Return (nickname, run) of a student."""
        with self._lock:
            member = self.members.get(member_id)
            return member.nickname, self._run_of(member)

    def _run_of(self, member: Member) -> str:
        run_id = self.wall.run_of(member.id)
        if run_id is None:
            runs = self.wall.runs_of(member)
            if not runs:
                raise NotFound(t("room.no_run", name=member.nickname))
            run_id = runs[0].id
        return run_id

    # ---- for `Room` ---------------------------------------------------------------------------

    def _apply(self) -> None:
        """Let the run store do what the lesson says."""
        self.store.policy = self.lesson.policy(self._basis)
        self._apply_frozen()

    def _apply_frozen(self) -> None:
        if self.lesson.frozen:
            self.store.freeze(None)
        else:
            self.store.thaw(None)

    def _changed(self, member: Member | None = None) -> None:
        raise NotImplementedError
