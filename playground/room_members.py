"""Who is in a room: nicknames of students by a digest of their owner tokens, kept on the disk.

No token lies in the file, so that nobody who reads it can act as a student.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.errors import Busy, NotFound, Rejected
from playground.strings import t

MOST_MEMBERS = 200
NICKNAME_LETTERS = 24
HERE_S = 12.0  # a page asks every two seconds, one that is hidden does not


def digest(owner: str) -> str:
    """Return what stands in the file for an owner token."""
    return hashlib.sha256(owner.encode()).hexdigest()


def nickname(text: Any) -> str:
    """Return a nickname as it is shown, or raise `Rejected`."""
    plain = unicodedata.normalize("NFC", text) if isinstance(text, str) else ""
    kept = "".join(" " if c.isspace() else c for c in plain if c.isspace() or c.isprintable())
    name = " ".join(kept.split())
    marks = sum(unicodedata.combining(c) != 0 for c in unicodedata.normalize("NFD", name))
    if not any(c.isalnum() for c in name) or marks > 2 * sum(c.isalnum() for c in name):
        raise Rejected(t("room.name_empty"), "nickname")
    if len(name) > NICKNAME_LETTERS:
        raise Rejected(t("room.name_long", most=NICKNAME_LETTERS, got=len(name)), "nickname")
    return name


@dataclass
class Member:
    """One student. `id` is what the teacher's page calls them; `who` is the owner's digest."""

    id: str
    who: str
    nickname: str
    joined: float
    hand: float | None = None  # since when it is raised
    tab: str = ""
    removed: bool = False
    push: dict[str, Any] | None = None
    seen: float = field(default=-1e9, compare=False)  # monotonic
    news: int = field(default=0, compare=False)

    @property
    def here(self) -> bool:
        """Whether the student's page has asked a moment ago."""
        return time.monotonic() - self.seen < HERE_S

    def to_disk(self) -> dict[str, Any]:
        """Return what is kept over a restart."""
        kept = asdict(self)
        del kept["seen"], kept["news"]
        return kept


class Members:
    """All students of a room. Not thread-safe: the room locks."""

    def __init__(self, found: list[dict[str, Any]] = []) -> None:  # noqa: B006  (only read)
        known = Member.__dataclass_fields__
        self._by_who = {m.who: m for m in (Member(**_only(one, known)) for one in found)}

    def __iter__(self) -> Iterator[Member]:
        return (m for m in self._by_who.values() if not m.removed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def to_disk(self) -> list[dict[str, Any]]:
        """Return all of them, the removed ones too."""
        return [m.to_disk() for m in self._by_who.values()]

    def known(self, owner: str) -> Member | None:
        """Return the student with this token, if there is one; perhaps a removed one."""
        return self._by_who.get(digest(owner))

    def get(self, member_id: Any) -> Member:
        """Return a student by the id of the teacher's page, or raise `NotFound`."""
        for member in self:
            if member.id == member_id:
                return member
        raise NotFound(t("room.no_member"))

    def join(self, owner: str, wanted: Any) -> Member:
        """Let somebody in, or back in; a taken nickname gets a number."""
        name = nickname(wanted)
        who = digest(owner)
        known = self._by_who.get(who)
        if known is not None and not known.removed:
            known.nickname = self.free(name, known)
            return known
        if len(self) >= MOST_MEMBERS:
            raise Busy(t("room.full", most=MOST_MEMBERS))
        member = Member(secrets.token_hex(4), who, self.free(name), time.time())
        if len(self._by_who) >= 4 * MOST_MEMBERS:  # removed ones are not kept without end
            self._by_who = {w: m for w, m in self._by_who.items() if not m.removed}
        self._by_who[who] = member
        return member

    def free(self, name: str, but: Member | None = None) -> str:
        """Return the name, or with a number when another student has it."""
        taken = {_folded(m.nickname) for m in self if m is not but}
        if _folded(name) not in taken:
            return name
        for number in range(2, 2 * MOST_MEMBERS + 2):
            ending = f" {number}"
            tried = name[: NICKNAME_LETTERS - len(ending)].rstrip() + ending
            if _folded(tried) not in taken:
                return tried
        raise Busy(t("room.full", most=MOST_MEMBERS))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _only(found: dict[str, Any], known: Any) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in known}
