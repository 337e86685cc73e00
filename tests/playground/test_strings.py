from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from playground import strings

ROOT = Path(strings.__file__).parent
PYTHON = sorted(ROOT.rglob("*.py"))
SCRIPTS = sorted((ROOT / "web").glob("*.js"))
BASE = ("shell", "panel", "explorer", "monitor", "lessons")
PLAIN = re.compile(r"""(?<![\w.$])t\(\s*["']([\w.]+\.[\w.\-]+)["']""")
TEMPLATE = re.compile(r"""(?<![\w.$])t\(\s*`([\w.]+\.)\$\{""")


@pytest.mark.parametrize("file", [*PYTHON, *SCRIPTS], ids=lambda p: p.name)
def test_every_string_that_is_used_is_in_the_table(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    missing = sorted({key for key in PLAIN.findall(text) if key not in strings.table()})
    assert missing == []
    for start in TEMPLATE.findall(text):
        assert any(key.startswith(start) for key in strings.table()), start


def test_files_hold_their_own_area_and_what_their_tab_shows_in_the_shared_ones() -> None:
    for file in (ROOT / "strings" / "en").glob("*.json"):
        areas = {key.partition(".")[0] for key in json.loads(file.read_text(encoding="utf-8"))}
        shared = set() if file.stem in BASE else {"monitor", "lessons"}
        assert file.stem in areas
        assert areas <= {file.stem, *shared}


def test_values_are_filled_in() -> None:
    assert "(2 s)" not in strings.t("shell.explore_slow", seconds=2)
    assert "2 s" in strings.t("shell.explore_slow", seconds=2)
    assert strings.t("no.such.key") == "no.such.key"


def test_a_key_in_two_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "en").mkdir()
    for name in ("a", "b"):
        (tmp_path / "en" / f"{name}.json").write_text('{"x.y": "z"}')
    monkeypatch.setattr(strings, "FOLDER", tmp_path)
    strings.table.cache_clear()
    with pytest.raises(ValueError, match="defined twice"):
        strings.table()
    strings.table.cache_clear()
