"""How well a generator of pictures covers its data, in full: `python -m engine evaluate`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine import metrics
from engine.features import FeatureNet, feature_net
from engine.rng import stream_seed
from engine.tensors import DataView, Images

SAMPLES = 2000
STACKED_SAMPLES = 26_000  # as published (metrics.md 1.4): figures of other N do not compare
STACKED = "stacked_mnist"
MODES = 1000
MOST_COMPARED = 5000  # for coverage, which compares all with all
LEAST_TEST = 500  # a smaller test split is no reference; halves of the training split are
CHUNK = 500


def full_metrics(
    learner: Any, data: DataView, *, seed: int, samples: int | None = None
) -> dict[str, float]:
    """Return coverage, its ceiling on real pictures, classes, diversity, for `samples` pictures.

    Called in eval mode. Coverage and density compare as many generated with as many real ones;
    `coverage_real` puts other real pictures in the generator's place. The learner gives `noise`
    and `generate`.
    """
    stacked = data.dataset.key == STACKED
    count = samples or (STACKED_SAMPLES if stacked else SAMPLES)
    net = feature_net(data.dataset, data.device)
    real, other = _halves(data, min(count, MOST_COMPARED))
    real_features, real_classes = _seen(net, real)
    other_features, other_classes = _seen(net, other)
    fake_features, fake_classes = _made(learner, net, seed, count)
    few = fake_features[: len(real_features)]
    radii = metrics.nearest_radii(real_features)
    found = metrics.coverage_density(real_features, few, radii=radii)
    own = metrics.coverage_density(real_features, other_features, radii=radii)
    values = {
        "coverage": found.coverage,
        "coverage_real": own.coverage,
        "density": found.density,
        "density_real": own.density,
        "diversity_ratio": metrics.diversity_ratio(real_features, few),
        "kid": metrics.kid(real_features, few, seed=seed).mean,
        "kid_real": metrics.kid(real_features, other_features, seed=seed).mean,
        "samples": float(count),
    }
    if fake_classes is None or real_classes is None or other_classes is None:
        return values
    classes = len(data.dataset.class_names)
    shares = metrics.class_shares(torch.cat([real_classes, other_classes]), classes)
    if stacked:  # every triple of digits is as likely; a few thousand pictures do not show it
        shares = torch.full((MODES,), 1 / MODES, device=data.device)
        modes = metrics.modes(fake_classes, MODES)
        values |= {"modes": float(modes.covered), "modes_kl_nats": modes.kl_nats}
    histogram = metrics.class_histogram(fake_classes, shares)
    return values | {
        "class_kl_nats": histogram.kl_nats,
        "classes_covered": float(histogram.classes_covered),
        "effective_classes": histogram.effective_classes,
    }


def _halves(data: DataView, count: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return real pictures to cover, and as many others, in chunks.

    Drawn at random, but always the same: MNIST comes writer after writer.
    """
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    if len(data.test) >= LEAST_TEST:
        count = min(count, len(data.test), len(data.train))
        return _chunks(data.test, torch.arange(count)), _chunks(data.train, order[:count])
    count = min(count, len(data.train) // 2)
    return _chunks(data.train, order[:count]), _chunks(data.train, order[count : 2 * count])


def _chunks(images: Images, chosen: Tensor) -> list[Tensor]:
    return [images.batch(part) for part in chosen.to(images.labels.device).split(CHUNK)]


def _seen(net: FeatureNet, chunks: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Return features (N, F) and classes (N) of pictures in chunks."""
    features, classes = zip(*(net.look(x) for x in chunks), strict=True)
    return torch.cat(features), None if classes[0] is None else torch.cat(classes)


def _made(learner: Any, net: FeatureNet, seed: int, count: int) -> tuple[Tensor, Tensor | None]:
    """Return features and classes of `count` generated pictures, a chunk in memory at a time."""
    source = torch.Generator().manual_seed(stream_seed(seed, 0, "samples"))
    z = learner.noise(count, source)
    labels = learner.usual_labels(count) if learner.config.conditional else None
    features, classes = [], []
    for i in range(0, count, CHUNK):
        part = None if labels is None else labels[i : i + CHUNK]
        seen, guessed = net.look(learner.generate(z[i : i + CHUNK], part))
        features.append(seen)
        classes.append(guessed)
    known = [c for c in classes if c is not None]
    return torch.cat(features), torch.cat(known) if known else None
