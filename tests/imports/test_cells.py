"""What cells say."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from concert.imports import cells
from concert.imports.cells import BadCell


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("1054", "1054"), ("1054.50", "1054.50"), ("1054,5", "1054.5"), ("1,054", "1054"), ("1,054.00", "1054.00"),
        ("1.054,00", "1054.00"), ("1.054.000", "1054000"), ("1,054,000.5", "1054000.5"), ("1 054,5", "1054.5"),
        ("1'054.50", "1054.50"), ("1\u00a0054", "1054"), ("-12.5", "-12.5"), ("\u221212.5", "-12.5"),
        ("(1,054.00)", "-1054.00"), ("0", "0"), ("1.0540", "1.0540"), ("20565.6206", "20565.6206"),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly_as_people_and_programs_write_them(written: str, exact: str) -> None:
    assert cells.number("Amount", written) == Decimal(exact)


@pytest.mark.parametrize(
    "written", ["1e5", "NaN", "Infinity", "0x1F", "12..5", "1,05,4", "twelve", "1.2.3", "--1", "(5", "٣"]
)
def test_what_is_no_number_is_refused_with_its_column(written: str) -> None:
    with pytest.raises(BadCell, match=r"^Amount is .*which is not a number; write 1054\.50 or 1\.054,50$"):
        cells.number("Amount", written)


def test_money_is_read_with_its_sign_in_front_or_behind() -> None:
    assert str(cells.money("Amount", "$1,054.00", "USD")) == "1054.00 USD"
    assert str(cells.money("Amount", "1.054,00 €", "EUR")) == "1054.00 EUR"
    assert str(cells.money("Amount", "USD 12", "USD")) == "12.00 USD"
    assert str(cells.money("Amount", "1,054", "JPY")) == "1054 JPY"


@pytest.mark.parametrize(
    ("written", "currency", "why"),
    [
        ("€12.00", "USD", "this import is in USD; choose the file's with --currency"),
        ("$12.00", "EUR", "this import is in EUR"),
        ("GBP 12.00", "USD", "this import is in USD"),
        ("12.345", "USD", "An amount in USD has at most 2 decimals; 12.345 has 3."),
        ("12.50", "JPY", "An amount in JPY has no decimals"),
    ],
)
def test_money_of_another_currency_or_finer_than_it_has_is_refused(written: str, currency: str, why: str) -> None:
    with pytest.raises(BadCell, match=re.escape(why)):
        cells.money("Amount", written, currency)


@pytest.mark.parametrize(
    "written",
    ["2017-03-01", "2017-03-01 00:00", "2017-03-01 00:00:00", "2017-03-01T10:00:00Z", "2017-03-01T10:00:00.5+02:00",
     "3/1/2017", "03/01/2017", "3/1/2017 10:00 AM"],
)  # fmt: skip
def test_days_are_read_with_or_without_a_time_and_the_american_way(written: str) -> None:
    assert cells.day("Close Date", written) == date(2017, 3, 1)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("01.03.2017", "a day is written as 2017-03-01, or as 3/1/2017 with the month first"),
        ("2017-02-30", "2017-02-30 is not in the calendar"),
        ("25/12/2016", "2016-25-12 is not in the calendar"),
        ("1817-03-01", "days lie between 1900-01-01 and 2999-12-31"),
        ("soon", "Close Date is 'soon'"),
    ],
)
def test_what_is_no_day_is_refused_with_what_would_be_right(written: str, why: str) -> None:
    with pytest.raises(BadCell, match=re.escape(why)):
        cells.day("Close Date", written)


def test_a_name_is_not_endless_and_has_no_control_characters() -> None:
    with pytest.raises(BadCell, match="account has 201 characters; a name has at most 200"):
        cells.name("account", "x" * 201)
    with pytest.raises(BadCell, match="no control characters"):
        cells.name("account", "a\x07b")
