"""`/v1/targets/{id}/attainment`: a target set against what was achieved, from the deals this service owns.

A team, a department and the organisation achieve the deals won for them; a member and a group what is credited to
them. Numbers of deals and customers count each deal once: for its owner, and for the group its owner was in that day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.targets.api.targets import Scope
from services.targets.domain.deals import Deal
from services.targets.domain.targets import Target
from shared.attainment import Attainment
from shared.http.collection import After, Prefer, Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day, day_of, now
from shared.known import KnownMember, KnownTeam, house
from shared.membership import on_day
from shared.money import Money, plain
from shared.period import Period
from shared.store import Snapshot

router = APIRouter(tags=["targets"])
_READ = require("targets:read")
_deal = Deal.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_WON = (_deal.owner, _deal.customer, _deal.closed_on, _deal.value, _deal.cost, _deal.credits)
Belongs = Callable[[str, date], bool]


class AttainmentShown(BaseModel):
    """How far a target is reached at the end of a day. Attainment is not capped; what is not known is null."""

    id: str
    metric: str
    scope: Scope
    period: Period
    as_of: date
    target: Any = Field(description="money, or a number of things as a string; so are actual and variance")
    actual: Any
    attainment: dict[str, Any] | None = Field(description="actual ÷ target, with both")
    variance: Any = Field(description="actual - target; nothing achieved is the whole target missing")
    variance_rate: str | None = Field(description="variance ÷ target")
    pace: dict[str, Any] | None = Field(description="the share of the distribution that is due against that attained")
    notes: list[str]


@dataclass(slots=True)
class Achieved:
    """What was achieved, in minor units or things; none where it is not known, with the reasons."""

    amount: Fraction | None = Fraction(0)
    notes: list[str] = field(default_factory=list)


@router.get(
    "/v1/targets/{ref}/attainment",
    operation_id="attainment_of_target",
    openapi_extra=described(_READ, None, {200: AttainmentShown}, missing=True),
)
async def attainment_of_target(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_READ)],
    as_of: Annotated[Day | None, Query(description="at the end of this day; today if not given")] = None,
    after: After = [],  # noqa: B006
    prefer: Prefer = None,
) -> Response:
    """How far a target is reached, and whether that is as far as its distribution asks for by then."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        target = await snapshot.get(Target, ref)
        day = as_of or day_of(now(), (await house(snapshot)).zone)
        return await attained(snapshot, target, day)

    found = await runtime_of(request).progress.read(tokens_of(after), patience_of(prefer), query)
    return Response(as_json(found), media_type="application/json")


async def attained(snapshot: Snapshot, target: Target, day: date) -> dict[str, Any]:
    """A target against what was achieved by the end of a day."""
    period = target.period
    before = max(period.start, min(period.end, day + timedelta(days=1)))
    achieved = await achieved_by(snapshot, target, before)
    rows = [(since, _units(value)) for since, value in target.distribution]
    judged = Attainment.judge(_units(target.value), achieved.amount or 0, rows, period, before)
    figures = judged.shown(_unit_of(target))
    if achieved.amount is None:
        figures |= dict.fromkeys(("actual", "attainment", "variance", "variance_rate", "pace"))
    return {
        "id": target.id,
        "metric": target.metric,
        "scope": {"level": target.level, "ref": target.ref or None},
        "period": period.as_json(),
        "as_of": day,
        **figures,
        "notes": achieved.notes,
    }


async def achieved_by(snapshot: Snapshot, target: Target, before: date) -> Achieved:
    """What was achieved for a target from its first day up to, not including, a day."""
    won = [_deal.status == "won", _deal.closed_on >= target.starts_on, _deal.closed_on < before]
    narrowed = won + _of_scope(target)
    if target.metric == "customers_won":
        return Achieved(Fraction(await _new_customers(snapshot, target, before)))
    if target.metric == "revenue" and target.level not in ("group", "member"):
        total = sa.cast(sa.func.sum(_deal.total), sa.BigInteger)
        select = sa.select(_deal.total_currency, total).where(*narrowed).group_by(_deal.total_currency)
        return _in_currency(target, [(code, int(minor)) for code, minor in await snapshot.rows(select)])
    records = await snapshot.rows(sa.select(*_WON).where(*narrowed))
    belongs = await _belonging(snapshot, target)
    if target.metric == "deals_won":
        return Achieved(Fraction(sum(belongs(owner, on) for owner, _, on, *_ in records)))
    return _in_money(target, records, belongs)


def _of_scope(target: Target) -> list[sa.ColumnElement[bool]]:
    if target.level == "department":
        return [_deal.team.in_(sa.select(_team.id).where(_team.department == target.ref))]
    if target.level == "team":
        return [_deal.team == target.ref]
    if target.level == "member" and target.metric in ("deals_won", "customers_won"):
        return [_deal.owner == target.ref]
    if target.level == "member":
        # Ids hold no character that means something to LIKE but the underscore, and the credits are looked at anyway.
        return [sa.type_coerce(_deal.credits, sa.Text).like(f'%"{target.ref}"%')]
    return []


async def _belonging(snapshot: Snapshot, target: Target) -> Belongs:
    """Who counts for the target on which day: for a group its members of that day, otherwise see `_of_scope`."""
    if target.level == "member":
        return lambda member, day: member == target.ref
    if target.level != "group":
        return lambda member, day: True
    like = sa.type_coerce(_member.groups, sa.Text).like(f'%"{target.ref}"%')
    spells = {
        member: groups for member, groups in await snapshot.rows(sa.select(_member.id, _member.groups).where(like))
    }
    return lambda member, day: target.ref in on_day(spells.get(member, []), day)


def _in_money(target: Target, records: Sequence[Sequence[Any]], belongs: Belongs) -> Achieved:
    """Revenue or margin of deals: of a member and a group what is credited to them."""
    by_currency: dict[str, int] = {}
    uncosted = 0
    for _, _, closed_on, value, cost, credits in records:
        parts = [(value, cost)]
        if target.level in ("group", "member"):
            parts = _credited(credits, cost, closed_on, belongs)
        for amount, its_cost in parts:
            if target.metric == "revenue":
                margin = amount
            elif its_cost is None:
                uncosted += target.money is not None and amount.currency == target.money.currency
                continue
            else:
                margin = amount - its_cost
            by_currency[margin.currency] = by_currency.get(margin.currency, 0) + margin.minor
    found = _in_currency(target, sorted(by_currency.items()))
    if uncosted:
        return Achieved(None, [*found.notes, f"the cost of {uncosted} deals is not known"])
    return found


def _credited(
    credits: Sequence[dict[str, Any]], cost: Money | None, day: date, belongs: Belongs
) -> list[tuple[Money, Money | None]]:
    """The parts of a deal that are credited to those who count, each with its part of the cost."""
    costs: Sequence[Money | None] = [None] * len(credits)
    if cost is not None:
        costs = cost.split([Decimal(credit["share"]) for credit in credits])
    return [
        (Money(**credit["amount"]), its_cost)
        for credit, its_cost in zip(credits, costs, strict=True)
        if belongs(credit["member"], day)
    ]


def _in_currency(target: Target, amounts: Sequence[tuple[str, int]]) -> Achieved:
    """What was achieved in the target's currency; others are named, not converted."""
    assert target.money is not None
    found = Achieved()
    for currency, minor in amounts:
        if currency == target.money.currency:
            found.amount = Fraction(minor)
        else:
            found.notes.append(
                f"{Money.of_minor(minor, currency)} is not counted: the target is in {target.money.currency}"
            )
    return found


async def _new_customers(snapshot: Snapshot, target: Target, before: date) -> int:
    """Customers whose first won deal lies in the target's days and counts for it."""
    rank = sa.func.row_number().over(partition_by=_deal.customer, order_by=(_deal.closed_on, _deal.id)).label("rank")
    ranked = (
        sa.select(_deal.id, rank)
        .where(_deal.status == "won", _deal.customer.is_not(None), _deal.closed_on < before)
        .subquery()
    )
    select = (
        sa.select(_deal.owner, _deal.closed_on)
        .join(ranked, ranked.c.id == _deal.id)
        .where(ranked.c.rank == 1, _deal.closed_on >= target.starts_on, *_of_scope(target))
    )
    belongs = await _belonging(snapshot, target)
    return sum(belongs(owner, on) for owner, on in await snapshot.rows(select))


def _units(value: Money | Decimal) -> int | Decimal:
    return value.minor if isinstance(value, Money) else value


def _unit_of(target: Target) -> Callable[[Fraction], Any]:
    money = target.money
    if money is not None:
        return lambda amount: Money.of_minor(round(amount), money.currency).as_json()
    return lambda amount: plain(Decimal(round(amount * 10**6)) / 10**6)
