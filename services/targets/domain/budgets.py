"""Budgets of departments and what they spend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import BudgetChanged, BudgetPlanned, ExpenseBooked, Portion
from shared.money import Money
from shared.store import Entity
from shared.store.types import Json, MoneyText


class RowsDoNotSum(Refused):
    """The rows of the budget sum to {rows}, the budget is {amount}; they must be the same."""

    status, at = 422, "/rows"


class RowOutsideBudget(Refused):
    """A row of the budget lies on {on}, outside its days from {start} up to {end}."""

    status, at = 422, "/rows"


class BudgetsOverlap(Refused):
    """This department has a budget from {start} up to {end} already; change that one."""

    at = "/period"


class BudgetExhausted(Refused):
    """Of the budget of {planned} from {start} up to {end}, {spent} is spent; {amount} more would overrun it."""

    at = "/amount"


class Budget(Entity, table=True):
    """What a department may spend in a stretch of days."""

    kind: ClassVar[str] = "budget"
    prefix: ClassVar[str] = "bdgt"

    department: str = Field(index=True)
    start: date
    end: date
    amount: Money = Field(sa_type=MoneyText)
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    on_overrun: str = "warn"

    def worth(self) -> Money | None:
        """What is planned."""
        return self.amount

    @classmethod
    def plan(
        cls, *, department: str, start: date, end: date, amount: Money, rows: Sequence[Portion], on_overrun: str,
        **identity: Any,
    ) -> tuple[Self, BudgetPlanned]:  # fmt: skip
        """Give a department a budget; its rows sum to it."""
        budget = cls.make(department=department, start=start, end=end, amount=amount, on_overrun=on_overrun, **identity)
        portions = budget._spread(amount, rows)
        return budget, BudgetPlanned(
            department=department,
            start=start,
            end=end,
            amount=amount,
            rows=portions,
            on_overrun=on_overrun,
            externals=budget.externals,
        )

    def change(self, amount: Money, rows: Sequence[Portion], on_overrun: str) -> BudgetChanged | None:
        """Give more or less, or deal with overruns differently."""
        before = (self.amount, self.rows, self.on_overrun)
        portions = self._spread(amount, rows)
        self.amount, self.on_overrun = amount, on_overrun
        if (self.amount, self.rows, self.on_overrun) == before:
            return None
        return BudgetChanged(amount=amount, rows=portions, on_overrun=on_overrun)

    def refuse_overrun(self, spent: Money, amount: Money) -> bool:
        """Whether another expense overruns the budget; raises BudgetExhausted when overruns are stopped."""
        over = spent + amount > self.amount
        if over and self.on_overrun == "stop":
            raise BudgetExhausted(planned=self.amount, start=self.start, end=self.end, spent=spent, amount=amount)
        return over

    def _spread(self, amount: Money, rows: Sequence[Portion]) -> tuple[Portion, ...]:
        portions = tuple(rows) or (Portion(start=self.start, end=self.end, amount=amount),)
        total = Money.total((each.amount for each in portions), amount.currency)
        if total != amount:
            raise RowsDoNotSum(rows=total, amount=amount)
        for each in portions:
            if not self.start <= each.start < self.end or each.end > self.end:
                raise RowOutsideBudget(on=each.start, start=self.start, end=self.end)
        self.rows = [
            {"from": each.start.isoformat(), "to": each.end.isoformat(), "amount": each.amount.as_json()}
            for each in portions
        ]
        return portions


class Expense(Entity, table=True):
    """Something a department has spent."""

    kind: ClassVar[str] = "expense"
    prefix: ClassVar[str] = "exp"
    shown_as: ClassVar[dict[str, str]] = {"spent_for": "kind"}

    department: str = Field(index=True)
    spent_for: str
    amount: Money = Field(sa_type=MoneyText)
    on: date = Field(index=True)

    def worth(self) -> Money | None:
        """What was spent."""
        return self.amount

    @classmethod
    def book(
        cls, *, department: str, spent_for: str, amount: Money, on: date, **identity: Any
    ) -> tuple[Self, ExpenseBooked]:
        """Book an expense of a department."""
        expense = cls.make(department=department, spent_for=spent_for, amount=amount, on=on, **identity)
        return expense, ExpenseBooked(
            department=department, spent_for=spent_for, amount=amount, on=on, externals=expense.externals
        )
