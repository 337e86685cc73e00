"""What the server writes to its log: one line an event, plain or JSON, and nothing about people.

Only the names in `FIELDS` are written of a record's `extra`; in all text, owner tokens, keys,
addresses and what stands behind a word like `prompt` are blotted out.
"""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import re
import sys
import threading
import time
from typing import IO, Any

log = logging.getLogger("playground")
FIELDS = (
    "event",
    "run",
    "model",
    "state",
    "step",
    "steps",
    "seconds",
    "waited_s",
    "method",
    "route",
    "status",
    "ms",
    "pid",
    "count",
    "reason",
    "version",
    "device",
    "slots",
    "python",
)
NOISY = ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "asyncio", "gradio")
MOST_TEXT = 2000
MOST_TRACE = 8000

_SECRET = re.compile(
    r"""(?ix) \b (x-play-\w+|owner|token|key|nickname|nick|prompt|authorization|cookie)
    (["']?\s*[=:]\s*) (?: "[^"]*" | '[^']*' | [^\s,;&)}\]]+ )"""
)
_IPV4 = re.compile(r"(?<![\d.])(?!127\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(
    r"(?<![\w:])(?!::1(?![\w:]))(?=[0-9a-fA-F:]*::|(?:[0-9a-fA-F]{1,4}:){7})"
    r"[0-9a-fA-F:]{3,39}(?:%\w+)?(?![\w:])"
)


def set_up(
    as_json: bool = False, level: int | str = logging.INFO, out: IO[str] | None = None
) -> None:
    """Send the log to stderr in one form; calling it again replaces what was set.

    Call it once more after Gradio has started: uvicorn brings handlers of its own.
    """
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(JSONLines() if as_json else Plain())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("playground").setLevel(level)
    for name in NOISY:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
    loop = logging.getLogger("asyncio")
    if not any(isinstance(kept, OnceAMinute) for kept in loop.filters):
        loop.addFilter(OnceAMinute())
    logging.captureWarnings(as_json)  # so that every line is JSON
    threading.excepthook = _thread_died


def server_started(version: str, device: str, slots: int) -> None:
    """Write the first line: what runs here."""
    extra = {
        "event": "started",
        "version": version,
        "device": device,
        "slots": slots,
        "pid": os.getpid(),
        "python": platform.python_version(),
    }
    log.info("server started", extra=extra)


def server_stopped(parked: int) -> None:
    """Write the last line: how many runs were put away for the next start."""
    log.info("server stopped", extra={"event": "stopped", "count": parked})


def _thread_died(what: threading.ExceptHookArgs) -> None:
    """Write what ended a thread of ours, with its traceback."""
    if what.exc_type is SystemExit or what.exc_value is None:
        return
    trace = (what.exc_type, what.exc_value, what.exc_traceback)
    log.error("a thread died", exc_info=trace, extra={"event": "error"})


class OnceAMinute(logging.Filter):
    """Lets one record of a text pass a minute: each refused connection is told with a trace."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether this text has not been told within the last minute."""
        now = time.monotonic()
        self._last = {text: at for text, at in self._last.items() if now - at < 60.0}
        if record.msg in self._last:
            return False
        self._last[str(record.msg)] = now
        return True


class JSONLines(logging.Formatter):
    """One JSON object a line: time, level, logger, text, and what `FIELDS` names."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": clean(record.getMessage())[:MOST_TEXT],
            **fields(record),
        }
        if record.exc_info:
            line["error"] = clean(self.formatException(record.exc_info))[-MOST_TRACE:]
        return json.dumps(line, ensure_ascii=False)


class Plain(logging.Formatter):
    """A line for people: time, level, text, then name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end; a traceback follows on lines of its own."""
        shown = {k: v for k, v in fields(record).items() if k != "event"}
        rest = " ".join(f"{name}={value}" for name, value in shown.items())
        text = clean(record.getMessage())[:MOST_TEXT].replace("\n", "\\n")
        line = f"{_time(record.created)} {record.levelname:<7} {text} {rest}".rstrip()
        if record.exc_info:
            line += "\n" + clean(self.formatException(record.exc_info))[-MOST_TRACE:]
        return line


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what may be written of a record's `extra`."""
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a number as it is (rounded, None for NaN), all else as clean text."""
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    return value if isinstance(value, int) else clean(str(value))[:MOST_TEXT]


def clean(text: str) -> str:
    """Return a text without tokens, keys, prompts and addresses."""
    text = _SECRET.sub(r"\1\2[…]", text)
    return _IPV6.sub("[address]", _IPV4.sub("[address]", text))


def _time(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
