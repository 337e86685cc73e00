"""Points of the plane that a generator can be watched on: rings, grids, moons, a spiral.

Each is a function of nothing: 100,000 points to train on and 10,000 to test with, drawn once from
a fixed seed, in mixed order, the same number of each mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.data.base import About, Dataset, Mixture, Split, fingerprint

TRAIN, TEST = 100_000, 10_000
MODELS = ("gan2d", "gan2d_atlas")
SOURCE, LICENCE = "drawn by formula", "none needed"
_SEED = 20140610  # the day of Goodfellow et al., arXiv 1406.2661

Labels = np.ndarray
Draw = Callable[[np.random.Generator, Labels], np.ndarray]

_TURN = 2 * math.pi * np.arange(8) / 8  # not linspace to the full turn: that has 7 modes
RING8 = Mixture(np.stack([np.cos(_TURN), np.sin(_TURN)], 1), 0.01)
_LINES = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
GRID25 = Mixture(np.stack(np.meshgrid(_LINES, _LINES), -1).reshape(25, 2), 0.05)
GAUSSIAN = Mixture(np.array([[0.5, -0.25]]), 0.25)


def _moons(generator: np.random.Generator, labels: Labels) -> np.ndarray:
    """Two half circles of radius 1, each reaching into the other; deviation 0.05."""
    angle = math.pi * generator.random(len(labels))
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], 1)
    points = np.where(labels[:, None] == 0, upper, -upper)
    return points + 0.05 * generator.standard_normal(points.shape)


def _spiral(generator: np.random.Generator, labels: Labels) -> np.ndarray:
    """Two arms of one and a half turns, evenly filled along their length; deviation 0.02."""
    turn = 3 * math.pi * np.sqrt(0.01 + 0.99 * generator.random(len(labels)))
    radius = 1.2 * turn / (3 * math.pi) * np.where(labels == 0, 1, -1)
    points = radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    return points + 0.02 * generator.standard_normal(points.shape)


def _modes(mixture: Mixture) -> Draw:
    def draw(generator: np.random.Generator, labels: Labels) -> np.ndarray:
        noise = generator.standard_normal((len(labels), 2))
        return mixture.means[labels] + mixture.sd * noise

    return draw


def _about(key: str, title: str, help: str, class_names: tuple[str, ...]) -> About:
    return About(
        key=key,
        title=title,
        help=help,
        class_names=class_names,
        shape=(2,),
        train=TRAIN,
        test=TEST,
        kind="points",
        models=MODELS,
    )


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"mode {i + 1}" for i in range(count))


ABOUT = (
    _about(
        "ring8",
        "Ring of 8",
        "Eight narrow Gaussians on the unit circle, standard deviation 0.01: the classic test "
        "of mode collapse.",
        _numbered(8),
    ),
    _about(
        "grid25",
        "Grid of 25",
        "Twenty-five Gaussians from -4 to 4, standard deviation 0.05; the networks see a "
        "quarter of the coordinates.",
        _numbered(25),
    ),
    _about(
        "moons", "Two moons", "Two half circles that reach into each other.", ("upper", "lower")
    ),
    _about(
        "spiral", "Spiral", "Two arms that wind around each other.", ("first arm", "second arm")
    ),
    _about("gaussian", "One Gaussian", "A single round cloud: nothing to collapse to.", ("all",)),
)
_DRAWN: dict[str, tuple[Draw, Mixture | None, float]] = {
    "ring8": (_modes(RING8), RING8, 1.0),
    "grid25": (_modes(GRID25), GRID25, 4.0),
    "moons": (_moons, None, 1.0),
    "spiral": (_spiral, None, 1.0),
    "gaussian": (_modes(GAUSSIAN), GAUSSIAN, 1.0),
}
KEYS = tuple(_DRAWN)


def load(key: str) -> Dataset:
    """Draw the data set `key`, one of `KEYS`; some 20 ms."""
    about = next(a for a in ABOUT if a.key == key)
    draw, mixture, scale = _DRAWN[key]
    generator = np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([_SEED, KEYS.index(key)]))
    )
    train, test = (_split(generator, draw, n, len(about.class_names)) for n in (TRAIN, TEST))
    return Dataset(
        key=key,
        title=about.title,
        train=train,
        test=test,
        class_names=about.class_names,
        source=SOURCE,
        licence=LICENCE,
        fingerprint=fingerprint(train, test, about.class_names),
        kind="points",
        scale=scale,
        mixture=mixture,
        models=MODELS,
    )


def _split(generator: np.random.Generator, draw: Draw, count: int, classes: int) -> Split:
    labels = generator.permutation(np.arange(count, dtype=np.int64) % classes)
    points = np.ascontiguousarray(draw(generator, labels), dtype=np.float32)
    return Split(points, labels)
