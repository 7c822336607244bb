"""Whether a budget has room for an expense: as a whole, and up to the end of each of its months or other rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Self

from services.targets.domain.budgets import Budget
from shared.errors import Refused
from shared.money import Money
from shared.rates import Rates, as_money


class BudgetInAnotherCurrency(Refused):
    """The budget of {period} is in {currency}; {other} cannot be held against it, for no rate from {other} to
    {currency} is known for {on}; set one at /v1/rates."""

    at = "/amount/currency"


class BudgetOverrun(Refused):
    """The budget of {period} is {planned} and {spent} of it is spent; {amount} is more than the {left} left."""

    at = "/amount"


class MonthOverrun(Refused):
    """The budget of {period} plans {planned} before {until} and {spent} of it is spent by then; {amount} is more than
    the {left} left."""

    at = "/amount"


@dataclass(frozen=True, slots=True)
class Room:
    """The budget of an expense's day, what was spent of it on which day, and what the expense is worth in it."""

    budget: Budget
    amount: Money
    on: date
    spent: Sequence[tuple[date, Fraction]]
    """In minor units of the budget's currency, at the rates of their days."""
    worth: Money | None
    """What is to be spent, in the budget's currency; not known without a rate."""
    unknown: Sequence[Money] = ()
    """What was spent besides in currencies that no rate leads from."""

    @classmethod
    def of(cls, budget: Budget, amount: Money, on: date, spent: Sequence[tuple[date, Money]], rates: Rates) -> Self:
        """The room for an amount on a day; `spent` is what was spent of the budget's period, day by day."""
        into, known, unknown = budget.amount.currency, list[tuple[date, Fraction]](), dict[str, Money]()
        for day, each in spent:
            rate = rates.of(each.currency, into, day)
            if rate is None:
                unknown[each.currency] = unknown.get(each.currency, Money.zero(each.currency)) + each
            else:
                known.append((day, rates.convert(each.minor, each.currency, into, day)))
        here = rates.of(amount.currency, into, on)
        worth = as_money(rates.convert(amount.minor, amount.currency, into, on), into) if here is not None else None
        return cls(budget, amount, on, known, worth, list(unknown.values()))

    def check(self) -> None:
        """Refuse what a budget stops. Raises BudgetOverrun, MonthOverrun, and BudgetInAnotherCurrency where that
        cannot be judged."""
        budget = self.budget
        if self.worth is None and "stop" in (budget.on_overrun, budget.on_month_overrun):
            raise BudgetInAnotherCurrency(
                period=budget.label, currency=budget.amount.currency, other=self.amount.currency, on=self.on
            )
        for until, planned, spent, how in self._overruns():
            if how == "stop":
                rule = BudgetOverrun if until == budget.ends_on else MonthOverrun
                left = max(planned - spent, Money.zero(planned.currency))
                raise rule(period=budget.label, planned=planned, until=until, spent=spent, amount=self._said, left=left)

    def warning(self) -> str | None:
        """What is to be said of the expense, if the budget is not to be silent."""
        budget, says = self.budget, list[str]()
        if {budget.on_overrun, budget.on_month_overrun} == {"ignore"}:
            return None
        overruns = [each for each in self._overruns() if each[3] != "ignore"]
        if self.worth is None:
            says.append(f"{self.amount} is not counted in the budget of {budget.label}, for no rate from"
                        f" {self.amount.currency} to {budget.amount.currency} is known for {self.on}.")  # fmt: skip
        # One month says it for those after it; the whole is said beside it.
        for until, planned, spent, _ in dict.fromkeys([*overruns[:1], *overruns[-1:]]):
            whole = until == budget.ends_on
            aim = f"is {planned}" if whole else f"plans {planned} before {until}"
            now = spent + (self.worth or Money.zero(planned.currency))
            then = "is spent" if whole else "is spent by then"
            says.append(f"The budget of {budget.label} {aim}; with this {now} {then}, {now - planned} too much.")
        if self.unknown:
            others = " and ".join(str(each) for each in self.unknown)
            says.append(f"{others} of it is not counted, for no rate to {budget.amount.currency} is known.")
        return " ".join(says) or None

    @property
    def _said(self) -> str:
        same = self.worth is None or self.worth == self.amount
        return str(self.amount) if same else f"{self.amount} ({self.worth})"

    def _overruns(self) -> Iterator[tuple[date, Money, Money, str]]:
        """The ends that more is spent by than is planned, with what is planned, what was spent, and what is to be done;
        the whole is the last."""
        budget, into = self.budget, self.budget.amount.currency
        for until, planned in budget.until(self.on):
            spent = as_money(sum((each for day, each in self.spent if day < until), Fraction(0)), into)
            if spent + (self.worth or Money.zero(into)) > planned:
                yield until, planned, spent, budget.on_overrun if until == budget.ends_on else budget.on_month_overrun
