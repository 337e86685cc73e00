"""Read a text that a person brings: bounded, of whatever encoding, without control signs."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from engine.data.reading import clean_name
from engine.errors import DataError

MAX_BYTES = 20_000_000
_MB = 1_000_000
_LOOKED_AT = 200_000  # bytes from which the kind of file is told
_BINARY = 0.01  # share of control signs above which a file is none of text
_BROKEN = 0.001  # share of characters that may be damaged in a guessed encoding
_KINDS = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip file (as Word documents and e-books are)",
    b"\xd0\xcf\x11\xe0": "a Word document",
    b"{\\rtf": "an RTF document",
    b"\x1f\x8b": "a compressed file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
}
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")  # the 2,350 syllables of KS X 1001
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_CHARACTER = re.compile("[^\x00-\x7f\ufffd]")


def read_path(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and notes on how it was read; a large one is not opened.

    Raises `DataError` for what is no file, is larger than 20 MB, or is no text.
    """
    shown = clean_name(path.name)
    try:
        if not path.is_file():
            raise DataError(f"There is no file {shown}.", field="text")
        check_size(path.stat().st_size, shown)
        return decode(path.read_bytes(), shown)
    except OSError as error:
        raise DataError(f"{shown} cannot be read ({error.strerror}).", field="text") from error


def check_size(size: int, shown: str) -> None:
    """Raise `DataError` for more bytes than a text may have."""
    if size > MAX_BYTES:
        raise DataError(
            f"{shown} has {size / _MB:,.0f} MB; a text may have at most {MAX_BYTES // _MB} MB.",
            field="text",
        )


def decode(data: bytes, shown: str) -> tuple[str, tuple[str, ...]]:
    """Return the text that bytes hold, and notes on the encoding when it was guessed.

    It is UTF-8, or what a byte-order mark says, or, by their looks, CP949 (Korean) or Latin-1.
    Raises `DataError` for a file that is empty, too large, or no text.
    """
    check_size(len(data), shown)
    if not data:
        raise DataError(f"{shown} is empty.", field="text")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "ignore"), ()
    _check_kind(data[:_LOOKED_AT], shown)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        return _guessed(data, shown)


def plain(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text with newlines as line ends, without control signs, and notes on that.

    Characters that were written in parts are joined (Unicode's NFC), as keyboards give them.
    """
    text = _LINE_ENDS.sub("\n", text)
    kept, signs = _CONTROLS.subn("", text)
    joined = unicodedata.normalize("NFC", kept)
    notes = []
    if signs:
        notes.append(f"{signs:,} control sign{'s were' if signs > 1 else ' was'} left out.")
    if joined != kept:
        notes.append("Characters written in parts were joined (Unicode's NFC).")
    return joined, tuple(notes)


def _check_kind(start: bytes, shown: str) -> None:
    for mark, kind in _KINDS.items():
        if start.startswith(mark):
            raise DataError(
                f"{shown} is {kind}, not a text; save its text as a .txt file first.", field="text"
            )
    signs = sum(start.count(code) for code in {*range(32), 127} - set(b"\t\n\r\f\x1a\x1b"))
    if signs > _BINARY * len(start):
        raise DataError(f"{shown} is a binary file, not a text.", field="text")


def _guessed(data: bytes, shown: str) -> tuple[str, tuple[str, ...]]:
    damaged = data.decode("utf-8", "replace")
    broken = damaged.count("\ufffd")
    if 10 * broken < len(_HIGH_CHARACTER.findall(damaged)):
        note = f"{shown} is UTF-8 with {broken:,} damaged places, which were left out."
        return damaged.replace("\ufffd", ""), (note,)
    if 2 * len(_HANGUL.findall(data)) > 0.8 * len(_HIGH.findall(data)):
        text = data.decode("cp949", "replace")
        if text.count("\ufffd") <= _BROKEN * len(text):
            note = f"{shown} is not UTF-8; it was read as Korean (CP949)."
            return text.replace("\ufffd", ""), (note,)
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text, (f"{shown} is not UTF-8; it was read as Latin-1.",)
