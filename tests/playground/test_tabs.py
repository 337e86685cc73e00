"""The page with several tabs: each with its own store and stream, one header for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground import shell
from playground.web_files import WEB, needed
from tests.playground.conftest import Visit

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=45_000)
STATE = "Play.tabs.{}.state"


@pytest.mark.parametrize("tab", shell.TABS, ids=lambda tab: str(tab.KEY))
def test_a_tab_names_what_there_is(tab: Any) -> None:
    for file in (*(f"{view}.js" for view in tab.VIEWS), f"tab_{tab.KEY}.js", *tab.STYLES):
        assert (WEB / file).is_file(), file


def test_a_module_is_needed_with_all_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.web_files.WEB", tmp_path)
    (tmp_path / "a.js").write_text('import { x } from "./b.js";\nimport("./later.js");\n')
    (tmp_path / "b.js").write_text('export {\n  x,\n} from "./c.js";\nimport "./a.js";\n')
    for name in ("c", "later", "other"):
        (tmp_path / f"{name}.js").write_text("export const x = 1;\n")
    assert needed(["a", "none"]) == ["a.js", "b.js", "c.js"]


def go(page: Any, title: str, key: str) -> None:
    page.get_by_role("tab", name=title, exact=True).click()
    page.wait_for_selector(f"#play-{key}-panel-transport [data-ready]")


def train(page: Any, key: str) -> str:
    """Start a run that does not end by itself on a tab that is visible."""
    amount = page.locator(f"#play-{key}-amount input[type=number]")
    amount.fill("1000000")
    amount.press("Tab")
    page.wait_for_function(f"Play.tabs.{key}.settings().max_steps === 1000000")
    page.click(f"#play-{key}-train")
    page.wait_for_function(f"{STATE.format(key)}.run?.state === 'running'")
    return str(page.evaluate(f"{STATE.format(key)}.run.id"))


def step(page: Any, key: str) -> int:
    return int(page.evaluate(f"{STATE.format(key)}.run.step"))


@pytest.mark.browser
def test_a_tab_is_loaded_when_it_is_visited(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    page = visit.open()
    assert page.evaluate("Object.keys(Play.tabs)") == ["vae"]
    assert any("/t-vae/store.js" in url for url in asked)
    assert not any("/t-gan2d/" in url or "lab" in url.rpartition("/")[2] for url in asked)
    before = len(asked)
    go(page, "GAN lab", "gan2d")
    assert page.evaluate("Play.store.state.tab") == "gan2d"
    again = [url for url in asked[before:] if url.endswith(("strings.json", "catalogue"))]
    assert again == []  # what all tabs share is read once


@pytest.mark.browser
def test_a_tab_sees_its_own_models_data_and_checkpoints(visit: Visit) -> None:
    page = visit.open("?tab=gan2d")
    kinds = page.evaluate("Play.store.state.catalogue.datasets.map((d) => d.kind)")
    assert set(kinds) == {"points"}
    models = page.evaluate("Play.store.state.catalogue.models.map((m) => m.key)")
    assert models[0] == "gan2d"
    assert not {"vae", "ae", "dcgan", "classifier"} & set(models)
    assert page.evaluate("Play.store.state.catalogue.checkpoints.length") == 0
    assert page.locator("#play-gan2d-panel-pictures").count() == 0
    go(page, "VAE", "vae")
    assert page.evaluate("Play.store.state.catalogue.checkpoints.length") == 1


@pytest.mark.browser
def test_the_address_says_which_tab(visit: Visit) -> None:
    page = visit.open("?tab=gan2d&seed=5")
    expect(page.locator("#play-gan2d-seed input")).to_have_value("5")
    assert page.evaluate("Object.keys(Play.tabs)") == ["gan2d"]
    go(page, "VAE", "vae")
    assert page.evaluate("location.search") == "?tab=vae"
    expect(page.locator("#play-vae-seed input")).to_have_value("0")
    page.reload()
    page.wait_for_selector("#play-vae-panel-transport [data-ready]")
    go(page, "GAN lab", "gan2d")
    assert page.evaluate("location.search") == "?tab=gan2d"
    page.evaluate("Play.store.applySettings({seed: 7})")
    link = page.evaluate("Play.store.shareLink()")
    page.goto(link)
    page.wait_for_selector("#play-gan2d-panel-transport [data-ready]")
    expect(page.locator("#play-gan2d-seed input")).to_have_value("7")


@pytest.mark.browser
def test_a_tab_that_there_is_not_opens_the_first(visit: Visit) -> None:
    page = visit.open("?tab=no-such-tab&seed=3")
    assert page.evaluate("Play.store.state.tab") == "vae"
    expect(page.locator(".play-toast")).to_contain_text("tab")
    expect(page.locator("#play-vae-seed input")).to_have_value("3")


@pytest.mark.browser
def test_two_tabs_train_at_once_and_the_hidden_one_is_not_followed(visit: Visit) -> None:
    asked: list[str] = []
    ended: list[str] = []
    visit.page.on("request", lambda r: "/events" in r.url and asked.append(r.url))
    for type_ in ("requestfinished", "requestfailed"):
        visit.page.on(type_, lambda r: "/events" in r.url and ended.append(r.url))
    page = visit.open()
    first = train(page, "vae")
    page.wait_for_function(f"{STATE.format('vae')}.run.step > 0")
    go(page, "GAN lab", "gan2d")
    second = train(page, "gan2d")
    assert first != second
    page.wait_for_function(f"{STATE.format('gan2d')}.run.step > 0")
    assert [url for url in asked if first in url] == [url for url in ended if first in url]
    seen = step(page, "vae")
    now = step(page, "gan2d")
    page.wait_for_function(f"{STATE.format('gan2d')}.run.step > {now + 160}")
    assert step(page, "vae") == seen  # the hidden tab heard of nothing
    go(page, "VAE", "vae")
    page.wait_for_function(f"{STATE.format('vae')}.run.step > {seen + 160}")  # and catches up
    assert page.evaluate(f"{STATE.format('vae')}.run.id") == first
    expect(page.locator("#play-vae-pause")).to_be_enabled()


@pytest.mark.browser
def test_keys_share_and_shortcuts_act_on_the_visible_tab(visit: Visit) -> None:
    page = visit.open()
    train(page, "vae")
    go(page, "GAN lab", "gan2d")
    train(page, "gan2d")
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("Space")
    page.wait_for_function(f"{STATE.format('gan2d')}.run.state === 'paused'")
    before = step(page, "gan2d")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{STATE.format('gan2d')}.run.step === {before + 1}")
    expect(page.locator("#play-announcer")).to_contain_text("Paused")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.click("#play-share")
    page.wait_for_function("window.copied?.includes('tab=gan2d')")
    go(page, "VAE", "vae")
    assert page.evaluate(f"{STATE.format('vae')}.run.state") == "running"


@pytest.mark.browser
def test_each_tab_finds_its_own_run_again(visit: Visit) -> None:
    page = visit.open()
    first = train(page, "vae")
    go(page, "GAN lab", "gan2d")
    second = train(page, "gan2d")
    expect(page.locator("#play-gan2d-panel-files .play-list li")).to_have_count(1)
    page.reload()
    page.wait_for_function(f"window.Play?.tabs?.gan2d?.state.run?.id === '{second}'")
    go(page, "VAE", "vae")
    page.wait_for_function(f"window.Play?.tabs?.vae?.state.run?.id === '{first}'")


@pytest.mark.browser
def test_a_run_of_another_tab_opens_there(visit: Visit) -> None:
    page = visit.open("?tab=gan2d")
    run = train(page, "gan2d")
    page.goto(f"{visit.url}/?run={run}")
    page.wait_for_function(f"window.Play?.tabs?.gan2d?.state.run?.id === '{run}'")
    assert page.evaluate("Play.store.state.tab") == "gan2d"
    expect(page.locator("#play-gan2d-train")).to_be_visible()


@pytest.mark.browser
def test_no_id_is_there_twice(visit: Visit) -> None:
    page = visit.open()
    go(page, "GAN lab", "gan2d")
    go(page, "DCGAN", "dcgan")
    twice = page.evaluate(
        """() => {
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id).filter(Boolean);
          return ids.filter((id, i) => id.startsWith("play-") && ids.indexOf(id) !== i);
        }"""
    )
    assert twice == []


@pytest.mark.browser
def test_a_fold_says_what_in_it_is_not_as_usual(visit: Visit) -> None:
    page = visit.open("?tab=gan2d&packing=2")
    fold = page.locator("#play-gan2d-fold-remedies")
    label = fold.locator("button.label-wrap > span").first
    expect(label).to_have_attribute("data-changed", "packing", ignore_case=True)
    fold.locator("button.label-wrap").click()
    expect(page.locator("#play-gan2d-packing input[type=number]")).to_have_value("2")
