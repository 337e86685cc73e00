"""The picture files inside an upload: single files and zip archives, read within bounds.

Names from outside are only looked at, never used as paths. Sizes are counted while reading,
because an archive's own numbers may lie.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.data.reading import MAX_BYTES, clean_name
from engine.errors import DataError

MAX_PICTURES = 5_000
MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 200_000_000
_MB = 1_000_000
_UNSUPPORTED = "is packed in a way that is not supported; make a plain zip of it."

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
_PICTURE_NAMES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
_ARCHIVE_NAMES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True)
class PictureFile:
    """One file as it came: its shown name, the folders it lay in, outermost first, its bytes."""

    name: str
    folders: tuple[str, ...]
    data: bytes

    @property
    def folder(self) -> str:
        """Return the innermost folder; "" when there is none."""
        return self.folders[-1] if self.folders else ""


def picture_files(files: list[tuple[str, bytes]]) -> Iterator[PictureFile]:
    """Yield what may be pictures in `files`, each a picture or a zip of pictures.

    Raises `DataError` for archives that are damaged, locked, nested, or too large, and for
    names in them that climb out of the archive.
    """
    budget = _Budget(MAX_PICTURES, MAX_TOTAL_BYTES)
    for name, data in files:
        if not name.strip():
            raise DataError("A file without a name was sent; give each picture a name.")
        if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield from _from_zip(name, io.BytesIO(data), budget)
        elif not _JUNK.search(name):
            budget.take(len(data))
            budget.count()
            folder, _, last = name.rpartition("/")
            yield PictureFile(clean_name(last), _folders(folder), data)


def archive_pictures(path: Path, *, pictures: int, size: int) -> Iterator[PictureFile]:
    """Yield the pictures of a zip on the disk, as `picture_files` does, within other bounds.

    At most so many pictures, and `size` bytes of them.
    """
    with open(path, "rb") as stream:
        yield from _from_zip(path.name, stream, _Budget(pictures, size))


class _Budget:
    """What is left of the limits, over all files of one upload."""

    def __init__(self, pictures: int, size: int) -> None:
        self.pictures, self.size = pictures, size
        self.pictures_left, self.bytes_left = pictures, size

    def take(self, size: int) -> None:
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise DataError(
                f"The pictures come to more than {self.size // _MB:,} MB once unpacked; "
                "send fewer or smaller ones."
            )

    def count(self) -> None:
        self.pictures_left -= 1
        if self.pictures_left < 0:
            raise DataError(f"There are more than {self.pictures:,} pictures; send fewer.")


def _from_zip(name: str, stream: BinaryIO, budget: _Budget) -> Iterator[PictureFile]:
    shown = clean_name(name)
    if _entries(stream) > MAX_ENTRIES:  # before zipfile makes an object of each
        raise DataError(f"{shown} holds more than {MAX_ENTRIES:,} files.")
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            for entry in entries:
                _check_entry(entry, shown)
            for entry in entries:
                if entry.is_dir() or _JUNK.search(entry.filename):
                    continue
                content = _read_entry(archive, entry, shown, budget)
                if content is not None:
                    folder, _, last = entry.filename.rpartition("/")
                    yield PictureFile(clean_name(last), _folders(folder), content)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError) as error:
        raise DataError(f"{shown} is a damaged zip archive.") from error
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(f"{shown} {_UNSUPPORTED}") from error


def _entries(stream: BinaryIO) -> int:
    """Count the headers of a zip's directory, a part at a time."""
    mark = b"PK\x01\x02"
    found, rest = 0, b""
    while part := stream.read(_MB):
        found += (rest + part).count(mark)
        rest = part[-len(mark) + 1 :]
    stream.seek(0)
    return found


def _check_entry(entry: zipfile.ZipInfo, archive: str) -> None:
    raw = entry.orig_filename
    inner = clean_name(raw)
    parts = re.split(r"[/\\]", raw)
    if (
        ".." in parts
        or "\\" in raw
        or "\0" in raw
        or raw.startswith("/")
        or re.match(r"[A-Za-z]:", raw)
    ):
        raise DataError(
            f"{archive} names a file outside itself ({inner}); only plain relative names are "
            "allowed."
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DataError(f"{archive} holds a link ({inner}); put the picture itself in.")
    if entry.flag_bits & 1:
        raise DataError(f"{archive} is locked with a password; make one without.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{archive} {_UNSUPPORTED}")


def _read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, shown: str, budget: _Budget
) -> bytes | None:
    """Return a picture's bytes, or None for what is no picture, of which little is read."""
    inner = clean_name(entry.filename.rpartition("/")[2])
    named_so = entry.filename.lower().endswith(_PICTURE_NAMES)
    limit = min(MAX_BYTES, budget.bytes_left)
    try:
        with archive.open(entry) as stream:
            start = stream.read(16)
            if start.startswith(_ARCHIVES) or entry.filename.lower().endswith(_ARCHIVE_NAMES):
                raise DataError(f"{shown} holds another archive ({inner}); unpack that one first.")
            if not (start.startswith(_PICTURES) or start[8:12] == b"WEBP"):
                budget.take(len(start))
                if not named_so:
                    return None
                budget.count()
                return start
            budget.count()
            rest = stream.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        budget.count()
        return b"\0"  # damaged inside the archive: counts as a picture that cannot be read
    content = start + rest
    if len(content) > MAX_BYTES:
        raise DataError(f"{inner} in {shown} is larger than {MAX_BYTES // _MB} MB.")
    budget.take(len(content))
    return content


def _folders(path: str) -> tuple[str, ...]:
    """Return the folders of a relative path, cleaned; () when it is none."""
    parts = path.split("/")
    if re.match(r"[A-Za-z]:|/", path) or "\\" in path or ".." in parts:
        return ()
    return tuple(clean_name(part, limit=40) for part in parts if part not in ("", "."))
