"""How a target is distributed over its days: dated rows that sum to it, in amounts or in shares of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

from services.targets.domain.aims import Value, said, sum_of, told
from shared.errors import Refused
from shared.events.aims import Due
from shared.money import Money, plain
from shared.period import Period

_STEP = Decimal("0.000001")


class DistributionDoesNotSum(Refused):
    """The distribution sums to {actual}; the target is {value}."""

    status, at = 422, "/distribution"


class OutsideThePeriod(Refused):
    """{on} does not lie in the period {period}."""

    status, at = 422, "/distribution"


class DayTwice(Refused):
    """{on} stands in the distribution more than once; add the values up."""

    status, at = 422, "/distribution"


def checked(value: Value, rows: Sequence[tuple[date, Value]], period: Period) -> tuple[Due, ...]:
    """The rows in order, if they lie in the period, each day once, and sum to the value."""
    days = [day for day, _ in rows]
    for day in days:
        if not period.contains(day):
            raise OutsideThePeriod(on=day, period=period)
        if days.count(day) > 1:
            raise DayTwice(on=day)
    actual = sum_of([part for _, part in rows], value)
    if rows and actual != value:
        raise DistributionDoesNotSum(actual=said(actual), value=said(value))
    return tuple(Due(on=day, value=told(part)) for day, part in sorted(rows, key=lambda row: row[0]))


def dealt(value: Value, shares: Sequence[tuple[date, Decimal]]) -> list[tuple[date, Value]]:
    """A value by shares of it, which sum to 1; the parts sum to it exactly."""
    return list(zip((on for on, _ in shares), parts_of(value, [share for _, share in shares]), strict=True))


def parts_of(value: Value, shares: Sequence[Decimal | Fraction]) -> Sequence[Value]:
    """A value dealt out by shares that sum to 1: money to the cent, a number of things to six places; what rounding
    leaves over of these goes to the last."""
    if isinstance(value, Money):
        return value.split(shares)
    exact = (Fraction(value) * Fraction(share) for share in shares[:-1])
    parts = [(Decimal(each.numerator) / each.denominator).quantize(_STEP, ROUND_DOWN) for each in exact]
    return [*parts, value - sum(parts, Decimal(0))]


def columns_of(value: Value, rows: Sequence[Due], shares: Sequence[tuple[date, Decimal]]) -> dict[str, Any]:
    """A value with its distribution as a target keeps both."""
    by_day = {on: {"share": plain(share)} for on, share in shares}
    plainly: list[dict[str, Any]] = [
        {"on": row.on.isoformat(), "value": row.value.as_json() if isinstance(row.value, Money) else row.value}
        | by_day.get(row.on, {})
        for row in rows
    ]
    aimed = told(value)
    money, number = (aimed, None) if isinstance(aimed, Money) else (None, aimed)
    return {"money": money, "number": number, "rows": plainly}
