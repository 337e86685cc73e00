"""Make a drawing or a photograph of a digit into what MNIST holds.

MNIST's digits were "size normalized to fit in a 20x20 pixel box while preserving their aspect
ratio", with gray levels from the anti-aliasing, and then "centered in a 28x28 image by computing
the center of mass of the pixels, and translating the image so as to position this point at the
center of the 28x28 field" (LeCun, Cortes, Burges: The MNIST database). Measured on its test
split: the centre of mass rounds to pixel (14, 14), and the shift is by whole pixels.

Two steps have no counterpart there: paper is separated from ink in photographs, and strokes much
thinner than any in MNIST are thickened.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from engine.errors import DataError

FIELD_PX = 28
BOX_PX = 20
WORK_PX = 512  # drawings are analysed at no more than this size
PHOTO_PX = 256
EMPTY = "The drawing is empty: draw a digit first."

# From experience, on a scale of ink from 0 to 1.
MIN_CONTRAST = 0.06
INK_EDGE = 0.02  # a canvas is clean, so nearly all that is not ground is ink
THIN_PX = 0.9  # thinner than 99 of 100 MNIST digits, measured in the 20 px box
THICK_PX = 1.7  # MNIST's 25th percentile


def prepare_drawing(image: Image.Image, *, photo: bool | None = None) -> np.ndarray:
    """Return a drawing as an MNIST digit: uint8, 28 x 28, light ink on black.

    The ink may be light or dark, and the ground opaque or transparent. `photo` removes uneven
    light, specks and what reaches in from the edges; None: unless the ground is quite flat.
    Raises `DataError` when there is no ink.
    """
    gray = _gray(image, WORK_PX)
    if photo is None:
        photo = not _is_flat(gray)
    ink, noise = _ink(_gray(image, PHOTO_PX) if photo else gray)
    peak = float(ink.max())
    if peak < max(MIN_CONTRAST, 6 * noise):
        raise DataError(EMPTY)
    if photo:
        ink = _clean(ink, noise)
    return _centre(_fit_box(np.clip(ink / _full_ink(ink), 0, 1)))


def prepare_picture(image: Image.Image, shape: tuple[int, int, int]) -> np.ndarray:
    """Return a picture as uint8, C x H x W: its middle, cropped to the right aspect, resized."""
    channels, height, width = shape
    if channels not in (1, 3):
        raise ValueError(f"a picture has 1 or 3 channels, not {channels}")
    scale = min(image.width / width, image.height / height)
    crop_width, crop_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (image.width - crop_width) // 2, (image.height - crop_height) // 2
    middle = image.convert("L" if channels == 1 else "RGB").crop(
        (left, top, left + crop_width, top + crop_height)
    )
    fitted = middle.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(fitted, dtype=np.uint8).reshape(height, width, channels)  # H x W x C
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # C x H x W


def _gray(image: Image.Image, side_px: int) -> np.ndarray:
    """Return luminance in [0, 1], H x W, at most `side_px` a side; transparency is ground."""
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((side_px, side_px), Image.Resampling.BOX)
    gray = np.asarray(image.convert("RGB").convert("L"), dtype=np.float64) / 255
    if image.mode == "RGBA":
        alpha = np.asarray(image.getchannel("A"), dtype=np.float64) / 255
        inked = float((gray * alpha).sum() / max(alpha.sum(), 1e-9))
        ground = 0.0 if inked > 0.5 else 1.0  # whichever the ink stands out from
        gray = gray * alpha + ground * (1 - alpha)
    return gray


def _ink(gray: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (ink, noise): how far each pixel is from the paper on the ink's side.

    `noise` is the paper's standard deviation, 0 for a canvas with one flat ground.
    """
    flat = _is_flat(gray)
    residual = gray - (np.median(gray) if flat else _paper(gray))
    noise = 0.0 if flat else 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    lighter, darker = np.clip(residual, 0, None), np.clip(-residual, 0, None)
    return lighter if (lighter**2).sum() > (darker**2).sum() else darker, noise


def _is_flat(gray: np.ndarray) -> bool:
    return bool(np.mean(gray == np.median(gray)) > 0.5)


def _paper(gray: np.ndarray) -> np.ndarray:
    """Fit the paper's brightness, H x W: a quadratic surface through the pixels near it."""
    height, width = gray.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)  # H x W x 6
    sampled, values = terms[::3, ::3].reshape(-1, 6), gray[::3, ::3].reshape(-1)
    surface = np.array([np.median(values), 0, 0, 0, 0, 0])
    for reach in (0.3, 0.15, 0.1, 0.1):
        near = np.abs(values - sampled @ surface) < reach
        if near.sum() < 0.3 * values.size:
            break
        # Normal equations by einsum: lstsq on so few columns waits mostly for BLAS threads.
        chosen = sampled[near]
        squares = np.einsum("ni,nj->ij", chosen, chosen) + 1e-9 * np.eye(6)
        surface = np.linalg.solve(squares, np.einsum("ni,n->i", chosen, values[near]))
    return terms @ surface


def _clean(ink: np.ndarray, noise: float) -> np.ndarray:
    """Drop noise, specks, and dark shapes that reach in from the edge (unless all do)."""
    peak = _full_ink(ink)
    floor = min(max(4 * noise, 0.15 * peak), 0.5 * peak)
    parts = _parts(ink > max(floor, 0.3 * peak))
    count = int(parts.max()) + 1
    mass = np.bincount(parts.reshape(-1), weights=ink.reshape(-1), minlength=count)
    edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    inner = np.setdiff1d(np.arange(1, count), edge)
    candidates = inner if mass[inner].sum() > 0.1 * mass[1:].sum() else np.arange(1, count)
    kept = candidates[mass[candidates] >= 0.05 * mass[candidates].max()]
    near = Image.fromarray(np.isin(parts, kept).astype(np.uint8) * 255)
    grown = np.asarray(near.filter(ImageFilter.MaxFilter(5))) > 0  # keep the strokes' soft edge
    return np.where(grown, np.clip(ink - floor, 0, None) * peak / (peak - floor), 0)


def _parts(mask: np.ndarray) -> np.ndarray:
    """Number the 8-connected parts of `mask` from 1; 0 is outside. H x W int64."""
    padded = np.pad(mask, 1)
    row = padded.shape[1]
    steps = (-row - 1, -row, -row + 1, -1, 1, row - 1, row, row + 1)
    waiting = set(np.flatnonzero(padded).tolist())
    parts = np.zeros(padded.size, dtype=np.int64)
    count = 0
    while waiting:
        count += 1
        stack = [waiting.pop()]
        while stack:
            here = stack.pop()
            parts[here] = count
            found = [here + step for step in steps if here + step in waiting]
            waiting.difference_update(found)
            stack.extend(found)
    return parts.reshape(padded.shape)[1:-1, 1:-1]


def _full_ink(ink: np.ndarray) -> float:
    """Return the level of a stroke's core: noise and glare may go beyond it."""
    return float(np.percentile(ink[ink > 0.3 * ink.max()], 75))


def _fit_box(ink: np.ndarray) -> np.ndarray:
    """Scale the ink's bounding box so that its longer side is 20 px, h x w in [0, 1]."""
    rows = np.flatnonzero((ink > INK_EDGE).any(axis=1))
    columns = np.flatnonzero((ink > INK_EDGE).any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX_PX / max(ink.shape)
    ink = _thicken(ink, scale)
    scale = BOX_PX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    filter = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR  # mean of the area
    fitted = np.asarray(picture.resize((width, height), filter), np.float64)
    return np.clip(fitted / max(float(fitted.max()), 1e-9), 0, 1)


def _thicken(ink: np.ndarray, scale: float) -> np.ndarray:
    """Widen strokes that would be thinner than any of MNIST's; h x w, or a little larger."""
    solid = np.pad(ink > 0.5, 1).astype(np.int8)
    outline = np.abs(np.diff(solid, axis=0)).sum() + np.abs(np.diff(solid, axis=1)).sum()
    stroke_px = 2 * solid.sum() / max(int(outline), 1) * scale
    if stroke_px >= THIN_PX:
        return ink
    reach = max(1, round((THICK_PX - stroke_px) / scale / 2))
    picture = Image.fromarray(np.pad(ink * 255, reach).round().astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.MaxFilter(2 * reach + 1)), np.float64) / 255


def _centre(digit: np.ndarray) -> np.ndarray:
    """Place h x w ink in the 28 x 28 field, centre of mass on pixel (14, 14), as uint8."""
    mass = digit.sum()
    corner = []
    for axis, side in enumerate(digit.shape):
        centre = float((digit.sum(axis=1 - axis) * np.arange(side)).sum() / mass)
        shift = round(FIELD_PX / 2 - centre)
        corner.append(min(max(shift, 0), FIELD_PX - side))
    field = np.zeros((FIELD_PX, FIELD_PX), dtype=np.uint8)
    top, left = corner
    height, width = digit.shape
    field[top : top + height, left : left + width] = np.round(digit * 255).astype(np.uint8)
    return field
