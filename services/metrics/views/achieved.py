"""What somebody achieved of a metric on some days, from the facts that metrics keeps: as targets computes it.

The organisation, a department and a team achieve the deals won for them; a member and a group what is credited to
them. Numbers of deals and customers count each deal once, for its owner. All but what is measured by readings is what
the figures of the views are computed from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.goals import MetricFact, ReadingFact
from services.metrics.views.customers import customer_counts
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import Entry
from services.metrics.views.values import Amounts
from shared.measured import computed_from
from shared.money import Money
from shared.period import Period

_reading = ReadingFact.__table__.c  # type: ignore[attr-defined]
_METRICS = sa.select(MetricFact)
_MEASURES: Final = {
    "deals_opened": ("opened", True), "deals_lost": ("lost", True), "invoiced": ("invoiced", False),
    "received": ("received", False),
}  # fmt: skip
"""What the sums know of what an organisation's own metrics are based on, and whether it is counted or added up."""


@dataclass(frozen=True, slots=True)
class Achieved:
    """What was achieved, in minor units or in things; none where it is not known, with what is to be said of it."""

    amount: Fraction | None
    notes: Sequence[str] = ()


async def metrics_of(reading: Reading) -> Mapping[str, MetricFact]:
    """What can be aimed at, by id; read once for a breakdown."""

    async def read() -> dict[str, MetricFact]:
        return {each.id: each for each in await reading.snapshot.all(MetricFact, _METRICS)}

    metrics: Mapping[str, MetricFact] = await reading.shared("metrics", read)
    return metrics


async def achieved(reading: Reading, metric: MetricFact, level: str, ref: str, days: Period, currency: str) -> Achieved:
    """What somebody achieved on some days, money in one currency."""
    whose = {} if level == "organisation" else {level: ref}
    known = reading if reading.filters == whose else reading.about({}).row(level, ref) if whose else reading.about({})
    known = known.over(days)
    match metric.id:
        case "revenue" | "margin":
            return _earned(await known.into(currency).flow("won"), currency, margin=metric.id == "margin")
        case "deals_won":
            return Achieved(Fraction((await known.flow("won")).count))
        case "customers_won":
            return Achieved(Fraction((await customer_counts(known)).new))
        case "csat":
            answered, content = (await known.flow("answered")).count, (await known.flow("content")).count
            unknown = Achieved(None, ["no customer has answered"])
            return Achieved(Fraction(content, answered)) if answered else unknown
    basis = computed_from(metric)
    if basis is None:
        return await _measured(known, metric, level, ref, currency)
    measure, counts = _MEASURES[basis]
    if counts:
        return Achieved(Fraction((await known.flow(measure)).count))
    return _in(currency, (await known.into(currency).flow(measure)).amount)


def _earned(won: Entry, currency: str, *, margin: bool) -> Achieved:
    if margin and won.uncosted:
        return Achieved(None, [f"what {_said(won.uncosted)} of revenue cost is not known"])
    return _in(currency, won.amount - won.cost if margin else won.amount)


def _in(currency: str, found: Amounts) -> Achieved:
    """What there is of one currency; what could not be converted into it is named, and not counted."""
    others = Amounts({code: minor for code, minor in found if code != currency})
    why = f"{_said(others)} is not counted: the target is in {currency}, and no rate is known for its days"
    return Achieved(Fraction(found.of(currency)), [why] if others else [])


def _said(amounts: Amounts) -> str:
    return " and ".join(str(Money.of_minor(minor, code)) for code, minor in amounts)


async def _measured(reading: Reading, metric: MetricFact, level: str, ref: str, currency: str) -> Achieved:
    """The sum, the mean or the last of the readings; those in other currencies at the rate of their day."""
    found = await _readings(reading, metric, level, ref)
    if not found and metric.aggregation != "sum":
        return Achieved(None, [f"no reading of {metric.id} was taken"])
    counted = found[-1:] if metric.aggregation == "last" else found
    if metric.unit == "money":
        summed = _in(currency, await _converted(reading.into(currency), counted))
    else:
        summed = Achieved(sum((Fraction(Decimal(each.number or "0")) for each in counted), Fraction(0)))
    if metric.aggregation == "mean" and summed.amount is not None:
        return Achieved(summed.amount / len(found), summed.notes)
    return summed


async def _converted(reading: Reading, found: Sequence[ReadingFact]) -> Amounts:
    settling, whole = await reading.settling(), dict[str, Fraction]()
    for each in found:
        code, minor = each.currency, Fraction(each.amount)
        if settling is not None and each.on is not None and code != settling.into:
            code, minor = settling.worth(minor, code, each.on)
        whole[code] = whole.get(code, Fraction(0)) + minor
    return Amounts({code: round(minor) for code, minor in whole.items()})


async def _readings(reading: Reading, metric: MetricFact, level: str, ref: str) -> Sequence[ReadingFact]:
    """Those that count for somebody: by the department and the team noted with them, their member, and the groups that
    member was in on their day."""
    days = reading.question.period
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
    return [
        each for each in await reading.snapshot.all(ReadingFact, select)
        if each.member is None or await _counts(reading, level, ref, each.member, each.on)
    ]  # fmt: skip


async def _counts(reading: Reading, level: str, ref: str, member: str, on: date | None) -> bool:
    """Whether what a member did on a day counts for a group or a member; for all others it is narrowed already."""
    if level not in ("group", "member"):
        return True
    circle: Any = await reading.circle(level, ref)
    return on is not None and bool(circle.on_day(member, on))
