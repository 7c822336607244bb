"""Are we profitable? Revenue against its cost, what selling costs, and which customers it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.metrics.views.customers import first_wins
from services.metrics.views.frame import Figure, Reading, View
from services.metrics.views.sales import money, revenue, revenue_of
from services.metrics.views.values import Amounts, shown_money_rate


@dataclass(frozen=True, slots=True)
class ByCustomer:
    """What each customer brought and cost in the period."""

    revenue: dict[str, Amounts]
    profit: dict[str, Amounts]


async def cost_of_sales_of(reading: Reading) -> Amounts | None:
    """What was sold cost, as of the days of sale; none while the cost of a part is not known."""
    won = await reading.flow("won")
    if won.uncosted:
        return None
    return won.cost


def _unknown_cost(reading: Reading, figure: str) -> None:
    reading.note(figure, "the cost of some of what was sold is not known")


async def cost_of_sales(reading: Reading) -> Any:
    """Cost of what was sold."""
    cost = await cost_of_sales_of(reading)
    if cost is None:
        _unknown_cost(reading, "cost_of_sales")
        return None
    return money(reading, cost)


async def gross_margin(reading: Reading) -> Any:
    """Revenue - cost of sales."""
    cost = await cost_of_sales_of(reading)
    if cost is None:
        _unknown_cost(reading, "gross_margin")
        return None
    return money(reading, await revenue_of(reading) - cost)


async def gross_margin_rate(reading: Reading) -> Any:
    """Gross margin ÷ revenue."""
    cost, earned = await cost_of_sales_of(reading), await revenue_of(reading)
    if cost is None:
        _unknown_cost(reading, "gross_margin_rate")
        return None
    return shown_money_rate(earned - cost, earned)


async def selling_expense_of(reading: Reading) -> Amounts | None:
    """What the sales department spent in the period; not split by team, member, customer or product."""
    if set(reading.filters) - {"department"}:
        return None
    sales = await reading.measured_along("department", "sales", "spent")
    return sales.amount


async def selling_expense(reading: Reading) -> Any:
    """Spend of the sales department."""
    spent = await selling_expense_of(reading)
    if spent is None:
        reading.note("selling_expense", "expenses are booked by department, not by what is asked about")
        return None
    return money(reading, spent)


async def contribution(reading: Reading) -> Any:
    """Gross margin - selling expense."""
    cost, spent = await cost_of_sales_of(reading), await selling_expense_of(reading)
    if cost is None or spent is None:
        reading.note("contribution", "it needs the cost of sales and the selling expense, and one is not known")
        return None
    return money(reading, await revenue_of(reading) - cost - spent)


async def by_customer(reading: Reading) -> ByCustomer:
    """Revenue and profit of each customer in the period, of what the question is about."""

    async def read() -> ByCustomer:
        entries = await reading.entries_along("customer", "won")
        return ByCustomer(
            {key: entry.amount for key, entry in entries.items() if key},
            {key: entry.amount - entry.cost for key, entry in entries.items() if key},
        )

    found: ByCustomer = await reading.once("by customer", read)
    return found


async def _revenue_of_customers(reading: Reading, new: bool) -> Any:
    span = reading.question.span
    fresh = {key for key, first in await first_wins(reading) if _inside(first, span.start, span.end)}
    earned = (await by_customer(reading)).revenue
    return money(reading, Amounts.total(amount for key, amount in earned.items() if (key in fresh) == new))


def _inside(day: date, start: date, end: date) -> bool:
    return start <= day < end


async def revenue_new_customers(reading: Reading) -> Any:
    """Revenue from customers won for the first time in the period."""
    return await _revenue_of_customers(reading, True)


async def revenue_existing_customers(reading: Reading) -> Any:
    """Revenue from customers who were there before."""
    return await _revenue_of_customers(reading, False)


async def acquisition_cost(reading: Reading) -> Any:
    """Selling expense ÷ new customers."""
    span = reading.question.span
    spent = await selling_expense_of(reading)
    new = sum(_inside(first, span.start, span.end) for _, first in await first_wins(reading))
    if spent is None or not new:
        reading.note("acquisition_cost", "no customer was won for the first time, or expenses are not split so")
        return None
    return money(reading, Amounts({currency: round(amount / new) for currency, amount in spent}))


async def profit_per_customer(reading: Reading) -> Any:
    """Gross margin ÷ customers who bought."""
    cost, customers = await cost_of_sales_of(reading), len((await by_customer(reading)).revenue)
    if cost is None or not customers:
        reading.note("profit_per_customer", "no customer bought, or some cost is not known")
        return None
    profit = await revenue_of(reading) - cost
    return money(reading, Amounts({currency: round(amount / customers) for currency, amount in profit}))


async def _count_by_profit(reading: Reading, figure: str, positive: bool) -> Any:
    if await cost_of_sales_of(reading) is None:
        _unknown_cost(reading, figure)
        return None
    profits = (await by_customer(reading)).profit.values()
    return (
        sum(all(amount > 0 for _, amount in profit) and bool(profit) for profit in profits)
        if positive
        else sum(any(amount <= 0 for _, amount in profit) or not profit for profit in profits)
    )


async def profitable_customers(reading: Reading) -> Any:
    """Customers whose purchases brought more than they cost."""
    return await _count_by_profit(reading, "profitable_customers", True)


async def unprofitable_customers(reading: Reading) -> Any:
    """Customers whose purchases did not."""
    return await _count_by_profit(reading, "unprofitable_customers", False)


async def concentration(reading: Reading) -> Any:
    """Share of the largest customer in revenue."""
    earned = (await by_customer(reading)).revenue
    whole = Amounts.total(earned.values())
    if whole.only is None:
        reading.note("concentration", "nothing was sold to known customers, or in several currencies")
        return None
    currency, _ = whole.only
    largest = max(amount.of(currency) for amount in earned.values())
    return shown_money_rate(Amounts({currency: largest}), whole)


async def incidents(reading: Reading) -> Any:
    """Incidents with customers."""
    reading.note("incidents", "no incidents are recorded in this organisation")


VIEW = View(
    "finance",
    (
        Figure("revenue", "Value of the deals won in the period, net of tax and freight, by the day they were won.",
               revenue, "deals_won"),
        Figure("cost_of_sales", "What was sold cost, as of the day of each sale; not known while the cost of a part of "
               "it is not known.", cost_of_sales, "deals_won"),
        Figure("gross_margin", "Revenue - cost of sales.", gross_margin, "deals_won"),
        Figure("gross_margin_rate", "Gross margin ÷ revenue.", gross_margin_rate, "deals_won"),
        Figure("selling_expense", "Expenses of the sales department on days of the period.", selling_expense,
               "sales_expenses"),
        Figure("contribution", "Gross margin - selling expense.", contribution),
        Figure("revenue_new_customers", "Revenue from customers whose first won deal lies in the period.",
               revenue_new_customers, "deals_won"),
        Figure("revenue_existing_customers", "Revenue from customers whose first won deal lies before the period.",
               revenue_existing_customers, "deals_won"),
        Figure("acquisition_cost", "Selling expense ÷ customers won for the first time in the period.",
               acquisition_cost),
        Figure("profit_per_customer", "Gross margin ÷ customers who bought in the period.", profit_per_customer),
        Figure("profitable_customers", "Customers whose purchases of the period brought more than they cost.",
               profitable_customers),
        Figure("unprofitable_customers", "Customers whose purchases of the period did not bring more than they cost.",
               unprofitable_customers),
        Figure("concentration", "Revenue of the largest customer ÷ revenue of all customers in the period.",
               concentration),
        Figure("incidents", "Incidents with customers recorded in the period.", incidents),
    ),
)  # fmt: skip
