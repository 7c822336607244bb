"""Invoices and receipts: what was asked for the deals we won, and what came in. Entered or imported, never made by us.

All amounts are net of tax. An invoice is corrected by verbs: a credit or a write-off is a fact of its day, and so is
taking one of them back: a credit that was a mistake is cancelled, what was written off and is paid after all is
recovered, and from that day on it is asked for again. A voided invoice counts nowhere, as if it had not been issued.
What is paid beyond an invoice does not settle anything: it stays on account until its receipt is reversed.

An invoice is whose its deal was when it was issued: its members' by their credits, its products' by its lines; what is
agreed on later does not move it. What is taken off it and what comes in is dealt out by what is outstanding of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.targets.domain.deals import Deal
from services.targets.domain.parts import NOBODYS, Parts
from shared.errors import Refused
from shared.events.money import (
    InvoiceCreditCancelled,
    InvoiceCredited,
    InvoiceEntered,
    InvoiceRecovered,
    InvoiceVoided,
    InvoiceWrittenOff,
    ReceiptBooked,
    ReceiptReversed,
)
from shared.money import Money
from shared.store import Entity
from shared.store.types import Json, MoneyText


class DealIsNotWon(Refused):
    """Only a won deal is invoiced; this one is {status}."""


class InvoicedInAnotherCurrency(Refused):
    """The deal was won in {currency}; it cannot be invoiced in {other}."""

    status, at = 422, "/amount/currency"


class TaxInAnotherCurrency(Refused):
    """The invoice is in {currency}; its tax cannot be in {other}."""

    status, at = 422, "/tax/currency"


class InvoicedBeyondValue(Refused):
    """The deal is worth {value} and {invoiced} of it is invoiced; {amount} is more than the {left} that is left."""

    at = "/amount"


class DueBeforeIssued(Refused):
    """An invoice of {on} cannot be due on {due}."""

    status, at = 422, "/due_on"


class NotTheInvoicesCurrency(Refused):
    """The invoice is in {currency}; an amount in {other} is nothing it can be settled with."""

    status, at = 422, "/amount/currency"


class InvoiceIsVoid(Refused):
    """This invoice was voided on {on}."""


class BeforeTheInvoice(Refused):
    """The invoice was issued on {issued}; this cannot happen on {on}."""

    status, at = 422, "/on"


class MoreThanOutstanding(Refused):
    """Of this invoice {outstanding} is outstanding; {amount} is more than that."""

    at = "/amount"


class MoreThanTakenOff(Refused):
    """Of this invoice {left} is {how} on {on} and not taken back; {amount} is more than that."""

    at = "/amount"


class MoneyHasComeIn(Refused):
    """{received} has come in for this invoice; reverse its receipts before it is voided."""


class ReceiptIsReversed(Refused):
    """This receipt was reversed on {on}."""


class ReversedBeforeBooked(Refused):
    """The money came in on {booked}; it cannot have gone back on {on}."""

    status, at = 422, "/on"


class Invoice(Entity, table=True):
    """What a customer was asked to pay for a won deal, or for a part of it."""

    __table_args__ = (sa.Index("invoice_deal", "deal"),)
    kind: ClassVar[str] = "invoice"
    prefix: ClassVar[str] = "inv"
    hidden: ClassVar[frozenset[str]] = frozenset({"parts", "taken"})

    deal: str
    customer: str | None = Field(default=None, index=True)
    team: str | None = Field(default=None, index=True)
    status: str = "issued"
    amount: Money = Field(sa_type=MoneyText)
    tax: Money | None = Field(default=None, sa_type=MoneyText)
    on: date
    due_on: date
    won_on: date
    credits: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Dated: `{"on": day, "amount": money}`, in the order in which they were recorded; what was taken back stands among
    them with a minus and its reason. So do the write-offs."""
    write_offs: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    voided_on: date | None = None
    parts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Whose it is, as it was issued."""
    taken: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Whose the credits and write-offs are, together."""

    def worth(self) -> Money | None:
        """An invoice adds its amount to the books while it is not voided."""
        return None if self.status == "void" else self.amount

    @property
    def asked(self) -> Money:
        """What is still asked for: the amount without credits and write-offs."""
        return self.amount - _sum_of([*self.credits, *self.write_offs], self.amount.currency)

    @classmethod
    def issue(
        cls,
        deal: Deal,
        *,
        amount: Money,
        on: date,
        due_on: date,
        invoiced: Money | None,
        tax: Money | None,
        others: Parts = NOBODYS,
        **identity: Any,
    ) -> tuple[Self, InvoiceEntered]:
        """Ask for a won deal or a part of it; `invoiced` is what other invoices ask for, so far as not voided, and
        `others` whose that is."""
        if deal.status != "won" or deal.value is None or deal.closed_on is None:
            raise DealIsNotWon(status=deal.status)
        if amount.currency != deal.value.currency:
            raise InvoicedInAnotherCurrency(currency=deal.value.currency, other=amount.currency)
        if tax is not None and tax.currency != amount.currency:
            raise TaxInAnotherCurrency(currency=amount.currency, other=tax.currency)
        if due_on < on:
            raise DueBeforeIssued(on=on, due=due_on)
        left = deal.value - (invoiced or Money.zero(amount.currency))
        if amount > left:
            raise InvoicedBeyondValue(value=deal.value, invoiced=deal.value - left, amount=amount, left=left)
        whole = Parts.of_deal(deal)
        # Of a deal that was amended, earlier invoices asked for what was agreed on otherwise.
        parts = (whole if deal.amendments else whole - others).dealt(amount)
        invoice = cls.make(
            deal=deal.id, customer=deal.customer, team=deal.team, amount=amount, tax=tax, on=on, due_on=due_on,
            won_on=deal.closed_on, parts=parts.as_json(), **identity,
        )  # fmt: skip
        return invoice, InvoiceEntered(
            deal=deal.id, amount=amount, on=on, due_on=due_on, won_on=deal.closed_on, tax=tax, customer=deal.customer,
            team=deal.team, externals=invoice.externals, **parts.told(),
        )  # fmt: skip

    def credit(self, amount: Money, on: date, applied: Money, settled: Parts = NOBODYS) -> InvoiceCredited:
        """Ask for less from a day on; `applied` is what receipts have settled, and `settled` whose that is."""
        self._refuse_unless_outstanding(amount, on, applied)
        parts = self._take(amount, settled)
        self.credits = [*self.credits, _taken(on, amount, parts)]
        return InvoiceCredited(amount=amount, on=on, **parts.told())

    def write_off(self, amount: Money, on: date, applied: Money, settled: Parts = NOBODYS) -> InvoiceWrittenOff:
        """Stop expecting a part from a day on; `applied` is what receipts have settled, and `settled` whose that is."""
        self._refuse_unless_outstanding(amount, on, applied)
        parts = self._take(amount, settled)
        self.write_offs = [*self.write_offs, _taken(on, amount, parts)]
        return InvoiceWrittenOff(amount=amount, on=on, **parts.told())

    def cancel_credit(self, amount: Money, on: date, reason: str) -> InvoiceCreditCancelled:
        """Ask again, from a day on, for what was credited by mistake."""
        parts = self._give_back(amount, on, self.credits, "credited")
        self.credits = [*self.credits, _taken(on, -amount, NOBODYS - parts) | {"reason": reason}]
        return InvoiceCreditCancelled(amount=amount, on=on, **parts.told())

    def recover(self, amount: Money, on: date, reason: str) -> InvoiceRecovered:
        """Expect again, from a day on, what was written off."""
        parts = self._give_back(amount, on, self.write_offs, "written off")
        self.write_offs = [*self.write_offs, _taken(on, -amount, NOBODYS - parts) | {"reason": reason}]
        return InvoiceRecovered(amount=amount, on=on, **parts.told())

    def outstanding_of(self, settled: Parts) -> Parts:
        """Whose what is outstanding is; `settled` says whose that is which receipts have settled."""
        return Parts.kept(self.parts) - Parts.kept(self.taken) - settled

    def _take(self, amount: Money, settled: Parts) -> Parts:
        parts = self.outstanding_of(settled).dealt(amount)
        self.taken = (Parts.kept(self.taken) + parts).as_json()
        return parts

    def _give_back(self, amount: Money, on: date, taken: Sequence[dict[str, Any]], how: str) -> Parts:
        """What is theirs again of what was taken off; it goes to those whose it was."""
        self.refuse_unless_payable_in(amount)
        by_then = [each for each in taken if each["on"] <= on.isoformat()]
        left = min(_sum_of(by_then, amount.currency), _sum_of(taken, amount.currency))
        if amount > left:
            raise MoreThanTakenOff(left=left, how=how, on=on, amount=amount)
        # Of what was taken off before it was kept whose that was, it is whose all that was taken off is.
        known = all("parts" in each for each in taken)
        whose = sum((Parts.kept(each["parts"]) for each in taken), NOBODYS) if known else Parts.kept(self.taken)
        parts = whose.dealt(amount)
        self.taken = (Parts.kept(self.taken) - parts).as_json()
        return parts

    def void(self, on: date, received: Money) -> InvoiceVoided:
        """Take the invoice back as an error; `received` is what has come in for it and not gone back."""
        self._refuse_if_void()
        if on < self.on:
            raise BeforeTheInvoice(issued=self.on, on=on)
        if received.minor:
            raise MoneyHasComeIn(received=received)
        self.status, self.voided_on = "void", on
        return InvoiceVoided(on=on)

    def _refuse_if_void(self) -> None:
        if self.voided_on is not None:
            raise InvoiceIsVoid(on=self.voided_on)

    def refuse_unless_payable_in(self, amount: Money) -> None:
        """Nothing comes in for a voided invoice, and nothing in another currency."""
        self._refuse_if_void()
        if amount.currency != self.amount.currency:
            raise NotTheInvoicesCurrency(currency=self.amount.currency, other=amount.currency)

    def _refuse_unless_outstanding(self, amount: Money, on: date, applied: Money) -> None:
        self.refuse_unless_payable_in(amount)
        if on < self.on:
            raise BeforeTheInvoice(issued=self.on, on=on)
        outstanding = self.asked - applied
        if amount > outstanding:
            raise MoreThanOutstanding(outstanding=outstanding, amount=amount)


def _taken(on: date, amount: Money, parts: Parts) -> dict[str, Any]:
    return {"on": on.isoformat(), "amount": amount.as_json(), "parts": parts.as_json()}


def _sum_of(taken: Sequence[dict[str, Any]], currency: str) -> Money:
    return Money.total((Money(**each["amount"]) for each in taken), currency)


class Receipt(Entity, table=True):
    """Money that came in for an invoice."""

    kind: ClassVar[str] = "receipt"
    prefix: ClassVar[str] = "rcpt"
    hidden: ClassVar[frozenset[str]] = frozenset({"settled"})

    invoice: str = Field(index=True)
    amount: Money = Field(sa_type=MoneyText)
    applied: Money = Field(sa_type=MoneyText)
    on: date
    reversed_on: date | None = None
    settled: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Whose that is which it settles."""

    def worth(self) -> Money | None:
        """A receipt adds its amount to the books until it is reversed."""
        return None if self.reversed_on else self.amount

    @classmethod
    def book(
        cls,
        invoice: Invoice,
        *,
        amount: Money,
        on: date,
        applied: Money,
        settled: Parts = NOBODYS,
        **identity: Any,
    ) -> tuple[Self, ReceiptBooked]:
        """Take in money for an invoice, of which `applied` has been settled, and `settled` says whose that is;
        what goes beyond it stays on account."""
        invoice.refuse_unless_payable_in(amount)
        outstanding = invoice.asked - applied
        settles = min(amount, outstanding)
        own = invoice.outstanding_of(settled).dealt(settles)
        parts = own + Parts.kept(invoice.parts).dealt(amount - settles)
        receipt = cls.make(
            invoice=invoice.id, amount=amount, applied=settles, on=on, settled=own.as_json(), **identity
        )  # fmt: skip
        return receipt, ReceiptBooked(
            invoice=invoice.id, amount=amount, applied=settles, on=on, invoiced_on=invoice.on, due_on=invoice.due_on,
            customer=invoice.customer, team=invoice.team, externals=receipt.externals, **parts.told(),
            settled_members=own.told()["members"], settled_products=own.told()["products"],
        )  # fmt: skip

    def reverse(self, on: date) -> ReceiptReversed:
        """Record that the money went back."""
        if self.reversed_on is not None:
            raise ReceiptIsReversed(on=self.reversed_on)
        if on < self.on:
            raise ReversedBeforeBooked(booked=self.on, on=on)
        self.reversed_on = on
        return ReceiptReversed(on=on)
