"""The measures of translations against closed forms, plain loops and other implementations."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
import torch
from small import CPU
from torch import Tensor

from engine import data, metrics
from engine import translation_measures as measures
from engine.features import FeatureNet, feature_net


def uniform(*size: int, seed: int = 0) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------ pixels


def test_the_error_of_even_pictures_is_the_closed_form() -> None:
    a, b = torch.full((3, 3, 16, 16), 0.2), torch.full((3, 3, 16, 16), 0.5)
    assert measures.l1(a, b) == pytest.approx(0.3)
    assert measures.psnr(a, b) == pytest.approx(-20 * math.log10(0.3))
    assert measures.psnr(a, a) == pytest.approx(100)
    luminance = (2 * 0.2 * 0.5 + 1e-4) / (0.2**2 + 0.5**2 + 1e-4)
    assert measures.ssim(a, b) == pytest.approx(luminance, abs=1e-5)


def test_the_foreground_is_what_either_picture_paints() -> None:
    given, target = torch.ones(2, 3, 2, 2), torch.ones(2, 3, 2, 2)
    given[0, 0, 0, 0] = 0.5
    target[0, :, 1, 1] = 0.0
    mask = measures.foreground(given, target)
    assert mask.squeeze(1).tolist() == [[[True, False], [False, True]], [[False] * 2] * 2]
    # 0.5 / 3 at one pixel, 1 at the other; the second picture has no foreground
    assert measures.l1_foreground(given, target, mask) == pytest.approx((0.5 / 3 + 1) / 2)
    assert measures.l1_foreground(given[1:], target[1:], mask[1:]) == 0


def waves() -> tuple[Tensor, Tensor]:
    """Return two pictures (1, 3, 24, 20), float64."""
    y, x = np.mgrid[0:24, 0:20].astype(float)
    a = [0.5 + 0.5 * np.sin(0.7 * x + 0.3 * y), x / 19, y / 23]
    b = [0.5 + 0.5 * np.sin(0.7 * x + 0.3 * y + 0.5), (x / 19) ** 2, 1 - y / 23]
    return torch.from_numpy(np.stack(a))[None], torch.from_numpy(np.stack(b))[None]


def test_similarity_and_noise_ratio_are_those_of_scikit_image() -> None:
    """scikit-image 0.26.0, Gaussian weights, sigma 1.5, biased covariance, a range of 1."""
    a, b = waves()
    assert measures.ssim(a, b) == pytest.approx(0.3189269683693726, abs=1e-9)
    assert measures.psnr(a, b) == pytest.approx(8.492262229584018, abs=1e-9)
    assert measures.ssim(a, a) == pytest.approx(1)


def test_similarity_is_that_of_a_plain_loop() -> None:
    a, b = (x.numpy()[0] for x in (uniform(1, 2, 13, 12).double(), uniform(1, 2, 13, 12, seed=1)))
    at = np.arange(11) - 5
    weights = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    found = []
    for channel in range(2):
        for row in range(3):
            for column in range(2):
                x, y = (p[channel, row : row + 11, column : column + 11] for p in (a, b))
                mx, my = (weights * x).sum(), (weights * y).sum()
                vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
                both = (weights * (x - mx) * (y - my)).sum()
                above = (2 * mx * my + 0.01**2) * (2 * both + 0.03**2)
                found.append(above / ((mx**2 + my**2 + 0.01**2) * (vx + vy + 0.03**2)))
    pair = [torch.from_numpy(x)[None].double() for x in (a, b)]
    assert measures.ssim(*pair) == pytest.approx(np.mean(found), abs=1e-9)


# ------------------------------------------------------------------ retrieval


def test_partners_are_ranked_as_by_hand() -> None:
    distances = torch.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [1.0, 2.0, 2.0]])
    found = measures.retrieval(distances)  # ranks 1, 2, and 3: a tie counts against
    assert found == pytest.approx((1 / 3, 1.0, (1 + 1 / 2 + 1 / 3) / 3))


def test_one_picture_for_all_finds_its_partner_by_chance() -> None:
    targets = uniform(50, 3, 8, 8)
    found = measures.retrieval(measures.apart(targets[:1].expand(50, -1, -1, -1) * 0.5, targets))
    assert found.top1 == pytest.approx(1 / 50)
    assert found.top5 == pytest.approx(5 / 50)
    assert measures.retrieval(torch.full((50, 50), math.nan)).top1 == 0


def test_distances_do_not_cancel() -> None:
    a, b = uniform(4, 3, 5, 5), uniform(6, 3, 5, 5, seed=1)
    exact = np.linalg.norm(a.flatten(1).numpy()[:, None] - b.flatten(1).numpy()[None], axis=2)
    np.testing.assert_allclose(measures.apart(a, b).numpy(), exact, rtol=1e-5)
    near = torch.full((2, 3000), 0.9)
    near[1, 0] += 1e-4
    assert float(measures.apart(near, near)[0, 1]) == pytest.approx(1e-4, rel=1e-2)


# ------------------------------------------------------------------ features


def test_the_perceptual_distance_is_by_hand_that_of_directions() -> None:
    x = torch.zeros(1, 2, 1, 2)
    y = torch.zeros(1, 2, 1, 2)
    x[0, 0], y[0, 0, 0, 0], y[0, 1, 0, 1] = 3.0, 7.0, 0.5  # the same direction, then a right angle
    assert measures.perceptual([x], [y]) == pytest.approx((0 + 2) / 2)
    assert measures.perceptual([x, x], [y, 5 * x]) == pytest.approx(1.0)


def brute_kid(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    n = len(x)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    parts = [
        kernel(x[i], x[j]) + kernel(y[i], y[j]) - kernel(x[i], y[j]) - kernel(x[j], y[i])
        for i, j in pairs
    ]
    return sum(parts) / len(pairs)


def test_the_kernel_distance_of_pairs_is_that_of_a_plain_loop() -> None:
    x = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    y = 0.7 * x + 0.5
    expected = brute_kid(x.double().numpy(), y.double().numpy())
    assert measures.paired_kid(x, y) == pytest.approx(expected)


def test_the_kernel_distance_of_pairs_takes_no_likeness_of_partners_for_style() -> None:
    source = torch.Generator().manual_seed(0)
    x = torch.randn(200, 16, generator=source)
    assert measures.paired_kid(x, x) == pytest.approx(0, abs=1e-9)
    assert metrics.kid(x, x).mean < -0.05  # which is why it is not used for pairs
    found = [  # of the same distribution, row by row alike: 0 on average, as it must be
        measures.paired_kid(z, 0.8 * z + 0.6 * torch.randn(200, 16, generator=source))
        for z in torch.randn(20, 200, 16, generator=source)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(20) + 1e-9


@lru_cache(maxsize=1)
def emoji() -> tuple[FeatureNet, list[Tensor]]:
    """Return the encoder of styles, and A and B of test and of training."""
    pairs = data.load("emoji_pairs")
    splits = [torch.from_numpy(s.images).float() / 255 for s in (pairs.test, pairs.train)]
    return feature_net(pairs, CPU), [x for s in splits for x in s.split(3, 1)]


def test_activations_are_those_that_features_are_made_of() -> None:
    net, (images, *_) = emoji()
    found = net.activations(images[:4])
    shapes = [tuple(x.shape[1:]) for x in found]
    assert shapes == [(24, 32, 32), (48, 16, 16), (64, 8, 8), (64, 4, 4)]
    x = net.network.norm(net.network.describe(found[-1].flatten(1)))
    torch.testing.assert_close(x, net.features(images[:4]))


def test_the_encoder_tells_styles_apart_by_more_than_their_colours() -> None:
    """Other real pictures are near, a copy is far, and so is one with the target's colours."""
    net, (a, b, train_a, train_b) = emoji()
    for given, target, other, fit in ((a, b, train_b, train_a), (b, a, train_a, train_b)):
        wanted = net.features(target)
        copied = measures.paired_kid(wanted, net.features(given))
        coloured = net.features(measures.colour_change(fit, other)(given))
        assert abs(metrics.kid(wanted, net.features(other)).mean) < 0.05 * copied
        assert measures.paired_kid(wanted, coloured) > 0.5 * copied


# ------------------------------------------------------------------ lines to compare with


def test_the_fitted_colours_are_those_of_least_squares() -> None:
    x, y = uniform(5, 3, 4, 4), uniform(5, 3, 4, 4, seed=1)
    found = measures.colour_change(x, y)(x)
    for channel in range(3):
        slope, offset = np.polyfit(x[:, channel].flatten(), y[:, channel].flatten(), 1)
        expected = slope * x[:, channel] + offset
        torch.testing.assert_close(found[:, channel], expected, atol=1e-5, rtol=0)


def test_the_nearest_picture_is_found() -> None:
    others = uniform(9, 3, 4, 4)
    moved = others[[4, 0, 8]] + 0.01
    assert torch.equal(measures.nearest(moved, others), others[[4, 0, 8]])
