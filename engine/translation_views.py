"""Views of both translators: what the page shows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.learner import preview
from engine.payloads import Payload, Sheet, Views, sheet
from engine.tensors import DataView
from engine.translation import domains, to_unit

if TYPE_CHECKING:
    from engine.configs.translation import TranslatorConfig

LIVE_COUNT = 8  # pictures of each domain


class TranslationViews:
    """What a translator can show."""

    if TYPE_CHECKING:
        config: TranslatorConfig
        device: torch.device
        look: dict[str, Any]

        def translate(self, pictures: Tensor, direction: str) -> Tensor: ...
        def evaluating(self) -> Any: ...

    # ------------------------------------------------------------------ live

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw held-out pictures of both domains, their translations, and the way back."""
        with self.evaluating():
            return self._sheet(data)

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps."""
        return {"translations": self.draw_live("translations", 0, data)}

    def _sheet(self, data: DataView) -> Sheet:
        a, b = domains(data.test.batch(slice(0, LIVE_COUNT)))
        fake_b, fake_a = self.translate(a, "a2b"), self.translate(b, "b2a")
        rows = [
            a,
            fake_b,
            self.translate(fake_b, "b2a"),
            b,
            fake_a,
            self.translate(fake_a, "a2b"),
        ]
        tiles = (to_unit(torch.cat(rows)) * 255).round().to(torch.uint8).cpu().numpy()
        alt = "A, its translation and the way back; B, its translation and the way back"
        return sheet(tiles, LIVE_COUNT, quality=90, alt=alt)

    # ------------------------------------------------------------------ views

    @preview
    def view_translations(self, data: DataView) -> Views:
        """Return held-out pictures of both domains, their translations, and the way back."""
        return Views({"sheet": self._sheet(data)}, {"domains": list(data.dataset.domains)})
