"""The organisation's goals, how far they are reached in a period, and which of a team's targets are linked to them.

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
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.goals import GoalFact, MetricFact
from services.metrics.facts.targets import TargetFact
from services.metrics.facts.teams import GroupFact
from services.metrics.review.inputs import Goal
from services.metrics.review.reading.belonging import Belonging
from services.metrics.views.achieved import achieved
from services.metrics.views.frame import Reading
from shared.attainment import Attainment, due_before
from shared.opportunity import standing
from shared.period import Period
from shared.store import Snapshot

ORGANISATION = "organisation"
_goal, _target, _group = GoalFact.__table__.c, TargetFact.__table__.c, GroupFact.__table__.c  # type: ignore[attr-defined]
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
_GROUPS = sa.select(_group.id).where(_group.team == sa.bindparam("team"))


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

    def tops(self) -> list[GoalFact]:
        """The goals of the organisation that are no part of another of its goals, and stand for the period."""
        mine = [each for each in self.goals.values() if each.level == ORGANISATION]
        ids = {each.id for each in mine}
        tops = [each for each in mine if each.parent not in ids]
        spans = list({(each.start, each.end): each for each in tops}.values())
        days = {(each.start, each.end) for each, _ in standing(spans, self.period)}
        return [each for each in tops if not days or (each.start, each.end) in days]

    def weighed(self) -> Iterator[tuple[GoalFact, Fraction]]:
        """The organisation's goals that have no parts of its own, each with its weight in the whole tree."""
        tops = self.tops()
        whole = max(Fraction(1), sum((_share(each.weight) for each in tops), Fraction(0)))
        waiting = [(each, _share(each.weight) / whole) for each in tops]
        while waiting:
            goal, weight = waiting.pop(0)
            parts = [each for each in self.parts.get(goal.id, ()) if each.level == ORGANISATION]
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


async def aims_of(reading: Reading, team: Belonging) -> Aims:
    """The goals and targets of a period, with those of a team that serve no goal."""
    snapshot, span = reading.snapshot, reading.question.span
    goals = await snapshot.all(GoalFact, _GOALS, start=span.start, end=span.end)
    parts: defaultdict[str, list[GoalFact]] = defaultdict(list)
    for each in goals:
        if each.parent is not None:
            parts[each.parent].append(each)
    targets = await snapshot.all(TargetFact, _TARGETS, start=span.start, end=span.end, team=team.team.id)
    metrics = {each.id: each for each in await snapshot.all(MetricFact, sa.select(MetricFact))}
    return Aims(reading, {each.id: each for each in goals}, parts, targets, metrics)


async def goals_of(aims: Aims, team: Belonging) -> tuple[Goal, ...]:
    """The organisation's goals, with what of the team is linked to each."""
    circle = await _circle(aims.reading.snapshot, team)
    found = []
    for goal, weight in aims.weighed():
        below = aims.below(goal.id)
        linked = [each for each in aims.targets if each.goal in below and (each.level, each.ref) in circle]
        reached, by_team = await aims.reached(goal), await aims.by(linked)
        found.append(
            Goal(id=goal.id, weight=float(weight), linked=bool(linked), reached=as_number(reached),
                 by=tuple(sorted(each.id for each in linked)), by_team=as_number(by_team))
        )  # fmt: skip
    return tuple(found)


async def _circle(snapshot: Snapshot, team: Belonging) -> set[tuple[str, str]]:
    """Whose targets are the team's: its own, its groups' and its members'."""
    groups = await snapshot.rows(_GROUPS, team=team.team.id)
    return {("team", team.team.id), *(("group", key) for (key,) in groups), *(("member", each) for each in team.ids)}


def _share(text: str) -> Fraction:
    return Fraction(Decimal(text))


def as_number(rate: Fraction | None) -> float | None:
    """A rate as reviews compute with it."""
    return None if rate is None else rate.numerator / rate.denominator
