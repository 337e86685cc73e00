"""A text that a person brings in the training panel: looked at, then trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Locator

from .conftest import opened
from .page import Playground
from .server import App
from .watch import Watch

SETTINGS = "window.Play.store.settings()"
KOREAN = "나는 밥을 먹고 학교에 갔다. 그리고 친구를 만났다!\n" * 40


class Reading(Playground):
    """The page opened on the text tab, with the fold of one's own text open."""

    def wait_until_ready(self) -> None:
        """Wait until the panel is mounted, then open the fold."""
        self("#play-text-panel-transport [data-ready]").wait_for(state="attached")
        if not self.form.is_visible():
            fold = self(".play-fold").filter(has_text="Use my own text")
            fold.locator("button").first.click()
        self.form.wait_for()

    @property
    def form(self) -> Locator:
        """All of the fold."""
        return self(".play-texts")

    def use(self) -> None:
        """Press "Use this text"."""
        self.form.get_by_role("button", name="Use this text").click()

    def refusal(self) -> Locator:
        """The sentence that says why a text was refused."""
        return self.form.locator(".play-error")


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Reading]:
    with opened(Reading, "/?tab=text", browser, app, watch) as page:
        yield page


def _file(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="text/plain", buffer=content)


def test_nothing_and_too_much_are_refused_before_anything_is_sent(
    page: Reading, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.txt"
    with open(huge, "wb") as file:
        file.truncate(100_000_000)
    with page.requests() as asked:
        page.use()
        page.refusal().filter(has_text="Choose a file or paste a text first.").wait_for()
        page.form.locator("input[type=file]").set_input_files(huge)
        page.refusal().filter(has_text="huge.txt").wait_for()
    assert not any("/texts" in request for request in asked)


def test_what_is_typed_is_looked_at_when_it_rests(page: Reading, watch: Watch) -> None:
    watch.expect(r"refused: 400 .*/texts")
    page.form.locator("textarea").fill("only a little")
    page.refusal().filter(has_text="at least 200").wait_for()
    page.form.locator("textarea").fill("<b>To be</b>, or not to be.\n" * 30)
    page.form.get_by_text("840 characters").wait_for()
    assert page.form.locator("pre").inner_text().startswith("<b>To be</b>, or not")
    assert not page.refusal().is_visible()


def test_a_korean_file_is_read_and_trained_on(page: Reading) -> None:
    page.form.locator("input[type=file]").set_input_files(_file("소설.txt", KOREAN.encode("cp949")))
    page.form.get_by_text("read as Korean").wait_for()
    page.form.locator("input[name=name]").fill("내 소설")
    page.use()
    page.form.get_by_text("“내 소설” is ready.").wait_for()
    page.until(f"() => {SETTINGS}.dataset.startsWith('text:')")
    page("#play-text-train").click()
    page.until("() => window.Play.store.state.run?.step > 0")
    run = page.value("window.Play.store.state.run")
    assert run["dataset"].startswith("text:")


def test_what_was_brought_is_listed_and_deleted(page: Reading) -> None:
    page.stop()
    page.reload()
    brought = page("#play-text-files-brought")
    brought.locator("summary").click()
    row = brought.locator("li").filter(has_text="내 소설")
    row.get_by_role("button", name="Delete").click()
    page.page.get_by_role("button", name="Delete it").click()
    row.wait_for(state="detached")
    page.until(
        """() => !window.Play.store.state.catalogue.datasets.some((d) => d.title === "내 소설")"""
    )
