"""Gradio components from the description of hyperparameters that `Config.schema` gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import gradio as gr

from playground.strings import t

Field = dict[str, Any]
SLIDER_STOPS = 1100  # a slider with more stops than this can't be set exactly; a number can


def merged(schemas: Iterable[list[Field]]) -> list[Field]:
    """Return the fields of several models, each name once, in the order of first appearance."""
    fields: dict[str, Field] = {}
    for schema in schemas:
        for field in schema:
            fields.setdefault(field["name"], field)
    return list(fields.values())


def component(field: Field, value: Any, prefix: str) -> gr.components.Component:
    """Return the component of one hyperparameter, set to `value`."""
    common: dict[str, Any] = {
        "label": label(field),
        "info": field["help"],
        "value": value,
        "elem_id": f"{prefix}-{field['name']}",
        "elem_classes": ["play-field"],
        "interactive": True,
    }
    if field["kind"] == "bool":
        return gr.Checkbox(**common)
    if field["kind"] == "choice":
        choices = [(shown, choice) for choice, shown in field["choices"]]
        return gr.Dropdown(choices=choices, filterable=False, **common)
    if _is_slider(field):
        return gr.Slider(
            minimum=field["minimum"],
            maximum=field["maximum"],
            step=field["step"],
            buttons=[],
            **common,
        )
    common["info"] = f"{field['help']} ({span(field)})"
    # Bounds are checked by panel.js and by the server: Gradio's own check never sees them here.
    step = field["step"] or (field["default"] / 10 if field["scale"] == "log" else 1)
    return gr.Number(**common, step=step)


def label(field: Field) -> str:
    """Return the label with its unit, unless its own words name it."""
    unit = field["unit"]
    named = not unit or unit.lower() in field["label"].lower().split()
    return field["label"] if named else f"{field['label']} ({unit})"


def span(field: Field) -> str:
    """Return the allowed range in words, such as `1e-6 to 10`."""
    return f"{_short(field['minimum'])} to {_short(field['maximum'])}"


def _short(value: float) -> str:
    return f"{value:,.6g}".replace("e-0", "e-")


def build(fields: list[Field], values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Lay out the fields: those without a group open, the others in one fold a group.

    Groups that hold more than advanced fields come first. Returns the components by the names of
    their fields.
    """
    made: dict[str, Any] = {}

    def add(field: Field) -> None:
        made[field["name"]] = component(field, values.get(field["name"], field["default"]), prefix)

    for field in fields:
        if not _folded(field):
            add(field)
    for group, members in _groups(fields).items():
        name = f"{prefix}-fold-{slug(group)}"
        with gr.Accordion(group, open=False, elem_id=name, elem_classes=["play-fold"]):
            for field in members:
                add(field)
    return made


def slug(group: str) -> str:
    """Return a group's name as a part of an id, as `slug` in web/panel_fields.js does."""
    return re.sub(r"[^a-z0-9]+", "-", group.lower())


def _folded(field: Field) -> bool:
    return bool(field["group"] or field["advanced"])


def _groups(fields: list[Field]) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for field in fields:
        if _folded(field):
            found.setdefault(field["group"] or t("panel.more"), []).append(field)
    return dict(sorted(found.items(), key=lambda item: all(f["advanced"] for f in item[1])))


def _is_slider(field: Field) -> bool:
    low, high, step = field["minimum"], field["maximum"], field["step"]
    if field["scale"] == "log" or None in (low, high, step):
        return False
    return (high - low) / step <= SLIDER_STOPS
