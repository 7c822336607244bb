"""What somebody achieved of a metric on some days, from the facts that metrics keeps: as targets computes it.

The organisation, a department and a team achieve the deals won for them; a member and a group what is credited to
them. Numbers of deals and customers count each deal once, for its owner.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.feedback import CONTENT, FeedbackFact
from services.metrics.facts.goals import MetricFact, ReadingFact
from services.metrics.facts.teams import TeamFact
from services.metrics.views.frame import Reading
from shared.period import Period

_deal, _feedback = DealFact.__table__.c, FeedbackFact.__table__.c  # type: ignore[attr-defined]
_reading, _team = ReadingFact.__table__.c, TeamFact.__table__.c  # type: ignore[attr-defined]
_RANK = sa.func.row_number().over(partition_by=_deal.customer, order_by=(_deal.closed_on, _deal.id)).label("rank")
IN_MONEY: Final = ("revenue", "margin")


async def achieved(
    reading: Reading, metric: MetricFact, level: str, ref: str, days: Period, currency: str
) -> Fraction | None:
    """In minor units of a currency, or in things; none where it is not known."""
    if metric.id in IN_MONEY:
        return await _earned(reading.over(days).into(currency), metric.id, level, ref, currency)
    if metric.id in ("deals_won", "customers_won"):
        return await _deals(reading, level, ref, days, first=metric.id == "customers_won")
    if metric.id == "csat":
        return await _content(reading, level, ref, days)
    return await _read(reading, metric, level, ref, days, currency)


async def _earned(reading: Reading, metric: str, level: str, ref: str, currency: str) -> Fraction | None:
    whose = reading if level == "organisation" else reading.row(level, ref)
    won = await whose.flow("won")
    if metric == "revenue":
        return Fraction(won.amount.of(currency))
    return None if won.uncosted else Fraction((won.amount - won.cost).of(currency))


async def _deals(reading: Reading, level: str, ref: str, days: Period, *, first: bool) -> Fraction:
    narrowed = [_deal.status == "won", _deal.closed_on >= days.start, _deal.closed_on < days.end]
    if level == "department":
        narrowed.append(_deal.team.in_(sa.select(_team.id).where(_team.department == ref)))
    elif level in ("team", "member"):
        narrowed.append((_deal.team if level == "team" else _deal.owner) == ref)
    if first:
        won = [_deal.status == "won", _deal.customer.is_not(None), _deal.closed_on < days.end]
        ranked = sa.select(_deal.id, _RANK).where(*won).subquery()
        narrowed.append(_deal.id.in_(sa.select(ranked.c.id).where(ranked.c.rank == 1)))
    found = await reading.snapshot.rows(sa.select(_deal.owner, _deal.closed_on).where(*narrowed))
    return Fraction(sum([await _counts(reading, level, ref, owner, on) for owner, on in found]))


async def _content(reading: Reading, level: str, ref: str, days: Period) -> Fraction | None:
    narrowed = [_feedback.withdrawn.is_(False), _feedback.on >= days.start, _feedback.on < days.end]
    if level == "department":
        narrowed.append(_feedback.team.in_(sa.select(_team.id).where(_team.department == ref)))
    elif level != "organisation":
        narrowed.append(_feedback.team == ref if level == "team" else _feedback.member.is_not(None))
    rows = await reading.snapshot.rows(sa.select(_feedback.member, _feedback.on, _feedback.score).where(*narrowed))
    scores = [score for member, on, score in rows if member is None or await _counts(reading, level, ref, member, on)]
    return Fraction(sum(score >= CONTENT for score in scores), len(scores)) if scores else None


async def _read(
    reading: Reading, metric: MetricFact, level: str, ref: str, days: Period, currency: str
) -> Fraction | None:
    """The sum, the mean or the last of the readings; those in another currency are not known in this one."""
    mine = {
        "organisation": sa.true(),
        "department": _reading.department == ref,
        "team": _reading.team == ref,
        "member": _reading.member == ref,
        "group": sa.or_(_reading.member.is_not(None), sa.and_(_reading.level == "group", _reading.ref == ref)),
    }[level]
    select = (
        sa.select(ReadingFact)
        .where(_reading.metric == metric.id, _reading.withdrawn.is_(False), _reading.on >= days.start,
               _reading.on < days.end, mine)
        .order_by(_reading.on, _reading.id)
    )  # fmt: skip
    found = [
        each for each in await reading.snapshot.all(ReadingFact, select)
        if each.member is None or await _counts(reading, level, ref, each.member, each.on)
    ]  # fmt: skip
    if not found or any(each.currency != (currency if metric.unit == "money" else "") for each in found):
        return Fraction(0) if not found and metric.aggregation == "sum" else None
    values = [Fraction(each.amount if metric.unit == "money" else Decimal(each.number or "0")) for each in found]
    if metric.aggregation == "last":
        return values[-1]
    return sum(values, Fraction(0)) / (len(values) if metric.aggregation == "mean" else 1)


async def _counts(reading: Reading, level: str, ref: str, member: str, on: date | None) -> bool:
    """Whether what a member did on a day counts for a group or a member; for all others it is narrowed already."""
    if level not in ("group", "member"):
        return True
    circle: Any = await reading.circle(level, ref)
    return on is not None and bool(circle.on_day(member, on))
