"""Money as the views see it: invoices and what settles them, budgets and expenses.

An invoice carries the day its deal was won, a receipt the days of its invoice. So cohorts (the invoices of the deals
won in a period, the receipts of the invoices issued in it) are sums like all others, and no read joins invoices with
deals. Copied days cannot go stale: an invoice keeps its days for ever, and a deal with an invoice that is not voided is
not reopened, while a voided invoice counts nowhere. When the events of several subjects come late or in another order,
a cohort may for a moment hold an invoice whose deal is not here as won: an orphan, which the certificate counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.deal_cells import Belongs
from services.metrics.facts.lasting import Lasting
from services.metrics.facts.money_cells import invoice_cells, receipt_cells
from services.metrics.sums import ALL, Tally, cells
from shared.events.money import (
    BudgetChanged,
    BudgetPlanned,
    ExpenseBooked,
    ExpenseReversed,
    InvoiceCreditCancelled,
    InvoiceCredited,
    InvoiceEntered,
    InvoiceRecovered,
    InvoiceVoided,
    InvoiceWrittenOff,
    Part,
    ReceiptBooked,
    ReceiptReversed,
)
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json

NAMED = ("team", "member", "customer", "product")
"""For whom or what an expense may say it was."""
DEPARTMENT_KIND = "department/kind"
"""A dimension of the sums: what a department spent on one kind of thing."""


class InvoiceFact(Fact, table=True):
    """An invoice: of which deal, how much, and what of it is not asked for any more."""

    __tablename__ = "invoice_fact"
    __table_args__ = (
        sa.Index("invoice_fact_deal", "deal"),
        sa.Index("invoice_fact_customer", "customer", "issued_on"),
        sa.Index("invoice_fact_team", "team", "issued_on"),
        sa.Index("invoice_fact_on", "issued_on"),
    )
    kind: ClassVar[str] = "invoice"

    deal: str = ""
    customer: str | None = None
    team: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    won_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    taken: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What was credited or written off: `{"on", "minor", "how", "parts"}`; with a `sign` of -1 what was taken back."""
    reduced: int = Field(default=0, sa_type=sa.BigInteger)
    """The sum of what was taken, in minor units."""
    first_taken_on: date | None = None
    last_taken_on: date | None = None
    voided_on: date | None = None
    parts: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=Json)
    """Whose it is: what `members` and `products` have of it, each by their ids, in minor units."""


class ReceiptFact(Fact, table=True):
    """Money that came in for an invoice, and what of it settled the invoice."""

    __tablename__ = "receipt_fact"
    __table_args__ = (
        sa.Index("receipt_fact_invoice", "invoice"),
        sa.Index("receipt_fact_customer", "customer", "received_on"),
        sa.Index("receipt_fact_team", "team", "received_on"),
        sa.Index("receipt_fact_on", "received_on"),
    )
    kind: ClassVar[str] = "receipt"

    invoice: str = ""
    customer: str | None = None
    team: str | None = None
    received_on: date | None = None
    reversed_on: date | None = None
    invoiced_on: date | None = None
    due_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    applied: int = Field(default=0, sa_type=sa.BigInteger)
    """What of the amount settles the invoice; the rest stays on account."""
    currency: str = ""
    parts: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=Json)
    """Whose the amount is, as with an invoice; and whose that is which settles it."""
    settled: dict[str, dict[str, int]] = Field(default_factory=dict, sa_type=Json)


class ExpenseFact(Fact, table=True):
    """Money that a department spent."""

    __tablename__ = "expense_fact"
    __table_args__ = (
        sa.Index("expense_fact_department", "department", "spent_on"),
        sa.Index("expense_fact_on", "spent_on"),
        sa.Index("expense_fact_cause", "cause"),
    )
    kind: ClassVar[str] = "expense"

    department: str = ""
    spent_for: str = ""
    cause: str | None = None
    """The subject of another service that it follows from."""
    spent_on: date | None = None
    reversed_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    team: str | None = None
    """For whom or what it was spent, where that is said; so are the others."""
    member: str | None = None
    customer: str | None = None
    product: str | None = None


class BudgetFact(Lasting, table=True):
    """What a department may spend in a period, and when. Budgets are few: they are read as they are."""

    __tablename__ = "budget_fact"
    kind: ClassVar[str] = "budget"

    department: str = ""
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    on_overrun: str = ""
    rows: list[list[Any]] = Field(default_factory=list, sa_type=Json)
    """Each with its day and its minor units."""


def expense_cells(expense: ExpenseFact, belongs: Belongs | None = None) -> Iterator[Cell]:
    """What an expense adds on its day, and takes away on the day it is reversed; or only on days on which its member
    counts, where `belongs` says who does."""
    if expense.spent_on is None:
        return
    both = f"{expense.department}/{expense.spent_for}"
    along = {ALL: "", "department": expense.department, "kind": expense.spent_for, DEPARTMENT_KIND: both}
    # What names nobody adds to no cell of nobody's: most expenses do not, and each breakdown would have a row of them.
    along |= {dim: key for dim in NAMED if (key := getattr(expense, dim)) is not None}
    moves = [(expense.spent_on, 1)] + ([(expense.reversed_on, -1)] if expense.reversed_on else [])
    for day, sign in moves:
        if belongs is None or (expense.member is not None and belongs(expense.member, day)):
            amount = sign * expense.amount
            yield from cells("spent", day, along, count=sign, amount=amount, currency=expense.currency)


invoices = Facts(InvoiceFact, sums=Tally, cells=invoice_cells)
receipts = Facts(ReceiptFact, sums=Tally, cells=receipt_cells)
expenses = Facts(ExpenseFact, sums=Tally, cells=expense_cells)
budgets = Facts(BudgetFact)


@invoices.on(InvoiceEntered)
def enter(invoice: InvoiceFact, event: InvoiceEntered) -> None:
    invoice.deal, invoice.customer, invoice.team = event.deal, event.customer, event.team
    invoice.issued_on, invoice.due_on, invoice.won_on = event.on, event.due_on, event.won_on
    invoice.amount, invoice.currency = event.amount.minor, event.amount.currency
    invoice.total, invoice.total_currency = invoice.amount, invoice.currency
    invoice.parts = _parts(event.members, event.products)


@invoices.on(InvoiceCredited)
def credit(invoice: InvoiceFact, event: InvoiceCredited) -> None:
    _take(invoice, event, "credited")


@invoices.on(InvoiceWrittenOff)
def write_off(invoice: InvoiceFact, event: InvoiceWrittenOff) -> None:
    _take(invoice, event, "written_off")


@invoices.on(InvoiceCreditCancelled)
def cancel_credit(invoice: InvoiceFact, event: InvoiceCreditCancelled) -> None:
    _take(invoice, event, "credited", -1)


@invoices.on(InvoiceRecovered)
def recover(invoice: InvoiceFact, event: InvoiceRecovered) -> None:
    _take(invoice, event, "written_off", -1)


def _take(
    invoice: InvoiceFact,
    event: InvoiceCredited | InvoiceWrittenOff | InvoiceCreditCancelled | InvoiceRecovered,
    how: str,
    sign: int = 1,
) -> None:
    parts = _parts(event.members, event.products)
    taken = {"on": event.on.isoformat(), "minor": event.amount.minor, "how": how, "parts": parts}
    invoice.taken = [*invoice.taken, taken if sign > 0 else taken | {"sign": sign}]
    invoice.reduced += sign * event.amount.minor
    invoice.first_taken_on = min(invoice.first_taken_on or event.on, event.on)
    invoice.last_taken_on = max(invoice.last_taken_on or event.on, event.on)


@invoices.on(InvoiceVoided)
def void(invoice: InvoiceFact, event: InvoiceVoided) -> None:
    invoice.voided_on, invoice.total, invoice.total_currency = event.on, 0, ""


def _parts(members: Sequence[Part], products: Sequence[Part]) -> dict[str, dict[str, int]]:
    return {
        name: {each.of: each.amount.minor for each in parts}
        for name, parts in (("members", members), ("products", products))
    }


@receipts.on(ReceiptBooked)
def book_receipt(receipt: ReceiptFact, event: ReceiptBooked) -> None:
    receipt.invoice, receipt.customer, receipt.team = event.invoice, event.customer, event.team
    receipt.received_on, receipt.invoiced_on, receipt.due_on = event.on, event.invoiced_on, event.due_on
    receipt.amount, receipt.applied, receipt.currency = event.amount.minor, event.applied.minor, event.amount.currency
    receipt.total, receipt.total_currency = receipt.amount, receipt.currency
    receipt.parts = _parts(event.members, event.products)
    receipt.settled = _parts(event.settled_members, event.settled_products)


@receipts.on(ReceiptReversed)
def reverse_receipt(receipt: ReceiptFact, event: ReceiptReversed) -> None:
    receipt.reversed_on, receipt.total, receipt.total_currency = event.on, 0, ""


@expenses.on(ExpenseBooked)
def book_expense(expense: ExpenseFact, event: ExpenseBooked) -> None:
    expense.department, expense.spent_for, expense.spent_on = event.department, event.spent_for, event.on
    expense.amount, expense.currency, expense.cause = event.amount.minor, event.amount.currency, event.cause
    expense.team, expense.member = event.team, event.member
    expense.customer, expense.product = event.customer, event.product
    expense.total, expense.total_currency = expense.amount, expense.currency


@expenses.on(ExpenseReversed)
def reverse_expense(expense: ExpenseFact, event: ExpenseReversed) -> None:
    expense.reversed_on, expense.total, expense.total_currency = event.on, 0, ""


@budgets.on(BudgetPlanned)
def plan(budget: BudgetFact, event: BudgetPlanned) -> None:
    budget.department = event.department
    budget.is_for(event.period)
    change_budget(budget, event)


@budgets.on(BudgetChanged)
def change_budget(budget: BudgetFact, event: BudgetPlanned | BudgetChanged) -> None:
    budget.amount, budget.currency, budget.on_overrun = event.amount.minor, event.amount.currency, event.on_overrun
    budget.rows = [[row.on.isoformat(), row.amount.minor] for row in event.rows]
    budget.total, budget.total_currency = budget.amount, budget.currency
