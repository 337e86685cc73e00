"""Every visible string, by key: one JSON file an area, one folder a language."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "strings"
DEFAULT = "en"


@lru_cache(maxsize=8)
def table(language: str = DEFAULT) -> MappingProxyType[str, str]:
    """Return all strings of a language; what it lacks is English.

    Raises ValueError when two files define one key.
    """
    merged: dict[str, str] = {} if language == DEFAULT else dict(table(DEFAULT))
    own: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.json")):
        for key, text in json.loads(file.read_text(encoding="utf-8")).items():
            if key in own:
                raise ValueError(f"The string {key!r} is defined twice, the second in {file.name}.")
            own[key] = text
    return MappingProxyType({**merged, **own})


def t(key: str, **values: object) -> str:
    """Return the string of `key` with `{name}` filled in; an unknown key is shown as it is."""
    text = table().get(key, key)
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
