"""Exact decimal numbers that travel as strings: shares, rates, quantities, exchange rates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.money.form import NotMoney, parts_of, pattern

PLACES = 6


def rounded(number: Fraction) -> Decimal:
    """A number to six places, half to even."""
    return Decimal(round(number * 10**PLACES)).scaleb(-PLACES)


def plain(number: Decimal) -> str:
    """A number as it is written in bodies: no exponent, no zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class DecimalString:
    """How one kind of number is sent: between which bounds, with how many digits, and an example."""

    what: str
    example: str
    least: Decimal
    most: Decimal
    places: int
    whole_numbers: bool = False

    def read(self, value: object) -> Decimal:
        """The number that was sent, without zeros at its end; raises PydanticCustomError."""
        if isinstance(value, float) or (isinstance(value, int) and not self.whole_numbers):
            raise _refused(f"{self.what} is sent as a string, for example {self._quoted}: a JSON number is not exact.")
        try:
            sign, whole, part = parts_of(value, 18)
        except NotMoney:
            raise _refused(f"{self.what} is a decimal number in a string, for example {self._quoted}.") from None
        if len(part.rstrip("0")) > self.places:
            raise _refused(f"{self.what} has at most {self.places} decimals; {value} has {len(part)}.")
        number = Decimal(f"{sign}{whole}.{part}")
        if not self.least <= number <= self.most:
            raise _refused(f"{self.what} lies between {plain(self.least)} and {plain(self.most)}; {value} does not.")
        return Decimal(plain(abs(number) if not number else number))

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        text = {"type": "string", "pattern": pattern(len(plain(self.most).partition(".")[0]), self.places)}
        form: dict[str, Any] = {"anyOf": [text, {"type": "integer"}]} if self.whole_numbers else text
        bounds = f"between {plain(self.least)} and {plain(self.most)}, at most {self.places} decimals"
        return form | {"description": f"{self.what}: a decimal number {bounds}.", "examples": [self.example]}

    @property
    def _quoted(self) -> str:
        return f'"{self.example}"'

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                plain, when_used="json", return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return self.schema()


def _refused(message: str) -> PydanticCustomError:
    # The message goes in as a parameter: what was sent may contain braces.
    return PydanticCustomError("decimal", "{message}", {"message": message})


_NOTHING, _ONE, _LEAST = Decimal(0), Decimal(1), Decimal("0.000001")

Share = Annotated[Decimal, DecimalString("A share", "0.25", _NOTHING, _ONE, 6)]
Rate = Annotated[Decimal, DecimalString("A rate", "0.25", _NOTHING, _ONE, 6)]
Quantity = Annotated[Decimal, DecimalString("A quantity", "2.5", _LEAST, Decimal(10**12), 6, whole_numbers=True)]
ExchangeRate = Annotated[Decimal, DecimalString("An exchange rate", "1.0842", Decimal("1e-9"), Decimal(10**9), 9)]
