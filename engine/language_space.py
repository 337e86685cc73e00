"""Where tokens and positions lie in a language model's space, drawn in two dimensions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.language_reading import Inspecting, nothing
from engine.learner import preview
from engine.payloads import Arrays
from engine.tensors import DataView
from engine.text_marks import kind_of

MOST_TOKENS = 2000
NEIGHBOURS = 5


class SpaceViews(Inspecting):
    """The view of embeddings."""

    @preview
    def view_embeddings(self, data: DataView) -> Arrays:
        """Return the most frequent tokens and the positions along their principal axes.

        ids int32 (N) by frequency; xy float32 (N, 2) with `explained`, the share of the variance
        of each axis; neighbours int32 (N, 5), places in the list, with similarity float32 (N, 5),
        the cosine of what differs from the mean token; positions float32 (T, 2) of learnt ones.
        """
        if self.family == "ngram":
            return nothing("An n-gram has no embeddings: a token is a number to it.")
        table: Any = self.network.embedding
        counts = torch.bincount(self.tokens(data)[0], minlength=len(table.weight))
        order = counts.argsort(descending=True, stable=True)[:MOST_TOKENS]
        rows = table.weight[order].float()
        xy, explained = principal(rows)
        near, similarity = nearest(rows)
        words = [self.token_text(int(i)) for i in order]
        arrays = {"ids": order, "xy": xy, "neighbours": near, "similarity": similarity}
        values: dict[str, Any] = {
            "pieces": words,
            "kinds": [kind_of(word) for word in words],
            "counts": counts[order].tolist(),
            "explained": explained,
            "total": len(table.weight),
            "positions_explained": None,
            "positions_note": self._without_positions(),
            "notes": [],
            "none": None,
        }
        places = getattr(self.network, "positions", None)
        if places is not None:
            arrays["positions"], values["positions_explained"] = principal(places.weight.float())
        whole = {n: x.int() if not x.is_floating_point() else x for n, x in arrays.items()}
        return Arrays({n: x.cpu().numpy() for n, x in whole.items()}, values)

    def _without_positions(self) -> str:
        """Say why no position has a vector; empty where they have."""
        kind = getattr(self.config, "positions", None)
        if kind is None:
            return "A recurrent network needs no positions: it reads one token after the other."
        if kind == "rotary":
            return "Rotary positions have no vectors: they turn queries and keys by the distance."
        return "" if kind == "learnt" else "This GPT has no positions."


def principal(rows: Tensor) -> tuple[Tensor, list[float]]:
    """Return rows (N, D) along their two principal axes (N, 2), and the share each explains."""
    moved = torch.nan_to_num(rows - rows.mean(0))
    spread, axes = torch.linalg.eigh((moved.T @ moved).double())
    spread, axes = spread.flip(0)[:2].clamp_min(0), axes.flip(1)[:, :2]
    largest = axes.abs().argmax(0, keepdim=True)
    axes = axes * axes.gather(0, largest).sign()  # the same way round each time
    total = float(moved.double().square().sum()) or 1.0
    return moved @ axes.to(moved.dtype), [float(s) / total for s in spread]


def nearest(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return places (N, 5) of the nearest other rows by cosine, nearest first, and the cosines."""
    turned = F.normalize(torch.nan_to_num(rows - rows.mean(0)), dim=1)
    likeness = (turned @ turned.T).fill_diagonal_(-2.0)
    found = likeness.topk(min(NEIGHBOURS, len(rows) - 1))
    return found.indices, found.values
