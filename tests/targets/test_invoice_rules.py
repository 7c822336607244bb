"""The rules of invoices and receipts, without anything around them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.targets.domain.deals import Deal, Sold
from services.targets.domain.invoices import (
    BeforeTheInvoice,
    DealIsNotWon,
    DueBeforeIssued,
    Invoice,
    InvoicedBeyondValue,
    InvoicedInAnotherCurrency,
    InvoiceIsVoid,
    MoneyHasComeIn,
    MoreThanOutstanding,
    MoreThanTakenOff,
    NotTheInvoicesCurrency,
    Receipt,
    ReceiptIsReversed,
    ReversedBeforeBooked,
    TaxInAnotherCurrency,
)
from services.targets.domain.parts import NOBODYS, Parts
from shared.events.money import InvoiceCredited, InvoiceRecovered, InvoiceVoided, Part
from shared.money import Money
from tests.targets.bodies import day, euros, invoice_of, open_deal, won_deal

NOTHING = euros("0.00")


def book(amount: str, applied: str = "0.00", of: str = "100.00") -> Receipt:
    invoice = invoice_of(won_deal(), of)
    booked: dict[str, Any] = {"on": day("2026-03-01"), "id": "rcpt_1", "externals": {}}
    return Receipt.book(invoice, amount=euros(amount), applied=euros(applied), **booked)[0]


def test_an_invoice_carries_the_day_its_deal_was_won_and_for_whom() -> None:
    invoice = invoice_of(won_deal(), "40.00")
    assert (invoice.won_on, invoice.customer, invoice.team) == (day("2026-02-01"), "cust_1", "team_1")
    assert invoice.worth() == euros("40.00")


def test_only_a_won_deal_is_invoiced() -> None:
    with pytest.raises(DealIsNotWon, match="open"):
        invoice_of(open_deal(), "40.00")


def test_the_invoices_of_a_deal_never_exceed_its_value() -> None:
    with pytest.raises(InvoicedBeyondValue, match=r"worth 100\.00 EUR and 70\.00 EUR .* 30\.01 EUR .* 30\.00 EUR"):
        invoice_of(won_deal(), "30.01", invoiced=euros("70.00"))
    assert invoice_of(won_deal(), "30.00", invoiced=euros("70.00")).amount == euros("30.00")


def test_an_invoice_is_in_the_currency_of_its_deal_and_so_is_its_tax() -> None:
    deal = won_deal()
    with pytest.raises(InvoicedInAnotherCurrency, match="won in EUR; it cannot be invoiced in USD"):
        type(invoice_of(deal, "1.00")).issue(
            deal, amount=Money("1.00", "USD"), on=day("2026-02-10"), due_on=day("2026-02-10"), invoiced=None, tax=None
        )
    with pytest.raises(TaxInAnotherCurrency):
        invoice_of(deal, "1.00", tax=Money("1.00", "USD"))


def test_an_invoice_is_not_due_before_it_is_issued() -> None:
    with pytest.raises(DueBeforeIssued, match="2026-02-10 cannot be due on 2026-02-09"):
        invoice_of(won_deal(), "40.00", due_on=day("2026-02-09"))


def test_credits_and_write_offs_leave_less_to_ask_for_and_never_take_more_than_is_outstanding() -> None:
    invoice = invoice_of(won_deal(), "100.00")
    credited = invoice.credit(euros("30.00"), day("2026-02-12"), NOTHING)
    adas = (Part(of="mbr_a", amount=euros("30.00")),)
    assert credited == InvoiceCredited(amount=euros("30.00"), on=day("2026-02-12"), members=adas)
    invoice.write_off(euros("10.00"), day("2026-02-12"), NOTHING)
    assert invoice.asked == euros("60.00")
    with pytest.raises(MoreThanOutstanding, match=r"10\.00 EUR is outstanding; 10\.01 EUR is more"):
        invoice.credit(euros("10.01"), day("2026-02-13"), euros("50.00"))
    assert invoice.worth() == euros("100.00")


def test_what_was_taken_off_is_asked_for_again_from_a_day_on_and_never_more_than_that() -> None:
    invoice = invoice_of(won_deal(), "100.00")
    invoice.credit(euros("30.00"), day("2026-02-12"), NOTHING)
    invoice.write_off(euros("70.00"), day("2026-03-01"), NOTHING)
    recovered = invoice.recover(euros("50.00"), day("2026-04-01"), "The court said so")
    adas = (Part(of="mbr_a", amount=euros("50.00")),)
    assert recovered == InvoiceRecovered(amount=euros("50.00"), on=day("2026-04-01"), members=adas)
    invoice.cancel_credit(euros("10.00"), day("2026-04-02"), "Another invoice was meant")
    assert invoice.asked == euros("60.00")
    assert [each.get("reason") for each in invoice.write_offs] == [None, "The court said so"]
    for act, amount, on, words in (
        (invoice.recover, "20.01", "2026-04-03", r"20\.00 EUR is written off on 2026-04-03 and not taken back; 20\.01"),
        (invoice.cancel_credit, "20.01", "2026-04-03", r"20\.00 EUR is credited"),
        (invoice.recover, "1.00", "2026-02-28", r"0\.00 EUR is written off on 2026-02-28"),
    ):
        with pytest.raises(MoreThanTakenOff, match=words):
            act(euros(amount), day(on), "more")


def test_nothing_is_taken_off_an_invoice_before_it_is_issued() -> None:
    with pytest.raises(BeforeTheInvoice):
        invoice_of(won_deal(), "100.00").credit(euros("1.00"), day("2026-02-09"), NOTHING)


def test_a_voided_invoice_counts_nowhere_and_takes_nothing_any_more() -> None:
    invoice = invoice_of(won_deal(), "100.00")
    assert invoice.void(day("2026-02-20"), NOTHING) == InvoiceVoided(on=day("2026-02-20"))
    assert invoice.worth() is None
    for again in (
        lambda: invoice.void(day("2026-02-21"), NOTHING),
        lambda: invoice.credit(euros("1.00"), day("2026-02-21"), NOTHING),
        lambda: Receipt.book(invoice, amount=euros("1.00"), on=day("2026-02-21"), applied=NOTHING),
    ):
        with pytest.raises(InvoiceIsVoid, match="2026-02-20"):
            again()


def test_an_invoice_for_which_money_has_come_in_is_not_voided() -> None:
    with pytest.raises(MoneyHasComeIn, match=r"20\.00 EUR"):
        invoice_of(won_deal(), "100.00").void(day("2026-02-20"), euros("20.00"))


def test_a_receipt_settles_what_is_outstanding_and_the_rest_stays_on_account() -> None:
    assert book("60.00").applied == euros("60.00")
    over = book("60.00", applied="70.00")
    assert (over.amount, over.applied) == (euros("60.00"), euros("30.00"))
    assert over.worth() == euros("60.00")


def test_an_invoice_is_settled_and_reduced_in_its_own_currency_only() -> None:
    invoice, dollar = invoice_of(won_deal(), "1.00"), Money("1.00", "USD")
    with pytest.raises(NotTheInvoicesCurrency, match="in EUR; an amount in USD"):
        Receipt.book(invoice, amount=dollar, on=day("2026-03-01"), applied=NOTHING)
    with pytest.raises(NotTheInvoicesCurrency):
        invoice.credit(dollar, day("2026-03-01"), NOTHING)


def test_a_receipt_is_reversed_once_and_not_before_the_money_came_in() -> None:
    receipt = book("60.00")
    with pytest.raises(ReversedBeforeBooked, match="2026-03-01"):
        receipt.reverse(day("2026-02-28"))
    receipt.reverse(day("2026-03-05"))
    assert receipt.worth() is None
    with pytest.raises(ReceiptIsReversed, match="2026-03-05"):
        receipt.reverse(day("2026-03-06"))


def shared_deal(shares: list[int], lines: list[int]) -> Deal:
    """A deal that members share in proportion to some numbers, won in lines of so many cents."""
    deal = open_deal()
    whole = sum(shares)
    dealt = [Decimal(share * 1000 // whole) / 1000 for share in shares[1:]]
    credits = [1 - sum(dealt, Decimal(0)), *dealt]
    sold = [Sold(f"prod_{place}", Decimal(1), Money.of_minor(cents, "EUR"), None) for place, cents in enumerate(lines)]
    named = [(f"mbr_{place}", share) for place, share in enumerate(credits)]
    deal.win(day("2026-02-01"), Money.of_minor(sum(lines), "EUR"), sold, named, [])
    return deal


def minors(parts: Parts) -> tuple[dict[str, int], dict[str, int]]:
    """What each has that has anything."""
    members, products = (
        {key: part.minor for key, part in shares.items() if part.minor} for shares in (parts.members, parts.products)
    )
    return members, products


cents = st.integers(1, 10**6)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=4), st.lists(cents, min_size=1, max_size=4),
       st.lists(cents, max_size=4), st.lists(cents, max_size=5))  # fmt: skip
def test_however_a_deal_is_invoiced_and_paid_nobody_has_more_than_their_part_and_in_the_end_all_of_it(
    shares: list[int], lines: list[int], invoices: list[int], payments: list[int]
) -> None:
    deal = shared_deal(shares, lines)
    whole, others, left = Parts.of_deal(deal), NOBODYS, sum(lines)
    for asked in [*invoices, left]:
        if not 0 < asked <= left:
            continue
        issued: dict[str, Any] = {"invoiced": Money.of_minor(sum(lines) - left, "EUR"), "others": others}
        invoice = invoice_of(deal, Money.of_minor(asked, "EUR").text, **issued)
        others, left = others + Parts.kept(invoice.parts), left - asked
        settle(invoice, payments)
    if left == 0:
        assert minors(others) == minors(whole)


def settle(invoice: Invoice, payments: list[int]) -> None:
    """Pay an invoice until nothing of it is left of anybody."""
    settled, applied = NOBODYS, 0
    for paid in [*payments, invoice.amount.minor]:
        half = (invoice.asked.minor - applied) // 2
        if half:
            credited = invoice.credit(
                Money.of_minor(half, "EUR"), day("2026-03-01"), Money.of_minor(applied, "EUR"), settled
            )
            assert sum(part.amount.minor for part in credited.members) == half
            back = invoice.cancel_credit(Money.of_minor(half - half // 3, "EUR"), day("2026-03-01"), "too much")
            assert sum(part.amount.minor for part in back.members) == half - half // 3
            assert invoice.outstanding_of(settled).members
        booked: dict[str, Any] = {"on": day("2026-03-01"), "id": "rcpt_1", "externals": {}}
        receipt, event = Receipt.book(
            invoice,
            amount=Money.of_minor(paid, "EUR"),
            applied=Money.of_minor(applied, "EUR"),
            settled=settled,
            **booked,
        )
        for parts, amount in ((event.members, paid), (event.products, paid),
                              (event.settled_members, receipt.applied.minor),
                              (event.settled_products, receipt.applied.minor)):  # fmt: skip
            assert sum(part.amount.minor for part in parts) == amount
        settled, applied = settled + Parts.kept(receipt.settled), applied + receipt.applied.minor
        of_each = [part for shares in minors(invoice.outstanding_of(settled)) for part in shares.values()]
        assert all(part >= 0 for part in of_each)
    assert minors(invoice.outstanding_of(settled)) == ({}, {})
