"""The translators' views: what a picture becomes, and what is refused."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_terminal import Terminal, refused

from engine import __main__ as door
from engine import checkpoint
from engine.data.base import Dataset, Split
from engine.errors import DataError, PlaygroundError, Rejected
from engine.payloads import Picture, Sheet, Views
from engine.registry import entry
from engine.tensors import DataView
from engine.trainer import build
from engine.translator import Translator

CPU = torch.device("cpu")
TINY = {"generator_channels": 4, "discriminator_channels": 4, "discriminator_layers": 1}
PARTS = {"output", "input", "cycle", "identity", "residual", "patches"}


def data_of(paired: bool = True, side: int = 32) -> DataView:
    """Return dark squares on white, A gray and B coloured."""
    draw = np.random.default_rng(0)

    def split(count: int) -> Split:
        images = np.full((count, 6, side, side), 255, np.uint8)
        images[:, :3, 8:24, 8:24] = draw.integers(0, 200, (count, 1, 1, 1))
        images[:, 3:, 8:24, 8:24] = draw.integers(0, 200, (count, 3, 1, 1))
        return Split(images, np.zeros(count, np.int64))

    return DataView(
        Dataset(
            *("mine", "Squares", split(30), split(20), ("square",), "made here", "none", "0" * 16),
            kind="pairs",
            domains=("Gray", "Coloured"),
            paired=paired,
        ),
        CPU,
    )


def learner_of(key: str = "cyclegan", data: DataView | None = None, **config: Any) -> Translator:
    """Build a tiny translator whose pictures are not all gray."""
    chosen = entry(key).config_class.from_values({**TINY, **config})
    learner = build(key, chosen, data or data_of(), CPU, 0)
    assert isinstance(learner, Translator)
    for parameter in learner.generators.parameters():
        parameter.data.mul_(4)
    return learner


@pytest.fixture(scope="module")
def model() -> tuple[Translator, DataView]:
    data = data_of()
    return learner_of(data=data), data


def draw(model: tuple[Translator, DataView], view: str, **args: Any) -> Views:
    """Draw a view that can travel as JSON."""
    learner, data = model
    drawn = learner.draw(view, data, args)
    assert isinstance(drawn, Views)
    json.dumps(drawn.to_wire(), allow_nan=False)
    return drawn


def opened(payload: Any) -> Image.Image:
    assert isinstance(payload, (Picture, Sheet))
    return Image.open(io.BytesIO(payload.data))


def url(image: Image.Image, format: str = "PNG", **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return f"data:image/{format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    generator = np.random.default_rng(width)
    pixels = generator.integers(0, 256, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(pixels, mode if len(mode) < 3 else None)


# ---------------------------------------------------------------------- one picture


def test_a_held_out_example_crosses_over_with_all_that_belongs_to_it(model: Any) -> None:
    learner, data = model
    for way, given, wanted in (
        ("a2b", slice(0, 3), slice(3, 6)),
        ("b2a", slice(3, 6), slice(0, 3)),
    ):
        found = draw(model, "translate", index=4, direction=way)
        assert found.items.keys() == PARTS | {"truth"}
        assert all(opened(item).size == (32, 32) for item in found.items.values())
        row = data.test.pixels[4].numpy()
        picture = np.asarray(opened(found.items["input"])).transpose(2, 0, 1)
        assert (picture == row[given]).all()
        truth = np.asarray(opened(found.items["truth"])).transpose(2, 0, 1)
        assert (truth == row[wanted]).all()
        x = torch.from_numpy(row[given])[None] / 127.5 - 1
        with learner.evaluating():
            made = learner.translate(x, way)
            back = learner.translate(made, "b2a" if way == "a2b" else "a2b")
            same = learner.translate(x, "b2a" if way == "a2b" else "a2b")
        output = np.asarray(opened(found.items["output"])).transpose(2, 0, 1)
        assert np.abs(output - (made[0].numpy() + 1) * 127.5).max() <= 0.51
        l1 = torch.nn.functional.l1_loss
        assert found.values["cycle_l1"] == pytest.approx(float(l1(back, x)) / 2, rel=1e-4)
        assert found.values["identity_l1"] == pytest.approx(float(l1(same, x)) / 2, rel=1e-4)
        other = torch.from_numpy(row[wanted])[None] / 127.5 - 1
        assert found.values["truth_l1"] == pytest.approx(float(l1(made, other)) / 2, rel=1e-4)
        targets = data.test.pixels[:, wanted] / 127.5 - 1
        apart = torch.cdist(
            made.flatten(1), targets.flatten(1), compute_mode="donot_use_mm_for_euclid_dist"
        )[0]
        rank = 1 + int((apart < apart[4]).sum())
        assert (found.values["truth_rank"], found.values["truth_of"]) == (rank, 20)


@pytest.mark.parametrize("key", ["cyclegan", "pix2pix"])
@pytest.mark.parametrize("generator", ["resnet6", "unet"])
@pytest.mark.parametrize("fit", ["letterbox", "tiles"])
def test_every_kind_of_model_takes_every_shape(key: str, generator: str, fit: str) -> None:
    data = data_of()
    model = learner_of(key, data, generator=generator), data
    for size in ((45, 70), (64, 64), (4, 300), (700, 8)):
        found = draw(model, "translate", picture=url(noise(*size)), fit=fit)
        assert found.items.keys() >= PARTS - {"patches"}
        assert all(opened(item).size == size for item in found.items.values())
        assert (found.values["width"], found.values["height"]) == size
        patches = found.values.get("patches")
        if patches is not None:
            assert all(0 <= v <= 1 for row in patches for v in row)
            assert found.values["patch_px"] == 16


PALETTE = noise(50, 40).convert("P")
ODD = {
    "palette": url(noise(50, 40).convert("P")),
    "palette, clear": url(PALETTE, transparency=PALETTE.getpixel((0, 0))),
    "one bit": url(noise(50, 40).convert("1")),
    "gray and alpha": url(noise(50, 40, "LA")),
    "alpha": url(noise(50, 40, "RGBA")),
    "CMYK": url(noise(50, 40).convert("CMYK"), "JPEG"),
    "16 bits": url(Image.fromarray(np.arange(2000, dtype=np.uint16).reshape(40, 50) * 30)),
    "animated": url(noise(50, 40), "GIF", save_all=True, append_images=[noise(51, 40)]),
    "WebP": url(noise(50, 40), "WEBP"),
    "BMP": url(noise(50, 40), "BMP"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("fit", ["letterbox", "tiles"])
def test_every_format_comes_back_at_its_own_shape(model: Any, name: str, fit: str) -> None:
    found = draw(model, "translate", picture=ODD[name], fit=fit)
    clear = name in ("palette, clear", "gray and alpha", "alpha")
    output = opened(found.items["output"])
    assert output.size == (50, 40)
    assert output.mode == ("RGBA" if clear else "RGB")
    assert len(found.values["notes"]) == (name == "animated")


def test_a_picture_is_turned_upright(model: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = draw(model, "translate", picture=url(noise(60, 20), "JPEG", exif=exif.tobytes()))
    assert opened(found.items["output"]).size == (20, 60)


def test_a_large_picture_is_reduced_for_the_page_and_whole_in_full(model: Any) -> None:
    picture = url(Image.new("RGB", (3000, 1500), "teal"), "JPEG")
    page = draw(model, "translate", picture=picture, detail=False)
    assert opened(page.items["output"]).size == (1024, 512)
    assert page.items.keys() == {"output", "input"}
    assert "3000 × 1500" in page.values["notes"][0]
    full = draw(model, "translate", picture=picture, full=True)
    assert opened(full.items["output"]).size == (3000, 1500)
    assert full.items.keys() == {"output"}


def test_what_would_take_too_long_is_reduced_and_said(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = url(noise(400, 200))
    assert draw(model, "translate", picture=picture, fit="tiles").values["worked_width"] == 400
    monkeypatch.setattr("engine.translation_crossing.MOST_WORK", 1e8)
    found = draw(model, "translate", picture=picture, fit="tiles")
    assert found.values["worked_width"] < 400
    assert opened(found.items["output"]).size == (400, 200)
    assert "would take too long" in found.values["notes"][0]


def test_a_run_that_trains_waits_less_long(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    learner, _ = model
    alone = learner._room("a2b", 1)
    monkeypatch.setattr(learner, "next_batch", lambda: None)
    assert learner._room("a2b", 1) < alone


def test_in_bands_or_whole_is_the_same_picture(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    args = {"picture": url(noise(200, 120)), "fit": "tiles"}
    whole = draw(model, "translate", **args)
    monkeypatch.setattr("engine.translation_crossing.WHOLE_PIXELS", 1)
    bands = draw(model, "translate", **args)
    assert bands.values["cycle_l1"] == pytest.approx(whole.values["cycle_l1"], abs=1e-3)
    a, b = (np.asarray(opened(v.items["output"])).astype(int) for v in (whole, bands))
    assert np.abs(a - b).mean() < 2  # both went through JPEG


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({}, "picture"),
        ({"picture": "hello"}, "picture"),
        ({"picture": 3}, "picture"),
        ({"picture": "data:image/png;base64,###"}, "picture"),
        ({"index": 20}, "index"),
        ({"index": -1}, "index"),
        ({"index": 1.5}, "index"),
        ({"index": 0, "split": "validation"}, "split"),
        ({"index": 0, "direction": "a2a"}, "direction"),
        ({"index": 0, "direction": ["a2b"]}, "direction"),
        ({"index": 0, "fit": "stretch"}, "fit"),
    ],
)
def test_wrong_arguments_are_refused_by_name(model: Any, args: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as error:
        draw(model, "translate", **args)
    assert error.value.field == field


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 50)])
def test_slivers_are_refused(model: Any, size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="each side needs at least 4"):
        draw(model, "translate", picture=url(noise(*size)))


def test_a_torn_picture_is_refused(model: Any) -> None:
    head, data = url(noise(60, 60)).split(",")
    with pytest.raises(DataError, match="damaged or cut short"):
        draw(model, "translate", picture=f"{head},{data[: len(data) // 8 * 4]}")


def test_broken_weights_still_give_a_picture() -> None:
    data = data_of()
    learner = learner_of(data=data)
    for parameter in learner.generators.parameters():
        parameter.data.fill_(float("nan"))
    found = draw((learner, data), "translate", index=0)
    assert found.items.keys() >= PARTS
    draw((learner, data), "hidden", index=0)


def test_an_imported_direction_goes_one_way() -> None:
    data = data_of()
    learner = learner_of(data=data)
    learner.lacking = frozenset(("b2a", "judges"))
    found = draw((learner, data), "translate", picture=url(noise(40, 30)))
    assert found.items.keys() == {"output", "input"}
    assert [n for n in found.values["notes"] if "no way back" in n or "no patch map" in n]
    assert draw((learner, data), "examples").items == {}
    for view, way in (("translate", "b2a"), ("hidden", "a2b"), ("hidden", "b2a")):
        with pytest.raises(Rejected, match="no weights for B to A"):
            draw((learner, data), view, index=0, direction=way)


# ---------------------------------------------------------------------- the steganography test


def test_no_change_leaves_the_way_back_as_it_is(model: Any) -> None:
    found = draw(model, "hidden", index=2, amount=0.0)
    assert found.values["cycle_l1_before"] == pytest.approx(found.values["cycle_l1_after"])
    assert found.values["change_l1"] == 0
    names = {"translation", "changed", "back_before", "back_after", "input"}
    assert found.items.keys() == names | {"residual_before", "residual_after"}


def test_noise_and_jpeg_are_as_strong_as_was_asked(model: Any) -> None:
    mean_of_absolute = (2 / np.pi) ** 0.5 / 255
    found = draw(model, "hidden", index=2, amount=4.0).values
    assert found["change_l1"] == pytest.approx(4 * mean_of_absolute, rel=0.05)
    assert found == draw(model, "hidden", index=2, amount=4.0).values
    worse = draw(model, "hidden", index=2, kind="jpeg", amount=5).values["change_l1"]
    assert worse > draw(model, "hidden", index=2, kind="jpeg", amount=95).values["change_l1"]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"kind": "blur"}, "kind"),
        ({"amount": -1.0}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"kind": "jpeg", "amount": 0}, "amount"),
        ({"kind": "jpeg", "amount": 101}, "amount"),
    ],
)
def test_other_changes_are_refused(model: Any, args: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected) as error:
        draw(model, "hidden", index=0, **args)
    assert error.value.field == field


# ---------------------------------------------------------------------- sheets


def test_examples_are_thumbnails_of_the_rows_that_they_name(model: Any) -> None:
    _, data = model
    found = draw(model, "examples", count=6, seed=1)
    places = found.values["indices"]
    assert len(set(places)) == 6
    tiles = np.asarray(opened(found.items["b"])).reshape(32, 6, 32, 3).transpose(1, 3, 0, 2)
    assert np.abs(tiles.astype(int) - data.test.pixels[places, 3:].numpy()).mean() < 4  # JPEG
    assert draw(model, "examples", count=48).values["indices"] != places
    assert len(draw(model, "examples", count=48).values["indices"]) == 20


def test_large_data_have_small_thumbnails() -> None:
    data = data_of(side=128)
    found = draw((learner_of(data=data), data), "examples", count=3)
    assert found.items["a"].tile == (64, 64)  # type: ignore[union-attr]


def test_pairs_stand_beside_their_translations(model: Any) -> None:
    found = draw(model, "pairs", start=18, count=12)
    shown = found.items["sheet"]
    assert isinstance(shown, Sheet)
    assert (shown.rows, shown.columns) == (2, 6)
    assert found.values["indices"] == [18, 19]
    one = draw(model, "translate", index=19, direction="b2a").values
    assert found.values["l1"]["b2a"][1] == pytest.approx(one["truth_l1"], abs=1e-4)


def test_without_pairs_there_is_no_truth() -> None:
    data = data_of(paired=False)
    model = learner_of(data=data), data
    assert "truth" not in draw(model, "translate", index=0).items
    found = draw(model, "pairs", count=3).values
    assert "l1" not in found
    assert found["columns"][2] == "back_a"


def test_the_pool_is_shown_as_far_as_it_is_filled() -> None:
    data = data_of()
    learner = learner_of(data=data, pool_size=5)
    assert "empty" in draw((learner, data), "pool").values["note"]
    learner.pools["pool.a"].exchange(torch.zeros(3, 3, 32, 32))  # type: ignore[attr-defined]
    found = draw((learner, data), "pool")
    assert found.values["filled"] == {"a": 3, "b": 0}
    assert found.items.keys() == {"a"}
    assert found.values["note"] == ""
    assert "switched off" in draw((learner_of(pool_size=0), data), "pool").values["note"]
    assert "pix2pix has no pool" in draw((learner_of("pix2pix"), data), "pool").values["note"]


def test_the_architecture_tells_what_a_patch_is() -> None:
    data = data_of()
    for key, channels in (("cyclegan", 3), ("pix2pix", 6)):
        found = draw((learner_of(key), data), "architecture").values
        assert found["judged_channels"] == channels
        assert (found["receptive_field"], found["patch_grid"]) == (16, [14, 14])
        assert found["generator"][-1]["output"] == [3, 32, 32]


# ---------------------------------------------------------------------- live


def test_a_persons_own_picture_comes_first_in_both_domains(model: Any) -> None:
    learner, data = model
    plain = learner.draw_live("translations", 0, data)
    assert (plain.rows, plain.columns) == (8, 8)
    learner.look["translations"] = {"picture": url(Image.new("RGB", (20, 20), (0, 90, 0)))}
    try:
        own = learner.draw_live("translations", 0, data)
        assert (own.rows, own.columns) == (8, 9)
        sheet = np.asarray(opened(own)).astype(int)
        for row in (0, 3):
            tile = sheet[32 * row + 4 : 32 * row + 28, 4:28]
            assert np.abs(tile - (0, 90, 0)).max() < 12  # JPEG
        learner.look["translations"] = {"index": 7, "direction": "a2b"}
        assert learner.draw_live("translations", 1, data).columns == 9
        for wrong in ({"index": 99}, {"hue": 3}, {"picture": "x"}, {"index": 1, "split": "all"}):
            learner.look["translations"] = wrong
            with pytest.raises(PlaygroundError):
                learner.draw_live("translations", 2, data)
    finally:
        learner.look.clear()


# ---------------------------------------------------------------------- the terminal


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CycleGAN on the emoji, three steps old."""
    path = tmp_path_factory.mktemp("saved") / "tiny.safetensors"
    values = [x for k, v in TINY.items() for x in ("--set", f"{k}={v}")]
    args = ["train", "cyclegan", *values, "--max-steps", "3", "--weights-only", "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.evaluation.full_metrics", lambda *_: {})
        assert door.main([*args, "--out", str(path), "--json"]) == 0
    return path


def test_the_terminal_translates(saved: Path, terminal: Terminal, tmp_path: Path) -> None:
    source, out, cycle = (tmp_path / n for n in ("a.png", "b.png", "c.jpg"))
    noise(90, 50, "RGBA").save(source)
    done = terminal("translate", saved, source, "--out", out, "--cycle", cycle)
    assert done[0] == 0, done
    assert "a2b" in done[1]
    with Image.open(out) as image:
        assert (image.size, image.mode) == ((90, 50), "RGBA")
    with Image.open(cycle) as image:
        assert (image.size, image.mode) == ((90, 50), "RGB")
    args = ("--direction", "b2a", "--fit", "tiles", "--json")
    code, text, _ = terminal("translate", saved, source, *args, "--out", out)
    assert code == 0
    told = json.loads(text)
    assert (told["direction"], told["fit"], told["width"]) == ("b2a", "tiles", 90)


def test_the_terminal_refuses_in_one_sentence(
    saved: Path, terminal: Terminal, tmp_path: Path
) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(b"")
    assert "a.png is empty" in refused(terminal("translate", saved, source, "--out", out))
    noise(20, 20).save(source)
    for args, word in (
        ((saved, tmp_path / "none.png", "--out", out), "none.png"),
        ((tmp_path / "none", source, "--out", out), "none"),
        ((saved, source, "--out", tmp_path / "b.txt"), "PNG"),
        ((saved, source, "--out", tmp_path / "no" / "b.png"), "cannot be written"),
        ((saved, source, "--out", out, "--direction", "up"), "direction"),
        ((checkpoint.find("vae/mnist-2d"), source, "--out", out), "translate"),
    ):
        assert word in refused(terminal("translate", *args))
    assert not out.exists()
