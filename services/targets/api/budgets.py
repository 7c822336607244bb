"""`/v1/budgets` and `/v1/expenses`: what departments may spend, and what they spend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.api.referred import referred
from services.targets.domain.budgets import Budget
from services.targets.domain.customers import Customer
from services.targets.domain.expenses import Expense, Whose
from services.targets.domain.products import Product
from services.targets.known import period_of
from services.targets.spending import room_on
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault
from shared.events.money import Planned
from shared.http.bodies import Body, Named, Ref, Word, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import KnownDepartment, KnownMember, KnownTeam, known, today
from shared.money import NonNegative, Positive
from shared.period import Period
from shared.store import Snapshot, Tx
from shared.store.entity import Referred

_budget = Budget.__table__.c  # type: ignore[attr-defined]
_department = KnownDepartment.__table__.c  # type: ignore[attr-defined]
_LOCK_DEPARTMENT = sa.select(_department.id).where(_department.id == sa.bindparam("department")).with_for_update()
_OF_DEPARTMENT = sa.select(Budget).where(_budget.department == sa.bindparam("department"))
_WHOSE: Final[dict[str, type[Referred]]] = {
    "team": KnownTeam, "member": KnownMember, "customer": Customer, "product": Product
}  # fmt: skip
OnOverrun = Literal["ignore", "warn", "stop"]


class BudgetPeriod(BaseModel):
    """The days a budget is for."""

    period: Period


async def _present_budgets(
    snapshot: Snapshot, found: Sequence[Budget], reader: Principal | None
) -> list[dict[str, Any]]:
    return [shown(budget) | {"period": budget.period.as_json()} for budget in found]


def _expense_on(expense: Any, day: date) -> dict[str, Any] | None:
    if day < expense.on:
        return None
    return {"reversed_on": None} if expense.reversed_on is not None and day < expense.reversed_on else {}


def _budget_on(budget: Any, day: date) -> dict[str, Any] | None:
    return {} if budget.period.contains(day) else None


budgets = Collection(
    Budget,
    "budgets",
    filters={"department": "department"},
    refs={"department": KnownDepartment},
    present=_present_budgets,
    extra=BudgetPeriod,
    on_day=_budget_on,
)
expenses = Collection(
    Expense,
    "expenses",
    filters={"department": "department", "kind": "spent_for", "cause": "cause", **{each: each for each in _WHOSE}},
    refs={"department": KnownDepartment, **_WHOSE},
    on_day=_expense_on,
)


class PlannedRow(Body):
    """What is planned from a day on, until the next row's day."""

    on: Day
    amount: NonNegative


class SetBudget(Named):
    """What a department may spend in a period."""

    department: Ref = Field(examples=["sales"])
    period: AskedPeriod
    amount: NonNegative
    rows: list[PlannedRow] | None = Field(
        default=None, min_length=1, max_length=400, description="they sum to the amount; spread over the months if not"
    )
    on_overrun: OnOverrun = "warn"
    on_month_overrun: OnOverrun = Field(
        default="ignore",
        description="what happens when more is spent by the end of a month, or of another row, than is planned by then",
    )


class ChangeBudget(Named):
    """What to change about a budget; its department and period stay."""

    department: Ref = ""
    period: AskedPeriod = AskedPeriod("1900")
    amount: NonNegative | None = None
    rows: list[PlannedRow] | None = Field(default=None, min_length=1, max_length=400)
    on_overrun: OnOverrun | None = None
    on_month_overrun: OnOverrun | None = None


class BookExpense(Named):
    """Money that a department has spent."""

    department: Ref = Field(examples=["sales"])
    kind: Word = Field(examples=["travel"])
    amount: Positive
    on: Day | None = None
    team: Ref | None = Field(default=None, description="for whom or what it was spent; the member's team if not said")
    member: Ref | None = None
    customer: Ref | None = None
    product: Ref | None = None


class ReverseExpense(Body):
    """The day on which the money came back."""

    on: Day | None = None


@budgets.create
async def set_budget(tx: Tx, body: SetBudget) -> Budget:
    """Allow a department to spend in a period; a day belongs to one budget of a department."""
    department = await _department_id(tx, body.department)
    # The department is locked, so that two budgets cannot both see the same days free.
    await tx.rows(_LOCK_DEPARTMENT, department=department)
    others = await tx.all(Budget, _OF_DEPARTMENT, department=department)
    budget, planned = Budget.plan(
        department=department,
        period=await period_of(tx, body.period),
        amount=body.amount,
        on_overrun=body.on_overrun,
        on_month_overrun=body.on_month_overrun,
        rows=_rows(body.rows),
        others=others,
        **fresh(Budget, body),
    )
    return tx.save(budget, planned)


@budgets.amend
async def change_budget(tx: Tx, budget: Budget, body: ChangeBudget) -> Budget:
    """Plan differently."""
    sent = body.sent()
    if "department" in sent and await _department_id(tx, body.department) != budget.department:
        raise _fixed("department", budget.department)
    if "period" in sent and await period_of(tx, body.period) != budget.period:
        raise _fixed("period", budget.label)
    changed = budget.change(
        amount=body.amount, on_overrun=body.on_overrun, on_month_overrun=body.on_month_overrun, rows=_rows(body.rows)
    )
    return tx.save(budget, changed)


@expenses.create
async def book_expense(tx: Tx, body: BookExpense) -> Expense:
    """Record an expense; one that would overrun a budget that stops is refused, with the numbers."""
    department, on = await _department_id(tx, body.department), body.on or await today(tx)
    room = await room_on(tx, department, on, body.amount)
    booked = Expense.book(
        department=department, spent_for=body.kind, amount=body.amount, on=on, room=room,
        whose=await _whose(tx, body, on), **fresh(Expense, body),
    )  # fmt: skip
    return tx.save(*booked)


@expenses.verb("reverse")
async def reverse_expense(tx: Tx, expense: Expense, body: ReverseExpense) -> Expense:
    """Record that money came back."""
    return tx.save(expense, expense.reverse(body.on or await today(tx)))


async def _department_id(tx: Tx, ref: str) -> str:
    department: KnownDepartment = await known(tx, KnownDepartment, ref, "/department")
    return department.id


async def _whose(tx: Tx, body: BookExpense, on: date) -> Whose:
    member: KnownMember | None = await known(tx, KnownMember, body.member, "/member") if body.member else None
    team: KnownTeam | None = await known(tx, KnownTeam, body.team, "/team") if body.team else None
    return Whose(
        team=team.id if team is not None else member.team_on(on) if member is not None else None,
        member=member.id if member is not None else None,
        customer=await referred(tx, Customer, body.customer, "/customer"),
        product=await referred(tx, Product, body.product, "/product"),
    )


def _rows(rows: Sequence[PlannedRow] | None) -> list[Planned] | None:
    return None if rows is None else [Planned(on=row.on, amount=row.amount) for row in rows]


def _fixed(field: str, stored: str) -> Conflict:
    detail = f"the {field} of a budget stays {stored}; make another budget for another {field}"
    return Conflict(f"/{field}: {detail}.", [Fault(f"/{field}", detail)])
