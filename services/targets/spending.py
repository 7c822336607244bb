"""What a department may still spend: the budget of a day, and what is spent of it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from services.targets.api.rates import all_rates
from services.targets.domain.budgets import Budget
from services.targets.domain.expenses import Expense
from services.targets.domain.room import Room
from shared.money import Money
from shared.rates import Rates
from shared.store import Tx

_budget = Budget.__table__.c  # type: ignore[attr-defined]
_expense = Expense.__table__.c  # type: ignore[attr-defined]
_OF_DAY = sa.select(Budget).where(
    _budget.department == sa.bindparam("department"),
    _budget.starts_on <= sa.bindparam("day"),
    _budget.ends_on > sa.bindparam("day"),
)
# Reversed expenses have a total of 0.
_SPENT = (
    sa.select(_expense.on, _expense.total_currency, sa.cast(sa.func.sum(_expense.total), sa.BigInteger))
    .where(
        _expense.department == sa.bindparam("department"),
        _expense.on >= sa.bindparam("start"),
        _expense.on < sa.bindparam("end"),
        _expense.total_currency != "",
    )
    .group_by(_expense.on, _expense.total_currency)
    .order_by(_expense.on, _expense.total_currency)
)


async def room_on(tx: Tx, department: str, on: date, amount: Money) -> Room | None:
    """The room that the budget of a department's day has for an amount; none where there is no budget."""
    found = await tx.all(Budget, _OF_DAY, department=department, day=on)
    if not found:
        return None
    # The budget is locked, so that two expenses cannot both see the same room.
    budget = await tx.load(Budget, found[0].id)
    rows = await tx.rows(_SPENT, department=department, start=budget.starts_on, end=budget.ends_on)
    spent = [(day, Money.of_minor(int(minor), currency)) for day, currency, minor in rows]
    currencies = {amount.currency, *(each.currency for _, each in spent)}
    rates = await all_rates(tx) if currencies - {budget.amount.currency} else Rates(())
    return Room.of(budget, amount, on, spent, rates)
