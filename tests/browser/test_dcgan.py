"""The DCGAN tab: its samples and what can be done with them, the monitor, a fork with a remedy.

The tests share one page, which opens on the shipped model and then trains one of its own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator

from .conftest import opened
from .page import RUN, SHOWN, Playground
from .server import App
from .watch import Watch

ADDRESS = "/?tab=dcgan"
GRID = ".dc-grid-canvas"
SHIPPED = "dcgan/mnist"
SIDE = 8  # samples in a row of the grid
LONG = 100_000  # steps: nobody waits for the end
QUICK = {"channels": 8, "batch_size": 16, "latent_dim": 16}
REMEDY = {"key": "minibatch_std", "title": "Minibatch standard deviation"}


class Sampler(Playground):
    """The page opened on the DCGAN tab."""

    def wait_until_ready(self) -> None:
        """Wait until every part is mounted and samples are drawn."""
        for part in ("panel-transport", "dcgan", "timeline", "curves", "lessons", "help"):
            self(f"#play-dcgan-{part} [data-ready]").wait_for(state="attached")
        self.until(f"document.querySelector('{GRID}')?.dataset.paints > 0")
        self(".dc-portrait canvas.filled").wait_for()

    def click_sample(self, index: int) -> None:
        """Click a sample of the grid."""
        grid = self(GRID)
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        side = box["width"] / SIDE
        grid.click(position={"x": (index % SIDE + 0.5) * side, "y": (index // SIDE + 0.5) * side})
        self.until(f"document.querySelector('.dc-sample h3').innerText === 'Sample {index + 1}'")

    def panel(self, key: str) -> Locator:
        """Open a panel under the samples; return it."""
        self(f"#play-dcgan-tab-{key}").click()
        panel = self(f"#play-dcgan-panel-{key}")
        panel.wait_for()
        return panel

    def module(self, name: str, expression: str, argument: Any = None) -> Any:
        """Evaluate `expression` of the tab's own module `m` and of `argument`."""
        return self.value(
            f"""async ([name, argument]) => {{
              const links = [...document.querySelectorAll("link[rel=modulepreload]")];
              const own = links.map((l) => l.href).find((href) => href.includes("/t-dcgan/"));
              const m = await import(new URL(name, own).href);
              return ({expression});
            }}""",
            [name, argument],
        )


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Sampler]:
    with opened(Sampler, ADDRESS, browser, app, watch) as page:
        yield page


def test_the_tab_opens_on_the_shipped_model(page: Sampler) -> None:
    assert page.value("window.Play.store.state.source") == {"checkpoint": SHIPPED}
    assert page.shown(GRID) is not None
    page.until("document.querySelectorAll('.dc-nearest .x-captions span').length === 6")
    assert page(".dc-likely .dc-meter").count() == 3
    page(".dc-badge[data-level=healthy]").wait_for()
    assert "coverage" in page(".dc-badge").inner_text()


def test_new_samples_truncation_and_choosing(page: Sampler) -> None:
    before = page.shown(GRID)
    page(".dc-grid").get_by_role("button", name="New samples").click()
    other = page.until_shown(GRID, before)
    truncation = page(".dc-grid input[type=range]")
    truncation.press("Home")
    page.until_shown(GRID, other)
    truncation.press("End")
    page.until(f"() => ({SHOWN})(document.querySelector('{GRID}')) === {other}")
    score = page(".dc-score-head .play-number").inner_text()
    page.click_sample(11)
    page.until_other(".dc-score-head .play-number", score)
    page(GRID).press("ArrowRight")
    page.until("document.querySelector('.dc-sample h3').innerText === 'Sample 13'")
    assert len(page.value("window.Play.store.state.point.z")) > 1


def test_more_like_this(page: Sampler) -> None:
    page(".dc-sample").get_by_role("button", name="More like this").click()
    near = page.until_shown("#play-dcgan-panel-near .x-tiles")
    page("#play-dcgan-panel-near .x-tiles").click(position={"x": 20, "y": 20})
    page.until("document.querySelector('.dc-sample h3').innerText === 'Sample from elsewhere'")
    page.until_shown("#play-dcgan-panel-near .x-tiles", near)


def test_a_walk_through_chosen_samples(page: Sampler) -> None:
    panel = page.panel("walk")
    page.until("document.querySelectorAll('.dc-stops li').length === 4")  # the example
    for count, index in enumerate((2, 20, 40), 1):
        page.click_sample(index)
        page.until(f"document.querySelectorAll('.dc-stops li').length === {count}")
    strip = page.until_shown("#play-dcgan-panel-walk .x-tiles")
    frame = "#play-dcgan-panel-walk .x-player canvas"
    label = page(frame).get_attribute("aria-label")
    page.until_other(frame, label, "getAttribute('aria-label')")  # it plays
    panel.get_by_role("button", name="Linear").click()
    page.until_shown("#play-dcgan-panel-walk .x-tiles", strip)


def test_arithmetic_by_clicks_and_by_dragging(page: Sampler) -> None:
    panel = page.panel("arithmetic")
    for index in (3, 12, 21):
        page.click_sample(index)
    result = page.until_shown(".dc-result canvas")
    box, tray = page(GRID).bounding_box(), page(".dc-tray[data-drop=a]").bounding_box()
    assert box
    assert tray
    mouse = page.page.mouse
    mouse.move(box["x"] + 0.5 * box["width"] / SIDE, box["y"] + box["height"] - 20)
    mouse.down()
    mouse.move(tray["x"] + 30, tray["y"] + 40, steps=5)
    mouse.up()
    page.until("document.querySelectorAll('.dc-tray[data-drop=a] .dc-member').length === 2")
    page.until_shown(".dc-result canvas", result)
    with page.page.expect_download() as download:
        panel.get_by_role("button", name="Download the result").click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert image.width > 4 * 28 > image.height


def test_the_networks_are_those_of_the_engine(page: Sampler) -> None:
    page.panel("network")
    assert page(".dc-generator .dc-arrow").count() == 4
    assert "(4 − 1) × 2 − 2 × 1 + 4 = 8" in page(".dc-detail").inner_text()
    engine = page.value("window.Play.store.explore('architecture', {}).then((a) => a.values)")
    settings = page.value(
        """(name) => window.Play.store.state.catalogue.checkpoints
                       .find((c) => c.name === name).config""",
        SHIPPED,
    )
    drawn = page.module("dcgan_layers.js", "m.layersOf(...argument)", [settings, engine["shape"]])
    for network in ("generator", "discriminator"):
        layers = [{k: v for k, v in layer.items() if k != "name"} for layer in engine[network]]
        assert drawn[network] == layers
    page.value("window.Play.store.applySettings({config: {upsampling: 'nearest'}})")
    page("#play-dcgan-panel-network").get_by_role("button", name="Settings of the panel").click()
    page(".dc-generator .dc-arrow.other").first.wait_for()
    page.value("window.Play.store.applySettings({config: {upsampling: 'transposed'}})")


def test_you_are_the_discriminator(page: Sampler) -> None:
    panel = page.panel("game")
    panel.get_by_role("button", name="Begin").click()
    page(".dc-game-picture canvas").wait_for()
    for count, key in enumerate(("g", "ArrowRight", "r"), 1):
        page(".dc-game-play").press(key)
        page.until(
            "(n) => document.querySelector('.dc-game-head').innerText.includes(`Picture ${n} `)",
            count + 1,
        )
    panel.get_by_role("button", name="Generated", exact=True).click()
    panel.get_by_role("button", name="End the round").click()
    assert page(".dc-game-tile").count() == 4
    assert page(".dc-game-bars .dc-meter").count() == 3


def test_training_moves_the_samples_and_the_monitor_looks(page: Sampler) -> None:
    page.value(
        """([config, steps]) => window.Play.store.applySettings(
             {preset: null, dataset: "mnist", config, max_steps: steps})""",
        [QUICK, LONG],
    )
    before = page.value(f"{RUN}?.id ?? null")
    page("#play-dcgan-train").click()
    page.until(f"(before) => {RUN} && {RUN}.id !== before && {RUN}.step > 0", before)
    page(".dc-state.live").wait_for()
    paints = page(GRID).get_attribute("data-paints")
    page.until_other(GRID, paints, "dataset.paints")
    page("#play-dcgan-tab-monitor[aria-selected=true]").wait_for()
    page(".dc-figure[data-figure=coverage]").wait_for()
    page(".dc-changes i").first.wait_for(state="attached")
    assert page(".dc-changes i").count() == SIDE * SIDE
    assert page(".dc-badge").get_attribute("data-level") == "early"


def test_a_remedy_forks_and_both_stand_side_by_side(page: Sampler) -> None:
    page.until(f"{RUN}.checkpoints?.length > 0")
    since = page.value(f"{RUN}.checkpoints[0].step")
    old = page.run()["id"]
    page.value(
        """([since, remedy]) => window.Play.store.emit("alert", {
             kind: "alert", alert: "collapse", level: "collapse", step: since + 1, since,
             sentence: "Coverage fell.", remedies: [{...remedy, config: {minibatch_std: true}}],
           })""",
        [since, REMEDY],
    )
    page(".play-curves").get_by_role("button", name=REMEDY["title"]).click()
    page.until(f"(old) => {RUN} && {RUN}.id !== old && {RUN}.step > 0", old)
    fork = page.run()
    assert fork["config"]["minibatch_std"] is True
    assert fork["parent"] == {"run": old, "step": since}
    page(".dc-compare").wait_for()
    for side in ("before", "after"):
        page.until(f"document.querySelector('.dc-{side} canvas').width > 100")
    assert REMEDY["title"] in page(".dc-compare").inner_text()
