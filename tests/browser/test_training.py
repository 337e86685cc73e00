"""Training for real: what moves, what is kept, and every button of the panel.

The tests share one page. Each brings the run into the state that it needs, so that it also
passes by itself.
"""

from __future__ import annotations

import ast
import csv
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from engine import checkpoint

from .conftest import Open
from .page import ACTIVE, POINTS, RUN, Playground

LONG = 400_000  # steps: nobody waits for the end


@pytest.fixture
def running(page: Playground) -> Playground:
    """The page with a long run that is training."""
    if not at(page, "running", "paused") or page.run()["max_steps"] < LONG:
        page.stop()
        page.choose_preset("First look (10 s)")
        page.set_steps(LONG)
        page.train()
    if at(page, "paused"):
        page("#play-vae-pause").click()
    page.until_state("running")
    page.until("() => document.querySelector('#play-vae-pause').innerText === 'Pause'")
    page.until(f"() => {RUN}.step > 20")
    return page


@pytest.fixture
def paused(running: Playground) -> Playground:
    """The page with a long run that is paused."""
    running("#play-vae-pause").click()
    running.until_state("paused")
    return running


@pytest.fixture
def ended(page: Playground) -> Playground:
    """The page with a run of some dozen steps that was stopped or is finished."""
    if not at(page, "stopped", "finished"):
        page.stop()
    if not at(page, "stopped", "finished") or page.run()["step"] < 64:
        page.choose_preset("First look (10 s)")
        page.set_steps(64)
        page.train()
        page.until_state("finished")
    return page


def at(page: Playground, *states: str) -> bool:
    return page.value(f"{RUN}?.state") in states


def test_ten_seconds_of_training(page: Playground) -> None:
    page.choose_preset("First look (10 s)")
    page.until_quiet()
    before = page.points()
    painted = page.shown(".mon-chart[data-chart=elbo] canvas")
    page.train()
    page.until_state("running", "finished")
    page.until_points_move(before)
    page.until_shown(".mon-chart[data-chart=elbo] canvas", painted)
    page.until("() => document.querySelector('.x-badge').innerText.startsWith('live')")
    early = page.points()
    page.until(f"() => {RUN}.elapsed_s >= 10 || {RUN}.state === 'finished'")
    page.stop()
    page.until_points_move(early)
    _, elbo = page.curve("ELBO")
    assert elbo[-1] > elbo[0] + 100
    assert elbo[-1] > -210
    assert page.run()["steps_per_s"] > 0
    assert page.run()["epoch"] > 0


def test_a_live_change_is_marked_on_the_curve(running: Playground) -> None:
    value = 3 if running.run()["config"]["beta"] != 3 else 2
    running.set_number("beta", str(value))
    running.until(f"(value) => {RUN}.config.beta === value", value)
    running(".mon-legend").get_by_text("changed live").wait_for()
    running.until("() => document.querySelector('.mon-numbers').innerText.includes('Beta')")
    assert running.run()["state"] == "running"


def test_pause_holds_and_one_step_is_one_step(paused: Playground) -> None:
    assert paused("#play-vae-pause").inner_text() == "Resume"
    before = paused.run()["step"]
    paused("#play-vae-step").click()
    paused.until_step(before + 1)
    paused("#play-vae-step").click()
    paused.until_step(before + 2)
    assert paused.run()["step"] == before + 2
    assert paused.run()["state"] == "paused"


def test_keys_pause_step_and_go_on(paused: Playground) -> None:
    before = paused.run()["step"]
    paused.blur()
    paused.page.keyboard.press("ArrowRight")
    paused.until_step(before + 1)
    assert paused.run()["step"] == before + 1
    paused.page.keyboard.press("Space")
    paused.until_state("running")
    paused.until_step(before + 10)
    paused.page.keyboard.press("Space")
    paused.until_state("paused")


def test_a_reload_finds_the_run_again(paused: Playground) -> None:
    run = paused.run()
    curve = paused.curve("ELBO", run["step"])
    paused.reload()
    paused.until(f"(id) => {RUN}?.id === id", run["id"])
    assert paused.run()["state"] == "paused"
    assert paused.run()["step"] == run["step"]
    assert paused.value("window.Play.store.state.source")["run"] == run["id"]
    again = paused.curve("ELBO", run["step"])
    assert again[0][0] == curve[0][0] <= 40
    assert again[1] == curve[1]
    paused("#play-vae-pause").click()
    paused.until_step(run["step"] + 10)


def test_two_tabs_on_one_run(running: Playground) -> None:
    context = running.page.context
    second = Playground.open(context)
    try:
        second.until(f"(id) => {RUN}?.id === id", running.run()["id"])
        second.until_state("running")
        second("#play-vae-pause").click()
        second.until_state("paused")
        running.until_state("paused")
        running("#play-vae-pause").click()
        second.until_state("running")
    finally:
        second.page.close()


def test_stop_and_continue(running: Playground) -> None:
    running("#play-vae-stop").click()
    running.until_state("stopped")
    step, run_id = running.run()["step"], running.run()["id"]
    running("#play-vae-continue").click()
    running.until_state("running")
    assert running.run()["id"] == run_id
    running.until_step(step + 10)
    running.until("() => document.querySelector('#play-vae-stop').disabled === false")
    running("#play-vae-stop").click()
    running.until_state("stopped")
    steps, _ = running.curve("ELBO")
    assert steps[0] < step


def test_the_timeline_shows_how_the_map_formed(ended: Playground) -> None:
    slider = ended(".mon-slider")
    slider.wait_for()
    ended.until_quiet()
    live = ended.points()
    slider.focus()
    slider.press("Home")
    ended.until("() => window.Play.store.state.frame?.step === 0")
    ended.until_points_move(live)
    assert ended(".x-badge").inner_text() == "step 0 (past)"
    slider.press("ArrowRight")
    ended.until("() => window.Play.store.state.frame?.step > 0")
    ended(".mon-timeline").get_by_role("button", name="Back to the end").click()
    ended.until("() => window.Play.store.state.frame === null")
    ended.until(f"(live) => JSON.stringify(({POINTS})()) === JSON.stringify(live)", live)


def test_a_pinned_run_is_compared_with_the_next(ended: Playground) -> None:
    pin = ended(".mon-compare > button")
    if pin.get_attribute("aria-pressed") != "true":
        pin.click()
    first = ended.run()
    ended.set_number("beta", "8")
    ended.until_setting("beta", 8)
    ended.set_steps(60)
    ended.train()
    ended.until_state("finished")
    row = ended(".mon-pin")
    row.wait_for()
    assert "Beta 8 instead of" in row.inner_text()
    assert ended.run()["id"] != first["id"]
    row.get_by_role("button").click()
    row.wait_for(state="detached")


def test_downloads(ended: Playground, tmp_path: Path) -> None:
    fold = ended("details.play-section").filter(has_text="Downloads of this run")
    if fold.get_attribute("open") is None:
        fold.locator("summary").click()

    def fetch(name: str) -> Path:
        with ended.page.expect_download() as download:
            fold.get_by_role("link", name=name, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    run = ended.run()
    header = checkpoint.read_header(fetch("Checkpoint"))
    assert (header.model, header.step) == ("vae", run["step"])
    assert header.config == run["config"]
    rows = list(csv.DictReader(io.StringIO(fetch("Metrics (CSV)").read_text())))
    assert len(rows) > 5
    assert {"step", "split"} <= set(rows[0])
    ast.parse(fetch("Script").read_text())
    with Image.open(fetch("Film")) as film:
        assert film.n_frames > 3


def test_a_downloaded_checkpoint_can_be_opened(ended: Playground, tmp_path: Path) -> None:
    run = ended.run()
    address = f"{ended.value('location.origin')}/gradio_api/play/runs/{run['id']}/checkpoint"
    file = tmp_path / "mine.safetensors"
    file.write_bytes(ended.page.request.get(address).body())
    ended("#play-vae-checkpoint-file").set_input_files(file)
    ended.until("() => window.Play.store.state.source.checkpoint?.startsWith('upload/')")
    ended(".play-toast").filter(has_text="is open").wait_for()
    ended.page.get_by_role("button", name="Show the run").click()
    ended.until("(id) => window.Play.store.state.source.run === id", run["id"])
    ended.until_quiet()


def test_a_fork_goes_on_from_the_weights_on_screen(ended: Playground) -> None:
    first = ended.run()
    ended.until_quiet()
    ended.set_steps(10)
    ended("#play-vae-fork").click()
    ended.until(f"(id) => {RUN}.id !== id", first["id"])
    ended.until_state("finished")
    assert ended.run()["parent"]["run"] == first["id"]
    assert ended.run()["step"] == first["step"] + 10


def test_pictures_of_ones_own(page: Playground, tmp_path: Path) -> None:
    page.stop()
    archive = tmp_path / "shapes.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for number in range(30):
            for name in ("ring", "bar"):
                zipped.writestr(f"{name}/{number}.png", shape(name, number))
    form = page(".play-pictures")
    if not form.is_visible():
        page(".play-fold").filter(has_text="Use my own pictures").locator("button").first.click()
    form.wait_for()
    form.locator("input[type=file]").set_input_files(archive)
    form.get_by_role("button", name="Upload").click()
    form.get_by_text("is ready").wait_for()
    page.until("() => !['mnist', 'fashion'].includes(window.Play.store.settings().dataset)")
    page.set_steps(20)
    page.train()
    page.until_state("finished")
    assert [b.inner_text() for b in page(".x-legend button").all()] == ["bar", "ring"]
    page.until_quiet()


def shape(name: str, number: int) -> bytes:
    """Return a small picture as PNG, another one for every number."""
    picture = Image.new("L", (40, 40), 0)
    draw = ImageDraw.Draw(picture)
    box = [4 + number % 6, 4 + number // 6, 30 + number % 6, 34]
    if name == "ring":
        draw.ellipse(box, outline=255, width=4)
    else:
        draw.rectangle([box[0] + 8, box[1], box[0] + 14, box[3]], fill=255)
    held = io.BytesIO()
    picture.save(held, "PNG")
    return held.getvalue()


def test_a_share_link_opens_the_same_view(ended: Playground, new_person: Open) -> None:
    ended.until_quiet()
    ended.click_map(0.4, 0.6)
    ended.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ended("#play-share").click()
    ended(".play-toast").get_by_text("Link copied").wait_for()
    link = ended.value("navigator.clipboard.readText()")
    viewer = new_person(link)
    viewer.until(f"(id) => {RUN}?.id === id", ended.run()["id"])
    viewer.until("() => window.Play.store.state.point?.from === 'link'")
    assert viewer.point()["z"] == pytest.approx(ended.point()["z"], rel=1e-3)
    assert viewer.value("window.Play.store.settings()") == ended.value(
        "window.Play.store.settings()"
    )
    assert viewer.run()["owner_is_you"] is False
    viewer.page.get_by_text("This run belongs to someone else").wait_for()
    assert viewer("#play-vae-stop").is_disabled()
    assert viewer("#play-vae-continue").is_hidden()
    assert viewer(".play-list").first.locator("li").count() == 0
    # Whoever came by a link and then trains finds the own run after a reload, not the link's.
    viewer.set_steps(20)
    own = viewer.train()
    viewer.until_state("finished")
    viewer.reload()
    viewer.until(f"(id) => {RUN}?.id === id", own)
    viewer.page.close()


def test_a_run_of_another_size_takes_the_place(page: Playground) -> None:
    page.stop()
    page.set_number("latent_dim", "6")
    page.until_setting("latent_dim", 6)
    page.set_steps(30)
    page.train()
    page.until_state("finished")
    page.until("(id) => window.Play.store.state.source.run === id", page.run()["id"])
    page.tab("dimensions")
    page.until("() => document.querySelectorAll('.x-dimension').length === 6")
    page.until_quiet()


def test_divergence_says_why_and_offers_the_way_back(page: Playground) -> None:
    page.stop()
    page.choose_preset("Break it: divergence (learning rate 1)")
    page.train()
    page.until_state("diverged", "finished")
    run = page.run()
    assert run["state"] == "diverged"
    trouble = page(".play-transport .play-error").filter(has_text="diverged at step")
    assert f"Rewind to step {run['rewind']['step']}" in trouble.inner_text()
    page(".mon-alert.bad").wait_for()
    page("#play-vae-rewind").click()
    page.until_state("running", "finished")
    assert page.run()["id"] == run["id"]
    rate = page.run()["config"]["learning_rate"]
    assert rate == pytest.approx(run["rewind"]["learning_rate"])
    page.until_step(run["rewind"]["step"] + 30)
    trouble.wait_for(state="hidden")
    page.until("() => Number.isFinite(window.Play.store.state.run.steps_per_s)")
    _, elbo = page.curve("ELBO")
    assert elbo[-1] > -1000, "the rewound run is as broken as before"
    page("#play-vae-stop").click()
    page.until_state("stopped", "finished")
    assert page.run()["state"] not in ACTIVE


def test_two_people_train_at_once(page: Playground, new_person: Open) -> None:
    page.stop()
    other = new_person()
    runs = []
    for person in (page, other):
        person.choose_preset("First look (10 s)")
        person.set_steps(LONG)
        runs.append(person.train())
    for person in (page, other):
        person.until_state("running")
    steps = [person.run()["step"] for person in (page, other)]
    for person, step in zip((page, other), steps, strict=True):
        person.until_step(step + 20)
    assert [page.run()["id"], other.run()["id"]] == runs
    assert other(".play-list").first.locator("li").count() == 1
    other("#play-vae-pause").click()
    other.until_state("paused")
    page.until_step(page.run()["step"] + 10)
    assert page.run()["state"] == "running"
    other("#play-vae-stop").click()
    other.until_state("stopped")
    page.stop()
