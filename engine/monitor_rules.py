"""When to say that a generator has stopped covering its data: rules over the monitor's numbers.

Losses set nothing off: they say little about coverage. The thresholds lie above the noise of a
perfect sampler of 512 pictures (coverage 0.97 +- 0.01, class KL below 0.027 nats in 999 of 1,000
checks), and every rule must hold in three checks in a row.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from engine.config import Config
from engine.learner import Finding, Level
from engine.monitor_remedies import Concern, remedies

CHECKS = 3  # in a row, before anything is said
QUIET_STEPS = 500  # of G, at the start of a run: everything looks collapsed then
SETTLE_STEPS = 400  # after a resume, a fork or a live change: what was changed needs time to work
STUCK_STEPS = 1000  # a run that has covered nothing by then is judged all the same
LATE_STEPS = 2000  # by then the classes should be even; a slow healthy run had 0.43 nats at 1,000
COVERS = 0.3  # of the data or the modes: from here on a run can lose what it had
STRONG_STEPS = 300  # that D may tell everything apart before it is said
GOOD_SHARE = 0.5  # of good samples: with fewer, a mode's count says how good they are
NATS_OF_A_FIFTH, NATS_OF_HALF = 0.075, 0.216  # Jensen-Shannon when that part of the data is gone
RANK: dict[str, int] = {"watch": 0, "warn": 1, "collapse": 2, "total": 3}
NAMES = {"warn": "modes_lost", "collapse": "collapse", "total": "total_collapse"}

TRACKED = ("cover", "even", "latent_sensitivity", "modes_strict", "discriminator/mean_held_out")

Values = Mapping[str, float]


@dataclass(frozen=True)
class Evidence:
    """What one rule makes of one check: a clause that begins a sentence."""

    level: Level
    clause: str


@dataclass
class Highest:
    """The highest value so far and its step; of medians of three, so that no outlier counts."""

    value: float = -math.inf
    step: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=3))

    def take(self, step: int, value: float) -> None:
        """Look at a value."""
        self.recent.append(value)
        usual = median(self.recent) if len(self.recent) == 3 else min(self.recent)
        if usual > self.value:
            self.value, self.step = usual, step


@dataclass
class Course:
    """What a run has reached so far, as far as rules need it."""

    step: int = 0
    highest: dict[str, Highest] = field(default_factory=dict)
    strong_from: int | None = None  # step from which on D has told everything apart
    lost: tuple[str, ...] = ()  # classes that hardly appear

    def take(self, step: int, values: Values, lost: tuple[str, ...]) -> None:
        """Look at one check."""
        self.step, self.lost = step, lost
        for name in TRACKED:
            if name in values:
                self.highest.setdefault(name, Highest()).take(step, values[name])
        real = values.get("discriminator/accuracy_real", 0.0)
        fake = values.get("discriminator/accuracy_fake", 0.0)
        if min(real, fake) <= 0.95:
            self.strong_from = None
        elif self.strong_from is None:
            self.strong_from = step

    @property
    def covered(self) -> bool:
        """Say whether the run has ever covered a good part of the data."""
        return "cover" in self.highest and self.highest["cover"].value >= COVERS


class Watch:
    """Keeps the course of a run's monitor numbers and says what they give cause to say."""

    def __init__(self, kind: Literal["points", "images"]) -> None:
        self.kind = kind
        self.course = Course()
        self.held: dict[str, deque[Evidence | None]] = {}
        self.well: dict[str, int] = {}  # by name of an alert: the last step without cause for it
        self.settled_from: int | None = None
        self.config: Config | None = None

    def check(
        self,
        step: int,
        values: Values,
        config: Config | None = None,
        shape: tuple[int, ...] = (2,),
        lost: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Take the numbers of one check; return what holds for the third time in a row.

        `config` is the model's present one: what it has on already is not offered again;
        `shape` is that of the data; `lost` names classes that hardly appear. Of toy numbers
        `modes`, how many there are, is used too.
        """
        if self.settled_from is None or config != self.config:
            self.settled_from, self.config = step, config
            self.held.clear()
        finite = {k: v for k, v in values.items() if math.isfinite(v)}
        finite.update(_common(finite))
        self.course.take(step, finite, lost)
        judged = self.judges(step)
        told: dict[str, list[Evidence]] = {}
        causes: set[str] = set()
        for name, rule in RULES:
            found = rule(finite, self.course)
            held = self.held.setdefault(rule.__name__, deque(maxlen=CHECKS))
            held.append(found if judged else None)
            causes |= {name} if found else set()
            if found and len(held) == CHECKS and all(held):
                least = min((e.level for e in held if e), key=RANK.__getitem__)
                told.setdefault(name, []).append(Evidence(least, found.clause))
        if any(RANK[e.level] >= RANK["collapse"] for e in told.get("cover", [])):
            told = {name: found for name, found in told.items() if name not in EARLY_SIGNS}
        for name in dict(RULES).keys() - causes:
            if name != "cover" or self.course.covered:
                self.well[name] = step
        return [self._finding(name, evidence, shape) for name, evidence in told.items()]

    def judges(self, step: int) -> bool:
        """Say whether the run is far enough to be judged."""
        start = self.settled_from or 0
        settled = start == 0 or step - start >= SETTLE_STEPS
        return step >= QUIET_STEPS and settled and (self.course.covered or step >= STUCK_STEPS)

    def _finding(self, name: str, found: list[Evidence], shape: tuple[int, ...]) -> Finding:
        worst = max(found, key=lambda e: RANK[e.level])
        clauses = [worst.clause, *(e.clause for e in found if e is not worst)]
        sentence = "; ".join([clauses[0], *(c[0].lower() + c[1:] for c in clauses[1:2])])
        concern: Concern = CONCERNS.get(name, "coverage")
        return Finding(
            NAMES[worst.level] if name == "cover" else name,
            f"{sentence}.",
            level=worst.level,
            remedies=remedies(self.config, shape, concern),
            since=self.well.get(name),
        )


def _common(values: Values) -> dict[str, float]:
    """Return `cover`, the share of the data that is covered, and `even`, the negative class KL.

    By whatever measure the data allow.
    """
    found = {}
    if "coverage" in values:
        found["cover"] = values["coverage"]
    elif values.get("modes", 0) > 0 and "modes_strict" in values:
        found["cover"] = values["modes_strict"] / values["modes"]
    elif "js_nats" in values:
        found["cover"] = 1 - values["js_nats"] / math.log(2)
    if "class_kl_nats" in values or "mode_kl_nats" in values:
        found["even"] = -values.get("class_kl_nats", values.get("mode_kl_nats", 0.0))
    return found


# ---------------------------------------------------------------------- what is lost


def coverage(values: Values, course: Course) -> Evidence | None:
    """Coverage against the highest so far: down a fifth, half, nearly all."""
    if "coverage" not in values:
        return None
    now, best = values["coverage"], course.highest["cover"]
    if not course.covered:
        poor = values.get("even", -math.inf) < -0.36 or values.get("diversity_ratio", 1.0) < 0.5
        clause = (
            f"After {course.step:,} steps the generated pictures still reach only {now:.1%} of "
            "the data"
        )
        stuck = course.step >= STUCK_STEPS and now < 0.1 and poor
        return Evidence("collapse", clause) if stuck else None
    if now >= 0.8 * best.value:
        return None
    level: Level = "total" if now < 0.1 else "collapse" if now < 0.5 * best.value else "warn"
    gone = f"{1 - now / best.value:.0%}"
    return Evidence(
        level,
        f"Coverage fell from {best.value:.2f} to {now:.2f} since step {best.step:,}: {gone} of "
        "the data that the generator reached it reaches no longer",
    )


def classes(values: Values, course: Course) -> Evidence | None:
    """Classes or modes against the data's: about one of ten gone, three, all but one.

    Only what was even once can be lost; what never was by `LATE_STEPS` is told if it is bad.
    """
    if "even" not in values:
        return None
    one, what = ("class", "classes") if "class_kl_nats" in values else ("mode", "modes")
    kl, lowest = -values["even"], -course.highest["even"].value
    effective = values.get("effective_classes", values.get("effective_modes", math.inf))
    if effective < 2:
        return Evidence(
            "total", f"Nearly all samples are of one {one}, as if {effective:.1f} {what} were left"
        )
    level: Level = "collapse" if kl > 0.36 else "warn"
    late = level == "collapse" and course.step >= LATE_STEPS
    if kl <= 0.1 or not (late or lowest <= (0.18 if level == "collapse" else 0.1)):
        return None
    missing = ""
    if course.lost:
        names = ", ".join(course.lost[:5]) + (" and others" if len(course.lost) > 5 else "")
        missing = f", hardly any of {names}"
    clause = f"The {what} are {kl:.2f} nats from the data's, as if {effective:.1f} were left"
    return Evidence(level, clause + missing)


def one_output(values: Values, course: Course) -> Evidence | None:
    """Say that all samples are nearly the same."""
    ratio = values.get("diversity_ratio", 1.0)
    if ratio >= 0.25:
        return None
    clause = f"Two generated samples differ by only {ratio:.0%} of what two real ones do"
    return Evidence("total", clause)


def modes(values: Values, course: Course) -> Evidence | None:
    """Modes of a mixture with at least a fifth of their share, against the highest so far.

    Told only while most samples are good: in the middle of a healthy training the count goes up
    and down with their quality.
    """
    if values.get("modes", 0) < 2 or "modes_strict" not in values:
        return None
    if values.get("high_quality_share", 1.0) < GOOD_SHARE:
        return None
    strict, best, every = values["modes_strict"], course.highest["modes_strict"], values["modes"]
    covered = values.get("modes_covered", strict)
    if covered <= 1 and every > 2:
        return Evidence("total", f"All good samples lie in one of {every:.0f} modes")
    fell = ""
    if best.value - strict >= 1:
        fell = f", down from {best.value:.0f} at step {best.step:,}"
    clause = f"Only {strict:.0f} of {every:.0f} modes get at least a fifth of their share{fell}"
    if strict <= every / 2:
        return Evidence("collapse", clause)
    return Evidence("warn", clause) if fell else None


def overlap(values: Values, course: Course) -> Evidence | None:
    """Jensen-Shannon divergence on a grid, for points without modes, against the lowest so far."""
    if values.get("modes", 0) > 0 or "js_nats" not in values:
        return None
    now, best = values["js_nats"], course.highest["cover"]
    lowest = (1 - best.value) * math.log(2)
    grown = now - lowest
    if grown <= NATS_OF_A_FIFTH:
        return None
    half = grown > NATS_OF_HALF
    clause = (
        f"Generated and real points have drifted apart since step {best.step:,} "
        f"(Jensen-Shannon {lowest:.2f} to {now:.2f} nats), as when "
        f"{'half' if half else 'a fifth'} of the data is no longer reached"
    )
    return Evidence("collapse" if half else "warn", clause)


# ---------------------------------------------------------------------- early signs


def diversity(values: Values, course: Course) -> Evidence | None:
    """Generated samples have become alike, though not yet the same."""
    ratio = values.get("diversity_ratio", 1.0)
    if not 0.25 <= ratio < 0.7:
        return None
    clause = f"Two generated samples differ by only {ratio:.0%} of what two real ones do"
    return Evidence("watch", clause)


def sensitivity(values: Values, course: Course) -> Evidence | None:
    """Another noise makes less of a difference than it did."""
    best = course.highest.get("latent_sensitivity")
    now = values.get("latent_sensitivity")
    if best is None or now is None or best.value <= 0 or now >= 0.5 * best.value:
        return None
    clause = (
        f"The noise decides less and less what is made: latent sensitivity fell from "
        f"{best.value:.3g} to {now:.3g} since step {best.step:,}"
    )
    return Evidence("watch", clause)


def strong_discriminator(values: Values, course: Course) -> Evidence | None:
    """D tells everything apart, so that G gets next to no gradient."""
    start = course.strong_from
    if start is None or course.step - start <= STRONG_STEPS:
        return None
    real, fake = values["discriminator/accuracy_real"], values["discriminator/accuracy_fake"]
    clause = (
        f"The discriminator has told real ({real:.0%}) from generated ({fake:.0%}) since step "
        f"{start:,}, and the generator learns little from one that is always right"
    )
    return Evidence("watch", clause)


def overfitting(values: Values, course: Course) -> Evidence | None:
    """D knows its training pictures by heart: sure of them, less and less of held-out ones."""
    best = course.highest.get("discriminator/mean_held_out")
    held_out = values.get("discriminator/mean_held_out")
    seen, sign = values.get("discriminator/mean_real"), values.get("discriminator/sign_real", 0.0)
    if best is None or held_out is None or seen is None or sign <= 0.6:
        return None
    if held_out > best.value - 0.1 or held_out > seen - 0.1:
        return None
    clause = (
        f"The discriminator knows its training examples by heart: it gives them {seen:.2f}, and "
        f"real ones it never saw {held_out:.2f}, down from {best.value:.2f} at step {best.step:,}"
    )
    return Evidence("watch", clause)


Rule = Callable[[Values, Course], "Evidence | None"]
RULES: tuple[tuple[str, Rule], ...] = (
    ("cover", coverage),
    ("cover", classes),
    ("cover", one_output),
    ("cover", modes),
    ("cover", overlap),
    ("diversity_watch", diversity),
    ("sensitivity_watch", sensitivity),
    ("discriminator_watch", strong_discriminator),
    ("overfitting_watch", overfitting),
)
EARLY_SIGNS = ("diversity_watch", "sensitivity_watch")  # of what is told already then
CONCERNS: dict[str, Concern] = {
    "discriminator_watch": "discriminator",
    "overfitting_watch": "overfitting",
}
