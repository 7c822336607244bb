"""`/v1/budgets` and `/v1/expenses`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import Field, StringConstraints

from services.targets.domain.budgets import Budget, BudgetsOverlap, Expense
from services.targets.known import KnownDepartment, fiscal_year, known
from shared.asked_period import AskedPeriod
from shared.events.targets import Portion
from shared.http.bodies import Body, Named, Ref
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.money import Money, NonNegative, Positive
from shared.store import Tx

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
OnOverrun = Literal["ignore", "warn", "stop"]
budgets = Collection(Budget, "budgets", filters={"department": "department"}, refs={"department": "department"})
expenses = Collection(
    Expense,
    "expenses",
    filters={"department": "department", "kind": "spent_for"},
    refs={"department": "department"},
)
_budget = Budget.__table__.c  # type: ignore[attr-defined]
_expense = Expense.__table__.c  # type: ignore[attr-defined]
_OF_DEPARTMENT = sa.select(Budget).where(_budget.department == sa.bindparam("department")).order_by(_budget.id)
_SPENT = sa.select(Expense).where(
    _expense.department == sa.bindparam("department"),
    _expense.on >= sa.bindparam("start", type_=sa.Date()),
    _expense.on < sa.bindparam("end", type_=sa.Date()),
)


class BudgetRow(Body):
    """What a budget has for a part of its days."""

    period: AskedPeriod
    amount: NonNegative


class PlanBudget(Named):
    """What a department may spend in a period."""

    department: Ref
    period: AskedPeriod
    amount: NonNegative
    rows: list[BudgetRow] = Field(default=[], max_length=400)
    on_overrun: OnOverrun = "warn"


class ChangeBudget(Named):
    """Another amount, other rows or another way with overruns."""

    department: Ref = ""
    period: AskedPeriod | None = None
    amount: NonNegative | None = None
    rows: list[BudgetRow] = Field(default=[], max_length=400)
    on_overrun: OnOverrun | None = None


class BookExpense(Named):
    """Something a department has spent, and what for."""

    department: Ref
    kind: Kind = Field(examples=["travel"])
    amount: Positive
    on: Day


@budgets.create
async def plan_budget(tx: Tx, body: PlanBudget) -> Budget:
    """Give a department a budget for a period in which it has none."""
    department = (await known(tx, KnownDepartment, body.department, "/department")).id
    period = body.period.resolve(await fiscal_year(tx))
    for other in await tx.all(Budget, _OF_DEPARTMENT, department=department):
        if other.start < period.end and period.start < other.end:
            raise BudgetsOverlap(start=other.start, end=other.end)
    budget, planned = Budget.plan(
        department=department,
        start=period.start,
        end=period.end,
        amount=body.amount,
        rows=await _portions(tx, body.rows),
        on_overrun=body.on_overrun,
        **fresh(Budget, body),
    )
    return tx.save(budget, planned)


@budgets.amend
async def change_budget(tx: Tx, budget: Budget, body: ChangeBudget) -> Budget:
    """Give a department more or less, or deal with overruns differently."""
    amount = body.amount or budget.amount
    rows = await _portions(tx, body.rows) if body.rows else []
    if not rows and amount == budget.amount:
        rows = [_stored(row) for row in budget.rows]
    return tx.save(budget, budget.change(amount, rows, body.on_overrun or budget.on_overrun))


@expenses.create
async def book_expense(tx: Tx, body: BookExpense) -> Expense:
    """Book what a department has spent; a budget that stops overruns refuses what goes beyond it."""
    department = (await known(tx, KnownDepartment, body.department, "/department")).id
    for planned in await tx.all(Budget, _OF_DEPARTMENT, department=department):
        if planned.start <= body.on < planned.end and planned.amount.currency == body.amount.currency:
            # The budget's row is the guard: two expenses at the same moment must not both see room.
            budget = await tx.load(Budget, planned.id)
            spent = await tx.all(Expense, _SPENT, department=department, start=budget.start, end=budget.end)
            total = Money.total(
                (each.amount for each in spent if each.amount.currency == budget.amount.currency),
                budget.amount.currency,
            )
            budget.refuse_overrun(total, body.amount)
    expense, booked = Expense.book(
        department=department, spent_for=body.kind, amount=body.amount, on=body.on, **fresh(Expense, body)
    )
    return tx.save(expense, booked)


async def _portions(tx: Tx, rows: list[BudgetRow]) -> list[Portion]:
    first_month = await fiscal_year(tx)
    periods = [(row.period.resolve(first_month), row.amount) for row in rows]
    return [Portion(start=period.start, end=period.end, amount=amount) for period, amount in periods]


def _stored(row: dict[str, object]) -> Portion:
    amount = row["amount"]
    assert isinstance(amount, dict)
    return Portion(
        start=date.fromisoformat(str(row["from"])), end=date.fromisoformat(str(row["to"])), amount=Money(**amount)
    )
