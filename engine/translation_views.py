"""Views of both translators: sheets of pictures that cross over, the pool, the networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.data.reading import read_data_url
from engine.errors import Rejected
from engine.latent import read_int
from engine.learner import preview
from engine.payloads import Payload, Sheet, Views, sheet
from engine.rng import MAX_SEED
from engine.tensors import DataView
from engine.translation import DIRECTIONS, ImagePool, domains, to_unit
from engine.translation_given import given_picture, lies_on_white, part_of
from engine.translation_hidden import HiddenViews
from engine.translation_layers import describe, patches_along, sight
from engine.translation_pictures import letterboxed

if TYPE_CHECKING:
    from torch import nn

LIVE_COUNT = 8  # pictures of each domain
MOST_SHOWN = 48
THUMBNAIL_PX = 64
POOL_COLUMNS = 10
LOOKED_AT = frozenset(("picture", "index", "split", "direction"))


class TranslationViews(HiddenViews):
    """What a translator can show."""

    if TYPE_CHECKING:
        look: dict[str, Any]

        def translate(self, pictures: Tensor, direction: str) -> Tensor:
            """Return pictures in [-1, 1] in the other domain."""

        def evaluating(self) -> Any:
            """Return a context in eval mode."""

    # ------------------------------------------------------------------ live

    def draw_live(self, name: str, tick: int, data: DataView) -> Payload:
        """Draw held-out pictures of both domains, their translations, and the ways back.

        `look` may give {"picture"} or {"index", "split"}: that one then comes first.
        """
        with self.evaluating():
            return self._sheet(data, self._own(data, self.look.get("translations", {})))

    def draw_kept(self, data: DataView) -> dict[str, Payload]:
        """Draw what the timeline keeps: the held-out pictures alone."""
        with self.evaluating():
            return {"translations": self._sheet(data)}

    def _own(self, data: DataView, args: dict[str, Any]) -> tuple[Tensor, Tensor] | None:
        """Return what a person looks at, as A and as B, each (1, 3, H, W)."""
        unknown = set(args) - LOOKED_AT
        if unknown:
            known = ", ".join(sorted(LOOKED_AT))
            raise Rejected(f"The live translations take {known}, not {min(unknown):.40}.")
        if args.get("picture") is not None:
            kept = self.look.get("looked_at")
            if kept is None or kept[0] != args["picture"]:
                image = given_picture(read_data_url(args["picture"])).image
                both = [letterboxed(image, self.side, lies_on_white(data, w)) for w in DIRECTIONS]
                kept = (args["picture"], [canvas.tensor(self.device) for canvas in both])
                self.look["looked_at"] = kept
            a, b = kept[1]
            return a, b
        if args.get("index") is None:
            return None
        images = part_of(data, args.get("split", "test"))
        index = read_int(args["index"], 0, len(images) - 1, "index")
        return domains(images.batch(slice(index, index + 1)))

    def _sheet(self, data: DataView, own: tuple[Tensor, Tensor] | None = None) -> Sheet:
        """Draw rows A, G(A), F(G(A)), B, F(B), G(F(B)), G(B), F(A)."""
        a, b = domains(data.test.batch(slice(0, LIVE_COUNT)))
        if own is not None:
            a, b = torch.cat([own[0], a]), torch.cat([own[1], b])
        fake_b, same_b = self.translate(torch.cat([a, b]), "a2b").split(len(a))
        fake_a, same_a = self.translate(torch.cat([b, a]), "b2a").split(len(a))
        back_a, back_b = self.translate(fake_b, "b2a"), self.translate(fake_a, "a2b")
        rows = [a, fake_b, back_a, b, fake_a, back_b, same_b, same_a]
        alt = "A, its translation and the way back; B likewise; the identity pictures of B and A"
        return sheet(to_tiles(torch.cat(rows)), len(a), quality=90, alt=alt)

    # ------------------------------------------------------------------ views

    @preview
    def view_translations(self, data: DataView) -> Views:
        """Return the live sheet: held-out pictures of both domains and all that becomes of them."""
        return Views({"sheet": self._sheet(data)}, {"domains": list(data.dataset.domains)})

    @preview
    def view_examples(
        self,
        data: DataView,
        count: int = 24,
        split: Literal["test", "train"] = "test",
        seed: int = 0,
    ) -> Views:
        """Return thumbnails of both domains to choose from; `indices` are their places."""
        images = part_of(data, split)
        count = min(read_int(count, 1, MOST_SHOWN, "count"), len(images))
        source = torch.Generator().manual_seed(read_int(seed, 0, MAX_SEED, "seed"))
        chosen = torch.randperm(len(images), generator=source)[:count]
        rows = images.batch(chosen.to(images.labels.device))
        if rows.shape[-1] > THUMBNAIL_PX:
            rows = F.interpolate(rows, THUMBNAIL_PX, mode="bilinear", antialias=True)
        names = data.dataset.domains
        items: dict[str, Payload] = {}
        if not self.lacking:  # an imported file comes without pictures
            items = {
                key: sheet(to_tiles(x), min(count, 12), quality=90, alt=f"pictures of {name}")
                for key, name, x in zip("ab", names, domains(rows), strict=True)
            }
        values = {
            "indices": chosen.tolist(),
            "split": split,
            "total": len(images),
            "domains": list(names),
            "paired": data.dataset.paired,
        }
        return Views(items, values)

    @preview
    def view_pairs(self, data: DataView, start: int = 0, count: int = 12) -> Views:
        """Return held-out pictures with their translations, and the true partners, a pair a row.

        The columns are A, G(A), true B, B, F(B), true A; without pairs the ways back stand for
        the partners. `l1` are mean absolute differences to the partner on a scale of 0 to 1.
        """
        total = len(data.test)
        start = read_int(start, 0, total - 1, "start")
        end = min(total, start + read_int(count, 1, MOST_SHOWN, "count"))
        a, b = domains(data.test.batch(slice(start, end)))
        fake_b, fake_a = self.translate(a, "a2b"), self.translate(b, "b2a")
        values: dict[str, Any] = {
            "indices": list(range(start, end)),
            "total": total,
            "domains": list(data.dataset.domains),
            "paired": data.dataset.paired,
        }
        if data.dataset.paired:
            columns = [a, fake_b, b, b, fake_a, a]
            values["columns"] = ["a", "a2b", "true_b", "b", "b2a", "true_a"]
            values["l1"] = {"a2b": l1_each(fake_b, b), "b2a": l1_each(fake_a, a)}
            values["l1_identity"] = {"both": l1_each(a, b)}
        else:
            ways = self.translate(fake_b, "b2a"), self.translate(fake_a, "a2b")
            columns = [a, fake_b, ways[0], b, fake_a, ways[1]]
            values["columns"] = ["a", "a2b", "back_a", "b", "b2a", "back_b"]
        tiles = to_tiles(torch.stack(columns, 1).flatten(0, 1))
        alt = "held-out pictures, their translations and the true partners"
        return Views({"sheet": sheet(tiles, len(columns), quality=90, alt=alt)}, values)

    @preview
    def view_pool(self, data: DataView) -> Views:
        """Return the earlier translations that the discriminators are shown again."""
        pools: dict[str, ImagePool] = getattr(self, "pools", {})
        items: dict[str, Payload] = {}
        filled = {}
        for name, pool in pools.items():
            domain = name[-1]
            count = filled[domain] = int(pool.filled)
            if count:
                tiles = pool.pictures[:count].contiguous().cpu().numpy()
                alt = f"{count} earlier translations that D of {domain.upper()} is shown"
                items[domain] = sheet(tiles, POOL_COLUMNS, quality=85, alt=alt)
        size = max((pool.size for pool in pools.values()), default=0)
        values = {"size": size, "filled": filled, "note": _pool_note(bool(pools), size, filled)}
        return Views(items, values)

    @preview
    def view_architecture(self, data: DataView) -> Views:
        """Return every layer of a generator and a discriminator, with the sizes of its output."""
        maker = self.generators["b2a" if "a2b" in self.lacking else "a2b"]
        judge = self.discriminators["b"]
        shown = (3, self.side, self.side)
        channels = _inputs(judge)
        sees, patches = sight(judge), patches_along(judge, self.side)
        values = {
            "generator": describe(maker, shown),
            "discriminator": describe(judge, (channels, self.side, self.side)),
            "generator_parameters": sum(p.numel() for p in maker.parameters()),
            "discriminator_parameters": sum(p.numel() for p in judge.parameters()),
            "shape": list(shown),
            "judged_channels": channels,
            "receptive_field": sees.size,
            "patch_stride": sees.stride,
            "patch_grid": [patches, patches],
        }
        return Views({}, values)


def to_tiles(x: Tensor) -> np.ndarray:
    """Return pictures (N, 3, H, W) of [-1, 1] as uint8, same shape."""
    scaled = to_unit(torch.nan_to_num(x)).mul(255).round()
    return scaled.to(torch.uint8).contiguous().cpu().numpy()


def l1_each(found: Tensor, wanted: Tensor) -> list[float]:
    """Return the mean absolute difference of each picture, of [-1, 1], on a scale of 0 to 1."""
    off = (found - wanted).abs().flatten(1).mean(1) / 2
    return [round(float(v), 5) for v in off]


def _inputs(judge: nn.Module) -> int:
    """Return how many channels a discriminator judges: a picture, or a pair of them."""
    first = next(judge.parameters())
    return int(first.shape[1])


def _pool_note(there: bool, size: int, filled: dict[str, int]) -> str:
    """Say in one sentence why there is nothing to see; empty when there is."""
    if not there:
        return "pix2pix has no pool: its discriminators are shown the newest translations only."
    if size == 0:
        return "The pool is switched off: the discriminators are shown the newest translations."
    if not any(filled.values()):
        return "The pool is empty: it is filled while a run trains, and saved models go without."
    return ""
