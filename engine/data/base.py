"""What a data set is, and the order in which its examples are used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Kind = Literal["images", "points", "pairs", "text"]

DOMAIN_CHANNELS = 3  # of each side of a row of two pictures
TRAIN_TENTHS = 9  # of a text, by position: the rest is for validation


@dataclass(frozen=True)
class Split:
    """Examples and their labels; both arrays are contiguous.

    `images` is uint8, N x C x H x W, or float32, N x 2 for points of the plane; for two domains,
    N x 6 x H x W: a picture of A in the first three channels, one of B in the others. `labels`
    is int64, N.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        pictures = self.images.dtype == np.uint8 and self.images.ndim == 4
        points = self.images.dtype == np.float32 and self.images.shape[1:] == (2,)
        if not (pictures or points):
            raise ValueError(
                "images must be uint8 N x C x H x W or float32 N x 2; "
                f"got {self.images.dtype} {self.images.shape}"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"labels must be int64, one a picture; got {self.labels.dtype} {self.labels.shape}"
            )
        if not (self.images.flags.c_contiguous and self.labels.flags.c_contiguous):
            raise ValueError("images and labels must be contiguous")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TextSplit:
    """A run of text; its length is counted in characters (Unicode code points)."""

    text: str

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class Mixture:
    """Where points come from, when that is known: equal Gaussians, means M x 2, one sd."""

    means: np.ndarray
    sd: float


@dataclass(frozen=True)
class Dataset:
    """A data set in memory, with its training and its test split.

    `fingerprint` is 16 hexadecimal digits over the content; it goes into checkpoints.
    `recommended` overrides defaults of hyperparameters. `notes` are sentences for the person
    about what was done to the pictures. Networks see points divided by `scale`. `models` are
    the only ones that train on it; empty for all of its kind. `domains` names A and B of two
    domains; `paired` says whether the two pictures of a row belong together.
    """

    key: str
    title: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    source: str
    licence: str
    fingerprint: str
    recommended: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kind: Kind = "images"
    scale: float = 1.0
    mixture: Mixture | None = None
    models: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    paired: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (C, H, W) of pictures, (2,) of points, (1,) of text."""
        return (1,) if self.kind == "text" else tuple(self.train.images.shape[1:])

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        return len(self.class_names)


@dataclass(frozen=True)
class About:
    """What can be said of a data set before it is read; the catalogue is made of these."""

    key: str
    title: str
    help: str
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    train: int
    test: int
    recommended: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "images"
    models: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    paired: bool = False

    def describe(self, reason: str | None = None) -> dict[str, Any]:
        """Return the catalogue's entry; `reason` says why the data set is not available."""
        return {
            "key": self.key,
            "title": self.title,
            "help": self.help,
            "available": reason is None,
            "reason": reason,
            "classes": list(self.class_names),
            "shape": list(self.shape),
            "train": self.train,
            "test": self.test,
            "recommended": dict(self.recommended),
            "kind": self.kind,
            "models": list(self.models),
            "domains": list(self.domains),
            "paired": self.paired,
        }


def text_dataset(key: str, title: str, text: str, **about: Any) -> Dataset:
    """Return a data set of text: its first nine tenths for training, the rest for validation.

    `about` are further fields of `Dataset`, such as `source`, `licence` and `notes`.
    """
    cut = len(text) * TRAIN_TENTHS // 10
    train: Any = TextSplit(text[:cut])
    test: Any = TextSplit(text[cut:])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Dataset(
        key,
        title,
        train,
        test,
        class_names=("text",),
        fingerprint=digest,
        kind="text",
        **{"source": "", "licence": "", **about},
    )


def fingerprint(train: Split, test: Split, class_names: tuple[str, ...]) -> str:
    """Return 16 hexadecimal digits of a SHA-256 over everything that training sees."""
    digest = hashlib.sha256()
    for split in (train, test):
        digest.update(repr(split.images.shape).encode())
        digest.update(split.images.data)
        digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
    digest.update(repr(class_names).encode())
    return digest.hexdigest()[:16]


def indices_at(seed: int, cursor: int, count: int, n: int) -> np.ndarray:
    """Return positions `cursor` … `cursor + count - 1` of the stream of examples, as int64.

    The stream is one permutation of `n` after another, and each permutation depends on
    (seed, epoch) only, so that a run can go on from its cursor without any saved state.
    """
    if seed < 0 or cursor < 0 or count < 0 or n < 1:
        raise ValueError(
            "seed, cursor and count must be at least 0 and n at least 1; "
            f"got {seed}, {cursor}, {count}, {n}"
        )
    parts = []
    while count > 0:
        epoch, start = divmod(cursor, n)
        part = _permutation(seed, epoch, n)[start : start + count]
        parts.append(part)
        cursor += len(part)
        count -= len(part)
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, n: int) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch])))
    order = generator.permutation(n).astype(np.int64, copy=False)
    order.flags.writeable = False  # it is shared by all callers of the cache
    return order
