"""The GAN lab: real training, layers, one network at a time, slow motion, one's own data.

The tests share one page; each brings the run into the state that it needs.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from .conftest import TIMEOUT_MS
from .page import COUNT_REQUESTS, RUN, Playground
from .server import App
from .watch import Watch

ADDRESS = "/?tab=gan2d"
CANVAS = ".lab-view .lab-body .lab-canvas"
PAD = ".lab-pad"
PARTS = 10
LONG = 200_000  # steps: nobody waits for the end


class Lab(Playground):
    """The page opened on the GAN lab."""

    def wait_until_ready(self) -> None:
        """Wait until every part is mounted."""
        for part in ("panel-transport", "lab", "timeline", "curves", "lessons", "help"):
            self(f"#play-gan2d-{part} [data-ready]").wait_for(state="attached")

    def until_drawn(self) -> None:
        """Wait until a model is on the large picture."""
        self.until(f"document.querySelector('{CANVAS}')?.dataset.paints > 0")
        self(".lab-facts dd").first.wait_for()

    def train(self) -> str:
        """Choose the ring without a remedy, press Train, wait until it trains."""
        self.stop()
        self.value(
            """(steps) => window.Play.store.applySettings(
                 {preset: null, dataset: "ring8", max_steps: steps})""",
            LONG,
        )
        before = self.value(f"{RUN}?.id ?? null")
        self("#play-gan2d-train").click()
        self.until(f"(before) => {RUN} && {RUN}.id !== before && {RUN}.step > 20", before)
        return str(self.run()["id"])

    def pause(self) -> None:
        """Pause the run, if it is not paused."""
        if self.run()["state"] == "running":
            self.value("window.Play.store.command('pause')")
        self.until_state("paused")
        self.until_quiet()

    def lab(self) -> dict[str, np.ndarray]:
        """Return the arrays of the present weights, as the server draws them."""
        payload = self.value("window.Play.store.explore('lab', {})")
        return {name: _array(a) for name, a in payload["arrays"].items()}

    def chip(self, layer: str) -> None:
        """Press a layer's switch and wait until the picture has changed."""
        before = self.shown(CANVAS)
        self(f".lab-chip[data-layer={layer}]").click()
        self.until_shown(CANVAS, other_than=before)

    def part(self) -> str:
        """Return which part of a step slow motion shows, such as "d-score"."""
        return self(".lab-slow").get_attribute("data-part") or ""

    def until_part(self, name: str) -> None:
        """Wait until slow motion shows a part."""
        self(f".lab-slow[data-part={name}]").wait_for()

    def draw(self, places: list[tuple[float, float]], selector: str = PAD) -> None:
        """Drag the mouse over a canvas; places are shares of its width and height."""
        self(selector).scroll_into_view_if_needed()
        box = self(selector).bounding_box()
        assert box
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=20)
        self.page.mouse.up()


def _array(wire: dict[str, Any]) -> np.ndarray:
    kind = {"f4": "<f4", "u1": "u1", "i4": "<i4"}[wire["dtype"]]
    return np.frombuffer(base64.b64decode(wire["data"]), kind).reshape(wire["shape"])


def opened(browser: Browser, app: App, watch: Watch, **shape: Any) -> Lab:
    """Open the lab as somebody who was never here."""
    options = {"viewport": {"width": 1440, "height": 1000}, **shape}
    context = browser.new_context(base_url=app.address, **options)
    context.set_default_timeout(TIMEOUT_MS)
    watch.over(context, app.address)
    page: Page = context.new_page()
    page.add_init_script(COUNT_REQUESTS)
    lab = Lab(page)
    page.goto(ADDRESS, wait_until="domcontentloaded")
    lab.wait_until_ready()
    return lab


def closed(lab: Lab, watch: Watch) -> None:
    """Stop what the lab trains and close it."""
    lab.stop()
    watch.leave(lab.page.context)
    lab.page.context.close()


@pytest.fixture(scope="module")
def lab(browser: Browser, app: App, watch: Watch) -> Iterator[Lab]:
    found = opened(browser, app, watch)
    yield found
    closed(found, watch)


@pytest.fixture
def running(lab: Lab) -> Lab:
    """The lab with a long run on the ring that is training."""
    run = lab.value(RUN)
    state, data = (run or {}).get("state"), (run or {}).get("dataset")
    if data != "ring8" or state not in ("running", "paused"):
        lab.train()
    elif state == "paused":
        lab.value("window.Play.store.command('resume')")
    lab.until_state("running")
    lab.until_drawn()
    return lab


@pytest.fixture
def paused(running: Lab) -> Lab:
    """The same, paused, and drawn exactly."""
    running.pause()
    return running


# ---------------------------------------------------------------------- looking


def test_a_trained_model_is_on_screen_before_any_click(lab: Lab) -> None:
    lab.until_drawn()
    assert lab.value("window.Play.store.state.source") == {"checkpoint": "gan2d/ring8"}
    assert lab(".lab-facts [data-fact=strict]").inner_text() == "8/8"
    lab.until("!document.querySelector('.lab-loss .lab-value').textContent.includes('–')")


def test_training_moves_picture_and_numbers(running: Lab) -> None:
    before = running.shown(CANVAS)
    step = running.run()["step"]
    running.until_shown(CANVAS, other_than=before)
    running.until_step(step + 20)
    assert running(".lab-badge").inner_text().startswith("live · step")
    assert running(".lab-facts [data-fact=loose]").inner_text().endswith("/8")
    assert 0 < float(running(".lab-facts [data-fact=real]").inner_text()) < 1
    told = running(CANVAS).get_attribute("aria-label") or ""
    assert "of 8 modes" in told


def test_every_layer_can_be_switched(paused: Lab) -> None:
    switches = paused(".lab-chip").all()
    layers = [s.get_attribute("data-layer") or "" for s in switches]
    assert layers == ["surface", "warp", "real", "generated", "arrows", "centres"]
    for layer in layers:
        before = paused(f".lab-chip[data-layer={layer}]").get_attribute("aria-pressed")
        paused.chip(layer)
        assert paused(f".lab-chip[data-layer={layer}]").get_attribute("aria-pressed") != before
        paused.chip(layer)
        assert paused(f".lab-chip[data-layer={layer}]").get_attribute("aria-pressed") == before


def test_hovering_reads_the_surface_without_a_request(paused: Lab) -> None:
    box = paused(CANVAS).bounding_box()
    assert box
    with paused.requests() as asked:
        for share in (0.2, 0.5, 0.8):
            paused.page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
            paused(".lab-bubble.shown").wait_for()
            value = paused(".lab-bubble b").inner_text()
            assert value.startswith("D = ")
            assert 0 <= float(value[4:]) <= 1
    assert not asked
    paused.page.mouse.move(5, 5)


def test_zooming_asks_for_a_finer_surface_and_comes_back(paused: Lab) -> None:
    before = paused.shown(CANVAS)
    with paused.page.expect_request(lambda request: request.url.endswith("/explore/lab")) as asked:
        paused.page.get_by_role("button", name="Zoom in").click()
    assert '"extent":[' in (asked.value.post_data or "")  # of the part that is seen
    paused.until_quiet()
    zoomed = paused.until_shown(CANVAS)
    assert zoomed != before
    paused.page.get_by_role("button", name="Show all data").click()
    paused.until_shown(CANVAS, other_than=zoomed)
    paused.until_quiet()


def test_pictures_of_the_diagram_switch_layers(paused: Lab) -> None:
    before = paused(".lab-chip[data-layer=real]").get_attribute("aria-pressed")
    paused(".lab-node").nth(1).click()
    assert paused(".lab-chip[data-layer=real]").get_attribute("aria-pressed") != before
    paused(".lab-node").nth(1).click()


# ---------------------------------------------------------------------- one network at a time


def test_d_only_moves_the_surface_and_not_the_points(paused: Lab) -> None:
    step, before = paused.run()["step"], paused.lab()
    paused(".lab-step.discriminator").click()
    paused.until_step(step + 1)
    paused(".lab-step.discriminator:enabled").wait_for()
    after = paused.lab()
    assert paused.run()["step"] == step + 1
    assert paused.run()["config"]["trained"] == "both"
    np.testing.assert_array_equal(after["generated"], before["generated"])
    np.testing.assert_array_equal(after["warp"], before["warp"])
    assert np.abs(after["surface"] - before["surface"]).max() > 0


def test_g_only_moves_the_points_and_not_the_surface(paused: Lab) -> None:
    step, before = paused.run()["step"], paused.lab()
    paused(".lab-step.generator").click()
    paused.until_step(step + 1)
    paused(".lab-step.generator:enabled").wait_for()
    after = paused.lab()
    assert np.abs(after["generated"] - before["generated"]).max() > 0
    np.testing.assert_array_equal(after["surface"], before["surface"])


# ---------------------------------------------------------------------- slow motion


def test_slow_motion_rehearses_the_step_that_is_then_taken(paused: Lab) -> None:
    step, before = paused.run()["step"], paused.lab()
    told = paused.value("window.Play.store.explore('step_parts', {})")["values"]
    paused(".lab-slow-open").click()
    paused.until_part("d-sample")
    assert paused(".lab-dot").count() == PARTS
    paused(".lab-dot").nth(2).click()
    paused.until_part("d-loss")
    loss = told["loss"]["discriminator"]
    assert f"= {loss:.3g}"[:5] in paused(".lab-slow-words").inner_text()
    assert paused.run()["step"] == step, "looking at a step must not take it"
    unmoved = paused.lab()
    np.testing.assert_array_equal(unmoved["generated"], before["generated"])
    paused(".lab-dot").nth(PARTS - 1).click()
    paused.until_part("g-update")
    paused.page.get_by_role("button", name="The next part").click()
    paused.until_step(step + 1)
    paused.until_part("d-sample")
    taken = paused.lab()
    assert np.abs(taken["generated"] - before["generated"]).max() > 0
    paused.page.get_by_role("button", name="End slow motion").click()
    paused(".lab-slow").wait_for(state="hidden")


# ---------------------------------------------------------------------- one's own data


def test_drawn_points_become_data_and_train(lab: Lab) -> None:
    lab.stop()
    lab.page.get_by_role("button", name="Draw data").click()
    lab(PAD).wait_for()
    assert lab("#play-gan2d-use").is_disabled()
    lab.draw([(0.2, 0.3), (0.8, 0.3), (0.5, 0.8)])
    drawn = lab(".lab-padtools [role=status]").inner_text()
    lab.draw([(0.2, 0.8), (0.3, 0.9)])
    lab.page.get_by_role("button", name="Take back the last stroke").click()
    assert lab(".lab-padtools [role=status]").inner_text() == drawn
    lab("#play-gan2d-use").click()
    lab(PAD).wait_for(state="hidden")
    lab.page.get_by_role("button", name="Train on them").click()
    lab.until(f"() => {RUN}?.dataset.startsWith('points:') && {RUN}.step > 50")
    assert lab.value("window.Play.store.settings().dataset") == lab.run()["dataset"]
    lab.until_drawn()
    assert lab(".lab-facts [data-fact=loose]").count() == 0, "a drawing has no known modes"
    lab.stop()


def test_a_file_of_points_can_be_read(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "moon.csv"
    angle = np.linspace(0, np.pi, 200)
    np.savetxt(file, np.stack([np.cos(angle), np.sin(angle)], 1), delimiter=",", header="x,y")
    lab.page.get_by_role("button", name="Draw data").click()
    lab(".lab-padbox input[type=file]").set_input_files(file)
    lab.until("document.querySelector('.lab-padtools [role=status]').innerText === '200 points'")
    lab.page.get_by_role("button", name="Back", exact=True).click()
    lab(PAD).wait_for(state="hidden")


def test_a_damaged_file_is_refused_in_one_sentence(lab: Lab, watch: Watch, tmp_path: Path) -> None:
    watch.expect(r"refused: 4\d\d .*/points")
    file = tmp_path / "words.txt"
    file.write_text("1 2\nthree four\n")
    lab.page.get_by_role("button", name="Draw data").click()
    lab(".lab-padbox input[type=file]").set_input_files(file)
    lab(".lab-padbox .play-error:not(:empty)").wait_for()
    assert "line 2" in lab(".lab-padbox .play-error").inner_text().lower()
    lab.page.get_by_role("button", name="Back", exact=True).click()


# ---------------------------------------------------------------------- the rest


def test_the_stability_atlas_opens(lab: Lab) -> None:
    lab("#play-gan2d-atlas > summary").click()
    lab(".atlas-canvas").wait_for()
    lab(".atlas-legend li").first.wait_for()
    lab("#play-gan2d-atlas > summary").click()


# ---------------------------------------------------------------------- where it is looked at


def test_lab_fits_a_phone_and_works_by_touch(browser: Browser, app: App, watch: Watch) -> None:
    phone = opened(browser, app, watch, viewport={"width": 390, "height": 844}, has_touch=True)
    try:
        if not phone.value("window.Play.store.state.source"):
            phone.train()
        phone.until_drawn()
        assert phone.value("document.documentElement.scrollWidth <= innerWidth")
        phone(CANVAS).tap(position={"x": 100, "y": 100})
        phone(".lab-bubble.shown").wait_for()
        phone.page.get_by_role("button", name="Draw data").tap()
        phone(PAD).wait_for()
        phone(PAD).tap(position={"x": 120, "y": 120})
        phone.until("document.querySelector('.lab-padtools [role=status]').innerText[0] !== '0'")
    finally:
        closed(phone, watch)
