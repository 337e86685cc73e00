"""Our own routes under /gradio_api/play: check, one call of the engine, JSON.

Whatever is refused is answered by one sentence: {"error": sentence, "field": name or null}.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import PlaygroundError, Rejected
from playground import upload_routes, web_files
from playground.answers import JSON, download, json_bytes, stored
from playground.asked import OWNER as OWNER
from playground.asked import body_of, number_of, owner_of, viewer_of
from playground.bodies import Refused
from playground.repeats import HEADER
from playground.streams import EventStream, chunks, poll
from playground.strings import t

if TYPE_CHECKING:
    from playground.service import Service

log = logging.getLogger("playground")
PREFIX = "/gradio_api/play"
BUILD_HEADER = "X-Play-Build"  # a page of an older build learns from it that it is one
Handler = Callable[["Service", Request], Awaitable[Any]]


def routes(service: Service, extra: Sequence[Route] = ()) -> list[Route]:
    """Return all routes, bound to one service; `extra` ones, such as the room's, come first."""

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(PREFIX + path, guarded(service, handler), methods=[method])

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
        route("/checkpoints/{name:path}", "GET", _shipped),
        *(route(*one) for one in upload_routes.ROUTES),
    ]


def guarded(service: Service, handler: Handler) -> Callable[[Request], Awaitable[Any]]:
    """Turn results into JSON and every error into one sentence with its status."""

    @functools.wraps(handler)
    async def endpoint(request: Request) -> Any:
        try:
            result = await handler(service, request)
        except PlaygroundError as error:
            return _refused(error.sentence, error.status, error.field, error)
        except HTTPException as error:
            return _refused(str(error.detail), error.status_code)
        except (ClientDisconnect, ConnectionError):
            return Response(status_code=499)
        except Refused:
            raise  # the guard's own refusal: it answers
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path[:120])
            return _refused(t("shell.unforeseen"), 500)
        answer = result if callable(result) else JSON(result)
        if isinstance(answer, Response):
            answer.headers[BUILD_HEADER] = web_files.build()
        return answer

    return endpoint


def _refused(
    sentence: str, status: int, field: str | None = None, error: Exception | None = None
) -> JSON:
    said: dict[str, Any] = {"error": sentence, "field": field}
    if status != HTTPStatus.TOO_MANY_REQUESTS:
        return JSON(said, status_code=status)
    retry_s = getattr(error, "retry_s", None)
    if retry_s is not None:
        said["retry_s"] = retry_s
    return JSON(said, status_code=status, headers={"Retry-After": str(retry_s or 1)})


# ---- the routes ----------------------------------------------------------------------------------


async def _web(service: Service, request: Request) -> Response:
    return web_files.answer(request)


async def _catalogue(service: Service, request: Request) -> Any:
    return await service.catalogue(viewer_of(request))


async def _start(service: Service, request: Request) -> Any:
    owner, key, body = owner_of(request), request.headers.get(HEADER), await body_of(request)
    run = await service.repeats.once(owner, key, lambda: service.start(owner, body))
    return JSON(service.view(run["id"], owner), status_code=201)


async def _list(service: Service, request: Request) -> Any:
    return {"runs": service.runs(owner_of(request))}


async def _view(service: Service, request: Request) -> Any:
    return service.view(request.path_params["id"], viewer_of(request))


async def _delete(service: Service, request: Request) -> Any:
    await service.delete(owner_of(request), request.path_params["id"])
    return {"ok": True}


async def _command(service: Service, request: Request) -> Any:
    body = await body_of(request)
    return await service.command(owner_of(request), request.path_params["id"], body)


async def _events(service: Service, request: Request) -> Any:
    run_id = request.path_params["id"]
    after = number_of(request, "after", 0) or 0
    view = service.view(run_id, viewer_of(request))
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
    after = number_of(request, "after_step")
    return json_bytes(
        await service.timeline(request.path_params["id"], -1 if after is None else after)
    )


async def _metrics(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    text = await service.metrics_csv(run_id)
    return download(text.encode(), f"{run_id}-metrics.csv", "text/csv; charset=utf-8")


async def _checkpoint(service: Service, request: Request) -> Response:
    run_id = request.path_params["id"]
    path = await service.run_checkpoint(run_id, number_of(request, "step"))
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
    body = await body_of(request)
    source, args = body.get("source"), body.get("args", {})
    if not isinstance(source, dict) or not isinstance(args, dict):
        raise Rejected(t("shell.explore_shape"), field="source")
    return json_bytes(await service.explore(source, request.path_params["view"], args))
