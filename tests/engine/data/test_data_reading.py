"""Fault rows 1 to 9 of single pictures."""

from __future__ import annotations

import resource
import time
import warnings

import numpy as np
import pytest
from PIL import Image
from upload_samples import encoded, noise, pixel_bomb, zipped

from engine.data import read_picture
from engine.data.reading import FORMATS, KEPT_SIDE_PX, MAX_BYTES, MAX_PIXELS, clean_name
from engine.errors import DataError


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_empty_file() -> None:
    with pytest.raises(DataError, match="cat is empty"):
        read_picture(b"", "cat")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content",
    [
        np.random.default_rng(0).bytes(1024),
        SVG,
        b"<html><body>hello</body></html>",
        b"%PDF-1.7 " + bytes(100),
        zipped({"a.png": bytes(100_000_000)}),
        encoded(noise(0), "TIFF"),
        encoded(noise(0), "ICO"),
        encoded(noise(0), "PPM"),
    ],
    ids=["noise", "svg", "html", "pdf", "zip bomb", "tiff", "ico", "ppm"],
)
def test_other_content_is_refused_by_its_first_bytes(content: bytes) -> None:
    started = time.process_time()
    with pytest.raises(DataError, match=r"not an image we can read \(PNG, JPEG, WebP, GIF or BMP"):
        read_picture(content)
    assert time.process_time() - started < 0.2


def test_script_behind_a_gif_header_is_refused() -> None:
    with pytest.raises(DataError):
        read_picture(b"GIF89a/*" + b"\x00" * 20 + b"*/=1;alert(1)")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_good_and_cut_short(format: str) -> None:
    content = encoded(noise(1, 100, 80), format)
    picture = read_picture(content)
    assert (picture.mode, picture.size, picture.info["notes"]) == ("RGB", (100, 80), [])
    with pytest.raises(DataError, match=r"cut short|not an image"):
        read_picture(content[:-500])
    with pytest.raises(DataError):
        read_picture(content[:20])


def test_pixel_bomb_is_refused_from_its_header() -> None:
    bomb = pixel_bomb()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(DataError, match="megapixels"):
        read_picture(bomb)
    assert time.process_time() - started < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # kB


def test_pixel_bomb_is_refused_whatever_the_warning_filters_are() -> None:
    assert MAX_PIXELS == Image.MAX_IMAGE_PIXELS == 20_000_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match="5000 × 4001 px; at most 20 megapixels"):
            read_picture(pixel_bomb(5_000, 4_001))


def test_large_file_is_refused() -> None:
    with pytest.raises(DataError, match="larger than 20 MB"):
        read_picture(bytes(MAX_BYTES + 1))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_a_long_animation(format: str) -> None:
    frames = [Image.new("RGB", (32, 32), (200, i % 250, i // 250)) for i in range(1000)]
    content = encoded(
        frames[0], format, save_all=True, append_images=frames[1:], lossless=True, duration=20
    )
    started = time.process_time()
    picture = read_picture(content, "dance")
    assert time.process_time() - started < 0.1
    assert picture.mode == "RGB"
    assert np.abs(_pixels(picture) - [200, 0, 0]).max() <= 4
    assert picture.info["notes"] == ["dance is animated; its first frame is used."]


def test_every_colour_mode_becomes_rgb_on_white() -> None:
    square = np.zeros((8, 8), np.uint8)
    square[:4] = 200
    half_clear = np.full((8, 8), 255, np.uint8)
    half_clear[:, :4] = 0
    gray = Image.fromarray(square)
    la = Image.merge("LA", (gray, Image.fromarray(half_clear)))
    palette = gray.convert("P")
    expected_la = np.where(half_clear == 0, 255, square)
    cases = {
        "LA": (encoded(la), expected_la),
        "RGBA": (encoded(la.convert("RGBA")), expected_la),
        "palette": (encoded(palette), square),
        "palette, one clear colour": (
            encoded(palette, transparency=palette.getpixel((0, 0))),
            np.where(square == 200, 255, square),
        ),
        "1-bit": (encoded(gray.convert("1", dither=Image.Dither.NONE)), (square > 127) * 255),
        "16-bit": (encoded(Image.fromarray(square.astype(np.uint16) * 257)), square),
        "gif, one clear colour": (
            encoded(palette, "GIF", transparency=palette.getpixel((0, 0))),
            np.where(square == 200, 255, square),
        ),
    }
    for name, (content, expected) in cases.items():
        picture = read_picture(content)
        assert picture.mode == "RGB", name
        assert (_pixels(picture) == np.asarray(expected)[..., None]).all(), name


def test_cmyk_jpeg() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(_pixels(read_picture(encoded(red, "JPEG", quality=95))) - [254, 0, 0]).max() < 8


def test_alpha_is_kept_on_request() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert read_picture(encoded(clear), keep_alpha=True).mode == "RGBA"
    assert read_picture(encoded(clear.convert("RGB")), keep_alpha=True).mode == "RGB"
    assert _pixels(read_picture(encoded(clear))).min() == 255


# What a camera stores for each EXIF orientation: the inverse of how a viewer turns it.
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_rotation_and_no_exif_afterwards(orientation: int) -> None:
    upright = noise(3, 20, 12)
    turn = TURNED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"  # a place on the earth
    picture = read_picture(encoded(stored, exif=exif.tobytes()))
    assert picture.size == (20, 12)
    assert (_pixels(picture) == _pixels(upright)).all()
    assert not picture.getexif()
    assert b"Exif" not in encoded(picture, "JPEG")


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 50)])
def test_slivers_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=rf"{size[0]} × {size[1]} px; each side needs at least 4"):
        read_picture(encoded(Image.new("RGB", size)))


def test_large_pictures_are_reduced() -> None:
    for format in ("PNG", "JPEG"):
        picture = read_picture(encoded(Image.new("RGB", (4000, 2000), "teal"), format))
        assert picture.size == (KEPT_SIDE_PX, KEPT_SIDE_PX // 2)


def test_text_bomb_in_a_png() -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("k", "a" * 3_000_000, zip=True)
    with pytest.raises(DataError):
        read_picture(encoded(noise(0), pnginfo=text))


def test_formats_are_the_five() -> None:
    assert set(FORMATS) == {"PNG", "JPEG", "WEBP", "GIF", "BMP"}


def test_names_are_made_fit_to_show() -> None:
    assert clean_name("a\0b\n\tc\u202ed ") == "a b c d"
    assert clean_name("고양이 😀.png") == "고양이 😀.png"
    assert clean_name("x" * 300) == "x" * 59 + "…"
