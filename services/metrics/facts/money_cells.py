"""What invoices and receipts add to the sums, the whole of them or the part that some members and a product have.

Members share an amount, and so do products; what is said of no member, or of no product, is nobody's along that
dimension and counts in the whole. A part is exact in both directions, as that of a deal is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from services.metrics.facts.deal_cells import Belongs, shared_out
from services.metrics.sums import ALL, cells
from shared.facts import Cell

if TYPE_CHECKING:
    from services.metrics.facts.money import InvoiceFact, ReceiptFact

DUE = "due"
"""A dimension of the sums: the day on which what is owed is due."""
NOBODY: Final = ""
Parts = Mapping[str, Mapping[str, int]]
"""What `members` and `products` have of an amount, in minor units."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose part of money is asked for: of members, where `belongs` says who counts on a day, and of one product."""

    belongs: Belongs | None = None
    product: str | None = None

    def of(self, amount: int, parts: Parts, day: date) -> tuple[int, Mapping[str, int], Mapping[str, int]] | None:
        """The part of an amount that is asked for, what each member has of it and what each product; none if nothing
        of it is."""
        members, products = (_with_rest(parts.get(name, {}), amount) for name in ("members", "products"))
        if self.belongs is None and self.product is None:
            return amount, members, products
        mine = [place for place, key in enumerate(members) if self.belongs is None or self.belongs(key, day)]
        made = [place for place, key in enumerate(products) if self.product in (None, key)]
        if not mine or not made:
            return None
        table = shared_out(list(products.values()), list(members.values()))
        names, sold = list(members), list(products)
        by_member = {names[column]: sum(table[row][column] for row in made) for column in mine}
        by_product = {sold[row]: sum(table[row][column] for column in mine) for row in made}
        return sum(by_member.values()), by_member, by_product


@dataclass(frozen=True, slots=True)
class _Shared:
    """The cells of amounts of one currency along what they are whole of, and along those who share them."""

    asked: Asked
    along: Mapping[str, str | None]
    currency: str

    def cells(
        self, measure: str, day: date, amount: int, parts: Parts, *, sign: int = 1, count: int = 1, due: str = ""
    ) -> Iterator[Cell]:
        found = self.asked.of(amount, parts, day)
        if found is None:
            return
        part, members, products = found
        along = {**self.along, DUE: due} if due else self.along
        yield from cells(measure, day, along, count=count, amount=sign * part, currency=self.currency)
        for dim, shares in (("member", members), ("product", products)):
            for key, share in shares.items():
                # A part is money only, as a credit of a deal is.
                yield from cells(measure, day, {dim: key}, count=0, amount=sign * share, currency=self.currency)


def invoice_cells(invoice: InvoiceFact, asked: Asked = Asked()) -> Iterator[Cell]:
    """What an invoice adds: its amount on its day and on the day its deal was won; what it leaves owed until when."""
    if invoice.issued_on is None or invoice.due_on is None or invoice.won_on is None or invoice.voided_on is not None:
        return
    shared = _Shared(asked, {ALL: "", "team": invoice.team, "customer": invoice.customer}, invoice.currency)
    due, amount, parts = invoice.due_on.isoformat(), invoice.amount, invoice.parts
    yield from shared.cells("invoiced", invoice.issued_on, amount, parts)
    yield from shared.cells("invoiced_of_won", invoice.won_on, amount, parts)
    yield from shared.cells("owed", invoice.issued_on, amount, parts, due=due)
    for each in invoice.taken:
        on, minor, whose = date.fromisoformat(each["on"]), each["minor"], each.get("parts", {})
        sign = each.get("sign", 1)
        yield from shared.cells(each["how"], on, minor, whose, sign=sign)
        yield from shared.cells("taken_of_invoiced", invoice.issued_on, minor, whose, sign=sign)
        yield from shared.cells("owed", on, minor, whose, sign=-sign, due=due)


def taken_before(taken: Sequence[Mapping[str, Any]], day: date) -> int:
    """What was taken off an invoice before a day and not taken back by then, in minor units."""
    return sum(each.get("sign", 1) * each["minor"] for each in taken if each["on"] < day.isoformat())


def receipt_cells(receipt: ReceiptFact, asked: Asked = Asked()) -> Iterator[Cell]:
    """What a receipt adds on its day, and takes away on the day it is reversed: money, and what it settles."""
    if receipt.received_on is None or receipt.due_on is None or receipt.invoiced_on is None:
        return
    shared = _Shared(asked, {ALL: "", "team": receipt.team, "customer": receipt.customer}, receipt.currency)
    due, over = receipt.due_on.isoformat(), receipt.amount - receipt.applied
    beyond = _without(receipt.parts, receipt.settled)
    moves = [(receipt.received_on, 1)] + ([(receipt.reversed_on, -1)] if receipt.reversed_on else [])
    for day, sign in moves:
        yield from shared.cells("received", day, receipt.amount, receipt.parts, sign=sign, count=sign)
        yield from shared.cells("owed", day, receipt.applied, receipt.settled, sign=-sign, due=due)
        if over:
            yield from shared.cells("overpaid", day, over, beyond, sign=sign, count=sign)
    if receipt.reversed_on is None:
        yield from shared.cells("settled_of_invoiced", receipt.invoiced_on, receipt.applied, receipt.settled)


def _with_rest(shares: Mapping[str, int], amount: int) -> Mapping[str, int]:
    """What is shared of an amount, and what of it is nobody's."""
    rest = amount - sum(shares.values())
    return {**shares, NOBODY: rest} if rest else shares


def _without(parts: Parts, others: Parts) -> Parts:
    return {
        name: {key: left for key, share in shares.items() if (left := share - others.get(name, {}).get(key, 0))}
        for name, shares in parts.items()
    }
