"""Fetch a large file from the network: within bounds, going on where it broke off."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from engine.errors import DataError, NoSpace

TIMEOUT_S = 20.0
PART = 256 * 1024
SPARE_BYTES = 200_000_000  # of the disk are left free
_MB = 1_000_000

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where known


class Stopped(DataError):
    """A person stopped it; what has come is kept."""


class _BrokeOff(Exception):
    """A connection ended before the file did."""


def fetch(
    urls: Sequence[str],
    path: Path,
    *,
    most: int,
    progress: Progress = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Fetch a file from the first of `urls` that has it, to `path`, all at once or not at all.

    What has come lies in `path` with ".part" until it is complete; the next call goes on from
    there. Raises `DataError` without a network, for more than `most` bytes and when it breaks off;
    `Stopped` once `stopped()`; `NoSpace` when the disk has no room for it.
    """
    part = path.with_name(f"{path.name}.part")
    problems = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                _fetch_from(url, part, most, progress, stopped)
                os.replace(part, path)
                return
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
                problems.append(_reason(error))
            except (ConnectionError, _BrokeOff) as error:
                problems.append(str(error) or type(error).__name__)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else "the disk cannot be written"
        raise NoSpace(f"{path.name} could not be kept: {reason}.") from error
    hosts = " or ".join(dict.fromkeys(urlsplit(url).hostname or url for url in urls))
    kept = part.stat().st_size if part.is_file() else 0
    again = f" {kept // _MB} MB are here; the next try goes on from there." if kept else ""
    raise DataError(f"{path.name} could not be fetched from {hosts} ({problems[0]}).{again}")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(PART):
            digest.update(part)
    return digest.hexdigest()


def _fetch_from(
    url: str, part: Path, most: int, progress: Progress, stopped: Callable[[], bool]
) -> None:
    here = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "generative-playground", "Accept-Encoding": "identity"}
    if here:
        headers["Range"] = f"bytes={here}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not here:
            raise
        part.unlink()  # what is here is no beginning of what is there
        return _fetch_from(url, part, most, progress, stopped)
    with answer:
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        begins = (answer.headers.get("Content-Range") or "").startswith(f"bytes {here}-")
        done = here if goes_on and begins else 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else None
        _check_room(part, total or 0, done, most)
        with open(part, "ab" if done else "wb") as file:
            _copy(answer, file, part.name, (done, total, most), progress, stopped)
    return None


def _copy(
    answer: BinaryIO,
    file: BinaryIO,
    name: str,
    sizes: tuple[int, int | None, int],
    progress: Progress,
    stopped: Callable[[], bool],
) -> None:
    done, total, most = sizes
    progress(done, total)
    while chunk := _next(answer, done):
        file.write(chunk)
        done += len(chunk)
        if done > most:
            raise DataError(_too_large(name, most))
        progress(done, total)
        if stopped():
            raise Stopped(f"Stopped after {done // _MB} MB, which are kept for the next time.")
    if total is not None and done < total:
        raise _BrokeOff(f"the connection broke off after {done // _MB} of {total // _MB} MB")


def _next(answer: BinaryIO, done: int) -> bytes:
    try:
        return answer.read(PART)
    except (OSError, http.client.HTTPException) as error:
        reason = f"the connection broke off after {done // _MB} MB: {type(error).__name__}"
        raise _BrokeOff(reason) from error


def _check_room(part: Path, total: int, done: int, most: int) -> None:
    if total > most:
        raise DataError(_too_large(part.name, most))
    free = shutil.disk_usage(part.parent).free
    if total - done + SPARE_BYTES > free:
        raise NoSpace(
            f"{part.stem} has {total // _MB} MB and the disk has {free // _MB} MB left; "
            f"{SPARE_BYTES // _MB} MB must stay free."
        )


def _too_large(name: str, most: int) -> str:
    return f"{name.removesuffix('.part')} is larger than the {most // _MB} MB that it should have."


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code}"
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return f"no answer within {TIMEOUT_S:.0f} s"
    if isinstance(error, urllib.error.URLError):
        inner = error.reason
        detail = inner.strerror if isinstance(inner, OSError) else None
        return f"no network: {detail or inner}"
    return f"the answer cannot be read: {type(error).__name__}"
