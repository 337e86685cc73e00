"""The emoji of both styles one by one, by style and group: what an encoder of styles learns from.

Not in the catalogue: it is for the classifier whose features translations are measured in.
"""

from __future__ import annotations

import numpy as np

from engine.data.base import DOMAIN_CHANNELS, Dataset, Split, fingerprint
from engine.data.emoji_pairs import load as load_pairs

KEY = "emoji_styles"


def load() -> Dataset:
    """Read the pairs and take them apart: all of A, then all of B, in both splits."""
    pairs = load_pairs()
    names = tuple(f"{style}: {group}" for style in pairs.domains for group in pairs.class_names)
    train, test = (_apart(split, pairs.classes) for split in (pairs.train, pairs.test))
    return Dataset(
        key=KEY,
        title="Emoji in two styles",
        train=train,
        test=test,
        class_names=names,
        source=pairs.source,
        licence=pairs.licence,
        fingerprint=fingerprint(train, test, names),
        models=("classifier",),
    )


def _apart(split: Split, groups: int) -> Split:
    a, b = np.split(split.images, [DOMAIN_CHANNELS], axis=1)
    labels = np.concatenate([split.labels, split.labels + groups])
    return Split(np.concatenate([a, b]), labels)
