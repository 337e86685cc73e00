"""Waiting, taking turns, resting, being refused for a while: what the page says and does.

One worker, so that the second person waits. What takes minutes on a real server (a rest, a
frozen room) is put into the run that the page knows, in the words of the server.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from .conftest import TIMEOUT_MS, opened
from .page import RUN, Playground
from .server import App, serving
from .watch import Watch

LONG = 400_000
POLLING = "delete window.EventSource;"
# Every label of the state line, each once for as long as it stands.
LABELS = """(() => {
  window.labels = [];
  const line = document.querySelector("#play-gan2d-panel-transport .play-state");
  const note = () => {
    const now = line.innerText.split(" · ")[0].trim();
    if (now !== window.labels.at(-1)) window.labels.push(now);
  };
  new MutationObserver(note).observe(line, { subtree: true, childList: true, characterData: true });
})()"""
# A page of the same browser without anything to draw: its own modules watch a run.
BARE = """([web, run]) => {
  const about = { gan2d: { models: ["gan2d"], styles: [], modules: [] } };
  window.Play = { about, chosen: "gan2d", tabs: {} };
  const plain = window.EventSource;
  window.streams = 0;
  window.EventSource = class extends plain {
    constructor(...args) { super(...args); window.streams += 1; }
    close() { if (this.readyState !== 2) window.streams -= 1; super.close(); }
  };
  window.steps = [];
  return import(`${web}/store_stream.js`).then(({ watch }) => {
    const take = (event) => { if (event.kind === "progress") window.steps.push(event.step); };
    watch(run, { event: take, run() {}, gone() {}, connection() {}, lively: () => true });
  });
}"""


class Lab(Playground):
    """The page on the GAN lab, which trains on anything."""

    def wait_until_ready(self) -> None:
        """Wait until the panel is mounted."""
        self("#play-gan2d-panel-transport [data-ready]").wait_for(state="attached")
        self(".lab-canvas[data-paints]").wait_for(state="attached")

    def start(self, steps: int = LONG) -> None:
        """Press Train for so many steps."""
        self.value("(n) => window.Play.store.applySettings({max_steps: n})", steps)
        self.until("(n) => window.Play.store.settings().max_steps === n", steps)
        self("#play-gan2d-train").click()
        self.until(f"() => {RUN}")

    @property
    def queue(self) -> Any:
        """What is said of the queue."""
        return self("#play-gan2d-panel-transport .play-queue")

    def labels(self) -> list[str]:
        """Return what the state line has said since it was watched."""
        found: list[str] = self.value("window.labels")
        return found


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serving(tmp_path_factory.mktemp("crowded"), workers=1) as running:
        yield running


@contextmanager
def people(
    count: int, browser: Browser, app: App, watch: Watch, *scripts: str
) -> Iterator[list[Lab]]:
    with ExitStack() as stack:
        visit = [
            stack.enter_context(opened(Lab, "/?tab=gan2d", browser, app, watch, *scripts))
            for _ in range(count)
        ]
        yield visit


def test_the_second_waits_and_then_both_take_turns(
    browser: Browser, crowded: App, watch: Watch
) -> None:
    with people(2, browser, crowded, watch) as (first, second):
        first.start()
        first.until_state("running")
        for page in (first, second):
            page.value(LABELS)
        second.start()
        expect(second.queue).to_contain_text("You are next: yours starts")
        expect(second.queue).to_contain_text("Meanwhile, explore")
        assert second(".play-ring-arc").get_attribute("stroke-dasharray")
        turns = "Taking turns with one other: a slice of"
        expect(second.queue).to_contain_text(turns, timeout=TIMEOUT_MS)
        expect(first.queue).to_contain_text(turns, timeout=TIMEOUT_MS)
        for page in (first, second):  # and another turn each
            page.until_step(page.run()["step"] + 1)
        assert first.labels() in (["Training, in turns"], ["Training", "Training, in turns"])
        shown = second.labels()
        assert shown[-1] == "Training, in turns"
        assert len(shown) == len(set(shown)), shown  # none came back: nothing flickers
        second("#play-gan2d-pause").click()  # whoever's turn it is
        second.until_state("paused")
        expect(second("#play-gan2d-pause")).to_have_text("Resume")


def test_a_double_click_or_a_lost_answer_starts_one_run(
    browser: Browser, crowded: App, watch: Watch
) -> None:
    watch.expect(r"lost request: POST .*/runs")
    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        key = route.request.headers.get("idempotency-key", "")
        if route.request.method != "POST" or lost.count(key) or len(lost) > 1:
            lost.append(key)
            route.continue_()
            return
        lost.append(key)
        route.fetch()  # the server has it; the page never hears of it
        route.abort("connectionreset")

    with people(1, browser, crowded, watch) as (page,):
        page.page.route("**/play/runs", lose_the_answer)
        page.value("window.Play.store.applySettings({max_steps: 400000})")
        page.value(
            """() => { const train = document.querySelector("#play-gan2d-train");
                       train.click(); train.click(); }"""
        )
        assert page("#play-gan2d-train").get_attribute("aria-disabled") == "true"
        page.until(f"() => {RUN}")
        assert page("#play-gan2d-train").get_attribute("aria-disabled") == "false"
        page.page.unroute("**/play/runs")
        runs = page.value("window.Play.store.api('runs').then((all) => all.runs)")
        assert [run["id"] for run in runs] == [page.run()["id"]]
        keys = [key for key in lost if key]
        assert len(keys) == 2
        assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("change", "label", "sentence", "button"),
    [
        (
            {"state": "paused", "resting": True},
            "Resting",
            "Nobody was watching, so this run rests; press Resume.",
            "Resume",
        ),
        (
            {"state": "running", "frozen": True, "message": "The teacher has frozen the room."},
            "Frozen by the teacher",
            "The teacher has frozen the room.",
            "Pause",
        ),
        (
            {"state": "queued", "position": 3, "eta_low_s": 20.4, "eta_high_s": 38.0},
            "Waiting for a free place",
            "2 ahead of you; yours starts in about 20 to 40 s.",
            "Pause",
        ),
        (
            {"state": "queued", "position": 40, "eta_low_s": 70.0, "eta_high_s": 170.0},
            "Waiting for a free place",
            "39 ahead of you; yours starts in about 1 to 3 min.",
            "Pause",
        ),
    ],
    ids=["resting", "frozen", "waiting", "long"],
)
def test_what_the_server_says_of_a_run_is_said_in_words(
    waiting: Lab, change: dict[str, Any], label: str, sentence: str, button: str
) -> None:
    page = waiting
    page.value(
        """(change) => {
          const { state, emit } = window.Play.store;
          state.run = { ...state.run, frozen: false, resting: false, message: null, ...change };
          emit("run", state.run);
        }""",
        change,
    )
    expect(page("#play-gan2d-panel-transport .play-state")).to_contain_text(label)
    expect(page.queue.locator(".play-queue-text")).to_have_text(sentence)
    expect(page("#play-gan2d-pause")).to_have_text(button)


@pytest.fixture(scope="module")
def waiting(browser: Browser, crowded: App, watch: Watch) -> Iterator[Lab]:
    """A page with a run that is over: what its server says of it is then put in by the test."""
    with people(1, browser, crowded, watch) as (page,):
        page.start(1)
        page.until_state("finished")
        page.value(f"{RUN}.owner_is_you")
        page.until_quiet()
        yield page


def test_polls_wait_when_they_are_too_many_and_clicks_are_told(
    browser: Browser, crowded: App, watch: Watch
) -> None:
    watch.expect(r"refused: 429")
    refused: list[str] = []

    def too_many(route: Route) -> None:
        path = route.request.url.rpartition("/play/")[2].partition("?")[0]
        if refused.count(path) >= 2:
            route.continue_()
            return
        refused.append(path)
        body = {"error": "Too many requests; try again in 1 s.", "field": None, "retry_s": 1}
        headers = {"Retry-After": "1", "Content-Type": "application/json"}
        route.fulfill(status=429, headers=headers, body=json.dumps(body))

    with people(1, browser, crowded, watch, POLLING) as (page,):
        page.page.route(re.compile(r"/play/runs(/[^/]+/events.*)?$"), too_many)
        page("#play-gan2d-train").click()
        error = page("#play-gan2d-panel-transport .play-error").first
        expect(error).to_have_text("Too many requests; try again in 1 s.")
        refused += ["runs", "runs"]
        page.start()
        page.until_step(1)
        assert sum(path.endswith("/events") for path in refused) == 2
        expect(page("text=The server does not answer")).to_be_hidden()


def test_eight_pages_of_one_browser_all_hear_of_a_run(
    browser: Browser, crowded: App, watch: Watch
) -> None:
    with people(1, browser, crowded, watch) as (page,):
        page.start()
        page.until_step(1)
        web = page.value(
            """() => [...document.querySelectorAll("link[rel=modulepreload]")]
              .map((link) => link.href).find((href) => href.includes("/t-gan2d/"))
              .replace(/\\/[^/]*$/, "")"""
        )
        others = [page.page.context.new_page() for _ in range(7)]
        for other in others:
            other.goto("/gradio_api/play/web/play.css")
            other.evaluate(BARE, [web, page.run()["id"]])
        for other in others:
            other.wait_for_function("() => window.steps.length > 0")
        deadline = time.monotonic() + TIMEOUT_MS / 1000  # they agree among themselves in a moment
        while sum(held := [other.evaluate("window.streams") for other in others]) != 2:
            assert time.monotonic() < deadline, held  # two, and the page's own: three in all
        seen = [other.evaluate("window.steps.at(-1)") for other in others]
        for other, step in zip(others, seen, strict=True):
            other.wait_for_function("(step) => window.steps.at(-1) > step", arg=step)
        assert page.value("fetch('/gradio_api/play/catalogue').then((answer) => answer.ok)")
        for other in others:
            other.close()
