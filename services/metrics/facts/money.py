"""Invoices, receipts, budgets and expenses as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.targets import (
    BudgetChanged,
    BudgetPlanned,
    ExpenseBooked,
    InvoiceCredited,
    InvoiceEntered,
    InvoiceVoided,
    InvoiceWrittenOff,
    Portion,
    ReceiptBooked,
    ReceiptReversed,
)  # fmt: skip
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class InvoiceFact(Fact, table=True):
    """An invoice: what was asked for, what of it was taken back or given up."""

    __tablename__ = "invoice_fact"
    __table_args__ = (sa.Index("invoice_fact_on", "issued_on"),)
    kind: ClassVar[str] = "invoice"

    deal: str = Field(default="", index=True)
    issued_on: date | None = None
    due_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    taken: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What was credited or written off: `{"on", "minor", "how"}`."""
    reduced: int = Field(default=0, sa_type=sa.BigInteger)
    """The sum of what was taken, in minor units."""
    voided_on: date | None = None


class ReceiptFact(Fact, table=True):
    """Money that came in for an invoice, unless it went back."""

    __tablename__ = "receipt_fact"
    __table_args__ = (sa.Index("receipt_fact_on", "received_on"),)
    kind: ClassVar[str] = "receipt"

    invoice: str = Field(default="", index=True)
    received_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""
    reversed_on: date | None = None


class BudgetFact(Fact, table=True):
    """What a department may spend, row by row."""

    __tablename__ = "budget_fact"
    kind: ClassVar[str] = "budget"

    department: str = ""
    start: date | None = None
    end: date | None = None
    currency: str = ""
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)


class ExpenseFact(Fact, table=True):
    """What a department has spent."""

    __tablename__ = "expense_fact"
    __table_args__ = (sa.Index("expense_fact_on", "spent_on"),)
    kind: ClassVar[str] = "expense"

    department: str = ""
    spent_for: str = ""
    spent_on: date | None = None
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    currency: str = ""


def _of_invoice(invoice: InvoiceFact) -> Iterator[Cell]:
    if invoice.issued_on is None or invoice.voided_on is not None:
        return
    yield from cells("invoiced", invoice.issued_on, {ALL: ""}, amount=invoice.amount, currency=invoice.currency)
    for each in invoice.taken:
        on = date.fromisoformat(each["on"])
        yield from cells(each["how"], on, {ALL: ""}, amount=each["minor"], currency=invoice.currency)


def _of_receipt(receipt: ReceiptFact) -> Iterator[Cell]:
    if receipt.received_on is None or receipt.reversed_on is not None:
        return
    yield from cells("received", receipt.received_on, {ALL: ""}, amount=receipt.amount, currency=receipt.currency)


def _of_expense(expense: ExpenseFact) -> Iterator[Cell]:
    if expense.spent_on is None:
        return
    along = {ALL: "", "department": expense.department, "kind": expense.spent_for}
    yield from cells("spent", expense.spent_on, along, amount=expense.amount, currency=expense.currency)


invoices = Facts(InvoiceFact, sums=Tally, cells=_of_invoice)
receipts = Facts(ReceiptFact, sums=Tally, cells=_of_receipt)
budgets = Facts(BudgetFact)
expenses = Facts(ExpenseFact, sums=Tally, cells=_of_expense)


@invoices.on(InvoiceEntered)
def enter(invoice: InvoiceFact, event: InvoiceEntered) -> None:
    invoice.deal, invoice.issued_on, invoice.due_on = event.deal, event.on, event.due_on
    invoice.amount, invoice.currency = event.amount.minor, event.amount.currency
    invoice.total, invoice.total_currency = invoice.amount, invoice.currency


@invoices.on(InvoiceCredited)
def credit(invoice: InvoiceFact, event: InvoiceCredited) -> None:
    _take(invoice, event, "credited")


@invoices.on(InvoiceWrittenOff)
def write_off(invoice: InvoiceFact, event: InvoiceWrittenOff) -> None:
    _take(invoice, event, "written_off")


def _take(invoice: InvoiceFact, event: InvoiceCredited | InvoiceWrittenOff, how: str) -> None:
    taken = {"on": event.on.isoformat(), "minor": event.amount.minor, "how": how}
    invoice.taken = [*invoice.taken, taken]
    invoice.reduced += event.amount.minor


@invoices.on(InvoiceVoided)
def void(invoice: InvoiceFact, event: InvoiceVoided) -> None:
    invoice.voided_on, invoice.total, invoice.total_currency = event.on, 0, ""


@receipts.on(ReceiptBooked)
def book_receipt(receipt: ReceiptFact, event: ReceiptBooked) -> None:
    receipt.invoice, receipt.received_on = event.invoice, event.on
    receipt.amount, receipt.currency = event.amount.minor, event.amount.currency
    receipt.total, receipt.total_currency = receipt.amount, receipt.currency


@receipts.on(ReceiptReversed)
def reverse(receipt: ReceiptFact, event: ReceiptReversed) -> None:
    receipt.reversed_on, receipt.total, receipt.total_currency = event.on, 0, ""


@budgets.on(BudgetPlanned)
def plan(budget: BudgetFact, event: BudgetPlanned) -> None:
    budget.department, budget.start, budget.end = event.department, event.start, event.end
    _spread(budget, event.amount.minor, event.amount.currency, event.rows)


@budgets.on(BudgetChanged)
def change_budget(budget: BudgetFact, event: BudgetChanged) -> None:
    _spread(budget, event.amount.minor, event.amount.currency, event.rows)


def _spread(budget: BudgetFact, amount: int, currency: str, rows: tuple[Portion, ...]) -> None:
    budget.amount, budget.currency = amount, currency
    budget.total, budget.total_currency = amount, currency
    budget.rows = [
        {"from": row.start.isoformat(), "to": row.end.isoformat(), "minor": row.amount.minor} for row in rows
    ]


@expenses.on(ExpenseBooked)
def book_expense(expense: ExpenseFact, event: ExpenseBooked) -> None:
    expense.department, expense.spent_for, expense.spent_on = event.department, event.spent_for, event.on
    expense.amount, expense.currency = event.amount.minor, event.amount.currency
    expense.total, expense.total_currency = expense.amount, expense.currency
