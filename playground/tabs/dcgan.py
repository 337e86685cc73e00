"""The DCGAN tab: its words and its layout; the sampler and the monitor are `web/dcgan.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live

KEY = "dcgan"
MODELS = ("dcgan",)
STYLES = ("explorer.css", "dcgan.css")
VIEWS = ("help", "lessons", "dcgan", "timeline", "curves", "compare", "panel")
OWN_PICTURES = (32, 64)  # sides to which a person's own pictures may be brought


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, sampler and monitor, curves."""
    models = [m for m in catalogue["models"] if m["key"] in MODELS]
    with gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            panel.build(KEY, models, catalogue["datasets"], pictures=OWN_PICTURES)
        with gr.Column(elem_classes=["play-middle"]):
            for module in ("help", "lessons", "dcgan", "timeline"):
                live(module, tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            for module in ("curves", "compare"):
                live(module, tab=KEY)
