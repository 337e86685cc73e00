"""The picture that a view is asked about: the person's own, or one of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.data.base import DOMAIN_CHANNELS
from engine.data.reading import read_data_url
from engine.errors import Rejected
from engine.latent import read_int
from engine.tensors import DataView, Images
from engine.translation import Direction, to_unit

T = TypeVar("T", bound=str)
CORNERS = 64  # pictures whose corners tell what the ground of a domain is
MOST_NUMBERS = 2**25  # of a split among which the true partner's rank is looked for


@dataclass(frozen=True)
class Given:
    """A picture to be translated, its true partner where it is known, and what to say of it."""

    image: Image.Image
    truth: Image.Image | None = None
    notes: list[str] = field(default_factory=list)
    targets: Tensor | None = None  # uint8 (N, 3, H, W), when a true partner is among them
    place: int = 0  # of the true partner


def read_given(
    data: DataView, picture: Any, index: Any, split: Any, way: Direction, side_px: int
) -> Given:
    """Read a data URL, reduced to `side_px` a side, or take the picture at `index` of a split.

    A picture goes before an index. Raises `Rejected` or `DataError`, each with a sentence.
    """
    if picture is not None:
        return given_picture(read_data_url(picture, side_px))
    if index is None:
        raise Rejected("A picture is needed, or the index of one of the data.", field="picture")
    images = part_of(data, split)
    place = read_int(index, 0, len(images) - 1, "index")
    rows = cast(Tensor, images.pixels).split(DOMAIN_CHANNELS, 1)
    of_picture, of_partner = rows if way == "a2b" else rows[::-1]
    image = to_image(of_picture[place])
    if not data.dataset.paired:
        return Given(image)
    few = of_partner.numel() <= MOST_NUMBERS
    return Given(image, to_image(of_partner[place]), [], of_partner if few else None, place)


def rank_of(made: Tensor, given: Given) -> int | None:
    """Return the rank of the true partner among the targets, 1 for the nearest, by pixels.

    The distance is the Euclidean one, as `engine.translation_measures` takes it.
    """
    if given.targets is None:
        return None
    shown = (to_unit(made.float()) * 255).flatten(1)  # 1, P
    apart = torch.cat(
        [(part.flatten(1) - shown).square().sum(1) for part in given.targets.split(64)]
    )
    return 1 + int((apart < apart[given.place]).sum())


def to_image(pixels: Tensor) -> Image.Image:
    """Return uint8 (3, H, W) as a picture."""
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().cpu().numpy())


def given_picture(image: Image.Image) -> Given:
    """Return a picture that `engine.data.reading` has read, with what was done to it."""
    notes = list(image.info.get("notes", ()))
    width, height = image.info.get("size", image.size)
    if (width, height) != image.size:
        notes.append(
            f"The picture has {width} × {height} px; it is used at {image.width} × {image.height}."
        )
    if image.mode == "RGBA" and np.asarray(image.getchannel("A")).min() == 255:
        image = image.convert("RGB")
    return Given(image, None, notes)


def lies_on_white(data: DataView, way: Direction) -> bool:
    """Return whether the pictures that are to be translated lie on white."""
    pixels = data.test.pixels[slice(0, CORNERS)]
    given = pixels[:, :3] if way == "a2b" else pixels[:, 3:]
    corners = given[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    return bool((corners >= 250).float().mean() > 0.5)


def part_of(data: DataView, split: Any) -> Images:
    """Return the split of this name, or raise `Rejected`."""
    return data.test if read_choice(split, ("test", "train"), "split") == "test" else data.train


def read_choice(value: Any, known: tuple[T, ...], name: str) -> T:
    """Read one of several words, or raise `Rejected`."""
    found = next((word for word in known if word == value), None)
    if found is None:
        listed = " or ".join(known)
        raise Rejected(f"{name} must be {listed}; got {value!r:.40}.", field=name)
    return found


def other(way: Direction) -> Direction:
    """Return the way back."""
    return "b2a" if way == "a2b" else "a2b"
