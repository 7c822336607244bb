"""The sums that the views read: what happened on which day and in which month, seen along several dimensions.

A fact contributes to a cell for each dimension it is seen along: the whole, its team, member, customer, product,
department or kind. Months stand beside days so that a long period reads few rows. Cells move only by a fact's change
from what it contributed to what it contributes, so they are the same whatever order the subjects' events came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from shared.facts import Cell, Sum

ALL = ""
DAY, MONTH = "d", "m"


class Tally(Sum, table=True):
    """How often and how much of something there was on one day, or in one month, along one dimension."""

    dim: str = Field(primary_key=True)
    """Along what: nothing (the whole), `team`, `member`, `customer`, `product`, `department`, `kind`."""
    key: str = Field(primary_key=True)
    """Whose: the id of the team, member, customer ...; nothing where it has none."""
    measure: str = Field(primary_key=True)
    grain: str = Field(primary_key=True)
    start: date = Field(primary_key=True)
    """The day, or the first of the month."""
    currency: str = Field(primary_key=True)
    count: int = Field(default=0, sa_type=sa.BigInteger)
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units of the currency."""
    cost: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units; of what the amount cost, where that is known."""
    uncosted: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units of the amount whose cost is not known."""
    took: int = Field(default=0, sa_type=sa.BigInteger)
    """How long it took, in the unit of the measure: days of a deal, seconds of a request or a meeting."""


def cells(
    measure: str,
    day: date,
    along: Mapping[str, str | None],
    *,
    count: int = 1,
    amount: int = 0,
    currency: str = "",
    cost: int = 0,
    uncosted: int = 0,
    took: int = 0,
) -> Iterator[Cell]:
    """The cells of one contribution: of its day and its month, along each dimension."""
    numbers = (count, amount, cost, uncosted, took)
    month = day.replace(day=1)
    for dim, key in along.items():
        yield (dim, key or "", measure, DAY, day, currency), numbers
        yield (dim, key or "", measure, MONTH, month, currency), numbers
