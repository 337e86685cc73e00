"""The real app in a process of its own, and headless Chromium looking at it.

One server and one browser serve the whole package; a context is one person (its storage holds
who owns a run). Whatever a test does, the pages must log no error, must lose no request and
must ask no host but this one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium

from .page import COUNT_REQUESTS, Playground
from .server import App, serving
from .watch import Watch

TIMEOUT_MS = 45_000  # two shared cores can be slow; nothing waits longer than it has to

Open = Callable[..., Playground]
Page = TypeVar("Page", bound=Playground)


@contextmanager
def opened(
    kind: type[Page], address: str, browser: Browser, app: App, watch: Watch, *scripts: str
) -> Iterator[Page]:
    """Open the page on one of its tabs, ready; `scripts` run before the page's own."""
    shape: dict[str, Any] = {"viewport": {"width": 1440, "height": 1000}}
    context = browser.new_context(base_url=app.address, **shape)
    context.set_default_timeout(TIMEOUT_MS)
    watch.over(context, app.address)
    tab = context.new_page()
    for script in (COUNT_REQUESTS, *scripts):
        tab.add_init_script(script)
    page = kind(tab)
    tab.goto(address, wait_until="domcontentloaded")
    page.wait_until_ready()
    yield page
    page.stop()
    watch.leave(context)
    context.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serving(tmp_path_factory.mktemp("runs")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Package scope, and not session: while it lives no other test could run an event loop.
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="package")
def new_person(app: App, browser: Browser, watch: Watch) -> Iterator[Open]:
    """A function that opens the page as somebody who was never here; keywords shape the context."""
    contexts = []

    def begin(path: str = "/", **options: object) -> Playground:
        shape = {"viewport": {"width": 1440, "height": 1000}, **options}
        context = browser.new_context(base_url=app.address, **shape)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        watch.over(context, app.address)
        contexts.append(context)
        return Playground.open(context, path)

    yield begin
    for context in contexts:
        watch.leave(context)
        context.close()


@pytest.fixture(scope="package")
def page(new_person: Open) -> Iterator[Playground]:
    """One page that tests share, because opening one takes seconds; its run is stopped at last."""
    opened = new_person()
    yield opened
    opened.stop()


@pytest.fixture(autouse=True)
def nothing_goes_wrong(watch: Watch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which a console holds an error, or that lost a request or left home."""
    watch.begin()
    yield
    problems = watch.end()
    assert not problems, "\n".join(problems)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of every open page when a test fails."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    watch = getattr(item, "funcargs", {}).get("watch")
    if report.failed and watch is not None:
        folder = item.config._tmp_path_factory.mktemp("failed")  # type: ignore[attr-defined]
        kept = watch.photograph(folder)
        report.sections.append(("Pages", "\n".join(kept) or "none is open"))


def pytest_report_header() -> str:
    return f"browser tests: {os.environ.get('CHROMIUM') or shutil.which('chromium')}"
