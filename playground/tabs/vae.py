"""The VAE tab: its layout; the explorer itself is `web/explorer.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live

KEY = "vae"
MODELS = ("vae", "ae")
STYLES = ("explorer.css",)
VIEWS = ("help", "lessons", "explorer", "timeline", "curves", "compare", "panel")


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, explorer, curves."""
    with gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            panel.build(KEY, catalogue["models"], catalogue["datasets"])
        with gr.Column(elem_classes=["play-middle"]):
            live("help", tab=KEY)
            live("lessons", tab=KEY)
            live("explorer", tab=KEY)
            live("timeline", tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            live("curves", tab=KEY)
            live("compare", tab=KEY)
