"""Two domains that a person brings in the training panel: files, drawings, camera, public sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Route

from .conftest import opened
from .page import RUN, Playground
from .server import App
from .watch import Watch

SETTINGS = "window.Play.store.settings()"
# A camera that sees something else at every moment.
CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 240];
  const context = canvas.getContext("2d");
  let x = 0;
  setInterval(() => {
    context.fillStyle = "#3fae5a";
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = "#e5484d";
    context.fillRect((x += 7) % 260, 60, 60, 120);
  }, 30);
  return canvas.captureStream(30);
};
"""


class Bringing(Playground):
    """The page opened on the CycleGAN tab, with the fold of two domains open."""

    def wait_until_ready(self) -> None:
        """Wait until the panel is mounted, then open the fold."""
        self("#play-cyclegan-panel-transport [data-ready]").wait_for(state="attached")
        if not self.form.is_visible():
            fold = self(".play-fold").filter(has_text="Use my own two domains")
            fold.locator("button").first.click()
        self.form.wait_for()

    @property
    def form(self) -> Locator:
        """All of the fold."""
        return self(".play-domains")

    def side(self, letter: str) -> Locator:
        """One domain's part of it."""
        return self.form.locator("fieldset").filter(has_text=f"Domain {letter}")

    def send(self) -> str:
        """Press Upload; return what is then said of the new data set."""
        before = self.value(f"{SETTINGS}.dataset")
        self.form.get_by_role("button", name="Upload both").click()
        self.until(f"(before) => {SETTINGS}.dataset !== before", before)
        said = self.form.locator(":scope > [role=status]").filter(has_text="is ready")
        said.wait_for()
        return said.inner_text()

    def refusal(self) -> Locator:
        """The sentence that says why an upload was refused."""
        return self.form.locator(":scope > .play-error")


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Bringing]:
    with opened(Bringing, "/?tab=cyclegan", browser, app, watch, CAMERA) as page:
        yield page


def noise(seed: int) -> bytes:
    held = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()


def pictures(count: int, seed: int = 0) -> list[FilePayload]:
    names = [f"{i:03}.png" for i in range(count)]
    return [
        FilePayload(name=name, mimeType="image/png", buffer=noise(seed + i))
        for i, name in enumerate(names)
    ]


def test_what_is_missing_is_said_before_anything_is_sent(page: Bringing) -> None:
    with page.requests() as asked:
        page.form.get_by_role("button", name="Upload both").click()
        page.refusal().filter(has_text="Choose pictures of A and of B").wait_for()
    assert not any("/domains" in request for request in asked)


def test_too_few_are_refused_in_place(page: Bringing, watch: Watch) -> None:
    watch.expect(r"refused: 400 .*/domains")
    page.side("A").locator("input[type=file]").set_input_files(pictures(5))
    page.side("A").get_by_text("5 files").wait_for()
    page.form.get_by_role("button", name="Upload both").click()
    page.refusal().filter(has_text="There are no pictures of domain B yet.").wait_for()


def test_files_drawings_and_the_camera_make_two_domains(page: Bringing) -> None:
    a, b = page.side("A"), page.side("B")
    a.locator("input[type=file]").set_input_files(pictures(16, 50))
    a.get_by_role("button", name="Draw").click()
    pad = a.locator(".x-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 20, box["y"] + 30)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 150, box["y"] + 120, steps=4)
    page.page.mouse.up()
    a.get_by_role("button", name="Keep the drawing").click()
    a.get_by_text("21 files, 1 drawn or taken").wait_for()
    assert a.locator(".play-thumbnails canvas").evaluate(
        "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.includes(43)"
    )

    b.get_by_role("button", name="Camera").click()
    for taken in (10, 20, 30):
        b.locator(".primary:not(:disabled)").wait_for()
        b.get_by_role("button", name="Take 10 in a row").click()
        b.get_by_text(f"{taken} drawn or taken").wait_for()
    b.locator(".play-thumbnails button").first.click()
    b.get_by_text("29 drawn or taken").wait_for()
    b.get_by_role("button", name="Close").click()
    a.locator("[name=name_a]").fill("Noise <b>")
    b.locator("[name=name_b]").fill("Camera")
    said = page.send()
    assert "Noise <b> and Camera" in said
    assert "fewer than 50" in said
    chosen = page.value(f"{SETTINGS}")
    assert chosen["dataset"].startswith("domains:")
    assert chosen["model"] == "cyclegan"
    assert chosen["config"]["augmentation"] == "mirror"
    for side in (a, b):
        side.get_by_role("button", name="Clear").click()
        side.get_by_text("Nothing yet.").wait_for()


def test_one_archive_with_pairs_is_trained_on(page: Bringing) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as zipped:
        for i in range(24):
            zipped.writestr(f"mine/trainA/{i}_A.png", noise(500 + i))
            zipped.writestr(f"mine/trainB/{i}_B.png", noise(700 + i))
    both = page.form.locator("[name=both]")
    both.set_input_files(
        FilePayload(name="mine.zip", mimeType="application/zip", buffer=held.getvalue())
    )
    page.form.locator("[name=paired]").check()
    assert "22 pairs to train on, 2 to test with." in page.send()
    page.value(
        "window.Play.store.applySettings({max_steps: 3, config: {generator_channels: 4,"
        " discriminator_channels: 4, batch_size: 1}})"
    )
    page("#play-cyclegan-train").click()
    page.until(f"{RUN}?.dataset === {SETTINGS}.dataset")
    page.until_state("finished")
    assert page.run()["step"] == 3


def test_a_public_set_shows_its_progress_and_why_it_failed(page: Bringing) -> None:
    job = {"key": "horse2zebra", "mine": True, "added": None, "error": None, "total": 117_000_000}
    stages = [("fetching", 0, None), ("fetching", 39_000_000, None), ("failed", 0, "No network.")]

    def answer(route: Route) -> None:  # the real one would fetch 117 MB
        stage, done, error = stages.pop(0) if len(stages) > 1 else stages[0]
        told = {**job, "stage": stage, "done": done, "error": error}
        route.fulfill(json=told if route.request.method == "POST" else {"job": told})

    page.page.route("**/public-sets", answer)
    public = page.form.locator("fieldset").filter(has_text="Published sets")
    assert public.locator("option").count() == 10
    public.get_by_role("button", name="Fetch").click()
    public.get_by_text("horse2zebra: 39 of 117 MB").wait_for()
    public.locator(".play-error").filter(has_text="No network.").wait_for()
    assert public.get_by_role("button", name="Fetch").is_enabled()
    page.page.unroute("**/public-sets")
