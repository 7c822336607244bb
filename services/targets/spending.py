"""What a department may still spend: the budget of a day, and what is spent of it."""

from __future__ import annotations

from datetime import date
from typing import TypedDict

import sqlalchemy as sa

from services.targets.domain.budgets import Budget, Expense
from shared.money import Money
from shared.store import Tx

_budget = Budget.__table__.c  # type: ignore[attr-defined]
_expense = Expense.__table__.c  # type: ignore[attr-defined]
_OF_DAY = sa.select(Budget).where(
    _budget.department == sa.bindparam("department"),
    _budget.starts_on <= sa.bindparam("day"),
    _budget.ends_on > sa.bindparam("day"),
)
# Reversed expenses have a total of 0.
_SPENT = sa.select(sa.cast(sa.func.sum(_expense.total), sa.BigInteger)).where(
    _expense.department == sa.bindparam("department"),
    _expense.on >= sa.bindparam("start"),
    _expense.on < sa.bindparam("end"),
    _expense.total_currency == sa.bindparam("currency"),
)


class Room(TypedDict):
    """The budget of a department's day, if there is one, and what is spent of it in a currency."""

    budget: Budget | None
    spent: Money


async def room_on(tx: Tx, department: str, on: date, currency: str) -> Room:
    """What a department may still spend on a day."""
    found = await tx.all(Budget, _OF_DAY, department=department, day=on)
    if not found:
        return {"budget": None, "spent": Money.zero(currency)}
    # The budget is locked, so that two expenses cannot both see the same room.
    budget = await tx.load(Budget, found[0].id)
    minor = await tx.scalar(
        _SPENT, department=department, start=budget.starts_on, end=budget.ends_on, currency=currency
    )
    return {"budget": budget, "spent": Money.of_minor(int(minor or 0), currency)}
