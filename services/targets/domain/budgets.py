"""Budgets and expenses: what a department may spend in a period, and what it has spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.money import BudgetChanged, BudgetPlanned, ExpenseBooked, ExpenseReversed, Planned
from shared.money import Money
from shared.period import Period
from shared.store import Entity
from shared.store.types import Json, MoneyText


class BudgetsOverlap(Refused):
    """{department} has a budget for {period} already ({id}); a day belongs to one budget of a department."""

    at = "/period"


class RowsDoNotSum(Refused):
    """The rows sum to {actual}; the budget is {amount}."""

    status, at = 422, "/rows"


class RowOutsideThePeriod(Refused):
    """{on} does not lie in the period {period}."""

    status, at = 422, "/rows"


class RowTwice(Refused):
    """{on} stands in the rows more than once; add the amounts up."""

    status, at = 422, "/rows"


class BudgetInAnotherCurrency(Refused):
    """The budget of {period} is in {currency}; {other} cannot be held against it."""

    at = "/amount/currency"


class BudgetOverrun(Refused):
    """The budget of {period} is {planned} and {spent} of it is spent; {amount} is more than the {left} left."""

    at = "/amount"


class ExpenseIsReversed(Refused):
    """This expense was reversed on {on}."""


class ReversedBeforeSpent(Refused):
    """The money was spent on {spent}; it cannot have come back on {on}."""

    status, at = 422, "/on"


class ExpenseFollows(Refused):
    """This expense follows from {cause}; correct that, and the expense follows."""


class Budget(Lasting, table=True):
    """What a department may spend in a period, and what happens when it spends more."""

    kind: ClassVar[str] = "budget"
    prefix: ClassVar[str] = "bud"
    hidden: ClassVar[frozenset[str]] = frozenset({"label", "starts_on", "ends_on"})

    department: str = Field(index=True)
    amount: Money = Field(sa_type=MoneyText)
    on_overrun: str = "warn"
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Dated: `{"on": day, "amount": money}`, in order; they sum to the amount."""

    def worth(self) -> Money | None:
        """A budget adds its amount to the books."""
        return self.amount

    @property
    def planned(self) -> tuple[Planned, ...]:
        """The rows."""
        return tuple(Planned(on=date.fromisoformat(row["on"]), amount=Money(**row["amount"])) for row in self.rows)

    @classmethod
    def plan(
        cls,
        *,
        department: str,
        period: Period,
        amount: Money,
        on_overrun: str,
        rows: Sequence[Planned] | None,
        others: Sequence[Budget],
        **identity: Any,
    ) -> tuple[Self, BudgetPlanned]:
        """Allow a department to spend; without rows it is spread over the months. `others` are its other budgets."""
        for other in others:
            if other.starts_on < period.end and period.start < other.ends_on:
                raise BudgetsOverlap(department=department, period=other.label, id=other.id)
        planned = _checked(rows, period, amount) if rows is not None else spread(period, amount)
        budget = cls.make(
            department=department, label=period.label, starts_on=period.start, ends_on=period.end, amount=amount,
            on_overrun=on_overrun, rows=_plain(planned), **identity,
        )  # fmt: skip
        return budget, BudgetPlanned(
            department=department, period=period, amount=amount, on_overrun=on_overrun, rows=planned,
            externals=budget.externals,
        )  # fmt: skip

    def change(
        self, *, amount: Money | None = None, on_overrun: str | None = None, rows: Sequence[Planned] | None = None
    ) -> BudgetChanged | None:
        """Plan differently; another amount without rows is spread over the months."""
        amount, on_overrun = amount or self.amount, on_overrun or self.on_overrun
        if rows is not None:
            planned = _checked(rows, self.period, amount)
        elif amount != self.amount:
            planned = spread(self.period, amount)
        else:
            planned = self.planned
        if (amount, on_overrun, _plain(planned)) == (self.amount, self.on_overrun, self.rows):
            return None
        self.amount, self.on_overrun, self.rows = amount, on_overrun, _plain(planned)
        return BudgetChanged(amount=amount, on_overrun=on_overrun, rows=planned)

    def overrun_by(self, amount: Money, spent: Money) -> Money | None:
        """By how much an expense on top of what is spent exceeds the budget, if it does.

        Raises BudgetOverrun and, where a `stop` cannot be judged, BudgetInAnotherCurrency.
        """
        over = self._over(amount, spent)
        if self.on_overrun == "stop" and amount.currency != self.amount.currency:
            raise BudgetInAnotherCurrency(period=self.label, currency=self.amount.currency, other=amount.currency)
        if self.on_overrun == "stop" and over is not None:
            left = max(self.amount - spent, Money.zero(amount.currency))
            raise BudgetOverrun(period=self.label, planned=self.amount, spent=spent, amount=amount, left=left)
        return over

    def warning(self, amount: Money, spent: Money) -> str | None:
        """What is to be said of an expense on top of what is spent, if the budget is not to be silent."""
        over = self._over(amount, spent)
        if over is None or self.on_overrun == "ignore":
            return None
        return f"The budget of {self.label} is {self.amount}; with this {spent + amount} is spent, {over} too much."

    def _over(self, amount: Money, spent: Money) -> Money | None:
        if amount.currency != self.amount.currency:
            return None
        over = spent + amount - self.amount
        return over if over.minor > 0 else None


def spread(period: Period, amount: Money) -> tuple[Planned, ...]:
    """An amount over the months of a period: the same for each, or by days where a month is cut off."""
    months = period.months()
    whole = all(month.start.day == 1 and month.end.day == 1 for month in months)
    weights = [1 if whole else month.days for month in months]
    dealt, planned, total = 0, [], 0
    for month, weight in zip(months, weights, strict=True):
        total += weight
        # Up to each month's end what is due by then, rounded; so no cent is lost and none is far off.
        due = round(Fraction(amount.minor * total, sum(weights)))
        planned.append(Planned(on=month.start, amount=Money.of_minor(due - dealt, amount.currency)))
        dealt = due
    return tuple(planned)


def _checked(rows: Sequence[Planned], period: Period, amount: Money) -> tuple[Planned, ...]:
    days = [row.on for row in rows]
    for day in days:
        if not period.contains(day):
            raise RowOutsideThePeriod(on=day, period=period)
        if days.count(day) > 1:
            raise RowTwice(on=day)
    total = Money.total((row.amount for row in rows), amount.currency)
    if total != amount:
        raise RowsDoNotSum(actual=total, amount=amount)
    return tuple(sorted(rows, key=lambda row: row.on))


def _plain(rows: Sequence[Planned]) -> list[dict[str, Any]]:
    return [{"on": row.on.isoformat(), "amount": row.amount.as_json()} for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """For whom or for what money was spent, by id."""

    team: str | None = None
    member: str | None = None
    customer: str | None = None
    product: str | None = None


NOBODYS: Final = Whose()


class Expense(Entity, table=True):
    """Money a department has spent on something of a kind."""

    __table_args__ = (sa.Index("expense_department", "department", "on"),)
    kind: ClassVar[str] = "expense"
    prefix: ClassVar[str] = "exp"
    shown_as: ClassVar[dict[str, str]] = {"spent_for": "kind"}
    hidden: ClassVar[frozenset[str]] = frozenset({"cause_version"})

    department: str
    spent_for: str
    amount: Money = Field(sa_type=MoneyText)
    on: date
    warning: str | None = None
    """What a budget had to say when it was booked."""
    cause: str | None = Field(default=None, index=True)
    """The subject of another service that it follows from, `training/<id>`; none if somebody booked it."""
    cause_version: int | None = None
    """The version of the subject that it follows from."""
    reversed_on: date | None = None
    team: str | None = None
    """For whom or what it was spent, where that is said; so are the others."""
    member: str | None = None
    customer: str | None = None
    product: str | None = None

    def worth(self) -> Money | None:
        """An expense adds its amount to the books until it is reversed."""
        return None if self.reversed_on else self.amount

    @classmethod
    def book(
        cls,
        *,
        department: str,
        spent_for: str,
        amount: Money,
        on: date,
        budget: Budget | None,
        spent: Money,
        whose: Whose = NOBODYS,
        **identity: Any,
    ) -> tuple[Self, ExpenseBooked]:
        """Record an expense; `spent` is what has been spent of the budget of its day, in the expense's currency."""
        if budget is not None:
            budget.overrun_by(amount, spent)
        said = {"department": department, "spent_for": spent_for, "amount": amount, "on": on, **asdict(whose)}
        return cls._made(said, budget, spent, identity)

    @classmethod
    def follow(
        cls,
        cause: str,
        cause_version: int,
        *,
        department: str,
        spent_for: str,
        amount: Money,
        on: date,
        budget: Budget | None,
        spent: Money,
        whose: Whose = NOBODYS,
        **identity: Any,
    ) -> tuple[Self, ExpenseBooked]:
        """Record what another service's fact has cost: it is spent, so no budget stops it; it is only warned of."""
        said = {"department": department, "spent_for": spent_for, "amount": amount, "on": on, "cause": cause,
                **asdict(whose)}  # fmt: skip
        return cls._made(said, budget, spent, identity | {"cause_version": cause_version})

    @classmethod
    def _made(
        cls, said: dict[str, Any], budget: Budget | None, spent: Money, identity: dict[str, Any]
    ) -> tuple[Self, ExpenseBooked]:
        warning = budget.warning(said["amount"], spent) if budget else None
        expense = cls.make(**said, warning=warning, **identity)
        return expense, ExpenseBooked(**said, externals=expense.externals)

    def give_way(self) -> ExpenseReversed | None:
        """What it followed from is not so any more: from its own day on it was not spent."""
        if self.reversed_on is not None:
            return None
        self.reversed_on = self.on
        return ExpenseReversed(on=self.on)

    def reverse(self, on: date) -> ExpenseReversed:
        """Record that the money came back."""
        if self.cause is not None:
            raise ExpenseFollows(cause=self.cause.replace("/", " "))
        if self.reversed_on is not None:
            raise ExpenseIsReversed(on=self.reversed_on)
        if on < self.on:
            raise ReversedBeforeSpent(spent=self.on, on=on)
        self.reversed_on = on
        return ExpenseReversed(on=on)
