"""The customers that a period's revenue and profit came from, and what each brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.views.finance import ByCustomer, by_customer, largest_of
from services.metrics.views.frame import Reading
from services.metrics.views.parts import in_money, of_share
from services.metrics.views.row_source import Conditions, Counted, Source, simple
from services.metrics.views.values import Amounts

_customer = CustomerFact.__table__.c  # type: ignore[attr-defined]


def _those(choose: Callable[[ByCustomer], Sequence[str]]) -> Conditions:
    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        return [_customer.id.in_(choose(await by_customer(reading)))]

    return conditions


def _all(found: ByCustomer) -> Sequence[str]:
    return list(found.revenue)


def _with_profit(good: bool) -> Callable[[ByCustomer], Sequence[str]]:
    return lambda found: [key for key, profit in found.profit.items() if {amount > 0 for _, amount in profit} == {good}]


async def _profit(reading: Reading, customers: Sequence[CustomerFact]) -> Sequence[Mapping[str, Any]]:
    """What each brought more than it cost."""
    found = (await by_customer(reading)).profit
    return [{"profit": in_money(reading, found[each.id])} for each in customers]


async def _profit_of_one(reading: Reading, customers: Sequence[CustomerFact]) -> Sequence[Mapping[str, Any]]:
    found = (await by_customer(reading)).profit
    return [of_share(in_money(reading, found[each.id]), 1) for each in customers]


def _largest(number: int) -> Counted:
    """What each brought, above the line too if it is one of the largest."""

    async def count(reading: Reading, customers: Sequence[CustomerFact]) -> Sequence[Mapping[str, Any]]:
        found = await by_customer(reading)
        largest, nothing = largest_of(found, number), in_money(reading, Amounts())
        return [
            of_share(shown if each.id in largest else nothing, shown)
            for each in customers
            for shown in (in_money(reading, found.revenue[each.id]),)
        ]

    return count


def _source(counts: Counted, choose: Callable[[ByCustomer], Sequence[str]] = _all) -> Source:
    return Source(CustomerFact, _those(choose), simple("customer", "name", "region"), counted=counts)


CUSTOMER_MONEY_ROWS: Mapping[str, Source] = {
    "profit_per_customer": _source(_profit_of_one),
    "profitable_customers": _source(_profit, _with_profit(True)),
    "unprofitable_customers": _source(_profit, _with_profit(False)),
    "largest_customer": _source(_largest(1)),
    "largest_customers": _source(_largest(5)),
}
