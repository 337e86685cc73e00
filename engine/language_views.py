"""What a language model does inside while it reads a text: attention, activity, logit lens."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.language_cells import NO_UNITS, CellViews
from engine.language_reach import ReachViews
from engine.language_reading import nothing
from engine.language_space import SpaceViews
from engine.latent import read_int
from engine.learner import preview
from engine.payloads import Arrays
from engine.tensors import DataView
from engine.translation_given import read_choice

MOST_ATTENDED = 128
LIKELIEST = 5
CLIPPED = 0.995  # of the values of a layer are shown in full; a few are far larger


class InsideViews(CellViews, ReachViews, SpaceViews):
    """The views of a text from inside the network."""

    @preview
    def view_attention(self, data: DataView, text: Any = None, tokens: Any = None) -> Arrays:
        """Return attention uint8 (L, H, T, T), 255 for 1: row t is where token t looks.

        `heads` says what each head does on this text (`habits`).
        """
        if self.family != "gpt" or not self.config.layers:
            return self.without(
                {
                    "gpt": "This GPT has no layers, so nothing attends to anything.",
                    "rnn": "A recurrent network has no attention: its units carry the past along.",
                    "ngram": "An n-gram has no attention: it counts what followed the last tokens.",
                }
            )
        seen = self.read(data, text, tokens, MOST_ATTENDED)
        weights = torch.cat(self.inspected(seen.ids)[1]["attention"]).nan_to_num()  # L, H, T, T
        shown = weights.mul(255).round().to(torch.uint8).cpu().numpy()
        return Arrays(
            {"attention": shown},
            {**seen.values, "heads": habits(weights, seen.ids[0]), "causal": self.config.causal},
        )

    @preview
    def view_activity(
        self,
        data: DataView,
        text: Any = None,
        tokens: Any = None,
        layer: int = -1,
        kind: str | None = None,
    ) -> Arrays:
        """Return what each unit of a layer says at each token, uint8 (T, U).

        128 is 0 and 127 steps are `scale`. `kind` is hidden or cell of a recurrent network,
        residual or mlp of a GPT; None for the first that there is.
        """
        if self.family == "ngram":
            return nothing(NO_UNITS)
        seen = self.read(data, text, tokens)
        found = self.unit_kinds(self.inspected(seen.ids)[1])
        known = tuple(found)
        kind = known[0] if kind is None else read_choice(kind, known, "kind")
        layers = found[kind]
        chosen = read_int(layer, -len(layers), len(layers) - 1, "layer") % len(layers)
        values = layers[chosen][0].float().nan_to_num()  # T, U
        scale = 1.0 if kind == "hidden" else size_of_most(values)
        steps = (values / scale).mul(127).round().clamp(-127, 127).add(128).to(torch.uint8)
        return Arrays(
            {"activity": steps.cpu().numpy()},
            {
                **seen.values,
                "kind": kind,
                "kinds": {name: len(of) for name, of in found.items()},
                "layer": chosen,
                "layers": len(layers),
                "scale": scale,
            },
        )

    @preview
    def view_lens(self, data: DataView, text: Any = None, tokens: Any = None) -> Arrays:
        """Return what the network would predict if it ended early, after each of S stages.

        Stage 0 is the embedding, then come the blocks. ids int32 and probability float32
        (S, T, 5), likeliest first; kl float32 (S, T), D_KL(end || stage) in nats; rank int32
        (S, T) of the true next token, 1 for the likeliest, 0 where the text ends.
        (nostalgebraist 2020, "interpreting GPT: the logit lens".)
        """
        if self.family != "gpt":
            return self.without(
                {
                    "rnn": "A recurrent network has no residual stream that could be read early.",
                    "ngram": "An n-gram has no layers that could be read early.",
                }
            )
        seen = self.read(data, text, tokens, MOST_ATTENDED)
        lens: Any = self.network.lens
        streams: list[Tensor] = self.inspected(seen.ids)[1]["hidden"]
        end = lens(streams[-1])[0].log_softmax(-1)  # T, V
        stages = [_stage(lens(x)[0].log_softmax(-1), end, seen.ids[0]) for x in streams]
        arrays = {name: np.stack([s[name] for s in stages]) for name in stages[0]}
        words = {int(i): self.token_text(int(i)) for i in np.unique(arrays["ids"])}
        return Arrays(arrays, {**seen.values, "vocabulary": words, "stages": len(streams)})


def habits(weights: Tensor, ids: Tensor) -> list[dict[str, Any]]:
    """Return what each head of (L, H, T, T) looks at, as shares of its attention.

    `self`, `previous` and `first` token; `same`: earlier tokens that are equal; `induction`: the
    token after an equal one (Olsson et al. 2022); `distance` in tokens. The first row, which
    has no choice, is left out.
    """
    t = len(ids)
    if t < 2:
        return []
    place = torch.arange(t, device=ids.device)
    back = place[:, None] - place  # T, T
    equal = (ids[:, None] == ids) & (back > 0)
    after = F.pad(equal[:, :-1], (1, 0)) & (back >= 0)
    masks = {
        "self": back == 0,
        "previous": back == 1,
        "first": (place == 0).expand(t, t),
        "same": equal,
        "induction": after,
        "distance": back.abs(),
    }
    shares = {n: (weights * m)[:, :, 1:].sum(-1).mean(-1) for n, m in masks.items()}  # L, H
    layers, heads = weights.shape[:2]
    return [
        {"layer": layer, "head": head, **{n: float(s[layer, head]) for n, s in shares.items()}}
        for layer in range(layers)
        for head in range(heads)
    ]


def size_of_most(values: Tensor) -> float:
    """Return the size that nearly all of the values stay below."""
    sizes = values.abs().flatten()
    place = min(len(sizes), 1 + int(CLIPPED * len(sizes)))
    found = float(sizes.kthvalue(place).values)
    return found if 0 < found < float("inf") else 1.0


def _stage(logs: Tensor, end: Tensor, ids: Tensor) -> dict[str, np.ndarray]:
    """Return the arrays of `view_lens` for log-probabilities (T, V) of one stage."""
    best, likely = logs.topk(min(LIKELIEST, logs.shape[-1]))
    kl = (end.exp() * (end - logs)).sum(-1).clamp_min(0)
    true = logs[:-1].gather(1, ids[1:, None])
    rank = F.pad(1 + (logs[:-1] > true).sum(-1), (0, 1))
    return {
        "ids": likely.int().cpu().numpy(),
        "probability": best.exp().float().cpu().numpy(),
        "kl": kl.float().cpu().numpy(),
        "rank": rank.int().cpu().numpy(),
    }
