"""The classes that a generator makes, against those of the data, for any kind of data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine import metrics
from engine.payloads import Bars, Payload

HARDLY = 0.25  # of its share in the data: a class that has less hardly appears
MANY = 64  # classes from which on a few hundred samples give no histogram
DIGITS, COLOURS = 10, ("red", "green", "blue")  # of a stacked picture: a digit in each channel


@dataclass(frozen=True)
class Classes:
    """Numbers, histograms and the names of classes that hardly appear."""

    values: dict[str, float]
    bars: dict[str, Payload]
    lost: tuple[str, ...]

    @classmethod
    def of(cls, classes: Tensor | None, real: Any) -> Classes | None:
        """Compare classes, int64 (N), with those of `real`; None without a classifier."""
        if classes is None or real.classes is None:
            return None
        names = tuple(real.net.class_names)
        if len(names) <= MANY:
            shares = _usual(real.classes, len(names))
            return cls._few(classes, shares, names)
        return cls._stacked(classes, real.classes)

    @classmethod
    def _few(cls, classes: Tensor, shares: Tensor, names: tuple[str, ...]) -> Classes:
        found = metrics.class_histogram(classes, shares, HARDLY)
        values = {
            "class_kl_nats": found.kl_nats,
            "classes_covered": float(found.classes_covered),
            "effective_classes": found.effective_classes,
        }
        return cls(values, _bars(names, found.shares, shares), _lost(names, found.shares, shares))

    @classmethod
    def _stacked(cls, classes: Tensor, real: Tensor) -> Classes:
        """Look at the digit of each channel; of 1,000 classes a few hundred samples show little.

        `class_kl_nats` is the largest of the three channels. `effective_classes` is of all 1,000:
        how many equally likely ones would give as many equal pairs (`effective_number`).
        """
        made, known = _digits(classes), _digits(real)  # 3, N
        names = tuple(f"{colour} {digit}" for colour in COLOURS for digit in range(DIGITS))
        values: dict[str, float] = {"effective_classes": effective_number(classes)}
        shares, expected, worst, covered = [], [], 0.0, 0
        for colour, ours, theirs in zip(COLOURS, made, known, strict=True):
            usual = _usual(theirs, DIGITS)
            found = metrics.class_histogram(ours, usual, HARDLY)
            values[f"effective_digits_{colour}"] = found.effective_classes
            worst, covered = max(worst, found.kl_nats), covered + found.classes_covered
            shares.append(found.shares)
            expected.append(usual)
        values |= {"class_kl_nats": worst, "classes_covered": float(covered)}
        all_made, all_known = torch.cat(shares), torch.cat(expected)
        return cls(values, _bars(names, all_made, all_known), _lost(names, all_made, all_known))


def effective_number(classes: Tensor) -> float:
    """Return how many equally likely classes would give as many equal pairs, from int64 (N).

    One over the unbiased estimate of sum p^2 (Simpson 1949, "Measurement of diversity"); good to
    about a tenth for 512 samples of 1,000 classes. Without an equal pair it is as if there were
    half a pair.
    """
    counts = torch.bincount(classes).double()
    pairs = float((counts * (counts - 1)).sum()) / 2
    n = len(classes)
    return n * (n - 1) / 2 / max(pairs, 0.5)


def _usual(classes: Tensor, count: int) -> Tensor:
    """Return shares (count) of int64 (N), as if each had come half a time more: none is 0.

    A class that the chosen real pictures do not show would make the KL infinite.
    """
    counts = torch.bincount(classes, minlength=count) + 0.5
    return counts / counts.sum()


def _digits(classes: Tensor) -> Tensor:
    return torch.stack([classes // 100, classes // 10 % 10, classes % 10])


def _bars(names: tuple[str, ...], made: Tensor, known: Tensor) -> dict[str, Payload]:
    return {
        "histogram": Bars(names, tuple(made.tolist()), "", "Classes of generated pictures"),
        "histogram_real": Bars(names, tuple(known.tolist()), "", "Classes of real pictures"),
    }


def _lost(names: tuple[str, ...], made: Tensor, known: Tensor) -> tuple[str, ...]:
    scarce = (made < HARDLY * known).tolist()
    return tuple(name for name, few in zip(names, scarce, strict=True) if few)
