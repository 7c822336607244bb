"""Budgets: what a department may spend in a period.

A budget is looked at as a whole and by its rows (its months, unless it has others): what is spent up to the end of a
row is held against what is planned until then, so what was not spent in one month may be in the next. What is done
about more than that is said for the whole (`on_overrun`) and for the rows (`on_month_overrun`). Other currencies count
at the rates of their days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import accumulate
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.targets.domain.lasting import Lasting
from shared.errors import Refused
from shared.events.money import BudgetChanged, BudgetPlanned, Planned
from shared.money import Money
from shared.period import Period
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


class Budget(Lasting, table=True):
    """What a department may spend in a period, and what happens when it spends more."""

    kind: ClassVar[str] = "budget"
    prefix: ClassVar[str] = "bud"
    hidden: ClassVar[frozenset[str]] = frozenset({"label", "starts_on", "ends_on"})

    department: str = Field(index=True)
    amount: Money = Field(sa_type=MoneyText)
    on_overrun: str = "warn"
    on_month_overrun: str = "ignore"
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
        on_month_overrun: str = "ignore",
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
            on_overrun=on_overrun, on_month_overrun=on_month_overrun, rows=_plain(planned), **identity,
        )  # fmt: skip
        return budget, BudgetPlanned(
            department=department, period=period, amount=amount, on_overrun=on_overrun,
            on_month_overrun=on_month_overrun, rows=planned, externals=budget.externals,
        )  # fmt: skip

    def change(
        self,
        *,
        amount: Money | None = None,
        on_overrun: str | None = None,
        on_month_overrun: str | None = None,
        rows: Sequence[Planned] | None = None,
    ) -> BudgetChanged | None:
        """Plan differently; another amount without rows is spread over the months."""
        amount, on_overrun = amount or self.amount, on_overrun or self.on_overrun
        by_month = on_month_overrun or self.on_month_overrun
        if rows is not None:
            planned = _checked(rows, self.period, amount)
        elif amount != self.amount:
            planned = spread(self.period, amount)
        else:
            planned = self.planned
        before = (self.amount, self.on_overrun, self.on_month_overrun, self.rows)
        if (amount, on_overrun, by_month, _plain(planned)) == before:
            return None
        self.amount, self.on_overrun, self.on_month_overrun = amount, on_overrun, by_month
        self.rows = _plain(planned)
        return BudgetChanged(amount=amount, on_overrun=on_overrun, on_month_overrun=by_month, rows=planned)

    def until(self, on: date) -> Iterator[tuple[date, Money]]:
        """Each end of a row from a day on, with what is planned before it; the last one is the budget's own."""
        rows = self.planned
        ends = [*(row.on for row in rows[1:]), self.ends_on]
        sums = accumulate((row.amount for row in rows), initial=Money.zero(self.amount.currency))
        yield from ((end, planned) for end, planned in zip(ends, list(sums)[1:], strict=True) if end > on)


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
