"""The stability atlas: shown at once, told without requests, trained for real, a cell as a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .conftest import TIMEOUT_MS
from .page import COUNT_REQUESTS, RUN, Playground
from .server import App
from .watch import Watch

CANVAS = ".atlas-canvas"
STEP = f"Number(document.querySelector('{CANVAS}').dataset.step)"


class Atlas(Playground):
    """The page opened on the GAN lab, the atlas unfolded."""

    def wait_until_ready(self) -> None:
        """Wait until the atlas is drawn."""
        self("#play-gan2d-lab [data-ready]").wait_for(state="attached")
        self("#play-gan2d-panel-transport [data-ready]").wait_for(state="attached")
        self("#play-gan2d-atlas > summary").click()
        self(CANVAS).wait_for()
        self(".atlas-legend .atlas-count").first.wait_for()

    def counts(self) -> dict[str, int]:
        """Return how many cells the legend says to be in each state."""
        return {
            str(item.get_attribute("data-state")): int(item.locator(".atlas-count").inner_text())
            for item in self(".atlas-legend li").all()
        }


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Atlas]:
    context = browser.new_context(base_url=app.address, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(TIMEOUT_MS)
    watch.over(context, app.address)
    tab = context.new_page()
    tab.add_init_script(COUNT_REQUESTS)
    atlas = Atlas(tab)
    tab.goto("/?tab=gan2d", wait_until="domcontentloaded")
    atlas.wait_until_ready()
    yield atlas
    watch.leave(context)
    context.close()


def test_a_finished_atlas_is_there_at_once(page: Atlas) -> None:
    found = page.counts()
    assert sum(found.values()) == 100
    assert all(found[state] > 0 for state in ("covered", "partly", "collapsed", "orbiting"))
    told = page(CANVAS).get_attribute("aria-label") or ""
    assert f"{found['covered']} covered" in told


def test_pointer_and_keyboard_tell_a_cell_without_a_request(page: Atlas) -> None:
    page(CANVAS).scroll_into_view_if_needed()
    page.until_quiet()
    box = page(CANVAS).bounding_box()
    assert box
    hint = page(".atlas-readout").inner_text()
    with page.requests() as asked:
        page.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
        page.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
        page.until_other(".atlas-readout", hint)
        by_pointer = page(".atlas-readout").inner_text()
        page(CANVAS).press("ArrowUp")
        page.until_other(".atlas-readout", by_pointer)
    assert not asked
    assert "Rate of G" in page(".atlas-readout").inner_text()
    page(CANVAS).press("Enter")
    page(".atlas-open:enabled").wait_for()
    page(CANVAS).press("Escape")
    page(".atlas-side").wait_for(state="hidden")


def test_the_table_says_what_the_colours_say(page: Atlas) -> None:
    page(".atlas > .atlas-more > summary").click()
    page(".atlas-table td").first.wait_for()
    cells = page(".atlas-table td").all_inner_texts()
    assert cells.count("Covered") == page.counts()["covered"]
    assert len(cells) == 100


def test_an_atlas_trains_and_a_cell_becomes_a_run(page: Atlas) -> None:
    page("label.x-field:has-text('Cells') select").select_option("6")
    page(".atlas-train").click()
    page.until(f"{STEP} > 0 && {STEP} < 6000")
    first = page.value(STEP)
    page.until(f"(first) => {STEP} > first", first)  # live
    page.until(f"{STEP} >= 200")
    page.until("document.querySelector('.atlas-legend').innerText.length > 0")
    page(CANVAS).press("ArrowUp")
    page(CANVAS).press("Enter")
    page(".atlas-open:enabled").click()
    page.until(f"{RUN}?.model === 'gan2d'")
    run = page.run()
    assert run["dataset"] == "ring8"
    config = run["config"]
    assert (config["generator_width"], config["batch_size"], config["latent_dim"]) == (32, 64, 2)
    rates = page(".atlas-facts dd").all_inner_texts()[:2]
    assert float(rates[0].replace("−", "-")) == pytest.approx(
        config["generator_learning_rate"], rel=0.05
    )
    page(".atlas-stop").click()
    page(".atlas-stop").wait_for(state="hidden")
    page.stop()
