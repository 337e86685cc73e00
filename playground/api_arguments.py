"""What a program sends to the named endpoints, checked: Gradio passes anything through.

Numbers may come as NaN, true or 3.7, choices as lists, texts as megabytes. Each reader returns
the value or raises `Rejected` with one sentence that names the parameter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from engine.errors import Rejected
from playground.asked import OWNER
from playground.strings import t

MOST_TEXT = 200
MOST_JSON = 256 * 1024  # bytes, as the routes allow
MOST_NUMBERS = 4096


def owner(value: Any) -> str:
    """Read an owner token: the secret by which one's own runs are known."""
    if not isinstance(value, str) or not OWNER.fullmatch(value):
        raise Rejected(t("ops.api_owner"), field="owner")
    return value


def text(value: Any, name: str, most: int = MOST_TEXT) -> str:
    """Read a text of at most `most` characters; None is an empty one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected(t("ops.api_text", name=name, value=shown(value)), field=name)
    if len(value) > most:
        raise Rejected(t("ops.api_text_long", name=name, most=most, count=len(value)), field=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Rejected(t("ops.api_text_broken", name=name), field=name) from None
    return value


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Read a whole number; JSON's 3.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        sentence = t("ops.api_whole", name=name, low=low, high=high, value=shown(value))
        raise Rejected(sentence, field=name)
    return value


def number(value: Any, name: str, low: float, high: float) -> float:
    """Read a finite number."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high:
        sentence = t(
            "ops.api_number", name=name, low=f"{low:g}", high=f"{high:g}", value=shown(value)
        )
        raise Rejected(sentence, field=name)
    return float(value)


def numbers(value: Any, name: str) -> list[float]:
    """Read a list of finite numbers."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NUMBERS:
        raise Rejected(t("ops.api_numbers", name=name, value=shown(value)), field=name)
    for item in value:
        good = isinstance(item, (int, float)) and not isinstance(item, bool)
        if not good or not math.isfinite(item):
            raise Rejected(t("ops.api_numbers", name=name, value=shown(item)), field=name)
    return [float(item) for item in value]


def choice(value: Any, name: str, known: Sequence[str]) -> str:
    """Read one of several words."""
    if not isinstance(value, str) or value not in known:
        listed = ", ".join(known)
        raise Rejected(t("ops.api_choice", name=name, known=listed, value=shown(value)), field=name)
    return value


def mapping(value: Any, name: str) -> dict[str, Any]:
    """Read a JSON object without NaN, not too large and not too deep; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Rejected(t("ops.api_object", name=name, value=shown(value)), field=name)
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (ValueError, TypeError, RecursionError):
        raise Rejected(t("ops.api_json", name=name), field=name) from None
    if size > MOST_JSON:
        raise Rejected(t("ops.api_large", name=name, most=MOST_JSON // 1024), field=name)
    return value


def source(value: Any, name: str = "source") -> dict[str, Any]:
    """Read what is explored: a checkpoint's name (with a /), a run's id, or {"run": id}."""
    if isinstance(value, str) and value:
        asked = text(value, name)
        return {"checkpoint" if "/" in asked else "run": asked}
    if isinstance(value, dict) and len(value) == 1:
        key, given = next(iter(value.items()))
        if key in ("checkpoint", "run") and isinstance(given, str):
            return {key: text(given, name)}
    raise Rejected(t("ops.api_source", name=name, value=shown(value)), field=name)


def shown(value: Any) -> str:
    """Return a value as an error may repeat it: short."""
    return repr(value)[:40]
