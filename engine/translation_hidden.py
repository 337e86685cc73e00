"""The steganography test: a translation that is changed a little, and what comes back of it.

A generator whose translation must lead back to the picture may hide the picture in what no one
sees (Chu et al. 2017, arXiv 1712.02950). Then noise or JPEG destroys the way back.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.data.reading import KEPT_SIDE_PX
from engine.dcgan_views import read_number
from engine.latent import read_int
from engine.learner import preview
from engine.payloads import Payload, Views
from engine.tensors import DataView
from engine.translation import DIRECTIONS, Direction
from engine.translation_crossing import CrossingViews, heat_map
from engine.translation_given import other, read_choice, read_given
from engine.translation_marks import colours, residual, scale_of
from engine.translation_pictures import as_tensor, shown, to_pixels

NOISE_SD, JPEG_QUALITY = 2.0, 75  # when no amount is given


class HiddenViews(CrossingViews):
    """The view of what a translation hides."""

    @preview
    def view_hidden(
        self,
        data: DataView,
        picture: str | None = None,
        index: int | None = None,
        split: Literal["test", "train"] = "test",
        direction: Direction = "a2b",
        kind: Literal["noise", "jpeg"] = "noise",
        amount: float | None = None,
    ) -> Views:
        """Return the way back from a translation as it is, and from one changed a little.

        `amount` is the noise's standard deviation on a scale of 0 to 255, or JPEG's quality.
        """
        way = read_choice(direction, DIRECTIONS, "direction")
        if read_choice(kind, ("noise", "jpeg"), "kind") == "noise":
            amount = read_number(NOISE_SD if amount is None else amount, 0, 64, "amount")
        else:
            amount = read_int(JPEG_QUALITY if amount is None else amount, 1, 100, "amount")
        self.demand(way, other(way))
        given = read_given(data, picture, index, split, way, KEPT_SIDE_PX)
        canvas = self.canvas_of(data, given, way, "letterbox", passes=3)
        x = canvas.tensor(self.device)
        made = self.crossed(x, way)
        changed = with_noise(made, amount) if kind == "noise" else through_jpeg(made, int(amount))
        back = {
            "before": self.crossed(made, other(way)),
            "after": self.crossed(changed, other(way)),
        }
        off = {name: residual(y, x) for name, y in back.items()}
        l1 = {name: float(canvas.inner(value).mean()) for name, value in off.items()}
        top = scale_of(*(canvas.inner(value) for value in off.values()))
        items: dict[str, Payload] = {
            "input": shown(canvas.returned(canvas.pixels), "the picture as the model sees it"),
            "translation": shown(canvas.returned(to_pixels(made)), "its translation"),
            "changed": shown(
                canvas.returned(to_pixels(changed)), "the translation, changed a little"
            ),
        }
        for name in back:
            alt = f"the way back {name} the change"
            items[f"back_{name}"] = shown(canvas.returned(to_pixels(back[name])), alt)
            alt = f"how far it is from the picture, {name} the change"
            items[f"residual_{name}"] = heat_map(canvas, off[name], top, alt)
        values = {
            "cycle_l1_before": l1["before"],
            "cycle_l1_after": l1["after"],
            "ratio": l1["after"] / max(l1["before"], 1e-6),
            "change_l1": float(canvas.inner(residual(changed, made)).mean()),
            "residual_scale": top,
            "residual_colours": colours(),
            "kind": kind,
            "amount": amount,
            **self._facts(data, given, canvas, way, "letterbox"),
        }
        return Views(items, values)


def with_noise(made: Tensor, sd: float) -> Tensor:
    """Return a translation with noise of a standard deviation on a scale of 0 to 255."""
    source = torch.Generator().manual_seed(0)
    noise = torch.randn(made.shape, generator=source).to(made.device)
    return made + sd / 127.5 * noise


def through_jpeg(made: Tensor, quality: int) -> Tensor:
    """Return a translation as it comes out of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(to_pixels(made)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer, formats=["JPEG"]) as image:
        pixels = np.asarray(image.convert("RGB"))
    return as_tensor(pixels, made.device)
