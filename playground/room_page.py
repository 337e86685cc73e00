"""The teacher's page: lean HTML of its own, the page's modules, nothing of Gradio."""

from __future__ import annotations

import html

from playground.strings import t
from playground.web_files import needed, version

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{web}/play.css">
<link rel="stylesheet" href="{web}/wall.css">
{modules}
</head>
<body class="wall-body">
<main id="wall" class="play-mount"><p class="wall-opening">{opening}</p></main>
<noscript>{noscript}</noscript>
<script type="module" src="{web}/wall.js"></script>
</body>
</html>
"""


def page() -> str:
    """Return the page; it holds nothing of the room, which only the key opens."""
    web = f"web/v-{version()}"
    modules = "\n".join(
        f'<link rel="modulepreload" href="{web}/{file}">' for file in needed(["wall"])
    )
    return PAGE.format(
        title=html.escape(t("room.wall_title")),
        opening=html.escape(t("room.wall_opening")),
        noscript=html.escape(t("room.wall_noscript")),
        web=web,
        modules=modules,
    )
