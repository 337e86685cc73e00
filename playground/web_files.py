"""Static files of the page: our modules and CSS, the strings, and Plotly from its package."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import NotFound
from playground.strings import FOLDER, table

WEB = Path(__file__).parent / "web"
MEDIA = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
PLOTLY = "plotly.min.js"
COMPRESS_FROM = 2048
FOR_EVER = "public, max-age=31536000, immutable"
TAB = re.compile(r"t-[a-z0-9_]{1,32}")
NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,79}")
# Every tab has modules of its own; those named so are one for the whole page.
OF_THE_PAGE = re.compile(r"page\w*\.js")
IMPORT = re.compile(r"""^(?:import|export)\b(?!\s*\()[^;]*?["']\./(\w+\.js)["']""", re.MULTILINE)


def version() -> str:
    """Return a short hash of all files of the page: it stands in their address."""
    digest = hashlib.sha256()
    for file in sorted([*WEB.iterdir(), *FOLDER.rglob("*.json")]):
        stat = file.stat()
        digest.update(f"{file.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:10]


@lru_cache(maxsize=1)
def build() -> str:
    """Return the version of the page's files that this server began with."""
    return version()


@lru_cache(maxsize=1)
def plotly_file() -> Path:
    """Return the path of plotly.js inside the plotly package, without importing the package."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("The package plotly is not installed, so the map cannot be drawn.")
    return Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY


def read(name: str) -> tuple[bytes, str]:
    """Return the bytes and the media type of one file, by its bare name."""
    if name == "strings.json":
        table.cache_clear()
        return orjson.dumps(dict(table())), MEDIA[".json"]
    if name == PLOTLY:
        return plotly_file().read_bytes(), MEDIA[".js"]
    file = WEB / name
    if file.parent != WEB or file.suffix not in MEDIA or not file.is_file():
        raise NotFound(f"There is no file {name[:80]!r} here.")
    return file.read_bytes(), MEDIA[file.suffix]


def needed(names: Iterable[str]) -> list[str]:
    """Return the modules of these names with all that they import, before they run."""
    found: set[str] = set()
    waiting = [f"{name}.js" for name in names]
    while waiting:
        name = waiting.pop()
        if name in found or not (WEB / name).is_file():
            continue
        found.add(name)
        waiting += IMPORT.findall((WEB / name).read_text(encoding="utf-8"))
    return sorted(found)


@lru_cache(maxsize=256)
def _packed(name: str, key: tuple[int, int]) -> tuple[bytes, bytes, str, str]:
    """Return (plain, gzipped or empty, media type, ETag); `key` changes when the file does."""
    data, media = read(name)
    small = len(data) < COMPRESS_FROM or media.startswith("image/png")
    level = 4 if name == PLOTLY else 6
    packed = b"" if small else gzip.compress(data, level, mtime=0)
    return data, packed, media, f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _key(name: str) -> tuple[int, int]:
    if name == "strings.json":
        files = list(FOLDER.rglob("*.json"))
    else:
        files = [plotly_file() if name == PLOTLY else WEB / name]
    stats = [file.stat() for file in files if file.is_file()]
    return (max((s.st_mtime_ns for s in stats), default=0), sum(s.st_size for s in stats))


def answer(request: Request) -> Response:
    """Answer one file: for ever under the present version's address, else checked by ETag."""
    name = request.path_params["file"]
    if not NAME.fullmatch(name):
        raise NotFound(f"There is no file {name[:80]!r} here.")
    tab = request.path_params.get("tab")
    if tab is not None and not TAB.fullmatch(tab):
        raise NotFound(f"There is no folder {tab[:80]!r} here.")
    data, packed, media, etag = _packed(name, _key(name))
    if tab is not None and OF_THE_PAGE.fullmatch(name):
        data, packed, etag = f'export * from "../{name}";\n'.encode(), b"", f'"{name}"'
    asked = request.path_params.get("version")
    fresh = asked is not None and asked == f"v-{version()}"
    headers = {
        "ETag": etag,
        "Cache-Control": FOR_EVER if fresh else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if packed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=media, headers={**headers, "Content-Encoding": "gzip"})
    return Response(data, media_type=media, headers=headers)
