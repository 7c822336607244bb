"""`/v1/targets`: what is aimed at, and how far it has been reached."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.targets.domain.deals import Deal
from services.targets.domain.targets import Target, TargetSetAlready
from services.targets.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, fiscal_year, known
from shared.asked_period import AskedPeriod
from shared.attainment import Attainment, elapsed_share
from shared.errors import Fault, Invalid
from shared.facts import Fact
from shared.http.bodies import Body, Named, Ref, Text
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
from shared.instant import Day, now
from shared.money import Money, NonNegative, Quantity
from shared.store import Snapshot, Tx

Metric = Literal["revenue", "margin", "deals_won", "customers_won"]
Level = Literal["organisation", "department", "team", "group", "member"]
LEVELS: dict[str, type[Fact]] = {
    "department": KnownDepartment,
    "team": KnownTeam,
    "group": KnownGroup,
    "member": KnownMember,
}
router = APIRouter(tags=["targets"])
_READ = require("targets:read")
targets = Collection(Target, "targets", filters={"metric": "metric", "level": "level", "ref": "ref"})
_target = Target.__table__.c  # type: ignore[attr-defined]
_deal = Deal.__table__.c  # type: ignore[attr-defined]


class Scope(Body):
    """Who aims: the organisation, or one department, team, group or member."""

    level: Level
    ref: Ref | None = None

    @model_validator(mode="after")
    def _whose(self) -> Scope:
        if (self.level == "organisation") != (self.ref is None):
            raise ValueError(
                "the organisation is not named by a ref" if self.ref else f"say which {self.level} by its ref"
            )
        return self


class SetTarget(Named):
    """So much of a metric, aimed at in a period."""

    metric: Metric
    scope: Scope
    period: AskedPeriod
    value: NonNegative | Quantity


class ChangeTarget(Named):
    """Another value, and why."""

    metric: Metric | None = None
    scope: Scope | None = None
    period: AskedPeriod | None = None
    value: NonNegative | Quantity | None = None
    reason: Text | None = None


class CloseTarget(Body):
    """The day from which it is aimed at no more."""

    on: Day | None = None


class AttainmentShown(BaseModel):
    """How far a target has been reached."""

    target: Any
    actual: Any
    attainment: dict[str, Any] | None = Field(description="actual ÷ target, never capped")
    variance: Any = Field(description="actual - target")
    pace: str | None = Field(description="share attained ÷ share of the time elapsed")
    as_of: date


@targets.create
async def set_target(tx: Tx, body: SetTarget) -> Target:
    """Aim at something in a period."""
    period = body.period.resolve(await fiscal_year(tx))
    ref = await _whose(tx, body.scope)
    value, currency = _parts(body.value)
    same = sa.select(Target).where(
        _target.metric == body.metric, _target.level == body.scope.level, _target.ref == ref,
        _target.start == period.start, _target.end == period.end, _target.closed_on.is_(None),
    )  # fmt: skip
    if await tx.all(Target, same):
        scope = f"{body.scope.level} {body.scope.ref or ''}".strip()
        raise TargetSetAlready(metric=body.metric, scope=scope, start=period.start, end=period.end)
    target, told = Target.aim(
        metric=body.metric,
        level=body.scope.level,
        ref=ref,
        start=period.start,
        end=period.end,
        value=value,
        currency=currency,
        **fresh(Target, body),
    )
    return tx.save(target, told)


@targets.amend
async def change_target(tx: Tx, target: Target, body: ChangeTarget) -> Target:
    """Aim at more or less."""
    if body.value is None:
        return target
    value, currency = _parts(body.value)
    return tx.save(target, target.change(value, currency, body.reason))


@targets.verb("close")
async def close_target(tx: Tx, target: Target, body: CloseTarget) -> Target:
    """Aim at it no more."""
    return tx.save(target, target.close(body.on or tx.now.date()))


@router.get(
    "/v1/targets/{ref}/attainment",
    operation_id="attainment_of_target",
    openapi_extra=described(_READ, None, {200: AttainmentShown}, missing=True),
    dependencies=[Depends(_READ)],
)
async def attainment_of_target(
    request: Request, ref: Reference, as_of: Annotated[Day | None, Query(description="on this day; today")] = None
) -> Response:
    """How far a target has been reached by a day: attainment, variance and pace."""
    day = as_of or now().date()

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        target = await snapshot.get(Target, ref)
        actual = await _actual(snapshot, target, day)
        reached = Attainment(Decimal(target.value), actual, elapsed_share(target.start, target.end, day))
        return {
            "target": _shown(reached.target, target.currency),
            "actual": _shown(reached.actual, target.currency),
            "attainment": None if reached.rate is None else {"rate": str(reached.rate)},
            "variance": _shown(reached.variance, target.currency),
            "pace": None if reached.pace is None else str(reached.pace),
            "as_of": day,
        }

    return Response(as_json(await runtime_of(request).store.read(query)), media_type="application/json")


async def _actual(snapshot: Snapshot, target: Target, day: date) -> Decimal:
    """What has been reached of a target by the end of a day, in its unit."""
    until = min(target.end, date.fromordinal(day.toordinal() + 1))
    conditions = [_deal.status == "won", _deal.closed_on >= target.start, _deal.closed_on < until]
    if target.level == "team":
        conditions.append(_deal.team == target.ref)
    elif target.level in ("group", "department"):
        raise Invalid(f"The attainment of a {target.level} is shown by the views.", [Fault("/id", "not computed here")])
    deals = await snapshot.all(Deal, sa.select(Deal).where(*conditions))
    if target.metric == "revenue":
        return sum((_revenue(deal, target) for deal in deals), Decimal(0))
    mine = [deal for deal in deals if target.level != "member" or deal.owner == target.ref]
    if target.metric == "deals_won":
        return Decimal(len(mine))
    if target.metric == "margin":
        return sum((_margin(deal, target) for deal in mine), Decimal(0))
    return Decimal(len({deal.customer for deal in mine if deal.customer}))


def _revenue(deal: Deal, target: Target) -> Decimal:
    if deal.value is None or deal.value.currency != target.currency:
        return Decimal(0)
    if target.level != "member":
        return deal.value.amount
    shares = [Money(**each["amount"]) for each in deal.credits if each["member"] == target.ref]
    return sum((share.amount for share in shares), Decimal(0))


def _margin(deal: Deal, target: Target) -> Decimal:
    if deal.value is None or deal.value.currency != target.currency:
        return Decimal(0)
    costs = [Money(**line["cost"]) for line in deal.lines if line["cost"] is not None]
    return deal.value.amount - sum((cost.amount for cost in costs), Decimal(0))


async def _whose(tx: Tx, scope: Scope) -> str | None:
    if scope.ref is None:
        return None
    found: str = (await known(tx, LEVELS[scope.level], scope.ref, "/scope/ref")).id
    return found


def _parts(value: Money | Decimal) -> tuple[Decimal, str | None]:
    return (value.amount, value.currency) if isinstance(value, Money) else (value, None)


def _shown(value: Decimal, currency: str | None) -> Any:
    return Money(f"{value:f}", currency).as_json() if currency else f"{value:f}"
