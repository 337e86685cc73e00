"""The watch itself: a test that could not fail would show nothing."""

from __future__ import annotations

from .page import Playground
from .watch import Watch


def test_the_watch_sees_what_goes_wrong(page: Playground, watch: Watch) -> None:
    page.value("console.error('a word of complaint')")
    page.value("setTimeout(() => { throw new Error('an error of the page'); })")
    page.value("fetch('http://localhost:9/elsewhere').catch(() => null)")
    page.value("fetch('/gradio_api/play/runs/none').then((answer) => answer.text())")
    page.value("fetch('/gradio_api/play/runs/unread').catch(() => null)")
    page.until_quiet()
    seen = "\n".join(watch.end())
    # The page's own policy keeps it from other hosts, and says so.
    policy = "Content Security Policy"
    for expected in (
        "a word of complaint",
        "an error of the page",
        policy,
        "There is no run",
        "(not read)",
    ):
        assert expected in seen, seen
    watch.begin()
