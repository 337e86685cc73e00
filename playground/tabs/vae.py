"""The VAE tab: its words and its layout; the explorer itself is `web/explorer.js`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from playground import panel
from playground.live import live
from playground.strings import t

KEY = "vae"
MODELS = ("vae", "ae")


def build(catalogue: dict[str, Any]) -> None:
    """Lay out the tab: training panel, explorer, curves."""
    models = [m for m in catalogue["models"] if m["key"] in MODELS]
    with gr.Tab(t("shell.tab_vae"), id=KEY), gr.Row(elem_classes=["play-layout"]):
        with gr.Column(elem_classes=["play-left"]):
            panel.build(KEY, models, catalogue["datasets"])
        with gr.Column(elem_classes=["play-middle"]):
            live("help", tab=KEY)
            live("lessons", tab=KEY)
            live("explorer", tab=KEY)
            live("timeline", tab=KEY)
        with gr.Column(elem_classes=["play-right"]):
            live("curves", tab=KEY)
            live("compare", tab=KEY)
