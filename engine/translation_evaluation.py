"""How well held-out pictures cross over, in full: `python -m engine evaluate`.

What was settled before any model was looked at (each in the range 0 to 1 of pictures):

    retrieval_*           rank of the true partner among all test targets, by Euclidean distance of
                          pixels: no network has a say, and a plain copy of the picture is hardest
                          to beat there; `retrieval_features_top1` ranks in the encoder's features
    kid, perceptual       in an encoder of our own, the shipped classifier of emoji by style and
                          group; trained in changed colours, so that to move all colours alike is
                          no change of style. Figures of other encoders do not compare
    *_identity            the same for G(x) = x, the picture as it was given
    kid_real              training targets in the place of translations
    perceptual_score      (e_identity - e_model) / (e_identity - e_pix2pix), e the perceptual
                          distance: 0 is a copy, 1 the shipped pix2pix, which was shown pairs
    stegano_ratio         the cycle's error when G(x) gets noise of 2/255, over the error without
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine import checkpoint, metrics
from engine import translation_measures as measures
from engine.data.base import DOMAIN_CHANNELS
from engine.features import FeatureNet, feature_net
from engine.rng import stream_seed
from engine.tensors import DataView, Images
from engine.translation import DIRECTIONS, to_unit

MOST = 250  # test pictures that are looked at; all of the emoji
MOST_TRAIN = 2000  # training pictures, for `kid_real`
CHUNK = 250
NOISE_SD = 2 / 255  # on a scale of 0 to 1; in [-1, 1] it is twice that
CEILING = "pix2pix/emoji"  # what `perceptual_score` is measured by
Named = dict[str, float]


@dataclass(frozen=True)
class Crossing:
    """What one direction is tried on: test pictures and their true partners.

    Both (N, 3, H, W) in [0, 1]. Where the data are not paired, each picture is there once, and
    `target` has another length than `given`. `other_target` are training pictures of the target
    domain, uint8 (M, 3, H, W).
    """

    way: str  # a2b, b2a
    name: str  # flat_to_3d
    given: Tensor
    target: Tensor
    other_target: Tensor
    paired: bool
    encoder: FeatureNet


def full_metrics(learner: Any, data: DataView, *, seed: int) -> Named:
    """Return every measure, named `measure/direction`; called in eval mode.

    Without pairs there are only those of style, cycle and identity; of a single test picture, as
    imported weights have, nothing can be said.
    """
    if len(data.test) < 2:
        return {}
    found: Named = {}
    both = crossings(data)
    ceiling = ceiling_of(data, both)
    for crossing in both:
        values = cycle_of(learner, crossing, seed)
        values |= judged(crossing, translated(learner, crossing.given, crossing.way))
        values |= {f"{k}_identity": v for k, v in judged(crossing, crossing.given).items()}
        values["kid_real"] = kid_real(crossing)
        if crossing.way in ceiling:
            values |= score(values, ceiling[crossing.way])
        found |= {f"{k}/{crossing.name}": v for k, v in values.items()}
    if data.dataset.paired:
        found["test_pairs"] = float(len(both[0].given))
    return {k: v for k, v in found.items() if math.isfinite(v)}  # one picture has no kid


def crossings(data: DataView) -> list[Crossing]:
    """Return both directions of a data set."""
    net, paired = feature_net(data.dataset, data.device), data.dataset.paired
    test = [p.float() / 255 for p in _pictures(data.test, MOST, paired)]
    train = _pictures(data.train, MOST_TRAIN, paired)
    a, b = (slug(name) for name in data.dataset.domains or ("a", "b"))
    a, b = (a, b) if a and b and a != b else ("a", "b")
    names = (f"{a}_to_{b}", f"{b}_to_{a}")
    return [
        Crossing(DIRECTIONS[i], names[i], test[i], test[1 - i], train[1 - i], paired, net)
        for i in range(2)
    ]


def _pictures(images: Images, most: int, paired: bool) -> Sequence[Tensor]:
    """Return A and B, uint8; of unpaired ones each once, though the shorter fills up its rows."""
    rows = images.pixels[slice(0, most)]
    both = rows.split(DOMAIN_CHANNELS, 1)
    return both if paired else [x.unique(dim=0) for x in both]


def slug(name: str) -> str:
    """Return a domain's name as metrics have it: "3-D" is 3d, "Winter, night" winter_night."""
    return "_".join(re.sub(r"[^\w\s]", "", name.lower()).split())


# -------------------------------------------------------------------- one direction


def judged(crossing: Crossing, made: Tensor) -> Named:
    """Return the measures of what test pictures were made into; without pairs only `kid`."""
    c, net = crossing, crossing.encoder
    features, wanted = net.features(made), net.features(c.target)
    if not c.paired:
        return {"kid": metrics.kid(wanted, features).mean}
    found = measures.retrieval(measures.apart(made, c.target))
    by_features = measures.retrieval(measures.apart(features, wanted))
    mask = measures.foreground(c.given, c.target)
    return {
        "retrieval_top1": found.top1,
        "retrieval_top5": found.top5,
        "retrieval_mrr": found.mrr,
        "retrieval_features_top1": by_features.top1,
        "kid": measures.paired_kid(wanted, features),
        "l1": measures.l1(made, c.target),
        "l1_foreground": measures.l1_foreground(made, c.target, mask),
        "psnr": measures.psnr(made, c.target),
        "ssim": measures.ssim(made, c.target),
        "perceptual": perceptual_of(c, made),
    }


def perceptual_of(crossing: Crossing, made: Tensor) -> float:
    """Return the perceptual distance of what pictures were made into from their partners."""
    net = crossing.encoder
    return measures.perceptual(net.activations(made), net.activations(crossing.target))


def kid_real(crossing: Crossing) -> float:
    """Return the kernel distance of other real targets, what a perfect translator would have."""
    net = crossing.encoder
    parts = crossing.other_target.split(CHUNK)
    others = torch.cat([net.features(part.float() / 255) for part in parts])
    return metrics.kid(net.features(crossing.target), others).mean


def cycle_of(learner: Any, crossing: Crossing, seed: int) -> Named:
    """Return the cycle's error, with and without noise on the way, and that of the identity.

    The noise is laid on as it is, beyond the range of pictures too: on a white ground, half of it
    would be lost otherwise.
    """
    back = DIRECTIONS[1 - DIRECTIONS.index(crossing.way)]
    there = learner.translate(crossing.given * 2 - 1, crossing.way)
    source = torch.Generator().manual_seed(stream_seed(seed, 0, "hidden messages"))
    noise = 2 * NOISE_SD * torch.randn(there.shape, generator=source).to(there.device)
    clean = measures.l1(to_unit(learner.translate(there, back)), crossing.given)
    noisy = measures.l1(to_unit(learner.translate(there + noise, back)), crossing.given)
    same = translated(learner, crossing.target, crossing.way)
    return {
        "cycle_l1": clean,
        "cycle_l1_noise": noisy,
        "stegano_ratio": noisy / max(clean, 1e-6),
        "identity_l1": measures.l1(same, crossing.target),
    }


def translated(learner: Any, pictures: Tensor, way: str) -> Tensor:
    """Return pictures in [0, 1] in the other domain, in [0, 1]."""
    return to_unit(learner.translate(pictures * 2 - 1, way))


# -------------------------------------------------------------------- the ceiling


def score(values: Named, e_ceiling: float) -> Named:
    """Return the share of the way from a copy to the shipped pix2pix, by perceptual distance.

    Nothing where the pix2pix is no nearer than the copy: then there is no such way.
    """
    e_identity = values["perceptual_identity"]
    if e_identity <= e_ceiling:
        return {}
    share = (e_identity - values["perceptual"]) / (e_identity - e_ceiling)
    return {"perceptual_score": share}


def ceiling_of(data: DataView, both: list[Crossing]) -> Named:
    """Return the perceptual distance of the shipped pix2pix each way; nothing without it."""
    from engine.trainer import restore

    path = checkpoint.shipped().get(CEILING)
    if path is None or not data.dataset.paired:
        return {}
    if checkpoint.read_header(path).dataset_fingerprint != data.dataset.fingerprint:
        return {}
    learner: Any
    learner, _ = restore(path, data, data.device)
    with learner.evaluating():
        return {c.way: perceptual_of(c, translated(learner, c.given, c.way)) for c in both}
