"""The rules of deals, without anything around them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.targets.domain.crediting import CreditedTwice, CreditsDoNotSum
from services.targets.domain.deals import ClosedBeforeOpened, DealIsClosed, DealIsInvoiced, DealIsOpen, Sold
from shared.events.targets import DealReopened
from shared.money import Money
from tests.targets.bodies import day, euros, open_deal, won_deal

ON = day("2026-02-01")
ALL = [("mbr_a", Decimal(1))]


def test_a_won_deal_says_when_for_whom_and_for_how_much_it_was_won() -> None:
    deal = open_deal(customer="cust_1", team="team_1")
    event = deal.win(ON, euros("100.00"), [], [("mbr_a", Decimal("0.7")), ("mbr_b", Decimal("0.3"))], ["mbr_c"])
    assert (event.on, event.value, event.customer, event.team) == (ON, euros("100.00"), "cust_1", "team_1")
    assert [(each.member, each.amount) for each in event.credits] == [
        ("mbr_a", euros("70.00")),
        ("mbr_b", euros("30.00")),
    ]
    assert event.assists == ("mbr_c",)
    assert (deal.status, deal.worth()) == ("won", euros("100.00"))


def test_a_deal_cannot_be_won_twice() -> None:
    with pytest.raises(DealIsClosed, match="won on 2026-02-01"):
        won_deal().win(ON, euros("100.00"), [], ALL, [])


def test_credits_that_do_not_sum_are_refused_with_what_they_sum_to() -> None:
    with pytest.raises(CreditsDoNotSum, match=r"sum to 0\.9;"):
        open_deal().win(ON, euros("1.00"), [], [("mbr_a", Decimal("0.5")), ("mbr_b", Decimal("0.4"))], [])


def test_nobody_is_credited_twice_for_one_deal() -> None:
    with pytest.raises(CreditedTwice, match="mbr_a"):
        open_deal().win(ON, euros("1.00"), [], [("mbr_a", Decimal("0.5")), ("mbr_a", Decimal("0.5"))], [])


def test_a_deal_is_not_closed_before_it_was_opened() -> None:
    with pytest.raises(ClosedBeforeOpened, match="2026-01-05 cannot be closed on 2026-01-04"):
        open_deal().lose(day("2026-01-04"), "price", None)


def test_the_cost_of_a_deal_is_known_only_when_the_cost_of_every_line_is() -> None:
    costed = Sold("prod_1", Decimal(1), euros("60.00"), euros("20.00"))
    uncosted = Sold("prod_2", Decimal(1), euros("40.00"), None)
    assert won_deal(lines=[costed, costed]).cost == euros("40.00")
    assert won_deal(lines=[costed, uncosted]).cost is None
    assert won_deal().cost is None


def test_a_deal_with_invoices_is_not_reopened_until_they_are_voided() -> None:
    deal = won_deal()
    with pytest.raises(DealIsInvoiced, match=r"80\.00 EUR"):
        deal.reopen(ON, euros("80.00"))
    assert deal.status == "won"
    assert deal.reopen(ON, None) == DealReopened(on=ON)


def test_a_reopened_deal_is_as_if_it_had_not_been_closed() -> None:
    deal = won_deal(lines=[Sold("prod_1", Decimal(1), euros("100.00"), euros("20.00"))])
    deal.reopen(ON)
    assert (deal.status, deal.closed_on, deal.credits, deal.lines, deal.cost) == ("open", None, [], [], None)
    assert deal.worth() is None
    with pytest.raises(DealIsOpen):
        deal.reopen(ON)


@st.composite
def shares(draw: st.DrawFn) -> list[Decimal]:
    """Shares of up to seven people that sum to 1, each with at most six decimals."""
    cuts = sorted(draw(st.sets(st.integers(1, 10**6 - 1), max_size=6)))
    edges = pairwise([0, *cuts, 10**6])
    return [Decimal(after - before) / 10**6 for before, after in edges]


@given(minor=st.integers(0, 10**12), shares=shares(), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_credits_sum_to_the_value_to_the_last_cent(minor: int, shares: list[Decimal], currency: str) -> None:
    value = Money.of_minor(minor, currency)
    credited = [(f"mbr_{place}", share) for place, share in enumerate(shares)]
    event = open_deal().win(ON, value, [], credited, [])
    assert Money.total((each.amount for each in event.credits), currency) == value
    for each, share in zip(event.credits, shares, strict=True):
        assert abs(each.amount.minor - minor * share) < 1
