"""How well generated points cover the data: modes of a mixture, or cells of a grid.

The published protocol (Lin et al. 2018, "PacGAN", section 4.1) takes 2,500 samples. A sample is of
high quality when its Mahalanobis distance to the nearest mean is below 3; a perfect sampler has
98.9 % of them, 1 - exp(-4.5), and can have no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SAMPLES = 2500
QUALITY_DISTANCE = 3.0
CEILING = 1 - math.exp(-(QUALITY_DISTANCE**2) / 2)  # P(chi-squared of 2 < 9)
STRICT_SHARE = 0.2  # of a mode's fair share of all samples
CELLS = 24  # a side of the grid


@dataclass(frozen=True)
class Assignment:
    """For each sample its nearest mode, and whether it is of high quality; counts of those."""

    nearest: np.ndarray
    good: np.ndarray
    counts: np.ndarray


def assign(samples: np.ndarray, means: np.ndarray, sd: float) -> Assignment:
    """Assign samples (N, 2) to the nearest of the means (M, 2); what is not finite is not good."""
    x = np.asarray(samples, dtype=np.float64)
    finite = np.all(np.isfinite(x), axis=1)
    x = np.where(finite[:, None], np.clip(x, -1e9, 1e9), 1e9)
    square = ((x[:, None, :] - means[None, :, :]) ** 2).sum(2)  # N, M
    nearest = square.argmin(1)
    least = square[np.arange(len(x)), nearest]
    good = finite & (least < (QUALITY_DISTANCE * sd) ** 2)
    return Assignment(nearest, good, np.bincount(nearest[good], minlength=len(means)))


def mode_metrics(samples: np.ndarray, means: np.ndarray, sd: float) -> dict[str, float]:
    """Return the four numbers of the toy protocol for samples (N, 2).

    modes_covered: modes with at least one high-quality sample, as published; modes_strict: with
    at least 20 % of a fair share, N / M; high_quality_share; reverse_kl_nats: KL of the
    high-quality samples' modes from the uniform, ln M - H. Without any, that is ln M, as for
    one mode alone.
    """
    counts = assign(samples, means, sd).counts
    total = int(counts.sum())
    fair = len(samples) / len(means)
    return {
        "modes_covered": float((counts > 0).sum()),
        "modes_strict": float((counts >= STRICT_SHARE * fair).sum()),
        "high_quality_share": total / max(1, len(samples)),
        "reverse_kl_nats": math.log(len(means)) - _entropy(counts / max(1, total)),
    }


def spread_metrics(samples: np.ndarray, means: np.ndarray) -> dict[str, float]:
    """Return how evenly samples (N, 2) lie around the means (M, 2), of high quality or not.

    mode_kl_nats: KL of the share of samples nearest to each mean from the uniform;
    effective_modes: exp of the entropy of those shares.
    """
    nearest = assign(samples, means, 0.0).nearest
    entropy = _entropy(np.bincount(nearest, minlength=len(means)) / max(1, len(nearest)))
    return {
        "mode_kl_nats": math.log(len(means)) - entropy,
        "effective_modes": math.exp(entropy),
    }


@dataclass(frozen=True)
class Grid:
    """CELLS x CELLS cells over the data and one for all outside; the data's share of each."""

    low: np.ndarray
    width: np.ndarray
    data: np.ndarray
    count: int

    @classmethod
    def of(cls, points: np.ndarray) -> Grid:
        """Lay the grid over points (N, 2), a tenth wider than they reach."""
        x = np.asarray(points, dtype=np.float64)
        low, high = x.min(0), x.max(0)
        margin = 0.05 * np.maximum(high - low, 1e-9)
        low, width = low - margin, (high - low + 2 * margin) / CELLS
        return cls(low, width, _counts(x, low, width) / len(x), len(x))

    def metrics(self, samples: np.ndarray) -> dict[str, float]:
        """Return KL(samples || data) and the Jensen-Shannon divergence over the cells, in nats.

        For the KL the data get half a point a cell more (Jeffreys), so that it is finite. Neither
        is 0 for a perfect sampler: with N samples and K filled cells the KL is about K / 2N.
        """
        counts = _counts(np.asarray(samples, dtype=np.float64), self.low, self.width)
        share = counts / max(1, counts.sum())
        smooth = (self.data * self.count + 0.5) / (self.count + 0.5 * counts.size)
        filled = share > 0
        kl = (share[filled] * np.log(share[filled] / smooth[filled])).sum()
        middle = (share + self.data) / 2
        js = _entropy(middle) - (_entropy(share) + _entropy(self.data)) / 2
        return {"grid_kl_nats": float(kl), "js_nats": max(0.0, js)}


def _counts(x: np.ndarray, low: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Count points by cell; the last number is that of all outside."""
    finite = np.all(np.isfinite(x), axis=1)
    cell = np.floor((np.where(finite[:, None], np.clip(x, -1e9, 1e9), 1e9) - low) / width)
    inside = ((cell >= 0) & (cell < CELLS)).all(1)
    flat = np.where(inside, cell[:, 0] * CELLS + cell[:, 1], CELLS * CELLS).astype(np.int64)
    return np.bincount(flat, minlength=CELLS * CELLS + 1)


def _entropy(shares: np.ndarray) -> float:
    filled = shares[shares > 0]
    return float(-(filled * np.log(filled)).sum())
