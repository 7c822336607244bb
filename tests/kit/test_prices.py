"""Prices finer than a cent, lines that are rounded once, and numbers that travel as strings."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.money import (
    ExchangeRate,
    Money,
    NonNegativePrice,
    NotMoney,
    Quantity,
    Rate,
    Share,
    UnitPrice,
    line_amount,
    plain,
)
from shared.money.currencies import DECIMALS

currencies = st.sampled_from(sorted(DECIMALS))
prices = st.builds(UnitPrice, st.decimals(Decimal("-999999999999"), Decimal("999999999999"), places=6), currencies)
quantities = st.decimals(Decimal("0.000001"), Decimal(1000), places=6)


class Line(BaseModel):
    """Numbers of a deal's line."""

    quantity: Quantity | None = None
    share: Share | None = None
    rate: Rate | None = None
    exchange: ExchangeRate | None = None
    price: UnitPrice | None = None


def fault(**body: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Line.model_validate(body)
    (found,) = error.value.errors()
    return str(found["msg"])


@given(prices)
def test_a_price_reads_back_the_same(price: UnitPrice) -> None:
    adapter = TypeAdapter(UnitPrice)
    assert adapter.validate_json(adapter.dump_json(price)) == price == UnitPrice(price.amount, price.currency)
    assert price.millionths == price.amount * 10**6


@given(quantities, prices)
def test_a_line_is_rounded_half_even_once_whatever_the_context(quantity: Decimal, price: UnitPrice) -> None:
    scale = 10 ** DECIMALS[price.currency]
    with localcontext(prec=3):
        amount = line_amount(quantity, price)
    assert Fraction(amount.minor) == round(Fraction(quantity) * Fraction(price.amount) * scale)


@pytest.mark.parametrize(
    ("quantity", "price", "currency", "amount"),
    [
        ("3", "0.335", "EUR", "1.00"), ("1", "0.005", "EUR", "0.00"), ("1", "0.015", "EUR", "0.02"),
        ("1", "0.0150001", "EUR", None), ("2.5", "1.25", "JPY", "3"), ("1000", "0.0125", "KWD", "12.500"),
        ("1", "-0.015", "EUR", "-0.02"), ("0.000001", "1", "EUR", "0.00"),
    ],
)  # fmt: skip
def test_lines(quantity: str, price: str, currency: str, amount: str | None) -> None:
    if amount is None:
        with pytest.raises(NotMoney, match=r"at most 6 decimals; 0\.0150001 has 7"):
            UnitPrice(price, currency)
    else:
        assert line_amount(Decimal(quantity), UnitPrice(price, currency)).text == amount


def test_how_prices_are_written() -> None:
    texts = [UnitPrice(amount, "EUR").text for amount in ("12", "0.0125", "0.100000", "-0.5")]
    assert texts == ["12.00", "0.0125", "0.10", "-0.50"]
    assert UnitPrice("7", "JPY").as_json() == {"amount": "7", "currency": "JPY"}
    assert UnitPrice("7.5", "JPY").text == "7.5"
    assert UnitPrice.of(Money("12.30", "EUR")) == UnitPrice("12.3", "EUR") != UnitPrice("12.3", "USD")
    with pytest.raises(NotMoney, match="at most 12 digits"):
        UnitPrice("1234567890123", "EUR")
    with pytest.raises(NotMoney, match="not a currency in force"):
        UnitPrice("1", "DEM")


def test_what_is_said_of_wrong_numbers() -> None:
    assert fault(share=0.25) == 'A share is sent as a string, for example "0.25": a JSON number is not exact.'
    assert fault(share=1) == 'A share is sent as a string, for example "0.25": a JSON number is not exact.'
    assert fault(rate="1.01") == "A rate lies between 0 and 1; 1.01 does not."
    assert fault(share="-0.01") == "A share lies between 0 and 1; -0.01 does not."
    assert fault(share="25%") == 'A share is a decimal number in a string, for example "0.25".'
    assert fault(share="0.1234567") == "A share has at most 6 decimals; 0.1234567 has 7."
    assert fault(quantity=2.5) == 'A quantity is sent as a string, for example "2.5": a JSON number is not exact.'
    assert fault(quantity="0") == "A quantity lies between 0.000001 and 1000000000000; 0 does not."
    assert fault(quantity=True) == 'A quantity is a decimal number in a string, for example "2.5".'
    assert fault(exchange="0") == "An exchange rate lies between 0.000000001 and 1000000000; 0 does not."
    assert fault(share=Decimal("NaN")) == 'A share is a decimal number in a string, for example "0.25".'


def test_equal_numbers_are_written_the_same() -> None:
    line = Line.model_validate({"quantity": 3, "share": "0.250", "rate": "1.0", "exchange": "1.08420"})
    assert line.model_dump(mode="json", exclude_none=True) == {
        "quantity": "3", "share": "0.25", "rate": "1", "exchange": "1.0842",
    }  # fmt: skip
    assert Line.model_validate({"share": "-0"}).model_dump_json(include={"share"}) == '{"share":"0"}'
    assert plain(Decimal("1E+3")) == "1000"


@given(st.decimals(0, 1, places=6))
def test_shares_read_back_the_same(share: Decimal) -> None:
    adapter: TypeAdapter[Decimal] = TypeAdapter(Share)
    assert adapter.validate_json(adapter.dump_json(share)) == share


def test_the_published_schemas_accept_their_examples() -> None:
    for annotation in (Quantity, Share, Rate, ExchangeRate, UnitPrice):
        schema = TypeAdapter(annotation).json_schema()
        for example in schema["examples"]:
            assert Draft202012Validator(schema).is_valid(example)
            TypeAdapter(annotation).validate_python(example)
        assert not Draft202012Validator(schema).is_valid(0.25)


def test_a_price_that_must_not_be_negative_says_what_it_is() -> None:
    price = TypeAdapter(NonNegativePrice)
    assert price.validate_python({"amount": "0.0125", "currency": "EUR"}) == UnitPrice("0.0125", "EUR")
    with pytest.raises(ValidationError, match=r"must not be less than 0; it is -0\.0125 EUR"):
        price.validate_python({"amount": "-0.0125", "currency": "EUR"})
