"""Money is exact, in one currency, and says what is wrong with what is not money."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from shared.money import CurrencyMismatch, Money, NonNegative, NotMoney, Positive
from shared.money.currencies import DECIMALS

currencies = st.sampled_from(sorted(DECIMALS))
small = st.integers(-(10**15) + 1, 10**15 - 1)
moneys = st.builds(Money.of_minor, small, currencies)
euros = st.builds(Money.of_minor, small, st.just("EUR"))
parts = st.lists(st.integers(1, 999), min_size=1, max_size=8).map(lambda ns: [Decimal(n) for n in ns])


class Body(BaseModel):
    """Something with an amount in it."""

    model_config = ConfigDict(extra="forbid")

    value: Money
    fee: Positive | None = None
    tax: NonNegative | None = None


def faults(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and what, for a body that is refused; the same for Python values and for JSON text."""
    with pytest.raises(ValidationError) as of_values:
        Body.model_validate(body)
    found = [("/".join(str(part) for part in each["loc"]), each["msg"]) for each in of_values.value.errors()]
    with pytest.raises(ValidationError) as of_text:
        Body.model_validate_json(json.dumps(body), strict=True)
    assert [each["msg"] for each in of_text.value.errors()] == [message for _, message in found]
    return found


@given(moneys)
def test_what_is_written_reads_back_the_same(money: Money) -> None:
    adapter = TypeAdapter(Money)
    assert adapter.validate_json(adapter.dump_json(money)) == money
    assert Money(money.amount, money.currency) == money == Money(money.text, money.currency)
    assert -money.amount.as_tuple().exponent == DECIMALS[money.currency]  # type: ignore[operator]
    assert pickle.loads(pickle.dumps(money)) == copy.deepcopy(money) == money


@given(euros, euros)
def test_sums_and_differences_are_those_of_exact_numbers(left: Money, right: Money) -> None:
    assert (left + right).amount == left.amount + right.amount
    assert (left - right).amount == left.amount - right.amount
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq):
        assert compare(left, right) == compare(left.amount, right.amount)
    assert Money.total([left, right, -left], "EUR") == right
    assert abs(left).minor == abs(left.minor)


@given(euros, parts)
def test_a_split_deals_out_everything_and_nobody_is_a_cent_off(money: Money, weights: list[Decimal]) -> None:
    total = sum(weights)
    shares = [(weight / total).quantize(Decimal("0.000001")) for weight in weights]
    shares[0] += 1 - sum(shares)
    dealt = money.split(shares)
    assert Money.total(dealt, "EUR") == money
    for part, share in zip(dealt, shares, strict=True):
        assert abs(part.minor - money.minor * share) < 1


def test_a_shared_cent_goes_to_who_lost_most_by_rounding() -> None:
    third = [Decimal("0.333333"), Decimal("0.333333"), Decimal("0.333334")]
    assert [part.text for part in Money("100", "EUR").split(third)] == ["33.33", "33.33", "33.34"]
    assert [part.text for part in Money("-0.05", "EUR").split([Decimal("0.5"), Decimal("0.5")])] == ["-0.03", "-0.02"]
    with pytest.raises(ValueError, match=r"the shares sum to 0\.9, not to 1"):
        Money("1", "EUR").split([Decimal("0.5"), Decimal("0.4")])


@pytest.mark.parametrize(("minor", "share", "rounded"), [(5, "0.5", 2), (15, "0.5", 8), (-5, "0.5", -2), (7, "0.5", 4)])
def test_a_part_is_rounded_half_even_once(minor: int, share: str, rounded: int) -> None:
    assert Money.of_minor(minor, "EUR").part(Decimal(share)).minor == rounded


def test_two_currencies_never_meet_in_one_sum() -> None:
    for combine in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__, Money.__gt__, Money.__ge__):
        with pytest.raises(CurrencyMismatch, match="in EUR and an amount in USD cannot be combined"):
            combine(Money("1", "EUR"), Money("1", "USD"))
    with pytest.raises(CurrencyMismatch):
        Money.total([Money("1", "USD")], "EUR")
    assert Money("1", "EUR") != Money("1", "USD")
    assert CurrencyMismatch(left="EUR", right="USD").document()["rule"] == "currency-mismatch"


def test_money_combines_with_nothing_else() -> None:
    for other in (1, 1.5, Decimal(1), None):
        with pytest.raises(TypeError, match="money combines with money only"):
            Money("1", "EUR") + other  # type: ignore[operator]
    assert Money("1", "EUR") != Decimal(1)


def test_an_amount_does_not_change() -> None:
    money = Money("1", "EUR")
    with pytest.raises(AttributeError, match="is a value and does not change"):
        money.minor = 5
    with pytest.raises(AttributeError):
        money.note = "x"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.3", "EUR", "12.30"), ("-0.05", "EUR", "-0.05"), ("0", "EUR", "0.00"), ("-0", "EUR", "0.00"),
        ("1500", "JPY", "1500"), ("-3", "JPY", "-3"), ("1.234", "KWD", "1.234"), ("007", "EUR", "7.00"),
        ("999999999999999.999", "KWD", "999999999999999.999"),
        (12, "EUR", "12.00"), (Decimal("12.3"), "EUR", "12.30"), (Decimal("1E+3"), "JPY", "1000"),
    ],
)  # fmt: skip
def test_how_amounts_are_written(amount: Any, currency: str, text: str) -> None:
    money = Money(amount, currency)
    assert (money.text, str(money), str(money.amount)) == (text, f"{text} {currency}", text)
    assert -(2**63) <= money.minor < 2**63


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        (12.3, 'The amount must be sent as a string, for example "12.30": a JSON number loses cents.'),
        (12, 'The amount must be sent as a string, for example "12.30": a JSON number loses cents.'),
        (None, 'The amount must be a string with a decimal number, for example "12.30".'),
        (True, 'The amount must be a string with a decimal number, for example "12.30".'),
        ("12.345", "An amount in EUR has at most 2 decimals; 12.345 has 3."),
        ("1" * 16, "The amount may have at most 15 digits before the point."),
    ],
)
def test_what_is_said_of_a_wrong_amount(amount: Any, message: str) -> None:
    assert faults({"value": {"amount": amount, "currency": "EUR"}}) == [("value/amount", message)]


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "-inf", "1e3", "1E3", " 1", "1 ", "1\n", "1 000", "1,50", "1_000", "+1", "", "-", ".5", "5.",
     "0x1", "1.2.3", "--1", "\u0661", "\uff11", "1{x}", "9" * 200],
)  # fmt: skip
def test_only_plain_decimal_numbers_are_amounts(amount: str) -> None:
    ((place, message),) = faults({"value": {"amount": amount, "currency": "EUR"}})
    assert place == "value/amount"
    assert "is not an amount: write digits with a point" in message or "at most 15 digits" in message


@pytest.mark.parametrize("wrong", [Decimal("NaN"), Decimal("Infinity"), 1.5, True, None, b"1"])
def test_code_cannot_make_money_of_such_things_either(wrong: Any) -> None:
    with pytest.raises(NotMoney):
        Money(wrong, "EUR")


@pytest.mark.parametrize(
    ("currency", "message"),
    [
        ("eur", 'The currency code is written in capitals: "EUR".'),
        ("DEM", "'DEM' is not a currency in force; use an ISO 4217 code, for example \"EUR\"."),
        ("XXX", "'XXX' is not a currency in force; use an ISO 4217 code, for example \"EUR\"."),
        ("XAU", "'XAU' is not a currency in force; use an ISO 4217 code, for example \"EUR\"."),
        ("{0}", "'{0}' is not a currency in force; use an ISO 4217 code, for example \"EUR\"."),
        (978, 'The currency must be a string with its ISO 4217 code, for example "EUR".'),
        ([], 'The currency must be a string with its ISO 4217 code, for example "EUR".'),
    ],
)
def test_what_is_said_of_a_wrong_currency(currency: Any, message: str) -> None:
    assert faults({"value": {"amount": "1", "currency": currency}}) == [("value/currency", message)]


@pytest.mark.parametrize(("currency", "allowed"), [("JPY", "no"), ("EUR", "at most 2"), ("KWD", "at most 3")])
def test_the_currency_says_how_many_decimals(currency: str, allowed: str) -> None:
    message = f"An amount in {currency} has {allowed} decimals; 1.2345 has 4."
    assert faults({"value": {"amount": "1.2345", "currency": currency}}) == [("value/amount", message)]


def test_what_is_said_of_something_that_is_no_money_at_all() -> None:
    form = 'Money is sent as {"amount": "12.30", "currency": "EUR"}'
    assert faults({"value": 12.5}) == [("value", f"{form}, not as a bare number.")]
    assert faults({"value": "12.5"}) == [("value", f"{form}, not as a bare string.")]
    assert faults({"value": []}) == [("value", f"{form}.")]
    assert faults({"value": {"amount": "1"}}) == [("value/currency", "The currency is missing.")]
    assert faults({"value": {"amount": "1", "currency": "EUR", "{unit}": "x"}}) == [
        ("value/{unit}", "Money has an amount and a currency and nothing else.")
    ]


def test_signs_can_be_demanded() -> None:
    one, none, less = ({"amount": amount, "currency": "EUR"} for amount in ("1", "0", "-0.01"))
    assert Body.model_validate({"value": less, "fee": one, "tax": none}).tax == Money.zero("EUR")
    assert faults({"value": one, "fee": none}) == [("fee", "The amount must be more than 0; it is 0.00 EUR.")]
    assert faults({"value": one, "tax": less}) == [("tax", "The amount must not be less than 0; it is -0.01 EUR.")]


def test_more_than_can_be_kept_is_refused() -> None:
    most = Money.of_minor(2**63 - 1, "EUR")
    with pytest.raises(NotMoney, match="more than can be kept"):
        most + Money("0.01", "EUR")
    with pytest.raises(NotMoney, match="not a currency in force"):
        Money.of_minor(1, "DEM")


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"amount": "12.30", "currency": "EUR"}, True), ({"amount": "1", "currency": "JPY"}, True),
        ({"amount": "1.234", "currency": "KWD"}, True), ({"amount": "1.234", "currency": "EUR"}, False),
        ({"amount": "1.2", "currency": "JPY"}, False), ({"amount": 1, "currency": "EUR"}, False),
        ({"amount": "1e3", "currency": "EUR"}, False), ({"amount": "1", "currency": "DEM"}, False),
        ({"amount": "1"}, False), ({"amount": "1", "currency": "EUR", "x": 1}, False),
    ],
)  # fmt: skip
def test_the_published_schema_judges_as_the_code_does(body: dict[str, Any], valid: bool) -> None:
    schema = TypeAdapter(Money).json_schema()
    assert Draft202012Validator(schema).is_valid(body) is valid
    if valid:
        TypeAdapter(Money).validate_python(body)
    else:
        with pytest.raises(ValidationError):
            TypeAdapter(Money).validate_python(body)
    assert all(Draft202012Validator(schema).is_valid(example) for example in schema["examples"])
