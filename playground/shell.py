"""The page: its look, its header, its tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from playground import public_api
from playground.live import live
from playground.strings import t
from playground.tabs import vae
from playground.web_files import WEB, version

if TYPE_CHECKING:
    from playground.service import Service

TABS = (vae,)
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
    """Return what the page loads at once: the style sheets and, early, the modules."""
    web = f"gradio_api/play/web/v-{version()}"
    sheets = sorted(WEB.glob("*.css"), key=lambda p: (p.name != "play.css", p.name))
    links = [f'<link rel="stylesheet" href="{web}/{sheet.name}">' for sheet in sheets]
    modules = sorted(p.name for p in WEB.glob("*.js"))
    links += [f'<link rel="modulepreload" href="{web}/{name}">' for name in modules]
    return "\n".join(links)


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
        with gr.Tabs(elem_id="play-tabs", selected=vae.KEY):
            for tab in TABS:
                tab.build(catalogue)
        public_api.publish(service)
    return demo
