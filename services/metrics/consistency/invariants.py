"""What must hold between the figures of any snapshot. Left and right are computed by different ways, or prove nothing.

Each side is one statement on the stored sums or facts: the sums on one side, the facts they came from on the other, or
two cohorts of facts that must add up to a third.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.sums import ALL, MONTH, Tally
from services.metrics.views.values import Amounts
from shared.money import Money
from shared.store import Snapshot

Value = int | Amounts
Side = Callable[[Snapshot], Awaitable[Value]]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Invariant:
    """Two ways to one number."""

    name: str
    left: str
    right: str
    left_value: Side
    right_value: Side


def summed(measure: str, dim: str = ALL, column: str = "amount") -> Side:
    """A measure over all time, from the sums of a dimension."""

    async def value(snapshot: Snapshot) -> Value:
        total = sa.cast(sa.func.sum(_tally[column]), sa.BigInteger)
        select = (
            sa.select(_tally.currency, total)
            .where(_tally.dim == dim, _tally.measure == measure, _tally.grain == MONTH)
            .group_by(_tally.currency)
        )
        records = await snapshot.rows(select)
        if column == "count":
            return sum(int(amount) for _, amount in records)
        return Amounts({currency: int(amount) for currency, amount in records})

    return value


def added(currency: Any, amount: Any, *conditions: Any, of: Any = None) -> Side:
    """An amount added up over facts, by currency."""

    async def value(snapshot: Snapshot) -> Value:
        select = sa.select(currency, sa.cast(sa.func.sum(amount), sa.BigInteger)).where(*conditions).group_by(currency)
        if of is not None:
            select = select.select_from(of)
        return Amounts({each: int(total) for each, total in await snapshot.rows(select) if each})

    return value


def counted(model: Any, *conditions: Any) -> Side:
    """How many facts meet some conditions."""

    async def value(snapshot: Snapshot) -> Value:
        select = sa.select(sa.func.count()).select_from(model).where(*conditions)
        return int(await snapshot.scalar(select))

    return value


def together(*sides: tuple[int, Side]) -> Side:
    """Several values added, or taken away, one from the other."""

    async def value(snapshot: Snapshot) -> Value:
        parts = [(sign, await side(snapshot)) for sign, side in sides]
        if all(isinstance(part, int) for _, part in parts):
            return sum(sign * part for sign, part in parts if isinstance(part, int))
        return Amounts.total(part if sign > 0 else -part for sign, part in parts if isinstance(part, Amounts))

    return value


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "sales revenue = finance revenue",
        "revenue of all days, from the sums",
        "values of all won deals",
        summed("won"),
        added(_deal.currency, _deal.value, _deal.status == "won"),
    ),
    Invariant(
        "member credits = revenue",
        "credits of all members",
        "revenue of all days",
        summed("won", "member"),
        summed("won"),
    ),
    Invariant(
        "team revenue = revenue", "revenue of all teams", "revenue of all days", summed("won", "team"), summed("won")
    ),
    Invariant(
        "customer revenue = revenue",
        "revenue of all customers",
        "revenue of all days",
        summed("won", "customer"),
        summed("won"),
    ),
    Invariant(
        "product revenue = revenue",
        "lines of all products",
        "revenue of all days",
        summed("won", "product"),
        summed("won"),
    ),
    Invariant(
        "open deals = opened - won - lost",
        "deals that are open",
        "deals opened, without those won or lost",
        counted(DealFact, _deal.status == "open", _deal.opened_on.is_not(None)),
        together((1, summed("opened", ALL, "count")), (-1, summed("won", ALL, "count")),
                 (-1, summed("lost", ALL, "count"))),
    ),
)  # fmt: skip


async def check(invariants: Sequence[Invariant], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Both sides of every invariant, in one snapshot, and whether they are equal."""
    results = []
    for invariant in invariants:
        left, right = await invariant.left_value(snapshot), await invariant.right_value(snapshot)
        difference: Any = left - right  # type: ignore[operator]
        results.append(
            {
                "name": invariant.name,
                "class": "A",
                "left": invariant.left,
                "right": invariant.right,
                "left_value": shown(left),
                "right_value": shown(right),
                "difference": shown(difference),
                "holds": not difference,
            }
        )
    return results


def shown(value: Value) -> Any:
    """A side as it is shown: a count, or money for each currency."""
    if isinstance(value, int):
        return value
    return [Money.of_minor(amount, currency).as_json() for currency, amount in value]
