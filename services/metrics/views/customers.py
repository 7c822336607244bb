"""Customers in a period: who was there at its start, who came, came back, went, and who is there at its end.

Somebody is a customer from their first won deal on, until they are lost; a deal won after that wins them back. Days
decide: a customer who is lost on a day and wins again later is reactivated on that later day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deal_cells import Part
from services.metrics.facts.deals import DealFact
from services.metrics.sums import DAY, Tally
from services.metrics.views.frame import CIRCLES, Reading
from services.metrics.views.ledger import day_of
from services.metrics.views.row_source import Conditions, Source, simple
from services.metrics.views.sources import BY_TEAM
from shared.store import Snapshot

_tally = Tally.__table__.c  # type: ignore[attr-defined]
_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_WON_DAYS = (
    sa.select(_tally.key, _tally.start)
    .where(_tally.dim == "customer", _tally.measure == "won", _tally.grain == DAY, _tally.key == sa.bindparam("key"))
    .order_by(_tally.start)
)
_LOST = sa.select(_customer.id, _customer.lost_on).where(_customer.lost_on != [])
_FIRST = (
    sa.select(_customer.id, sa.select(sa.func.min(_tally.start)).where(
        _tally.dim == "customer", _tally.key == _customer.id, _tally.measure == "won", _tally.grain == DAY
    ).scalar_subquery())
)  # fmt: skip
_FIRST_DEAL = (
    sa.select(DealFact)
    .where(
        _deal.customer == sa.bindparam("customer"),
        _deal.closed_on == sa.bindparam("first", type_=sa.Date()),
        _deal.status == "won",
    )
    # Of several of that day the one that is first by its id, as targets count them.
    .order_by(_deal.id)
    .limit(1)
)
WON_FOR: Final = frozenset({*CIRCLES, *BY_TEAM, "team", "product"})
"""For whom, or with what, a customer is won first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The customers of a period, counted."""

    start: int = 0
    new: int = 0
    reactivated: int = 0
    lost: int = 0
    end: int = 0
    retained: int = 0
    """Of those of the start, who are there at the end."""


async def customer_counts(reading: Reading) -> Counts:
    """The customers of the question's period, all or those of the team, member or product asked about."""
    counts: Counts = await reading.once("customer counts", lambda: _count(reading))
    return counts


async def _count(reading: Reading) -> Counts:
    tally = [0, 0, 0, 0, 0, 0]
    async for _, found in _counted(reading):
        for place, number in enumerate(found):
            tally[place] += number
    return Counts(*tally)


async def _counted(reading: Reading) -> AsyncIterator[tuple[str, Sequence[int]]]:
    """Each customer who has won, with what they add to the counts of the period, in the order of `Counts`."""
    span, only = reading.question.span, reading.filters.get("customer")
    firsts = [(key, first) for key, first in await first_wins(reading) if only in (None, key)]
    keys = iter([key for key, _ in firsts])
    async for won, lost in lives(reading.snapshot, firsts):
        found = moves(won, lost, span.start, span.asked)
        yield next(keys), (*found, found[0] * found[-1])


async def won_first_for(reading: Reading) -> set[str]:
    """The customers whose first won deal lies in the period and was won for what is asked about: the team, owner and
    products of that deal say for whom."""

    async def read() -> list[DealFact]:
        span = reading.question.span
        firsts = [each for each in await first_wins(reading) if span.start <= each[1] < span.asked]
        return [deal for key, first in firsts
                for deal in await reading.snapshot.all(DealFact, _FIRST_DEAL, customer=key, first=first)]  # fmt: skip

    deals: list[DealFact] = await reading.shared("first deals", read)
    return {deal.customer for deal in deals if deal.customer is not None and await _is_for(reading, deal)}


async def _is_for(reading: Reading, deal: DealFact) -> bool:
    for dim, key in reading.filters.items():
        if dim in CIRCLES:
            assert deal.closed_on is not None, "it was won"
            passes = (await reading.circle(dim, key)).on_day(deal.owner, deal.closed_on)
        elif dim in BY_TEAM:
            passes = deal.team in (await reading.teams_by(dim)).get(key, [])
        elif dim == "product":
            passes = key in {each or "" for each in Part(deal).products}
        else:
            passes = (getattr(deal, dim) or "") == key
        if not passes:
            return False
    return True


def counted_in(which: str) -> Conditions:
    """The customers that one of the counts is made of."""
    place = [each.name for each in fields(Counts)].index(which)

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        others = set(reading.filters) - {"customer"}
        if others and which == "new" and others <= WON_FOR:
            return [_customer.id.in_(sorted(await won_first_for(reading)))]
        known = not others
        return [_customer.id.in_([key async for key, found in _counted(reading) if found[place]] if known else [])]

    return conditions


CUSTOMER_ROWS: Mapping[str, Source] = {
    f"customers_{each.name}": Source(CustomerFact, counted_in(each.name), simple("customer", "name", "region"))
    for each in fields(Counts)
}


async def lives(
    snapshot: Snapshot, firsts: Iterable[tuple[str, date]]
) -> AsyncIterator[tuple[Sequence[date], Sequence[date]]]:
    """The days that matter of each of these customers: those of won deals (the first is enough where they were never
    lost) and those of losses."""
    lost_days = {key: [date.fromisoformat(day) for day in days] for key, days in await snapshot.rows(_LOST)}
    for customer, first in firsts:
        lost = lost_days.get(customer, [])
        won = [day_of(day) for _, day in await snapshot.rows(_WON_DAYS, key=customer)] if lost else [first]
        yield won, lost


async def first_wins(reading: Reading) -> Sequence[tuple[str, date]]:
    """Every customer who has won, with the day of the first win; read once for a breakdown."""
    found: list[tuple[str, date]] = await reading.shared("first wins", lambda: first_wins_of(reading.snapshot))
    return found


async def first_wins_of(snapshot: Snapshot) -> list[tuple[str, date]]:
    """Every customer who has won, with the day of the first win."""
    return [(customer, day_of(first)) for customer, first in await snapshot.rows(_FIRST) if first is not None]


def moves(won: Sequence[date], lost: Sequence[date], start: date, end: date) -> tuple[int, int, int, int, int]:
    """What one customer adds to start, new, reactivated, lost and end of the days from `start` to before `end`."""
    active = ever = False
    at_start = new = reactivated = gone = 0
    happened = sorted([(day, 1) for day in won] + [(day, 0) for day in lost])
    for day, is_win in happened:
        if day >= end:
            break
        if day < start:
            active, ever = bool(is_win), ever or bool(is_win)
            at_start = int(active)
            continue
        if is_win and not active:
            new, reactivated = (new, reactivated + 1) if ever else (new + 1, reactivated)
            active = ever = True
        elif not is_win and active:
            gone, active = gone + 1, False
    return at_start, new, reactivated, gone, int(active)
