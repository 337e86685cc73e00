"""Units that tell a property of the text: found on held-out text, not known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.language_reading import NO_TEXT, Inspecting, nothing
from engine.learner import preview
from engine.payloads import Arrays
from engine.tensors import DataView
from engine.text_marks import PROPERTIES, best_units, ends_of, tells

PROBED_TOKENS = 4096
PROBED_WORK = 2e10  # parameters times tokens; the least is read whatever it costs
STRETCH = 512  # tokens that a recurrent network reads in one go
ATTENDED_TOKENS = 1024  # that a transformer reads in one go: its attention takes room
MOST_NUMBERS = 2**24  # activities that are held: 64 MB
LEAST = 64
NO_UNITS = "An n-gram has no units: it only counts."


class CellViews(Inspecting):
    """The view of what single units tell."""

    @preview
    def view_cells(self, data: DataView) -> Arrays:
        """Return for each property of a text the unit that tells it best, best first.

        The unit is chosen by correlation on one half of a held-out text, and told with the
        correlation on the other. `together` is that of a ridge regression on all units of its
        layer. `absent` are properties that the text lacks.
        """
        if self.family == "ngram":
            return nothing(NO_UNITS)
        wanted = self.affordable(PROBED_TOKENS, PROBED_WORK, LEAST)
        ids = self.tokens(data)[1][:wanted]
        if len(ids) < LEAST:
            return nothing(NO_TEXT)
        length = min(self.context if self.family == "gpt" else STRETCH, STRETCH, len(ids))
        names, groups = self._units(ids[: len(ids) // length * length].view(-1, length))
        ids = ids[: len(groups[0])]
        pieces = self.tokenizer.pieces(ids.tolist())
        cells, absent = _told("".join(pieces), ends_of(pieces), groups, names)
        values = {"cells": cells, "absent": absent, "tokens": len(ids), "notes": [], "none": None}
        return Arrays({}, values)

    def _units(self, rows: Tensor) -> tuple[list[tuple[str, int]], list[np.ndarray]]:
        """Return kind and layer of all units, and their activity (N, U), for rows (B, T).

        N is B T, or less when there are very many units.
        """
        at_once = ATTENDED_TOKENS if self.family == "gpt" else rows.numel()
        parts: list[dict[tuple[str, int], Tensor]] = []
        held = 0
        for some in rows.split(max(1, at_once // rows.shape[1])):
            kinds = self.unit_kinds(self.inspected(some)[1])
            parts.append(
                {(k, i): x.flatten(0, 1) for k, xs in kinds.items() for i, x in enumerate(xs)}
            )
            held += sum(x.numel() for x in parts[-1].values())
            if held >= MOST_NUMBERS:
                break
        groups = [torch.cat([part[name] for part in parts]) for name in parts[0]]
        return list(parts[0]), [x.float().nan_to_num().cpu().numpy() for x in groups]

    def unit_kinds(self, inside: dict[str, Any]) -> dict[str, list[Tensor]]:
        """Return the kinds of units that a network has, each a list of layers (B, T, U)."""
        kinds = {"hidden": "activity", "cell": "cells", "residual": "hidden", "mlp": "mlp"}
        return {kind: inside[key] for kind, key in kinds.items() if inside.get(key)}


def _told(
    text: str, ends: np.ndarray, groups: list[np.ndarray], names: list[tuple[str, int]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the best unit for each property of the text at `ends`, and what it lacks."""
    measured = {name: measure(text)[ends] for name, measure in PROPERTIES.items()}
    present = {name: values for name, values in measured.items() if tells(values)}
    absent = [name for name in measured if name not in present]
    if not present:
        return [], absent
    found = best_units(groups, np.stack(list(present.values()), 1))
    cells: list[dict[str, Any]] = [
        {
            "property": name,
            "kind": names[cell.group][0],
            "layer": names[cell.group][1],
            "unit": cell.unit,
            "correlation": round(cell.correlation, 4),
            "together": None if cell.together is None else round(cell.together, 4),
        }
        for name, cell in zip(present, found, strict=True)
    ]
    return sorted(cells, key=lambda c: -abs(c["correlation"])), absent
