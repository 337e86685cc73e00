"""The text tab's box: a text is begun, goes on, turns off, and is compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator

from .conftest import opened
from .page import Playground
from .server import App
from .watch import Watch

SHIPPED = "gpt/shakespeare"
STATE = "window.Play.store.state"
TOKEN = ".tx-mirror .tx-token"
WRITTEN = f"{TOKEN}:not(.tx-typed)"
PLACE = ".tx-box-place"
COUNT = f"document.querySelectorAll('{WRITTEN}').length"
CLIPBOARD = "navigator.clipboard.writeText = async (text) => { window.copied = text; };"


class Box(Playground):
    """The page opened on the text tab."""

    def wait_until_ready(self) -> None:
        """Wait until every part is mounted and the box has written by itself."""
        for part in ("panel-transport", "text", "timeline", "curves", "lessons", "help"):
            self(f"#play-text-{part} [data-ready]").wait_for(state="attached")
        self.until(f"{COUNT} > 0")
        self.until_written()

    def until_written(self) -> None:
        """Wait until nothing is being written, and what comes next is known."""
        self.until(f"document.querySelector('{PLACE}').ariaBusy === 'false'")
        self(".tx-row").first.wait_for()

    @property
    def text(self) -> str:
        """All that stands in the box."""
        return self(".tx-input").input_value()

    @property
    def written(self) -> int:
        """How many tokens the model wrote."""
        return self(WRITTEN).count()

    def begin(self, text: str) -> None:
        """Type a text of one's own over what there is; what comes next is then another thing."""
        field = self(".tx-input")
        field.press("Control+a")
        field.press_sequentially(text)
        self.until(f"{COUNT} === 0")
        self.until_quiet()

    def generate(self) -> None:
        """Press Generate, and wait until it has begun."""
        before = self.written
        self(".tx-generate").click()
        self.until(f"(n) => {COUNT} > n", before)

    def knob(self, name: str) -> Locator:
        """The slider of a knob."""
        return self(f"[data-knob={name}] input")

    def point(self, index: int) -> str:  # type: ignore[override]
        """Point at a token that the model wrote; return it."""
        token = self(WRITTEN).nth(index)
        box = token.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.until("document.querySelector('.tx-next').classList.contains('stands')")
        return token.text_content() or ""


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Box]:
    with opened(Box, "/?tab=text&length=40", browser, app, watch, CLIPBOARD) as page:
        yield page


def test_the_tab_opens_on_the_shipped_model_with_a_text(page: Box) -> None:
    assert page.value(f"{STATE}.source") == {"checkpoint": SHIPPED}
    assert page.written == 40
    page(".tx-row:visible").nth(9).wait_for()
    assert "40 tokens written" in page(".tx-curve-fact").inner_text()


def test_typing_shows_what_comes_next_and_generate_goes_on(page: Box) -> None:
    page.begin("KING.\nMy lord, I ")
    page(f"{TOKEN}.tx-typed").first.wait_for()  # what was typed is coloured too
    page("[data-knob=length] input").fill("1000")
    page(".tx-input").press("Control+Enter")
    page.until(f"{COUNT} > 2")
    page(".tx-input").press("Escape")
    stopped = page.written
    page.until_quiet()
    assert page.written == stopped < 1000
    assert float(page(PLACE).get_attribute("data-first-ms") or "inf") < 2000
    assert page.text.startswith("KING.\nMy lord, I ")
    page.knob("length").fill("20")


def test_alternatives_and_knobs_need_no_request(page: Box) -> None:
    page.until_quiet()
    share = page(".tx-row .tx-number").first
    with page.requests() as asked:
        piece = page.point(1)
        assert piece.strip() in page(".tx-next-title").inner_text()
        before = share.inner_text()
        page.knob("temperature").fill("0")
        page.until("document.querySelector('.tx-row .tx-number').innerText.includes('100')")
        page.knob("temperature").fill("2")
        page.knob("top_k").fill("3")
        page.until("document.querySelectorAll('.tx-row.cut').length === 7")
        page(".tx-knobs").get_by_role("button", name="Reset knobs").click()
        page.until("document.querySelectorAll('.tx-row.cut').length === 0")
    assert not asked
    assert before != "100 %"


def test_an_alternative_goes_on_from_there_and_can_be_walked_back(page: Box) -> None:
    before = page.text
    branches = page(".tx-branch").count()
    page.point(1)
    page.page.mouse.down()
    page.page.mouse.up()
    page(".tx-row:not(.chosen)").first.click()
    page(f"{WRITTEN}.forced").wait_for()
    page.until_written()
    assert page.text != before
    assert page(".tx-branch").count() == branches + 1
    page(".tx-tools").get_by_role("button", name="Back to the continuation").click()
    page.until("(text) => document.querySelector('.tx-input').value === text", before)
    page(".tx-branches").press("ArrowDown")
    page(f"{WRITTEN}.forced").wait_for()
    page(".tx-branches").press("ArrowLeft")
    page.until("(text) => document.querySelector('.tx-input').value === text", before)


def test_the_keyboard_alone_looks_at_tokens_and_chooses(page: Box) -> None:
    page(".tx-input").press("Control+End")
    page(".tx-input").press("ArrowLeft")
    page(f"{TOKEN}.here").wait_for()
    looked = page(".tx-next-title").inner_text()
    page(".tx-input").press("Alt+ArrowDown")
    page(".tx-rows:focus").wait_for()
    page.page.keyboard.press("ArrowLeft")
    page.until_other(".tx-next-title", looked)
    page.page.keyboard.press("ArrowDown")
    if page(".tx-row.pointed.chosen").count():  # it stands in the last row
        page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("Enter")
    page(f"{WRITTEN}.forced").wait_for()
    page.until_written()


def test_a_changed_beginning_keeps_the_old_text_in_the_tree(page: Box) -> None:
    branches = page(".tx-branch").count()
    page(".tx-input").press("Control+Home")
    page(".tx-input").press_sequentially("O")
    page.until(f"{COUNT} === 0")
    assert page.text.startswith("OKING.")
    assert page(".tx-branch").count() == branches + 1


@pytest.mark.parametrize("text", ["", " ", "나는 학교에 갔다 🦊", "\x07\x1b", "a" * 1_000_000])
def test_any_beginning_is_gone_on_with(page: Box, text: str) -> None:
    page(".tx-tools").get_by_role("button", name="An empty sheet").click()
    page(".tx-input").fill(text)
    page.until_quiet()
    assert len(page.text) <= 6000
    page.generate()
    page(".tx-stop:visible, .tx-generate:visible").first.wait_for()
    page(".tx-input").press("Escape")
    page.until_written()
    assert page.text.startswith(text[:6000])


def test_the_same_seed_writes_the_same_text_and_a_link_brings_it_back(page: Box) -> None:
    page.begin("ROMEO.\n")
    page.generate()
    page.until_written()
    page.point(2)
    page.page.mouse.down()
    page.page.mouse.up()
    page(".tx-row:not(.chosen)").nth(1).click()
    page(f"{WRITTEN}.forced").wait_for()
    page.until_written()
    text = page.text
    page(".tx-tools").get_by_role("button", name="A link that opens").click()
    page.until("window.copied?.includes('turns=')")
    page.go(page.value("window.copied"))
    page(f"{WRITTEN}.forced").wait_for()
    page.until_written()
    page.until("(text) => document.querySelector('.tx-input').value === text", text)
    assert page.value(f"{STATE}.source") == {"checkpoint": SHIPPED}


def test_models_stand_side_by_side(page: Box) -> None:
    page("#play-text-tab-beside").click()
    page(".tx-model[data-key='order-5'] .tx-token").first.wait_for(state="attached")
    page(f".tx-model[data-key='{SHIPPED}'] .tx-token").first.wait_for(state="attached")
    nats = [float(n.split()[0]) for n in page(".tx-model-nats").all_inner_texts() if "nats" in n]
    assert nats == sorted(nats)
    assert len(nats) >= 4
    page(".tx-chip").get_by_text("Trigram").click()
    page(".tx-model[data-key='order-3'] .tx-token").first.wait_for(state="attached")


def test_a_run_that_trains_writes_in_the_box(page: Box) -> None:
    page.value(
        """window.Play.store.applySettings({model: "gpt", dataset: "shakespeare_tiny", preset: null,
             max_steps: 100000, config: {tokenizer: "characters", layers: 1, width: 32}})"""
    )
    page("#play-text-train").click()
    page(".tx-state.live").wait_for()
    page.begin("KING.\n")
    page.generate()
    page.until_written()
    step = page(".tx-state").inner_text()
    page.until_other(".tx-state", step)
    page.stop()
    page(".tx-state.live").wait_for(state="detached")
    assert page.written > 0
