"""The CycleGAN tab: its words and its layout; what crosses over is `web/crossing.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live

KEY = "cyclegan"
MODELS = ("cyclegan", "pix2pix")
STYLES = ("explorer.css", "crossing.css", "cyclegan.css")
VIEWS = ("help", "lessons", "crossing", "timeline", "curves", "compare", "panel")


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, stage and panels, curves."""
    with gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            models, datasets = catalogue["models"], catalogue["datasets"]
            panel.build(KEY, models, datasets, pictures=(), domains=True)
        with gr.Column(elem_classes=["play-middle"]):
            for module in ("help", "lessons", "crossing", "timeline"):
                live(module, tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            for module in ("curves", "compare"):
                live(module, tab=KEY)
