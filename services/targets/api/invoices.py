"""`/v1/invoices` and `/v1/receipts`: what was asked for, and what came in."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from services.targets.domain.deals import Deal
from services.targets.domain.invoices import DealIsNotWon, Invoice, Receipt
from shared.errors import Fault, Invalid
from shared.http.bodies import Body, Named, Ref
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.money import Money, NonNegative, Positive
from shared.store import Tx

DAYS_TO_PAY = 30
invoices = Collection(Invoice, "invoices", filters={"deal": "deal"}, refs={"deal": "deal"})
receipts = Collection(Receipt, "receipts", filters={"invoice": "invoice"}, refs={"invoice": "invoice"})
_invoice = Invoice.__table__.c  # type: ignore[attr-defined]
_receipt = Receipt.__table__.c  # type: ignore[attr-defined]
_OF_DEAL = sa.select(Invoice).where(_invoice.deal == sa.bindparam("deal"), _invoice.voided_on.is_(None))
_OF_INVOICE = sa.select(Receipt).where(_receipt.invoice == sa.bindparam("invoice"), _receipt.reversed_on.is_(None))


class EnterInvoice(Named):
    """An invoice as it was written: net amount, tax beside it."""

    deal: Ref
    amount: Positive
    on: Day
    tax: NonNegative | None = None
    due_on: Day | None = None


class TakeFromInvoice(Body):
    """How much is taken back or given up, and when."""

    amount: Positive
    on: Day | None = None


class VoidInvoice(Body):
    """The day on which an invoice is voided."""

    on: Day | None = None


class BookReceipt(Named):
    """Money that has come in for an invoice."""

    invoice: Ref
    amount: Positive
    on: Day


class ReverseReceipt(Body):
    """The day on which money went back."""

    on: Day | None = None


@invoices.create
async def enter_invoice(tx: Tx, body: EnterInvoice) -> Invoice:
    """Enter an invoice for a won deal; together its invoices are not more than it is worth."""
    # The deal's row is the guard: two invoices at the same moment must not both see room.
    deal = await tx.seek(Deal, body.deal)
    if deal is None:
        raise Invalid(f"/deal: there is no deal {body.deal}.", [Fault("/deal", "not known")])
    if deal.status != "won" or deal.value is None:
        raise DealIsNotWon(status=deal.status)
    others = await tx.all(Invoice, _OF_DEAL, deal=deal.id)
    invoice, entered = Invoice.enter(
        deal=deal.id,
        amount=body.amount,
        tax=body.tax,
        on=body.on,
        due_on=body.due_on or body.on + timedelta(days=DAYS_TO_PAY),
        value=deal.value,
        invoiced=Money.total((other.amount for other in others), deal.value.currency),
        **fresh(Invoice, body),
    )
    return tx.save(invoice, entered)


@invoices.verb("credit")
async def credit_invoice(tx: Tx, invoice: Invoice, body: TakeFromInvoice) -> Invoice:
    """Take a part of an invoice back."""
    return tx.save(invoice, invoice.credit(body.amount, body.on or tx.now.date()))


@invoices.verb("write-off")
async def write_off_invoice(tx: Tx, invoice: Invoice, body: TakeFromInvoice) -> Invoice:
    """Give a part of an invoice up."""
    return tx.save(invoice, invoice.write_off(body.amount, body.on or tx.now.date()))


@invoices.verb("void")
async def void_invoice(tx: Tx, invoice: Invoice, body: VoidInvoice) -> Invoice:
    """Make an invoice count no more; it must have no receipts."""
    received = Money.total(
        (each.amount for each in await tx.all(Receipt, _OF_INVOICE, invoice=invoice.id)), invoice.amount.currency
    )
    return tx.save(invoice, invoice.void(body.on or tx.now.date(), received))


@receipts.create
async def book_receipt(tx: Tx, body: BookReceipt) -> Receipt:
    """Book money that has come in for an invoice."""
    invoice = await tx.seek(Invoice, body.invoice)
    if invoice is None:
        raise Invalid(f"/invoice: there is no invoice {body.invoice}.", [Fault("/invoice", "not known")])
    invoice.refuse_if_void()
    if body.amount.currency != invoice.amount.currency:
        message = f"the invoice is in {invoice.amount.currency}, not in {body.amount.currency}"
        raise Invalid(f"/amount/currency: {message}.", [Fault("/amount/currency", message)])
    receipt, booked = Receipt.book(invoice=invoice.id, amount=body.amount, on=body.on, **fresh(Receipt, body))
    return tx.save(receipt, booked)


@receipts.verb("reverse")
async def reverse_receipt(tx: Tx, receipt: Receipt, body: ReverseReceipt) -> Receipt:
    """Record that money has gone back."""
    await tx.load(Invoice, receipt.invoice)
    return tx.save(receipt, receipt.reverse(body.on or tx.now.date()))


async def invoiced(tx: Tx, deal: str) -> bool:
    """Whether a deal has invoices that count."""
    return bool(await tx.all(Invoice, _OF_DEAL, deal=deal))
