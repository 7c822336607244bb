"""What serves a goal: the targets, duties and actions that name it or a goal below it, and what its targets sum to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.api.aims import AimValue, shown_value
from services.targets.api.converted import ConvertedSum, summed
from services.targets.api.judging import Tender
from services.targets.domain.aims import sum_of, unit_of
from services.targets.domain.goals import Goal
from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target
from services.targets.known import GoalAction, GoalDuty
from shared.money import Money, plain, rounded
from shared.opportunity import standing
from shared.store import Snapshot
from shared.store.sql import OneOf

_goal = Goal.__table__.c  # type: ignore[attr-defined]
_target = Target.__table__.c  # type: ignore[attr-defined]
_duty = GoalDuty.__table__.c  # type: ignore[attr-defined]
_action = GoalAction.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
_BELOW = sa.select(_goal.id).where(OneOf(_goal.parent, "parents")).order_by(_goal.id)
_SERVING = (
    sa.select(Target)
    .where(OneOf(_target.goal, "goals"))
    .order_by(_target.closed_on.is_not(None), _target.closed_on.desc(), _target.id)
)
_CLOSED_LATER = sa.or_(_target.closed_on.is_(None), _target.closed_on > _START)
_GOALS_OF = (
    sa.select(_target.goal).where(_target.starts_on < _END, _target.ends_on > _START, _CLOSED_LATER),
    sa.select(_duty.goal).where(_duty.on >= _START, _duty.on < _END, sa.not_(_duty.cancelled)),
    sa.select(_action.goal).where(_action.on >= _START, _action.on < _END),
)


class GoalTargets(BaseModel):
    """The targets that serve a goal or one below it, and what they sum to against its own value."""

    targets: int
    sum: AimValue | None = Field(
        description="parts of another one and shorter ones of the same days count in that one; null for whoever may "
        "not read targets"
    )
    gap: AimValue | None = Field(description="sum - the goal's own value; null without one")


class ConvertedGoal(BaseModel):
    """A goal in the currency asked for: its own value at the rate of its first day, its targets row by row."""

    value: Money | None
    targets: ConvertedSum


class ServedBy(BaseModel):
    """Of the targets, duties and actions of a goal's days, those that serve it or a goal below it."""

    targets: dict[str, Any] | None
    duties: dict[str, Any] | None
    actions: dict[str, Any] | None
    line_of_sight: dict[str, Any] | None = Field(description="of all three together")


async def below(snapshot: Snapshot, goal: Goal) -> list[str]:
    """A goal and all goals below it."""
    found, last = [goal.id], [goal.id]
    while last:
        last = [key for (key,) in await snapshot.rows(_BELOW, parents=last)]
        found += last
    return found


async def targets_of(snapshot: Snapshot, goal: Goal, goals: Sequence[str]) -> dict[str, Any]:
    """How many targets serve a goal, and what they sum to, so far as they add up in one unit."""
    metric = await snapshot.recall(Metric, goal.metric) if goal.metric else None
    serving = await _serving(snapshot, goals)
    alike = _alike(serving, metric)
    shown: dict[str, Any] = {"targets": len(serving), "sum": None, "gap": None}
    if alike is None:
        return shown
    value = goal.value if goal.value is not None else next((each.value for each in alike), None)
    if value is None or any(unit_of(each.value) != unit_of(value) for each in alike):
        return shown
    summed = sum_of([each.value for each in _once(goal, alike)], value)
    shown["sum"] = shown_value(summed)
    if goal.value is not None:
        shown["gap"] = shown_value(summed - goal.value)  # type: ignore[operator]
    return shown


async def goal_in(snapshot: Snapshot, goal: Goal, goals: Sequence[str], tender: Tender) -> dict[str, Any] | None:
    """A goal's own value and what its targets sum to in another currency, also of those in several; none of what is no
    money. Raises MissingRate."""
    metric = await snapshot.recall(Metric, goal.metric) if goal.metric else None
    if metric is None or not metric.money:
        return None
    own = tender.aim(as_target(goal))[0] if goal.value is not None else None
    alike = _alike(await _serving(snapshot, goals), metric)
    targets: dict[str, Any] = {"sum": None, "gap": None}
    if alike is not None and (alike or own is not None):
        targets = summed(_once(goal, alike), own, tender)
    return {"value": tender.unit(as_target(goal))(own) if own is not None else None, "targets": targets}


def as_target(goal: Goal) -> Target:
    """The own value of a goal as a target of its owner would be."""
    money, number = (goal.value, None) if isinstance(goal.value, Money) else (None, plain(goal.value or Decimal(0)))
    return Target.make(
        metric=goal.metric, level=goal.level, ref=goal.ref, label=goal.label, starts_on=goal.starts_on,
        ends_on=goal.ends_on, money=money, number=number,
    )  # fmt: skip


async def _serving(snapshot: Snapshot, goals: Sequence[str]) -> Sequence[Target]:
    return [each for each in await snapshot.all(Target, _SERVING, goals=goals) if each.counts]


def _alike(serving: Sequence[Target], metric: Metric | None) -> Sequence[Target] | None:
    """The targets of a metric, if it adds up."""
    if metric is None or metric.aggregation != "sum":
        return None
    return [each for each in serving if each.metric == metric.id]


async def served_by(snapshot: Snapshot, goal: Goal, goals: Sequence[str]) -> dict[str, Any]:
    """How much of what is done in a goal's days serves it."""
    days: dict[str, date] = {"start": goal.starts_on, "end": goal.ends_on}
    counts = []
    for select in _GOALS_OF:
        named = [key for (key,) in await snapshot.rows(select, **days)]
        counts.append((sum(key in goals for key in named), len(named)))
    whole = sum(each for each, _ in counts), sum(of for _, of in counts)
    names = ("targets", "duties", "actions", "line_of_sight")
    return {name: _share(*each) for name, each in zip(names, [*counts, whole], strict=True)}


def _once(goal: Goal, targets: Sequence[Target]) -> list[Target]:
    """The targets that add up: none that is in another one already."""
    ids = {each.id for each in targets}
    whose: dict[tuple[str, str], list[Target]] = defaultdict(list)
    for each in targets:
        if each.parent not in ids:
            whose[each.level, each.ref].append(each)
    return [target for own in whose.values() for target, _ in standing(own, goal.period)]


def _share(part: int, whole: int) -> dict[str, Any] | None:
    if not whole:
        return None
    return {"rate": f"{rounded(Fraction(part, whole)):f}", "numerator": part, "denominator": whole}
