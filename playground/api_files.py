"""Pictures and checkpoints of the named endpoints: in as uploads or data URLs, out as files.

A file goes out through Gradio's own cache, so that `gradio_client` hands its caller a local path.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from gradio.components.api_component import Api
from gradio.data_classes import FileData
from gradio.exceptions import Error
from gradio.utils import get_upload_folder

from engine.data.reading import MAX_BYTES
from engine.errors import DataError, NotFound, Rejected
from playground.strings import t

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def picture_given(value: Any, name: str = "picture") -> str:
    """Return a picture as data URL: `handle_file(…)` of a client, or a data URL as it is."""
    if isinstance(value, str) and value.startswith("data:image/"):
        return value
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        data = base64.b64encode(_uploaded(value["path"], name)).decode()
        return f"data:image/any;base64,{data}"  # what it is, its bytes say
    raise Rejected(t("ops.api_picture", name=name), field=name)


def _uploaded(path: str, name: str) -> bytes:
    """Read a file that was uploaded a moment ago, and no other."""
    found = _among_uploads(path)
    if found is None:
        raise Rejected(t("ops.api_not_uploaded", name=name), field=name)
    if found.stat().st_size > MAX_BYTES:
        raise DataError(t("ops.api_picture_large", name=name, most=MAX_BYTES // 10**6), field=name)
    return found.read_bytes()


def _among_uploads(path: str | Path) -> Path | None:
    """Return where a file of the upload folder really lies, or None when it is none."""
    try:
        found = Path(os.path.realpath(path))
        inside = found.is_relative_to(os.path.realpath(get_upload_folder()))
        return found if inside and found.is_file() else None
    except (ValueError, OSError):  # NUL, or a name too long
        return None


def picture_made(payload: dict[str, Any], name: str) -> FileData:
    """Return a payload's picture or sheet as a file that the client fetches."""
    head, _, body = str(payload.get("src", "")).partition(",")
    media = head.removeprefix("data:").partition(";")[0]
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        data = b""
    if media not in SUFFIXES or not data:
        raise NotFound(t("ops.api_no_picture"))
    file = f"{name}.{SUFFIXES[media]}"
    path = _place(hashlib.sha256(data).hexdigest(), file)
    if not path.exists():
        _put(path, lambda part: part.write_bytes(data))
    return FileData(path=str(path), orig_name=file, size=len(data), mime_type=media)


def checkpoint_made(source: Path, name: str) -> FileData:
    """Return a copy of a checkpoint as a file that the client fetches."""
    stat = source.stat()
    key = f"{source} {stat.st_size} {stat.st_mtime_ns}"
    path = _place(hashlib.sha256(key.encode()).hexdigest(), name)
    if not path.exists():
        _put(path, lambda part: shutil.copyfile(source, part))
    media = "application/octet-stream"
    return FileData(path=str(path), orig_name=name, size=stat.st_size, mime_type=media)


def _place(digest: str, name: str) -> Path:
    return Path(os.path.realpath(get_upload_folder())) / digest / name


def _put(path: Path, write: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    write(part)
    os.replace(part, path)


def fetch_nothing(block: Api) -> None:
    """Keep a parameter from reaching out: no address is fetched, no file of the server copied.

    Whatever looks like Gradio's file object is resolved by Gradio before the endpoint runs: an
    address in it would be downloaded. Only what was uploaded to this server goes through.
    """

    async def only_uploaded(path: str | Path | None) -> str | None:
        if path is None:
            return None
        found = _among_uploads(path)
        if found is None:
            raise Error(t("ops.api_not_uploaded", name="A file"), print_exception=False)
        block.temp_files.add(str(found))  # Gradio deletes it after an hour
        return str(found)

    block.async_move_resource_to_block_cache = only_uploaded  # type: ignore[method-assign]
