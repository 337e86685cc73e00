"""How far back a language model reaches: gradients by distance, loss by how much it has seen."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.language_reading import NO_TEXT, Inspecting, nothing
from engine.learner import preview
from engine.payloads import Arrays
from engine.tensors import DataView
from engine.text_marks import kind_of

WINDOWS = 16
MOST_BACK = 256
JUDGED_TOKENS = 32_768
WORK = 1e10  # parameters times tokens: about a second on one core
LEAST_TOKENS = 1024
BATCH_TOKENS = 4096  # judged at once


class ReachViews(Inspecting):
    """The views of how far a model looks back."""

    @preview
    def view_gradients(self, data: DataView) -> Arrays:
        """Return |d loss of the last prediction / d embedding k tokens before it|, float32 (T).

        norm[k] is the mean over held-out windows of T tokens; spread float32 (T) its standard
        deviation over them. `reach` is how many tokens back 90 % of the summed norm lie.
        """
        if self.family == "ngram":
            return nothing("An n-gram has no gradients: it counts, and sees its last tokens only.")
        length = min(self.context, MOST_BACK, max(1, len(self.tokens(data)[1]) - 1))
        tokens = self.affordable(WINDOWS * (length + 1), WORK / 2, length + 1)
        rows = self.held_out(data, length + 1, tokens)
        if not len(rows):
            return nothing(NO_TEXT)
        norms = self._gradients(rows).flip(1)  # B, T: by distance
        mean = norms.mean(0)
        part = mean.cumsum(0) / mean.sum().clamp_min(1e-30)
        values = {
            "windows": len(rows),
            "context": self.context,
            "reach": int((part < 0.9).sum()) + 1,
            "notes": [],
            "none": None,
        }
        arrays = {"norm": mean, "spread": norms.std(0, correction=0)}
        return Arrays({n: x.float().cpu().numpy() for n, x in arrays.items()}, values)

    def _gradients(self, rows: Tensor) -> Tensor:
        """Return gradient norms (B, T) of the loss of each row's last token (B, T + 1)."""
        leaves: list[Tensor] = []

        def caught(module: Any, given: Any, made: Tensor) -> Tensor:
            leaves.append(made.detach().requires_grad_())
            return leaves[-1]

        embedding: Any = self.network.embedding
        hook = embedding.register_forward_hook(caught)
        try:
            # cuDNN's recurrent kernels have no backward pass in eval mode
            with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
                last = self.network(rows[:, :-1])[:, -1]
                loss = F.cross_entropy(last.float(), rows[:, -1], reduction="sum")
                (found,) = torch.autograd.grad(loss, leaves)  # B, T, D
        finally:
            hook.remove()
        return torch.linalg.vector_norm(found, dim=-1)

    @preview
    def view_context(self, data: DataView) -> Arrays:
        """Return validation nats of a token by how many tokens were seen of its window.

        loss float32 (T): after 1, 2 … T tokens; error float32 (T), its standard error. `bins` are
        doubling stretches of it, `kinds` the nats by what the token is, with its share.
        """
        length = min(self.context, MOST_BACK, max(1, len(self.tokens(data)[1]) - 1))
        tokens = self.affordable(JUDGED_TOKENS, WORK, LEAST_TOKENS)
        rows = self.held_out(data, length + 1, tokens)
        if not len(rows):
            return nothing(NO_TEXT)
        parts = rows.split(max(1, BATCH_TOKENS // length))
        nats = torch.cat([self.token_nats(x) for x in parts]).double().cpu()  # B, T
        possible = nats.isfinite()
        lost = nats.numel() - int(possible.sum())
        if lost == nats.numel():
            return nothing("These weights give no finite loss for any token.")
        nats = nats.where(possible, torch.nan)
        mean, error = told(nats)
        values = {
            "windows": len(rows),
            "mean": float(nats.nanmean()),
            "bins": doubling(nats),
            "kinds": self._by_kind(rows[:, 1:].cpu()[possible], nats[possible]),
            "notes": [f"Left out: {lost} tokens that the model holds for impossible."]
            if lost
            else [],
            "none": None,
        }
        return Arrays({"loss": mean.float().numpy(), "error": error.float().numpy()}, values)

    def _by_kind(self, tokens: Tensor, nats: Tensor) -> list[dict[str, Any]]:
        """Return nats of tokens (N) by their kind, hardest first."""
        distinct, place = tokens.unique(return_inverse=True)
        kinds = [kind_of(self.token_text(int(i))) for i in distinct]
        names = sorted(set(kinds))
        of_token = torch.tensor([names.index(k) for k in kinds])[place]
        count = torch.bincount(of_token, minlength=len(names))
        total = torch.bincount(of_token, nats, len(names))
        found = [
            {"kind": name, "nats": float(t / n), "share": float(n / tokens.numel())}
            for name, t, n in zip(names, total, count, strict=True)
        ]
        return sorted(found, key=lambda k: -k["nats"])


def told(nats: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of nats (B, T) over B and its standard error, without what is NaN."""
    mean = nats.nanmean(0)
    count = (~nats.isnan()).sum(0).clamp_min(1)
    return mean, ((nats - mean).square().nanmean(0) / count).sqrt()


def doubling(nats: Tensor) -> list[dict[str, Any]]:
    """Return the mean of nats (B, T) after 1, 2, 3-4, 5-8 … tokens, with its standard error."""
    found = []
    start, end = 0, 1
    while start < nats.shape[1]:
        end = min(end, nats.shape[1])
        mean, error = told(nats[:, start:end].nanmean(1))
        found.append({"from": start + 1, "to": end, "nats": float(mean), "error": float(error)})
        start, end = end, 2 * end
    return found
