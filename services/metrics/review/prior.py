"""What an organisation learns: an option's expected effect, updated by what was observed (normal-normal).

The effects that come with the options are assumptions. Each verdict adds to them, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

from services.metrics.review.options import Catalogue, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What was observed of an option in one review."""

    option: str
    measure: str
    observed: float
    error: float
    verdict: str
    review: str
    team: str
    on: date


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was expected of an option on a measure, what is expected now, and by which lessons."""

    assumed: Effect
    now: Effect
    lessons: Sequence[Lesson]


LEAST_ERROR: Final = 1.0
"""In points: weeks that were all alike do not make anybody certain."""


def updated(prior: Effect, observed: float, error: float) -> Effect:
    """Precision 1/sd² + 1/se²; the mean weighted by precision."""
    error = max(error, LEAST_ERROR)
    before, seen = 1 / (prior.deviation * prior.deviation), 1 / (error * error)
    mean = (before * prior.mean + seen * observed) / (before + seen)
    return Effect(mean=mean, deviation=1 / sqrt(before + seen), source="own results")


def learnt(
    catalogue: Catalogue, lessons: Iterable[Lesson], adopted_on: date | None
) -> Mapping[tuple[str, str], Learnt]:
    """By option and measure what was learnt. An effect that was adopted as one's own result knows of all before."""
    found: dict[tuple[str, str], Learnt] = {}
    effects = {(each.id, name): effect for each in catalogue.options for name, effect in each.effects.items()}
    for lesson in sorted(lessons, key=lambda each: (each.on, each.review)):
        key = lesson.option, lesson.measure
        assumed = effects.get(key)
        if assumed is None or _knew(assumed, lesson, adopted_on):
            continue
        before = found.get(key, Learnt(assumed, assumed, ()))
        now = updated(before.now, lesson.observed, lesson.error)
        found[key] = Learnt(assumed, now, (*before.lessons, lesson))
    return found


def with_lessons(catalogue: Catalogue, known: Mapping[tuple[str, str], Learnt]) -> Catalogue:
    """The options with what is expected of them now."""
    options = [
        each.model_copy(update={"effects": {
            name: known[each.id, name].now if (each.id, name) in known else effect
            for name, effect in each.effects.items()
        }})
        for each in catalogue.options
    ]  # fmt: skip
    return catalogue.model_copy(update={"options": tuple(options)})


def _knew(effect: Effect, lesson: Lesson, adopted_on: date | None) -> bool:
    return effect.source == "own results" and adopted_on is not None and lesson.on <= adopted_on
