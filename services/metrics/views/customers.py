"""Customers in a period: who was there at its start, who came, came back, went, and who is there at its end.

Of a team, a member, a group, a product or a region those count whose stay began for it, as `stays` says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.views.frame import Compute, Figure, Reading
from services.metrics.views.question import NotKnownBy
from services.metrics.views.row_source import Conditions, Counted, Source, simple
from services.metrics.views.stays import WON_FOR, Stay, all_stays, begun_for
from services.metrics.views.values import shown_rate

_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Counts:
    """The customers of a period, counted."""

    start: int = 0
    new: int = 0
    reactivated: int = 0
    lost: int = 0
    end: int = 0
    retained: int = 0
    """Of those of the start, who are there at the end, whoever won them back in between."""


def counts(theirs: Sequence[Stay], stays: Sequence[Stay], start: date, end: date) -> Sequence[int]:
    """What one customer adds to the counts of the days from `start` to before `end`, in the order of `Counts`, by those
    of their stays that count."""
    begun = [stay.again for stay in theirs if start <= stay.start < end]
    at_start = int(any(stay.lasts(start) for stay in theirs))
    return (
        at_start,
        begun.count(False),
        begun.count(True),
        sum(stay.end is not None and start <= stay.end < end for stay in theirs),
        int(any(stay.lasts(end) for stay in theirs)),
        at_start * any(stay.lasts(end) for stay in stays),
    )


async def _counted(reading: Reading) -> AsyncIterator[tuple[str, Sequence[int]]]:
    """Each customer the question is about, with what they add to the counts of its period."""
    span, only = reading.question.span, reading.filters.get("customer")
    stays, begun = await all_stays(reading), await begun_for(reading)
    whose = stays.keys() if begun is None else {customer for customer, _ in begun}
    for customer in sorted(whose if only is None else whose & {only}):
        all_of = stays[customer]
        theirs = all_of if begun is None else [stay for stay in all_of if (customer, stay.start) in begun]
        yield customer, counts(theirs, all_of, span.start, span.asked)


async def customer_counts(reading: Reading) -> Counts:
    """The customers of the question's period. Raises NotKnownBy for what customers are not counted by."""
    if strange := _strange(reading):
        raise NotKnownBy(f"customers are not counted by {', '.join(strange)}")

    async def count() -> Counts:
        tally = [0] * len(fields(Counts))
        async for _, found in _counted(reading):
            for place, number in enumerate(found):
                tally[place] += number
        return Counts(*tally)

    found: Counts = await reading.once("customer counts", count)
    return found


def _strange(reading: Reading) -> list[str]:
    """By what else is asked, that customers are not counted by."""
    return sorted(set(reading.filters) - WON_FOR - {"customer"})


def counted(which: str) -> Compute:
    """One of the counts of customers."""

    async def compute(reading: Reading) -> int:
        count: int = getattr(await customer_counts(reading), which)
        return count

    return compute


def share(of: str) -> Compute:
    """The share of the customers of the start that is still there at the end, or is not."""

    async def compute(reading: Reading) -> Any:
        found = await customer_counts(reading)
        if not found.start:
            reading.note(of, "there was no customer at the start of the period")
        return shown_rate(found.retained if of == "retention" else found.start - found.retained, found.start)

    return compute


def counted_in(which: str) -> Conditions:
    """The customers that one of the counts is made of."""
    place = [each.name for each in fields(Counts)].index(which)

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        known = not _strange(reading)
        return [_customer.id.in_([key async for key, found in _counted(reading) if found[place]] if known else [])]

    return conditions


def _of_start(stayed: bool) -> Counted:
    """Each customer of the start, above the line if they stayed, or if they did not."""

    async def count(reading: Reading, customers: Sequence[CustomerFact]) -> Sequence[Mapping[str, Any]]:
        found = {key: Counts(*counted) async for key, counted in _counted(reading)}
        kept = [bool(found[each.id].retained) for each in customers]
        return [{"part": {"numerator": int(each == stayed), "denominator": 1}} for each in kept]

    return count


_show = simple("customer", "name", "region")
CUSTOMER_ROWS: Mapping[str, Source] = {
    f"customers_{each.name}": Source(CustomerFact, counted_in(each.name), _show) for each in fields(Counts)
} | {
    "retained_of_start": Source(CustomerFact, counted_in("start"), _show, counted=_of_start(stayed=True)),
    "gone_of_start": Source(CustomerFact, counted_in("start"), _show, counted=_of_start(stayed=False)),
}
CUSTOMER_FIGURES: Sequence[Figure] = (
    Figure("customers_start", "Customers at the start: won before the period and not lost since; here and below, of a "
           "team, group, member, product or region those who were won, or won back, for it.",
           counted("start"), "customers_start"),
    Figure("customers_new", "Customers whose first won deal lies in the period.", counted("new"), "customers_new"),
    Figure("customers_reactivated", "Customers won again in the period after they had been lost.",
           counted("reactivated"), "customers_reactivated"),
    Figure("customers_lost", "Customers recorded as lost on a day of the period.", counted("lost"), "customers_lost"),
    Figure("customers_end", "Customers at the end: start + new + reactivated - lost.", counted("end"),
           "customers_end"),
    Figure("customers_retained", "Customers of the start who are customers at the end: who was lost and came back "
           "in between has been retained, whoever won them back.", counted("retained"), "customers_retained"),
    Figure("retention", "Customers retained ÷ customers at the start.", share("retention"), "retained_of_start"),
    Figure("churn", "Customers of the start who are none at the end ÷ customers at the start.", share("churn"),
           "gone_of_start"),
)  # fmt: skip
