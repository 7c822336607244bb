"""The sides of an invariant: one statement each, on the stored sums or on the facts they came from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.sums import ALL, MONTH, Tally
from services.metrics.views.values import Amounts
from shared.store import Snapshot

Value = int | Amounts
Side = Callable[[Snapshot], Awaitable[Value]]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_deal = DealFact.__table__.c  # type: ignore[attr-defined]
WORTH: Final[sa.ColumnElement[int]] = sa.case((_deal.amended_on.is_(None), _deal.value), else_=_deal.total)
"""What a won deal is worth today: what it was won for, or the last that was agreed on since."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """Two ways to one number."""

    name: str
    left: str
    right: str
    left_value: Side
    right_value: Side


def summed(measure: str, dim: str = ALL, column: str = "amount", key: str | None = None) -> Side:
    """A measure over all time, from the sums of a dimension, of all its keys or of one."""

    async def value(snapshot: Snapshot) -> Value:
        total = sa.cast(sa.func.sum(_tally[column]), sa.BigInteger)
        select = (
            sa.select(_tally.currency, total)
            .where(_tally.dim == dim, _tally.measure == measure, _tally.grain == MONTH)
            .group_by(_tally.currency)
        )
        if key is not None:
            select = select.where(_tally.key == key)
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
