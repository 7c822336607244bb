"""Invoices of won deals and the money that comes in for them. Net of tax; entered or imported, never made here."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import (
    InvoiceCredited,
    InvoiceEntered,
    InvoiceVoided,
    InvoiceWrittenOff,
    ReceiptBooked,
    ReceiptReversed,
)  # fmt: skip
from shared.money import Money
from shared.store import Entity
from shared.store.types import MoneyText


class DealIsNotWon(Refused):
    """Only a won deal is invoiced; this one is {status}."""

    at = "/deal"


class OtherCurrency(Refused):
    """The deal was won in {deal}; an invoice for it cannot be in {given}."""

    status, at = 422, "/amount/currency"


class InvoicedBeyondValue(Refused):
    """The deal is worth {value} and {invoiced} of it is invoiced; another {amount} would be more than it is worth."""

    at = "/amount"


class DueBeforeWritten(Refused):
    """An invoice of {on} cannot be due on {due_on}."""

    status, at = 422, "/due_on"


class InvoiceIsVoid(Refused):
    """This invoice was voided on {on}."""


class InvoiceHasReceipts(Refused):
    """This invoice has receipts of {received}; reverse them before it is voided."""


class MoreThanOpen(Refused):
    """Of this invoice {open} can be taken back or given up; {amount} is more."""

    at = "/amount"


class ReceiptIsReversed(Refused):
    """This receipt was reversed on {on}."""


class Invoice(Entity, table=True):
    """What a customer was asked to pay for a won deal."""

    kind: ClassVar[str] = "invoice"
    prefix: ClassVar[str] = "inv"

    deal: str = Field(index=True)
    amount: Money = Field(sa_type=MoneyText)
    tax: Money | None = Field(default=None, sa_type=MoneyText)
    on: date
    due_on: date
    credited: Money = Field(sa_type=MoneyText)
    written_off: Money = Field(sa_type=MoneyText)
    voided_on: date | None = None

    def worth(self) -> Money | None:
        """What was invoiced, as long as it counts."""
        return self.amount if self.voided_on is None else None

    @classmethod
    def enter(
        cls, *, amount: Money, on: date, due_on: date, value: Money, invoiced: Money, **fields: Any
    ) -> tuple[Self, InvoiceEntered]:
        """Enter an invoice for a deal of a value of which some may be invoiced already."""
        if amount.currency != value.currency:
            raise OtherCurrency(deal=value.currency, given=amount.currency)
        if invoiced + amount > value:
            raise InvoicedBeyondValue(value=value, invoiced=invoiced, amount=amount)
        if due_on < on:
            raise DueBeforeWritten(on=on, due_on=due_on)
        nothing = Money.zero(amount.currency)
        invoice = cls.make(amount=amount, on=on, due_on=due_on, credited=nothing, written_off=nothing, **fields)
        return invoice, InvoiceEntered(
            deal=invoice.deal, amount=amount, on=on, due_on=due_on, tax=invoice.tax, externals=invoice.externals
        )

    def credit(self, amount: Money, on: date) -> InvoiceCredited:
        """Take a part of it back."""
        self._refuse_beyond(amount)
        self.credited = self.credited + amount
        return InvoiceCredited(amount=amount, on=on)

    def write_off(self, amount: Money, on: date) -> InvoiceWrittenOff:
        """Give a part of it up."""
        self._refuse_beyond(amount)
        self.written_off = self.written_off + amount
        return InvoiceWrittenOff(amount=amount, on=on)

    def void(self, on: date, received: Money) -> InvoiceVoided:
        """Make it count no more."""
        self.refuse_if_void()
        if received.minor:
            raise InvoiceHasReceipts(received=received)
        self.voided_on = on
        return InvoiceVoided(on=on)

    def refuse_if_void(self) -> None:
        """A voided invoice takes nothing any more."""
        if self.voided_on is not None:
            raise InvoiceIsVoid(on=self.voided_on)

    def _refuse_beyond(self, amount: Money) -> None:
        self.refuse_if_void()
        still_open = self.amount - self.credited - self.written_off
        if amount > still_open:
            raise MoreThanOpen(open=still_open, amount=amount)


class Receipt(Entity, table=True):
    """Money that came in for an invoice. More than was asked for is taken, and shown as an over-payment."""

    kind: ClassVar[str] = "receipt"
    prefix: ClassVar[str] = "rcpt"

    invoice: str = Field(index=True)
    amount: Money = Field(sa_type=MoneyText)
    on: date
    reversed_on: date | None = None

    def worth(self) -> Money | None:
        """What came in, unless it went back."""
        return self.amount if self.reversed_on is None else None

    @classmethod
    def book(cls, *, invoice: str, amount: Money, on: date, **identity: Any) -> tuple[Self, ReceiptBooked]:
        """Book money that has come in."""
        receipt = cls.make(invoice=invoice, amount=amount, on=on, **identity)
        return receipt, ReceiptBooked(invoice=invoice, amount=amount, on=on, externals=receipt.externals)

    def reverse(self, on: date) -> ReceiptReversed:
        """Record that the money has gone back."""
        if self.reversed_on is not None:
            raise ReceiptIsReversed(on=self.reversed_on)
        self.reversed_on = on
        return ReceiptReversed(on=on)
