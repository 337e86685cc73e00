"""Points in a file that a person brings: two numbers a line, or JSON; one sentence a mistake."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from engine.data.reading import clean_name
from engine.errors import DataError

MIN_POINTS, MAX_POINTS = 20, 20_000
MAX_BYTES = 2_000_000
MAX_VALUE = 1e6


def parse_file(name: str, data: bytes) -> np.ndarray:
    """Read a file of two numbers a line (CSV, TSV, spaces) or a JSON list of pairs, as (N, 2).

    A first line of words is taken for a header, empty lines and lines that start with # are
    passed over. Raises `DataError` with one sentence that names the line.
    """
    shown = clean_name(name) or "The file"
    if len(data) > MAX_BYTES:
        raise DataError(f"{shown} is larger than {MAX_BYTES // 1_000_000} MB.")
    text = _decoded(data, shown).strip()
    if not text:
        raise DataError(f"{shown} is empty.")
    if text[0] in "[{" and not (text[0] == "[" and name.lower().endswith((".csv", ".tsv"))):
        return _from_json(text, shown)
    return _from_lines(text, shown)


def is_no_pair(point: Any) -> bool:
    """Say whether something is not a list of two numbers."""
    numbers = isinstance(point, (list, tuple)) and len(point) == 2
    return not numbers or any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in point)


def _decoded(data: bytes, shown: str) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{shown} is not a text file; two numbers a line are wanted.")
    return text


def _from_json(text: str, shown: str) -> np.ndarray:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise DataError(f"{shown} is not valid JSON.") from None
    if isinstance(found, dict):
        found = found.get("points")
    if not isinstance(found, list):
        raise DataError(f"{shown} must hold a JSON list of pairs, such as [[0, 1], [2, 3]].")
    _check_count(len(found), shown)
    pairs = []
    for number, point in enumerate(found, 1):
        pair = [point.get("x"), point.get("y")] if isinstance(point, dict) else point
        if is_no_pair(pair):
            raise DataError(f"Point {number} of {shown} is not a pair of numbers.")
        pairs.append([_finite(v, f"Point {number} of {shown}") for v in pair])
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _from_lines(text: str, shown: str) -> np.ndarray:
    pairs: list[list[float]] = []
    first = True
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = _cells(line)
        where = f"Line {number} of {shown}"
        values = [_number(cell) for cell in cells]
        if first and len(cells) == 2 and all(v is None for v in values):
            first = False  # a header
            continue
        first = False
        if len(cells) != 2:
            raise DataError(
                f"{where} has {len(cells)} value{'s' if len(cells) != 1 else ''}; each line "
                "needs two numbers, x and y."
            )
        for cell, value in zip(cells, values, strict=True):
            if value is None:
                raise DataError(f"{where} has {clean_name(cell)[:40]!r} where a number is needed.")
        pairs.append([_finite(v, where) for v in values])
        if len(pairs) > MAX_POINTS:
            raise DataError(f"{shown} has more than {MAX_POINTS:,} points; send fewer.")
    _check_count(len(pairs), shown)
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _check_count(count: int, shown: str) -> None:
    if not MIN_POINTS <= count <= MAX_POINTS:
        raise DataError(
            f"{shown} has {count:,} points; {MIN_POINTS} to {MAX_POINTS:,} are allowed."
        )


def _cells(line: str) -> list[str]:
    """Split a line at tabs, semicolons, commas or spaces, the first of these that it has."""
    for separator in ("\t", ";", ","):
        if separator in line:
            cells = line.strip("\r\n").split(separator)
            if separator != ",":  # then a comma may stand for the decimal point
                cells = [re.sub(r"^(\s*[-+]?\d+),(\d+\s*)$", r"\1.\2", cell) for cell in cells]
            return [cell.strip().strip("\"'") for cell in cells]
    return [cell.strip("\"'") for cell in line.split()]


def _number(cell: str) -> float | None:
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _finite(value: Any, where: str) -> float:
    if not abs(value) <= MAX_VALUE:
        shown = (
            f"{value:.6g}" if isinstance(value, float) or abs(value) < 1e300 else "a huge number"
        )
        raise DataError(
            f"{where} has {shown}; coordinates must lie between -1,000,000 and 1,000,000."
        )
    return float(value)
