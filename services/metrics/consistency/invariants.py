"""What must hold between the figures of any snapshot. Left and right are computed by different ways, or prove nothing.

Each side is one statement on the stored sums or facts: the sums on one side, the facts they came from on the other, or
two cohorts of facts that must add up to a third.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.deals import DealFact
from services.metrics.facts.requests import RequestFact
from services.metrics.facts.money import ExpenseFact, InvoiceFact, ReceiptFact
from services.metrics.facts.teams import MemberFact
from services.metrics.sums import ALL, MONTH, Tally
from services.metrics.views.values import Amounts
from shared.money import Money
from shared.store import Snapshot

Value = int | Amounts
Side = Callable[[Snapshot], Awaitable[Value]]
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_deals: sa.Table = DealFact.__table__  # type: ignore[attr-defined]
_invoices: sa.Table = InvoiceFact.__table__  # type: ignore[attr-defined]
_receipts: sa.Table = ReceiptFact.__table__  # type: ignore[attr-defined]
_deal, _invoice, _receipt = _deals.c, _invoices.c, _receipts.c
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_request = RequestFact.__table__.c  # type: ignore[attr-defined]
_INVOICED_OF_DEAL = (
    sa.select(sa.func.sum(_invoice.amount))
    .where(_invoice.deal == _deal.id, _invoice.voided_on.is_(None))
    .correlate(_deals)
    .scalar_subquery()
)
_RECEIVED_OF_INVOICE = (
    sa.select(sa.func.sum(_receipt.amount))
    .where(_receipt.invoice == _invoice.id, _receipt.reversed_on.is_(None))
    .correlate(_invoices)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Invariant:
    """Two ways to one number."""

    name: str
    left: str
    right: str
    left_value: Side
    right_value: Side


def summed(measure: str, dim: str = ALL, column: str = "amount", key: str | None = None) -> Side:
    """A measure over all time, from the sums of a dimension, of all its keys or of one."""

    async def value(snapshot: Snapshot) -> Value:
        total = sa.cast(sa.func.sum(_tally[column]), sa.BigInteger)
        select = (
            sa.select(_tally.currency, total)
            .where(_tally.dim == dim, _tally.measure == measure, _tally.grain == MONTH)
            .group_by(_tally.currency)
        )
        if key is not None:
            select = select.where(_tally.key == key)
        records = await snapshot.rows(select)
        if column == "count":
            return sum(int(amount) for _, amount in records)
        return Amounts({currency: int(amount) for currency, amount in records})

    return value


def added(currency: Any, amount: Any, *conditions: Any, of: Any = None) -> Side:
    """An amount added up over facts, by currency."""

    async def value(snapshot: Snapshot) -> Value:
        select = sa.select(currency, sa.cast(sa.func.sum(amount), sa.BigInteger)).where(*conditions).group_by(currency)
        if of is not None:
            select = select.select_from(of)
        return Amounts({each: int(total) for each, total in await snapshot.rows(select) if each})

    return value


def counted(model: Any, *conditions: Any) -> Side:
    """How many facts meet some conditions."""

    async def value(snapshot: Snapshot) -> Value:
        select = sa.select(sa.func.count()).select_from(model).where(*conditions)
        return int(await snapshot.scalar(select))

    return value


def together(*sides: tuple[int, Side]) -> Side:
    """Several values added, or taken away, one from the other."""

    async def value(snapshot: Snapshot) -> Value:
        parts = [(sign, await side(snapshot)) for sign, side in sides]
        if all(isinstance(part, int) for _, part in parts):
            return sum(sign * part for sign, part in parts if isinstance(part, int))
        return Amounts.total(part if sign > 0 else -part for sign, part in parts if isinstance(part, Amounts))

    return value


def headcount_of(department: str) -> Side:
    """How many members a department has, from the sums."""
    return together((1, summed("joined", "department", "count", department)),
                    (-1, summed("left", "department", "count", department)))  # fmt: skip


def headcount(model: Any, spells: Any, of: str | None) -> Side:
    """How many members are in some department now, in a team or in none; counted one by one."""

    async def value(snapshot: Snapshot) -> Value:
        count = 0
        for departments, memberships in await snapshot.rows(sa.select(model.departments, spells)):
            in_sales = any(each["of"] == "sales" and each["to"] is None for each in departments)
            in_team = any(each["to"] is None for each in memberships)
            count += in_sales and (of is None or in_team == (of == "team"))
        return count

    return value


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "sales revenue = finance revenue",
        "revenue of all days, from the sums",
        "values of all won deals",
        summed("won"),
        added(_deal.currency, _deal.value, _deal.status == "won"),
    ),
    Invariant(
        "member credits = revenue",
        "credits of all members",
        "revenue of all days",
        summed("won", "member"),
        summed("won"),
    ),
    Invariant(
        "team revenue = revenue", "revenue of all teams", "revenue of all days", summed("won", "team"), summed("won")
    ),
    Invariant(
        "customer revenue = revenue",
        "revenue of all customers",
        "revenue of all days",
        summed("won", "customer"),
        summed("won"),
    ),
    Invariant(
        "product revenue = revenue",
        "lines of all products",
        "revenue of all days",
        summed("won", "product"),
        summed("won"),
    ),
    Invariant(
        "invoices of won deals + not yet invoiced = revenue",
        "invoices of won deals, and of each deal what no invoice asks for",
        "revenue of all days",
        together(
            (1, added(_invoice.currency, _invoice.amount, _invoice.voided_on.is_(None), _deal.status == "won",
                      of=sa.join(_invoices, _deals, _invoice.deal == _deal.id))),
            (1, added(_deal.currency, _deal.value - sa.func.coalesce(_INVOICED_OF_DEAL, 0), _deal.status == "won")),
        ),
        summed("won"),
    ),
    Invariant(
        "invoiced = received + credited + written off + outstanding",
        "invoices of all days, from the sums",
        "receipts of these invoices, what was taken from them, and what is open of each",
        summed("invoiced"),
        together(
            (1, added(_receipt.currency, _receipt.amount, _receipt.reversed_on.is_(None), _invoice.voided_on.is_(None),
                      of=sa.join(_receipts, _invoices, _receipt.invoice == _invoice.id))),
            (1, summed("credited")),
            (1, summed("written_off")),
            (1, added(_invoice.currency,
                      _invoice.amount - _invoice.reduced - sa.func.coalesce(_RECEIVED_OF_INVOICE, 0),
                      _invoice.voided_on.is_(None), _invoice.currency != "")),
        ),
    ),
    Invariant(
        "spent by department = spent",
        "expenses of all departments",
        "expenses, one by one",
        summed("spent", "department"),
        added(_expense.currency, _expense.amount, _expense.currency != ""),
    ),
    Invariant(
        "sales department = members in teams + members without team",
        "members of the sales department, from the sums",
        "members of sales in a team and members of sales without one, one by one",
        headcount_of("sales"),
        together((1, headcount(_member, _member.memberships, "team")),
                 (1, headcount(_member, _member.memberships, "none"))),
    ),
    Invariant(
        "requests from sales in it = requests to it in sales",
        "requests from sales to it, from the sums",
        "requests from sales to it, one by one",
        summed("asked", "pair", "count", "sales>it"),
        counted(RequestFact, _request.from_department == "sales", _request.to_department == "it"),
    ),
    Invariant(
        "open deals = opened - won - lost",
        "deals that are open",
        "deals opened, without those won or lost",
        counted(DealFact, _deal.status == "open", _deal.opened_on.is_not(None)),
        together((1, summed("opened", ALL, "count")), (-1, summed("won", ALL, "count")),
                 (-1, summed("lost", ALL, "count"))),
    ),
)  # fmt: skip


async def check(invariants: Sequence[Invariant], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Both sides of every invariant, in one snapshot, and whether they are equal."""
    results = []
    for invariant in invariants:
        left, right = await invariant.left_value(snapshot), await invariant.right_value(snapshot)
        difference: Any = left - right  # type: ignore[operator]
        results.append(
            {
                "name": invariant.name,
                "class": "A",
                "left": invariant.left,
                "right": invariant.right,
                "left_value": shown(left),
                "right_value": shown(right),
                "difference": shown(difference),
                "holds": not difference,
            }
        )
    return results


def shown(value: Value) -> Any:
    """A side as it is shown: a count, or money for each currency."""
    if isinstance(value, int):
        return value
    return [Money.of_minor(amount, currency).as_json() for currency, amount in value]
