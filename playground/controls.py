"""Gradio components from the description of hyperparameters that `Config.schema` gives."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import gradio as gr

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
    """Return the label with its unit."""
    return f"{field['label']} ({field['unit']})" if field["unit"] else field["label"]


def span(field: Field) -> str:
    """Return the allowed range in words, such as `1e-6 to 10`."""
    return f"{_short(field['minimum'])} to {_short(field['maximum'])}"


def _short(value: float) -> str:
    return f"{value:,.6g}".replace("e-0", "e-")


def build(fields: list[Field], values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Lay out the fields: the main ones open, the advanced ones in one fold a group.

    Returns the components by the names of their fields.
    """
    made: dict[str, Any] = {}

    def add(field: Field) -> None:
        made[field["name"]] = component(field, values.get(field["name"], field["default"]), prefix)

    for field in fields:
        if not field["advanced"]:
            add(field)
    folded = sorted((f for f in fields if f["advanced"]), key=lambda f: _order(fields, f["group"]))
    for group, members in groupby(folded, key=lambda f: f["group"]):
        with gr.Accordion(group, open=False, elem_classes=["play-fold"]):
            for field in members:
                add(field)
    return made


def _order(fields: list[Field], group: str) -> int:
    return next(i for i, f in enumerate(fields) if f["advanced"] and f["group"] == group)


def _is_slider(field: Field) -> bool:
    low, high, step = field["minimum"], field["maximum"], field["step"]
    if field["scale"] == "log" or None in (low, high, step):
        return False
    return (high - low) / step <= SLIDER_STOPS
