from __future__ import annotations

import ast
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from engine.errors import NotFound
from playground import downloads, film

RUN = {
    "id": "abc",
    "title": 'Odd """ title \\',
    "model": "vae",
    "dataset": "mnist",
    "config": {"beta": 4.0, "learning_rate": 0.001},
    "seed": 3,
    "step": 50,
    "max_steps": 100,
    "parent": None,
}


def test_metrics_are_one_table() -> None:
    events = [
        {"step": 1, "split": "train", "values": {"loss": 2.0, "beta": 1.0}},
        {"step": 1, "split": "test", "values": {"loss": None, "elbo_nats": -3.5}},
    ]
    assert downloads.metrics_csv(events).splitlines() == [
        "step,split,beta,elbo_nats,loss",
        "1,train,1.0,,2.0",
        "1,test,,-3.5,",
    ]


def test_a_script_starts_with_the_values_before_the_live_changes() -> None:
    changed = [
        {"step": 10, "field": "beta", "old": 1.0, "new": 2.0},
        {"step": 20, "field": "beta", "old": 2.0, "new": 4.0},
    ]
    text = downloads.script(RUN, changed)
    call = next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RunSpec"
    )
    given = {k.arg: k.value for k in call.keywords}
    assert ast.literal_eval(given["config"]) == {"beta": 1.0, "learning_rate": 0.001}
    assert ast.literal_eval(given["changes"]) == ((10, "beta", 2.0), (20, "beta", 4.0))
    assert ast.unparse(given["budget"]) == "Budget(max_steps=50)"


def test_a_script_of_a_fork_says_from_what() -> None:
    text = downloads.script({**RUN, "parent": {"checkpoint": "vae/mnist-2d", "step": None}}, [])
    assert "vae/mnist-2d" in text
    ast.parse(text)


def sheet(shade: int) -> dict:
    buffer = io.BytesIO()
    Image.fromarray(np.full((30, 30), shade, np.uint8)).save(buffer, "PNG")
    return {
        "type": "sheet",
        "src": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(),
    }


def points(count: int) -> dict:
    xy = np.random.default_rng(count).normal(size=(count, 2)).astype("<f4")
    return {
        "type": "points",
        "xy": base64.b64encode(xy.tobytes()).decode(),
        "labels": base64.b64encode(bytes(i % 10 for i in range(count))).decode(),
    }


def plane(y: float) -> dict:
    surface = np.tile(np.array([0.0, 1.0], "<f4"), (2, 1))
    points = np.array([[0, 0], [0, y], [9, 9]], "<f4")  # the last is out of the picture
    made = {"surface": surface, "generated": points}
    arrays = {
        name: {
            "dtype": "f4",
            "shape": list(array.shape),
            "data": base64.b64encode(array.tobytes()).decode(),
        }
        for name, array in made.items()
    }
    return {"type": "arrays", "arrays": arrays, "values": {"extent": [-2, 2, -2, 2]}}


def timeline(*views: dict) -> bytes:
    frames = [{"step": i, "views": v} for i, v in enumerate(views)]
    return json.dumps({"frames": frames}).encode()


@pytest.mark.parametrize("make", [lambda i: sheet(i * 60), lambda i: points(i * 40)])
def test_a_film_has_a_frame_for_every_kept_picture(make: object) -> None:
    data = film.film(timeline(*[{"grid": make(i)} for i in range(4)]), "grid")  # type: ignore[operator]
    made = Image.open(io.BytesIO(data))
    assert made.format == "WEBP"
    assert made.n_frames == 4  # type: ignore[attr-defined]


def test_a_film_of_the_lab_shows_the_surface_and_the_points() -> None:
    data = film.film(timeline(*[{"lab": plane(0.1 + 0.2 * i)} for i in range(3)]), "lab")
    made = Image.open(io.BytesIO(data))
    assert made.n_frames == 3  # type: ignore[attr-defined]
    pixels = np.asarray(made.convert("RGB")).astype(int)
    high, wide = pixels.shape[:2]
    left, right = pixels[high // 4, wide // 8], pixels[high // 4, -wide // 8]
    assert right[2] > right[0]  # D says "real": blue
    assert left[0] > left[2]  # "generated": orange
    dot = pixels[high // 2 - 2 : high // 2 + 3, wide // 2 - 2 : wide // 2 + 3].reshape(-1, 3)
    assert (dot[:, 0] - dot[:, 2]).max() > 100  # a generated point


def test_a_film_of_nothing_says_what_there_is() -> None:
    with pytest.raises(NotFound, match="grid"):
        film.film(timeline({"grid": sheet(0)}), "map")
    with pytest.raises(NotFound):
        film.film(timeline(), "map")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.zip", "y.zip"),
        ("a\x00b\u202ec", "abc"),
        ("  ", ""),
        ("한글.png", "한글.png"),
        ("x" * 300, "x" * 60),
    ],
)
def test_names_are_shown_clean(given: str, shown: str) -> None:
    assert downloads.clean_name(given) == shown
