"""The translators' losses, pool and step, against plain forms of the same."""

from __future__ import annotations

import pytest
import torch
from small import CPU, assert_same, made
from torch import Tensor, nn
from torch.nn import functional as F

from engine import data
from engine.schedules import linear_decay
from engine.tensors import DataView
from engine.translation import ImagePool, augment, domains, together, validity_loss
from engine.translation_networks import InstanceNorm, PatchDiscriminator, make_generator


@pytest.fixture(scope="module")
def view() -> DataView:
    return DataView(data.load("emoji_pairs"), CPU)


def rows(view: DataView, count: int) -> Tensor:
    return view.train.batch(slice(0, count))


# ---------------------------------------------------------------------- networks


@pytest.mark.parametrize("count", [1, 3])
def test_instance_norm_has_the_right_gradient_in_any_memory_order(count: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(count, 4, 8, 8, dtype=torch.float64)
    weight = torch.randn_like(x)
    plain = x.clone().requires_grad_(True)
    mean, variance = plain.mean((2, 3), keepdim=True), plain.var((2, 3), False, keepdim=True)
    expected = (plain - mean) / (variance + 1e-5).sqrt()
    (expected * weight).sum().backward()
    ours = x.contiguous(memory_format=torch.channels_last).requires_grad_(True)
    found = InstanceNorm(4)(ours)
    (found * weight.contiguous(memory_format=torch.channels_last)).sum().backward()
    torch.testing.assert_close(found, expected)
    assert ours.grad is not None
    torch.testing.assert_close(ours.grad, plain.grad)


@pytest.mark.parametrize(("kind", "side"), [("resnet6", 64), ("resnet9", 64), ("unet", 128)])
def test_generators_keep_the_size_of_a_picture(kind: str, side: int) -> None:
    network = make_generator(kind, 4, "instance", side)
    assert network(torch.zeros(1, 3, side, side)).shape == (1, 3, side, side)


@pytest.mark.parametrize(("layers", "pixels"), [(1, 16), (2, 34), (3, 70)])
def test_a_patch_is_as_large_as_published(layers: int, pixels: int) -> None:
    """Isola et al. 2017, section 6.1: the span of input pixels that one verdict depends on."""
    torch.manual_seed(0)
    network = PatchDiscriminator(3, 4, layers, "batch").eval()
    x = torch.randn(1, 3, 160, 160, requires_grad=True)
    verdicts = network(x)
    middle = verdicts.shape[-1] // 2
    verdicts[0, 0, middle, middle].backward()
    assert x.grad is not None
    touched = torch.nonzero(x.grad.abs().sum((0, 1, 3)) > 0).flatten()
    assert int(touched.max() - touched.min()) + 1 == pixels


def test_one_pass_for_two_batches_gives_what_two_passes_give() -> None:
    torch.manual_seed(0)
    network = make_generator("resnet6", 4, "instance", 64)
    a, b = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    for found, expected in zip(
        together(network, [a, b], False), [network(a), network(b)], strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------------- losses, schedule


def test_validity_is_the_published_distance() -> None:
    logits = torch.tensor([[0.5, 2.0], [-1.0, 1.0]])
    ones, zeros = torch.ones_like(logits), torch.zeros_like(logits)
    assert validity_loss("least_squares", logits, True) == F.mse_loss(logits, ones)
    assert validity_loss("least_squares", logits, False) == F.mse_loss(logits, zeros)
    entropy = F.binary_cross_entropy_with_logits
    for real, target in ((True, ones), (False, zeros)):
        found = validity_loss("nonsaturating", logits, real)
        torch.testing.assert_close(found, entropy(logits, target))


def test_the_rate_is_constant_and_then_falls_to_nothing() -> None:
    assert [linear_decay(s, 4, 4) for s in (0, 4, 5, 6, 8, 20)] == [1, 1, 0.75, 0.5, 0, 0]
    assert linear_decay(1000, 4, 0) == 1.0


# ---------------------------------------------------------------------- pool


def test_a_pool_hands_on_what_it_takes_in_until_it_is_full() -> None:
    torch.manual_seed(0)
    pool = ImagePool(3, (3, 2, 2), CPU)
    shades = (torch.arange(60.0) / 30 - 1).view(60, 1, 1, 1).expand(60, 3, 2, 2)
    first = pool.exchange(shades[:3])
    torch.testing.assert_close(first, shades[:3].contiguous(), rtol=0, atol=1 / 255 + 1e-6)
    assert int(pool.filled) == 3
    later = torch.cat([pool.exchange(s[None]) for s in shades[3:]])
    old = (later - shades[3:]).abs().amax((1, 2, 3)) > 1 / 255 + 1e-6
    assert 0.3 < old.float().mean() < 0.7  # every second one on average
    seen = {round(float(v), 2) for v in shades[:, 0, 0, 0]}
    assert {round(float(v), 2) for v in later[:, 0, 0, 0]} <= {
        round(s + d, 2) for s in seen for d in (-0.01, 0, 0.01)
    }


def test_a_pool_of_none_shows_the_newest() -> None:
    fresh = torch.rand(2, 3, 4, 4)
    assert ImagePool(0, (3, 4, 4), CPU).exchange(fresh) is fresh


def test_a_pool_of_another_size_starts_empty() -> None:
    full = ImagePool(2, (3, 2, 2), CPU)
    full.exchange(torch.zeros(2, 3, 2, 2))
    other = ImagePool(5, (3, 2, 2), CPU)
    other.load("p", full.tensors("p"))
    assert int(other.filled) == 0
    same = ImagePool(2, (3, 2, 2), CPU)
    same.load("p", full.tensors("p"))
    assert int(same.filled) == 2


def test_a_fork_with_other_settings_keeps_the_pool(view: DataView) -> None:
    learner = made("cyclegan", view)
    learner.training_step(rows(view, 2), torch.zeros(2), 0)
    held = learner.tensors()
    fork = made("cyclegan", view, seed=1, decay_steps=10)
    fork.load_tensors(fork.graft(held, learner.config))
    assert_same(fork.tensors(), held)
    assert int(fork.pools["pool.a"].filled) == 1


# ---------------------------------------------------------------------- steps


def test_a_step_of_the_cyclegan_has_the_published_losses(view: DataView) -> None:
    """Written out from the paper, on the weights before the step."""
    learner = made("cyclegan", view, batch_size=2)
    images = rows(view, 4)
    a, b = (images[:2, :3] * 2 - 1), (images[2:, 3:] * 2 - 1)
    with torch.no_grad():
        g, f = learner.a2b, learner.b2a
        fake_b, fake_a = g(a), f(b)
        expected = {
            "a2b/validity": (learner.discriminators["b"](fake_b) - 1).square().mean(),
            "b2a/validity": (learner.discriminators["a"](fake_a) - 1).square().mean(),
            "a2b/cycle": (f(fake_b) - a).abs().mean(),
            "b2a/cycle": (g(fake_a) - b).abs().mean(),
            "a2b/identity": (g(b) - b).abs().mean(),
            "b2a/identity": (f(a) - a).abs().mean(),
        }
    found = learner.training_step(images, torch.zeros(4), 0)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    e = expected
    cycle, same = e["a2b/cycle"] + e["b2a/cycle"], e["a2b/identity"] + e["b2a/identity"]
    total = e["a2b/validity"] + e["b2a/validity"] + 10 * cycle + 0.5 * 10 * same
    torch.testing.assert_close(found["loss"], total, rtol=1e-4, atol=1e-4)


def test_a_step_of_pix2pix_has_the_published_losses(view: DataView) -> None:
    learner = made("pix2pix", view, batch_size=2)
    images = rows(view, 2)
    a, b = domains(images)
    with torch.no_grad():
        made_b = learner.a2b(a)
        l1 = (made_b - b).abs().mean()
        judged = learner.discriminators["b"](torch.cat([a, made_b], 1))
    found = learner.training_step(images, torch.zeros(2), 0)
    torch.testing.assert_close(found["a2b/l1"], l1, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        found["a2b/validity"], (judged - 1).square().mean(), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("left_out", "weight"),
    [("validity", "lambda_validity"), ("cycle", "lambda_cycle"), ("identity", "lambda_identity")],
)
def test_a_loss_without_weight_is_not_computed(view: DataView, left_out: str, weight: str) -> None:
    learner = made("cyclegan", view, **{weight: 0.0})
    found = learner.training_step(rows(view, 2), torch.zeros(2), 0)
    assert not [name for name in found if name.endswith(left_out)]
    assert torch.isfinite(found["loss"])


def test_a_and_b_of_a_step_are_not_partners(view: DataView) -> None:
    """The first half of the rows gives A, the second half B."""
    learner = made("cyclegan", view, batch_size=2)
    seen: list[Tensor] = []
    learner.a2b.register_forward_pre_hook(lambda m, x: seen.append(x[0]))
    images = rows(view, 4)
    learner.training_step(images, torch.zeros(4), 0)
    torch.testing.assert_close(seen[0][:2], images[:2, :3] * 2 - 1)
    torch.testing.assert_close(seen[0][2:], images[2:, 3:] * 2 - 1)


@pytest.mark.parametrize("kind", ["mirror", "mirror_crop"])
def test_partners_are_changed_the_same_way(kind: str) -> None:
    torch.manual_seed(0)
    x = torch.rand(6, 3, 16, 16)
    left, right = augment(kind, [x, -x])
    torch.testing.assert_close(left, -right)
    assert not torch.equal(left, x)
    assert augment("none", [x])[0] is x


def test_the_smallest_networks_stay_modules(view: DataView) -> None:
    learner = made("pix2pix", view)
    assert isinstance(learner.generators, nn.ModuleDict)
    assert set(learner.networks) == set(learner.optimizers) == {"generators", "discriminators"}
