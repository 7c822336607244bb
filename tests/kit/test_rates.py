"""Rates of a day, in either direction and by way of a third currency, exactly."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rates import MissingRate, Quote, Rates, as_money

JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def quote(base: str, to: str, on: date, rate: str) -> Quote:
    return Quote(base, to, on, Fraction(rate))


def test_the_rate_of_a_day_is_the_last_one_on_or_before_it() -> None:
    rates = Rates([quote("USD", "EUR", MARCH, "0.8"), quote("USD", "EUR", JANUARY, "0.9")])
    assert rates.of("USD", "EUR", date(2025, 12, 31)) is None
    assert rates.of("USD", "EUR", JANUARY) == Fraction(9, 10)
    assert rates.of("USD", "EUR", date(2026, 2, 28)) == Fraction(9, 10)
    assert rates.of("USD", "EUR", MARCH) == Fraction(4, 5)
    assert rates.of("EUR", "EUR", date(1900, 1, 1)) == 1


def test_a_rate_holds_in_both_directions_and_the_younger_one_wins() -> None:
    rates = Rates([quote("USD", "EUR", JANUARY, "0.9"), quote("EUR", "USD", MARCH, "1.25")])
    assert rates.of("EUR", "USD", JANUARY) == Fraction(10, 9)
    assert rates.of("USD", "EUR", MARCH) == Fraction(4, 5)


def test_two_rates_that_meet_make_a_third() -> None:
    rates = Rates([quote("USD", "EUR", JANUARY, "0.9"), quote("USD", "JPY", JANUARY, "150")])
    assert rates.of("JPY", "EUR", MARCH) == Fraction(9, 1500)
    # A thousand yen have no decimals, euros have two.
    assert as_money(rates.convert(1000, "JPY", "EUR", MARCH), "EUR").text == "6.00"


def test_a_missing_rate_is_refused_with_the_currencies_and_the_day() -> None:
    with pytest.raises(MissingRate, match="from CHF to EUR is known for 2026-03-01"):
        Rates([quote("USD", "EUR", JANUARY, "0.9")]).convert(1, "CHF", "EUR", MARCH)


@given(st.fractions(min_value=Fraction(1, 1000), max_value=1000), st.integers(-(10**9), 10**9))
def test_there_and_back_is_the_same_amount(rate: Fraction, minor: int) -> None:
    rates = Rates([Quote("USD", "JPY", JANUARY, rate)])
    there = rates.convert(minor, "USD", "JPY", MARCH)
    assert rates.convert(there, "JPY", "USD", MARCH) == minor
