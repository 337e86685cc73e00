"""Our own routes under /gradio_api/play: check, one call of the engine, JSON.

Whatever is refused is answered by one sentence: {"error": sentence, "field": name or null}.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import PlaygroundError, Rejected
from playground import web_files
from playground.answers import JSON, download, json_bytes, stored
from playground.streams import EventStream, chunks, poll
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

log = logging.getLogger("playground")
PREFIX = "/gradio_api/play"
OWNER = re.compile(r"[A-Za-z0-9_\-]{16,128}")
Handler = Callable[["Service", Request], Awaitable[Any]]


def routes(service: Service, extra: Sequence[Route] = ()) -> list[Route]:
    """Return all routes, bound to one service; `extra` ones, such as the room's, come first."""

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(PREFIX + path, _guarded(service, handler), methods=[method])

    return [
        *extra,
        route("/web/{file}", "GET", _web),
        route("/web/{version}/{file}", "GET", _web),
        route("/web/{version}/{tab}/{file}", "GET", _web),
        route("/catalogue", "GET", _catalogue),
        route("/runs", "POST", _start),
        route("/runs", "GET", _list),
        route("/runs/{id}", "GET", _view),
        route("/runs/{id}", "DELETE", _delete),
        route("/runs/{id}/commands", "POST", _command),
        route("/runs/{id}/events", "GET", _events),
        route("/runs/{id}/timeline", "GET", _timeline),
        route("/runs/{id}/metrics.csv", "GET", _metrics),
        route("/runs/{id}/checkpoint", "GET", _checkpoint),
        route("/runs/{id}/script.py", "GET", _script),
        route("/runs/{id}/film.webp", "GET", _film),
        route("/explore/{view}", "POST", _explore),
        route("/pictures", "POST", _pictures),
        route("/domains", "POST", _domains),
        route("/public-sets", "GET", _public_set),
        route("/public-sets", "POST", _fetch_public_set),
        route("/public-sets", "DELETE", _stop_public_set),
        route("/points", "POST", _points),
        route("/texts", "POST", _texts),
        route("/checkpoints", "POST", _checkpoints),
        route("/checkpoints/{name:path}", "GET", _shipped),
    ]


def _guarded(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Any]]:
    """Turn results into JSON and every error into one sentence with its status."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Any:
        try:
            result = await handler(service, request)
        except PlaygroundError as error:
            return _refused(error.sentence, error.status, error.field)
        except HTTPException as error:
            return _refused(str(error.detail), error.status_code)
        except (ClientDisconnect, ConnectionError):
            return Response(status_code=499)
        except Exception as error:
            if type(error).__module__ == "playground.security":
                raise  # the guard's own refusal: it answers
            log.exception("%s %s failed", request.method, request.url.path)
            return _refused(t("shell.unforeseen"), 500)
        return result if callable(result) else JSON(result)

    return endpoint


def _refused(sentence: str, status: int, field: str | None = None) -> JSON:
    return JSON({"error": sentence, "field": field}, status_code=status)


# ---- reading a request ---------------------------------------------------------------------------


def _owner(request: Request) -> str:
    token = _viewer(request)
    if token is None:
        raise Rejected(t("shell.owner_missing"), field="X-Play-Owner")
    return token


def _viewer(request: Request) -> str | None:
    token = request.headers.get("x-play-owner") or request.query_params.get("owner") or ""
    return token if OWNER.fullmatch(token) else None


async def _body(request: Request) -> dict[str, Any]:
    """Read a JSON object; NaN, which JSON does not know, is refused by the parser."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise Rejected(t("shell.not_json")) from None
    if not isinstance(body, dict):
        raise Rejected(t("shell.not_object"))
    return body


def _number(request: Request, name: str, default: int | None = None) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d{1,15}", text):
        raise Rejected(t("shell.not_whole", name=name, value=text[:40]), field=name)
    return int(text)


# ---- the routes ----------------------------------------------------------------------------------


async def _web(service: Service, request: Request) -> Response:
    return web_files.answer(request)


async def _catalogue(service: Service, request: Request) -> Any:
    return await service.catalogue(_viewer(request))


async def _start(service: Service, request: Request) -> Any:
    run = await service.start(_owner(request), await _body(request))
    return JSON(run, status_code=201)


async def _list(service: Service, request: Request) -> Any:
    return {"runs": service.runs(_owner(request))}


async def _view(service: Service, request: Request) -> Any:
    return service.view(request.path_params["id"], _viewer(request))


async def _delete(service: Service, request: Request) -> Any:
    await service.delete(_owner(request), request.path_params["id"])
    return {"ok": True}


async def _command(service: Service, request: Request) -> Any:
    body = await _body(request)
    return await service.command(_owner(request), request.path_params["id"], body)


async def _events(service: Service, request: Request) -> Any:
    run_id = request.path_params["id"]
    after = _number(request, "after", 0) or 0
    view = service.view(run_id, _viewer(request))
    if request.query_params.get("poll"):
        return json_bytes(poll(service.events(run_id, after), orjson.dumps(view)))
    last = request.headers.get("last-event-id", "")
    if last.isdecimal():
        after = max(after, int(last))
    return EventStream(
        chunks(
            lambda cursor: service.events(run_id, cursor),
            lambda cursor, seconds: service.wait(run_id, cursor, seconds),
            after,
        )
    )


async def _timeline(service: Service, request: Request) -> Any:
    after = _number(request, "after_step")
    return json_bytes(
        await service.timeline(request.path_params["id"], -1 if after is None else after)
    )


async def _metrics(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    text = await service.metrics_csv(run_id)
    return download(text.encode(), f"{run_id}-metrics.csv", "text/csv; charset=utf-8")


async def _checkpoint(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    path = await service.run_checkpoint(run_id, _number(request, "step"))
    return stored(path, f"{run_id}-{path.name}")


async def _shipped(service: Service, request: Request) -> Response:
    path = await service.saved_checkpoint(request.path_params["name"])
    return stored(path, "-".join(path.parts[-2:]))


async def _script(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    text = await service.script(run_id)
    return download(text.encode(), f"{run_id}.py", "text/x-python; charset=utf-8")


async def _film(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    view = request.query_params.get("view", "grid")
    data = await service.film(run_id, view)
    return download(data, f"{run_id}-{view}.webp", "image/webp")


async def _explore(service: Service, request: Request) -> Any:
    body = await _body(request)
    source, args = body.get("source"), body.get("args", {})
    if not isinstance(source, dict) or not isinstance(args, dict):
        raise Rejected(t("shell.explore_shape"), field="source")
    return json_bytes(await service.explore(source, request.path_params["view"], args))


async def _pictures(service: Service, request: Request) -> Any:
    owner = _owner(request)
    async with request.form(max_files=5000, max_fields=20) as form:
        files = [(f.filename or "", f.file) for f in _files(form)]
        return JSON(await service.add_pictures(owner, files, _options(form)), status_code=201)


async def _domains(service: Service, request: Request) -> Any:
    owner = _owner(request)
    async with request.form(max_files=5000, max_fields=20) as form:
        files = _placed(form)
        return JSON(await service.add_domains(owner, files, _options(form)), status_code=201)


async def _public_set(service: Service, request: Request) -> Any:
    return service.domains.progress(_owner(request))


async def _fetch_public_set(service: Service, request: Request) -> Any:
    owner = _owner(request)
    return JSON(service.domains.fetch(owner, await _body(request)), status_code=202)


async def _stop_public_set(service: Service, request: Request) -> Any:
    return service.domains.stop(_owner(request))


async def _points(service: Service, request: Request) -> Any:
    owner = _owner(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        body = await _body(request)
        added = await service.add_points(owner, body.get("points"), body.get("name", ""))
        return JSON(added, status_code=201)
    async with request.form(max_files=1, max_fields=5) as form:
        files = _files(form)
        if len(files) != 1:
            raise Rejected(t("shell.one_file"), field="file")
        given = (files[0].filename or "", await files[0].read())
        added = await service.add_points_file(owner, given, str(form.get("name") or ""))
        return JSON(added, status_code=201)


async def _texts(service: Service, request: Request) -> Any:
    owner = _owner(request)
    async with request.form(max_files=1, max_fields=5) as form:
        given, options = _placed(form), _options(form)
        if options.get("keep") == "no":
            return await service.texts.look(given, options.get("name", ""))
        added = await service.texts.add(owner, given, options.get("name", ""))
        return JSON(added, status_code=201)


async def _checkpoints(service: Service, request: Request) -> Any:
    owner = _owner(request)
    async with request.form(max_files=1, max_fields=5) as form:
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
