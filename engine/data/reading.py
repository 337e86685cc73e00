"""Read a picture that a person brings: bounded, upright, RGB. The only place that opens one.

Importing this module sets Pillow's limits for the whole process, which also bounds the pictures
that the page's framework decodes on its own.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import unicodedata
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.errors import DataError, Rejected

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
FORMATS_SENTENCE = "PNG, JPEG, WebP, GIF or BMP"
MAX_PIXELS = 20_000_000
MAX_BYTES = 20_000_000
MIN_SIDE_PX = 4
KEPT_SIDE_PX = 1024  # larger pictures are reduced: little here looks at more

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


def read_picture(
    data: bytes,
    name: str = "The file",
    *,
    keep_alpha: bool = False,
    kept_side_px: int = KEPT_SIDE_PX,
) -> Image.Image:
    """Return the picture in `data` as RGB with 8 bits a channel, at most `kept_side_px` a side.

    It is turned upright by its EXIF tag, transparency lies on white, and of an animation the
    first frame is taken; with `keep_alpha`, a picture that has transparency comes as RGBA.
    No metadata is kept; `info["notes"]` has sentences about what was changed,
    `info["decoded_pixels"]` says how much work it was, and `info["size"]` is the picture's own
    width and height, upright.

    `name` opens the sentence of the `DataError` that is raised for anything that cannot be
    read; a picture over 20 megapixels is refused from its header, before it is decoded.
    """
    if not data:
        raise DataError(f"{name} is empty.")
    if len(data) > MAX_BYTES:
        raise DataError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(image.size, name)
            animated = bool(getattr(image, "is_animated", False))
            size = image.size
            image.draft("RGB", (kept_side_px, kept_side_px))  # JPEG only: decode at less size
            image.load()
            pixels = image.width * image.height
            upright = ImageOps.exif_transpose(image)
            if upright.size != image.size:
                size = size[::-1]
        picture = _eight_bit(upright, keep_alpha)
        picture.thumbnail((kept_side_px, kept_side_px), Image.Resampling.LANCZOS)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"{name} is not an image we can read ({FORMATS_SENTENCE}).") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(f"{name} has more than {MAX_PIXELS // 1_000_000} megapixels.") from None
    except Exception as error:  # decoders of damaged files raise nearly anything
        raise DataError(f"{name} is damaged or cut short and cannot be read.") from error
    notes = [f"{name} is animated; its first frame is used."] if animated else []
    picture.info = {"notes": notes, "decoded_pixels": pixels, "size": size}
    return picture


def read_data_url(text: Any, kept_side_px: int = KEPT_SIDE_PX) -> Image.Image:
    """Read a picture that the page sends as a data URL, RGB or RGBA.

    Raises `Rejected` when it is no data URL, and `DataError` as `read_picture` does.
    """
    if not isinstance(text, str) or not text.startswith("data:image/") or "," not in text:
        raise Rejected("A picture must come as a data URL of an image.", field="picture")
    try:
        data = base64.b64decode(text.split(",", 1)[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("The picture's data is not valid base64.", field="picture") from error
    return read_picture(data, "The picture", keep_alpha=True, kept_side_px=kept_side_px)


def clean_name(name: str, limit: int = 60) -> str:
    """Return a file's or a folder's name as it can be shown: printable, one line, short."""
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in name)
    shown = re.sub(" +", " ", shown).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{name} has {width} × {height} px; at most {MAX_PIXELS // 1_000_000} megapixels "
            "are allowed."
        )
    if min(width, height) < MIN_SIDE_PX:
        raise DataError(
            f"{name} has {width} × {height} px; each side needs at least {MIN_SIDE_PX}."
        )


def _eight_bit(image: Image.Image, keep_alpha: bool) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.array(image, dtype=np.float32)
        if values.max() > 255:  # Pillow's own conversion would clip 16 bits at 255
            values /= 257
        np.clip(np.rint(values, out=values), 0, 255, out=values)
        image = Image.fromarray(values.astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    if keep_alpha:
        return image
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image).convert("RGB")
