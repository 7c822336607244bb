"""How far have teams and groups come with what they set themselves? Each by itself, by its beginning: never a ranking.

A challenge is measured by its goal: by the targets that its team or group has under the goal, or where it has none by
the goal's own value, and by what the team or group has achieved of that on the days of the challenge. Of an aim that
goes on beyond these days that part counts which is due on them. What members aim at by themselves plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.goals import GoalFact, MetricFact
from services.metrics.facts.support import ChallengeFact
from services.metrics.facts.targets import TargetFact
from services.metrics.views.achieved import achieved, metrics_of
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.row_source import Source, simple
from services.metrics.views.values import decimal
from shared.attainment import Attainment, due_before
from shared.money import plain, rounded
from shared.period import Period
from shared.rates import as_money

ONE_DAY: Final = timedelta(days=1)
DIMENSIONS: Final = ("department", "team", "group")
_challenge, _target = ChallengeFact.__table__.c, TargetFact.__table__.c  # type: ignore[attr-defined]
_ON_DAYS = sa.select(ChallengeFact).where(
    _challenge.start < sa.bindparam("end", type_=sa.Date()), _challenge.end > sa.bindparam("start", type_=sa.Date()),
    sa.or_(_challenge.over_on.is_(None), _challenge.over_on >= sa.bindparam("start", type_=sa.Date())),
)  # fmt: skip
_AIMED = sa.select(TargetFact).where(
    _target.goal.is_not(None), _target.level == sa.bindparam("level"), _target.ref == sa.bindparam("ref"),
    sa.or_(_target.closed_on.is_(None), _target.closed_on > _target.start),
)  # fmt: skip
_GOALS = sa.select(GoalFact)


@dataclass(frozen=True, slots=True)
class Aim:
    """A target, or a goal, of which a challenge takes what is due on its days."""

    name: Mapping[str, str]
    metric: MetricFact
    value: Fraction
    rows: Sequence[tuple[date, Fraction]]
    period: Period
    currency: str

    def due_in(self, days: Period) -> Fraction:
        """What of it is due on some days; what does not add up over them is due as it is."""
        if self.metric.aggregation != "sum":
            return self.value
        due = [due_before(self.value, self.rows, self.period, day) for day in (days.start, days.end)]
        return due[1] - due[0]

    def shown(self, number: Fraction) -> Any:
        """So much of what it is measured in."""
        if self.metric.unit == "money":
            return as_money(number, self.currency).as_json()
        return plain(rounded(number))


async def standing_of(reading: Reading, challenge: ChallengeFact) -> dict[str, Any]:
    """A challenge, how far it has come by the end of the question, and by what that is told; the mean where it has
    several aims, and none where nothing tells."""
    found = []
    for aim in await _aims_of(reading, challenge):
        told = await _reached(reading, challenge, aim)
        if told is not None:
            found.append(told)
    rates = [rate for rate, _ in found]
    mean = sum(rates, Fraction(0)) / len(rates) if rates else None
    return {
        "challenge": challenge.id, "team": challenge.team, "group": challenge.group, "goal": challenge.goal,
        "from": challenge.start, "to": challenge.end, "over_on": challenge.over_on, "reached": challenge.reached,
        "progress": _shown_rate(mean), "by": [shown for _, shown in found],
    }  # fmt: skip


async def _reached(reading: Reading, challenge: ChallengeFact, aim: Aim) -> tuple[Fraction, dict[str, Any]] | None:
    """How much of an aim is achieved, of what of it is due on the days of the challenge; none before these begin."""
    assert challenge.start is not None
    assert challenge.end is not None
    start, end = max(challenge.start, aim.period.start), min(challenge.end, aim.period.end)
    over = challenge.over_on + ONE_DAY if challenge.over_on else end
    until = min(end, over, reading.question.span.asked)
    if until <= start:
        return None
    value = aim.due_in(Period.between(start, end))
    level, ref = whose(challenge)
    days = Period.between(start, until)
    actual = (await achieved(reading.about({}), aim.metric, level, ref, days, aim.currency)).amount
    if actual is None or not value:
        return None
    rate = Attainment(value, actual, value, aim.metric.direction == "lower").rate
    assert rate is not None
    return rate, {
        **aim.name, "metric": aim.metric.id, "value": aim.shown(value), "achieved": aim.shown(actual),
        "progress": _shown_rate(rate),
    }  # fmt: skip


def whose(challenge: ChallengeFact) -> tuple[str, str]:
    """The team, or the group, whose challenge it is."""
    return ("group", challenge.group) if challenge.group else ("team", challenge.team)


async def _aims_of(reading: Reading, challenge: ChallengeFact) -> list[Aim]:
    goals = await _goals(reading)
    goal = goals.get(challenge.goal or "")
    if goal is None:
        return []
    metrics = await metrics_of(reading)
    level, ref = whose(challenge)
    below, last = _below(goals, goal.id), reading.question.span.asked
    targets = [each for each in await reading.snapshot.all(TargetFact, _AIMED, level=level, ref=ref)
               if each.goal in below and each.start is not None and each.start < last]  # fmt: skip
    ids = {each.id for each in targets}
    # One that is a part of another of them is in that one already.
    aims = [_of_target(each, metrics) for each in targets if each.parent not in ids]
    return [aim for aim in aims or [_of_goal(goal, metrics)] if aim is not None]


def _of_target(target: TargetFact, metrics: Mapping[str, MetricFact]) -> Aim | None:
    if target.metric not in metrics:
        return None
    rows = [(date.fromisoformat(since), Fraction(part)) for since, part in target.rows]
    return Aim({"target": target.id}, metrics[target.metric], target.value, rows, target.period, target.currency)


def _of_goal(goal: GoalFact, metrics: Mapping[str, MetricFact]) -> Aim | None:
    if goal.metric not in metrics or (goal.amount is None and goal.number is None):
        return None
    value = Fraction(goal.amount if goal.amount is not None else goal.number or "0")
    return Aim({"goal": goal.id}, metrics[str(goal.metric)], value, [], goal.period, goal.currency)


def _below(goals: Mapping[str, GoalFact], goal: str) -> set[str]:
    """A goal and all goals below it."""
    found, waiting = {goal}, [goal]
    while waiting:
        above = waiting.pop()
        parts = [each.id for each in goals.values() if each.parent == above and each.id not in found]
        found.update(parts)
        waiting += parts
    return found


async def _goals(reading: Reading) -> dict[str, GoalFact]:
    async def read() -> dict[str, GoalFact]:
        return {each.id: each for each in await reading.snapshot.all(GoalFact, _GOALS)}

    goals: dict[str, GoalFact] = await reading.shared("goals", read)
    return goals


def _shown_rate(rate: Fraction | None) -> str | None:
    return None if rate is None else decimal(Decimal(rate.numerator) / rate.denominator)


async def challenges_of(reading: Reading) -> list[ChallengeFact]:
    """The challenges with a day in the period, of what is asked about, by their beginning."""
    span = reading.question.span

    async def read() -> Sequence[ChallengeFact]:
        return await reading.snapshot.all(ChallengeFact, _ON_DAYS, start=span.start, end=span.asked)

    found = list(await reading.shared("challenges", read))
    for dim, key in reading.filters.items():
        teams = (await reading.teams_by(dim)).get(key, []) if dim == "department" else [key]
        found = [each for each in found if (each.group if dim == "group" else each.team) in teams]
    return sorted(found, key=lambda each: (str(each.start), each.id))


async def challenges(reading: Reading) -> Any:
    """How far each of them has come; amounts are for who may see targets, where the challenge is read."""
    if set(reading.filters) - set(DIMENSIONS):
        reading.note("challenges", "they are set by teams and groups")
        return None
    standings = [await standing_of(reading, each) for each in await challenges_of(reading)]
    return [{name: each[name] for name in SHOWN} for each in standings]


SHOWN: Final = ("challenge", "team", "group", "goal", "progress", "reached")


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    known = not set(reading.filters) - set(DIMENSIONS)
    return [_challenge.id.in_([each.id for each in await challenges_of(reading)] if known else [])]


CHALLENGES = Figure(
    "challenges", "Challenges of teams and groups with a day in the period, by their beginning, each with what is "
    "achieved of the aims that the team or group has under its goal ÷ what of them is due on its days.", challenges,
    "challenges",
)  # fmt: skip
CHALLENGE_ROWS: Mapping[str, Source] = {
    "challenges": Source(
        ChallengeFact, _rows, simple("challenge", "team", "group", "goal", "start", "end", "over_on", "reached")
    )
}
