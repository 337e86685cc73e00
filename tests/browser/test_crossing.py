"""The CycleGAN tab's stage: pictures are brought, cross over, come back, and are taken home."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload

from .conftest import opened
from .page import SHOWN, Playground
from .server import App
from .watch import Watch

SHIPPED = "cyclegan/emoji"
THEATRE = ".cx-theatre"
AFTER = ".cx-after"
LEFT, RIGHT = ".cx-label.left", ".cx-label.right"  # what the divider parts
STATE = "window.Play.store.state"
# Every camera that a test can have: a moving picture in place of the device.
CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 240];
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "#e5484d";
    context.fillRect(100, 60, 120, 120);
  }, 30);
  return canvas.captureStream(30);
};
navigator.clipboard.writeText = async (text) => { window.copied = text; };
"""


class Stage(Playground):
    """The page opened on the CycleGAN tab."""

    def wait_until_ready(self) -> None:
        """Wait until every part is mounted and a picture has crossed over."""
        for part in ("panel-transport", "crossing", "timeline", "curves", "lessons", "help"):
            self(f"#play-cyclegan-{part} [data-ready]").wait_for(state="attached")
        self.until(f"document.querySelector('{THEATRE}')?.dataset.paints > 0")
        self(".cx-example").first.wait_for()

    def bring(self, name: str, data: bytes, kind: str = "image/png") -> None:
        """Choose a file for the stage."""
        file = FilePayload(name=name, mimeType=kind, buffer=data)
        self("[data-own=file]").set_input_files(file)

    def until_crossed(self, before: str | None) -> None:
        """Wait until what was chosen last has been painted."""
        self.until_other(THEATRE, before, "dataset.ms")
        self.until(f"document.querySelector('{THEATRE}').getAttribute('aria-busy') === 'false'")

    def paints(self) -> int:
        """Return how often the stage has been painted."""
        return int(self(THEATRE).get_attribute("data-paints") or 0)

    def until_painted(self, since: int) -> None:
        """Wait until the stage has been painted again and waits for nothing."""
        self.until(
            f"""(n) => {{
              const {{dataset, ariaBusy}} = document.querySelector("{THEATRE}");
              return Number(dataset.paints) > n && ariaBusy === "false";
            }}""",
            since,
        )

    def shape(self) -> tuple[int, int]:
        """Return width and height of the translation on the stage."""
        width, height = self(AFTER).evaluate("(canvas) => [canvas.width, canvas.height]")
        return width, height


def png(width: int, height: int, *, clear: bool = False) -> bytes:
    """Return a picture of a disc, on white or on nothing."""
    y, x = np.mgrid[0:height, 0:width]
    disc = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[disc] = (230, 120, 40, 255)
    if clear:
        pixels[~disc, 3] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Stage]:
    with opened(Stage, "/?tab=cyclegan", browser, app, watch, CAMERA) as page:
        yield page


def test_the_tab_opens_on_the_shipped_model(page: Stage) -> None:
    assert page.value(f"{STATE}.source") == {"checkpoint": SHIPPED}
    assert page.shown(AFTER) is not None
    for part in ("input", "truth", "identity", "cycle", "residual", "patches"):
        assert page(f".cx-{part}").is_visible()
    assert page("[role=tab][aria-selected=true]").last.inner_text() == "Three losses"


def test_examples_cross_over_in_both_directions(page: Stage) -> None:
    before = page.shown(AFTER)
    flat, round_ = page(".cx-strip").nth(0), page(".cx-strip").nth(1)
    flat.locator(".cx-example").nth(2).click()
    other = page.until_shown(AFTER, before)
    page.until(f"document.querySelector('{LEFT}').textContent === 'a · Flat'")
    round_.locator(".cx-example").nth(2).click()
    page.until_shown(AFTER, other)
    page.until(f"document.querySelector('{RIGHT}').textContent === 'F(b) · Flat'")
    page(".cx-directions button").nth(0).click()
    page.until(f"(shown) => ({SHOWN})(document.querySelector('{AFTER}')) === shown", other)
    painted = page.paints()
    flat.locator(".cx-example").nth(2).press("ArrowRight")
    page.page.keyboard.press("Enter")
    page.until("document.activeElement.matches('.cx-example[aria-pressed=true]')")
    page.until_painted(painted)
    page.until("document.querySelector('.cx-divider').ariaValueNow === '50'")  # it has swept


def test_the_divider_follows_pointer_and_keys(page: Stage) -> None:
    divider = page(".cx-divider")
    box = page(".cx-frame").bounding_box()
    assert box
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60, steps=4)
    page.page.mouse.up()
    page.until("Math.abs(document.querySelector('.cx-divider').ariaValueNow - 25) <= 1")
    divider.press("End")
    page.until("document.querySelector('.cx-divider').ariaValueNow === '100'")
    divider.press("ArrowLeft")
    page.until("document.querySelector('.cx-divider').ariaValueNow === '98'")
    divider.press("Home")
    page.until("document.querySelector('.cx-divider').ariaValueNow === '0'")
    assert "100 %" in (divider.get_attribute("aria-valuetext") or "")


def test_whatever_is_beside_can_be_compared(page: Stage) -> None:
    page(".cx-residual").click()
    assert page(LEFT).text_content() == "|F(G(a)) − a| · lost"
    page(".cx-truth").click()
    assert page(LEFT).text_content() == "b · true 3-D"
    page(".cx-tools").get_by_role("button", name="Lay over").click()
    page.until_shown(".cx-overlay")
    page(".cx-judged input").press("Home")
    page.until(f"document.querySelector('{THEATRE}').style.getPropertyValue('--cx-opacity') == 0.1")
    page(".cx-patches").click()
    page(".cx-judged").wait_for(state="hidden")


def test_a_file_crosses_over_at_its_own_shape_and_is_taken_home(page: Stage) -> None:
    before = page(THEATRE).get_attribute("data-ms")
    page.bring("disc.png", png(300, 200, clear=True))
    page.until_crossed(before)
    assert page.shape() == (300, 200)
    assert not page(".cx-truth").is_visible()
    assert "300 × 200 px" in page(".cx-facts").inner_text()
    painted = page.paints()
    page(".cx-fit").get_by_role("button", name="In tiles").click()
    page.until_painted(painted)
    assert page.shape() == (300, 200)
    page(".cx-fit").get_by_role("button", name="Whole").click()
    with page.page.expect_download() as download:
        page(".cx-tools").get_by_role("button", name="The translation as PNG").click()
    assert download.value.suggested_filename == "disc-3-d.png"
    taken = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert taken.size == (300, 200)
    assert taken.convert("RGBA").getpixel((2, 2))[3] == 0  # as clear as it came


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.png", b"", "empty.png is empty."),
        ("notes.png", b"not a picture " * 40, "not an image we can read"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image we can read"),
        ("large.png", bytes(20_000_001), "large.png has 20 MB"),
    ],
)
def test_what_is_no_picture_is_refused_in_its_place(
    page: Stage, watch: Watch, name: str, data: bytes, said: str
) -> None:
    shown = page.shown(AFTER)
    watch.expect("explore/translate")
    page.bring(name, data)
    page.until(
        "(said) => document.querySelector('.cx-uploader .play-error').innerText.includes(said)",
        said,
    )
    page.until_quiet()
    assert page.shown(AFTER) == shown


def test_drawing_crosses_over_stroke_by_stroke(page: Stage) -> None:
    page(".cx-ways").get_by_role("button", name="Draw").click()
    pad = page(".cx-draw .x-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    mouse = page.page.mouse
    mouse.move(box["x"] + 80, box["y"] + 80)
    mouse.down()
    mouse.move(box["x"] + 200, box["y"] + 160, steps=6)
    mouse.up()
    page.until(f"document.querySelector('{LEFT}').textContent === 'a · Yours'")
    first = page.until_shown(AFTER)
    painted = page.paints()
    mouse.move(box["x"] + 80, box["y"] + 220)
    mouse.down()
    mouse.move(box["x"] + 240, box["y"] + 220, steps=6)
    mouse.up()
    page.until_painted(painted)
    page.until_shown(AFTER, first)
    page(".cx-draw").get_by_role("button", name="Close").click()
    page(".cx-draw").wait_for(state="detached")


def test_the_camera_is_a_mirror_and_takes_a_picture(page: Stage) -> None:
    painted = page.paints()
    page(".cx-ways").get_by_role("button", name="Camera").click()
    take = page(".cx-own").get_by_role("button", name="Take the picture")
    page.until_painted(painted + 1)
    take.click()
    page(".cx-own").wait_for(state="hidden")
    page.until(f"document.querySelector('{LEFT}').textContent === 'a · Yours'")
    page.until_painted(painted + 2)
    assert page.shape() == (320, 240)


def test_a_link_brings_back_example_and_direction(page: Stage) -> None:
    page(".cx-strip").nth(1).locator(".cx-example").nth(4).click()
    page.until("document.querySelector('.cx-strip:last-child .cx-example[aria-pressed=true]')")
    page.until_quiet()
    shown = page.shown(AFTER)
    page(".cx-tools").get_by_role("button", name="A link that opens").click()
    page.until("window.copied?.includes('direction=b2a')")
    page.go(page.value("window.copied"))
    assert page.value(f"{STATE}.source") == {"checkpoint": SHIPPED}
    page.until(f"(shown) => ({SHOWN})(document.querySelector('{AFTER}')) === shown", shown)


def test_a_run_that_trains_shows_the_chosen_picture(page: Stage) -> None:
    page.value(
        """window.Play.store.applySettings({preset: null, max_steps: 100000,
             config: {generator_channels: 4, discriminator_channels: 4, batch_size: 1}})"""
    )
    page("#play-cyclegan-train").click()
    page(".cx-state.live").wait_for()
    painted = page.paints()
    page.bring("wide.png", png(320, 160))
    page.until(f"document.querySelector('{LEFT}').textContent.endsWith('· Yours')")
    page.until_painted(painted)
    page.until_other(".cx-state", page(".cx-state").inner_text())  # newer pictures have come
    width, height = page.shape()  # of the run's own pictures, or of an exact answer
    assert width == 2 * height
    page.stop()
    page(".cx-state.live").wait_for(state="detached")
