"""What was aimed at in a period, and how far it has been reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import Reading
from services.metrics.views.values import Amounts
from shared.attainment import Attainment, elapsed_share
from shared.money import Money

_target = TargetFact.__table__.c  # type: ignore[attr-defined]
_REVENUE = sa.select(TargetFact).where(
    _target.metric == "revenue",
    _target.level == sa.bindparam("level"),
    _target.closed_on.is_(None),
    _target.start < sa.bindparam("end", type_=sa.Date()),
    _target.end > sa.bindparam("start", type_=sa.Date()),
)
LEVELS = ("team", "member", "group", "department")


async def revenue_targets(reading: Reading) -> Sequence[TargetFact]:
    """The revenue targets whose days lie within the period, of whoever the question is about."""
    span = reading.question.span
    level = next((each for each in LEVELS if each in reading.filters), "organisation")

    async def read() -> list[TargetFact]:
        return await reading.snapshot.all(TargetFact, _REVENUE, level=level, start=span.start, end=span.end)

    found: list[TargetFact] = await reading.shared(f"revenue targets of {level}", read)
    inside = [each for each in found if _within(each, span.start, span.end)]
    if level == "organisation":
        return inside
    return [each for each in inside if each.ref == reading.filters[level]]


def _within(target: TargetFact, start: date, end: date) -> bool:
    return target.start is not None and target.end is not None and start <= target.start and target.end <= end


async def targeted(reading: Reading) -> Amounts | None:
    """What the targets within the period add up to; none when there is none."""
    found = await revenue_targets(reading)
    if not found:
        return None
    return Amounts.total(
        Amounts({each.currency: Money(each.value, each.currency).minor}) for each in found if each.currency
    )


async def reached(reading: Reading, revenue: Amounts) -> Attainment | None:
    """How far the targets of the period have been reached; none without targets, or across currencies."""
    target = await targeted(reading)
    if target is None or target.only is None:
        return None
    currency, minor = target.only
    span = reading.question.span
    elapsed = elapsed_share(span.start, span.end, span.asked)
    return Attainment(Decimal(minor), Decimal(revenue.of(currency)), elapsed)
