"""The room's code and the teacher's key: made, kept, compared, and guarded against guessing."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import Forbidden, PlaygroundError, Rejected
from playground.rate_limits import Buckets, Rate, TooMany
from playground.strings import t

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without I, L, O, 0 and 1
CODE_LETTERS = 6
KEY = re.compile(r"[A-Za-z0-9_\-]{22,200}")  # 22 letters of these are 132 bits
KEY_FILE = "room.key"
# A class behind one address mistypes now and then; 30 guesses a minute find a code in years.
WRONG_CODES = Rate(30 / 60, 40)
WRONG_KEYS = Rate(12 / 60, 12)


def new_code() -> str:
    """Return a code that can be read aloud and typed on a phone."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))


def plain_code(text: object) -> str:
    """Return a code as a person typed it, in the form in which codes are compared."""
    typed = str(text)[:40].upper() if isinstance(text, str) else ""
    return typed.translate(str.maketrans({" ": "", "-": "", "·": ""}))


def same(given: str, known: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(given.encode(), known.encode())


def kept_key(folder: Path, given: str | None = None) -> str:
    """Return the teacher's key: the one given, else the one kept in the folder, else a new one."""
    if given is not None:
        if not KEY.fullmatch(given):
            raise Rejected(t("room.key_weak"))
        return given
    path = folder / KEY_FILE
    try:
        found = path.read_text(encoding="ascii").strip()
        if KEY.fullmatch(found):
            os.chmod(path, 0o600)
            return found
        path.unlink()
    except (FileNotFoundError, UnicodeDecodeError):
        path.unlink(missing_ok=True)
    key = secrets.token_urlsafe(24)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key


class Doors:
    """Bound how often one address may be wrong. While it may not try, it is not even compared."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong = Buckets(5000, clock)
        self._shut: dict[tuple[str, str], float] = {}

    def check_code(self, given: object, code: str, address: str) -> None:
        """Raise one sentence for a wrong code, or when too many were wrong from there."""
        self._check_shut("code", address)
        if not same(plain_code(given), code):
            raise self._count("code", address, WRONG_CODES) or Forbidden(t("room.code_wrong"))

    def check_key(self, given: str, key: str, address: str) -> None:
        """As `check_code`, for the teacher's key; nobody guesses it, so the right one passes."""
        if not same(given[:300], key):
            self._check_shut("key", address)
            raise self._count("key", address, WRONG_KEYS) or Forbidden(t("room.key_wrong"))

    def _check_shut(self, kind: str, address: str) -> None:
        until = self._shut.get((kind, address), 0.0)
        left = until - self._clock()
        if left > 0:
            raise _often(left)
        self._shut.pop((kind, address), None)

    def _count(self, kind: str, address: str, rate: Rate) -> PlaygroundError | None:
        wait = self._wrong.take(kind, address, rate)
        if not wait:
            return None
        if len(self._shut) > 5000:
            self._shut.clear()
        self._shut[kind, address] = self._clock() + wait
        return _often(wait)


def _often(seconds: float) -> TooMany:
    whole = max(1, int(seconds + 0.999))
    return TooMany(t("room.often", seconds=whole), whole)
