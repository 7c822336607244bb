"""How much of something each of many members gets: the same, or a whole dealt out among them in one of several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from services.targets.api.achieved import achieved_by
from services.targets.api.judging import careers_of
from services.targets.domain.aims import Value, scaled
from services.targets.domain.distribution import parts_of
from services.targets.domain.metrics import Metric
from services.targets.domain.targets import Target
from shared.attainment import due_before
from shared.errors import Refused
from shared.money import Money, plain
from shared.opportunity import Quota, expected_of
from shared.period import Period
from shared.store import Tx

Way = Literal["same", "weights", "last_actual", "ramp"]
WAYS: Final = (
    "same: each gets the value; weights: each gets a share of the value; last_actual: each gets of the value what the "
    "share of the last actual was; ramp: the same for each, so high that what may be expected of all of them by ramp "
    "and absence sums to the value"
)


class AssignedWeightsDoNotSum(Refused):
    """The weights sum to {actual}; they must sum to 1."""

    status, at = 422, "/weights"


class NothingToShareBy(Refused):
    """None of them has achieved anything of {metric} in {period}; there is nothing to share {value} by."""

    status, at = 422, "/by"


class NothingExpected(Refused):
    """Nothing may be expected of any of them in {period}; {value} cannot be reached."""

    status, at = 422, "/by"


class DoesNotAddUp(Refused):
    """{metric} does not add up over members, or less of it is better; it can only be assigned as the same for each."""

    status, at = 422, "/by"


@dataclass(frozen=True, slots=True)
class Dealt:
    """What each member gets; who gets nothing, and why; and what may be expected of it where that was asked."""

    values: Mapping[str, Value]
    without: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, Fraction] = field(default_factory=dict)


def the_same(members: Sequence[str], value: Value) -> Dealt:
    """The value for each."""
    return Dealt(dict.fromkeys(members, value))


def by_weights(weights: Mapping[str, Decimal], value: Value) -> Dealt:
    """The value by weights, which sum to 1."""
    actual = sum(weights.values(), Decimal(0))
    if actual != 1:
        raise AssignedWeightsDoNotSum(actual=plain(actual))
    return _by_shares({member: Fraction(weight) for member, weight in weights.items()}, value, "the weight is 0")


async def by_last_actual(tx: Tx, metric: Metric, members: Sequence[str], value: Value, base: Period) -> Dealt:
    """The value by what each achieved of it in an earlier period; who achieved nothing then gets nothing."""
    actuals = {member: await _achieved(tx, metric, member, value, base) for member in members}
    good = {member: max(actual, Fraction(0)) for member, actual in actuals.items()}
    whole = sum(good.values(), Fraction(0))
    if not whole:
        raise NothingToShareBy(metric=metric.id, period=base, value=value)
    return _by_shares({member: each / whole for member, each in good.items()}, value, f"nothing was achieved in {base}")


async def by_ramp(
    tx: Tx, members: Sequence[str], value: Value, period: Period, shares: Sequence[tuple[date, Decimal]]
) -> Dealt:
    """The same for each who may be expected to achieve something, so high that these expectations sum to the value."""
    people, away = await careers_of(tx, members)
    rows = [(on, Fraction(share)) for on, share in shares]

    def due(day: date) -> Fraction:
        return due_before(1, rows, period, day)

    factors: dict[str, Fraction] = {}
    for member in members:
        found = expected_of("member", member, period, [Quota(member, period, due)], people, away, period.end)
        factors[member] = found.value if found is not None else Fraction(0)
    whole = sum(factors.values(), Fraction(0))
    if not whole:
        raise NothingExpected(period=period, value=value)
    each = scaled(value, 1 / whole)
    without = {member: f"nothing may be expected in {period}" for member, factor in factors.items() if not factor}
    return Dealt({member: each for member in members if member not in without}, without, factors)


def before(period: Period) -> Period:
    """The period of the same kind before one: of whole months as many months, otherwise as many days."""
    months = period.months()
    if all(month.start.day == 1 and month.end.day == 1 for month in months):
        first = period.start
        for _ in months:
            first = (first - timedelta(days=1)).replace(day=1)
        return Period.between(first, period.start)
    return Period.between(period.start - timedelta(days=period.days), period.start)


def _by_shares(shares: Mapping[str, Fraction], value: Value, why_not: str) -> Dealt:
    parts = dict(zip(shares, parts_of(value, list(shares.values())), strict=True))
    without = {member: why_not for member, share in shares.items() if not share}
    return Dealt({member: part for member, part in parts.items() if member not in without}, without)


async def _achieved(tx: Tx, metric: Metric, member: str, value: Value, base: Period) -> Fraction:
    money, number = (value, None) if isinstance(value, Money) else (None, "1")
    asked = Target.make(
        metric=metric.id, level="member", ref=member, label=base.label, starts_on=base.start, ends_on=base.end,
        money=money, number=number,
    )  # fmt: skip
    return (await achieved_by(tx, asked, metric, base.end)).amount or Fraction(0)
