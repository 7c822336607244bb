"""Which option is worth most: an additive value on fixed scales, with swing weights.

The scales do not depend on which options there are, so adding or removing one never changes the order of the others.
What a difference in score is worth in money is the same ranking in another language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import floor, fsum
from typing import Final

from services.metrics.review.conventions import exceeds, quantiles
from services.metrics.review.options import NO_ACTION, Option
from services.metrics.review.thresholds import CRITERIA, RankingRules

_STEPS: Final = quantiles(200)


@dataclass(frozen=True, slots=True)
class Chance:
    """With which probability something is carried out, and what it then has of effect."""

    probability: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An option, or a package of two, in raw figures."""

    name: str
    parts: tuple[str, ...]
    chances: tuple[Chance, ...]
    loss: float
    cost: float
    hours: float
    weeks: float
    not_with: frozenset[str] = frozenset()
    """Options that it is not joined with."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with what it is worth."""

    candidate: Candidate
    values: Mapping[str, float]
    """By criterion, 0 to 100."""
    score: float
    net: float | None
    """What it is worth beyond doing nothing, in money; none while nobody has said what the swings are worth."""
    better: float | None
    """The probability that it is better than doing nothing."""
    dominated_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scales:
    """The fixed scales: from the worst that is acceptable to the best, and what each is worth."""

    gap: float
    loss: float
    budget: float
    hours: float
    weeks: float
    swing: Mapping[str, float]

    @property
    def weights(self) -> dict[str, float]:
        """swing ÷ Σ swings."""
        whole = fsum(self.swing.values())
        return {name: self.swing[name] / whole for name in CRITERIA}


def scales_of(rules: RankingRules, gap: float, members: int, weeks: float) -> Scales:
    """The scales of a team; its effort at most a share of its hours."""
    hours = max(1.0, floor(rules.effort * members * weeks * rules.hours_per_week + 1e-9))
    swing = {name: getattr(rules.swing, name) for name in CRITERIA}
    return Scales(gap, rules.loss, rules.budget, hours, rules.weeks, swing)


def candidate_of(option: Option, measure: str, members: int) -> Candidate:
    """An option as it is for a team and a measure."""
    effect = option.effects.get(measure)
    chance = Chance(option.probability, effect.mean, effect.deviation) if effect else Chance(option.probability, 0, 0)
    return Candidate(option.id, (option.id,), (chance,), option.expected_loss, option.cost, option.hours(members),
                     option.weeks, frozenset(option.not_with))  # fmt: skip


def together(one: Candidate, other: Candidate) -> Candidate:
    """A package: what it takes is added up, its first effect is the later one."""
    return Candidate(
        f"{one.name}+{other.name}", one.parts + other.parts, one.chances + other.chances, one.loss + other.loss,
        one.cost + other.cost, one.hours + other.hours, max(one.weeks, other.weeks),
    )  # fmt: skip


def values_of(candidate: Candidate, scales: Scales) -> dict[str, float]:
    """Each criterion from 0 to 100; the benefit of a package is 1 - (1 - b1)(1 - b2)."""
    left = 1.0
    for each in candidate.chances:
        left *= 1 - min(1.0, each.probability * each.mean / scales.gap)
    return {
        "benefit": 100 * (1 - left),
        "risk": 100 * (1 - candidate.loss / scales.loss),
        "cost": 100 * (1 - candidate.cost / scales.budget),
        "effort": 100 * (1 - candidate.hours / scales.hours),
        "time": 100 * (1 - candidate.weeks / scales.weeks),
    }


def score_of(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Σ weight · value."""
    return fsum(weights[name] * values[name] for name in CRITERIA)


def within(candidate: Candidate, scales: Scales) -> bool:
    """Whether it keeps to the hard limits."""
    return (
        candidate.cost <= scales.budget
        and candidate.hours <= scales.hours
        and candidate.loss <= scales.loss
        and candidate.weeks <= scales.weeks
    )


def rank(candidates: Sequence[Candidate], scales: Scales, *, money: bool) -> list[Ranked]:
    """Candidates from best to worst; doing nothing is one of them."""
    weights = scales.weights
    values = {each.name: values_of(each, scales) for each in candidates}
    nothing = score_of(values_of(_nothing(), scales), weights)
    whole = fsum(scales.swing.values())
    found = []
    for each in candidates:
        score = score_of(values[each.name], weights)
        net = (score - nothing) * whole / 100 if money else None
        better = None if each.name == NO_ACTION else better_than_nothing(each, scales)
        found.append(Ranked(each, values[each.name], score, net, better, dominating(each, candidates, values)))
    return sorted(found, key=lambda each: (-each.score, each.candidate.name))


def packages(candidates: Sequence[Candidate], scales: Scales) -> list[Candidate]:
    """Pairs of options that can be joined, and together keep to the limits."""
    singles = sorted((each for each in candidates if each.name != NO_ACTION), key=lambda each: each.name)
    joined = [pair for pair in combinations(singles, 2) if compatible(*pair)]
    return [pair for pair in (together(*each) for each in joined) if within(pair, scales)]


def compatible(one: Candidate, other: Candidate) -> bool:
    """Whether neither says that it is not joined with the other."""
    return one.name not in other.not_with and other.name not in one.not_with


def first_of(candidates: Sequence[Candidate], scales: Scales) -> Candidate | None:
    """The candidate with the highest score, if there is any."""
    weights = scales.weights
    return min(candidates, key=lambda each: (-score_of(values_of(each, scales), weights), each.name), default=None)


def better_than_nothing(candidate: Candidate, scales: Scales) -> float:
    """P(score > score of doing nothing): success ~ Bernoulli(p), effect ~ Normal; computed, not drawn.

    For one option it is exact, for two it is the mean over 200 equally likely effects of the first
    (`docs/decisions/0017-where-the-review-differs.md`).
    """
    weights = scales.weights
    others = score_of(values_of(candidate, scales) | {"benefit": 0.0}, weights)
    nothing = score_of(values_of(_nothing(), scales), weights)
    needed = (nothing - others) / (100 * weights["benefit"]) if weights["benefit"] else 0.0
    return _reaches(candidate.chances, needed, scales.gap)


def _reaches(chances: Sequence[Chance], needed: float, gap: float) -> float:
    """P(1 - Π(1 - share of the gap closed) > needed)."""
    if not chances:
        return 1.0 if needed < 0 else 0.0
    first, rest = chances[0], chances[1:]
    failed = (1 - first.probability) * _reaches(rest, needed, gap)
    if not rest:
        return failed + first.probability * (exceeds(first.mean, first.deviation, needed * gap) if needed < 1 else 0.0)
    reached = []
    for step in _STEPS:
        left = 1 - min(1.0, (first.mean + first.deviation * step) / gap)
        reached.append(_reaches(rest, 1 - (1 - needed) / left, gap) if left > 0 else float(needed < 1))
    return failed + first.probability * fsum(reached) / len(reached)


def dominating(
    candidate: Candidate, others: Sequence[Candidate], values: Mapping[str, Mapping[str, float]]
) -> tuple[str, ...]:
    """Those that are nowhere worse and somewhere better (Pareto)."""
    mine = values[candidate.name]
    return tuple(sorted(
        each.name for each in others
        if each.name != NO_ACTION and not set(candidate.parts) & set(each.parts)
        and all(values[each.name][name] >= mine[name] for name in CRITERIA)
        and any(values[each.name][name] > mine[name] for name in CRITERIA)
    ))  # fmt: skip


def firsts(name: str, candidates: Sequence[Candidate], scales: Scales) -> int:
    """In how many of ten variants (each weight halved, and half as much again) a candidate is first."""
    won = 0
    values = {each.name: values_of(each, scales) for each in candidates}
    for criterion in CRITERIA:
        for factor in (0.5, 1.5):
            varied = replace(scales, swing={**scales.swing, criterion: scales.swing[criterion] * factor})
            weights = varied.weights
            won += max(sorted(values), key=lambda each: score_of(values[each], weights)) == name
    return won


def _nothing() -> Candidate:
    return Candidate(NO_ACTION, (NO_ACTION,), (), 0.0, 0.0, 0.0, 0.0)
