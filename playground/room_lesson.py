"""What a teacher has set for the whole room, checked when it is set and kept over a restart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from engine import registry
from engine.errors import Rejected
from engine.policy import Policy
from engine.spec import MAX_STEPS
from playground.strings import t

MOST_TRIES, TRY_LETTERS = 5, 200  # as web/page_lesson.js
MOST_NAMES, MOST_CAPS = 200, 30
NAME = re.compile(r"[A-Za-z][\w-]{0,63}")
LONGEST_S = 24 * 3600


@dataclass
class Lesson:
    """Frozen or not, what is shown to all, what is hidden, and how large runs may be."""

    frozen: bool = False
    spotlight: dict[str, Any] | None = None  # {"run", "member"}
    push: dict[str, Any] | None = None  # the last one that went to all
    pushes: int = 0
    hide: list[str] = field(default_factory=list)
    only: list[str] | None = None
    tries: list[str] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)  # {"steps", "seconds", "sizes"}

    @classmethod
    def from_disk(cls, found: Mapping[str, Any]) -> Lesson:
        """Read what `to_disk` gave."""
        return cls(**{k: v for k, v in found.items() if k in cls.__dataclass_fields__})

    def to_disk(self) -> dict[str, Any]:
        """Return what is kept over a restart."""
        return asdict(self)

    def policy(self, basis: Policy) -> Policy:
        """Return the server's own policy, narrowed by the teacher's limits."""
        steps, seconds = self.limits.get("steps"), self.limits.get("seconds")
        caps = dict(basis.caps)
        for name, most in self.limits.get("sizes", {}).items():
            caps[name] = min(most, caps.get(name, most))
        return replace(
            basis,
            max_steps=_smaller(steps, basis.max_steps),
            max_seconds=_smaller(seconds, basis.max_seconds),
            caps=caps,
        )


def _smaller(a: float | None, b: float | None) -> Any:
    return min((x for x in (a, b) if x is not None), default=None)


def checked_limits(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read limits as the teacher's page sends them; null or an absent name is no limit."""
    limits: dict[str, Any] = {}
    for name, most in (("steps", MAX_STEPS), ("seconds", LONGEST_S)):
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise Rejected(t(f"room.limit_{name}", most=f"{most:,}"), name)
        limits[name] = value
    sizes = body.get("sizes") or {}
    if not isinstance(sizes, dict) or len(sizes) > MOST_CAPS:
        raise Rejected(t("room.limit_sizes"), "sizes")
    known = {field["name"] for field in size_fields()}
    for name, value in sizes.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if name not in known or not number or not 0 < value < 1e9:
            raise Rejected(t("room.limit_size", name=str(name)[:40]), "sizes")
    if sizes:
        limits["sizes"] = dict(sizes)
    return limits


def size_fields() -> list[dict[str, Any]]:
    """Return the whole-number hyperparameters that make a run large, of all models."""
    found: dict[str, dict[str, Any]] = {}
    for entry in registry.MODELS.values():
        for one in entry.config_class.schema():
            if one["kind"] == "int" and not one["name"].endswith(("_steps", "_rates")):
                most = max(one["maximum"], found.get(one["name"], one)["maximum"])
                found[one["name"]] = {"name": one["name"], "label": one["label"], "maximum": most}
    return list(found.values())


def checked_hidden(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read which controls are hidden and the sentences to try."""
    hide, only = _names(body.get("hide"), "hide"), body.get("only")
    tries = body.get("tries") or []
    if not isinstance(tries, list) or len(tries) > MOST_TRIES:
        raise Rejected(t("room.tries_many", most=MOST_TRIES), "tries")
    sentences = [_sentence(text) for text in tries]
    return {
        "hide": hide,
        "only": None if only is None else _names(only, "only"),
        "tries": [text for text in sentences if text],
    }


def _sentence(text: Any) -> str:
    plain = "".join(" " if c.isspace() else c for c in str(text) if c.isspace() or c.isprintable())
    words = " ".join(plain.split())
    if not isinstance(text, str) or len(words) > TRY_LETTERS:
        raise Rejected(t("room.tries_long", most=TRY_LETTERS), "tries")
    return words


def _names(given: Any, part: str) -> list[str]:
    names = given or []
    fine = isinstance(names, list) and len(names) <= MOST_NAMES
    if not fine or not all(isinstance(n, str) and NAME.fullmatch(n) for n in names):
        raise Rejected(t("room.hide_names"), part)
    return list(dict.fromkeys(names))


def preset_of(model: Any, key: Any) -> Any:
    """Return the preset of a model by its key, or raise `Rejected`."""
    entry = registry.MODELS.get(model) if isinstance(model, str) else None
    for preset in entry.preset_list if entry else ():
        if preset.key == key:
            return preset
    raise Rejected(t("room.no_preset"), "preset")


def preset_title(model: str, dataset: str, config: Mapping[str, Any]) -> str | None:
    """Return the title of the preset whose values a run has, or None."""
    for title, of, values in _preset_values(model):
        if of == dataset and values == config:
            return title
    return None


@lru_cache(maxsize=64)
def _preset_values(model: str) -> list[tuple[str, str, dict[str, Any]]]:
    entry = registry.entry(model)
    return [
        (p.title, p.dataset, entry.config_class.from_values(p.config).to_dict())
        for p in entry.preset_list
        if p.model == model
    ]
