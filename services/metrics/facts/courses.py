"""How deals went: when they were opened and closed, week by week, and how long the won ones took.

The sums of a day say how many deals were won on it, but not how old these were. A forecast needs the ages, and a median
needs each length; so these cells have one more key than those of the tally. Nothing is summed where there would be as
many cells as deals: a customer has few deals, and so have one member and one product on one day. These are read from
the deals.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, DAY, MONTH
from shared.facts import Cell, Sum
from shared.forecast import Happening, Told, happenings, week_of

if TYPE_CHECKING:
    from services.metrics.facts.deals import DealFact

WEEK, STOCK = "w", "s"
CYCLE = "cycle"
OPEN = "open"
SUMMED = (ALL, "team", "member", "product")
"""The dimensions that have cells, of weeks and months."""
DAILY = (ALL, "team")
"""Those that have cells of days too."""
WHOSE = {"team": "team", "member": "owner", "customer": "customer", "product": "product"}
"""The field of a deal that says whose it is along a dimension."""


class Course(Sum, table=True):
    """How many deals of one part were opened, won or lost on a day, in a week or in a month, along one dimension."""

    # For the rows of a breakdown, which ask for some days of all keys, and add up what was closed in a week by these.
    __table_args__ = (sa.Index("course_closed", "dim", "grain", "start", "measure", "key", "currency"),)

    dim: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    """`opened`, `won` and `lost`; `cycle`: won, by length; or `open`: opened and not closed yet, by week of opening."""
    grain: str = Field(primary_key=True)
    start: date = Field(primary_key=True)
    """The day, the Monday of the week or the first of the month; of what is open the Monday of the week of opening."""
    part: int = Field(primary_key=True)
    """Of `cycle` the days from opening to winning, of the others the Monday of the week of opening, as its ordinal."""
    currency: str = Field(primary_key=True)
    count: int = Field(default=0, sa_type=sa.BigInteger)
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units; what won deals brought."""
    estimated: int = Field(default=0, sa_type=sa.BigInteger)
    """Of how many there was an estimate."""
    estimate: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units."""
    realised: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units; what those won deals brought of which there was an estimate."""


def told(deal: DealFact, brought: int) -> Told:
    """How a deal went, as a forecast hears of it; what it brought may be the part of one member."""
    assert deal.opened_on is not None
    won = deal.status == "won"
    return Told(
        opened=deal.opened_on,
        closed=deal.closed_on,
        won=won,
        amount=brought if won else 0,
        currency=deal.currency if won else "",
        estimated=1 if deal.estimate else 0,
        estimate=deal.estimate,
        estimate_currency=deal.estimate_currency if deal.estimate else "",
    )


def key_of(deal: DealFact, dim: str) -> str:
    """Whose deal it is along a dimension; nothing where it has none."""
    return (getattr(deal, WHOSE[dim]) or "") if dim else ""


def course(deal: DealFact, dim: str = ALL) -> Iterator[Happening]:
    """When a deal was opened and closed, and what of it counts along a dimension."""
    value = deal.value
    if dim == "member":
        # Of a deal its owner has the own part only: what is credited to others is their revenue.
        value = sum(credit["minor"] for credit in deal.credits if credit["member"] == deal.owner)
    return happenings(told(deal, value))


def length(deal: DealFact) -> int:
    """Days from opening to closing."""
    assert deal.opened_on is not None
    assert deal.closed_on is not None
    return (deal.closed_on - deal.opened_on).days


def courses(deal: DealFact) -> Iterator[Cell]:
    """What a deal adds: its opening and its closing by the week of its opening, and its length if it was won."""
    if deal.opened_on is None:
        return
    part = week_of(deal.opened_on).toordinal()
    won_on = deal.closed_on if deal.status == "won" else None
    took = length(deal) if won_on else 0
    whole = tuple(course(deal))
    of_owner = tuple(course(deal, "member")) if won_on else whole
    for dim in SUMMED:
        key, daily = key_of(deal, dim), dim in DAILY
        for outcome, day, currency, numbers in of_owner if dim == "member" else whole:
            yield (dim, key, outcome, WEEK, week_of(day), part, currency), numbers
            if daily:
                yield (dim, key, outcome, DAY, day, part, currency), numbers
        if deal.closed_on is None:
            # What a forecast begins with: adding up all that ever happened would take longer with each year.
            estimated = 1 if deal.estimate else 0
            currency = deal.estimate_currency if estimated else ""
            yield (dim, key, OPEN, STOCK, week_of(deal.opened_on), part, currency), (1, 0, estimated, deal.estimate, 0)
        if won_on:
            yield (dim, key, CYCLE, MONTH, won_on.replace(day=1), took, ""), (1, 0, 0, 0, 0)
            if daily:
                yield (dim, key, CYCLE, DAY, won_on, took, ""), (1, 0, 0, 0, 0)
