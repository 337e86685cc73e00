"""The text tab: its words and its layout; the box itself is `web/text.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live

KEY = "text"
MODELS = ("gpt", "rnn", "ngram")
STYLES = ("explorer.css", "text.css", "text_inside.css")
VIEWS = ("help", "lessons", "text", "text_sample", "timeline", "curves", "compare", "panel")


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, box and panels, curves."""
    with gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            models, datasets = catalogue["models"], catalogue["datasets"]
            panel.build(KEY, models, datasets, pictures=(), texts=True)
        with gr.Column(elem_classes=["play-middle"]):
            for module in ("help", "lessons", "text_sample", "text", "timeline"):
                live(module, tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            for module in ("curves", "compare"):
                live(module, tab=KEY)
