"""From the pictures of two domains to rows of two pictures: splits, pairs, advice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple, TypeVar

import numpy as np

from engine.data.base import Split
from engine.data.reading import clean_name
from engine.errors import DataError

TEST_SHARE = 0.1
MIN_TRAIN = 10
ADVICE = (  # for fewer training pictures of a domain than this; from experience
    (
        50,
        "With fewer than 50 pictures of a domain a CycleGAN learns colours and little else, and "
        "soon knows its pictures by heart; 200 are a fair beginning.",
    ),
    (
        200,
        "Fewer than 200 pictures of a domain are enough for colours and textures when all show one "
        "kind of thing in one way; bring more for anything that varies.",
    ),
    (
        1_000,
        "Fewer than 1,000 pictures of a domain are enough for one kind of thing; the published "
        "sets have about 1,000 of each.",
    ),
)
_SIDE = re.compile(r"[ _-][ab]$")  # 12_A and 12_B are a pair
T = TypeVar("T")


class Found(NamedTuple):
    """A picture as it will be seen, uint8 C x H x W, what its file was called, its split."""

    name: str
    picture: np.ndarray
    split: str  # "train" or "test" where a folder says so, else ""

    @property
    def digest(self) -> bytes:
        """Return a SHA-256 of the pixels."""
        return hashlib.sha256(self.picture.data).digest()

    @property
    def stem(self) -> tuple[str, str]:
        """Return what a picture has in common with its partner: split, name without its side."""
        return self.split, _SIDE.sub("", PurePath(self.name).stem.lower())


@dataclass
class Domain:
    """All pictures of one domain, as they came."""

    name: str
    found: list[Found] = field(default_factory=list)

    def distinct(self) -> dict[bytes, Found]:
        """Return the different pictures by content; of two copies the one for testing stays."""
        ordered = sorted(self.found, key=lambda one: one.split == "test")
        return {one.digest: one for one in ordered}


Pictures = list[np.ndarray]


def split(domain: Domain) -> tuple[Pictures, Pictures]:
    """Return pictures to train on and to test with, in the order of their contents."""
    train, test = _divided(domain.distinct(), lambda one: one.split, domain.name)
    return [one.picture for one in train], [one.picture for one in test]


def split_pairs(a: Domain, b: Domain) -> list[tuple[Pictures, Pictures]]:
    """Return what `split` does, of both domains, with partners of one name at one place.

    Raises `DataError` when a name occurs twice or a picture has no partner.
    """
    of_a, of_b = _by_stem(a), _by_stem(b)
    for here, there, domain in ((of_a, of_b, b), (of_b, of_a, a)):
        lonely = sorted(here.keys() - there.keys())
        if lonely:
            name = clean_name(here[lonely[0]].name)
            raise DataError(
                f"These are no pairs: there are {len(of_a):,} pictures of {a.name} and "
                f"{len(of_b):,} of {b.name}, and {domain.name} has no partner for {name}; both "
                "need the same file names.",
                field="paired",
            )
    pairs = {}
    for stem, one in of_a.items():
        other = of_b[stem]
        pairs[hashlib.sha256(one.digest + other.digest).digest()] = (one, other)
    train, test = _divided(pairs, lambda pair: pair[0].split, "the pairs")
    return [
        ([pair[i].picture for pair in train], [pair[i].picture for pair in test]) for i in (0, 1)
    ]


def join(a: Pictures, b: Pictures) -> Split:
    """Return rows N x 6 x H x W of the i-th of both; the smaller domain is repeated."""
    rows = np.arange(max(len(a), len(b)))
    sides = [np.stack(pictures)[rows % len(pictures)] for pictures in (a, b)]
    images = np.concatenate(sides, 1)  # N x 6 x H x W
    return Split(images, np.zeros(len(images), dtype=np.int64))


def counted(
    domains: Sequence[Domain], a: Sequence[Pictures], b: Sequence[Pictures], paired: bool
) -> tuple[str, ...]:
    """Say how many there are to train on and to test with, and what can be hoped for from them."""
    if paired:
        return (f"{len(a[0]):,} pairs to train on, {len(a[1]):,} to test with.",)
    first, second = (domain.name for domain in domains)
    train, test = (
        f"{len(x):,} of {first} and {len(y):,} of {second}" for x, y in zip(a, b, strict=True)
    )
    return f"{train} to train on, {test} to test with.", *advice(min(len(a[0]), len(b[0])))


def advice(count: int) -> tuple[str, ...]:
    """Return what can be hoped for from so many pictures of the smaller domain."""
    return tuple(sentence for limit, sentence in ADVICE if count < limit)[:1]


def _by_stem(domain: Domain) -> dict[tuple[str, str], Found]:
    found: dict[tuple[str, str], Found] = {}
    for one in domain.found:
        if one.stem in found:
            raise DataError(
                f"These are no pairs: {domain.name} has two pictures {clean_name(one.stem[1])}.",
                field="paired",
            )
        found[one.stem] = one
    return found


def _divided(
    members: Mapping[bytes, T], split_of: Callable[[T], str], name: str
) -> tuple[list[T], list[T]]:
    """Return (train, test) as folders say; where they do not, one in ten is for testing."""
    ordered = [members[key] for key in sorted(members)]
    test = [one for one in ordered if split_of(one) == "test"]
    if not test:
        tested = max(round(TEST_SHARE * len(ordered)), 1)
        return ordered[tested:], ordered[:tested]
    train = [one for one in ordered if split_of(one) != "test"]
    if len(train) < MIN_TRAIN:
        raise DataError(
            f"Only {len(train)} different pictures of {name} are for training, the others for "
            f"testing; at least {MIN_TRAIN} are needed."
        )
    return train, test
