"""The text tab's training views: inside the model, its tokens, samples, curves, lessons, help.

The tests share one page, which opens on the shipped model and then trains one of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator

from .conftest import opened
from .page import RUN
from .server import App
from .test_text import SHIPPED, Box
from .watch import Watch

TEXT = "the cat and the hat"
QUICK = {"layers": 1, "width": 16, "heads": 2, "context": 16, "tokenizer": "characters"}
LONG = 100_000  # steps: nobody waits for the end
EXPLORE = "([view, args]) => window.Play.store.explore(view, args)"
# Weights of one head as the page reads them.
WEIGHTS = """async ([text, layer, head]) => {
  const links = [...document.querySelectorAll("link[rel=modulepreload]")];
  const own = links.map((l) => l.href).find((href) => href.includes("/t-text/"));
  const { readArrays } = await import(new URL("decode.js", own).href);
  const answer = await window.Play.store.explore("attention", { text });
  const { data, shape: [, heads, size] } = readArrays(answer).attention;
  const from = (layer * heads + head) * size * size;
  return [...data.slice(from, from + size * size)];
}"""


class Inside(Box):
    """The page with the panels under the box."""

    def panel(self, key: str) -> Locator:
        """Open a panel; return it."""
        self(f"#play-text-tab-{key}").click()
        panel = self(f"#play-text-panel-{key}")
        panel.wait_for()
        return panel

    def view(self, title: str) -> Locator:
        """Open a view of what is inside, and wait until it is filled."""
        panel = self.panel("inside")
        panel.get_by_role("button", name=title, exact=True).click()
        self(".ti-view:not(.waiting):not([aria-busy])").wait_for()
        return panel

    def look_into(self, text: str) -> None:
        """Type the text that is looked into, and wait for what it shows."""
        self(".ti-inside .ti-input").fill(text)
        self.until("(text) => document.querySelector('.ti-strip')?.innerText === text", text)

    def explore(self, view: str, **args: Any) -> dict[str, Any]:
        """Return the values of a view of what is explored."""
        found: dict[str, Any] = self.value(EXPLORE, [view, args])
        values: dict[str, Any] = found["values"]
        return values


@pytest.fixture(scope="module")
def page(browser: Browser, app: App, watch: Watch) -> Iterator[Inside]:
    with opened(Inside, "/?tab=text&length=40", browser, app, watch) as page:
        yield page


def test_a_token_shows_where_the_chosen_head_looks(page: Inside) -> None:
    page.view("Attention")
    page.look_into(TEXT)
    engine = page.explore("attention", text=TEXT)
    pieces = engine["pieces"]
    assert page(".ti-token").count() == len(pieces)
    assert page(".ti-head").count() == len(engine["heads"]) + 1  # and their mean
    page(".ti-head").first.click()
    page(".ti-token").last.click()
    weights = page.value(WEIGHTS, [TEXT, 0, 0])[-len(pieces) :]
    most = max(range(len(pieces)), key=lambda i: weights[i])
    share = f"{round(100 * weights[most] / 255)} %"
    reading = page(".ti-reading").first.inner_text()
    assert f"“{pieces[most].replace(' ', '␣')}” {share}" in reading
    page(".ti-strip").press("Home")
    assert page(".ti-token").first.get_attribute("aria-selected") == "true"
    page.until("!document.querySelector('.ti-arcs path')")  # the first sees none but itself
    before = page.shown(".ti-matrix")
    page(".ti-head").nth(1).click()
    page.until_shown(".ti-matrix", before)


def test_units_that_follow_something_are_those_that_the_engine_found(page: Inside) -> None:
    panel = page.view("Activity")
    page(".ti-cell").first.wait_for()
    best = page.explore("cells")["cells"][0]
    shown = page(".ti-cell b").first.inner_text().replace("−", "-")
    assert float(shown) == pytest.approx(best["correlation"], abs=0.006)
    page(".ti-cell").first.click()
    page.until(f"document.querySelector('.ti-unit').valueAsNumber === {best['unit']}")
    page(".ti-cell[aria-pressed=true]").first.wait_for()
    before = page(".ti-trace").get_attribute("aria-label")
    panel.get_by_role("button", name="Liveliest other unit").click()
    page.until_other(".ti-trace", before, "ariaLabel")


def test_the_lens_ends_in_what_the_model_says(page: Inside) -> None:
    page.view("Logit lens")
    stages = page.explore("lens", text=TEXT)["stages"]
    page.until(f"document.querySelectorAll('.ti-lens tbody tr').length === {stages}")
    page(".ti-lens tbody tr").first.locator("td").last.click()
    assert "KL of the end from here: 0 nats" in page(".ti-detail").inner_text()
    page(".ti-scroll").press("ArrowDown")
    page(".ti-detail").get_by_text(f"After layer {stages - 2}").wait_for()
    second = page.explore("lens", text=TEXT)["pieces"][1]
    assert page(".ti-lens tfoot td").first.inner_text() == second.replace(" ", "␣")


def test_where_tokens_lie_and_how_far_the_model_reaches(page: Inside) -> None:
    panel = page.view("Embeddings")
    page(".ti-find").first.fill("a")
    page(".ti-near .ti-piece.big").get_by_text("a", exact=True).wait_for()
    assert page(".ti-nearest li").count() == 5
    page.view("Reach back")
    panel.get_by_text("of the gradient comes from the last").wait_for()
    page.view("Worth of context")
    kinds = page.explore("context")["kinds"]
    assert page(".ti-bar").count() == len(kinds)


def test_a_text_is_split_as_one_types(page: Inside) -> None:
    page.panel("tokens")
    for text in ("ROMEO: O thou", "Romeo, 한국어"):
        page(".ti-tokens .ti-input").fill(text)
        engine = page.explore("tokenise", text=text)
        page.until("(n) => document.querySelectorAll('.ti-chip').length === n", engine["count"])
        characters, tokens = page(".ti-counts dd").all_inner_texts()[:2]
        assert (characters, tokens) == (str(len(text)), str(engine["count"]))
        assert "".join(engine["pieces"]) == text  # a byte-pair model knows every character
    page("li.done [data-lesson=text_tokens]").wait_for(state="attached")
    page(".ti-chip").first.click()
    made = page(".ti-step").last.locator(".ti-piece").all_inner_texts()
    assert made == [page(".ti-chip > span").first.inner_text()]  # merges led to the token


def test_the_help_has_the_formulae_and_this_models_numbers(page: Inside) -> None:
    page("#play-text-help summary").click()
    page("#play-text-help math").first.wait_for()
    texts = ["".join(text.split()) for text in page("#play-text-help math").all_text_contents()]
    assert "p(x)=∏t=1Tp(xt|x<t)" in texts
    assert "Attention(Q,K,V)=softmax(QK⊤d+M)V" in texts
    known = page.value(
        """(name) => {
          const { catalogue } = window.Play.store.state;
          const { metrics } = catalogue.checkpoints.find((c) => c.name === name);
          return metrics["validation/nats_per_character"] ?? metrics["test/nats_per_character"];
        }""",
        SHIPPED,
    )
    nats, bits = page("#play-text-help .mon-now mn").all_text_contents()[:2]
    assert float(nats) == pytest.approx(known, abs=0.006)
    assert float(bits) == pytest.approx(known / math.log(2), abs=0.006)
    page("#play-text-help summary").click()


def test_a_run_writes_better_and_better(page: Inside) -> None:
    page.value(
        """([config, max_steps]) => window.Play.store.applySettings(
             {preset: null, model: "gpt", dataset: "shakespeare_tiny", config, max_steps})""",
        [QUICK, LONG],
    )
    page("#play-text-train").click()
    page(".ti-sample-card:not([hidden])").wait_for()
    page(".ti-badge.live").wait_for()
    page.until("document.querySelectorAll('.ti-rung').length >= 3")
    page(".ti-rung").first.click()
    page("li.done [data-lesson=text_ladder]").wait_for()
    page.until(f"{RUN}.step > 20")
    for chart in ("text_bits", "text_loss", "text_speed"):
        page(f"[data-chart={chart}] .mon-reading b").first.wait_for()
    speed = page("[data-chart=text_speed] .mon-reading b").first.inner_text()
    assert speed != "–"
    page(".ti-prompt").fill("KING.")
    page(".ti-given").get_by_text("KING.").wait_for()


def test_what_lessons_point_to_is_on_the_page(page: Inside) -> None:
    places = page.value(
        """async () => {
          const links = [...document.querySelectorAll("link[rel=modulepreload]")];
          const own = links.map((l) => l.href).find((href) => href.includes("/t-text/"));
          const { LESSONS, PLACES } = await import(new URL("tab_text.js", own).href);
          const presets = window.Play.store.state.catalogue.models.flatMap((m) => m.presets);
          const lost = LESSONS.filter((l) => l.preset && !presets.some((p) => p.key === l.preset));
          const found = Object.entries(PLACES).filter(([, { tab, find }]) =>
            (tab && !document.getElementById(tab)) || !document.querySelector(find[0]));
          return [...lost.map((l) => l.key), ...found.map(([name]) => name)];
        }"""
    )
    assert places == []
