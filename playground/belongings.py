"""What people brought: whose it is, how much one person keeps, and when it goes.

The list of each person lies in a file of its own under the server's root, named by a digest of
the owner token, so that it outlives a restart and no token lies on the disk. What is brought is
named by 60 bits or more that only its owner is told: the name is the link by which others may
use it. Two people who brought the same content each have it in their list; the file goes with
the last of them, and not before the runs under way that need it have ended.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine import data
from engine.errors import DataError, NoSpace, NotFound, Rejected
from engine.files import write_atomically
from playground.strings import t

log = logging.getLogger("playground")
MB = 1_000_000
LEAVING = "leaving"
UPLOAD = re.compile("upload/[A-Za-z0-9]{8,40}")


@dataclass(frozen=True)
class Bounds:
    """How much one person keeps, and what must stay free on the disk."""

    things: int = 20
    megabytes: int = 300
    free_megabytes: int = 1000

    @classmethod
    def of_server(cls, local: bool) -> Bounds:
        """Return the bounds of this server: hardly any where all people sit at it."""
        wide = cls(things=1000, megabytes=100_000)
        usual = wide if local else cls()
        return cls(
            _number("PLAY_OWNER_THINGS", usual.things), _number("PLAY_OWNER_MB", usual.megabytes)
        )


@dataclass
class Thing:
    """One thing that a person brought; times are seconds since 1970."""

    name: str
    title: str
    size: int
    brought: float
    used: float

    @property
    def kind(self) -> str:
        """Whether it is a checkpoint or a data set."""
        return "checkpoint" if self.name.startswith("upload/") else "dataset"


class Belongings:
    """Keep the lists; `in_use` returns the names that runs under way need."""

    def __init__(
        self, root: Path, in_use: Callable[[], set[str]] = set, bounds: Bounds | None = None
    ) -> None:
        self.root, self.bounds = root, bounds or Bounds()
        self._in_use = in_use
        self._folder = root / "belongings"
        self._lock = threading.RLock()
        self._of: dict[str, dict[str, Thing]] = dict(self._read())
        self._leaving = self._read_leaving()  # deleted, but needed by a run under way

    # ---- bringing -----------------------------------------------------------------------------

    def check_room(self, size: int = 0) -> None:
        """Raise `NoSpace` when the disk could not keep `size` bytes more."""
        free = shutil.disk_usage(self.root).free - size
        if free < self.bounds.free_megabytes * MB:
            raise NoSpace(t("security.disk_full", megabytes=self.bounds.free_megabytes))

    def bring(self, owner: str, name: str, title: str) -> list[str]:
        """Note that an owner brought what is on the disk now; return sentences about what went.

        What the owner used least lately goes when it is too much in all. Raises `Rejected` when
        it is too much alone; it is then gone again.
        """
        now = time.time()
        size = file_of(name, self.root).stat().st_size
        with self._lock:
            mine = self._of.setdefault(_digest(owner), {})
            before = mine.get(name)
            if size > self.bounds.megabytes * MB:
                self._forget(name)
                self.sweep()
                raise Rejected(t("security.things_full", megabytes=self.bounds.megabytes))
            self._leaving.discard(name)
            mine[name] = Thing(name, title, size, before.brought if before else now, now)
            gone = list(self._make_room(mine, name))
            self._write(owner)
        self.sweep()
        if not gone:
            return []
        about = {"things": self.bounds.things, "megabytes": self.bounds.megabytes}
        return [t("security.removed", titles=", ".join(f"“{g.title}”" for g in gone), **about)]

    def _make_room(self, mine: dict[str, Thing], kept: str) -> Iterator[Thing]:
        needed = self._in_use()
        oldest = sorted(mine.values(), key=lambda thing: (thing.name in needed, thing.used))
        for thing in oldest:
            few = len(mine) <= self.bounds.things
            if few and sum(one.size for one in mine.values()) <= self.bounds.megabytes * MB:
                return
            if thing.name != kept:
                del mine[thing.name]
                self._forget(thing.name)
                yield thing

    # ---- looking ------------------------------------------------------------------------------

    def of(self, owner: str) -> list[Thing]:
        """Return what an owner brought, oldest first."""
        with self._lock:
            return list(self._of.get(_digest(owner), {}).values())

    def describe(self, owner: str) -> dict[str, Any]:
        """Return what the owner is told: the things, and how much may be kept."""
        needed = self._in_use()
        things = [
            {**asdict(thing), "kind": thing.kind, "in_use": thing.name in needed}
            for thing in self.of(owner)
        ]
        return {"things": things, "bounds": asdict(self.bounds)}

    def check(self, name: Any) -> None:
        """Raise `NotFound` for what its owner deleted, and for what can't be an upload's name."""
        if not isinstance(name, str):
            return
        if name.startswith("upload/") and not UPLOAD.fullmatch(name):
            raise NotFound(t("security.no_upload"))
        if name in self._leaving:
            raise NotFound(t("security.going"))

    def used(self, owner: str, name: Any) -> None:
        """Note that an owner used a thing, which so goes later when room is needed."""
        with self._lock:
            mine = self._of.get(_digest(owner), {})
            if isinstance(name, str) and name in mine:
                mine[name].used = time.time()
                self._write(owner)

    # ---- going --------------------------------------------------------------------------------

    def remove(self, owner: str, name: Any) -> None:
        """Delete a thing of the owner; raises `NotFound` for what isn't in the owner's list."""
        with self._lock:
            mine = self._of.get(_digest(owner), {})
            if not isinstance(name, str) or name not in mine:
                raise NotFound(t("security.no_thing"))
            del mine[name]
            self._write(owner)
            self._forget(name)
        self.sweep()

    def _forget(self, name: str) -> None:
        if not any(name in things for things in self._of.values()):
            self._leaving.add(name)
            self._write_leaving()

    def sweep(self) -> None:
        """Delete the files of what has been deleted and is no longer needed."""
        with self._lock:
            if not self._leaving:
                return
            for name in self._leaving - self._in_use():
                with suppress(OSError):
                    file_of(name, self.root).unlink(missing_ok=True)
                    self._leaving.discard(name)
            self._write_leaving()

    # ---- on the disk --------------------------------------------------------------------------

    def _write(self, owner: str) -> None:
        path = self._folder / f"{_digest(owner)}.json"
        things = [asdict(thing) for thing in self._of.get(_digest(owner), {}).values()]
        try:
            if things:
                write_atomically(path, json.dumps(things).encode())
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise NoSpace(t("security.disk_full", megabytes=self.bounds.free_megabytes)) from error

    def _write_leaving(self) -> None:
        with suppress(OSError):  # it is deleted now or, if the server ends before, never
            write_atomically(self._folder / LEAVING, json.dumps(sorted(self._leaving)).encode())

    def _read_leaving(self) -> set[str]:
        try:
            names = json.loads((self._folder / LEAVING).read_bytes())
            return {name for name in names if file_of(name, self.root)}
        except (OSError, ValueError, TypeError, DataError):
            return set()

    def _read(self) -> Iterator[tuple[str, dict[str, Thing]]]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                things = [Thing(**found) for found in json.loads(path.read_bytes())]
                there = [one for one in things if file_of(one.name, self.root).is_file()]
                yield path.stem, {thing.name: thing for thing in there}
            except (OSError, ValueError, TypeError, DataError) as error:
                log.warning("the list %s of what somebody brought cannot be read: %s", path, error)


def file_of(name: str, root: Path) -> Path:
    """Return where a thing lies; only letters and digits of its name ever reach a path."""
    if UPLOAD.fullmatch(name):
        return root / "uploads" / f"{name.removeprefix('upload/')}.safetensors"
    return data.saved_file(name, root)


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _number(name: str, usual: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() and int(text) > 0 else usual
