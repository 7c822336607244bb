"""Are we profitable? Revenue against its cost, what selling costs, and which customers it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from services.metrics.views.customers import customer_counts
from services.metrics.views.frame import Compute, Figure, Reading, View
from services.metrics.views.sales import money, revenue, revenue_of
from services.metrics.views.setback_cost import SETBACK_COST
from services.metrics.views.spend import SALES, spent_of, spent_to_acquire
from services.metrics.views.stays import first_wins
from services.metrics.views.support import INCIDENTS
from services.metrics.views.values import Amounts, shown_money_rate
from shared.money import Money


@dataclass(frozen=True, slots=True)
class ByCustomer:
    """What each customer brought and cost in the period."""

    revenue: dict[str, Amounts]
    profit: dict[str, Amounts]


async def cost_of_sales_of(reading: Reading, figure: str) -> Amounts | None:
    """What was sold cost, as of the days of sale; none while the cost of a part is not known.

    The known part alone would show a margin that is too good, so it stands in the note and in no figure.
    """
    won = await reading.flow("won")
    if not won.uncosted:
        return won.cost
    unknown = " and ".join(str(Money.of_minor(minor, currency)) for currency, minor in won.uncosted)
    known = " and ".join(str(Money.of_minor(minor, currency)) for currency, minor in won.cost) or "nothing"
    reading.note(figure, f"the cost of what was sold for {unknown} is not known; of the rest it is {known}")
    return None


async def margin_of(reading: Reading, figure: str) -> Amounts | None:
    """Revenue - cost of sales; none while the cost of a part is not known."""
    cost = await cost_of_sales_of(reading, figure)
    return None if cost is None else await revenue_of(reading) - cost


async def cost_of_sales(reading: Reading) -> Any:
    """Cost of what was sold."""
    cost = await cost_of_sales_of(reading, "cost_of_sales")
    return None if cost is None else money(reading, cost)


async def gross_margin(reading: Reading) -> Any:
    """Revenue - cost of sales."""
    margin = await margin_of(reading, "gross_margin")
    return None if margin is None else money(reading, margin)


async def gross_margin_rate(reading: Reading) -> Any:
    """Gross margin ÷ revenue."""
    margin = await margin_of(reading, "gross_margin_rate")
    if margin is None:
        return None
    earned = await revenue_of(reading)
    if earned.only is None:
        reading.note("gross_margin_rate", "nothing was sold, or in several currencies")
    return shown_money_rate(margin, earned)


async def selling_expense(reading: Reading) -> Any:
    """Spend of the sales department."""
    used = await spent_of(reading, "selling_expense", department=SALES)
    return None if used is None else money(reading, used)


async def contribution(reading: Reading) -> Any:
    """Gross margin - selling expense."""
    margin = await margin_of(reading, "contribution")
    used = await spent_of(reading, "contribution", department=SALES)
    return None if margin is None or used is None else money(reading, margin - used)


async def by_customer(reading: Reading) -> ByCustomer:
    """Revenue and profit of each customer in the period; of a member or a group, what is credited to them."""

    async def read() -> ByCustomer:
        entries = await reading.entries_along("customer", "won")
        return ByCustomer(
            {key: entry.amount for key, entry in entries.items() if key},
            {key: entry.amount - entry.cost for key, entry in entries.items() if key},
        )

    found: ByCustomer = await reading.once("by customer", read)
    return found


def of_customers(new: bool) -> Compute:
    """Revenue from customers won for the first time in the period, or from those who were there before."""

    async def compute(reading: Reading) -> Any:
        found = await by_customer(reading)
        fresh = await new_customers(reading)
        return money(reading, Amounts.total(amount for key, amount in found.revenue.items() if (key in fresh) == new))

    return compute


async def new_customers(reading: Reading) -> set[str]:
    """The customers whose first won deal lies in the period."""
    period = reading.question.period
    return {key for key, first in await first_wins(reading) if period.contains(first)}


async def acquisition_cost(reading: Reading) -> Any:
    """What sales and marketing spent ÷ new customers."""
    used = await spent_to_acquire(reading, "acquisition_cost")
    new = (await customer_counts(reading)).new
    if used is not None and not new:
        reading.note("acquisition_cost", "no customer was won for the first time")
    if used is None or not new:
        return None
    return money(reading, Amounts({currency: round(Fraction(amount, new)) for currency, amount in used}))


async def profit_per_customer(reading: Reading) -> Any:
    """Gross margin ÷ customers who bought."""
    margin, found = await margin_of(reading, "profit_per_customer"), await by_customer(reading)
    if margin is None:
        return None
    customers = len(found.revenue)
    if not customers:
        reading.note("profit_per_customer", "no customer bought in the period")
        return None
    profit = Amounts.total(found.profit.values())
    return money(reading, Amounts({currency: round(Fraction(amount, customers)) for currency, amount in profit}))


def with_profit(figure: str, good: bool) -> Compute:
    """How many customers brought more than they cost, or less. In several currencies, each of them must say so."""

    async def compute(reading: Reading) -> Any:
        if await cost_of_sales_of(reading, figure) is None:
            return None
        found = await by_customer(reading)
        signs = [{amount > 0 for _, amount in profit} for profit in found.profit.values()]
        mixed = sum(len(sign) > 1 for sign in signs)
        if mixed:
            reading.note(figure, f"{mixed} customers with a profit in one currency and a loss in another are left out")
        return signs.count({good})

    return compute


def concentration(figure: str, largest: int) -> Compute:
    """Share of the largest customers in revenue."""

    async def compute(reading: Reading) -> Any:
        found = await by_customer(reading)
        whole = Amounts.total(found.revenue.values())
        if whole.only is None:
            reading.note(figure, "nothing was sold to known customers, or in several currencies")
            return None
        return shown_money_rate(Amounts.total(found.revenue[key] for key in largest_of(found, largest)), whole)

    return compute


def largest_of(found: ByCustomer, number: int) -> set[str]:
    """The customers who brought most, so many of them."""
    ranked = sorted(found.revenue.items(), key=lambda each: (-sum(amount for _, amount in each[1]), each[0]))
    return {key for key, _ in ranked[:number]}


VIEW = View(
    "finance",
    (
        Figure("revenue", "Value of the deals won in the period, net of tax and freight, by the day they were won.",
               revenue, "revenue"),
        Figure("cost_of_sales", "What was sold cost, as of the day of each sale; not known while the cost of a part of "
               "it is not known.", cost_of_sales, "cost_of_sales"),
        Figure("gross_margin", "Revenue - cost of sales.", gross_margin, "margin"),
        Figure("gross_margin_rate", "Gross margin ÷ revenue.", gross_margin_rate, "margin_of_revenue"),
        Figure("selling_expense", "Expenses of the sales department on days of the period; here and below, of a team, "
               "group, member, customer, product or region those that say they were for it.", selling_expense,
               "sales_expenses"),
        Figure("contribution", "Gross margin - selling expense.", contribution, "contribution"),
        Figure("revenue_new_customers", "Revenue from customers whose first won deal lies in the period.",
               of_customers(new=True), "revenue_of_new"),
        Figure("revenue_existing_customers", "Revenue from customers whose first won deal lies before the period; "
               "deals without a customer are in neither.", of_customers(new=False),
               "revenue_of_existing"),
        Figure("acquisition_cost", "What sales and marketing cost ÷ customers won for the first time in the period: "
               "all expenses of the sales department and of departments called marketing, and those of others of the "
               "kind marketing.", acquisition_cost, "acquisition"),
        Figure("profit_per_customer", "Gross margin of deals with a customer ÷ customers who bought in the period.",
               profit_per_customer, "profit_per_customer"),
        Figure("profitable_customers", "Customers whose purchases of the period brought more than they cost.",
               with_profit("profitable_customers", True), "profitable_customers"),
        Figure("unprofitable_customers", "Customers whose purchases of the period brought less than they cost.",
               with_profit("unprofitable_customers", False), "unprofitable_customers"),
        Figure("concentration", "Revenue of the largest customer ÷ revenue of all customers in the period.",
               concentration("concentration", 1), "largest_customer"),
        Figure("concentration_top5", "Revenue of the five largest customers ÷ revenue of all customers in the period.",
               concentration("concentration_top5", 5), "largest_customers"),
        INCIDENTS,
        SETBACK_COST,
    ),
)  # fmt: skip
