"""A person's picture on its way into a translator, and back at the picture's own shape.

Two ways to fit it: `letterbox` scales the whole picture into the square that the model was
trained on; `tiles` takes it at its own size, which a fully convolutional generator can. Pixels
are uint8, H x W x C, until a network needs them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.payloads import Picture
from engine.translation import placed

Fit = Literal["letterbox", "tiles"]
FITS: tuple[Fit, Fit] = ("letterbox", "tiles")
MOST_SIDE_PX = 4096
LOSSLESS_SIDE_PX = 160  # of an opaque picture; a larger one travels as JPEG to be looked at
LOSSLESS_PIXELS = 6_000_000  # of an opaque picture to keep; a larger one is sent as JPEG
FAINT = 16  # alpha up to which a colour cannot be told from what lies behind it
LEAST_SIDE_PX = 8  # two halvings leave what a reflection needs
ROWS = 256  # worked on at once where a large picture would take much memory


@dataclass(frozen=True)
class Canvas:
    """A picture as a network takes it: `pixels` H x W x 3, and where the picture lies on it.

    `box` is (left, top, width, height) of the picture on the canvas; `own` is the picture as it
    came, RGB or RGBA.
    """

    pixels: np.ndarray
    box: tuple[int, int, int, int]
    own: Image.Image

    def tensor(self, device: torch.device) -> Tensor:
        """Return the canvas as a network takes it, (1, 3, H, W) in [-1, 1]."""
        return as_tensor(self.pixels, device)

    def inner(self, x: Tensor) -> Tensor:
        """Return the part of (…, H, W) on which the picture lies."""
        left, top, width, height = self.box
        return x[..., top : top + height, left : left + width]

    def fitted(self, values: Tensor) -> Tensor:
        """Return what was measured at each place of the canvas, (H, W), at the picture's shape."""
        width, height = self.own.size
        part = self.inner(values)[None, None]
        return F.interpolate(part, (height, width), mode="bilinear", antialias=True)[0, 0]

    def returned(self, pixels: np.ndarray, keep_alpha: bool = True) -> Image.Image:
        """Return what was made of the canvas, H x W x C, at the picture's own shape.

        A picture with transparency keeps its own, and its own colours where nothing is seen.
        """
        left, top, width, height = self.box
        image = Image.fromarray(pixels[top : top + height, left : left + width])
        if image.size != self.own.size:
            image = image.resize(self.own.size, Image.Resampling.BICUBIC)
        if keep_alpha and self.own.mode == "RGBA":
            return _behind_its_alpha(image, self.own)
        return image


def letterboxed(picture: Image.Image, side: int, white: bool = True) -> Canvas:
    """Scale the whole picture into a square of `side`, in its middle.

    The rest is white, or goes on as the picture's edge does.
    """
    scale = side / max(picture.size)
    width, height = (max(1, round(n * scale)) for n in picture.size)
    left, top = (side - width) // 2, (side - height) // 2
    small = np.asarray(_resized(on_white(picture), (width, height)))
    margins = ((top, side - height - top), (left, side - width - left), (0, 0))
    if white:
        pixels = np.pad(small, margins, constant_values=255)
    else:
        pixels = np.pad(small, margins, mode="edge")
    return Canvas(pixels, (left, top, width, height), picture)


def tiled(picture: Image.Image, multiple: int, most_pixels: float) -> Canvas:
    """Take the picture at its own size, or with about `most_pixels` if it has more.

    Sides are filled up to a `multiple` as the picture's edge goes on.
    """
    scale = min(1.0, (most_pixels / (picture.width * picture.height)) ** 0.5)
    width, height = (max(1, int(n * scale)) for n in picture.size)
    small = np.array(_resized(on_white(picture), (width, height)))
    more = [max(multiple, LEAST_SIDE_PX, -(-n // multiple) * multiple) - n for n in (height, width)]
    pixels = (
        np.pad(small, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge") if any(more) else small
    )
    return Canvas(pixels, (0, 0, width, height), picture)


def on_white(picture: Image.Image) -> Image.Image:
    """Return the picture as RGB; what is transparent lies on white."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper


def as_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """Return uint8 H x W x 3 as a network takes it, (1, 3, H, W) in [-1, 1]."""
    whole = torch.tensor(pixels, device=device).permute(2, 0, 1).unsqueeze(0)
    return placed(whole.float() / 127.5 - 1)


def to_pixels(x: Tensor) -> np.ndarray:
    """Return one picture (1, 3, H, W) of [-1, 1] as uint8, H x W x 3."""
    found = np.empty((*x.shape[2:], 3), np.uint8)
    for top in range(0, len(found), ROWS):
        part = torch.nan_to_num(x[0, :, top : top + ROWS].float())
        part = part.add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
        found[top : top + ROWS] = part.permute(1, 2, 0).cpu().numpy()
    return found


def shown(image: Image.Image, alt: str) -> Picture:
    """Encode a picture to be looked at: JPEG when it is large and opaque, else PNG."""
    lossless = image.mode == "RGBA" or max(image.size) <= LOSSLESS_SIDE_PX
    return _encoded(image, alt, lossless)


def kept(image: Image.Image, alt: str) -> Picture:
    """Encode a picture to be kept: PNG, or JPEG of the best quality when it is very large."""
    lossless = image.mode == "RGBA" or image.width * image.height <= LOSSLESS_PIXELS
    return _encoded(image, alt, lossless, 95)


def lossless(image: Image.Image, alt: str) -> Picture:
    """Encode a picture as PNG: a heat map, an overlay, what a network sees."""
    return _encoded(image, alt, True)


def _encoded(image: Image.Image, alt: str, lossless: bool, quality: int = 92) -> Picture:
    buffer = io.BytesIO()
    if lossless:
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
    media = "image/png" if lossless else "image/jpeg"
    return Picture(buffer.getvalue(), media, image.height, image.width, alt)


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _behind_its_alpha(image: Image.Image, own: Image.Image) -> Image.Image:
    """Return the colours that, with the picture's own alpha on white, look as `image` does.

    On white a colour c looks as alpha c + (1 - alpha) white. Where alpha is so small that c
    could not be told, the picture keeps the colour that it has.
    """
    made, before = np.asarray(image), np.asarray(own)
    found = before.copy()
    for top in range(0, len(found), ROWS):
        rows = slice(top, top + ROWS)
        alpha = before[rows, :, 3:].astype(np.float32)
        under = 255 - (255 - made[rows].astype(np.float32)) * (255 / np.maximum(alpha, 1))
        colours = np.rint(under.clip(0, 255)).astype(np.uint8)
        found[rows, :, :3] = np.where(alpha > FAINT, colours, before[rows, :, :3])
    return Image.fromarray(found)
