"""What a page must not do, whoever looks at it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Request,
    Response,
    WebError,
)

# A stream ends when its page goes, or when a page closes it; a download is no page any more.
STREAMS = re.compile(r"/events\?|/heartbeat/|/queue/data")


class Watch:
    """Collects console errors, page errors, lost requests and foreign hosts of all contexts."""

    def __init__(self) -> None:
        self.contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.refused: list[Response] = []
        self.read: set[Request] = set()  # whose answers have been read to their end
        self.expected: list[re.Pattern[str]] = []

    def over(self, context: BrowserContext, address: str) -> None:
        """Watch a context whose pages may ask `address` alone."""
        home = urlsplit(address).netloc

        def asked(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != home:
                self.problems.append(f"asked another host: {request.url}")

        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("requestfailed", self._lost)
        context.on("response", self._answered)
        context.on("requestfinished", self._finished)
        context.on("request", asked)
        self.contexts.append(context)

    def leave(self, context: BrowserContext) -> None:
        """Look away: the context is about to close, and what it waits for will be lost."""
        self.contexts.remove(context)
        for event, fn in (
            ("console", self._console),
            ("weberror", self._error),
            ("requestfailed", self._lost),
            ("requestfinished", self._finished),
        ):
            context.remove_listener(event, fn)

    def expect(self, pattern: str) -> None:
        """Take what matches `pattern` for right, until the end of the test."""
        self.expected.append(re.compile(pattern))

    def begin(self) -> None:
        """Forget what was."""
        self.problems.clear()
        self.refused.clear()
        self.read.clear()
        self.expected.clear()

    def end(self) -> list[str]:
        """Return what went wrong since `begin` and was not expected."""
        for page in self._pages():
            page.evaluate("0")  # what the page has said until now has then arrived here
        self.problems += [self._described(response) for response in self.refused]
        return [p for p in self.problems if not any(e.search(p) for e in self.expected)]

    def photograph(self, folder: Path) -> list[str]:
        """Save a picture of every open page; return the paths."""
        kept = []
        for number, page in enumerate(self._pages()):
            path = folder / f"page-{number}.png"
            page.screenshot(path=path, full_page=True)
            kept.append(str(path))
        return kept

    def _pages(self) -> list[Any]:
        return [page for context in self.contexts for page in context.pages]

    def _finished(self, request: Request) -> None:
        self.read.add(request)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(response)

    def _described(self, response: Response) -> str:
        """Say what was asked and what was answered; Chromium's console names only the status."""
        answer = "(not read)"  # asking for it would wait without end: nothing keeps it
        if response.request in self.read:
            try:
                answer = response.text()[:300]
            except Error:  # its page has gone
                answer = "(no longer there)"
        asked = (response.request.post_data or "")[:300]
        return f"refused: {response.status} {response.url} {answer} (asked: {asked})"

    def _console(self, message: ConsoleMessage) -> None:
        told_twice = message.text.startswith("Failed to load resource")
        if message.type == "error" and not told_twice:
            where = message.location.get("url", "")
            self.problems.append(f"console error: {message.text} ({where})")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"page error: {error.error}")

    def _lost(self, request: Request) -> None:
        ended = request.failure == "net::ERR_ABORTED" and STREAMS.search(request.url)
        if not ended:
            self.problems.append(f"lost request: {request.method} {request.url} {request.failure}")
