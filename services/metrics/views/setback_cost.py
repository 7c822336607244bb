"""What did setbacks cost, as far as that is known?

Known is what deals were worth that were lost: the estimates of the deals of a customer that were lost in the period on
or after the day of the first setback in it that names the customer. What a follow-up took and what a closed account
would still have bought is recorded nowhere, so it is not counted. It is told as setbacks are: only where at least five
people had one, and so that nothing hidden can be told from the rest. It stands beside the margin and is not taken off
it: an estimate is revenue that did not come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.support import SetbackFact
from services.metrics.sums import DAY, Tally
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.private import hidden, in_the_tree, kept_back, told, whole_stretches
from services.metrics.views.support import setbacks_of
from services.metrics.views.values import Amounts, shown_money
from shared.store.sql import OneOf

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_LOST = sa.select(_tally.key, _tally.start, _tally.currency, _tally.count, _tally.amount).where(
    _tally.dim == "customer",
    OneOf(_tally.key, "customers"),
    _tally.measure == "lost",
    _tally.grain == DAY,
    _tally.start >= sa.bindparam("start", type_=sa.Date()),
    _tally.start < sa.bindparam("end", type_=sa.Date()),
)


@dataclass(frozen=True, slots=True)
class Lost:
    """A customer's deals that were lost on a day, by the currency of what they were worth, if that is known."""

    customer: str
    day: date
    currency: str
    deals: int
    minor: int


async def setback_cost(reading: Reading) -> Any:
    """What the deals were worth that were lost after a setback."""
    if set(reading.filters) - {"customer"}:
        reading.note("setback_cost", "what setbacks cost is known of the whole and by customer")
        return None
    if not in_the_tree(reading.question):
        reading.note("setback_cost", whole_stretches("setbacks"))
        return None
    customers = await _customers(reading)
    only = reading.filters.get("customer")
    seen = [each for found in customers.values() for each in found]
    if not told(seen) if only is None else only in kept_back(customers):
        return hidden(reading, "setback_cost")
    lost = [each for each in await _lost_after_setbacks(reading) if only in (None, each.customer)]
    deals, unknown = sum(each.deals for each in lost), sum(each.deals for each in lost if not each.currency)
    if unknown:
        reading.note("setback_cost", f"what {unknown} of the {deals} lost deals were worth is not known")
    return shown_money(await _worth(reading, lost), reading.question.currency) if unknown < deals or not lost else None


async def _lost_after_setbacks(reading: Reading) -> list[Lost]:
    """What was lost in the period on or after the day of a setback that names its customer."""
    first = _first_days(await _customers(reading))

    async def read() -> list[Lost]:
        span = reading.question.span
        found = await reading.snapshot.rows(_LOST, start=span.start, end=span.end, customers=sorted(first))
        lost = [Lost(*each) for each in found]
        return [each for each in lost if each.deals and each.day >= first[each.customer]]

    lost: list[Lost] = await reading.shared("lost after setbacks", read)
    return lost


async def shown_after_setbacks(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """What is true of those of these deals that may be told of."""
    customers = await _customers(reading)
    hidden_of = kept_back(customers) if in_the_tree(reading.question) else customers.keys()
    only, end = reading.filters.get("customer"), reading.question.span.end
    told_of = [
        sa.and_(_deal.customer == key, _deal.closed_on >= first)
        for key, first in sorted(_first_days(customers).items())
        if key not in hidden_of and only in (None, key)
    ]
    return [_deal.status == "lost", _deal.closed_on < end, sa.or_(sa.false(), *told_of)]


def _first_days(customers: Mapping[str, Sequence[SetbackFact]]) -> dict[str, date]:
    return {key: min(each.happened_on for each in found if each.happened_on) for key, found in customers.items()}


async def _customers(reading: Reading) -> dict[str, list[SetbackFact]]:
    by_customer: dict[str, list[SetbackFact]] = {}
    for each in await setbacks_of(reading):
        if each.customer is not None:
            by_customer.setdefault(each.customer, []).append(each)
    return by_customer


async def _worth(reading: Reading, lost: Sequence[Lost]) -> Amounts:
    settling, whole = await reading.settling(), Amounts()
    for each in lost:
        currency, minor = each.currency, each.minor
        if settling is not None and minor:
            currency, worth = settling.worth(Fraction(minor), currency, each.day)
            minor = round(worth)
        whole += Amounts({currency: minor} if minor else {})
    return whole


SETBACK_COST: Final = Figure(
    "setback_cost", "Estimates of the deals lost on days of the period, on or after the first setback in it that names "
    "their customer; what follow-ups took is not recorded. Not told where fewer than five people had one.",
    setback_cost, "deals_lost_after_setbacks",
)  # fmt: skip
