"""Who looks after our customers? Customers and open deals whose owner has left, or has moved to another team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.facts.teams import MemberFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import everybody
from services.metrics.views.row_source import Conditions, Source, simple
from shared.handovers import Held, Why, customer_held
from shared.membership import end_of, on_day
from shared.store.sql import OneOf

_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]
_ASKED, _LAST = sa.bindparam("asked", type_=sa.Date()), sa.bindparam("last", type_=sa.Date())
_THEIRS = sa.and_(sa.or_(OneOf(_deal.owner, "members"), _deal.owners != []), _deal.opened_on < _ASKED)
_STILL_OPEN = sa.or_(_deal.closed_on.is_(None), _deal.closed_on > _LAST)
_OPEN = sa.select(DealFact).where(_THEIRS, _STILL_OPEN)
_SERVED = sa.select(_deal.customer).where(_THEIRS, _deal.customer.is_not(None)).distinct()
_CUSTOMERS = sa.select(CustomerFact).where(
    sa.or_(OneOf(_customer.id, "customers"), _customer.owners != []), _customer.merged_into.is_(None)
)
_WON = _deal.status == "won"
_SINCE = sa.case((sa.and_(_WON, _deal.closed_on <= _LAST), _deal.closed_on), else_=_deal.opened_on)
_RANKED = (
    sa.select(
        _deal.id,
        sa.func.row_number().over(partition_by=_deal.customer, order_by=(_SINCE.desc(), _deal.id.desc())).label("rank"),
    )
    .where(OneOf(_deal.customer, "customers"), _deal.opened_on <= _LAST, sa.or_(_WON, _STILL_OPEN))
    .subquery()
)
_LATEST = sa.select(DealFact).join(_RANKED, _RANKED.c.id == _deal.id).where(_RANKED.c.rank == 1)
"""Of each customer the deal that says who looks after them, chosen as in `shared.handovers` but by the store: there may
be a thousand of each."""
Open = tuple[str, Held, Why]


async def handovers(reading: Reading) -> Sequence[Open]:
    """What is to be handed over at the end, of whoever the question is about."""

    async def read() -> Sequence[Open]:
        return await _read(reading)

    found: Sequence[Open] = await reading.shared("handovers", read)
    of = {"team": lambda held: held.team, "member": lambda held: held.owner}
    return [each for each in found if all(of[dim](each[1]) == key for dim, key in reading.filters.items())]


async def _read(reading: Reading) -> Sequence[Open]:
    snapshot, asked = reading.snapshot, reading.question.span.asked
    last = asked - timedelta(days=1)
    people = {each.id: each for each in await everybody(reading)}
    gone = [key for key, each in people.items() if _has_ended(each, last)]
    if not gone:
        return []
    theirs = {"members": gone, "asked": asked}
    still_open = await snapshot.all(DealFact, _OPEN, last=last, **theirs)
    held: list[tuple[str, Held]] = [("deal", each.sale.held_on(last)) for each in still_open]
    served = sorted(str(customer) for (customer,) in await snapshot.rows(_SERVED, **theirs))
    customers = await snapshot.all(CustomerFact, _CUSTOMERS, customers=served)
    sales: dict[str, list[DealFact]] = {each.id: [] for each in customers}
    for deal in await snapshot.all(DealFact, _LATEST, customers=list(sales), last=last):
        sales[deal.customer or ""].append(deal)
    for each in customers:
        lost = [date.fromisoformat(day) for day in each.lost_on]
        found = customer_held(each.id, each.owners, (deal.sale for deal in sales[each.id]), lost, last)
        if found is not None:
            held.append(("customer", found))
    return [(kind, each, why) for kind, each in held if (why := each.why(people.get(each.owner), last)) is not None]


def _has_ended(member: MemberFact, day: date) -> bool:
    spells = [*member.employments, *member.memberships]
    return not on_day(member.employments, day) or any((end := end_of(each)) and end <= day for each in spells)


def _known(reading: Reading, figure: str) -> bool:
    if set(reading.filters) - {"team", "member"}:
        reading.note(figure, "what is to be handed over is known for the whole, by team and by member")
        return False
    return True


async def customers_without_owner(reading: Reading) -> Any:
    """Customers whose owner is gone."""
    return len(await _orphaned(reading)) if _known(reading, "customers_without_owner") else None


async def handovers_open(reading: Reading) -> Any:
    """Customers and open deals to be handed over."""
    return len(await handovers(reading)) if _known(reading, "handovers_open") else None


async def _orphaned(reading: Reading) -> list[str]:
    return [held.id for kind, held, why in await handovers(reading) if kind == "customer" and why == "left"]


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    known = not set(reading.filters) - {"team", "member"}
    return [_customer.id.in_(await _orphaned(reading) if known else [])]


def open_of(kind: str) -> Conditions:
    """The customers, or the deals, that are to be handed over."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        known = not set(reading.filters) - {"team", "member"}
        found = [held.id for each, held, _ in await handovers(reading) if each == kind] if known else []
        return [(_customer if kind == "customer" else _deal).id.in_(found)]

    return conditions


show_customer = simple("customer", "name", "region")
WITHOUT_OWNER = Source(CustomerFact, _rows, show_customer)
HANDOVER_FIGURES = (
    Figure("customers_without_owner", "Customers at the end whose owner does not work here any more: who they were "
           "handed over to last, else who has the last deal with them that is open or won.", customers_without_owner,
           "customers_without_owner"),
    Figure("handovers_open", "Customers and open deals at the end that are to be handed over: their owner does not "
           "work here any more, or has left the team of it since.", handovers_open, "handovers_open"),
)  # fmt: skip
