"""What a picture's way over costs on the page: from bringing it to its translation on screen.

Headless Chromium against the real server over loopback, the shipped CycleGAN (64 px), one worker,
warm. All from the browser's own event to the frame with the translation painted:
  photo of 512 px   from the file input's change event; a JPEG of smooth noise, another each time
  drawing           from lifting the pointer after a stroke on the pad
  example           from the click on a held-out picture

    python tests/benchmarks/crossing_latency.py [--rounds 40] [--json]
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from common import Report, arguments, chromium, open_page, server
from PIL import Image

THEATRE = ".cx-theatre"
WARM = 3  # the first ones warm the networks
CLOCK = """() => {
  const clock = window.clock = { began: 0, ended: 0 };
  const begin = () => { clock.began = performance.now(); clock.ended = 0; };
  for (const type of ["change", "pointerup"]) document.addEventListener(type, begin, true);
  const example = ({ target }) => target.closest(".cx-example") && begin();
  document.addEventListener("click", example, true);
  new MutationObserver(() => { clock.ended ||= performance.now(); }).observe(
    document.querySelector(".cx-theatre"), { attributes: true, attributeFilter: ["data-ms"] });
}"""


def main() -> None:
    """Bring pictures in three ways and print the table."""
    options = arguments(__doc__ or "", rounds=40).parse_args()
    report = Report("From bringing a picture to its translation on screen")
    with server(workers=1) as app, chromium() as browser:
        measure(report, browser, app, options.rounds)
    report.show(options.json)


def measure(report: Report, browser: Any, app: Any, rounds: int) -> None:
    """Bring photos, strokes and examples, one when the one before is done with."""
    from browser.test_crossing import Stage

    page = open_page(browser, app, path="/?tab=cyclegan", kind=Stage)
    page.value(CLOCK)

    def took(act: Any) -> float:
        page.until_quiet()
        act()
        page.until("window.clock.ended > 0")
        return float(page.value("window.clock.ended - window.clock.began"))

    photos = [photo(seed) for seed in range(rounds + WARM)]
    times = [took(lambda p=p: page.bring("photo.jpg", p, "image/jpeg")) for p in photos]
    report.add("photo of 512 px", times[WARM:], bar=1500.0)
    examples = page(".cx-example")
    count = examples.count()
    times = [took(examples.nth(i % count).click) for i in range(rounds + WARM)]
    report.add("example", times[WARM:])
    page(".cx-ways").get_by_role("button", name="Draw").click()
    page(".cx-draw .x-pad").scroll_into_view_if_needed()
    box = page(".cx-draw .x-pad").bounding_box()
    assert box
    times = [took(lambda i=i: stroke(page.page, box, i)) for i in range(rounds + WARM)]
    report.add("drawing of 64 px", times[WARM:], bar=200.0)
    page.page.context.close()


def photo(seed: int) -> bytes:
    """Return a JPEG of 512 x 512 px with soft coloured patches."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    image = Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC)
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def stroke(tab: Any, box: dict[str, float], number: int) -> None:
    """Draw one stroke on the pad and lift the pointer."""
    y = box["y"] + box["height"] * (0.1 + 0.02 * (number % 40))
    tab.mouse.move(box["x"] + box["width"] * 0.2, y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.8, y + 4, steps=4)
    tab.mouse.up()


if __name__ == "__main__":
    main()
