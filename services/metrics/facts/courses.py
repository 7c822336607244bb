"""How deals went: when they were opened and closed, week by week, and how long the won ones took.

The sums of a day say how many deals were won on it, but not how old these were. A forecast needs the ages, and a median
needs each length; so these cells have one more key than those of the tally. Their number grows with the weeks and the
lengths there are, not with the deals.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, DAY, MONTH
from shared.facts import Cell, Sum
from shared.forecast import Told, happenings, week_of

if TYPE_CHECKING:
    from services.metrics.facts.deals import DealFact

WEEK = "w"
CYCLE = "cycle"


class Course(Sum, table=True):
    """How many deals of one part were opened, won or lost on a day, in a week or in a month, along one dimension."""

    dim: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    """`opened`, `won` and `lost`, or `cycle`: won, by length."""
    grain: str = Field(primary_key=True)
    start: date = Field(primary_key=True)
    """The day, the Monday of the week or the first of the month."""
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


def courses(deal: DealFact) -> Iterator[Cell]:
    """What a deal adds: its opening and its closing by the week of its opening, and its length if it was won."""
    if deal.opened_on is None:
        return
    along = {ALL: "", "team": deal.team or "", "member": deal.owner, "customer": deal.customer or "",
             "product": deal.product or ""}  # fmt: skip
    part = week_of(deal.opened_on).toordinal()
    whole = tuple(happenings(told(deal, deal.value)))
    # Of a deal its owner has the own part only: what is credited to others is their revenue.
    own = sum(credit["minor"] for credit in deal.credits if credit["member"] == deal.owner)
    of_owner = tuple(happenings(told(deal, own)))
    for dim, key in along.items():
        for outcome, day, currency, numbers in of_owner if dim == "member" else whole:
            yield (dim, key, outcome, DAY, day, part, currency), numbers
            yield (dim, key, outcome, WEEK, week_of(day), part, currency), numbers
    if deal.status != "won" or deal.closed_on is None:
        return
    days = (deal.closed_on - deal.opened_on).days
    for dim, key in along.items():
        yield (dim, key, CYCLE, DAY, deal.closed_on, days, ""), (1, 0, 0, 0, 0)
        yield (dim, key, CYCLE, MONTH, deal.closed_on.replace(day=1), days, ""), (1, 0, 0, 0, 0)
