"""The table of README.md: every row of the fault list is there, and every test that it names."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = 55
RESULTS = ("passed", "failed", "not covered", "not run here")


def rows() -> list[list[str]]:
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_row_is_there_once() -> None:
    assert [int(row[0]) for row in rows()] == list(range(1, ROWS + 1))
    for row in rows():
        assert len(row) == 5, row
        assert row[4].startswith(RESULTS), row


def test_every_test_exists() -> None:
    for number, _, _, tests, result in rows():
        named = re.findall(r"([\w/]+\.py)::(\w+)", tests)
        assert bool(named) != result.startswith("not covered"), f"row {number}"
        for path, name in named:
            content = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", content, re.MULTILINE), (
                f"row {number}: {path}::{name}"
            )
