"""The routes over which people bring things, see what they brought, and delete it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import Request

from engine.errors import Rejected
from playground.answers import JSON
from playground.asked import body_of, owner_of
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

UPLOAD_ROOM = 128 * 2**20  # the largest upload, which lies on the disk while it is read


async def _belongings(service: Service, request: Request) -> Any:
    return await asyncio.to_thread(service.belongings.describe, owner_of(request))


async def _delete_thing(service: Service, request: Request) -> Any:
    owner, name = owner_of(request), request.path_params["name"]
    await asyncio.to_thread(service.belongings.remove, owner, name)
    return {"ok": True}


@asynccontextmanager
async def _arriving(service: Service, request: Request, files: int) -> AsyncIterator[Any]:
    """Take in an upload, one of few at once; what it holds is there until the block ends."""
    service.belongings.check_room(UPLOAD_ROOM)
    with service.arrivals.one(owner_of(request)):
        async with request.form(max_files=files, max_fields=20) as form:
            yield form


async def _pictures(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    async with _arriving(service, request, 5000) as form:
        files = [(f.filename or "", f.file) for f in _files(form)]
        added = await service.own_sets.add_pictures(owner, files, _options(form))
        return JSON(added, status_code=201)


async def _domains(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    async with _arriving(service, request, 5000) as form:
        files = _placed(form)
        return JSON(await service.add_domains(owner, files, _options(form)), status_code=201)


async def _public_set(service: Service, request: Request) -> Any:
    return service.domains.progress(owner_of(request))


async def _fetch_public_set(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    return JSON(service.domains.fetch(owner, await body_of(request)), status_code=202)


async def _stop_public_set(service: Service, request: Request) -> Any:
    return service.domains.stop(owner_of(request))


async def _points(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await body_of(request)
        service.belongings.check_room()
        added = await service.own_sets.add_points(owner, body.get("points"), body.get("name", ""))
        return JSON(added, status_code=201)
    async with _arriving(service, request, 1) as form:
        files = _files(form)
        if len(files) != 1:
            raise Rejected(t("shell.one_file"), field="file")
        given = (files[0].filename or "", await files[0].read())
        added = await service.own_sets.add_points_file(owner, given, str(form.get("name") or ""))
        return JSON(added, status_code=201)


async def _texts(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    async with _arriving(service, request, 1) as form:
        given, options = _placed(form), _options(form)
        if options.get("keep") == "no":
            return await service.texts.look(given, options.get("name", ""))
        added = await service.texts.add(owner, given, options.get("name", ""))
        return JSON(added, status_code=201)


async def _checkpoints(service: Service, request: Request) -> Any:
    owner = owner_of(request)
    async with _arriving(service, request, 1) as form:
        files = _files(form)
        if len(files) != 1:
            raise Rejected(t("shell.one_file"), field="file")
        data = await files[0].read()
        added = await service.add_checkpoint(owner, files[0].filename or "", data)
        return JSON(added, status_code=201)


def _files(form: Any) -> list[UploadFile]:
    return [v for _, v in form.multi_items() if isinstance(v, UploadFile)]


def _placed(form: Any) -> list[tuple[str, str, BinaryIO]]:
    sent = form.multi_items()
    return [(field, v.filename or "", v.file) for field, v in sent if isinstance(v, UploadFile)]


def _options(form: Any) -> dict[str, str]:
    return {k: str(v) for k, v in form.multi_items() if not isinstance(v, UploadFile)}


ROUTES = (
    ("/pictures", "POST", _pictures),
    ("/domains", "POST", _domains),
    ("/points", "POST", _points),
    ("/texts", "POST", _texts),
    ("/checkpoints", "POST", _checkpoints),
    ("/belongings", "GET", _belongings),
    ("/belongings/{name:path}", "DELETE", _delete_thing),
    ("/public-sets", "GET", _public_set),
    ("/public-sets", "POST", _fetch_public_set),
    ("/public-sets", "DELETE", _stop_public_set),
)
