"""The CycleGAN tab's training views: losses, pairs, side by side, hidden messages, pool, networks.

The tests share one page, which opens on the shipped model and then trains one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator

from .conftest import opened
from .page import RUN
from .server import App
from .test_crossing import SHIPPED, Stage
from .watch import Watch

QUICK = {"generator_channels": 4, "discriminator_channels": 4, "batch_size": 1, "pool_size": 5}
LONG = 100_000  # steps: nobody waits for the end
EXPLORE = "([view, args]) => window.Play.store.explore(view, args).then((a) => a.values)"
# Where the patches of a discriminator of so many halvings lie, by the page's own module.
PATCHES = """async (halvings) => {
  const links = [...document.querySelectorAll("link[rel=modulepreload]")];
  const own = links.map((l) => l.href).find((href) => href.includes("/t-cyclegan/"));
  return (await import(new URL("crossing_field.js", own).href)).patchesOf(halvings);
}"""


class Views(Stage):
    """The page with the panels under the stage."""

    def panel(self, key: str) -> Locator:
        """Open a panel; return it."""
        self(f"#play-cyclegan-tab-{key}").click()
        panel = self(f"#play-cyclegan-panel-{key}")
        panel.wait_for()
        return panel

    def explore(self, view: str, **args: Any) -> dict[str, Any]:
        """Return the values of a view of what is explored."""
        found: dict[str, Any] = self.value(EXPLORE, [view, args])
        return found

    def slide(self, selector: str, value: float) -> None:
        """Move a slider."""
        self(selector).first.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
            value,
        )

    def loss(self, name: str, way: str) -> str:
        """Return what stands as the value of a loss."""
        return self(f"[data-loss={name}] [data-way={way}] .cy-way-head b").inner_text()


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Views]:
    with opened(Views, "/?tab=cyclegan", browser, app, watch) as page:
        yield page


def test_each_loss_stands_beside_the_pictures_it_is_computed_from(page: Views) -> None:
    page.panel("losses")
    page.until("document.querySelectorAll('.cy-loss .cy-figure.filled').length === 18")
    metrics = page.value(
        """(name) => window.Play.store.state.catalogue.checkpoints
                       .find((c) => c.name === name).metrics""",
        SHIPPED,
    )
    for way, name in (("a2b", "flat_to_3d"), ("b2a", "3d_to_flat")):
        saved = 2 * metrics[f"cycle_l1/{name}"]  # losses are of pictures in [-1, 1]
        assert float(page.loss("cycle", way)) == pytest.approx(saved, rel=0.01)
    identity = page("[data-loss=identity] [data-way=a2b]")
    assert identity.locator("figcaption").all_inner_texts()[:2] == ["b", "G(b)"]
    page.until("document.querySelectorAll('.cy-over').length === 2")  # D's patches


def test_another_picture_and_other_weights(page: Views) -> None:
    back = "[data-loss=cycle] [data-way=a2b] .cy-figure:nth-child(3) canvas"
    before = page.shown(back)
    page(".cy-column").nth(3).click()
    page.until_shown(back, before)
    total = page(".cy-total-head b").inner_text()
    page.slide("[data-loss=cycle] input", 20)
    page.until_other(".cy-total-head b", total)
    assert "0.5 × 20" in page("[data-loss=identity] output").inner_text()
    assert page.value("window.Play.store.settings().config.lambda_cycle") == 20
    page.slide("[data-loss=cycle] input", 10)


def test_held_out_pairs_by_the_page(page: Views) -> None:
    panel = page.panel("pairs")
    page.until("document.querySelectorAll('.cy-pair').length === 12")
    truth = page.explore("translate", index=0, direction="a2b", detail=False)["truth_l1"]
    shown = float(page(".cy-pair .play-number").first.inner_text())
    assert shown == pytest.approx(truth, rel=0.1)
    panel.get_by_role("button", name="Pictures after").click()
    panel.get_by_text("13–24 of").wait_for()
    page(".cy-pair").nth(2).click()
    page(".cy-pair[aria-pressed=true]").wait_for()
    assert page.value("document.querySelectorAll('.cy-pair')[2].ariaPressed") == "true"
    page.panel("losses")
    page.until("document.querySelectorAll('.cy-column').length === 9")  # the chosen one, in front
    page(".cy-column[aria-pressed=true]").first.wait_for()


def test_models_side_by_side(page: Views) -> None:
    panel = page.panel("beside")
    page(".cy-model .cy-miss").first.wait_for()
    canvas = f".cy-model[data-key='{SHIPPED}'] canvas"
    made = page.until_shown(canvas)
    panel.get_by_role("button", name="Show the difference").click()
    page.until_shown(canvas, made)
    chosen = page.value("document.querySelectorAll('.cy-model[data-key]').length")
    page(".cy-chip[aria-pressed=true]").first.click()
    page.until("(n) => document.querySelectorAll('.cy-model[data-key]').length === n - 1", chosen)
    page(".cy-chip").first.click()
    panel.get_by_role("row", name="Copy of the picture").wait_for()


def test_noise_on_the_way_back(page: Views) -> None:
    panel = page.panel("hidden")
    page.until("document.querySelectorAll('.cy-lane .cy-figure.filled').length === 6")
    sent = ".cy-lane.after .cy-figure canvas"
    before = page.shown(sent)
    page.slide(".cy-hidden-controls input", 16)
    noisy = page.until_shown(sent, before)
    index = page.value("document.querySelector('.cy-pair[aria-pressed=true]')?.ariaLabel")
    number = int(str(index).split()[2].rstrip(",")) - 1
    values = page.explore("hidden", index=number, direction="a2b", kind="noise", amount=16)
    assert float(page(".cy-verdict b").inner_text()[1:]) == pytest.approx(values["ratio"], 0.01)
    panel.get_by_role("button", name="JPEG").click()
    page.until_shown(sent, noisy)


def test_the_networks_are_those_of_the_engine(page: Views) -> None:
    page.panel("network")
    page(".cy-arrow").first.wait_for()
    engine = page.explore("architecture")
    sizes = page(".cy-net.discriminator .cy-stage > .play-number").all_inner_texts()
    channels, side, _ = engine["discriminator"][-1]["output"]
    assert sizes[-1] == f"{channels}×{side}²"
    assert "6 ×" in page(".cy-net.generator").inner_text()
    page.until("document.querySelector('.cy-field-cells').children.length > 0")
    seen = f"{engine['receptive_field']} × {engine['receptive_field']} pixels"
    assert seen in page(".cy-field-side").inner_text()
    assert page(".cy-field-cells i").count() == side * side
    assert page.value(PATCHES, 2) == {"px": 34, "stride": 4, "first": 6}  # by hand, from the paper
    frame = page(".cy-field-frame").get_attribute("style")
    page(".cy-field-stage").press("ArrowUp")
    page(".cy-field-stage").press("ArrowLeft")
    assert page(".cy-field-frame").get_attribute("style") != frame


def test_the_formulae_are_in_the_right_form(page: Views) -> None:
    page("#play-cyclegan-help summary").click()
    losses = page("#play-cyclegan-help [data-part=cyclegan_losses] math")
    losses.first.wait_for()
    texts = ["".join(text.split()) for text in losses.all_text_contents()]
    assert texts[2:4] == ["LG=𝔼a[|F(G(a))−a|]", "LF=𝔼b[|G(F(b))−b|]"]
    assert texts[4:6] == ["LG=𝔼b[|G(b)−b|]", "LF=𝔼a[|F(a)−a|]"]
    assert page("#play-cyclegan-help .mon-now mn").count() > 3
    page("#play-cyclegan-help summary").click()


def test_a_run_moves_the_losses_and_takes_other_weights(page: Views) -> None:
    page.value(
        """([config, max_steps]) => window.Play.store.applySettings(
             {preset: null, model: "cyclegan", dataset: "emoji_pairs", config, max_steps})""",
        [QUICK, LONG],
    )
    page.panel("losses")
    page("#play-cyclegan-train").click()
    page.until(f"{RUN} && {RUN}.step > 5")
    page(".cy-total-head h4").get_by_text("in training now").wait_for()
    before = page.loss("cycle", "a2b")
    page.until_other("[data-loss=cycle] [data-way=a2b] .cy-way-head b", before)
    page.slide("[data-loss=cycle] input", 15)
    page.until(f"{RUN}.config.lambda_cycle === 15")
    page("li.done [data-lesson=cyclegan_weights]").wait_for()
    page.panel("pool")
    page(".cy-pool").get_by_text("5 of 5").first.wait_for()


def test_the_remedy_is_noise_while_it_trains(page: Views) -> None:
    panel = page.panel("hidden")
    panel.get_by_role("button", name="Noise in training").click()
    page.until(f"{RUN}.config.cycle_noise === 8")
    panel.get_by_role("button", name="Noise in training").click()
    page.until(f"{RUN}.config.cycle_noise === 0")
    old = page.run()["id"]
    page.value("(name) => window.Play.store.useCheckpoint(name)", SHIPPED)
    panel.get_by_role("button", name="Train it on with noise").click()
    page.until(f"(old) => {RUN} && {RUN}.id !== old", old)
    fork = page.run()
    assert fork["config"]["cycle_noise"] == 8
    assert fork["parent"]["checkpoint"] == SHIPPED
