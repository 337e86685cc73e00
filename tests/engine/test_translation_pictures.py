"""Pictures on their way into a translator and back: shapes, alpha, bands, marks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from engine.translation_bands import translate_banded
from engine.translation_layers import describe, patches_along, sight, work_a_pixel
from engine.translation_marks import HEAT, coarse, heat, overlay, scale_of
from engine.translation_networks import (
    PatchDiscriminator,
    ResNetGenerator,
    UNetGenerator,
    initialise,
)
from engine.translation_pictures import (
    Canvas,
    as_tensor,
    kept,
    letterboxed,
    on_white,
    shown,
    tiled,
    to_pixels,
)

CPU = torch.device("cpu")
SIZES = [(64, 64), (512, 300), (31, 97), (4, 300), (4, 4096), (4096, 5), (20, 20)]


def noise(width: int, height: int, channels: int = 3) -> np.ndarray:
    generator = np.random.default_rng(width + height)
    return generator.integers(0, 256, (height, width, channels), dtype=np.uint8)


# ---------------------------------------------------------------------- there and back


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("white", [True, False])
def test_a_letterbox_holds_the_whole_picture_and_gives_its_shape_back(
    size: tuple[int, int], white: bool
) -> None:
    picture = Image.new("RGB", size, "teal")
    canvas = letterboxed(picture, 64, white)
    assert canvas.pixels.shape == (64, 64, 3)
    back = canvas.returned(canvas.pixels)
    assert back.size == size
    assert np.abs(np.asarray(back).astype(int) - np.asarray(picture)).max() <= 2
    rest = canvas.pixels.reshape(-1, 3)
    ground = (rest == (255, 255, 255)).all(1).sum()
    width, height = canvas.box[2:]
    assert ground == (64 * 64 - width * height if white else 0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("multiple", [4, 32])
def test_tiles_take_the_picture_as_it_is(size: tuple[int, int], multiple: int) -> None:
    picture = Image.fromarray(noise(*size))
    canvas = tiled(picture, multiple, 1e9)
    height, width, _ = canvas.pixels.shape
    assert height % multiple == width % multiple == 0
    assert min(height, width) >= max(8, multiple)
    assert (np.asarray(canvas.returned(canvas.pixels)) == np.asarray(picture)).all()


def test_tiles_are_reduced_to_the_room_there_is() -> None:
    canvas = tiled(Image.new("RGB", (800, 400)), 4, 20_000)
    assert canvas.box == (0, 0, 200, 100)
    assert canvas.returned(canvas.pixels).size == (800, 400)


def test_a_picture_of_the_models_own_size_is_not_touched() -> None:
    pixels = noise(64, 64)
    canvas = letterboxed(Image.fromarray(pixels), 64)
    assert (canvas.pixels == pixels).all()
    assert (to_pixels(canvas.tensor(CPU)) == pixels).all()


# ---------------------------------------------------------------------- transparency


def test_a_result_keeps_the_alpha_and_the_colours_that_no_one_sees() -> None:
    own = noise(16, 16, 4)
    own[:8, :, 3] = 0
    own[8:, :, 3] = 255
    picture = Image.fromarray(own)
    made = np.full((16, 16, 3), (10, 200, 30), np.uint8)
    found = np.asarray(Canvas(made, (0, 0, 16, 16), picture).returned(made))
    assert (found[..., 3] == own[..., 3]).all()
    assert (found[:8] == own[:8]).all()
    assert (found[8:, :, :3] == (10, 200, 30)).all()


def test_a_half_clear_result_looks_on_white_as_the_model_made_it() -> None:
    own = np.zeros((16, 16, 4), np.uint8)
    own[..., 3] = np.arange(16) * 17
    made = np.full((16, 16, 3), 255, np.uint8) - (np.arange(16) * 7)[None, :, None].astype(np.uint8)
    found = Canvas(made, (0, 0, 16, 16), Image.fromarray(own)).returned(made)
    seen = np.asarray(on_white(found)).astype(int)
    assert np.abs(seen - made)[:, 2:].max() <= 1  # the first columns are too faint to carry it


def test_large_opaque_pictures_travel_as_jpeg_and_others_as_png() -> None:
    assert shown(Image.new("RGB", (64, 64)), "").media_type == "image/png"
    assert shown(Image.new("RGB", (600, 400)), "").media_type == "image/jpeg"
    assert shown(Image.new("RGBA", (600, 400)), "").media_type == "image/png"
    assert kept(Image.new("RGB", (600, 400)), "").media_type == "image/png"
    assert kept(Image.new("RGB", (4096, 2048)), "").media_type == "image/jpeg"


# ---------------------------------------------------------------------- bands


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("size", [(64, 64), (12, 200), (516, 264)])
def test_bands_give_what_the_network_gives(norm: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = ResNetGenerator(4, 2, norm).apply(initialise)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            layer.weight.data.mul_(5)
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # one pass settles the running statistics
    with torch.no_grad():
        network(torch.rand(2, 3, 32, 32))
        network.eval()
        pixels = noise(*size)
        whole = network(as_tensor(pixels, CPU))
        assert float(whole.std()) > 0.02
        for given in (pixels, as_tensor(pixels, CPU)):
            banded = translate_banded(network, given)
            assert float((banded - whole).abs().max()) < 0.02
            assert float((banded - whole).abs().mean()) < 0.001


def test_many_bands_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ResNetGenerator(4, 2).apply(initialise).eval()
    pixels = noise(64, 200)
    with torch.no_grad():
        once = translate_banded(network, pixels)
        monkeypatch.setattr("engine.translation_bands.BAND_NUMBERS", 1)
        often = translate_banded(network, pixels)
    assert float((once - often).abs().max()) < 0.01


# ---------------------------------------------------------------------- marks


@pytest.mark.parametrize(("layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_what_a_verdict_sees_is_what_moves_it(layers: int, patch: int) -> None:
    judge = PatchDiscriminator(3, 4, layers, "batch").eval()
    sees = sight(judge)
    assert sees.size == patch
    x = torch.zeros(1, 3, 160, 160, requires_grad=True)
    logits = judge(x)[0, 0]
    assert tuple(logits.shape) == (patches_along(judge, 160), patches_along(judge, 160))
    place = len(logits) // 2
    logits[place, place].backward()
    assert x.grad is not None
    moved = x.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    middle = sees.start + place * sees.stride
    assert [int(moved[0]), int(moved[-1])] == [middle - (patch - 1) / 2, middle + (patch - 1) / 2]


def test_too_small_a_picture_has_no_patches() -> None:
    judge = PatchDiscriminator(3, 4, 2)
    assert patches_along(judge, 8) == 0
    assert patches_along(judge, 64) == 14


def test_the_overlay_is_red_where_fake_blue_where_real_and_clear_between() -> None:
    sees = sight(PatchDiscriminator(3, 4, 1))
    opinions = torch.tensor([[0.0, 0.5, 1.0]]).repeat(3, 1)
    laid = overlay(opinions, sees, 16, 16)
    first, middle = int(sees.start), int(sees.start + sees.stride)
    left, right = laid[8, max(0, first - 1)], laid[8, -1]
    assert left[0] > left[2]
    assert right[2] > right[0]
    assert left[3] == right[3] > 150
    assert laid[8, middle, 3] < 60
    assert coarse(opinions) == [[0.0, 0.5, 1.0]] * 3


def test_the_heat_map_grows_brighter_with_the_residual() -> None:
    values = torch.linspace(0, 0.2, 100)[None]
    luma = heat(values, 0.2)[0] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luma) >= -0.5).all()
    assert (heat(values, 0.2)[0, -1] == HEAT[-1]).all()
    assert scale_of(values) == 0.2
    assert scale_of(values * 0, values * 9) == 1.0


# ---------------------------------------------------------------------- layers


@pytest.mark.parametrize(
    ("network", "size"),
    [
        (ResNetGenerator(4, 2), (3, 64, 64)),
        (UNetGenerator(4, 5), (3, 64, 64)),
        (PatchDiscriminator(6, 4, 2), (6, 64, 64)),
    ],
    ids=["resnet", "unet", "patches"],
)
def test_layers_end_where_the_network_does(network: nn.Module, size: tuple[int, ...]) -> None:
    layers = describe(network, size)  # type: ignore[arg-type]
    with torch.no_grad():
        assert layers[-1]["output"] == list(network(torch.rand(1, *size)).shape[1:])
    assert sum(row["parameters"] for row in layers) == sum(p.numel() for p in network.parameters())
    for row in layers:
        if "=" in row["formula"]:
            told, result = row["formula"].split(" = ")
            computed = eval(told.replace("x", "*").replace("floor", "int"))
            assert computed == int(result) == row["output"][-1]


def test_work_is_what_the_convolutions_multiply() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ConvTranspose2d(5, 3, 3, 2, 1, 1))
    assert work_a_pixel(network, 4) == 3 * 5 * 9 + 5 * 3 * 9
