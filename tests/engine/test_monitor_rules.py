"""The rules of the mode-collapse monitor, on made-up series of its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from engine.configs.adversarial import GANConfig
from engine.configs.dcgan import DCGANConfig
from engine.learner import Finding
from engine.monitor_remedies import remedies
from engine.monitor_rules import CHECKS, LATE_STEPS, QUIET_STEPS, STUCK_STEPS, Watch

WELL = {
    "coverage": 0.8,
    "coverage_real": 0.97,
    "class_kl_nats": 0.02,
    "effective_classes": 9.8,
    "diversity_ratio": 0.97,
    "latent_sensitivity": 0.3,
    "discriminator/accuracy_real": 0.8,
    "discriminator/accuracy_fake": 0.8,
    "discriminator/mean_real": 0.7,
    "discriminator/mean_held_out": 0.69,
    "discriminator/sign_real": 0.5,
}
TOY = {
    "modes": 8.0,
    "modes_covered": 8.0,
    "modes_strict": 8.0,
    "high_quality_share": 0.8,
    "mode_kl_nats": 0.01,
    "effective_modes": 7.9,
}
DRAWN = {"js_nats": 0.08, "grid_kl_nats": 0.2}
IMAGE = (1, 28, 28)


def course(watch: Watch, values: Iterable[dict[str, float]], **more: Any) -> list[list[Finding]]:
    """Check values every 100 steps from 0 on."""
    return [watch.check(100 * i, v, **more) for i, v in enumerate(values)]


def after(good: dict[str, float], bad: dict[str, float], kind: Any = "images") -> list[Finding]:
    """Return what is said after 20 good checks and `CHECKS` bad ones."""
    found = course(Watch(kind), [good] * 20 + [{**good, **bad}] * CHECKS)
    assert not any(found[:-1]), "said before the third check in a row"
    return found[-1]


def one(found: list[Finding]) -> Finding:
    assert len(found) == 1, [f.name for f in found]
    assert found[0].sentence.endswith(".")
    assert found[0].sentence[0].isupper()
    return found[0]


@pytest.mark.parametrize("kind", ["images", "points"])
def test_a_perfect_sampler_sets_nothing_off(kind: Any) -> None:
    """A thousand checks with the noise of 512 pictures, or of 2,500 points (metrics.md 1.5)."""
    random, watch = np.random.default_rng(0), Watch(kind)
    for i in range(1000):
        counts = random.multinomial(512, [0.1] * 10) / 512
        kl = float(np.sum(counts * np.log(np.maximum(counts, 1e-12) / 0.1)))
        values = {
            "coverage": float(random.binomial(512, 0.969)) / 512,
            "class_kl_nats": kl,
            "effective_classes": float(np.exp(np.log(10) - kl)),
            "diversity_ratio": 1 + 0.02 * random.standard_normal(),
            "latent_sensitivity": 0.3 * (1 + 0.02 * random.standard_normal()),
            "discriminator/accuracy_real": random.binomial(128, 0.6) / 128,
            "discriminator/accuracy_fake": random.binomial(128, 0.6) / 128,
            "discriminator/sign_real": 2 * random.binomial(128, 0.6) / 128 - 1,
            "discriminator/mean_real": 0.55 + 0.02 * random.standard_normal(),
            "discriminator/mean_held_out": 0.55 + 0.02 * random.standard_normal(),
        }
        if kind == "points":
            shares = random.multinomial(2500, [1 / 25] * 25)
            values = {
                "modes": 25.0,
                "modes_covered": float((shares > 0).sum()),
                "modes_strict": float((shares >= 20).sum()),
                "high_quality_share": random.binomial(2500, 0.989) / 2500,
                "mode_kl_nats": float(np.sum(shares / 2500 * np.log(shares / 100))),
                "effective_modes": 25.0,
                "diversity_ratio": 1 + 0.02 * random.standard_normal(),
            }
        assert watch.check(100 * i, values) == []


@pytest.mark.parametrize(
    ("bad", "name", "level", "words"),
    [
        ({"coverage": 0.6}, "modes_lost", "warn", "Coverage fell from 0.80 to 0.60 since step"),
        ({"coverage": 0.31}, "collapse", "collapse", "0.31"),
        ({"coverage": 0.05}, "total_collapse", "total", "94%"),
        ({"class_kl_nats": 0.12}, "modes_lost", "warn", "0.12 nats"),
        ({"class_kl_nats": 0.5, "effective_classes": 6.0}, "collapse", "collapse", "6.0"),
        ({"effective_classes": 1.2}, "total_collapse", "total", "one class"),
        ({"diversity_ratio": 0.2}, "total_collapse", "total", "20%"),
        ({"diversity_ratio": 0.6}, "diversity_watch", "watch", "60%"),
        ({"latent_sensitivity": 0.1}, "sensitivity_watch", "watch", "0.3 to 0.1"),
    ],
)
def test_each_rule_of_pictures(bad: dict[str, float], name: str, level: str, words: str) -> None:
    found = one(after(WELL, bad))
    assert (found.name, found.level) == (name, level)
    assert words in found.sentence
    assert found.since == 1900, "the last check at which all was well"


@pytest.mark.parametrize(
    ("good", "bad", "name"),
    [
        (TOY, {"modes_strict": 7.0}, "modes_lost"),
        (TOY, {"modes_strict": 4.0}, "collapse"),
        (TOY, {"modes_strict": 1.0, "modes_covered": 1.0}, "total_collapse"),
        (TOY, {"mode_kl_nats": 0.13, "effective_modes": 7.0}, "modes_lost"),
        (TOY, {"mode_kl_nats": 0.7, "effective_modes": 4.0}, "collapse"),
        (TOY, {"mode_kl_nats": 2.0, "effective_modes": 1.1}, "total_collapse"),
        (DRAWN, {"js_nats": 0.18}, "modes_lost"),
        (DRAWN, {"js_nats": 0.35}, "collapse"),
    ],
)
def test_each_rule_of_points(good: dict[str, float], bad: dict[str, float], name: str) -> None:
    assert one(after(good, bad, "points")).name == name


def test_losses_alone_set_nothing_off() -> None:
    assert after(WELL, {"generator/loss": 50.0, "discriminator/loss": 1e-6}) == []


def test_a_strong_discriminator_is_told_after_three_hundred_steps() -> None:
    sure = {"discriminator/accuracy_real": 0.99, "discriminator/accuracy_fake": 0.97}
    found = course(Watch("images"), [WELL] * 20 + [{**WELL, **sure}] * 7)
    assert not any(found[:-1])
    assert one(found[-1]).name == "discriminator_watch"
    assert "since step 2,000" in found[-1][0].sentence
    only_fake = {**sure, "discriminator/accuracy_real": 0.9}
    assert not any(course(Watch("images"), [{**WELL, **only_fake}] * 30))


def test_an_overfitting_discriminator_is_told() -> None:
    sure = {"discriminator/sign_real": 0.9, "discriminator/mean_real": 0.95}
    assert after(WELL, sure) == [], "held-out pictures fare as before"
    found = one(after(WELL, {**sure, "discriminator/mean_held_out": 0.4}))
    assert (found.name, found.level) == ("overfitting_watch", "watch")
    assert "0.95" in found.sentence
    assert "0.40" in found.sentence


def test_the_start_of_a_run_is_mute() -> None:
    young = {**WELL, "coverage": 0.02, "class_kl_nats": 1.5, "diversity_ratio": 0.1}
    watch = Watch("images")
    steps = range(0, STUCK_STEPS, 50)
    assert not any(watch.check(step, young) for step in steps)
    early = Watch("images")
    fell = [early.check(s, WELL if s < 200 else young) for s in range(0, QUIET_STEPS, 50)]
    assert not any(fell), "it had covered, but no run is judged so soon"
    later = [early.check(s, young) for s in range(QUIET_STEPS, QUIET_STEPS + 150, 50)]
    assert one(later[-1]).level == "total"
    assert later[-1][0].since == 150


def never(values: dict[str, float], until: int) -> Finding | None:
    """Return what is said last of a run that never was better."""
    watch, found = Watch("images"), []
    for step in range(0, until, 100):
        found = watch.check(step, {**WELL, **values})
    return one(found) if found else None


def test_a_run_that_never_covers_is_told_in_the_end() -> None:
    same = {"coverage": 0.02, "diversity_ratio": 0.1}
    assert never(same, STUCK_STEPS + 200) is None
    found = never(same, STUCK_STEPS + 300)
    assert found is not None
    assert (found.name, found.since) == ("total_collapse", None)
    stuck = never({"coverage": 0.02, "class_kl_nats": 0.9}, STUCK_STEPS + 300)
    assert stuck is not None
    assert "still reach only 2.0% of the data" in stuck.sentence
    assert never({"coverage": 0.02}, 5000) is None, "even classes, all different: only slow"


def test_uneven_classes_of_a_young_run_are_no_loss() -> None:
    slow = {"coverage": 0.35, "class_kl_nats": 0.4, "effective_classes": 6.0}
    assert never(slow, LATE_STEPS + 200) is None
    found = never(slow, LATE_STEPS + 300)
    assert found is not None
    assert found.name == "collapse"
    assert never({**slow, "class_kl_nats": 0.3}, 5000) is None


def test_the_count_of_modes_goes_up_and_down_while_samples_get_better() -> None:
    assert after(TOY, {"modes_strict": 4.0, "high_quality_share": 0.2}, "points") == []


def test_a_single_good_check_starts_the_count_again() -> None:
    bad = {**WELL, "coverage": 0.3}
    assert not any(course(Watch("images"), [WELL] * 20 + [bad, bad, WELL, bad, bad]))


def test_the_level_is_the_least_of_three() -> None:
    levels = [{**WELL, "coverage": c} for c in (0.6, 0.3, 0.3, 0.3)]
    found = course(Watch("images"), [WELL] * 20 + levels)
    assert [f[0].level for f in found[-2:]] == ["warn", "collapse"]
    assert {f[0].since for f in found[-2:]} == {1900}


def test_one_lucky_check_is_no_highest() -> None:
    lucky = {**WELL, "coverage": 0.97}
    low = {**WELL, "coverage": 0.45}
    found = course(Watch("images"), [{**WELL, "coverage": 0.5}] * 20 + [lucky] + [low] * 9)
    assert not any(found)


def test_two_kinds_of_evidence_are_one_sentence() -> None:
    bad = {"coverage": 0.1, "class_kl_nats": 1.2, "effective_classes": 3.0}
    watch = Watch("images")
    found = course(watch, [WELL] * 20 + [{**WELL, **bad}] * 3, lost=("1", "7"))
    sentence = one(found[-1]).sentence
    assert "Coverage fell" in sentence
    assert "; the classes are 1.20 nats" in sentence
    assert "hardly any of 1, 7" in sentence
    assert sentence.count(".") == sentence.count("0.") + sentence.count("1.2") + 2


def test_early_signs_are_not_told_beside_the_collapse() -> None:
    bad = {"coverage": 0.2, "diversity_ratio": 0.5, "latent_sensitivity": 0.1}
    assert one(after(WELL, bad)).name == "collapse"
    names = {f.name for f in after(WELL, {**bad, "coverage": 0.6})}
    assert names == {"modes_lost", "diversity_watch", "sensitivity_watch"}


def test_a_live_change_gets_time_to_work() -> None:
    bad = {**WELL, "coverage": 0.3}
    watch, config = Watch("images"), DCGANConfig()
    found = course(watch, [WELL] * 20 + [bad] * 3, config=config)
    assert found[-1]
    changed = DCGANConfig.from_values({"r1_gamma": 1.0})
    told = [watch.check(step, bad, changed) for step in range(2300, 3000, 100)]
    assert [bool(f) for f in told] == [False] * 6 + [True]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_say_nothing(broken: float) -> None:
    assert after(WELL, dict.fromkeys(WELL, broken)) == []


# ---------------------------------------------------------------------- remedies


def keys(config: GANConfig, shape: tuple[int, ...] = IMAGE, concern: Any = "coverage") -> list[str]:
    return [r.key for r in remedies(config, shape, concern)]


def test_remedies_stand_in_the_order_of_their_evidence() -> None:
    assert keys(DCGANConfig())[:4] == ["packing", "minibatch_std", "r1", "spectral_norm"]


def test_what_is_on_is_not_offered() -> None:
    on = {"packing": 2, "minibatch_std": True, "r1_gamma": 0.1, "spectral_norm": True}
    found = keys(DCGANConfig.from_values(on))
    assert not {"packing", "minibatch_std", "r1", "spectral_norm"} & set(found)
    assert found


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ({"loss": "minimax"}, {"loss": "nonsaturating"}),
        ({"discriminator_channels": 2}, {"discriminator_channels": 0}),
        ({"discriminator_learning_rate": 1e-2}, {"discriminator_learning_rate": 1e-3}),
        (
            {"discriminator_learning_rate": 1e-2, "generator_batch_norm": False},
            {"discriminator_learning_rate": 1e-3, "generator_batch_norm": True},
        ),
    ],
)
def test_a_known_cause_is_undone_first(values: dict[str, Any], first: dict[str, Any]) -> None:
    assert remedies(DCGANConfig.from_values(values), IMAGE, "coverage")[0].config == first


@pytest.mark.parametrize("concern", ["coverage", "discriminator", "overfitting"])
@pytest.mark.parametrize("loss", ["nonsaturating", "minimax", "least_squares", "wgan_gp"])
def test_every_remedy_is_valid_and_changes_something(concern: Any, loss: str) -> None:
    config = DCGANConfig.from_values({"loss": loss, "discriminator_learning_rate": 1e-6})
    for remedy in remedies(config, IMAGE, concern):
        values = {**config.to_dict(), **remedy.config}
        assert DCGANConfig.from_values(values) != config, remedy


def test_the_weight_of_r1_fits_the_resolution() -> None:
    gammas = {}
    for shape in ((2,), (1, 28, 28), (3, 64, 64)):
        found = remedies(DCGANConfig(), shape, "coverage")
        gammas[shape] = next(r.config["r1_gamma"] for r in found if r.key == "r1")
    assert gammas == {(2,): 0.1, (1, 28, 28): 0.12, (3, 64, 64): 0.62}


def test_without_a_config_there_is_nothing_to_offer() -> None:
    assert remedies(None, IMAGE, "coverage") == ()
