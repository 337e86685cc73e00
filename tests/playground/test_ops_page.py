"""The status page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from playground import ops, web_files
from playground.routes import PREFIX
from tests.playground.conftest import serving
from tests.playground.test_ops import WELL, WORKER

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

pytestmark = pytest.mark.browser


async def web(request: Any) -> Any:
    return web_files.answer(request)


@pytest.fixture
def state() -> dict[str, Any]:
    return dict(WELL)


@pytest.fixture
def url(tmp_path: Path, state: dict[str, Any]) -> Iterator[str]:
    service: Any = SimpleNamespace(store=SimpleNamespace(root=tmp_path, status=lambda: state))
    traffic = ops.Traffic()
    static = Route(PREFIX + "/web/{version}/{file}", web)
    app = Starlette(
        routes=[*ops.routes(service, traffic), static],
        middleware=[Middleware(ops.Meter, traffic=traffic)],
    )
    with serving(app) as address:
        yield f"{address}{PREFIX}/status"


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    made.on("request", lambda r: r.url.startswith((url[:20], "data:")) or wrong.append(r.url))
    made.goto(url)
    made.wait_for_selector("section")
    yield made
    context.close()
    assert [line for line in wrong if "503" not in line and "Failed to load" not in line] == []


def test_it_shows_how_the_server_is_and_follows(page: Any, state: dict[str, Any]) -> None:
    expect(page.get_by_role("status")).to_have_text("All is well")
    expect(page.locator("section").first).to_contain_text("1 of 2")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    state.update(disk_free_mb=3, workers=[{**WORKER, "model": "<img src=x onerror=alert(1)>"}])
    expect(page.get_by_role("status")).to_have_text("Something is wrong", timeout=20_000)
    expect(page.locator("#reasons")).to_contain_text("3 MB")
    expect(page.locator("td", has_text="onerror")).to_be_visible()
    assert page.locator("img").count() == 0
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 1280


def test_a_server_that_is_gone_is_said(page: Any) -> None:
    page.route("**/status.json", lambda route: route.abort())
    expect(page.get_by_role("status")).to_have_text("The server does not answer", timeout=20_000)
    page.unroute("**/status.json")
    expect(page.get_by_role("status")).to_have_text("All is well", timeout=20_000)


def test_it_is_dark_where_the_system_is(page: Any) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(paper) == "rgb(16, 18, 22)"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(paper) == "rgb(245, 246, 248)"
