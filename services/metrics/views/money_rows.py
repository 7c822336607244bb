"""What the figures about money and targets are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.money import NAMED, BudgetFact, ExpenseFact, InvoiceFact, ReceiptFact
from services.metrics.facts.money_cells import Asked, taken_before
from services.metrics.views.accounting import by_age
from services.metrics.views.customers import CUSTOMER_ROWS
from services.metrics.views.deal_rows import MARGIN, REVENUE
from services.metrics.views.frame import Reading
from services.metrics.views.parts import FED_BY, above, amount, held, in_money, ledger_of, part, until
from services.metrics.views.question import CIRCLES
from services.metrics.views.row_source import Conditions, Counted, Source, simple
from services.metrics.views.spend import (
    MARKETING,
    SALES,
    TRAINING,
    Overrun,
    acquirers,
    overrun_by_month,
    overrun_in_all,
    planned_by,
)
from services.metrics.views.values import Amounts
from shared.money import Money

_invoice = InvoiceFact.__table__.c  # type: ignore[attr-defined]
_receipt = ReceiptFact.__table__.c  # type: ignore[attr-defined]
_expense = ExpenseFact.__table__.c  # type: ignore[attr-defined]
_budget = BudgetFact.__table__.c  # type: ignore[attr-defined]


async def _of(
    model: Any, reading: Reading, *conditions: sa.ColumnElement[bool], day: Any = None
) -> list[sa.ColumnElement[bool]]:
    """Facts that pass a question: those that its members share on the day in a column; without one at the end."""
    source = FED_BY[model]
    chosen = [*conditions, *await reading.passing(source, reading.filters)]
    for dim in CIRCLES:
        if dim in reading.filters and source.knows("member"):
            circle = await reading.circle(dim, reading.filters[dim])
            there = circle.there(reading.question.span.asked) if day is None else circle.during(day)
            theirs = (sa.and_(source.concerns(member), during) for member, during in there)
            chosen.append(sa.or_(sa.false(), *theirs))
    return chosen


def _moved(model: Any, *columns: Any, also: tuple[sa.ColumnElement[bool], ...] = ()) -> Conditions:
    """Facts that did something on a day of the period: on any of these days of theirs."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        span = reading.question.span
        moved = [
            sa.and_(*await _of(model, reading, column >= span.start, column < span.end, *also, day=column))
            for column in columns
        ]
        return [sa.or_(*moved)]

    return conditions


def _reduced(how: str) -> Conditions:
    """Invoices of which something was credited, or written off, on a day of the period."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        return await _reduced_by(reading, how)

    return conditions


async def _reduced_by(reading: Reading, how: str) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    near = (_invoice.voided_on.is_(None), _invoice.first_taken_on < span.end, _invoice.last_taken_on >= span.start)
    passing = await reading.passing(FED_BY[InvoiceFact], reading.filters)
    found = await reading.snapshot.rows(sa.select(_invoice.id, _invoice.taken).where(*near, *passing))
    asked = Asked(await reading.belonging(), reading.filters.get("product"))

    def counts(taken: Mapping[str, Any]) -> bool:
        on = date.fromisoformat(taken["on"])
        theirs = asked.of(taken["minor"], taken.get("parts", {}), on)
        return taken["how"] == how and span.start <= on < span.end and theirs is not None

    return [_invoice.id.in_([key for key, taken in found if any(counts(each) for each in taken)])]


async def _open_invoices(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    settled = (
        sa.select(sa.func.coalesce(sa.func.sum(_receipt.applied), 0))
        .where(
            _receipt.invoice == _invoice.id,
            _receipt.received_on < asked,
            sa.or_(_receipt.reversed_on.is_(None), _receipt.reversed_on >= asked),
        )
        .scalar_subquery()
    )
    there = (_invoice.voided_on.is_(None), _invoice.issued_on < asked)
    # Of what was taken off, or taken back, later only the days themselves say how it was then.
    later = sa.select(_invoice.id, _invoice.amount, _invoice.taken, settled).where(
        *there, _invoice.last_taken_on >= asked
    )
    owed = [key for key, amount, taken, paid in await reading.snapshot.rows(later)
            if amount - taken_before(taken, asked) - int(paid) != 0]  # fmt: skip
    unmoved = sa.or_(_invoice.last_taken_on.is_(None), _invoice.last_taken_on < asked)
    still = sa.and_(unmoved, _invoice.amount - _invoice.reduced - settled != 0)
    return await _of(InvoiceFact, reading, *there, sa.or_(still, _invoice.id.in_(owed)))


async def _overpaid(reading: Reading) -> list[sa.ColumnElement[bool]]:
    asked = reading.question.span.asked
    there = sa.or_(_receipt.reversed_on.is_(None), _receipt.reversed_on >= asked)
    return await _of(ReceiptFact, reading, _receipt.amount > _receipt.applied, _receipt.received_on < asked, there)


async def _budgets(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span, department = reading.question.span, reading.filters.get("department")
    mine = [_budget.department == department] if department else []
    return [_budget.start < span.end, _budget.end > span.start, *mine]


def _overrun(figure: str, found: Callable[[Reading, str], Awaitable[Sequence[Overrun]]]) -> Source:
    """Budgets of which more is spent than they plan, each with by how much, and until when."""

    async def conditions(reading: Reading) -> list[sa.ColumnElement[bool]]:
        return [_budget.id.in_([each.budget.id for each in await found(reading, figure)])]

    async def by_how_much(reading: Reading, budgets: Sequence[BudgetFact]) -> Sequence[Mapping[str, Any]]:
        over = {each.budget.id: each for each in await found(reading, figure)}
        return [{"over": Money.of_minor(over[each.id].over, each.currency).as_json(), "until": over[each.id].until}
                for each in budgets]  # fmt: skip

    return Source(BudgetFact, conditions, _show_budget, counted=by_how_much)


async def _of_won(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Invoices of deals that were won in the period."""
    return await _moved(InvoiceFact, _invoice.won_on, also=(_invoice.voided_on.is_(None),))(reading)


async def _owed(reading: Reading, invoices: Sequence[InvoiceFact]) -> list[Amounts]:
    """What is outstanding of each invoice at the end, with what came in for it."""
    chosen = sa.select(ReceiptFact).where(_receipt.invoice.in_([each.id for each in invoices]))
    came: dict[str, list[ReceiptFact]] = {each.id: [] for each in invoices}
    for receipt in await reading.snapshot.all(ReceiptFact, chosen):
        came[receipt.invoice].append(receipt)
    return [until(await ledger_of(reading, each, *came[each.id]), "owed").amount for each in invoices]


async def _outstanding(reading: Reading, invoices: Sequence[InvoiceFact]) -> Sequence[Mapping[str, Any]]:
    return [part(in_money(reading, owed)) for owed in await _owed(reading, invoices)]


async def _by_age(reading: Reading, invoices: Sequence[InvoiceFact]) -> Sequence[Mapping[str, Any]]:
    found, last = [], reading.question.span.last_asked
    for invoice, owed in zip(invoices, await _owed(reading, invoices), strict=True):
        ages = by_age({invoice.due_on: owed}, last) if invoice.due_on else {}
        found.append(part({name: in_money(reading, amount) for name, amount in ages.items() if amount}))
    return found


def _planned(plan: Callable[[Reading, BudgetFact], Awaitable[Amounts]], sign: int = 1) -> Counted:
    """What budgets plan for some days, each by itself."""

    async def count(reading: Reading, budgets: Sequence[BudgetFact]) -> Sequence[Mapping[str, Any]]:
        amounts = [await plan(reading, each) for each in budgets]
        return [part(in_money(reading, amount if sign > 0 else -amount)) for amount in amounts]

    return count


async def _in_period(reading: Reading, budget: BudgetFact) -> Amounts:
    period = reading.question.period
    return await planned_by(reading, [budget], period.start, period.end)


async def _to_come(reading: Reading, budget: BudgetFact) -> Amounts:
    span = reading.question.span
    return await planned_by(reading, [budget], span.asked, span.end)


def _show_budget(budget: BudgetFact) -> dict[str, Any]:
    return {
        "ref": budget.id,
        "kind": "budget",
        "department": budget.department,
        "start": budget.start,
        "end": budget.end,
        "on_overrun": budget.on_overrun,
        "amount": Money.of_minor(budget.amount, budget.currency).as_json(),
        "rows": [{"on": on, "amount": Money.of_minor(minor, budget.currency).as_json()} for on, minor in budget.rows],
    }


async def _each_one(reading: Reading, customers: Sequence[CustomerFact]) -> Sequence[Mapping[str, Any]]:
    """Each counts below the line."""
    return [part({"denominator": 1}) for _ in customers]


def _shared(show: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Money as a row with what each member and each product has of it."""

    def shown(fact: InvoiceFact | ReceiptFact) -> dict[str, Any]:
        return show(fact) | {
            name: [
                {one: key, "amount": Money.of_minor(minor, fact.currency).as_json()}
                for key, minor in fact.parts.get(name, {}).items()
            ]
            for name, one in (("members", "member"), ("products", "product"))
        }

    return shown


_show_invoice = _shared(simple("invoice", "deal", "customer", "team", "issued_on", "due_on", "voided_on"))
_show_receipt = _shared(simple("receipt", "invoice", "customer", "team", "received_on", "reversed_on"))
_show_expense = simple("expense", "department", "spent_for", "spent_on", "reversed_on", *NAMED)
_of_sales, _of_training = (_expense.department == SALES,), (_expense.spent_for == TRAINING,)
_received = _moved(ReceiptFact, _receipt.received_on, _receipt.reversed_on)


def _invoices(conditions: Conditions, counts: Counted) -> Source:
    return Source(InvoiceFact, conditions, _show_invoice, counted=counts)


def _budgeted(counts: Counted, then: Source | None = None) -> Source:
    return Source(BudgetFact, _budgets, _show_budget, counted=counts, then=then)


def _spent(*also: sa.ColumnElement[bool]) -> Conditions:
    return _moved(ExpenseFact, _expense.spent_on, _expense.reversed_on, also=also)


def _expenses(*also: sa.ColumnElement[bool], counts: Counted | None = None) -> Source:
    """Expenses that were booked, or given back, in the period."""
    return Source(ExpenseFact, _spent(*also), _show_expense, counted=counts or amount("spent"))


async def _to_acquire(reading: Reading) -> list[sa.ColumnElement[bool]]:
    """Expenses of sales and of marketing."""
    theirs = await acquirers(reading)
    return await _spent(sa.or_(_expense.department.in_(theirs), _expense.spent_for == MARKETING))(reading)


MONEY_ROWS: Mapping[str, Source] = {
    "invoices": _invoices(
        _moved(InvoiceFact, _invoice.issued_on, also=(_invoice.voided_on.is_(None),)), amount("invoiced")
    ),
    "not_yet_invoiced": replace(REVENUE, then=_invoices(_of_won, amount("invoiced_of_won", -1))),
    "invoices_credited": _invoices(_reduced("credited"), amount("credited")),
    "invoices_written_off": _invoices(_reduced("written_off"), amount("written_off")),
    "invoices_open": _invoices(_open_invoices, _outstanding),
    "invoices_open_by_age": _invoices(_open_invoices, _by_age),
    "receipts": Source(ReceiptFact, _received, _show_receipt, counted=amount("received")),
    "receipts_over": Source(ReceiptFact, _overpaid, _show_receipt, counted=held("overpaid")),
    "expenses": _expenses(),
    "sales_expenses": _expenses(*_of_sales),
    "training_expenses": _expenses(*_of_training),
    "budgets": _budgeted(_planned(_in_period)),
    "budgets_left": _budgeted(_planned(_in_period), _expenses(counts=amount("spent", -1))),
    "budgets_to_come": _budgeted(_planned(_to_come), _expenses()),
    "budgets_overrun": _overrun("overruns", overrun_in_all),
    "budgets_overrun_by_month": _overrun("month_overruns", overrun_by_month),
    "budgets_and_receipts": _budgeted(
        _planned(_in_period, -1), Source(ReceiptFact, _received, _show_receipt, counted=amount("received"))
    ),
    "contribution": replace(MARGIN, then=_expenses(*_of_sales, counts=amount("spent", -1))),
    "acquisition": Source(
        CustomerFact, CUSTOMER_ROWS["customers_new"].conditions, CUSTOMER_ROWS["customers_new"].show,
        counted=_each_one, then=Source(ExpenseFact, _to_acquire, _show_expense, counted=above(amount("spent"))),
    ),
}  # fmt: skip
