"""A lesson as it goes: a teacher at the wall, two students who really train, in Chromium."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .conftest import TIMEOUT_MS
from .page import SHOWN
from .server import END_S, ROOT, START_S, App, free_port
from .watch import Watch

NAMES = ("Mina", "Tim <b>")
PICTURE = ".room-picture"
# Names for what is drawn, named or hidden wrongly: what a reader with a screen reader would miss.
UNNAMED = """() => [...document.querySelectorAll(
  "button, input, select, textarea, a[href], img, [role=img], dialog[open]")]
  .filter((node) => node.offsetParent !== null && !(
    node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || node.alt
    || node.labels?.length || node.textContent.trim()))
  .map((node) => node.outerHTML.slice(0, 120))"""


@dataclass
class Room:
    """A running server with a room, its code and the teacher's key."""

    app: App
    code: str
    key: str


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder, port = tmp_path_factory.mktemp("room-runs"), free_port()
    log = folder.with_name("room.log")
    command = [sys.executable, "-m", "tests.browser.room_server", str(port), str(folder)]
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        told = _first_line(log, process)
        app = App(f"http://127.0.0.1:{port}", folder, log, process.pid)
        yield Room(app, told["code"], told["key"])
    finally:
        process.terminate()
        process.wait(END_S)


def _first_line(log: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        lines = [line for line in log.read_text().splitlines() if line.startswith('{"code"')]
        if lines:
            return dict(json.loads(lines[0]))
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


class Lesson:
    """The teacher's page and those of the students."""

    def __init__(self, browser: Browser, watch: Watch, room: Room) -> None:
        self.browser, self.watch, self.room = browser, watch, room
        self.contexts: list[BrowserContext] = []
        self.wall = self.page(f"/gradio_api/play/wall#key={room.key}", 1280)
        self.wall.locator("#wall[data-ready]").wait_for()
        self.students = [self.student(name) for name in NAMES]

    def page(self, path: str, width: int = 1440) -> Page:
        context = self.browser.new_context(
            base_url=self.room.app.address, viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(TIMEOUT_MS)
        self.watch.over(context, self.room.app.address)
        self.contexts.append(context)
        page = context.new_page()
        page.goto(path, wait_until="domcontentloaded")
        return page

    def student(self, name: str) -> Page:
        page = self.page(f"/?tab=gan2d&room={self.room.code}")
        page.locator("#room-nickname").fill(name)
        page.locator("#room-join").click()
        page.locator("#room-hand").wait_for()
        return page

    def tile(self, name: str) -> str:
        """Return a selector of a student's tile."""
        tile = self.wall.locator(".wall-tile").filter(
            has=self.wall.locator("h3").get_by_text(name, exact=True)
        )
        return f'[data-member="{tile.get_attribute("data-member")}"]'

    def until_shown(self, page: Page, selector: str) -> None:
        """Wait until a canvas shows more than one colour."""
        page.wait_for_function(
            f"(selector) => ({SHOWN})(document.querySelector(selector)) !== null", arg=selector
        )

    def end(self) -> None:
        for context in self.contexts:
            self.watch.leave(context)
            context.close()


@pytest.fixture(scope="module")
def lesson(browser: Browser, watch: Watch, room: Room) -> Iterator[Lesson]:
    one = Lesson(browser, watch, room)
    yield one
    one.end()


def train(page: Page, steps: int) -> None:
    """Press Train on the GAN lab, for long enough."""
    page.locator("#play-gan2d-train:not([disabled])").wait_for()
    page.evaluate("(n) => window.Play.store.applySettings({max_steps: n})", steps)
    page.locator("#play-gan2d-train").click()
    page.wait_for_function("window.Play.store.state.run?.step > 0")


def test_both_train_and_their_pictures_come_to_the_wall(lesson: Lesson) -> None:
    for page in lesson.students:
        train(page, 20_000)
    for name in NAMES:
        lesson.until_shown(lesson.wall, f"{lesson.tile(name)} {PICTURE}")
        value = lesson.wall.locator(f"{lesson.tile(name)} .wall-value")
        expect(value).not_to_be_empty(timeout=TIMEOUT_MS)
    expect(lesson.wall.locator("h3").get_by_text("Tim <b>", exact=True)).to_be_visible()
    assert lesson.room.key not in lesson.wall.url
    assert lesson.wall.evaluate(UNNAMED) == []


def test_freeze_stands_still_and_resume_goes_on(lesson: Lesson) -> None:
    lesson.wall.locator("#wall-freeze").click()
    student = lesson.students[0]
    expect(student.locator(".room-notice").first).to_be_visible(timeout=TIMEOUT_MS)
    student.wait_for_function("window.Play.store.state.run.frozen")
    step = student.evaluate("window.Play.store.state.run.step")
    for name in NAMES:
        expect(lesson.wall.locator(f"{lesson.tile(name)} .wall-state")).to_have_text("Frozen")
    assert student.evaluate("window.Play.store.state.run.step") == step
    lesson.wall.locator("#wall-freeze").click()
    student.wait_for_function("(step) => window.Play.store.state.run.step > step", arg=step)


def test_a_raised_hand_comes_first(lesson: Lesson) -> None:
    lesson.students[1].locator("#room-hand").click()
    first = lesson.wall.locator(".wall-tile:not([hidden])").first
    expect(first.locator("h3")).to_have_text("Tim <b>", timeout=TIMEOUT_MS)
    expect(first.locator(".wall-hand")).to_be_visible()
    first.locator(".wall-more").press("Enter")
    lesson.wall.locator("#wall-do-lower").press("Enter")
    expect(lesson.students[1].locator("#room-hand")).to_have_attribute("aria-pressed", "false")


def test_the_spotlight_shows_one_run_on_all_screens(lesson: Lesson) -> None:
    lesson.wall.locator(f"{lesson.tile('Mina')} .wall-spot").click()
    other = lesson.students[1]
    other.locator(".room-spotlight[open]").wait_for()
    expect(other.locator("#room-shown-title")).to_have_text("The teacher shows: Mina’s run")
    lesson.until_shown(other, f".room-spotlight {PICTURE}")
    assert other.evaluate(UNNAMED) == []
    other.keyboard.press("Escape")
    other.locator(".room-notice button").click()
    other.locator(".room-spotlight[open]").wait_for()
    lesson.wall.locator("#wall-unshow").click()
    other.locator(".room-spotlight[open]").wait_for(state="hidden")


def test_hidden_controls_hide_and_the_sentence_stands_there(lesson: Lesson) -> None:
    student = lesson.students[0]
    seed = student.locator("#play-gan2d-seed")
    expect(seed).to_be_visible()
    lesson.wall.locator("#wall-hide").click()
    lesson.wall.locator('.wall-parts input[value="seed"]').check()
    lesson.wall.locator("#wall-tries").fill("Find <i>all</i> eight modes.")
    lesson.wall.locator(".wall-dialog button[type=submit]").click()
    expect(seed).to_be_hidden(timeout=TIMEOUT_MS)
    expect(student.locator(".room-tries")).to_contain_text("Find <i>all</i> eight modes.")
    lesson.wall.locator("#wall-hide").click()
    lesson.wall.locator(".wall-dialog .wall-ends button").first.click()
    lesson.wall.locator(".wall-dialog button[type=submit]").click()
    expect(seed).to_be_visible(timeout=TIMEOUT_MS)


def test_limits_stand_beside_train(lesson: Lesson) -> None:
    lesson.wall.locator("#wall-limits").click()
    lesson.wall.locator("#wall-limit-steps").fill("25000")
    lesson.wall.locator(".wall-dialog button[type=submit]").click()
    note = lesson.students[0].locator("#play-gan2d-panel-transport .room-limits")
    expect(note).to_have_text(
        "In this room a run may have at most 25,000 steps.", timeout=TIMEOUT_MS
    )


def test_a_preset_is_set_and_can_be_undone(lesson: Lesson) -> None:
    student = lesson.students[0]
    preset = "window.Play.store.settings().preset"
    before = student.evaluate(preset)
    lesson.wall.locator("#wall-push").click()
    lesson.wall.locator("#wall-push-what").select_option(label="Grid of 25 (1 to 2 min)")
    lesson.wall.locator(".wall-dialog button[type=submit]").click()
    student.wait_for_function(f"{preset} === 'gan2d-grid'")
    student.locator(".play-toast").get_by_role("button", name="Undo").click()
    student.wait_for_function(f"(before) => {preset} === before", arg=before)
    student.reload(wait_until="domcontentloaded")
    student.locator("#room-hand").wait_for()  # known again, without the form
    student.locator(".play-panel-transport[data-ready]").wait_for(state="attached")
    assert student.evaluate(preset) != "gan2d-grid"


def test_the_model_of_a_student_goes_to_everyone(lesson: Lesson) -> None:
    lesson.wall.locator(f"{lesson.tile('Mina')} .wall-more").click()
    lesson.wall.locator("#wall-do-send:not([disabled])").click()
    other = lesson.students[1]
    other.wait_for_function("window.Play.store.state.source?.checkpoint?.startsWith('upload/')")
    other.locator(".play-toast").get_by_role("button", name="Undo").last.click()
    other.wait_for_function("window.Play.store.state.source?.run")


def test_one_run_is_ended_after_a_question(lesson: Lesson) -> None:
    lesson.wall.locator(f"{lesson.tile('Mina')} .wall-more").click()
    lesson.wall.locator("#wall-do-end").click()
    lesson.wall.locator("#wall-sure").click()
    lesson.students[0].wait_for_function("window.Play.store.state.run?.state === 'stopped'")
    expect(lesson.wall.locator(f"{lesson.tile('Mina')} .wall-state")).to_have_text("Stopped")


def test_the_export_opens(lesson: Lesson, tmp_path: Path) -> None:
    lesson.wall.locator("#wall-export").click()
    with lesson.wall.expect_download() as coming:
        lesson.wall.locator(".wall-dialog button[type=submit]").click()
    path = tmp_path / "room.zip"
    coming.value.save_as(path)
    names = zipfile.ZipFile(path).namelist()
    for ending in (".safetensors", "curves.csv", ".png", ".webp", "run.json"):
        assert any(name.startswith("Mina/") and name.endswith(ending) for name in names), ending


@pytest.mark.parametrize("width", [1440, 390])
def test_the_wall_fits_the_screen(lesson: Lesson, width: int) -> None:
    lesson.wall.set_viewport_size({"width": width, "height": 844})
    assert lesson.wall.evaluate("document.documentElement.scrollWidth") <= width
    lesson.wall.locator("#wall-limits").click()
    assert lesson.wall.evaluate(UNNAMED) == []
    lesson.wall.keyboard.press("Escape")
    lesson.wall.locator(".wall-dialog").wait_for(state="detached")


def test_a_wrong_key_opens_nothing(lesson: Lesson, watch: Watch) -> None:
    page = lesson.page("/gradio_api/play/wall")
    page.locator("#wall-key").wait_for()
    assert page.locator(".wall-tile").count() == 0
