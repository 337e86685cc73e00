"""What the routes answer with: JSON, and files to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from starlette.responses import FileResponse, Response


class JSON(Response):
    """JSON by orjson; NaN and infinity become null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode `content`."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def json_bytes(body: bytes) -> Response:
    """Answer what is JSON already."""
    return Response(body, media_type="application/json")


def stored(path: Path, name: str) -> Response:
    """Answer a file on the disk, to be kept under a name."""
    return FileResponse(path, media_type="application/octet-stream", filename=name)


def download(data: bytes, name: str, media_type: str) -> Response:
    """Answer a file that was made for this request, to be kept under a name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media_type, headers=headers)
