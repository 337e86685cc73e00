"""The GAN lab: its words and its layout; the lab itself is `web/lab.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live

KEY = "gan2d"
MODELS = ("gan2d", "gan2d_atlas")
TRAINED = "gan2d"  # what the panel trains; the atlas has its own controls
STYLES = ("explorer.css", "lab.css")
VIEWS = ("help", "lessons", "lab", "timeline", "curves", "compare", "panel")


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, lab, curves."""
    models = [m for m in catalogue["models"] if m["key"] == TRAINED]
    with gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            panel.build(KEY, models, catalogue["datasets"], pictures=())
        with gr.Column(elem_classes=["play-middle"]):
            for module in ("help", "lessons", "lab", "timeline"):
                live(module, tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            for module in ("curves", "compare"):
                live(module, tab=KEY)
