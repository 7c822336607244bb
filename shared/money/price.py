"""Prices per piece, which may be finer than the currency, and what a line of a deal comes to."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Self

from shared.money.amount import Money
from shared.money.currencies import DECIMALS, fault_of
from shared.money.form import Monetary, NotMoney, amount_schema, parts_of

_PLACES = 6
_SCALE = 10**_PLACES


class UnitPrice(Monetary):
    """A price per piece with up to 6 decimals whatever the currency; at most 12 digits before the point.

    Raises NotMoney when the amount is not a plain decimal number or the currency is not in force.
    """

    __slots__ = ("currency", "millionths")
    digits: ClassVar[int] = 12
    millionths: int
    currency: str

    def __init__(self, amount: str | int | Decimal, currency: str) -> None:
        if not isinstance(currency, str) or currency not in DECIMALS:
            raise NotMoney("currency", fault_of(currency))
        sign, whole, part = parts_of(amount, self.digits)
        if len(part) > _PLACES:
            raise NotMoney("amount", f"A price per piece has at most {_PLACES} decimals; {amount} has {len(part)}.")
        millionths = int(whole + part.ljust(_PLACES, "0"))
        object.__setattr__(self, "millionths", -millionths if sign else millionths)
        object.__setattr__(self, "currency", currency)

    @classmethod
    def of(cls, money: Money) -> Self:
        """An amount of money taken as the price of one piece. Raises NotMoney above 12 digits."""
        return cls(money.text, money.currency)

    @property
    def text(self) -> str:
        """The price as it is written in bodies: at least the currency's decimals, and no more zeros than that."""
        whole, part = divmod(abs(self.millionths), _SCALE)
        decimals = f"{part:0{_PLACES}d}".rstrip("0").ljust(DECIMALS[self.currency], "0")
        return f"{'-' if self.millionths < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnitPrice):
            return NotImplemented
        return self.millionths == other.millionths and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.millionths, self.currency))

    @classmethod
    def _schema(cls) -> dict[str, Any]:
        description = f"A price per piece, with up to {_PLACES} decimals whatever the currency."
        schema = amount_schema("UnitPrice", description, cls.digits, _PLACES, "0.0125")
        schema["properties"]["currency"] = {"type": "string", "enum": sorted(DECIMALS), "description": "ISO 4217 code."}
        return schema


def line_amount(quantity: Decimal, unit_price: UnitPrice) -> Money:
    """Quantity times price, rounded half-even once to the currency's decimals. Raises NotMoney when too much."""
    exact = Fraction(quantity) * unit_price.millionths * 10 ** DECIMALS[unit_price.currency] / _SCALE
    return Money.of_minor(round(exact), unit_price.currency)
