"""What was measured of those who are asked about, where it is not computed from other facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from services.targets.api.achieved.asked import Achieved, Asked, Scope, days_of
from services.targets.api.achieved.money import ByDay, in_currency, rates_for
from services.targets.api.achieved.whose import Whose
from services.targets.domain.readings import Reading
from shared.rates import Rates
from shared.store import Snapshot

_reading = Reading.__table__.c  # type: ignore[attr-defined]


async def measured(snapshot: Snapshot, asked: Sequence[Asked], whose: Whose) -> list[Achieved]:
    """The sum, the mean or the last of the readings that count for each; of none but for a sum it is not known."""
    start, end = days_of(asked)
    select = (
        sa.select(Reading)
        .where(
            _reading.metric == asked[0].metric.id, _reading.withdrawn_on.is_(None), _reading.on >= start,
            _reading.on < end,
        )
        .order_by(_reading.on, _reading.id)
    )  # fmt: skip
    by_scope: dict[Scope, list[Reading]] = defaultdict(list)
    for reading in await snapshot.all(Reading, select):
        for scope in _counts_for(reading, whose):
            by_scope[scope].append(reading)
    theirs = [[reading for reading in by_scope[each.scope] if each.covers(reading.on)] for each in asked]
    rates = await rates_for(
        snapshot,
        {(each.currency, reading.money.currency) for each, readings in zip(asked, theirs, strict=True)
         for reading in readings if reading.money is not None},
    )  # fmt: skip
    return [_summed(each, readings, rates) for each, readings in zip(asked, theirs, strict=True)]


def _counts_for(reading: Reading, whose: Whose) -> Iterator[Scope]:
    """For whom a reading counts: the department and team noted with it, its member, and their groups of that day."""
    yield "organisation", ""
    yield "department", reading.department or ""
    yield "team", reading.team or ""
    if reading.member is not None:
        yield from whose.of_member(reading.member, reading.on)
    elif reading.level == "group":
        yield "group", reading.ref


def _summed(each: Asked, found: Sequence[Reading], rates: Rates) -> Achieved:
    metric = each.metric
    if not found and metric.aggregation != "sum":
        return Achieved(None, None, [f"no reading of {metric.id} was taken"])
    counted = found[-1:] if metric.aggregation == "last" else found
    if metric.money:
        by_day: ByDay = {}
        for reading in counted:
            assert reading.money is not None
            place = (reading.money.currency, reading.on)
            by_day[place] = by_day.get(place, 0) + reading.money.minor
        summed = in_currency(each, by_day, rates)
    else:
        summed = Achieved(sum((Fraction(Decimal(reading.number or "0")) for reading in counted), Fraction(0)))
    if metric.aggregation == "mean" and summed.amount is not None:
        summed.amount /= len(found)
        summed.planned = summed.planned / len(found) if summed.planned is not None else None
    return summed
