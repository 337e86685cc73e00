"""The page as a person uses it; every wait is for a condition."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, Request

RUN = "window.Play.store.state.run"
ACTIVE = ("queued", "starting", "running", "paused", "parked")
QUIET_MS = 700  # longer than the page waits by itself before it asks (500 ms after a run)
# Counts what the page asks for by fetch, so that a test can wait until it has nothing to ask.
COUNT_REQUESTS = """
window.asked = {open: 0, last: 0};
const plain = window.fetch;
window.fetch = async (...args) => {
  window.asked.open += 1;
  window.asked.last = performance.now();
  try { return await plain(...args); }
  finally { window.asked.open -= 1; window.asked.last = performance.now(); }
};
// Gradio loads parts of its own when they come into sight
const loads = new PerformanceObserver(() => { window.asked.last = performance.now(); });
loads.observe({ type: "resource" });
"""
# A number for what a canvas shows; null when it is empty or of one colour.
SHOWN = """(canvas) => {
  if (!canvas.width || !canvas.height) return null;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
  let [sum, plain] = [0, true];
  for (let i = 0; i < pixels.length; i += 4) {
    sum = (sum * 31 + pixels[i] + pixels[i + 1] * 7 + pixels[i + 3] * 13) % 4294967291;
    if (pixels[i] !== pixels[0] || pixels[i + 3] !== pixels[3]) plain = false;
  }
  return plain ? null : sum;
}"""
WIDTH = """() => {
  const [low, high] = document.querySelector(".x-plot").layout.xaxis.range;
  return high - low;
}"""
POINTS = """() => document.querySelector(".x-plot").data
  .flatMap((trace) => [...trace.x.slice(0, 20), ...trace.y.slice(0, 20)])"""


class Playground:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def open(cls, context: BrowserContext, path: str = "/") -> Playground:
        """Open a page in a context and wait until a model is on screen."""
        page = context.new_page()
        page.add_init_script(COUNT_REQUESTS)
        opened = cls(page)
        page.goto(path, wait_until="domcontentloaded")
        opened.wait_until_ready()
        return opened

    def go(self, path: str) -> None:
        """Open another address in the same tab, when the page waits for nothing."""
        self.until_quiet()
        self.page.goto(path, wait_until="domcontentloaded")
        self.wait_until_ready()

    def reload(self) -> None:
        """Reload the page when it waits for nothing, and wait as `open` does."""
        self.until_quiet()
        self.page.reload(wait_until="domcontentloaded")
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until every part is mounted, and map, grid and point are drawn."""
        for part in ("status", "panel-transport", "panel-files", "explorer", "timeline", "curves"):
            self("." + f"play-{part}[data-ready]").wait_for(state="attached")
        self(".x-stage:not(.loading)").wait_for(state="attached")
        self(".x-plot[data-paints]").wait_for(state="attached")
        self(".x-grid-stage:not(.loading)").wait_for(state="attached")
        self(".x-point .filled").wait_for(state="attached")

    def __call__(self, selector: str) -> Locator:
        return self.page.locator(selector)

    # ---- waiting and reading --------------------------------------------------------------------

    def until(self, condition: str, argument: Any = None) -> None:
        """Wait for a JavaScript expression, or a function of `argument`, to become true."""
        self.page.wait_for_function(condition, arg=argument)

    def until_other(self, selector: str, before: Any, what: str = "innerText") -> None:
        """Wait until a property of an element is not what it was."""
        self.until(
            f"([selector, before]) => document.querySelector(selector).{what} !== before",
            [selector, before],
        )

    def until_quiet(self) -> None:
        """Wait until the page has asked nothing for a while, and nothing is on its way."""
        self.until(f"() => asked.open === 0 && performance.now() - asked.last > {QUIET_MS}")

    def value(self, expression: str, argument: Any = None) -> Any:
        """Evaluate a JavaScript expression in the page."""
        return self.page.evaluate(expression, argument)

    def shown(self, selector: str) -> int | None:
        """Return a number for what a canvas shows now, None when it shows nothing."""
        number: int | None = self(selector).first.evaluate(SHOWN)
        return number

    def until_shown(self, selector: str, other_than: int | None = None) -> int:
        """Wait until a canvas shows something, and not what it showed before."""
        self(selector).first.wait_for()
        self.until(
            f"""([selector, before]) => {{
              const now = ({SHOWN})(document.querySelector(selector));
              return now !== null && now !== before;
            }}""",
            [selector, other_than],
        )
        shown = self.shown(selector)
        assert shown is not None
        return shown

    @contextmanager
    def requests(self) -> Iterator[list[str]]:
        """Collect the addresses that the page asks for in the meantime; pictures in it aside."""
        asked: list[str] = []

        def note(request: Request) -> None:
            if not request.url.startswith(("data:", "blob:")):
                asked.append(f"{request.method} {request.url}")

        self.page.on("request", note)
        yield asked
        self.page.evaluate("0")
        self.page.remove_listener("request", note)

    def picture(self, selector: str) -> Image.Image:
        """Return what is painted at an element."""
        return Image.open(io.BytesIO(self(selector).screenshot())).convert("RGB")

    # ---- the map --------------------------------------------------------------------------------

    def map_place(self, across: float, up: float) -> tuple[float, float]:
        """Return the page's pixels of a place on the map, both shares from 0 to 1."""
        self(".x-area").scroll_into_view_if_needed()
        box = self(".x-area").bounding_box()
        assert box
        return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]

    def map_coordinates(self, across: float, up: float) -> list[float]:
        """Return the map coordinates there, by the axes that are drawn."""
        x0, x1, y0, y1 = self.value(
            """() => { const {xaxis, yaxis} = document.querySelector(".x-plot").layout;
                       return [...xaxis.range, ...yaxis.range].map(Number); }"""
        )
        return [x0 + across * (x1 - x0), y0 + up * (y1 - y0)]

    def points(self) -> list[float]:
        """Return coordinates of some points of the map, of every class."""
        found: list[float] = self.value(POINTS)
        return found

    def map_width(self) -> float:
        """Return how wide the visible part of the map is, in its own units."""
        width: float = self.value(WIDTH)
        return width

    def until_map_width(self, width: float) -> None:
        """Wait until the visible part of the map is about so wide."""
        self.until(f"(width) => Math.abs(({WIDTH})() / width - 1) < 1e-3", width)

    def until_points_move(self, before: list[float]) -> None:
        """Wait until points of the map are elsewhere."""
        self.until(f"(before) => JSON.stringify(({POINTS})()) !== JSON.stringify(before)", before)

    def click_map(self, across: float, up: float) -> None:
        """Click a place of the map; wait until the exact picture has been painted."""
        before = self(".x-explorer").get_attribute("data-point-ms")
        self.page.mouse.click(*self.map_place(across, up))
        self.until_other(".x-explorer", before, "dataset.pointMs ?? null")

    def point(self) -> dict[str, Any]:
        """Return the chosen point {z, u, from}."""
        found: dict[str, Any] = self.value("window.Play.store.state.point")
        return found

    def tab(self, name: str) -> Locator:
        """Open a panel of the explorer; return it."""
        self(f"#play-vae-tab-{name}").click()
        panel = self(f"#play-vae-panel-{name}")
        panel.wait_for()
        return panel

    def explore(self, title: str) -> None:
        """Open a saved model by its title; wait until it is on screen."""
        row = self(".play-list li").filter(has=self.page.get_by_text(title, exact=True))
        row.get_by_role("button", name="Explore").click()
        row.and_(self(".here")).wait_for()
        self(".x-stage:not(.loading)").wait_for(state="attached")

    # ---- the training panel ---------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Return the attached run as the page knows it."""
        found: dict[str, Any] | None = self.value(RUN)
        assert found, "no run is attached"
        return found

    def choose_preset(self, title: str) -> None:
        """Choose a preset by its title, and wait until the settings are its own."""
        self("#play-vae-preset input").click()
        self.page.get_by_role("option", name=title, exact=True).click()
        self.until(
            """(title) => {
              const {settings, state} = window.Play.store;
              const key = settings().preset;
              const presets = state.catalogue.models.flatMap((m) => m.presets);
              return presets.find((p) => p.key === key)?.title === title;
            }""",
            title,
        )

    def set_number(self, name: str, text: str, leave: bool = True) -> None:
        """Type into the number field of a control, as the keyboard does, and leave it."""
        field = self(f"#play-vae-{name} input[type=number]")
        field.click()
        field.press("Control+a")
        field.press("Delete")
        field.press_sequentially(text)
        if leave:
            self.blur()

    def setting(self, name: str) -> Any:
        """Return the value of a hyperparameter as Train would use it."""
        return self.value("(name) => window.Play.store.settings().config[name]", name)

    def until_setting(self, name: str, value: Any) -> None:
        """Wait until Train would use this value of a hyperparameter."""
        self.until(
            "([name, value]) => window.Play.store.settings().config[name] === value", [name, value]
        )

    def blur(self) -> None:
        """Take the focus from every control, so that keys belong to the page."""
        self.value("document.activeElement?.blur()")

    def set_steps(self, steps: int) -> None:
        """Set how long to train."""
        self.set_number("amount", str(steps))
        self.until("(steps) => window.Play.store.settings().max_steps === steps", steps)

    def train(self) -> str:
        """Press Train; return the id of the new run once it is attached."""
        before = self.value(f"{RUN}?.id ?? null")
        self("#play-vae-train").click()
        self.until(f"(before) => {RUN} && {RUN}.id !== before", before)
        return str(self.run()["id"])

    def until_state(self, *states: str) -> None:
        """Wait until the attached run is in one of these states."""
        self.until(f"(states) => states.includes({RUN}?.state)", list(states))

    def until_step(self, step: int) -> None:
        """Wait until the attached run has come so far."""
        self.until(f"(step) => {RUN}?.step >= step", step)

    def stop(self) -> None:
        """Stop the attached run, if it is one's own and under way."""
        run = self.value(RUN)
        if run and run["owner_is_you"] and run["state"] in ACTIVE:
            self.value("window.Play.store.command('stop')")
            self.until_state("stopped", "finished", "diverged", "failed")

    def curve(self, chart: str, to_step: int | None = None) -> list[list[float]]:
        """Return [[steps], [values]] of a training curve as the table under the curves has it.

        With `to_step` the table is waited for until it reaches so far.
        """
        fold = self(".mon-fold")
        if fold.get_attribute("open") is None:
            fold.locator("summary").click()
        self.until(
            """(step) => {
              const rows = [...document.querySelectorAll(".mon-values tbody tr")];
              const last = rows.at(-1)?.children[0].textContent.replace(",", "");
              return rows.length > 1 && (step === null || Number(last) === step);
            }""",
            to_step,
        )
        rows = self.value(
            """(name) => {
              const table = document.querySelector(".mon-values");
              const heads = [...table.querySelectorAll("thead th")].map((th) => th.textContent);
              const column = heads.findIndex((head) => head.startsWith(`${name}, train`));
              return [...table.querySelectorAll("tbody tr")].map((tr) =>
                [tr.children[0].textContent, tr.children[column].textContent]);
            }""",
            chart,
        )
        known = [row for row in rows if row[1]]  # no value was told at some steps
        return [[number(row[i]) for row in known] for i in (0, 1)]


def number(text: str) -> float:
    """Read a number as the page writes it: with a real minus sign and commas."""
    return float(text.replace("−", "-").replace(",", ""))


def near(a: list[float], b: list[float], slack: float) -> bool:
    """Say whether two places are the same within `slack`."""
    return all(abs(p - q) <= slack for p, q in zip(a, b, strict=True))


def colour_share(image: Image.Image, colour: str, slack: int = 24) -> float:
    """Return the share of pixels that have about this colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    off = np.abs(np.asarray(image).astype(int) - wanted).max(axis=-1)
    return float((off <= slack).mean())
