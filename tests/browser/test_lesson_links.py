"""Lesson links: what they show, hide, set and remember; the dialog that makes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, expect

from .conftest import opened
from .page import RUN, Playground
from .server import App
from .watch import Watch

SETTINGS = "window.Play.store.settings()"
OWN = "Raise beta to 8, ${1+1} <b>and</b> train."
TRIES = ["lesson:collapse", OWN]
EXPLORERS = {"vae": "explorer", "gan2d": "lab", "dcgan": "dcgan", "cyclegan": "crossing"}
READY = (
    ".play-status[data-ready]",
    ".play-panel-transport[data-ready]",
    ".play-lessons[data-ready]",
)
Visit = Callable[..., "Lesson"]


class Lesson(Playground):
    """The page as a link opens it, on whichever tab."""

    def wait_until_ready(self) -> None:
        """Wait until header, panel and sentences are mounted, and the link was followed."""
        for part in READY:
            self(part).first.wait_for(state="attached")
        self.until("() => window.Play.store?.settings().model")

    def sentences(self) -> list[str]:
        """Return the sentences that are shown, done or not."""
        found: list[str] = self.value(
            """() => [...document.querySelectorAll(".mon-lesson-list .mon-lesson > span")]
              .filter((span) => !span.className).map((span) => span.textContent)"""
        )
        return found

    def control(self, name: str, tab: str = "vae") -> Locator:
        """Return the place of a control or a part."""
        return self(f"#play-{tab}-{name}")

    def done(self, key: str) -> Locator:
        """Return the ticked sentence of a key."""
        return self(f"li.done [data-lesson={key}]")

    def focused(self, times: int) -> set[str]:
        """Press Tab so often; return the controls in which the keyboard came to rest."""
        found = set()
        self.blur()
        for _ in range(times):
            self.page.keyboard.press("Tab")
            at = self.value("document.activeElement?.closest('.play-field, .play-live')?.id ?? ''")
            found.add(at)
        return found


def link(tab: str = "vae", **parts: str | list[str]) -> str:
    return "/?" + urlencode({"tab": tab, **parts}, doseq=True)


@pytest.fixture
def visit(browser: Browser, app: App, watch: Watch) -> Iterator[Visit]:
    """A function that opens an address as somebody who was never here."""
    with contextmanager(_visits)(browser, app, watch) as begin:
        yield begin


def _visits(browser: Browser, app: App, watch: Watch) -> Iterator[Visit]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(address: str, *scripts: str) -> Lesson:
            return stack.enter_context(opened(Lesson, address, browser, app, watch, *scripts))

        yield begin


def test_a_lesson_is_bare_is_done_and_survives_a_reload(visit: Visit) -> None:
    address = link(
        preset="break-collapse",
        lesson="What beta does",
        only="beta,curves,amount",
        **{"try": TRIES},
    )
    page = visit(address)
    page.until(f"() => {SETTINGS}.config.beta === 20 && {SETTINGS}.preset === 'break-collapse'")
    for name in ("beta", "amount", "train", "explorer"):
        expect(page.control(name)).to_be_visible()
    for name in ("preset", "dataset", "seed", "latent_dim", "timeline", "files-runs"):
        expect(page.control(name)).to_be_hidden()
    expect(page("#play-share")).to_be_hidden()
    assert page.value(SETTINGS)["dataset"] == "mnist"  # what is hidden keeps its value
    assert page.page.get_by_role("listbox", name="Preset").count() == 0
    reached = page.focused(14)
    assert "play-vae-beta" in reached
    assert not {"play-vae-preset", "play-vae-dataset", "play-vae-seed"} & reached
    assert page.sentences() == ["Set beta to 20 and train: the code falls silent.", OWN]
    page("[data-lesson=own-1]").click()
    page.done("own-1").wait_for()
    run = page.train()
    page.done("collapse").wait_for()
    page.stop()
    page.reload()
    page.until(f"(id) => {RUN}?.id === id", run)
    page.done("own-1").wait_for()
    page.done("collapse").wait_for()
    expect(page.control("preset")).to_be_hidden()
    assert page("text=Lesson: What beta does").is_visible()


def test_all_controls_come_on_request_unless_locked(visit: Visit) -> None:
    page = visit(link(hide="seed,advanced,nonsense,tabs"))
    page(".play-toast").get_by_text("left out: nonsense.").wait_for()
    expect(page.control("seed")).to_be_hidden()
    expect(page.control("fold-network")).to_be_hidden()
    page("#play-show-all").click()
    expect(page.control("seed")).to_be_visible()
    expect(page.control("fold-network")).to_be_visible()
    page("#play-show-all").click()
    expect(page.control("seed")).to_be_hidden()
    page.go(link(hide="seed", lock="1"))
    expect(page.control("seed")).to_be_hidden()
    expect(page("#play-show-all")).to_be_hidden()


def test_a_run_under_way_goes_on_beside_the_lesson(visit: Visit) -> None:
    page = visit("/?tab=gan2d")
    page.value("window.Play.store.applySettings({max_steps: 100000})")
    page.until(f"() => {SETTINGS}.max_steps === 100000")
    page("#play-gan2d-train").click()
    page.until_state("running")
    run = page.run()["id"]
    page.go(link("gan2d", preset="gan2d-break-minimax", lesson="Minimax", hide="seed"))
    page(".play-toast").get_by_text("goes on in the background").wait_for()
    page.until(f"() => {SETTINGS}.config.loss === 'minimax'")
    assert page.value(RUN) is None
    page.page.get_by_role("button", name="Show that run").click()
    page.until(f"(id) => {RUN}?.id === id", run)
    expect(page.control("seed", "gan2d")).to_be_hidden()


def test_every_tab_can_be_bare(visit: Visit) -> None:
    page = visit(link("vae", only="help", lesson="Bare"))
    for tab in ("gan2d", "dcgan", "cyclegan", "text"):
        page.go(link(tab, only="help", lesson="Bare"))
        expect(page.control("train", tab)).to_be_visible()
        expect(page.control(EXPLORERS.get(tab, tab), tab)).to_be_visible()
        page(f"#play-{tab}-help .mon-help-fold").wait_for()
        assert page(".play-left .play-field:visible, .play-left .play-fold:visible").count() == 0
        assert page(".play-right:visible").count() == 0


def test_the_maker_makes_what_is_ticked(visit: Visit) -> None:
    page = visit("/?tab=vae", "Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page("#play-share-more").focus()
    for key in ("Enter", "ArrowDown", "Enter"):
        page.page.keyboard.press(key)
    dialog = page("dialog.play-maker[open]")
    dialog.locator("input[name=title]").fill("Walks")
    dialog.locator("select[name=builtin]").first.select_option("lesson:walk")
    dialog.get_by_role("button", name="Add a sentence").click()
    dialog.locator("input[name=try]").last.fill("Say what lies between a 1 and a 7.")
    dialog.get_by_role("button", name="As little as possible").click()
    dialog.get_by_label("Latent dimension").check()
    made = parse_qs(urlsplit(dialog.locator("[name=link]").input_value()).query)
    assert made["only"] == ["latent_dim"]
    assert "hide" not in made
    dialog.get_by_label("Latent dimension").uncheck()
    dialog.get_by_role("button", name="All").click()
    dialog.get_by_label("Seed").uncheck()
    address = dialog.locator("[name=link]").input_value()
    dialog.get_by_role("button", name="Copy link").click()  # without navigator.clipboard too
    page(".play-toast").get_by_text("Lesson link copied.").wait_for()
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.go(re.sub(r"^https?://[^/]+", "", address))
    assert page.sentences() == [
        "Choose two points and walk from one to the other.",
        "Say what lies between a 1 and a 7.",
    ]
    expect(page.control("seed")).to_be_hidden()
    expect(page.control("preset")).to_be_visible()
    page("#play-share-more").click()
    page.page.get_by_role("menuitem", name="Make a lesson link").click()
    page("dialog.play-maker[open]").wait_for()
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert page.value(
        "(() => { const d = document.querySelector('dialog.play-maker'); "
        "return d.scrollWidth <= d.clientWidth; })()"
    )
