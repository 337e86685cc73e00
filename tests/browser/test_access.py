"""Keyboard, light and dark, phones, less motion."""

from __future__ import annotations

from .conftest import Open
from .page import Playground

FOCUSED = """() => {
  const here = document.activeElement;
  const field = here.closest("[id^=play-vae-]:not(.play-live)");
  return here.id || field?.id || here.className || here.tagName;
}"""
# What a control looks like, in what a focus may change.
LOOKS = """(id) => {
  const element = document.getElementById(id);
  return JSON.stringify([element, ...element.querySelectorAll("*")].map((e) => {
    const s = getComputedStyle(e);
    return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.color];
  }));
}"""
WIDEST = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((e) => `${e.tagName}.${e.className}`)"""


def test_tab_reaches_everything_in_order(page: Playground) -> None:
    page.blur()
    wanted = ["play-share", "play-vae-preset", "play-vae-train", "play-vae-latent_dim"]
    wanted += ["play-vae-learning_rate", "play-vae-beta"]
    plain = {name: page.value(LOOKS, name) for name in wanted}
    reached: list[str] = []
    unseen: list[str] = []
    for _ in range(90):
        page.page.keyboard.press("Tab")
        reached.append(page.value(FOCUSED))
        if reached[-1] in plain and page.value(LOOKS, reached[-1]) == plain[reached[-1]]:
            unseen.append(reached[-1])
        if reached[-1] == "play-vae-tab-point":
            break
    wanted += ["x-area", "x-grid-stage", "play-vae-tab-point"]
    assert [name for name in wanted if name not in reached] == [], reached
    assert sorted(wanted, key=reached.index) == wanted
    assert unseen == [], "focused, but nothing shows it"


def test_question_mark_lists_the_shortcuts(page: Playground) -> None:
    page.blur()
    page.page.keyboard.press("?")
    dialog = page("dialog[open]")
    dialog.wait_for()
    assert "pause or go on" in dialog.inner_text()
    page.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_arrows_move_the_point_on_the_map(page: Playground) -> None:
    page(".x-area").focus()
    page.page.keyboard.press("ArrowRight")
    page.until("() => window.Play.store.state.point?.from === 'key'")
    first = page.point()["u"]
    page.page.keyboard.press("ArrowRight")
    page.until("(x) => window.Play.store.state.point.u[0] > x", first[0])
    page("#play-vae-tab-point").focus()
    page.page.keyboard.press("ArrowRight")
    page.until("() => document.activeElement.id === 'play-vae-tab-walk'")
    page.page.keyboard.press("Home")
    page.until("() => document.activeElement.id === 'play-vae-tab-point'")


def test_dark_and_light(page: Playground) -> None:
    light = brightness(page)
    assert light > 200
    page.page.get_by_role("button", name="Dark", exact=True).click()
    page.until("() => document.body.classList.contains('dark')")
    page.until("() => document.querySelector('.x-plot').layout.font.color !== '#1c2026'")
    assert brightness(page) < 90
    page.reload()
    assert page.value("document.body.classList.contains('dark')")
    page.page.get_by_role("button", name="Light", exact=True).click()
    page.until("() => !document.body.classList.contains('dark')")


def brightness(page: Playground) -> float:
    """Return the mean of the page's pixels, 0 to 255."""
    pixels = page.picture("body").convert("L").histogram()
    return sum(value * count for value, count in enumerate(pixels)) / sum(pixels)


def test_a_phone(new_person: Open) -> None:
    phone = new_person(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        reduced_motion="reduce",
        color_scheme="dark",
    )
    assert phone.value("document.documentElement.scrollWidth") <= 390, phone.value(WIDEST)
    top = "(s) => document.querySelector(s).getBoundingClientRect().top"
    assert phone.value(top, ".x-map") < phone.value(top, "#play-vae-train")
    before = phone.shown(".x-point canvas")
    phone.page.touchscreen.tap(*phone.map_place(0.3, 0.75))
    phone.until("() => window.Play.store.state.point?.from === 'click'")
    phone.until_shown(".x-point canvas", before)
    for tab in ("walk", "draw", "reconstructions", "dimensions", "sample"):
        phone.tab(tab)
        phone.until_quiet()
        assert phone.value("document.documentElement.scrollWidth") <= 390, (
            tab,
            phone.value(WIDEST),
        )


def test_a_tablet(page: Playground) -> None:
    page.page.set_viewport_size({"width": 820, "height": 1180})
    page.until("() => document.documentElement.clientWidth <= 820")
    assert page.value("document.documentElement.scrollWidth") <= 820, page.value(WIDEST)
    page.page.set_viewport_size({"width": 1440, "height": 1000})
