"""The training panel: the same on every tab, wired once for all models.

The controls never call the server through Gradio: every change goes to `web/panel.js`, which
holds the settings, and a hidden bridge lets the page set the controls (presets, links).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from playground import controls
from playground.live import live
from playground.strings import t
from playground.tabs import fits

CHANGED = "(...values) => { window.Play.tabs?.%s?.panel?.changed(values); }"
BRIDGE = """
window.Play.bridges = window.Play.bridges ?? {};
window.Play.bridges[props.tab] = () => trigger("apply");
"""
PENDING = "() => window.Play.tabs.%s.panel.pending()"
PICTURE_SIZES = (28, 32)


@dataclass
class Panel:
    """The components of one panel, by the names that `web/panel.js` knows."""

    tab: str
    components: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names in the order in which values travel."""
        return list(self.components)

    def wire(self) -> None:
        """Send every change to the page's module, and let the module set every control."""
        made = list(self.components.values())
        gr.on(
            [c.change for c in made],
            fn=None,
            inputs=made,
            js=CHANGED % self.tab,
            show_progress="hidden",
            trigger_mode="multiple",
        )
        bridge = gr.HTML(
            value="",
            html_template="<div></div>",
            js_on_load=BRIDGE,
            elem_classes=["play-hidden"],
            tab=self.tab,
        )
        bridge.apply(
            fn=None,
            js=PENDING % self.tab,
            outputs=made,
            show_progress="hidden",
            trigger_mode="multiple",
        )


def build(
    tab: str,
    models: list[dict[str, Any]],
    datasets: list[dict[str, Any]],
    pictures: Sequence[int] = PICTURE_SIZES,
    domains: bool = False,
    texts: bool = False,
) -> Panel:
    """Lay out the panel of one tab for its models, and return it.

    `pictures` are the sizes in which a person's own pictures may be used; without any there is
    no place to bring them. `domains` lets a person bring two sets of pictures,
    `texts` a text.
    """
    preset = min(models[0]["presets"], key=lambda p: p["breaks"])
    fields = controls.merged(m["schema"] for m in models)
    panel = Panel(tab)
    made = panel.components
    prefix = f"play-{tab}"

    def own_data(title: str) -> gr.Accordion:
        return gr.Accordion(
            title, open=False, elem_id=f"{prefix}-own-data", elem_classes=["play-fold"]
        )

    made["preset"] = gr.Dropdown(
        choices=preset_choices(models),
        value=preset["key"],
        label=t("panel.preset"),
        filterable=False,
        elem_id=f"{prefix}-preset",
        elem_classes=["play-field"],
        interactive=True,
    )
    made["dataset"] = gr.Dropdown(
        choices=[(d["title"], d["key"]) for d in datasets if d["available"] and fits(models[0], d)],
        value=preset["dataset"],
        label=t("panel.dataset"),
        filterable=False,
        elem_id=f"{prefix}-dataset",
        elem_classes=["play-field"],
        interactive=True,
    )
    if pictures:
        with own_data(t("panel.my_pictures")):
            live("panel", part="pictures", tab=tab, sizes=list(pictures))
    if domains:
        with own_data(t("domains.fold")):
            live("panel", part="domains", tab=tab)
    if texts:
        with own_data(t("texts.fold")):
            live("panel", part="texts", tab=tab)
    made["model"] = gr.Radio(
        choices=[(m["title"], m["key"]) for m in models],
        value=preset["model"],
        label=t("panel.model"),
        elem_id=f"{prefix}-model",
        elem_classes=["play-field", "play-choice"],
        interactive=True,
        visible=True if len(models) > 1 else "hidden",
    )
    # The place is laid out here, but the module reads the names of all controls.
    transport = gr.Column(elem_classes=["play-transport-place"])
    with gr.Row(elem_classes=["play-pair"]):
        made["amount"] = gr.Number(
            value=preset["max_steps"],
            label=t("panel.amount"),
            precision=0,
            minimum=1,
            elem_id=f"{prefix}-amount",
            elem_classes=["play-field"],
            interactive=True,
            min_width=80,
        )
        made["unit"] = gr.Dropdown(
            choices=[(t("panel.unit_steps"), "steps"), (t("panel.unit_epochs"), "epochs")],
            value="steps",
            label=t("panel.unit"),
            filterable=False,
            elem_id=f"{prefix}-unit",
            elem_classes=["play-field"],
            interactive=True,
            min_width=80,
        )
        made["seed"] = gr.Number(
            value=0,
            label=t("panel.seed"),
            precision=0,
            minimum=0,
            elem_id=f"{prefix}-seed",
            elem_classes=["play-field"],
            interactive=True,
            min_width=60,
        )
    values = {f["name"]: f["default"] for f in fields} | preset["config"]
    for name, made_field in controls.build(fields, values, prefix).items():
        made[f"config.{name}"] = made_field
    with transport:
        live("panel", part="transport", tab=tab, controls=panel.names)
    live("panel", part="files", tab=tab)
    panel.wire()
    return panel


def preset_choices(models: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (title, key) of all presets: what works first, what breaks last."""
    presets = [p for m in models for p in m["presets"]]
    ordered = sorted(presets, key=lambda p: p["breaks"])
    return [(p["title"], p["key"]) for p in ordered] + [(t("panel.preset_own"), "")]
