"""The stays of customers: from when to when somebody was a customer, and who won them.

Somebody is a customer from their first won deal on, until they are lost; a deal won after that wins them back and
begins another stay. Days decide: a customer who is lost on a day and wins again later is won back on that later day.
A stay is of those for whom the deal was won that began it: its team, its owner and the group they were in that day, and
its products. What others sell to them meanwhile moves nothing, so the stays of all teams are those of the organisation,
and stay what they were when people move.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.sums import DAY, Tally
from services.metrics.views.frame import Reading
from services.metrics.views.ledger import day_of
from services.metrics.views.question import CIRCLES
from services.metrics.views.sources import BY_TEAM
from shared.store import Snapshot
from shared.store.sql import OneOf

_tally = Tally.__table__.c  # type: ignore[attr-defined]
_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
_WON_DAYS = (
    sa.select(_tally.key, _tally.start)
    # What an amendment changed counts on its day, but no deal was won on it.
    .where(_tally.dim == "customer", _tally.measure == "won", _tally.grain == DAY, _tally.key == sa.bindparam("key"),
           _tally.count > sa.literal_column("0"))
    .order_by(_tally.start)
)  # fmt: skip
_LOST = sa.select(_customer.id, _customer.lost_on).where(_customer.lost_on != [])
_FIRST = (
    sa.select(_customer.id, sa.select(sa.func.min(_tally.start)).where(
        _tally.dim == "customer", _tally.key == _customer.id, _tally.measure == "won", _tally.grain == DAY
    ).scalar_subquery())
)  # fmt: skip
_WON = sa.select(_deal.id).where(_deal.status == sa.literal_column("'won'"))
# Of several of one day the one that is first by its id, as targets count them.
_FIRST_DEALS = sa.select(
    _customer.id,
    _WON.where(_deal.customer == _customer.id).order_by(_deal.closed_on, _deal.id).limit(1).scalar_subquery(),
)
_FIRST_OF_DAY = (
    _WON.where(_deal.customer == sa.bindparam("customer"), _deal.closed_on == sa.bindparam("day", type_=sa.Date()))
    .order_by(_deal.id)
    .limit(1)
)
_WHOSE = sa.select(
    _deal.customer, _deal.closed_on, _deal.team, _deal.owner, _deal.product, _deal.lines
).where(OneOf(_deal.id, "deals"))  # fmt: skip
WON_FOR: Final = frozenset({*CIRCLES, *BY_TEAM, "team", "product"})
"""For whom, or with what, a customer is won."""
Begin = tuple[str, date]
"""A customer and the day on which a stay of theirs began."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch of days in which somebody was a customer."""

    start: date
    end: date | None
    """The day on which they were lost, if they were."""
    again: bool
    """Whether they had been a customer before."""

    def lasts(self, day: date) -> bool:
        """Whether it had begun before a day, and not ended before it."""
        return self.start < day and (self.end is None or self.end >= day)


def stays_of(won: Iterable[date], lost: Iterable[date]) -> Iterator[Stay]:
    """The stays that follow from the days on which deals were won, and on which the customer was lost."""
    since, again = None, False
    for day, is_win in sorted([(day, 1) for day in won] + [(day, 0) for day in lost]):
        if is_win and since is None:
            since = day
        elif not is_win and since is not None:
            yield Stay(since, day, again)
            since, again = None, True
    if since is not None:
        yield Stay(since, None, again)


async def all_stays(reading: Reading) -> Mapping[str, Sequence[Stay]]:
    """The stays of every customer who has won; read once for a breakdown."""

    async def read() -> dict[str, list[Stay]]:
        return {key: stays async for key, stays in lives(reading.snapshot, await first_wins(reading))}

    found: Mapping[str, Sequence[Stay]] = await reading.shared("stays", read)
    return found


async def lives(snapshot: Snapshot, firsts: Iterable[tuple[str, date]]) -> AsyncIterator[tuple[str, list[Stay]]]:
    """These customers, each with their stays; of whoever was never lost the first won deal says all."""
    lost_days = {key: [date.fromisoformat(day) for day in days] for key, days in await snapshot.rows(_LOST)}
    for customer, first in firsts:
        lost = lost_days.get(customer, [])
        won = [day_of(day) for _, day in await snapshot.rows(_WON_DAYS, key=customer)] if lost else [first]
        yield customer, list(stays_of(won, lost))


async def first_wins(reading: Reading) -> Sequence[tuple[str, date]]:
    """Every customer who has won, with the day of the first win; read once for a breakdown."""
    found: list[tuple[str, date]] = await reading.shared("first wins", lambda: first_wins_of(reading.snapshot))
    return found


async def first_wins_of(snapshot: Snapshot) -> list[tuple[str, date]]:
    """Every customer who has won, with the day of the first win."""
    return [(customer, day_of(first)) for customer, first in await snapshot.rows(_FIRST) if first is not None]


async def begun_for(reading: Reading) -> set[Begin] | None:
    """The stays that began for all that the question is about; none where it is about everybody."""
    found: set[Begin] | None = None
    for dim, key in reading.filters.items():
        if dim in WON_FOR:
            theirs = await _begun_for(reading, dim, key)
            found = theirs if found is None else found & theirs
    return found


async def _begun_for(reading: Reading, dim: str, key: str) -> set[Begin]:
    begun = await reading.shared("begun stays", lambda: _read_begun(reading))
    if dim in CIRCLES:
        circle = await reading.circle(dim, key)
        theirs = ((member, each) for member in circle.members for each in begun.get(("member", member), ()))
        return {each for member, each in theirs if circle.on_day(member, each[1])}
    if dim in BY_TEAM:
        teams = (await reading.teams_by(dim)).get(key, [])
        return {each for team in teams for each in begun.get(("team", team), ())}
    return set(begun.get((dim, key), ()))


async def _read_begun(reading: Reading) -> dict[tuple[str, str], set[Begin]]:
    """The stays by whom they began for: the team, the owner and each product of the deal that was won first in them."""
    snapshot = reading.snapshot
    deals = [deal for _, deal in await snapshot.rows(_FIRST_DEALS) if deal is not None]
    for customer, stays in (await all_stays(reading)).items():
        for stay in stays:
            if stay.again:
                deals += [deal for (deal,) in await snapshot.rows(_FIRST_OF_DAY, customer=customer, day=stay.start)]
    begun: dict[tuple[str, str], set[Begin]] = {}
    for customer, day, team, owner, product, lines in await snapshot.rows(_WHOSE, deals=deals):
        products = [line["product"] for line in lines] or [product]
        for whose in (("team", team), ("member", owner), *(("product", each) for each in products)):
            begun.setdefault((whose[0], whose[1] or ""), set()).add((customer, day))
    return begun
