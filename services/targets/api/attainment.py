"""`/v1/targets/{id}/attainment` and `/v1/goals/{id}/attainment`: what is aimed at, set against what was achieved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.achieved import Achieved, achieved_by
from services.targets.api.goals import parts_of
from services.targets.api.readers import refuse_unless_theirs
from services.targets.api.scopes import Scope
from services.targets.domain.goals import Goal
from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target
from shared.attainment import Attainment, Row, due_before
from shared.http.collection import After, Prefer, Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day, day_of, now
from shared.known import KnownAbsence, KnownMember, house
from shared.money import Money, plain, rounded
from shared.opportunity import adjusted, stretches
from shared.period import Period
from shared.store import Snapshot

router = APIRouter(tags=["targets"])
_READ, _READ_GOALS = require("targets:read"), require("goals:read")
_target = Target.__table__.c  # type: ignore[attr-defined]
_absence = KnownAbsence.__table__.c  # type: ignore[attr-defined]
_AWAY = sa.select(KnownAbsence).where(_absence.member == sa.bindparam("member"))
_OF_GOAL = sa.select(Target).where(_target.goal == sa.bindparam("goal")).order_by(_target.id)
AsOf = Annotated[Day | None, Query(description="at the end of this day; today if not given")]
FIGURES = ("actual", "attainment", "variance", "variance_rate", "pace")


class AttainmentShown(BaseModel):
    """How far a target is reached at the end of a day. Attainment is not capped; what is not known is null."""

    id: str
    metric: str
    direction: Literal["higher", "lower"]
    scope: Scope
    period: Period
    lifecycle: Literal["draft", "approved", "closed"]
    as_of: date
    target: Any = Field(description="money, or a number of things as a string; so are actual and variance")
    actual: Any
    attainment: dict[str, Any] | None = Field(
        description="actual ÷ target with both; where less is better (2 targets - actual) ÷ target: 1 at the target"
    )
    variance: Any = Field(description="how much better than the target; nothing achieved is the whole target missing")
    variance_rate: str | None = Field(description="variance ÷ target")
    pace: dict[str, Any] | None = Field(description="the share of the distribution that is due against that attained")
    reached: bool | None
    health: Literal["on_track", "at_risk", "behind"] | None = Field(
        description="from its pace: on track from 0.95 on, at risk from 0.8 on"
    )
    stretch: dict[str, Any] | None = Field(description="the stretch, and how far that is reached")
    adjusted: dict[str, Any] | None = Field(
        description="of a member's target what may be expected: target x ramp x active share day by day, how far that "
        "is reached, and both factors; null for others, and where the values do not add up or less is better"
    )
    at_plan_rate: dict[str, Any] | None = Field(
        description="actual, attainment and variance at the rates that were kept when the target was approved"
    )
    notes: list[str]


class GoalAttainmentShown(BaseModel):
    """How far a goal is attained at the end of a day, and its parts. What is not known is null and weighs nothing."""

    id: str
    weight: str
    as_of: date
    attainment: str | None
    known_weight: str = Field(description="the weight of the parts that are known, of 1")
    targets: list[str] = Field(description="the targets it is measured by")
    parts: list[dict[str, Any]]
    notes: list[str]


@router.get(
    "/v1/targets/{ref}/attainment",
    operation_id="attainment_of_target",
    openapi_extra=described(_READ, None, {200: AttainmentShown}, missing=True),
)
async def attainment_of_target(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_READ)],
    as_of: AsOf = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """How far a target is reached, and whether that is as far as its distribution asks for by then."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        target = await snapshot.get(Target, ref)
        await refuse_unless_theirs(snapshot, target.level, target.ref, principal)
        return await attained(snapshot, target, as_of or await _today(snapshot))

    return await _answered(request, query, after, prefer)


@router.get(
    "/v1/goals/{ref}/attainment",
    operation_id="attainment_of_goal",
    openapi_extra=described(_READ_GOALS, None, {200: GoalAttainmentShown}, missing=True),
    dependencies=[Depends(_READ_GOALS)],
)
async def attainment_of_goal(
    request: Request,
    ref: Reference,
    as_of: AsOf = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """How far a goal is attained: by its targets, or by its parts, each with its weight."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        goal = await snapshot.get(Goal, ref)
        day = as_of or await _today(snapshot)
        _, shown = await goal_attained(snapshot, goal, day)
        return shown | {"as_of": day}

    return await _answered(request, query, after, prefer)


async def _answered(
    request: Request, query: Callable[[Snapshot], Awaitable[Any]], after: list[str], prefer: str | None
) -> Response:
    found = await runtime_of(request).progress.read(tokens_of(after), patience_of(prefer), query)
    return Response(as_json(found), media_type="application/json")


async def _today(snapshot: Snapshot) -> date:
    return day_of(now(), (await house(snapshot)).zone)


@dataclass(frozen=True, slots=True)
class Judged:
    """A target as it stands at the end of a day."""

    metric: Metric
    before: date
    """The first day that does not count any more."""
    achieved: Achieved
    state: Attainment


async def judged(snapshot: Snapshot, target: Target, day: date) -> Judged:
    """A target against what was achieved by the end of a day."""
    period = target.period
    before = max(period.start, min(period.end, day + timedelta(days=1)))
    metric = await snapshot.get(Metric, target.metric)
    achieved = await achieved_by(snapshot, target, metric, before)
    return Judged(metric, before, achieved, _state(target, metric, achieved.amount or Fraction(0), before))


def _state(target: Target, metric: Metric, actual: Fraction, before: date, value: Any = None) -> Attainment:
    aim = _units(target.value if value is None else value)
    return Attainment.judge(
        aim, actual, _rows(target) if value is None else [], target.period, before, lower=metric.lower,
        adds_up=metric.aggregation == "sum",
    )  # fmt: skip


async def attained(snapshot: Snapshot, target: Target, day: date) -> dict[str, Any]:
    """How far a target is reached at the end of a day, as it is shown."""
    found = await judged(snapshot, target, day)
    unit, known = _unit_of(target), found.achieved.amount is not None
    figures = found.state.shown(unit)
    if not known:
        figures |= dict.fromkeys(FIGURES)
    return {
        "id": target.id,
        "metric": target.metric,
        "direction": found.metric.direction,
        "scope": {"level": target.level, "ref": target.ref or None},
        "period": target.period.as_json(),
        "lifecycle": target.lifecycle,
        "as_of": day,
        **figures,
        "reached": found.state.reached if known else None,
        "health": found.state.health if known else None,
        "stretch": _stretched(target, found, day) if known else None,
        "adjusted": await _expected(snapshot, target, found) if known else None,
        "at_plan_rate": _planned(target, found),
        "notes": found.achieved.notes,
    }


def _stretched(target: Target, found: Judged, day: date) -> dict[str, Any] | None:
    if target.stretch is None:
        return None
    state = _state(target, found.metric, found.state.actual, day + timedelta(days=1), target.stretch)
    shown = state.shown(_unit_of(target))
    return {"value": shown["target"], "attainment": shown["attainment"], "variance": shown["variance"]}


async def _expected(snapshot: Snapshot, target: Target, found: Judged) -> dict[str, Any] | None:
    """What may be expected of a member with their ramp and their absences, and how far that is reached."""
    metric, period = found.metric, target.period
    if target.level != "member" or metric.lower or metric.aggregation != "sum":
        return None
    member = await snapshot.recall(KnownMember, target.ref) or KnownMember.make(id=target.ref)
    away = await snapshot.all(KnownAbsence, _AWAY, member=target.ref)
    value, rows = _units(target.value), _rows(target)
    may = adjusted(
        lambda day: due_before(value, rows, period, day), period, found.before, stretches(member, away, period)
    )
    state = Attainment(may.value, found.state.actual, may.due)
    factors = {"ramp": may.ramp, "active": may.active}
    return state.shown(_unit_of(target)) | {
        name: _decimal(share) if share is not None else None for name, share in factors.items()
    }


def _planned(target: Target, found: Judged) -> dict[str, Any] | None:
    if found.achieved.planned is None:
        return None
    state = Attainment(found.state.value, found.achieved.planned, found.state.due, found.state.lower)
    shown = state.shown(_unit_of(target))
    rates = {"rates": target.plan_rates, "on": target.approved_on}
    return {name: shown[name] for name in ("actual", "attainment", "variance")} | rates


async def goal_attained(snapshot: Snapshot, goal: Goal, day: date) -> tuple[Fraction | None, dict[str, Any]]:
    """How far a goal is attained: its parts by their weights, the unknown ones left out; without parts its targets."""
    notes: list[str] = []
    parts: list[dict[str, Any]] = []
    targets: list[str] = []
    weight, summed = Fraction(0), Fraction(0)
    for part in await parts_of(snapshot, [goal.id]):
        rate, shown = await goal_attained(snapshot, part, day)
        parts.append(shown)
        if rate is None:
            notes.append(f"{part.id} is not known and weighs nothing")
        else:
            weight, summed = weight + fraction(part.weight), summed + fraction(part.weight) * rate
    rate = summed / weight if weight else None
    if not parts:
        rate, targets = await _by_targets(snapshot, goal, day, notes)
        weight = Fraction(1 if rate is not None else 0)
    return rate, {
        "id": goal.id,
        "weight": goal.weight,
        "attainment": _decimal(rate) if rate is not None else None,
        "known_weight": _decimal(weight),
        "targets": targets,
        "parts": parts,
        "notes": notes,
    }


async def _by_targets(snapshot: Snapshot, goal: Goal, day: date, notes: list[str]) -> tuple[Fraction | None, list[str]]:
    """The mean attainment of a goal's targets; a target that is a part of another of them is in that one already."""
    linked = await snapshot.all(Target, _OF_GOAL, goal=goal.id)
    ids = {target.id for target in linked}
    own = [target for target in linked if target.parent not in ids]
    rates = []
    for target in own:
        found = await judged(snapshot, target, day)
        if found.achieved.amount is None or found.state.rate is None:
            notes.append(f"what was achieved for {target.id} is not known")
        else:
            rates.append(found.state.rate)
    if not own:
        notes.append("no target serves this goal")
    return (sum(rates, Fraction(0)) / len(rates) if rates else None), [target.id for target in own]


def fraction(number: str) -> Fraction:
    """A decimal string, exactly."""
    return Fraction(Decimal(number))


def _decimal(rate: Fraction) -> str:
    return f"{rounded(rate):f}"


def _units(value: Money | Decimal) -> int | Decimal:
    return value.minor if isinstance(value, Money) else value


def _rows(target: Target) -> list[Row]:
    return [(since, _units(part)) for since, part in target.distribution]


def _unit_of(target: Target) -> Callable[[Fraction], Any]:
    money = target.money
    if money is not None:
        return lambda amount: Money.of_minor(round(amount), money.currency).as_json()
    return lambda amount: plain(rounded(amount))
