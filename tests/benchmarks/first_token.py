"""What Generate costs on the page: from the click to the first token on screen.

Headless Chromium against the real server over loopback, the shipped GPT, one worker, warm. Each
round types a beginning that is new to the server. Two cases, both from the click's own time to the
frame with the first token painted, as the page measures itself:
  at once        the click follows the typing, so what comes next is not known yet
  after a rest   the box has shown what comes next; the first token is drawn from it

    python tests/benchmarks/first_token.py [--rounds 30] [--json]
"""

from __future__ import annotations

from typing import Any

from common import Report, arguments, chromium, open_page, server

BAR_MS = 200.0
WARM = 3  # the first ones warm the network
WORDS = ("love", "war", "night", "gold", "grief", "honour", "wine", "sleep", "truth", "death")
FIRST = "document.querySelector('.tx-box-place').dataset.firstMs"


def main() -> None:
    """Generate from many beginnings and print the table."""
    options = arguments(__doc__ or "", rounds=30).parse_args()
    report = Report("From Generate to the first token on screen")
    with server(workers=1) as app, chromium() as browser:
        measure(report, browser, app, options.rounds)
    report.show(options.json)


def measure(report: Report, browser: Any, app: Any, rounds: int) -> None:
    """Type a beginning and press Generate, at once and after a rest."""
    from browser.test_text import Box

    page = open_page(browser, app, path="/?tab=text&length=12", kind=Box)

    def took(number: int, rest: bool) -> float:
        page.until_quiet()
        field = page(".tx-input")
        field.fill(f"KING.\nTell me of {WORDS[number % len(WORDS)]} {number}, ")
        if rest:
            page.until_quiet()
        page.value(f"delete {FIRST}")
        page(".tx-generate").click()
        page.until(f"{FIRST} !== undefined")
        return float(page.value(FIRST))

    for name, rest in (("at once", False), ("after a rest", True)):
        times = [took(2 * i + rest, rest) for i in range(rounds + WARM)]
        report.add(name, times[WARM:], bar=BAR_MS)
    page.page.context.close()


if __name__ == "__main__":
    main()
