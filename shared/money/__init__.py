"""Money and the exact numbers around it: Decimal in, decimal string out, never a float.

What an amount is worth in another currency is not decided here: that needs a dated rate.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from shared.money.amount import CurrencyMismatch, Money
from shared.money.currencies import DECIMALS, fault_of
from shared.money.form import NotMoney
from shared.money.numbers import ExchangeRate, Quantity, Rate, Share, plain, rounded
from shared.money.price import UnitPrice, line_amount


def _positive(money: Money) -> Money:
    if money.minor <= 0:
        raise PydanticCustomError("money", "The amount must be more than 0; it is {amount}.", {"amount": str(money)})
    return money


def _not_negative(money: Money) -> Money:
    if money.minor < 0:
        raise PydanticCustomError(
            "money", "The amount must not be less than 0; it is {amount}.", {"amount": str(money)}
        )
    return money


def _in_force(code: str) -> str:
    if code not in DECIMALS:
        raise PydanticCustomError("currency", "{message}", {"message": fault_of(code)})
    return code


Currency = Annotated[str, AfterValidator(_in_force)]


def _price_not_negative(price: UnitPrice) -> UnitPrice:
    if price.millionths < 0:
        raise PydanticCustomError("money", "The price must not be less than 0; it is {price}.", {"price": str(price)})
    return price


Positive = Annotated[Money, AfterValidator(_positive)]
NonNegative = Annotated[Money, AfterValidator(_not_negative)]
NonNegativePrice = Annotated[UnitPrice, AfterValidator(_price_not_negative)]

__all__ = [
    "Currency",
    "CurrencyMismatch",
    "ExchangeRate",
    "Money",
    "NonNegative",
    "NonNegativePrice",
    "NotMoney",
    "Positive",
    "Quantity",
    "Rate",
    "Share",
    "UnitPrice",
    "line_amount",
    "plain",
    "rounded",
]
