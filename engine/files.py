"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes, sync: bool = True) -> None:
    """Write a file so that after a crash there is the old one or the new one, whole.

    It goes to a temporary file in the same folder, is flushed, then renamed. Without `sync` it
    outlives a crash of the process, not one of the machine. Raises `OSError`; the old file is
    then still there.
    """
    temporary = path.with_name(f"{path.name}.tmp.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if not sync:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
