"""What a person may do wrong: one sentence at the place, nothing sent, nothing lost."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from urllib.parse import urlencode

from .page import RUN, Playground
from .watch import Watch


def note(page: Playground, name: str) -> str:
    """Return the sentence at a control, once there is one."""
    place = page(f"#play-vae-{name} .play-field-note.wrong")
    place.wait_for()
    return place.inner_text()


def put_right(page: Playground, name: str, text: str) -> None:
    page.set_number(name, text)
    page(f"#play-vae-{name} .play-field-note.wrong").filter(has_text=".").wait_for(state="detached")


def test_a_latent_dimension_out_of_range(page: Playground) -> None:
    page.set_number("latent_dim", "200", leave=False)
    assert note(page, "latent_dim") == (
        "Latent dimension must be a whole number from 1 to 64; got 200."
    )
    page.blur()  # Gradio's slider then takes the nearest value that is allowed
    page.until_setting("latent_dim", 64)
    put_right(page, "latent_dim", "2")


def test_a_learning_rate_out_of_range(page: Playground) -> None:
    good = page.setting("learning_rate")
    page.set_number("learning_rate", "20")
    sentence = "Learning rate must be 0.000001 to 10; got 20."
    assert note(page, "learning_rate") in (sentence, sentence.replace("0.000001", "1e-6"))
    with page.requests() as asked:
        page("#play-vae-train").click()
        page(".play-transport .play-error").first.wait_for()
    assert not any("/runs" in request for request in asked)
    assert page.value(RUN) is None
    put_right(page, "learning_rate", str(good))


def test_a_learning_rate_that_is_no_number(page: Playground) -> None:
    good = page.setting("learning_rate")
    page.set_number("learning_rate", "fast")
    assert note(page, "learning_rate") == "Learning rate needs a number."
    page("#play-vae-train").click()
    refusal = page(".play-transport .play-error").first
    refusal.filter(has_text="Learning rate needs a number.").wait_for()
    put_right(page, "learning_rate", str(good))


def test_steps_that_are_none(page: Playground) -> None:
    page.set_number("amount", "0")
    assert note(page, "amount").startswith("Train for must be a whole number from 1 to")
    put_right(page, "amount", "1000")


def test_quick_typing_is_not_lost(page: Playground) -> None:
    page.choose_preset("First look (10 s)")
    page.set_number("latent_dim", "7")
    page.until_setting("latent_dim", 7)
    field = page("#play-vae-latent_dim input[type=number]")
    assert field.input_value() == "7"
    assert page.value("window.Play.store.settings().preset") is None
    page.choose_preset("First look (10 s)")
    page.until_setting("latent_dim", 2)
    page.until_other("#play-vae-latent_dim input[type=number]", "7", "value")
    assert field.input_value() == "2"


def test_a_link_with_values_that_are_no_good(page: Playground, watch: Watch) -> None:
    watch.expect(r"404 .*/runs/no-such-run")
    bad = {"latent_dim": "200", "learning_rate": "fast", "beta": "NaN", "run": "no-such-run"}
    bad |= {"checkpoint": "../../etc/passwd", "z": "1,2,x"}
    page.go(f"/?{urlencode(bad)}")
    toast = page(".play-toast").filter(has_text="could not be used")
    toast.wait_for()
    left_out = toast.inner_text()
    assert all(name in left_out for name in bad), left_out
    assert page.setting("latent_dim") == 2
    page.go("/")


def test_a_file_that_is_no_checkpoint(page: Playground, watch: Watch, tmp_path: Path) -> None:
    watch.expect(r"refused: 400 .*/checkpoints")
    pickled = tmp_path / "model.safetensors"
    pickled.write_bytes(pickle.dumps({"weights": [1.0, 2.0]}, protocol=2))
    page("#play-vae-checkpoint-file").set_input_files(pickled)
    error = page("#play-vae-panel-files .play-error")
    error.filter(has_text="safetensors").wait_for()
    assert error.inner_text().endswith(".")
    shown = page.value("window.Play.store.state.source")
    assert shown == {"checkpoint": "vae/mnist-2d"}


def test_pictures_that_are_none(page: Playground, watch: Watch, tmp_path: Path) -> None:
    watch.expect(r"refused: 400 .*/pictures")
    fold = page(".play-fold").filter(has_text="Use my own pictures")
    if not page(".play-pictures").is_visible():
        fold.locator("button").first.click()
    form = page(".play-pictures")
    form.wait_for()
    form.get_by_role("button", name="Upload").click()
    error = form.locator(".play-error")
    error.filter(has_text="Choose a zip or some picture files first.").wait_for()

    text = tmp_path / "holiday.png"
    text.write_text("no picture at all")
    climbing = io.BytesIO()
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("../../outside.png", b"no picture either")
    zipped = tmp_path / "climbing.zip"
    zipped.write_bytes(climbing.getvalue())
    for file in (text, zipped):
        form.locator("input[type=file]").set_input_files(file)
        form.get_by_role("button", name="Upload").click()
        error.filter(has_text=file.stem).or_(error.filter(has_text="outside")).wait_for()
        assert error.inner_text().endswith(".")


def test_a_drawing_that_is_no_picture(page: Playground, tmp_path: Path) -> None:
    file = tmp_path / "notes.png"
    file.write_text("not a picture")
    panel = page.tab("draw")
    panel.locator("input[type=file]").set_input_files(file)
    sentence = "notes.png is no picture that this browser can read."
    panel.locator(".play-error").filter(has_text=sentence).wait_for()
