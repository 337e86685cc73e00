"""The named endpoints for programs (`gradio_client`, `/gradio_api/call/…`, MCP); see API.md.

All else is private: only what stands in `ENDPOINTS` can be called by name.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr
from gradio.components.api_component import Api
from starlette.requests import Request
from starlette.responses import Response

from engine.errors import PlaygroundError
from playground.answers import JSON
from playground.api_files import fetch_nothing
from playground.api_models import ModelEndpoints
from playground.api_runs import RunEndpoints
from playground.service import Service
from playground.strings import t

log = logging.getLogger("playground")
Endpoint = Callable[..., Awaitable[Any]]
# Name: how many calls of it may run at once. Gradio runs at most 40 of all kinds.
ENDPOINTS = {
    "list_models": 4,
    "list_runs": 4,
    "start_run": 8,
    "read_metrics": 8,
    "wait_for_run": 16,
    "command_run": 8,
    "delete_run": 4,
    "download_checkpoint": 2,
    "sample": 4,
    "decode": 4,
    "encode": 2,
    "translate": 2,
    "generate": 2,
    "explore": 4,
}
# What Gradio's `construct_args` says of names, and what we say.
WRONG_NAMES = {
    re.compile(r"required argument: (\w+)"): "ops.api_missing",
    re.compile(r"Parameter `(.*?)` is not"): "ops.api_unknown",
}
OLDER = {"run_metrics": 4}  # still answered, not shown any more


def publish(service: Service) -> None:
    """Add the endpoints to the Blocks that is being built."""
    runs, models = RunEndpoints(service), ModelEndpoints(service)
    blocks = gr.context.Context.root_block
    assert blocks is not None, "endpoints belong to a Blocks that is being built"
    for name, at_once in {**ENDPOINTS, **OLDER}.items():
        method: Endpoint = getattr(runs, name, None) or getattr(models, name)
        gr.api(
            told(method),
            api_name=name,
            api_visibility="undocumented" if name in OLDER else "public",
            queue=False,
            concurrency_limit=at_once,
        )
    for function in blocks.fns.values():
        for block in function.inputs:
            if isinstance(block, Api):
                fetch_nothing(block)
    blocks.validate_inputs = fill_in  # type: ignore[method-assign]


def fill_in(function: Any, inputs: list[Any]) -> None:
    """Complete what a program gave by position with defaults, or say which parameter is missing.

    Gradio would answer too few with an error without words.
    """
    wanted = list(inspect.signature(function.fn).parameters.values()) if function.fn else []
    for parameter in wanted[len(inputs) :]:
        if parameter.default is parameter.empty:
            sentence = t("ops.api_missing", name=parameter.name)
            raise gr.Error(sentence, print_exception=False)
        inputs.append(parameter.default)


def exception_handlers() -> dict[type[Exception], Any]:
    """Return what the app needs so that /call/v2 answers a wrong name in words, not with 500."""
    return {TypeError: _wrong_names, KeyError: _wrong_names}


async def _wrong_names(request: Request, error: Exception) -> Response:
    path = request.url.path
    if "/gradio_api/call/v2/" not in path or request.method != "POST":
        raise error
    if isinstance(error, KeyError):
        known = ", ".join(ENDPOINTS)
        name = path.rpartition("/call/v2/")[2][:40]
        return JSON({"error": t("ops.api_endpoint", name=name, known=known), "field": None}, 404)
    for pattern, key in WRONG_NAMES.items():
        found = pattern.search(str(error))
        if found:
            name = found[1][:40]
            return JSON({"error": t(key, name=name), "field": name}, 400)
    raise error


def told(endpoint: Endpoint) -> Endpoint:
    """Turn what is refused into one sentence that Gradio passes on, and hide what is not ours."""

    @functools.wraps(endpoint)
    async def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return await endpoint(*args, **kwargs)
        except PlaygroundError as error:
            raise gr.Error(sentence_of(error), print_exception=False) from None
        except Exception:
            log.exception("endpoint failed", extra={"event": "error", "route": endpoint.__name__})
            raise gr.Error(t("shell.unforeseen"), print_exception=False) from None

    return answered


def sentence_of(error: PlaygroundError) -> str:
    """Return the sentence of an error, with the field's name where it does not say it."""
    said = error.sentence.lower()
    if error.field is None or error.field.lower() in said:
        return error.sentence
    if error.field.lower().replace("_", " ") in said:
        return error.sentence
    return f"{error.field}: {error.sentence}"


def mcp_missing() -> str | None:
    """Return the sentence to end with when MCP is asked for and its packages are not here."""
    if importlib.util.find_spec("mcp") is not None:
        return None
    return t("ops.mcp_missing")
