"""What was achieved of a metric by somebody in some days: computed from deals, from customers' answers, or from
readings.

A team, a department and the organisation achieve the deals won for them; a member and a group what is credited to
them. Numbers of deals and customers count each deal once: for its owner, and for the group its owner was in that day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from services.targets.api.rates import all_rates
from services.targets.domain.deals import Deal
from services.targets.domain.feedback import CONTENT, Feedback
from services.targets.domain.metrics import Metric
from services.targets.domain.readings import Reading
from services.targets.domain.targets import Target
from shared.known import KnownMember, KnownTeam
from shared.membership import on_day
from shared.money import Money
from shared.rates import Rates, fraction_of, in_minor
from shared.store import Snapshot

_deal = Deal.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_feedback = Feedback.__table__.c  # type: ignore[attr-defined]
_reading = Reading.__table__.c  # type: ignore[attr-defined]
_WON = (_deal.owner, _deal.closed_on, _deal.value, _deal.cost, _deal.credits, _deal.amendments)
Belongs = Callable[[str, date], bool]


@dataclass(slots=True)
class Achieved:
    """What was achieved, in minor units or things; none where it is not known, with the reasons."""

    amount: Fraction | None = Fraction(0)
    planned: Fraction | None = None
    """The same at the plan's rates, where money of other currencies is in it."""
    notes: list[str] = field(default_factory=list)


async def achieved_by(snapshot: Snapshot, target: Target, metric: Metric, before: date) -> Achieved:
    """What was achieved for a target from its first day up to, not including, a day."""
    if not metric.built_in:
        return await _from_readings(snapshot, target, metric, before)
    if metric.id == "csat":
        return await _content(snapshot, target, before)
    won = [_deal.status == "won", _deal.closed_on >= target.starts_on, _deal.closed_on < before]
    narrowed = won + _of_scope(target)
    if metric.id == "customers_won":
        return Achieved(Fraction(await _new_customers(snapshot, target, before)))
    if metric.id == "revenue" and target.level not in ("group", "member"):
        total = sa.cast(sa.func.sum(_deal.total), sa.BigInteger)
        select = sa.select(_deal.total_currency, total, sa.func.max(_deal.amended_on)).where(*narrowed)
        summed = [(code, int(minor), late) for code, minor, late in await snapshot.rows(
            select.group_by(_deal.total_currency))]  # fmt: skip
        assert target.money is not None
        plain = all(code == target.money.currency and late is None for code, _, late in summed)
        if plain and not await _amended_since(snapshot, target):
            return Achieved(Fraction(sum(minor for _, minor, _ in summed)))
    belongs = await _belonging(snapshot, target)
    if metric.id == "deals_won":
        owned = await snapshot.rows(sa.select(_deal.owner, _deal.closed_on).where(*narrowed))
        return Achieved(Fraction(sum(belongs(owner, on) for owner, on in owned)))
    since = sa.or_(_deal.closed_on >= target.starts_on, _deal.amended_on >= target.starts_on)
    earned = [_deal.status == "won", since, _deal.closed_on < before, *_of_scope(target)]
    records = await snapshot.rows(sa.select(*_WON).where(*earned))
    return await _in_money(snapshot, target, metric, records, belongs, before)


async def _amended_since(snapshot: Snapshot, target: Target) -> bool:
    """Whether any deal was amended since a target's first day: then its value is not that of one day."""
    return bool(await snapshot.rows(sa.select(_deal.id).where(_deal.amended_on >= target.starts_on).limit(1)))


def _of_scope(target: Target) -> list[sa.ColumnElement[bool]]:
    if target.level == "department":
        return [_deal.team.in_(sa.select(_team.id).where(_team.department == target.ref))]
    if target.level == "team":
        return [_deal.team == target.ref]
    if target.level == "member" and target.metric in ("deals_won", "customers_won"):
        return [_deal.owner == target.ref]
    if target.level == "member":
        # Ids hold no character that means something to LIKE but the underscore, and the credits are looked at anyway.
        named = f'%"{target.ref}"%'
        texts = (sa.type_coerce(column, sa.Text) for column in (_deal.credits, _deal.amendments))
        return [sa.or_(*(text.like(named) for text in texts))]
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


async def _in_money(
    snapshot: Snapshot,
    target: Target,
    metric: Metric,
    records: Sequence[Sequence[Any]],
    belongs: Belongs,
    before: date,
) -> Achieved:
    """Revenue or margin of deals, by day and currency: of a member and a group what is credited to them. What an
    amendment changed counts on its day."""
    by_day: dict[tuple[str, date], int] = {}
    uncosted = 0
    for _, closed_on, value, cost, credits, amendments in records:
        for day, sign, agreed in _agreements(closed_on, value, cost, credits, amendments):
            if not target.starts_on <= day < before:
                continue
            parts = [(agreed.value, agreed.cost)]
            if target.level in ("group", "member"):
                parts = _credited(agreed.credits, agreed.cost, day, belongs)
            for amount, its_cost in parts:
                if metric.id == "margin" and its_cost is None:
                    uncosted += sign > 0
                    continue
                earned = amount - its_cost if metric.id == "margin" and its_cost is not None else amount
                by_day[earned.currency, day] = by_day.get((earned.currency, day), 0) + sign * earned.minor
    found = await _in_currency(snapshot, target, by_day)
    if uncosted:
        return Achieved(None, None, [*found.notes, f"the cost of {uncosted} deals is not known"])
    return found


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on with a won deal."""

    value: Money
    cost: Money | None
    credits: Sequence[dict[str, Any]]


def _agreements(
    closed_on: date, value: Money, cost: Money | None, credits: Any, amendments: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[date, int, Agreed]]:
    """What was agreed on from the day of winning on, and on the day of each amendment what went and what came."""
    states = [_before(each) for each in amendments] + [Agreed(value, cost, credits)]
    yield closed_on, 1, states[0]
    for each, (gone, come) in zip(amendments, pairwise(states), strict=True):
        day = date.fromisoformat(each["on"])
        yield day, -1, gone
        yield day, 1, come


def _before(amendment: Mapping[str, Any]) -> Agreed:
    cost = amendment["cost"]
    return Agreed(Money(**amendment["value"]), Money(**cost) if cost is not None else None, amendment["credits"])


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


async def _in_currency(snapshot: Snapshot, target: Target, by_day: Mapping[tuple[str, date], int]) -> Achieved:
    """What was achieved in the target's currency, other ones at the rate of their day, and at that of the plan.

    What has no rate is named, and not counted.
    """
    assert target.money is not None
    currency = target.money.currency
    others = sorted({code for code, _ in by_day} - {currency})
    rates = await all_rates(snapshot) if others else Rates(())
    found, unknown = Achieved(), dict[str, int]()
    for (code, day), minor in sorted(by_day.items()):
        rate = rates.of(code, currency, day)
        if rate is None:
            unknown[code] = unknown.get(code, 0) + minor
        else:
            found.amount = (found.amount or Fraction(0)) + in_minor(minor, code, currency, rate)
    for code, minor in unknown.items():
        amount = Money.of_minor(minor, code)
        found.notes.append(f"{amount} is not counted: the target is in {currency}, and no rate is known for its days")
    if target.approved_on is not None and all(code in target.plan_rates for code in others):
        plan = {code: fraction_of(rate) for code, rate in target.plan_rates.items()} | {currency: Fraction(1)}
        parts = [in_minor(minor, code, currency, plan[code]) for (code, _), minor in by_day.items()]
        found.planned = sum(parts, Fraction(0))
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


async def _content(snapshot: Snapshot, target: Target, before: date) -> Achieved:
    """The share of the answers that were content."""
    mine: list[sa.ColumnElement[bool]] = []
    if target.level == "team":
        mine = [_feedback.team == target.ref]
    elif target.level == "department":
        mine = [_feedback.team.in_(sa.select(_team.id).where(_team.department == target.ref))]
    elif target.level != "organisation":
        mine = [_feedback.member.is_not(None)]
    select = sa.select(_feedback.member, _feedback.on, _feedback.score).where(
        _feedback.withdrawn_on.is_(None), _feedback.on >= target.starts_on, _feedback.on < before, *mine
    )
    belongs = await _belonging(snapshot, target)
    scores = [score for member, on, score in await snapshot.rows(select) if member is None or belongs(member, on)]
    if not scores:
        return Achieved(None, None, ["no customer has answered"])
    return Achieved(Fraction(sum(score >= CONTENT for score in scores), len(scores)))


async def _from_readings(snapshot: Snapshot, target: Target, metric: Metric, before: date) -> Achieved:
    """The sum, the mean or the last of the readings that count for a target; none of no readings but for a sum."""
    mine = {
        "organisation": sa.true(),
        "department": _reading.department == target.ref,
        "team": _reading.team == target.ref,
        "member": _reading.member == target.ref,
        "group": sa.or_(_reading.member.is_not(None), sa.and_(_reading.level == "group", _reading.ref == target.ref)),
    }[target.level]
    select = (
        sa.select(Reading)
        .where(
            _reading.metric == metric.id, _reading.withdrawn_on.is_(None), _reading.on >= target.starts_on,
            _reading.on < before, mine,
        )
        .order_by(_reading.on, _reading.id)
    )  # fmt: skip
    belongs = await _belonging(snapshot, target)
    found = [
        each for each in await snapshot.all(Reading, select)
        if target.level != "group" or each.member is None or belongs(each.member, each.on)
    ]  # fmt: skip
    if not found and metric.aggregation != "sum":
        return Achieved(None, None, [f"no reading of {metric.id} was taken"])
    if metric.money:
        by_day: dict[tuple[str, date], int] = {}
        for each in found:
            assert each.money is not None
            place = (each.money.currency, each.on)
            by_day[place] = by_day.get(place, 0) + each.money.minor
        if metric.aggregation == "last":
            last = found[-1]
            assert last.money is not None
            by_day = {(last.money.currency, last.on): last.money.minor}
        summed = await _in_currency(snapshot, target, by_day)
    else:
        values = [Fraction(Decimal(each.number or "0")) for each in found]
        summed = Achieved(values[-1] if metric.aggregation == "last" else sum(values, Fraction(0)))
    if metric.aggregation == "mean" and summed.amount is not None:
        summed.amount /= len(found)
        summed.planned = summed.planned / len(found) if summed.planned is not None else None
    return summed
