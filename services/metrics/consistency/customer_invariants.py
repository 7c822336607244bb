"""Customers, counted by the moves that made them and one by one."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from services.metrics.consistency.sides import Invariant, Value
from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.views.ledger import day_of
from services.metrics.views.stays import first_wins_of, lives
from shared.store import Snapshot

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]
_LATEST = (
    sa.select(_customer.lost_on, sa.func.max(_deal.closed_on))
    .join_from(CustomerFact, DealFact, _deal.customer == _customer.id)
    .where(_deal.status == "won")
    .group_by(_customer.id, _customer.lost_on)
)


async def standing(snapshot: Snapshot) -> Value:
    """Customers whose latest won deal is not older than the day on which they were lost, from the facts."""
    rows = await snapshot.rows(_LATEST)
    return sum(not lost or day_of(latest) >= date.fromisoformat(max(lost)) for lost, latest in rows)


async def come_and_gone(snapshot: Snapshot) -> Value:
    """New and reactivated customers without the lost ones, over all time, from the sums."""
    count = 0
    async for _, stays in lives(snapshot, await first_wins_of(snapshot)):
        count += len(stays) - sum(stay.end is not None for stay in stays)
    return count


CUSTOMER_INVARIANTS = (
    Invariant(
        "customers at the end = start + new + reactivated - lost",
        "customers who have won and were not lost since, one by one",
        "new and reactivated customers of all days without the lost ones, from the sums",
        standing,
        come_and_gone,
    ),
)
