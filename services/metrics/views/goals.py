"""Goals: how far they are attained in a period, by the weighted tree they stand in.

A goal's weight is that of its branch of the tree; goals side by side at the top share the whole. What is linked to a
goal below serves it; what is linked to a goal above it serves none of its parts in particular. A goal is reached as
targets says: by its parts and their weights, without parts by its own value, without that by the mean of its targets.
Of a goal or target that goes on beyond the period, that part counts which is due in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.goals import GoalFact, MetricFact
from services.metrics.facts.targets import TargetFact
from services.metrics.views.achieved import achieved
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.row_source import Source, simple
from services.metrics.views.targets import LEVELS
from shared.attainment import Attainment, due_before
from shared.money import plain, rounded
from shared.opportunity import standing
from shared.period import Period

ORGANISATION: Final = "organisation"
KEY: Final = "goal_attainment"
_goal, _target = GoalFact.__table__.c, TargetFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_GOALS = (
    sa.select(GoalFact)
    .where(_goal.start < _END, _goal.end > _START, sa.or_(_goal.closed_on.is_(None), _goal.closed_on > _START))
    .order_by(_goal.id)
)
_TARGETS = (
    sa.select(TargetFact)
    .where(
        _target.start < _END, _target.end > _START,
        sa.or_(_target.closed_on.is_(None), _target.closed_on > _target.start),
        sa.or_(_target.goal.is_not(None), sa.and_(_target.level == "team", _target.ref == sa.bindparam("team"))),
    )
    .order_by(_target.id)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aims:
    """The goals and targets of a period, and how they hang together."""

    reading: Reading
    goals: Mapping[str, GoalFact]
    parts: Mapping[str, Sequence[GoalFact]]
    targets: Sequence[TargetFact]
    metrics: Mapping[str, MetricFact]

    @property
    def period(self) -> Period:
        """The days that are asked about."""
        return self.reading.question.period

    def tops(self, level: str = ORGANISATION, ref: str = "") -> list[GoalFact]:
        """The goals of the organisation, or of somebody in it, that are no part of another of these, and stand for the
        period."""
        mine = [each for each in self.goals.values() if (each.level, each.ref) == (level, ref)]
        ids = {each.id for each in mine}
        tops = [each for each in mine if each.parent not in ids]
        spans = list({(each.start, each.end): each for each in tops}.values())
        days = {(each.start, each.end) for each, _ in standing(spans, self.period)}
        return [each for each in tops if not days or (each.start, each.end) in days]

    def weighed(self, level: str = ORGANISATION, ref: str = "") -> Iterator[tuple[GoalFact, Fraction]]:
        """The goals of the organisation, or of somebody in it, that have no parts of the same owner, each with its
        weight in the whole tree."""
        tops = self.tops(level, ref)
        whole = max(Fraction(1), sum((_share(each.weight) for each in tops), Fraction(0)))
        waiting = [(each, _share(each.weight) / whole) for each in tops]
        while waiting:
            goal, weight = waiting.pop(0)
            parts = [each for each in self.parts.get(goal.id, ()) if (each.level, each.ref) == (level, ref)]
            if parts:
                waiting += [(each, weight * _share(each.weight)) for each in parts]
            else:
                yield goal, weight

    def below(self, goal: str) -> set[str]:
        """A goal and all goals below it."""
        found, waiting = {goal}, [goal]
        while waiting:
            below = [each.id for each in self.parts.get(waiting.pop(), ()) if each.id not in found]
            found.update(below)
            waiting += below
        return found

    def serving(self) -> set[str]:
        """The goals of the organisation, and all that are below one of them."""
        return {each for goal, _ in self.weighed() for each in self.below(goal.id)}

    async def reached(self, goal: GoalFact, seen: frozenset[str] = frozenset()) -> Fraction | None:
        """How far a goal is reached; parts that are not known weigh nothing."""
        parts = [each for each in self.parts.get(goal.id, ()) if each.id not in seen]
        if not parts:
            return await self._by_itself(goal)
        weight = summed = Fraction(0)
        for part in parts:
            rate = await self.reached(part, seen | {goal.id})
            if rate is not None:
                weight, summed = weight + _share(part.weight), summed + _share(part.weight) * rate
        return summed / weight if weight else None

    async def _by_itself(self, goal: GoalFact) -> Fraction | None:
        if goal.metric is not None and (goal.amount is not None or goal.number is not None):
            value = Fraction(goal.amount) if goal.amount is not None else _share(goal.number or "0")
            return await self._judged(goal.metric, goal.level, goal.ref, goal.period, value, [], goal.currency)
        return await self.by(each for each in self.targets if each.goal == goal.id)

    async def by(self, linked: Iterable[TargetFact]) -> Fraction | None:
        """The mean attainment of targets; one that is a part of another of them is in that one already."""
        targets = list(linked)
        ids = {each.id for each in targets}
        rates = [await self.of_target(each) for each in targets if each.parent not in ids]
        known = [each for each in rates if each is not None]
        return sum(known, Fraction(0)) / len(known) if known else None

    async def of_target(self, target: TargetFact) -> Fraction | None:
        """How far a target is reached, of what is due of it in the period."""
        rows = [(date.fromisoformat(since), Fraction(part)) for since, part in target.rows]
        return await self._judged(
            target.metric, target.level, target.ref, target.period, target.value, rows, target.currency
        )  # fmt: skip

    async def _judged(
        self, name: str, level: str, ref: str, whole: Period, value: Fraction, rows: list[Any], currency: str
    ) -> Fraction | None:
        metric, asked = self.metrics.get(name), self.reading.question.span.asked
        start, end = max(whole.start, self.period.start), min(whole.end, asked)
        if metric is None or end <= start:
            return None
        if metric.aggregation == "sum":
            value = due_before(value, rows, whole, end) - due_before(value, rows, whole, start)
        found = await achieved(self.reading, metric, level, ref, Period.between(start, end), currency)
        if found.amount is None:
            return None
        return Attainment(value, found.amount, value, metric.direction == "lower").rate


async def goals_and_targets(reading: Reading, team: str | None = None) -> Aims:
    """The goals and targets of a period, with those of a team that serve no goal."""
    snapshot, span = reading.snapshot, reading.question.span
    goals = await snapshot.all(GoalFact, _GOALS, start=span.start, end=span.end)
    parts: defaultdict[str, list[GoalFact]] = defaultdict(list)
    for each in goals:
        if each.parent is not None:
            parts[each.parent].append(each)
    targets = await snapshot.all(TargetFact, _TARGETS, start=span.start, end=span.end, team=team or "")
    metrics = {each.id: each for each in await snapshot.all(MetricFact, sa.select(MetricFact))}
    return Aims(reading, {each.id: each for each in goals}, parts, targets, metrics)


def _share(text: str) -> Fraction:
    return Fraction(Decimal(text))


async def _weighed(reading: Reading) -> list[tuple[GoalFact, Fraction, Fraction | None]]:
    """The goals of whoever is asked about that have no parts of theirs, with their weight and how far they are
    reached."""

    async def read() -> list[tuple[GoalFact, Fraction, Fraction | None]]:
        whole = reading.about({})
        aims: Aims = await reading.shared("goals and targets", lambda: goals_and_targets(whole))
        level, ref = next(iter(reading.filters.items()), (ORGANISATION, ""))
        return [(goal, weight, await aims.reached(goal)) for goal, weight in aims.weighed(level, ref)]

    found: list[tuple[GoalFact, Fraction, Fraction | None]] = await reading.once("goals by weight", read)
    return found


def _has_goals(reading: Reading) -> bool:
    return len(reading.filters) <= 1 and not set(reading.filters) - set(LEVELS)


async def goal_attainment(reading: Reading) -> Any:
    """How far the goals are attained, by their weights; those that are not known weigh nothing."""
    if not _has_goals(reading):
        reading.note(KEY, "goals are set for the organisation, a department, a team, a group or a member")
        return None
    goals = await _weighed(reading)
    known = [(weight, rate) for _, weight, rate in goals if rate is not None]
    if len(known) < len(goals):
        reading.note(KEY, f"{len(goals) - len(known)} of {len(goals)} goals are not known yet, and weigh nothing")
    elif not goals:
        reading.note(KEY, "no goal is set for these days")
    above, below = sum((weight * rate for weight, rate in known), Fraction(0)), sum(weight for weight, _ in known)
    if not below:
        return None
    return {"rate": f"{rounded(above / below):f}", "numerator": _number(above), "denominator": _number(below)}


def _number(value: Fraction | int) -> str:
    return plain(rounded(Fraction(value)))


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    return [_goal.id.in_([goal.id for goal, *_ in await _weighed(reading)] if _has_goals(reading) else [])]


async def _counted(reading: Reading, goals: Sequence[GoalFact]) -> Sequence[Mapping[str, Any]]:
    """How far each is attained, and what it weighs if that is known."""
    found = {goal.id: (weight, rate) for goal, weight, rate in await _weighed(reading)}
    return [_counts(*found[each.id]) for each in goals]


def _counts(weight: Fraction, rate: Fraction | None) -> dict[str, Any]:
    known = weight if rate is not None else Fraction(0)
    return {
        "of_all": _number(weight),
        "attainment": None if rate is None else _number(rate),
        "part": {"numerator": _number(known * (rate or 0)), "denominator": _number(known)},
    }


GOALS: Final = (
    Figure(KEY, "Σ weight x attainment ÷ Σ weight of the goals of whoever is asked about: of a goal with parts by "
           "these, else by its own value, else by the mean of the targets that serve it, each by what of it is due in "
           "the period; what is not known weighs nothing.", goal_attainment, "goals"),
)  # fmt: skip
GOAL_ROWS: Mapping[str, Source] = {
    "goals": Source(GoalFact, _rows, simple("goal", "level", "metric", "parent", "weight", "start", "end"),
                    counted=_counted),
}  # fmt: skip
