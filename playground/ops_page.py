"""The status page: a lean HTML page of its own, without Gradio and without the page's modules."""

from __future__ import annotations

import html
import json

from playground.strings import t, table
from playground.web_files import version

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="web/v-{version}/ops.css">
</head>
<body>
<main>
<header><h1>{title}</h1><p id="state" role="status"></p><p id="facts"></p></header>
<ul id="reasons" hidden></ul>
<div id="cards"></div>
<footer><a href="../../">{back}</a></footer>
</main>
<script id="words" type="application/json">{words}</script>
<script type="module" src="web/v-{version}/ops.js"></script>
</body>
</html>
"""


def page() -> str:
    """Return the page, with its words in it."""
    words = {key: text for key, text in table().items() if key.startswith("ops.")}
    told = {key: text for key, text in words.items() if not key.startswith("ops.api_")}
    return PAGE.format(
        title=html.escape(t("ops.title")),
        back=html.escape(t("ops.back")),
        version=version(),
        words=json.dumps(told).replace("<", "\\u003c"),
    )
