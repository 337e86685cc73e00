"""The page: its look, its header, its tabs."""

from __future__ import annotations

import json
from types import ModuleType
from typing import TYPE_CHECKING

import gradio as gr

from playground import public_api, tabs, zerogpu
from playground.live import live
from playground.strings import t
from playground.web_files import needed, version

if TYPE_CHECKING:
    from playground.service import Service

TABS = tabs.modules()
STYLES = ("play.css", "page.css", "lesson.css", "queue.css", "monitor.css")  # of every tab
# Runs before Gradio draws the page: the tab of the address is the one that it begins with, and
# the only one whose modules are fetched.
OPENING = """<script>
(() => {
  const about = %s;
  const asked = new URLSearchParams(location.search).get("tab");
  const tab = Object.hasOwn(about, asked) ? asked : Object.keys(about)[0];
  window.Play = Object.assign(window.Play ?? {}, {
    about, chosen: tab, show(key) { this.chosen = key; },
  });
  for (const { props } of window.gradio_config?.components ?? []) {
    if (props?.elem_id === "play-tabs") props.selected = tab;
  }
  const link = (rel, file) => Object.assign(document.createElement("link"), {
    rel, href: "%s/" + file,
  });
  const { styles, modules } = about[tab];
  document.head.append(
    ...styles.map((file) => link("stylesheet", file)),
    ...modules.map((file) => link("modulepreload", file)),
  );
})();
</script>"""
SHOW = "() => window.Play.show(%s)"
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
ACCENT = gr.themes.Color(
    c50="#f1f0fd", c100="#e4e2fb", c200="#cdc9f7", c300="#aea8f1", c400="#9d97f5",
    c500="#6a61dd", c600="#4f46c8", c700="#433bab", c800="#37318a", c900="#2e2a6e",
    c950="#1c1945",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """Return the page's theme: system fonts, one accent, quiet lines."""
    return gr.themes.Base(
        primary_hue=ACCENT,
        neutral_hue=gr.themes.colors.slate,
        font=FONT,
        font_mono=MONO,
        text_size=gr.themes.sizes.text_sm,
        spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_md,
    ).set(
        body_background_fill="var(--play-ground)",
        body_background_fill_dark="var(--play-ground)",
        body_text_color="var(--play-ink)",
        body_text_color_dark="var(--play-ink)",
        body_text_color_subdued="var(--play-muted)",
        body_text_color_subdued_dark="var(--play-muted)",
        block_background_fill="var(--play-paper)",
        block_background_fill_dark="var(--play-paper)",
        block_border_color="var(--play-line)",
        block_border_color_dark="var(--play-line)",
        block_border_width="0px",
        block_label_text_color="var(--play-ink)",
        block_title_text_color="var(--play-ink)",
        block_title_text_color_dark="var(--play-ink)",
        block_title_text_weight="500",
        block_info_text_color="var(--play-muted)",
        block_info_text_color_dark="var(--play-muted)",
        block_shadow="none",
        border_color_primary="var(--play-line)",
        border_color_primary_dark="var(--play-line)",
        background_fill_primary="var(--play-paper)",
        background_fill_primary_dark="var(--play-paper)",
        background_fill_secondary="var(--play-soft)",
        background_fill_secondary_dark="var(--play-soft)",
        input_background_fill="var(--play-paper)",
        input_background_fill_dark="var(--play-ground)",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_border_color="var(--play-line)",
        input_border_color_dark="var(--play-line)",
        slider_color="var(--play-accent)",
        slider_color_dark="var(--play-accent)",
        panel_border_width="0px",
    )


def head() -> str:
    """Return what the page loads at once: style sheets and, early, modules of the first tab."""
    web = f"gradio_api/play/web/v-{version()}"
    about = {tab.KEY: _about(tab) for tab in TABS}
    links = [f'<link rel="stylesheet" href="{web}/{sheet}">' for sheet in STYLES]
    return "\n".join([*links, OPENING % (json.dumps(about), web)])


def _about(tab: ModuleType) -> dict[str, list[str]]:
    """Return what the page has to know of a tab before anything of it is there."""
    of_page = needed(["status", "page"])
    own = [f for f in needed([*tab.VIEWS, f"tab_{tab.KEY}"]) if f not in of_page]
    return {
        "models": list(tab.MODELS),
        "styles": list(tab.STYLES),
        "modules": [*of_page, *(f"t-{tab.KEY}/{name}" for name in own)],
    }


def build(service: Service) -> gr.Blocks:
    """Build the page for a service: its models, data sets and checkpoints."""
    catalogue = service.describe()
    with gr.Blocks(
        title=t("shell.title"),
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(600, 3600),
    ) as demo:
        live("status", title=t("shell.title"), tagline=t("shell.tagline"))
        if getattr(service, "room", None):
            live("room")
        zerogpu.mount(service)
        with gr.Tabs(elem_id="play-tabs", selected=TABS[0].KEY):
            for tab in TABS:
                key = tab.KEY
                with gr.Tab(t(f"shell.tab_{key}"), id=key, elem_id=f"play-tab-{key}") as place:
                    tab.build(tabs.seen(catalogue, tab.MODELS))
                place.select(fn=None, js=SHOW % json.dumps(key), show_progress="hidden")
        public_api.publish(service)
    return demo
