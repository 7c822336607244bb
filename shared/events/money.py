"""What targets tells of money: invoices and receipts, budgets and expenses, and what currencies are worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money
from shared.period import Period


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a member or a product has of an amount."""

    of: str
    amount: Money


@event("concert.targets.invoice-entered.v1")
class InvoiceEntered(Event):
    """A won deal, or a part of it, has been invoiced; the amount is net of tax.

    It also says when the deal was won and for which customer and team. These cannot become untrue while the invoice
    counts: a deal with an invoice that is not voided is not reopened. It says whose the amount is, too: what each
    member has of it by the credits of the deal, and what each product by its lines, as they were when the invoice was
    entered. The parts of all members sum to the amount to the cent, and so do those of all products; a deal without
    lines has none. An amendment of the deal afterwards moves neither the amount nor whose it is. Where no member is
    said, it is not known whose it is.
    """

    deal: str
    amount: Money
    on: date
    due_on: date
    won_on: date
    tax: Money | None = None
    customer: str | None = None
    team: str | None = None
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.invoice-credited.v1")
class InvoiceCredited(Event):
    """A part of what an invoice asks for is not asked for any more, from a day on; the event says whose that is."""

    amount: Money
    on: date
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()


@event("concert.targets.invoice-written-off.v1")
class InvoiceWrittenOff(Event):
    """A part of what an invoice asks for is not expected any more, from a day on; the event says whose that is."""

    amount: Money
    on: date
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()


@event("concert.targets.invoice-credit-cancelled.v1")
class InvoiceCreditCancelled(Event):
    """A credit was a mistake: so much of it is asked for again, from a day on; the event says whose that is.

    Until that day it was not asked for. The reason is kept by targets, as it is of what is recovered.
    """

    amount: Money
    on: date
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()


@event("concert.targets.invoice-recovered.v1")
class InvoiceRecovered(Event):
    """So much of what was written off is expected again, from a day on; the event says whose that is."""

    amount: Money
    on: date
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()


@event("concert.targets.invoice-voided.v1")
class InvoiceVoided(Event):
    """An invoice was issued in error; it counts nowhere, as if it had not been issued."""

    on: date


@event("concert.targets.receipt-booked.v1")
class ReceiptBooked(Event):
    """Money has come in for an invoice.

    `applied` is the part that settles the invoice; what was paid beyond it stays on account. The invoice's days,
    customer and team are those of the invoice and do not change. It is whose the invoice is: what settles it
    in proportion to what was outstanding of each, so that of an invoice that is paid nothing is left of anybody.
    """

    invoice: str
    amount: Money
    applied: Money
    on: date
    invoiced_on: date
    due_on: date
    customer: str | None = None
    team: str | None = None
    members: tuple[Part, ...] = ()
    products: tuple[Part, ...] = ()
    settled_members: tuple[Part, ...] = ()
    """What each member has of the applied part; so do the products."""
    settled_products: tuple[Part, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.receipt-reversed.v1")
class ReceiptReversed(Event):
    """Money that had come in went back on a day; until then it was there."""

    on: date


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a budget plans from a day on, until the next of its days."""

    on: date
    amount: Money


@event("concert.targets.budget-planned.v1")
class BudgetPlanned(Event):
    """A department may spend so much in a period; the rows say when, and sum to the amount."""

    department: str
    period: Period
    amount: Money
    on_overrun: str
    rows: tuple[Planned, ...]
    externals: dict[str, str] = field(default_factory=dict)
    on_month_overrun: str = "ignore"
    """What happens when more is spent by the end of a row than is planned by then."""


@event("concert.targets.budget-changed.v1")
class BudgetChanged(Event):
    """A budget has another amount, other rows, or does something else when it is overrun; the event says all of it."""

    amount: Money
    on_overrun: str
    rows: tuple[Planned, ...]
    on_month_overrun: str = "ignore"


@event("concert.targets.expense-booked.v1")
class ExpenseBooked(Event):
    """A department has spent money on something of a kind.

    It may say for which team, member, customer or product; the team is its member's of that day where none was named.
    """

    department: str
    spent_for: str
    amount: Money
    on: date
    cause: str | None = None
    """The subject that it follows from, `training/<id>`, if somebody else's fact made it."""
    team: str | None = None
    member: str | None = None
    customer: str | None = None
    product: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.expense-reversed.v1")
class ExpenseReversed(Event):
    """Money that a department had spent came back on a day; until then it was spent."""

    on: date


@event("concert.targets.rate-set.v1")
class RateSet(Event):
    """From a day on one unit of a currency is worth so much of another; the rate is a decimal string."""

    base: str
    quote: str
    on: date
    rate: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.rate-changed.v1")
class RateChanged(Event):
    """The rate of that day was another one."""

    rate: str
