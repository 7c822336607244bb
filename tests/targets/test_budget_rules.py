"""The rules of budgets and expenses, without anything around them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.targets.domain.budgets import (
    Budget,
    BudgetsOverlap,
    RowOutsideThePeriod,
    RowsDoNotSum,
    RowTwice,
    spread,
)
from services.targets.domain.expenses import Expense, ExpenseIsReversed, ReversedBeforeSpent
from services.targets.domain.room import BudgetInAnotherCurrency, BudgetOverrun, MonthOverrun, Room
from shared.events.money import BudgetChanged, Planned
from shared.money import CurrencyMismatch, Money
from shared.period import Period
from shared.rates import Quote, Rates
from tests.targets.bodies import day, euros

YEAR = Period.parse("2026")


def budget(amount: str = "1200.00", period: Period = YEAR, **fields: Any) -> Budget:
    given: dict[str, Any] = {"rows": None, "on_overrun": "warn", "others": []} | fields
    made = Budget.plan(department="sales", period=period, amount=euros(amount), id="bud_1", externals={}, **given)
    return made[0]


def rows(*parts: tuple[str, str]) -> list[Planned]:
    return [Planned(on=day(on), amount=euros(amount)) for on, amount in parts]


def spend(
    amount: Money, of: Budget | None, *spent: Money, on: str = "2026-05-01", before: str = "2026-01-10",
    rates: tuple[Quote, ...] = (),
) -> Expense:  # fmt: skip
    """An expense, after these that were spent on a day before."""
    identity: dict[str, Any] = {"id": "exp_1", "externals": {}}
    already = [(day(before), each) for each in spent]
    room = Room.of(of, amount, day(on), already, Rates(rates)) if of is not None else None
    return Expense.book(department="sales", spent_for="travel", amount=amount, on=day(on), room=room, **identity)[0]


def test_rows_that_do_not_sum_are_refused_with_both_sums() -> None:
    with pytest.raises(RowsDoNotSum, match=r"sum to 1100\.00 EUR; the budget is 1200\.00 EUR"):
        budget(rows=rows(("2026-01-01", "600.00"), ("2026-07-01", "500.00")))


def test_rows_lie_in_the_period_each_day_once_and_in_one_currency() -> None:
    with pytest.raises(RowOutsideThePeriod, match="2027-01-01"):
        budget(rows=rows(("2027-01-01", "1200.00")))
    with pytest.raises(RowTwice, match="2026-01-01"):
        budget(rows=rows(("2026-01-01", "600.00"), ("2026-01-01", "600.00")))
    with pytest.raises(CurrencyMismatch):
        budget(rows=[Planned(on=day("2026-01-01"), amount=Money("1200.00", "USD"))])


def test_without_rows_a_budget_is_the_same_for_every_month() -> None:
    assert {row.amount for row in budget().planned} == {euros("100.00")}
    assert [row.on for row in budget(period=Period.parse("2026-Q1")).planned] == [
        day("2026-01-01"),
        day("2026-02-01"),
        day("2026-03-01"),
    ]


def test_a_month_that_is_cut_off_gets_its_days() -> None:
    planned = spread(Period.between(day("2026-01-22"), day("2026-02-11")), euros("20.00"))
    assert [(row.on, row.amount) for row in planned] == [
        (day("2026-01-22"), euros("10.00")),
        (day("2026-02-01"), euros("10.00")),
    ]


@given(
    minor=st.integers(0, 10**12),
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    days=st.integers(1, 900),
)
def test_what_is_spread_over_months_sums_to_the_cent(minor: int, start: date, days: int) -> None:
    period = Period.between(start, date.fromordinal(start.toordinal() + days))
    planned = spread(period, Money.of_minor(minor, "EUR"))
    assert sum(row.amount.minor for row in planned) == minor
    assert all(row.amount.minor >= 0 and period.contains(row.on) for row in planned)


def test_a_day_belongs_to_one_budget_of_a_department() -> None:
    with pytest.raises(BudgetsOverlap, match=r"sales has a budget for 2026 already \(bud_1\)"):
        budget(period=Period.parse("2026-12"), others=[budget()])
    budget(period=Period.parse("2027-01"), others=[budget()])


def test_a_changed_amount_is_spread_anew_and_the_same_budget_is_no_change() -> None:
    changed = budget(rows=rows(("2026-01-01", "1200.00")))
    assert changed.change(amount=euros("1200.00"), on_overrun="warn") is None
    event = changed.change(amount=euros("2400.00"))
    assert isinstance(event, BudgetChanged)
    assert {row.amount for row in event.rows} == {euros("200.00")}
    assert changed.change(on_overrun="stop") == BudgetChanged(
        amount=euros("2400.00"), on_overrun="stop", rows=event.rows
    )


def test_a_budget_that_stops_refuses_what_goes_beyond_it_with_the_numbers() -> None:
    stops = budget(on_overrun="stop")
    message = r"budget of 2026 is 1200\.00 EUR and 1150\.00 EUR of it is spent; 50\.01 EUR .* 50\.00 EUR left"
    with pytest.raises(BudgetOverrun, match=message):
        spend(euros("50.01"), stops, euros("1150.00"))
    assert spend(euros("50.00"), stops, euros("1150.00")).warning is None


def test_a_budget_that_warns_takes_the_expense_and_says_by_how_much_it_is_overrun() -> None:
    warned = spend(euros("60.00"), budget(), euros("1150.00")).warning
    assert warned == "The budget of 2026 is 1200.00 EUR; with this 1210.00 EUR is spent, 10.00 EUR too much."
    assert spend(euros("60.00"), budget(on_overrun="ignore"), euros("1150.00")).warning is None
    assert spend(euros("60.00"), None).warning is None


def test_an_expense_in_another_currency_counts_at_the_rate_of_its_day() -> None:
    rates = tuple(Quote("USD", "EUR", day(on), rate)
                  for on, rate in (("2026-01-01", Fraction(1, 2)), ("2026-05-01", Fraction(9, 10))))  # fmt: skip
    dollars = Money("1000.00", "USD")
    # In January 1000 dollars were 500 euros, in May they are 900: 200 euros too much.
    warned = spend(dollars, budget(), dollars, rates=rates).warning
    assert warned == "The budget of 2026 is 1200.00 EUR; with this 1400.00 EUR is spent, 200.00 EUR too much."
    with pytest.raises(BudgetOverrun, match=r"1000\.00 USD \(900\.00 EUR\) is more than the 700\.00 EUR left"):
        spend(dollars, budget(on_overrun="stop"), dollars, rates=rates)
    assert spend(euros("700.00"), budget(on_overrun="stop"), dollars, rates=rates).warning is None


def test_without_a_rate_it_is_said_what_is_not_counted_and_a_stop_refuses_it() -> None:
    dollars, yen = Money("5000.00", "USD"), Money("800", "JPY")
    warned = spend(dollars, budget(), yen).warning
    assert warned == (
        "5000.00 USD is not counted in the budget of 2026, for no rate from USD to EUR is known for 2026-05-01."
        " 800 JPY of it is not counted, for no rate to EUR is known."
    )
    assert spend(dollars, budget(on_overrun="ignore"), yen).warning is None
    cases: list[dict[str, Any]] = [{"on_overrun": "stop"}, {"on_month_overrun": "stop"}]
    for stops in cases:
        with pytest.raises(BudgetInAnotherCurrency, match=r"in EUR; USD cannot.*known for 2026-05-01"):
            spend(dollars, budget(**stops))


def test_a_month_warns_stops_or_is_silent_beside_the_whole_and_what_was_left_of_one_is_there_in_the_next() -> None:
    planned = rows(("2026-01-01", "300.00"), ("2026-02-01", "100.00"), ("2026-03-01", "800.00"))
    months: dict[str, Any] = {"rows": planned}
    warns = budget(on_month_overrun="warn", **months)
    assert spend(euros("300.00"), warns, euros("100.00"), on="2026-02-10").warning is None
    warned = spend(euros("300.01"), warns, euros("100.00"), on="2026-02-10").warning
    assert warned == (
        "The budget of 2026 plans 400.00 EUR before 2026-03-01;"
        " with this 400.01 EUR is spent by then, 0.01 EUR too much."
    )
    # What is spent after the month is not spent by its end.
    assert spend(euros("300.00"), warns, euros("500.00"), on="2026-02-10", before="2026-04-01").warning is None
    # What is booked late, for January, is too much for February too.
    late = spend(euros("200.00"), warns, euros("250.00"), on="2026-01-20", before="2026-02-15").warning
    assert late is not None
    assert "before 2026-03-01; with this 450.00 EUR" in late
    assert spend(euros("300.01"), budget(**months), euros("100.00"), on="2026-02-10").warning is None
    with pytest.raises(MonthOverrun, match=r"plans 400\.00 EUR before 2026-03-01 and 100\.00 EUR .* 300\.00 EUR left"):
        spend(euros("300.01"), budget(on_month_overrun="stop", **months), euros("100.00"), on="2026-02-10")
    both = spend(euros("1300.00"), warns, on="2026-02-10").warning
    assert both is not None
    assert both.count("too much") == 2


def test_an_expense_is_reversed_once_and_not_before_it_was_spent() -> None:
    expense = spend(euros("60.00"), None)
    with pytest.raises(ReversedBeforeSpent):
        expense.reverse(day("2026-04-30"))
    expense.reverse(day("2026-05-02"))
    assert expense.worth() is None
    with pytest.raises(ExpenseIsReversed):
        expense.reverse(day("2026-05-03"))
