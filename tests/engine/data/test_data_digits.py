from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine import data
from engine.data.digits import prepare_drawing, prepare_picture
from engine.errors import DataError

COUNT = 100


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return data.load("mnist").test.images[:COUNT, 0]


def _canvas(digit: np.ndarray, seed: int, smooth: bool = False) -> Image.Image:
    """Return the digit eight times as large, somewhere on a black canvas."""
    generator = np.random.default_rng(seed)
    filter = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    canvas = Image.new("L", (400, 360))
    place = (int(generator.integers(0, 176)), int(generator.integers(0, 136)))
    canvas.paste(Image.fromarray(digit).resize((224, 224), filter), place)
    return canvas


def _photo(digit: np.ndarray, seed: int, noise: float) -> Image.Image:
    """Return dark ink on paper in slanting light, noisy, as a JPEG."""
    generator = np.random.default_rng(seed)
    ink = np.asarray(_canvas(digit, seed, smooth=True)) / 255
    y, x = np.mgrid[0 : 1 : ink.shape[0] * 1j, 0 : 1 : ink.shape[1] * 1j]
    light = 0.85 - 0.35 * x - 0.15 * y * y
    seen = light * (1 - 0.8 * ink) + generator.normal(0, noise, ink.shape)
    out = io.BytesIO()
    Image.fromarray((seen.clip(0, 1) * 255).astype(np.uint8)).save(out, "JPEG", quality=75)
    return Image.open(out).convert("RGB")


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over pixels of |a - b|, on a scale of 0 to 1. Digits' own mean is about 0.13."""
    return float(np.abs(a.astype(float) - b).mean() / 255)


def _shifted_difference(a: np.ndarray, b: np.ndarray) -> float:
    """The same, one pixel to any side forgiven: blur moves the centre of mass a little."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return min(_difference(np.roll(a, shift, (0, 1)), b) for shift in shifts)


def test_mnist_digits_come_back_from_any_place_and_size(digits: np.ndarray) -> None:
    away = [_difference(prepare_drawing(_canvas(d, i)), d) for i, d in enumerate(digits)]
    assert np.mean(away) < 0.002
    assert max(away) < 0.012
    assert all(_difference(prepare_drawing(Image.fromarray(d)), d) < 0.012 for d in digits)


def test_smoothly_enlarged_digits_come_back(digits: np.ndarray) -> None:
    away = [
        _shifted_difference(prepare_drawing(_canvas(d, i, smooth=True)), d)
        for i, d in enumerate(digits)
    ]
    assert np.mean(away) < 0.04
    assert max(away) < 0.08


def test_ink_may_be_dark_or_light_and_the_ground_clear(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits[:20]):
        canvas = _canvas(digit, i)
        expected = prepare_drawing(canvas)
        assert _difference(prepare_drawing(canvas.point(lambda v: 255 - v)), expected) < 0.001
        for level in (0, 255):
            clear = Image.new("RGBA", canvas.size, (level, level, level, 0))
            clear.putalpha(canvas)
            assert _difference(prepare_drawing(clear), expected) < 0.001
        red = Image.merge("RGB", (canvas, Image.new("L", canvas.size), Image.new("L", canvas.size)))
        assert _difference(prepare_drawing(red), expected) < 0.02


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.03])
def test_photographs(digits: np.ndarray, noise: float) -> None:
    away = [
        _shifted_difference(prepare_drawing(_photo(d, i, noise)), d)
        for i, d in enumerate(digits[:30])
    ]
    assert np.mean(away) < 0.04
    assert max(away) < 0.09


def test_specks_and_the_table_edge_are_left_out(digits: np.ndarray) -> None:
    for i, digit in enumerate(digits[:15]):
        plain = _photo(digit, i, 0.02)
        dirty = plain.copy()
        draw = ImageDraw.Draw(dirty)
        draw.rectangle((0, 352, 400, 360), fill=(30, 30, 30))
        for x in (5, 390):
            draw.ellipse((x, 3, x + 3, 6), fill=(40, 40, 40))
        assert _shifted_difference(prepare_drawing(dirty), prepare_drawing(plain)) < 0.03


def test_fits_the_box_and_is_centred_by_mass() -> None:
    image = Image.new("L", (300, 300))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 40, 59, 279), fill=255)  # an upright bar, 40 x 240 px
    bar = prepare_drawing(image)
    assert bar.shape == (28, 28)
    assert bar.dtype == np.uint8
    rows, columns = np.flatnonzero(bar.any(axis=1)), np.flatnonzero(bar.any(axis=0))
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 == 3
    for axis in (0, 1):
        centre = (bar.sum(axis=1 - axis) * np.arange(28)).sum() / bar.sum()
        assert abs(centre - 14) <= 0.5


def test_hairlines_are_thickened() -> None:
    image = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(image).arc((60, 40, 340, 360), 0, 360, fill="black", width=2)
    ring = prepare_drawing(image)
    assert 60 < ring.sum() / 255 < 150  # MNIST's middle 90 % of ink
    assert ring.max() == 255


def test_a_drawing_that_fills_its_canvas_and_a_single_dot() -> None:
    image = Image.new("L", (100, 100))
    ImageDraw.Draw(image).line((0, 0, 99, 99), fill=255, width=10)
    assert prepare_drawing(image).max() == 255
    dot = Image.new("L", (100, 100))
    dot.putpixel((50, 50), 255)
    assert prepare_drawing(dot).any()


NOISE = np.random.default_rng(0).normal(128, 4, (300, 300)).astype(np.uint8)
RAMP = np.tile(np.linspace(50, 250, 300), (300, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (300, 300), "white"),
        Image.new("L", (300, 300)),
        Image.new("RGBA", (300, 300), (0, 0, 0, 0)),
        Image.new("RGBA", (300, 300), (255, 255, 255, 0)),
        Image.fromarray(NOISE),
        Image.fromarray(RAMP),
    ],
    ids=["white", "black", "clear", "clear white", "noise", "slanting light"],
)
@pytest.mark.parametrize("photo", [None, True, False])
def test_no_ink(image: Image.Image, photo: bool | None) -> None:
    with pytest.raises(DataError, match=r"^The drawing is empty: draw a digit first\.$"):
        prepare_drawing(image, photo=photo)


def test_pictures_for_other_data_sets() -> None:
    stripes = np.zeros((60, 90, 3), np.uint8)
    stripes[:, 15:75] = (200, 100, 50)
    image = Image.fromarray(stripes)
    colour = prepare_picture(image, (3, 32, 32))
    assert colour.shape == (3, 32, 32)
    assert colour.flags.c_contiguous
    assert (colour == np.array([200, 100, 50])[:, None, None]).all()
    assert prepare_picture(image.convert("L"), (1, 28, 28)).shape == (1, 28, 28)
    assert prepare_picture(Image.new("RGB", (5, 1024), "red"), (3, 28, 28))[0].min() == 255
    with pytest.raises(ValueError, match="1 or 3 channels"):
        prepare_picture(image, (2, 28, 28))
