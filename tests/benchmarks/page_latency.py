"""What a person waits for in the page: first live picture, clicks, hovering, commands.

Headless Chromium against the real server over loopback, workers warm. Every time begins with
the input event's own time stamp (when the browser process took the mouse event, before the
page knew of it) and ends when the frame with the result has been painted: after the drawing call
on the visible canvas the rest of that animation frame, or the whole next one when the call was
made between frames, and then the first task after it.
  Train to first picture   click on Train, to the decoding grid of the new run painted; its first
                           picture is that of the untrained network at step 0
  Train to first trained   the same, to the first grid that was drawn after at least one step
  Train to first points    the same, to the first codes of the new run painted on the map
  click to blend           click on the map, to the picture blended from decodings at hand
  click to picture         click on the map, to the exact picture decoded by the server
  hover to picture         mouse move over the map, to the picture in the card beside it
  hover, frames            animation frames from the move to the drawing; 1 is the very next one,
                           and 16.7 ms is how far frames lie apart
  hover, requests          requests that the page sent while the mouse moved
  pause, resume, stop      click on the button, to the run's own event back in the page
  pause painted            the same, to the button's new words painted
  set                      store.command("set") called, to the run's `changed` event in the page
  set from the control     a value typed, to `changed`; the page waits 200 ms for more typing
The run under the commands is the preset "First look" without an end.

    python tests/benchmarks/page_latency.py [--rounds 8] [--clicks 60] [--moves 80] [--json]
"""

from __future__ import annotations

import random
from typing import Any

from common import Report, arguments, chromium, open_page, server

LONG = 1_000_000
# Notes the time of inputs, of drawing calls on canvases, and of events of the run.
SPY = """
window.bench = {input: {}, marks: [], frames: 0, watching: []};
const plain = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
  const result = plain.call(this, image, ...rest);
  for (const watch of window.bench.watching) watch(this.canvas, image);
  return result;
};
for (const type of ["pointerdown", "pointerup", "pointermove", "click", "input"]) {
  addEventListener(type, (event) => {
    window.bench.input[type] = event.timeStamp;
    if (type === "pointermove") window.bench.movedAtFrame = window.bench.frames;
  }, true);
}
const plainFrame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (fn) => plainFrame((time) => {
  window.bench.inFrame = true;
  try { fn(time); } finally { window.bench.inFrame = false; }
});
const count = () => { window.bench.frames += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
window.bench.painted = () => new Promise((resolve) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => resolve(performance.now());
  const tell = () => channel.port2.postMessage(0);
  if (window.bench.inFrame) tell();
  else plainFrame(tell);
});
// Resolves with the time at which the next wanted drawing has been painted.
window.bench.next = (wanted) => new Promise((resolve) => {
  const watch = (canvas, image) => {
    if (!wanted(canvas, image)) return;
    window.bench.watching = window.bench.watching.filter((other) => other !== watch);
    const frame = window.bench.frames;
    window.bench.painted().then((time) => resolve({time, frame}));
  };
  window.bench.watching.push(watch);
});
window.bench.event = (type, wanted) => new Promise((resolve) => {
  const off = window.Play.store.on(type, (event) => {
    if (!wanted(event)) return;
    off();
    resolve(performance.now());
  });
});
"""


def main() -> None:
    """Measure everything on one page and print the table."""
    parser = arguments(__doc__ or "", rounds=8, clicks=60, moves=80)
    options = parser.parse_args()
    report = Report("Latency in the page, input to paint")
    with server() as app, chromium() as browser:
        page = open_page(browser, app, SPY)
        page.until_quiet()
        clicks(report, page, options.clicks)
        hovering(report, page, options.moves)
        training(report, page, options.rounds)
        commands(report, page, max(20, 3 * options.rounds))
    report.show(options.json)


def clicks(report: Report, page: Any, count: int) -> None:
    """Click at points all over the map, each when the page has come to rest."""
    chance = random.Random(0)
    blends, exacts = [], []
    for number in range(count + 3):
        x, y = page.map_place(chance.uniform(0.12, 0.88), chance.uniform(0.12, 0.88))
        page.until_quiet()
        page.value(
            """() => {
              const card = (type) => (canvas, image) =>
                canvas.closest(".x-point") && image instanceof type;
              window.bench.blend = window.bench.next(card(HTMLCanvasElement));
              window.bench.exact = window.bench.next(card(HTMLImageElement));
            }"""
        )
        page.page.mouse.click(x, y)
        blend, exact = page.value(
            """async () => {
              const [blend, exact] = await Promise.all([window.bench.blend, window.bench.exact]);
              const start = window.bench.input.pointerup;
              return [blend.time - start, exact.time - start];
            }"""
        )
        if number >= 3:  # the first ones warm the decoder
            blends.append(blend)
            exacts.append(exact)
    report.add("click to blend", blends)
    report.add("click to picture", exacts, bar=100.0)
    report.add("click to picture (p50)", exacts, bar=50.0, of="median")


def hovering(report: Report, page: Any, count: int) -> None:
    """Move over the map; count what is asked meanwhile."""
    chance = random.Random(1)
    times, frames = [], []
    page.page.mouse.move(*page.map_place(0.5, 0.5))
    page.until_quiet()
    with page.requests() as asked:
        for _ in range(count):
            x, y = page.map_place(chance.uniform(0.05, 0.95), chance.uniform(0.05, 0.95))
            page.value(
                """() => { window.bench.card = window.bench.next(
                  (canvas) => canvas.closest(".x-hover")); }"""
            )
            page.page.mouse.move(x, y)
            time, frame = page.value(
                """async () => {
                  const {time, frame} = await window.bench.card;
                  return [time - window.bench.input.pointermove, frame - window.bench.movedAtFrame];
                }"""
            )
            times.append(time)
            frames.append(frame)
    note = "in it the wait for the next frame, up to 16.7 ms"
    report.add("hover to picture", times, note=note)
    report.add("hover, frames", frames, unit="frames", bar=1.0)
    report.add("hover, requests", [len(asked)], unit="requests", bar=0.0, of="max")


def training(report: Report, page: Any, rounds: int) -> None:
    """Press Train, see the first pictures, stop; again and again."""
    first, trained, points = [], [], []
    page.set_steps(LONG)
    for _ in range(rounds):
        page.until_quiet()
        page.value(
            """() => {
              const {bench} = window;
              const {on} = window.Play.store;
              const grid = (canvas) => canvas.matches(".x-grid-canvas");
              let [mine, step] = [false, -1];
              const before = window.Play.store.state.run?.id;
              const off = on("preview", (event) => {
                mine = window.Play.store.state.run.id !== before;
                if (mine && event.name === "grid") step = event.step;
              });
              bench.first = bench.next((canvas) => mine && step >= 0 && grid(canvas));
              bench.trained = bench.next((canvas) => mine && step > 0 && grid(canvas));
              bench.points = bench.event("preview", (event) => event.name === "map"
                && window.Play.store.state.run.id !== before).then(() => new Promise((resolve) => {
                const plot = document.querySelector(".x-plot");
                const seen = new MutationObserver(() => {
                  seen.disconnect();
                  bench.painted().then(resolve);
                });
                seen.observe(plot, {attributeFilter: ["data-paints"]});
              }));
              bench.trained.then(off);
            }"""
        )
        page.train()
        started = page.value("window.bench.input.click")
        found = page.value(
            """() => Promise.all([window.bench.first.then((f) => f.time),
              window.bench.trained.then((f) => f.time), window.bench.points])"""
        )
        for values, time in zip((first, trained, points), found, strict=True):
            values.append((time - started) / 1000)
        page.stop()
    report.add("Train to first picture", first, unit="s", bar=1.5)
    report.add("Train to first trained picture", trained, unit="s", bar=1.5)
    report.add("Train to first points", points, unit="s", bar=1.5)


def commands(report: Report, page: Any, count: int) -> None:
    """Pause and resume, set, stop and train again, while a run is under way."""
    page.train()
    page.until_state("running")
    page.until_step(60)
    pause, painted, resume, change, typed, stop = [], [], [], [], [], []
    for number in range(count):
        pause.append(press(page, "#play-vae-pause", "paused"))
        painted.append(page.value("window.bench.label"))
        resume.append(press(page, "#play-vae-pause", "running"))
        change.append(
            page.value(
                """async (value) => {
                  const {command} = window.Play.store;
                  const done = window.bench.event("changed", (event) => event.new === value);
                  const start = performance.now();
                  await command("set", {field: "beta", value});
                  return await done - start;
                }""",
                round(1 + 0.01 * (number + 1), 2),
            )
        )
    for number in range(max(5, count // 4)):
        value = round(2 + 0.1 * number, 1)
        page.value(
            """(value) => { window.bench.change =
              window.bench.event("changed", (event) => event.new === value); }""",
            value,
        )
        page.set_number("beta", str(value))
        typed.append(page.value("async () => await window.bench.change - window.bench.input.input"))
    for _ in range(count):
        stop.append(press(page, "#play-vae-stop", "stopped", "finished"))
        page.until("() => !document.querySelector('#play-vae-train').disabled")
        page.train()
        page.until_state("running")
        page.until_step(20)
    page.stop()
    report.add("pause", pause, bar=300.0)
    report.add("pause painted", painted)
    report.add("resume", resume, bar=300.0)
    report.add("set", change, bar=300.0)
    report.add("set from the control", typed, note="200 ms of it the page waits for more typing")
    report.add("stop", stop, bar=300.0)


def press(page: Any, selector: str, *states: str) -> float:
    """Click a button; return the ms to the run's own status in the page."""
    page.until("(s) => document.querySelector(s).disabled === false", selector)
    page.value(
        """(states) => {
          const {bench} = window;
          bench.status = bench.event("status", (event) => states.includes(event.state));
          bench.status.then(() => bench.painted()).then((time) => {
            bench.label = time - bench.input.click;
          });
        }""",
        list(states),
    )
    page(selector).click()
    took: float = page.value("async () => await window.bench.status - window.bench.input.click")
    page.until("(states) => states.includes(window.Play.store.state.run.state)", list(states))
    page.value("window.bench.painted()")
    return took


if __name__ == "__main__":
    main()
