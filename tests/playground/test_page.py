"""The panel in a real browser, with the fake service: no torch, no waiting for training."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.playground.conftest import Visit

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=45_000)

pytestmark = pytest.mark.browser


def field(page: Any, name: str) -> Any:
    return page.locator(f"#play-vae-{name} input").first


def number(page: Any, name: str) -> Any:
    return page.locator(f"#play-vae-{name} input[type=number]").first


def choose_preset(page: Any, title: str) -> None:
    field(page, "preset").click()
    page.get_by_role("option", name=title).click()


def train(page: Any) -> str:
    """Start a run that does not end by itself."""
    number(page, "amount").fill("1000000")
    number(page, "amount").press("Tab")
    page.click("#play-vae-train")
    expect(page.locator(".play-state")).to_contain_text("Training")
    return str(page.evaluate("Play.store.state.run.id"))


def test_a_preset_sets_every_control(visit: Visit) -> None:
    page = visit.open()
    choose_preset(page, "Break it: posterior collapse")
    expect(number(page, "beta")).to_have_value("20")
    steps = page.evaluate("Play.store.settings().max_steps")
    expect(number(page, "amount")).to_have_value(str(steps))
    assert page.evaluate("Play.store.settings().config.beta") == 20
    number(page, "beta").fill("19")
    number(page, "beta").press("Tab")
    expect(field(page, "preset")).to_have_value("My own settings")


def test_only_the_models_own_controls_are_shown(visit: Visit) -> None:
    page = visit.open()
    expect(page.locator("#play-vae-beta")).to_be_visible()
    page.get_by_label("Autoencoder (AE)", exact=True).check()
    expect(page.locator("#play-vae-beta")).to_be_hidden()
    assert "beta" not in page.evaluate("Play.store.settings().config")


def test_epochs_are_counted_in_steps_of_the_data_set(visit: Visit) -> None:
    page = visit.open()
    number(page, "amount").fill("2")
    number(page, "amount").press("Tab")
    field(page, "unit").click()
    page.get_by_role("option", name="epochs").click()
    page.wait_for_function("Play.store.settings().max_steps === 938")


def test_train_pause_step_go_on_stop(visit: Visit) -> None:
    page = visit.open()
    expect(page.locator("#play-vae-pause")).to_be_disabled()
    train(page)
    page.locator("body").press("Space")
    expect(page.locator(".play-state")).to_contain_text("Paused")
    before = page.evaluate("Play.store.state.run.step")
    page.locator("body").press("ArrowRight")
    page.wait_for_function(f"Play.store.state.run.step === {before + 1}")
    page.click("#play-vae-pause")
    expect(page.locator(".play-state")).to_contain_text("Training")
    page.click("#play-vae-stop")
    expect(page.locator(".play-state")).to_contain_text("Stopped")
    expect(page.locator("#play-announcer")).to_contain_text("Stopped at step")


def test_keys_leave_people_who_type_alone(visit: Visit) -> None:
    page = visit.open()
    train(page)
    number(page, "seed").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("?")
    page.keyboard.press("Space")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("Play.store.state.run.state") == "running"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("pause or go on")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_space_pauses_what_was_just_started(visit: Visit) -> None:
    page = visit.open()
    run = train(page)
    page.keyboard.press("Space")
    expect(page.locator(".play-state")).to_contain_text("Paused")
    page.locator("#play-vae-train").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"Play.store.state.run.id !== '{run}'")
    expect(page.locator("#play-vae-pause")).to_be_focused()


def test_a_page_without_event_streams_polls(visit: Visit) -> None:
    visit.page.add_init_script("delete window.EventSource")
    page = visit.open()
    train(page)
    page.wait_for_function("Play.store.state.run.step > 0")
    page.click("#play-vae-stop")
    expect(page.locator(".play-state")).to_contain_text("Stopped")


def test_a_stream_that_a_proxy_holds_back_is_polled_instead(visit: Visit) -> None:
    held = []
    streams = re.compile(r"/events\?(?!.*poll)")
    visit.page.route(streams, lambda route: held.append(route))
    page = visit.open()
    page.click("#play-vae-train")
    page.wait_for_function("Play.store.state.run?.step > 0")
    assert held


def test_live_changes_reach_the_run_and_others_wait(visit: Visit) -> None:
    page = visit.open()
    train(page)
    number(page, "beta").fill("3")
    number(page, "beta").press("Tab")
    page.wait_for_function("Play.store.state.run.config.beta === 3")
    number(page, "latent_dim").fill("5")
    number(page, "latent_dim").press("Tab")
    note = page.locator("#play-vae-latent_dim .play-field-note")
    expect(note).to_have_text("Takes effect at the next Train.")
    assert page.evaluate("Play.store.state.run.config.latent_dim") == 2


def test_what_cannot_be_is_said_where_it_was_set(visit: Visit) -> None:
    page = visit.open()
    number(page, "learning_rate").fill("-4")
    number(page, "learning_rate").press("Tab")
    note = page.locator("#play-vae-learning_rate .play-field-note")
    expect(note).to_have_text("Learning rate must be 1e-6 to 10; got -4.")
    page.click("#play-vae-train")
    expect(page.locator(".play-transport .play-error").first).to_contain_text("got -4")
    assert page.evaluate("Play.store.state.run") is None
    number(page, "learning_rate").fill("0.001")
    number(page, "learning_rate").press("Tab")
    expect(note).to_be_hidden()


def test_a_reload_finds_the_run_and_its_settings(visit: Visit) -> None:
    page = visit.open()
    number(page, "beta").fill("7")
    number(page, "beta").press("Tab")
    page.wait_for_function("Play.store.settings().config.beta === 7")
    run = train(page)
    page.reload()
    page.wait_for_selector(".play-panel-transport[data-ready]")
    page.wait_for_function(f"Play.store.state.run?.id === '{run}'")
    expect(number(page, "beta")).to_have_value("7")
    page.wait_for_function("Play.store.state.source?.run !== undefined")


def test_somebody_with_the_link_may_look_only(visit: Visit, browser: Any) -> None:
    page = visit.open()
    run = train(page)
    link = page.evaluate("Play.store.shareLink()")
    context = browser.new_context()
    guest = Visit(context, visit.url)
    other = guest.open("?" + link.partition("?")[2])
    other.wait_for_function(f"Play.store.state.run?.id === '{run}'")
    expect(other.locator(".play-transport")).to_contain_text("belongs to someone else")
    expect(other.locator("#play-vae-pause")).to_be_disabled()
    expect(other.locator("#play-vae-stop")).to_be_disabled()
    context.close()
    assert guest.wrong == []


def test_a_link_sets_what_it_can_and_says_what_it_cannot(visit: Visit) -> None:
    visit.expected.append("/runs/none")
    page = visit.open("?tab=vae&model=vae&latent_dim=20&beta=lots&seed=5&dataset=no&z=1,x&run=none")
    expect(number(page, "latent_dim")).to_have_value("20")
    expect(number(page, "seed")).to_have_value("5")
    toast = page.locator(".play-toast")
    for name in ("beta", "dataset", "z", "run"):
        expect(toast).to_contain_text(name)
    expect(number(page, "beta")).to_have_value("1")


def test_links_are_text_and_nothing_else(visit: Visit) -> None:
    page = visit.open("?preset=%3Cimg%20src=x%20onerror=alert(1)%3E&checkpoint=%24%7B1%2B1%7D")
    expect(page.locator(".play-toast")).to_contain_text("preset, checkpoint")


def test_a_run_that_diverges_offers_the_way_back(visit: Visit) -> None:
    page = visit.open()
    choose_preset(page, "Break it: divergence")
    page.click("#play-vae-train")
    expect(page.locator(".play-transport .play-error:visible")).to_contain_text("became NaN")
    expect(page.locator("#play-vae-rewind")).to_contain_text("Rewind to step 400")


def test_my_runs_can_be_opened_and_deleted(visit: Visit) -> None:
    page = visit.open()
    train(page)
    page.click("#play-vae-stop")
    row = page.locator(".play-list li", has=page.locator(".play-dot"))
    expect(row).to_contain_text("Stopped")
    row.get_by_role("button", name="Delete").click()
    page.locator(".play-toast").get_by_role("button", name="Delete it").click()
    expect(row).to_have_count(0)
    assert page.evaluate("Play.store.state.run") is None


def test_every_control_has_a_name(visit: Visit) -> None:
    page = visit.open()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.play-left :is(button, input), header button')]
        .filter((e) => e.offsetParent && !(e.ariaLabel || e.labels?.length || e.textContent.trim()
          || e.title || e.closest('label')))
        .map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [1440, 1280, 820, 390])
def test_nothing_is_wider_than_the_window(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 800})
    page = visit.open()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = {
        name: page.locator(f".play-{name}").first.bounding_box()
        for name in ("left", "middle", "right")
    }
    if width == 390:
        assert boxes["middle"]["y"] < boxes["left"]["y"] < boxes["right"]["y"]
    else:
        assert boxes["left"]["y"] == pytest.approx(boxes["middle"]["y"], abs=40) or width == 820
