"""The explorer on the shipped model: nothing is trained here."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from .conftest import Open
from .page import Playground, colour_share, near, number

CLASSES = ("#3f90da", "#ffa90e", "#bd1f01")
FACTS = "#play-vae-panel-draw .x-facts"


def test_a_picture_before_any_click(new_person: Open) -> None:
    page = new_person()
    counts = page.value("document.querySelector('.x-plot').data.map((trace) => trace.x.length)")
    assert len(counts) == 10
    assert sum(counts) == 5000
    painted = page.picture(".x-stage")
    assert all(colour_share(painted, colour) > 0.003 for colour in CLASSES)
    assert page.shown(".x-grid-canvas") is not None
    assert page.shown(".x-point canvas") is not None
    page.until_shown("#play-vae-panel-point .x-tiles")
    assert page("#play-vae-train").is_enabled()
    page.page.close()


def test_hovering_shows_decodings_and_asks_nothing(page: Playground) -> None:
    page.page.mouse.move(*page.map_place(0.5, 0.5))
    page(".x-hover.shown:not(.blank)").wait_for()
    page.until_quiet()
    seen = set()
    with page.requests() as asked:
        for across, up in ((0.3, 0.5), (0.5, 0.2), (0.7, 0.6), (0.45, 0.85), (0.2, 0.4)):
            before = page(".x-hover-place").inner_text()
            page.page.mouse.move(*page.map_place(across, up))
            page.until_other(".x-hover-place", before)
            place = [number(part) for part in page(".x-hover-place").inner_text().split(", ")]
            assert near(place, page.map_coordinates(across, up), 0.06)
            assert page(".x-hover-class").inner_text().startswith("near ")
            seen.add(page.shown(".x-hover canvas"))
    assert asked == []
    assert len(seen - {None}) >= 4
    assert page(".x-area").get_attribute("data-hover-ms")


def test_a_click_decodes_the_point(page: Playground) -> None:
    before = page.shown("#play-vae-panel-point .x-picture")
    page.click_map(0.62, 0.3)
    assert near(page.point()["u"], page.map_coordinates(0.62, 0.3), 0.06)
    panel = page.tab("point")
    page.until_shown("#play-vae-panel-point .x-picture", before)
    fields = [float(i.input_value()) for i in panel.locator("input[type=number]").all()]
    assert near(fields, page.point()["z"], 0.001)
    assert panel.locator(".x-captions span").count() == 8
    assert "Nearest code:" in panel.inner_text()
    assert page(".x-layer-near ellipse").count() == 2
    assert page(".x-point").get_by_text("near a code of").is_visible()


def test_a_cell_of_the_grid_moves_the_point(page: Playground) -> None:
    page("#play-vae-panel-point .x-picture").wait_for()
    before = page.shown("#play-vae-panel-point .x-picture")
    stage = page(".x-grid-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    column, row, n = 3, 11, 15
    page.page.mouse.click(
        box["x"] + (column + 0.5) / n * box["width"], box["y"] + (row + 0.5) / n * box["height"]
    )
    page.until("() => window.Play.store.state.point.from === 'grid'")
    page.until_shown("#play-vae-panel-point .x-picture", before)
    cell = page(".x-cell.shown").first
    share = [float(cell.evaluate(f"(e) => e.style.{side}").rstrip("%")) for side in ("left", "top")]
    assert near(share, [100 * column / n, 100 * row / n], 0.1)


def test_the_grid_over_quantiles_and_another_size(page: Playground) -> None:
    before = page.until_shown(".x-grid-canvas")
    page(".x-grid").get_by_role("button", name="Quantiles").click()
    quantiles = page.until_shown(".x-grid-canvas", before)
    page(".x-grid").get_by_role("button", name="All codes").click()
    page.until_shown(".x-grid-canvas", quantiles)


def test_a_class_can_be_hidden_and_zoom_stays(page: Playground) -> None:
    zero = page(".x-legend button").first
    zero.click()
    page.until("() => document.querySelector('.x-plot').data[0].visible === 'legendonly'")
    wide = page.map_width()
    page(".x-map").get_by_role("button", name="Zoom in").click()
    page.until_map_width(wide / 1.5)
    zero.click()
    page.until("() => document.querySelector('.x-plot').data[0].visible === true")
    assert page.map_width() == pytest.approx(wide / 1.5, rel=1e-3)
    page(".x-map").get_by_role("button", name="Show all codes").click()
    page.until_map_width(wide)


def test_a_walk_between_two_points(page: Playground) -> None:
    panel = page.tab("walk")
    page.until("() => document.querySelectorAll('.x-stops li').length === 2")  # the example
    panel.get_by_role("button", name="Clear", exact=True).click()
    page.page.keyboard.down("Shift")
    for number_of_stops, (across, up) in enumerate(((0.5, 0.9), (0.5, 0.1)), 1):
        page.page.mouse.click(*page.map_place(across, up))
        page.until("(n) => document.querySelectorAll('.x-stops li').length === n", number_of_stops)
    page.page.keyboard.up("Shift")
    strip = page.until_shown("#play-vae-panel-walk .x-tiles")
    page(".x-layer-path polyline").wait_for(state="attached")
    label = page(".x-player canvas").get_attribute("aria-label")
    page.until_other(".x-player canvas", label, "getAttribute('aria-label')")  # it plays
    panel.get_by_role("button", name="Spherical").click()
    page.until_shown("#play-vae-panel-walk .x-tiles", strip)


def test_a_digit_drawn_with_the_mouse(page: Playground) -> None:
    panel = page.tab("draw")
    pad = page(".x-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    ring = [(0.5, 0.2), (0.32, 0.3), (0.27, 0.5), (0.32, 0.7), (0.5, 0.8), (0.68, 0.7),
            (0.73, 0.5), (0.68, 0.3), (0.5, 0.2)]  # fmt: skip
    mouse = page.page.mouse
    mouse.move(box["x"] + ring[0][0] * box["width"], box["y"] + ring[0][1] * box["height"])
    mouse.down()
    for x, y in ring[1:]:
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
    mouse.up()
    page.until(f"() => /ELBO/.test(document.querySelector('{FACTS}')?.innerText)")
    page.until(f"() => document.querySelector('{FACTS}').lastChild.textContent === '0'")
    assert page.shown("#play-vae-panel-draw .x-figure canvas") is not None
    page.until_shown("#play-vae-panel-draw .x-tiles")
    assert page(".x-layer-drawing ellipse").count() == 2
    assert page(".x-layer-drawing path").count() >= 1
    page.until_quiet()
    panel.get_by_role("button", name="Move the point here").click()
    page.until("() => window.Play.store.state.point.from === 'drawing'")


def test_an_uploaded_picture(page: Playground, tmp_path: Path) -> None:
    picture = Image.new("L", (200, 260), 255)  # dark on light, as on paper
    ImageDraw.Draw(picture).line([(60, 50), (140, 50), (90, 220)], fill=0, width=18)
    file = tmp_path / "seven.png"
    picture.save(file)
    panel = page.tab("draw")
    before = page.shown("#play-vae-panel-draw .x-figure canvas")
    panel.locator("input[type=file]").set_input_files(file)
    page.until_shown("#play-vae-panel-draw .x-figure canvas", before)
    page.until(f"() => document.querySelector('{FACTS}').lastChild?.textContent === '7'")
    panel.get_by_role("button", name="Clear").click()
    page.until(f"() => !document.querySelector('{FACTS}').innerText")


def test_reconstructions_and_the_worst_ten(page: Playground) -> None:
    panel = page.tab("reconstructions")
    page.until_shown("#play-vae-panel-reconstructions .x-row canvas")

    def errors() -> list[float]:
        row = panel.locator(".x-row").nth(2).locator(".x-captions span")
        return [number(text) for text in row.all_inner_texts()]

    captions = "#play-vae-panel-reconstructions .x-captions span"
    page.until(f"() => document.querySelectorAll('{captions}').length > 19")
    some = errors()
    before = panel.locator(".x-row:last-child .x-captions").inner_text()
    panel.get_by_role("button", name="Worst ten").click()
    page.until_other("#play-vae-panel-reconstructions .x-row:last-child .x-captions", before)
    worst = errors()
    assert len(some) == len(worst) == 10
    assert sorted(worst)[5] > sorted(some)[5]


def test_dimensions(page: Playground) -> None:
    page.explore("MNIST, 2 dimensions")
    panel = page.tab("dimensions")
    page.until("() => document.querySelectorAll('.x-dimension').length === 2")
    assert "2 of 2 units active" in panel.inner_text()
    carried = [number(t.split()[0]) for t in panel.locator(".x-bar .play-number").all_inner_texts()]
    assert all(nats > 0.5 for nats in carried)
    page.until_shown(".x-dimension .x-tiles")
    slider = panel.locator("input[type=range]").first
    slider.focus()
    slider.press("Home")
    page.until("() => window.Play.store.state.point.from === 'slider'")
    assert min(page.point()["z"]) <= -3


def test_samples_of_the_prior_and_of_a_mixture(page: Playground) -> None:
    page.tab("sample")
    normal = page.until_shown(".x-normal .x-tiles")
    mixture = page.until_shown(".x-mixture .x-tiles")
    assert normal != mixture
    assert page(".x-layer-samples circle").count() == 36
    page.page.get_by_role("button", name="Sample again").click()
    page.until_shown(".x-normal .x-tiles", normal)
    page.until_shown(".x-mixture .x-tiles", mixture)


def test_more_than_two_dimensions(page: Playground) -> None:
    page.explore("MNIST, 20 dimensions")
    panel = page.tab("dimensions")
    page.until("() => document.querySelectorAll('.x-dimension').length === 6")  # the largest
    page.until_shown(".x-dimension .x-tiles")
    assert panel.get_by_role("button", name="Show all 20 dimensions").is_visible()
    page.until_quiet()
    before = page.points()
    panel.get_by_role("button", name="Two axes").click()
    page.until("() => /z./.test(document.querySelector('.x-axis-x').textContent)")
    page.until_points_move(before)


def test_the_grid_downloads_as_a_picture(page: Playground) -> None:
    with page.page.expect_download() as download:
        page(".x-grid").get_by_role("button", name="Download the grid").click()
    image = Image.open(io.BytesIO(download.value.path().read_bytes()))
    n = int(page(".x-grid .x-slider output").inner_text().split(" ")[0])
    assert image.size == (28 * n, 28 * n)
