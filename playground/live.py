"""Mount points: a `gr.HTML` with a static template that one of our modules fills and keeps.

A function and not a subclass: Gradio writes a .pyi file beside the source of every subclass.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from playground.web_files import WEB, version

# A tab's modules are loaded from the tab's own address, so that each tab has its own of them.
LOADER = """
const web = (window.gradio_config?.root ?? "") + "/gradio_api/play/web/" + props.folder + "/";
const place = element.querySelector(".play-mount");
Promise.all([import(web + props.module + ".js"), import(web + props.ready + ".js")])
  .then(([module, ready]) => ready.ready.then(() => module.mount(place, JSON.parse(props.given))))
  .then(() => place.setAttribute("data-ready", "1"))
  .catch((error) => console.error("The view " + props.module + " could not be shown", error));
"""


def live(module: str, *, tab: str = "", part: str = "", **given: Any) -> gr.HTML | None:
    """Place a view drawn by `web/<module>.js`; `given` reaches its `mount(element, props)`.

    Without a tab it is a part of the page around the tabs. A module that is not there leaves no
    trace in the page.
    """
    if not (WEB / f"{module}.js").is_file():
        return None
    name = f"{module}-{part}" if part else module
    return gr.HTML(
        value="",
        html_template=f'<div class="play-mount play-{name}"></div>',
        js_on_load=LOADER,
        apply_default_css=False,
        elem_id=f"play-{tab}-{name}" if tab else f"play-{name}",
        elem_classes=["play-live"],
        module=module,
        folder=f"v-{version()}/t-{tab}" if tab else f"v-{version()}",
        ready="store" if tab else "page",
        given=json.dumps({"tab": tab, "part": part, **given}),
    )
