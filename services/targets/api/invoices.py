"""`/v1/invoices` and `/v1/receipts`: what was asked for won deals, and what came in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.targets.domain.customers import Customer
from services.targets.domain.deals import Deal
from services.targets.domain.invoices import Invoice, Receipt
from services.targets.domain.parts import NOBODYS, Parts
from shared.errors import Fault, Invalid
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import KnownTeam, today
from shared.money import Money, NonNegative, Positive
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

DAYS_TO_PAY = 30
_invoice = Invoice.__table__.c  # type: ignore[attr-defined]
_receipt = Receipt.__table__.c  # type: ignore[attr-defined]
_OF_DEAL = sa.select(Invoice).where(_invoice.deal == sa.bindparam("deal"), _invoice.status != "void")
_OF_INVOICE = sa.select(Receipt).where(_receipt.invoice == sa.bindparam("invoice"), _receipt.reversed_on.is_(None))
_OF_INVOICES = sa.select(Receipt).where(OneOf(_receipt.invoice, "invoices"), _receipt.reversed_on.is_(None))


class Settlement(BaseModel):
    """How far an invoice is settled; not said of a past day."""

    received: Money | None = Field(default=None, description="what has come in for it and not gone back")
    outstanding: Money | None = Field(default=None, description="amount - credits - write-offs - what was settled")


async def _present(snapshot: Snapshot, found: Sequence[Invoice], reader: Principal | None) -> list[dict[str, Any]]:
    booked = await snapshot.all(Receipt, _OF_INVOICES, invoices=[invoice.id for invoice in found])
    items = []
    for invoice in found:
        mine = [receipt for receipt in booked if receipt.invoice == invoice.id]
        received, applied = _sums(invoice, mine)
        outstanding = invoice.asked - applied if invoice.status != "void" else Money.zero(applied.currency)
        taken = {"credits": _told(invoice.credits), "write_offs": _told(invoice.write_offs)}
        items.append(shown(invoice) | taken | {"received": received, "outstanding": outstanding})
    return items


def _told(taken: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was taken off, or taken back with a minus, without whose that was."""
    return [{name: value for name, value in each.items() if name != "parts"} for each in taken]


def _sums(invoice: Invoice, booked: Sequence[Receipt]) -> tuple[Money, Money]:
    """What came in by these receipts, and what of it settles the invoice."""
    currency = invoice.amount.currency
    received = Money.total((receipt.amount for receipt in booked), currency)
    return received, Money.total((receipt.applied for receipt in booked), currency)


def _invoice_on(invoice: Any, day: date) -> dict[str, Any] | None:
    if day < invoice.on:
        return None
    text = day.isoformat()
    known: dict[str, Any] = {
        "credits": _told([each for each in invoice.credits if each["on"] <= text]),
        "write_offs": _told([each for each in invoice.write_offs if each["on"] <= text]),
        "received": None,
        "outstanding": None,
    }
    if invoice.voided_on is not None and day < invoice.voided_on:
        known |= {"status": "issued", "voided_on": None}
    return known


def _receipt_on(receipt: Any, day: date) -> dict[str, Any] | None:
    if day < receipt.on:
        return None
    return {"reversed_on": None} if receipt.reversed_on is not None and day < receipt.reversed_on else {}


invoices = Collection(
    Invoice,
    "invoices",
    filters={"deal": "deal", "customer": "customer", "team": "team", "status": "status"},
    refs={"deal": Deal, "customer": Customer, "team": KnownTeam},
    present=_present,
    extra=Settlement,
    on_day=_invoice_on,
)
receipts = Collection(
    Receipt, "receipts", filters={"invoice": "invoice"}, refs={"invoice": Invoice}, on_day=_receipt_on
)


class IssueInvoice(Named):
    """What a customer was asked to pay for a won deal or a part of it, net of tax."""

    deal: Ref = Field(examples=["ext:hubspot:9087"])
    amount: Positive
    tax: NonNegative | None = Field(default=None, description="what the customer pays on top; not part of any figure")
    on: Day | None = None
    due_on: Day | None = Field(default=None, description=f"{DAYS_TO_PAY} days after it was issued if it is not sent")


class TakeOff(Body):
    """A part of an invoice that is not asked for any more."""

    amount: Positive
    on: Day | None = None


class TakeBack(Body):
    """What of a credit or a write-off is asked for again, from which day on, and why."""

    amount: Positive
    reason: Text = Field(description="stays here: no event carries it")
    on: Day | None = None


class VoidInvoice(Body):
    """The day on which an invoice is taken back as an error."""

    on: Day | None = None


class BookReceipt(Named):
    """Money that came in for an invoice, net of tax."""

    invoice: Ref = Field(examples=["ext:ledger:2026-0017"])
    amount: Positive
    on: Day | None = None


class ReverseReceipt(Body):
    """The day on which the money went back."""

    on: Day | None = None


@invoices.create
async def issue_invoice(tx: Tx, body: IssueInvoice) -> Invoice:
    """Record an invoice for a won deal; the invoices of a deal never exceed its value."""
    # The deal is locked, so that two invoices cannot both see the same room.
    deal = await tx.seek(Deal, body.deal)
    if deal is None:
        raise Invalid(f"/deal: there is no deal {body.deal}.", [Fault("/deal", f"there is no deal {body.deal}")])
    on = body.on or await today(tx)
    others = await _issued(tx, deal)
    invoice, issued = Invoice.issue(
        deal,
        amount=body.amount,
        on=on,
        due_on=body.due_on or on + timedelta(days=DAYS_TO_PAY),
        invoiced=_asked_by(others),
        tax=body.tax,
        others=sum((Parts.kept(each.parts) for each in others), NOBODYS),
        **fresh(Invoice, body),
    )
    return tx.save(invoice, issued)


@invoices.verb("credit")
async def credit_invoice(tx: Tx, invoice: Invoice, body: TakeOff) -> Invoice:
    """Ask for less than the invoice did."""
    on = body.on or await today(tx)
    booked = await _booked(tx, invoice)
    return tx.save(invoice, invoice.credit(body.amount, on, _sums(invoice, booked)[1], _whose(booked)))


@invoices.verb("write-off")
async def write_off_invoice(tx: Tx, invoice: Invoice, body: TakeOff) -> Invoice:
    """Stop expecting a part of an invoice."""
    on = body.on or await today(tx)
    booked = await _booked(tx, invoice)
    return tx.save(invoice, invoice.write_off(body.amount, on, _sums(invoice, booked)[1], _whose(booked)))


@invoices.verb("cancel-credit", undoes=True)
async def cancel_credit_of_invoice(tx: Tx, invoice: Invoice, body: TakeBack) -> Invoice:
    """Take a credit back that was a mistake: it is asked for again."""
    return tx.save(invoice, invoice.cancel_credit(body.amount, body.on or await today(tx), body.reason))


@invoices.verb("recover", undoes=True)
async def recover_invoice(tx: Tx, invoice: Invoice, body: TakeBack) -> Invoice:
    """Expect again what was written off: it is paid after all, and its receipt is booked as any other."""
    return tx.save(invoice, invoice.recover(body.amount, body.on or await today(tx), body.reason))


@invoices.verb("void")
async def void_invoice(tx: Tx, invoice: Invoice, body: VoidInvoice) -> Invoice:
    """Take an invoice back that was issued in error."""
    on = body.on or await today(tx)
    return tx.save(invoice, invoice.void(on, _sums(invoice, await _booked(tx, invoice))[0]))


@receipts.create
async def book_receipt(tx: Tx, body: BookReceipt) -> Receipt:
    """Record money that came in for an invoice; what goes beyond what is outstanding stays on account."""
    invoice = await tx.seek(Invoice, body.invoice)
    if invoice is None:
        message = f"there is no invoice {body.invoice}"
        raise Invalid.at("/invoice", message)
    earlier = await _booked(tx, invoice)
    receipt, booked = Receipt.book(
        invoice,
        amount=body.amount,
        on=body.on or await today(tx),
        applied=_sums(invoice, earlier)[1],
        settled=_whose(earlier),
        **fresh(Receipt, body),
    )
    return tx.save(receipt, booked)


@receipts.verb("reverse")
async def reverse_receipt(tx: Tx, receipt: Receipt, body: ReverseReceipt) -> Receipt:
    """Record that money went back."""
    # The invoice is locked, as for every change of what settles it.
    await tx.load(Invoice, receipt.invoice)
    return tx.save(receipt, receipt.reverse(body.on or await today(tx)))


async def invoiced(tx: Tx, deal: Deal) -> Money | None:
    """What the invoices of a deal ask for that are not voided; none if there is none."""
    return _asked_by(await _issued(tx, deal))


async def _issued(tx: Tx, deal: Deal) -> Sequence[Invoice]:
    return await tx.all(Invoice, _OF_DEAL, deal=deal.id)


def _asked_by(issued: Sequence[Invoice]) -> Money | None:
    return Money.total((each.amount for each in issued), issued[0].amount.currency) if issued else None


async def _booked(tx: Tx, invoice: Invoice) -> Sequence[Receipt]:
    return await tx.all(Receipt, _OF_INVOICE, invoice=invoice.id)


def _whose(booked: Sequence[Receipt]) -> Parts:
    return sum((Parts.kept(each.settled) for each in booked), NOBODYS)
