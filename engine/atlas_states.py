"""What has become of each GAN of the atlas: covered, partly, collapsed, orbiting, diverged.

Judged are POINTS points that a cell draws now, from noise that is the same for all cells, and
the last looks at a few points of it, 50 steps apart (`engine.models.gan2d_atlas`).

*Places* divide the plane: a point belongs to the nearest. They are the modes of a mixture where
two or more are known, otherwise up to SPOTS points of the data, far from each other. A place is
*occupied* when it has at least 20 % of its fair share of all points; a mode is *reached* when as
many lie within max(3 sd, 0.15 of the distance to the next mode) of it. (3 sd alone is the
published count; it is told too, but a small network in its first minute is rarely so exact.)
The rules, in this order; R is the data's reach, the largest distance from their mean:

1. diverged: the gradient is not finite any more; from step 200 on also when half of the points
   are further than 3 R away.
2. too early: fewer than 200 steps.
3. covered: every mode is reached and half of all points are that near to a mode; without modes:
   Jensen-Shannon divergence from the data at most 0.15 nats on `engine.modes`' grid.
4. narrow are cells that occupy fewer than half of the places, now and on average over the looks,
   or spread less than a quarter as far as the data. A narrow cell is
   orbiting when from one look to the next 25 % or more of its points change place, on average,
   collapsed otherwise.
5. partly: all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.base import Dataset
from engine.modes import CELLS, QUALITY_DISTANCE, STRICT_SHARE, Grid

STATES = ("early", "covered", "partly", "collapsed", "orbiting", "diverged")
EARLY, COVERED, PARTLY, COLLAPSED, ORBITING, DIVERGED = range(len(STATES))
POINTS = 512
FIRST = 200  # steps before which nothing is told
REACH = 0.15  # of the distance between neighbouring modes; from experience
NEAR = 0.5  # share of points that must be near a mode; a plain circle through 8 modes has 0.3
JS_NATS = 0.15  # from experience; a perfect sampler has about 0.03, the largest is ln 2
SPREAD = 0.25  # of the data's
MOVING = 0.25  # share of points; still cells stay below 0.1, jumping ones are above 0.5
OUTSIDE = 3.0  # times the data's reach
SPOTS = 16
LEAST = 500  # test points; data drawn by hand have fewer, and are measured by what is trained on


@dataclass(frozen=True)
class Reading:
    """What is told of each cell, arrays (C): state, modes, published strict count, quality."""

    state: np.ndarray
    modes: np.ndarray
    strict: np.ndarray
    quality: np.ndarray


class Ruler:
    """What a data set is measured with; built once, in about 20 ms."""

    def __init__(self, dataset: Dataset) -> None:
        points = reference(dataset).astype(np.float64)
        self.center = points.mean(0)
        self.reach = float(np.linalg.norm(points - self.center, axis=1).max())
        self.spread = float(points.std(0).mean())
        low, high = points.min(0), points.max(0)
        side = 0.62 * float((high - low).max())  # a square with a margin
        x, y = (low + high) / 2
        self.extent = (x - side, x + side, y - side, y + side)
        mixture = dataset.mixture
        self.mixture = mixture if mixture is not None and len(mixture.means) > 1 else None
        if self.mixture is not None:
            self.places = self.mixture.means
            self.fair = np.full(len(self.places), 1 / len(self.places))
            gaps = np.linalg.norm(self.places[:, None] - self.places[None], axis=2)
            gap = float(gaps[gaps > 0].min())
            self.exact = QUALITY_DISTANCE * self.mixture.sd
            self.near = max(self.exact, REACH * gap)
        else:
            self.grid = Grid.of(dataset.train.images)
            some = points[:2000]
            self.places = spots(some, min(SPOTS, len(np.unique(some, axis=0))))
            nearest, _ = nearest_places(some[None], self.places)
            self.fair = shares(nearest, self.total)[0]

    @property
    def total(self) -> int:
        """How many modes, or places where none are known, there are to cover."""
        return len(self.places)

    def read(self, points: np.ndarray, looks: np.ndarray, alive: np.ndarray, steps: int) -> Reading:
        """Judge cells by points (C, N, 2), looks (K, C, n, 2), oldest first, and `alive` (C)."""
        nearest, distance = nearest_places(points, self.places)
        occupied = self._enough(nearest)
        if self.mixture is not None:
            near = distance < self.near
            good = distance < self.exact
            modes = self._enough(nearest, near)
            strict, quality = self._enough(nearest, good), good.mean(1)
            covered = (modes == self.total) & (near.mean(1) >= NEAR)
        else:
            counts = grid_counts(points, self.grid)
            modes = strict = occupied
            quality = (counts[:, self.grid.data > 0].sum(1)) / points.shape[1]
            covered = jensen_shannon(counts / points.shape[1], self.grid.data) <= JS_NATS
        moving, before = self._history(looks)
        half = self.total / 2
        few = (occupied < half) & (np.where(np.isnan(before), occupied, before) < half)
        narrow = few | (points.std(1).mean(1) < SPREAD * self.spread)
        far = np.linalg.norm(points - self.center, axis=2) > OUTSIDE * self.reach
        state = np.full(len(points), PARTLY, np.uint8)
        state[narrow] = np.where(moving[narrow] >= MOVING, ORBITING, COLLAPSED)
        state[covered] = COVERED
        state[far.mean(1) >= 0.5] = DIVERGED
        if steps < FIRST:
            state[:] = EARLY
        state[~alive] = DIVERGED
        return Reading(
            state, modes.astype(np.uint8), strict.astype(np.uint8), quality.astype(np.float32)
        )

    def _enough(self, nearest: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
        """Return how many places (C) have 20 % of their fair share of the points counted."""
        return (shares(nearest, self.total, counted) >= STRICT_SHARE * self.fair).sum(1)

    def _history(self, looks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of points that change place from look to look, and places occupied."""
        count, cells = looks.shape[:2]
        if count < 2:
            return np.zeros(cells), np.full(cells, np.nan)
        nearest, _ = nearest_places(looks.reshape(count * cells, *looks.shape[2:]), self.places)
        share = shares(nearest, self.total).reshape(count, cells, -1)
        moved = 0.5 * np.abs(np.diff(share, axis=0)).sum(2).mean(0)
        return moved, (share >= STRICT_SHARE * self.fair).sum(2).mean(0)


def reference(dataset: Dataset) -> np.ndarray:
    """Return points (N, 2) that stand for the data: the test split's, where it has enough."""
    return (dataset.test if len(dataset.test) >= LEAST else dataset.train).images


def nearest_places(points: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for points (C, N, 2) the nearest of the places (M, 2), and how far it is, (C, N)."""
    x, p = points.astype(np.float32), places.astype(np.float32)
    square = (x[..., :1] - p[:, 0]) ** 2 + (x[..., 1:] - p[:, 1]) ** 2  # C, N, M
    nearest = square.argmin(2)
    return nearest, np.sqrt(np.take_along_axis(square, nearest[..., None], 2)[..., 0])


def shares(nearest: np.ndarray, total: int, counted: np.ndarray | None = None) -> np.ndarray:
    """Return each place's share (C, M) of all points (C, N), of those counted alone if given."""
    cells, count = nearest.shape
    flat = nearest + total * np.arange(cells)[:, None]
    chosen = flat.ravel() if counted is None else flat[counted]
    return np.bincount(chosen, minlength=cells * total).reshape(cells, total) / count


def spots(points: np.ndarray, count: int) -> np.ndarray:
    """Return points that lie far from each other: each the farthest from all before it."""
    found = [points[0]]
    distance = np.full(len(points), np.inf)
    for _ in range(count - 1):
        distance = np.minimum(distance, np.linalg.norm(points - found[-1], axis=1))
        found.append(points[distance.argmax()])
    return np.stack(found)


def grid_counts(points: np.ndarray, grid: Grid) -> np.ndarray:
    """Count the points (C, N, 2) of each cell of the grid; the last place is all outside."""
    place = np.floor((points - grid.low) / grid.width)
    inside = ((place >= 0) & (place < CELLS)).all(2)
    size = CELLS * CELLS + 1
    flat = np.where(inside, place[..., 0] * CELLS + place[..., 1], CELLS * CELLS).astype(np.int64)
    flat += size * np.arange(len(points))[:, None]
    return np.bincount(flat.ravel(), minlength=size * len(points)).reshape(len(points), size)


def jensen_shannon(shares: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the divergence of shares (C, M) from the data's (M), in nats."""
    middle = (shares + data) / 2
    return np.maximum(_entropy(middle) - (_entropy(shares) + _entropy(data)) / 2, 0.0)


def _entropy(shares: np.ndarray) -> np.ndarray:
    filled = np.where(shares > 0, shares, 1.0)
    return -(filled * np.log(filled)).sum(-1)
