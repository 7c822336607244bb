"""What did setbacks cost, as far as that is known?

Known is what deals were worth that were lost: the estimates of the deals of a customer that were lost in the period on
or after the day of the first setback in it that names the customer. What a follow-up took and what a closed account
would still have bought is recorded nowhere, so it is not counted. It is told as setbacks are: only where at least five
people had one, and so that nothing hidden can be told from the rest. It stands beside the margin and is not taken off
it: an estimate is revenue that did not come.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.support import SetbackFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.support import WHOLE_STRETCHES, hidden, in_the_tree, kept_back, setbacks_of, told
from services.metrics.views.values import Amounts, shown_money
from shared.store.sql import OneOf

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_LOST = (
    sa.select(DealFact)
    .where(
        # Not "is lost": the few customers are what these deals are found by, not all that was lost in these days.
        _deal.status.not_in(("open", "won")),
        _deal.closed_on >= sa.bindparam("start", type_=sa.Date()),
        _deal.closed_on < sa.bindparam("end", type_=sa.Date()),
        OneOf(_deal.customer, "customers"),
    )
    .order_by(_deal.id)
)


async def setback_cost(reading: Reading) -> Any:
    """What the deals were worth that were lost after a setback."""
    if set(reading.filters) - {"customer"}:
        reading.note("setback_cost", "what setbacks cost is known of the whole and by customer")
        return None
    if not in_the_tree(reading.question):
        reading.note("setback_cost", WHOLE_STRETCHES)
        return None
    customers = await _customers(reading)
    only = reading.filters.get("customer")
    seen = [each for found in customers.values() for each in found]
    if not told(seen) if only is None else only in kept_back(customers):
        return hidden(reading, "setback_cost")
    lost = [each for each in await lost_after_setbacks(reading) if only in (None, each.customer)]
    unknown = sum(not each.estimate for each in lost)
    if unknown:
        reading.note("setback_cost", f"what {unknown} of the {len(lost)} lost deals were worth is not known")
    return (
        shown_money(await _worth(reading, lost), reading.question.currency) if unknown < len(lost) or not lost else None
    )


async def lost_after_setbacks(reading: Reading) -> list[DealFact]:
    """The deals lost in the period on or after the day of a setback that names their customer."""
    customers = await _customers(reading)
    first = {key: min(each.happened_on for each in found if each.happened_on) for key, found in customers.items()}

    async def read() -> list[DealFact]:
        if not first:
            return []
        days = {"start": reading.question.span.start, "end": reading.question.span.end}
        found = await reading.snapshot.all(DealFact, _LOST, **days, customers=sorted(first))
        return [each for each in found if _on_or_after(each, first)]

    lost: list[DealFact] = await reading.shared("deals lost after setbacks", read)
    return lost


async def shown_after_setbacks(reading: Reading) -> list[str]:
    """Those of these deals that may be told of, by id."""
    if not in_the_tree(reading.question):
        return []
    hidden_of = kept_back(await _customers(reading))
    only = reading.filters.get("customer")
    lost = await lost_after_setbacks(reading)
    return [each.id for each in lost if each.customer not in hidden_of and only in (None, each.customer)]


def _on_or_after(deal: DealFact, first: dict[str, date]) -> bool:
    return deal.customer is not None and deal.closed_on is not None and deal.closed_on >= first[deal.customer]


async def _customers(reading: Reading) -> dict[str, list[SetbackFact]]:
    by_customer: dict[str, list[SetbackFact]] = {}
    for each in await setbacks_of(reading):
        if each.customer is not None:
            by_customer.setdefault(each.customer, []).append(each)
    return by_customer


async def _worth(reading: Reading, lost: list[DealFact]) -> Amounts:
    settling, whole = await reading.settling(), Amounts()
    for deal in lost:
        currency, minor = deal.estimate_currency, deal.estimate
        if settling is not None and deal.closed_on is not None and minor:
            currency, worth = settling.worth(Fraction(minor), currency, deal.closed_on)
            minor = round(worth)
        whole += Amounts({currency: minor} if minor else {})
    return whole


SETBACK_COST: Final = Figure(
    "setback_cost", "Estimates of the deals lost on days of the period, on or after the first setback in it that names "
    "their customer; what follow-ups took is not recorded. Not told where fewer than five people had one.",
    setback_cost, "deals_lost_after_setbacks",
)  # fmt: skip
