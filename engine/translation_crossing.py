"""One picture crosses over and comes back: the person's own, or one of the data.

All differences are mean absolute ones on a scale of 0 to 1, over the picture alone without
what a letterbox adds; the training metrics are on [-1, 1], twice as large.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from engine.data.reading import KEPT_SIDE_PX
from engine.errors import Rejected
from engine.learner import preview
from engine.payloads import Payload, Views
from engine.tensors import DataView
from engine.translation import DIRECTIONS, Direction, looks_real
from engine.translation_bands import bytes_a_pixel, translate_banded
from engine.translation_given import Given, lies_on_white, other, rank_of, read_choice, read_given
from engine.translation_layers import patches_along, sight, work_a_pixel
from engine.translation_marks import coarse, colours, heat, overlay, residual, scale_of
from engine.translation_networks import ResNetGenerator
from engine.translation_pictures import (
    FITS,
    MOST_SIDE_PX,
    Canvas,
    Fit,
    as_tensor,
    kept,
    letterboxed,
    lossless,
    shown,
    tiled,
    to_pixels,
)

if TYPE_CHECKING:
    from engine.configs.translation import TranslatorConfig
    from engine.tensors import DataSpec

SAID = {"a2b": "A to B", "b2a": "B to A"}
WHOLE_PIXELS = 2**18  # up to which the network takes a picture at once
MEMORY = 1.1e9  # bytes for what lies between two layers
MOST_WORK = 4e11  # multiplications for one answer on a CPU: 20 s of an idle core; from experience
GPU_FACTOR = 50  # as much more on a GPU
WHILE_TRAINING = 1 / 8  # as much less while a run stands still for the answer


class CrossingViews:
    """Views of one picture; a translator gives networks, config and device."""

    patient: bool = False  # whether someone waits at a terminal, however long it takes
    lacking: frozenset[str] = frozenset()  # of "a2b", "b2a", "judges": not in an imported file

    if TYPE_CHECKING:
        config: TranslatorConfig
        spec: DataSpec
        device: torch.device
        generators: nn.ModuleDict
        discriminators: nn.ModuleDict
        next_batch: Any

    # ------------------------------------------------------------------ views

    @preview
    def view_translate(
        self,
        data: DataView,
        picture: str | None = None,
        index: int | None = None,
        split: Literal["test", "train"] = "test",
        direction: Direction = "a2b",
        fit: Fit = "letterbox",
        detail: bool = True,
        full: bool = False,
    ) -> Views:
        """Return a picture's translation, and with `detail` the way back and what D says.

        The picture is a data URL, or the one at `index` of a split. All items have its own
        shape, at most 1024 px a side; with `full` there is the translation alone, at up to
        4096 px a side.
        """
        way, fit = read_choice(direction, DIRECTIONS, "direction"), read_choice(fit, FITS, "fit")
        self.demand(way)
        given = read_given(data, picture, index, split, way, MOST_SIDE_PX if full else KEPT_SIDE_PX)
        detail = bool(detail) and not full
        canvas = self.canvas_of(data, given, way, fit, passes=3 if detail else 1)
        began = time.perf_counter()
        made = self.crossed(canvas.pixels, way)
        pixels = to_pixels(made)
        took_s = time.perf_counter() - began
        values: dict[str, Any] = self._facts(data, given, canvas, way, fit)
        values["ms"] = round(1000 * took_s, 1)
        output = canvas.returned(pixels)
        items: dict[str, Payload] = {
            "output": (kept if full else shown)(output, "the picture in the other domain")
        }
        if not full:
            items["input"] = shown(
                canvas.returned(canvas.pixels), "the picture as the model sees it"
            )
        if given.truth is not None:
            items["truth"] = lossless(given.truth, "the true partner")
            truth = as_tensor(np.asarray(given.truth), self.device)
            values["truth_l1"] = float(residual(made, truth).mean())
            values["truth_rank"] = rank_of(made, given)
            values["truth_of"] = None if given.targets is None else len(given.targets)
        answer = Views(items, values)
        if detail:
            self._way_back(answer, canvas, made, way)
            self._verdict(answer, canvas, made, way)
        return answer

    # ------------------------------------------------------------------ parts of views

    @property
    def side(self) -> int:
        """Return the side of the pictures that the model is trained on, in pixels."""
        return int(self.spec.shape[-1])

    def _facts(
        self, data: DataView, given: Given, canvas: Canvas, way: Direction, fit: str
    ) -> dict[str, Any]:
        return {
            "width": given.image.width,
            "height": given.image.height,
            "side": self.side,
            "worked_width": canvas.box[2],
            "worked_height": canvas.box[3],
            "fit": fit,
            "direction": way,
            "domains": list(data.dataset.domains),
            "paired": data.dataset.paired,
            "notes": given.notes,
        }

    def demand(self, *ways: Direction) -> None:
        """Raise `Rejected` when an imported file has no weights for one of these directions."""
        for way in ways:
            if way in self.lacking:
                sentence = f"This file holds one direction only: it has no weights for {SAID[way]}."
                raise Rejected(sentence, field="direction")

    def _way_back(self, answer: Views, canvas: Canvas, made: Tensor, way: Direction) -> None:
        """Add the way back, its residual and the identity picture."""
        items, values = answer.items, answer.values
        if other(way) in self.lacking:
            values["notes"].append(
                "This file holds one direction only: no way back and no identity picture."
            )
            return
        x, made = canvas.tensor(self.device), made.float()
        back, same = self.crossed(made, other(way)), self.crossed(x, other(way))
        off = residual(back, x)
        inner = canvas.inner(off)
        top = scale_of(inner)
        items["cycle"] = shown(canvas.returned(to_pixels(back)), "there and back again")
        items["identity"] = shown(canvas.returned(to_pixels(same)), "the identity picture")
        items["residual"] = heat_map(canvas, off, top, "how far the way back is from the picture")
        values |= {
            "cycle_l1": float(inner.mean()),
            "identity_l1": float(canvas.inner(residual(same, x)).mean()),
            "residual_max": float(inner.max()),
            "residual_scale": top,
            "residual_colours": colours(),
        }

    def _verdict(self, answer: Views, canvas: Canvas, made: Tensor, way: Direction) -> None:
        """Add what D says of each patch of the translation."""
        items, values = answer.items, answer.values
        if "judges" in self.lacking:
            values["notes"].append(
                "These weights were imported without a discriminator: there is no patch map."
            )
            return
        x, made = canvas.tensor(self.device), made.float()
        judge = self.discriminators[way[-1]]
        sees = sight(judge)
        height, width = x.shape[2:]
        if min(patches_along(judge, height), patches_along(judge, width)) < 1:
            values["notes"].append(f"D judges patches of {sees.size} px; the picture is too small.")
            return
        opinions = self._opinions(x, made, way)
        laid = overlay(opinions, sees, height, width)
        items["patches"] = lossless(canvas.returned(laid, keep_alpha=False), "what D says of it")
        values |= {
            "patches": coarse(opinions),
            "patch_mean": float(opinions.mean()),
            "patch_fake": float((opinions < 0.5).float().mean()),
            "patch_px": sees.size,
            "patch_stride": sees.stride,
            "patch_grid": list(opinions.shape),
        }

    def _opinions(self, given: Tensor, made: Tensor, way: Direction) -> Tensor:
        """Return D's opinion of each patch of a translation, (h, w) in [0, 1]; 1 is real."""
        judge = self.discriminators[way[-1]]
        judged = next(layer for layer in judge.modules() if isinstance(layer, nn.Conv2d))
        pair = judged.in_channels == 2 * made.shape[1]
        logits = judge(torch.cat([given, made], 1) if pair else made)
        return torch.nan_to_num(looks_real(self.config.loss, logits))[0, 0]

    def crossed(self, picture: Tensor | np.ndarray, way: Direction) -> Tensor:
        """Return the translation (1, 3, H, W) in [-1, 1] of the same, or of uint8 H x W x 3."""
        network = self.generators[way]
        height, width = picture.shape[-2:] if isinstance(picture, Tensor) else picture.shape[:2]
        if isinstance(network, ResNetGenerator) and height * width > WHOLE_PIXELS:
            made = translate_banded(network, picture)
            return made.float() if height * width <= KEPT_SIDE_PX**2 else made
        if isinstance(picture, np.ndarray):
            picture = as_tensor(picture, self.device)
        found: Tensor = network(picture)
        return found

    def canvas_of(
        self, data: DataView, given: Given, way: Direction, fit: Fit, passes: int
    ) -> Canvas:
        """Fit a picture for the generator of one way; `passes` is how often it will be used."""
        if fit == "letterbox":
            return letterboxed(given.image, self.side, lies_on_white(data, way))
        multiple = int(self.generators[way].multiple)  # type: ignore[arg-type]
        canvas = tiled(given.image, multiple, self._room(way, passes))
        width, height = canvas.box[2:]
        if (width, height) != given.image.size:
            given.notes.append(
                f"The picture was translated at {width} × {height} px and enlarged again: more "
                "would take too long here, or too much memory."
            )
        return canvas

    def _room(self, way: Direction, passes: int) -> float:
        """Return how many pixels of a picture this generator can work on here."""
        network = self.generators[way]
        multiple, channels = int(network.multiple), self.config.generator_channels  # type: ignore[arg-type]
        banded = isinstance(network, ResNetGenerator)
        bytes_each = bytes_a_pixel(channels) if banded else 6 * channels + 36
        work = MOST_WORK * (GPU_FACTOR if self.device.type == "cuda" else 1)
        if self.next_batch is not None:
            work *= WHILE_TRAINING
        if self.patient:
            work = float("inf")
        return min(MEMORY / bytes_each, work / passes / work_a_pixel(network, multiple))


def heat_map(canvas: Canvas, values: Tensor, top: float, alt: str) -> Payload:
    """Return what was measured at each place of the canvas as a heat map over the picture."""
    return lossless(Image.fromarray(heat(canvas.fitted(values), top)), alt)
