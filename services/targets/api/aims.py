"""What is aimed at, as a body says it: money for revenue and margin, a decimal string for numbers of things."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.money import Money, NonNegative
from shared.money.numbers import DecimalString, plain

_COUNT = DecimalString("A number of things", "12", Decimal(0), Decimal(10**12), 6, whole_numbers=True)
_FORM = '{"amount": "12.30", "currency": "EUR"}'
_MONEY: TypeAdapter[Money] = TypeAdapter(NonNegative)


class _Aimed:
    """Money or a number, told apart by its form, so that what is wrong is said of the form that was meant."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                shown_value, when_used="json", return_schema=core_schema.any_schema()
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        money = Money.__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [money, _COUNT.schema()]}


AimValue = Annotated[Money | Decimal, _Aimed()]


def shown_value(value: Money | Decimal) -> dict[str, str] | str:
    """Money or a number as bodies and answers have it."""
    return value.as_json() if isinstance(value, Money) else plain(value)


def _read(value: Any) -> Money | Decimal:
    if isinstance(value, Money | Decimal):
        return value
    if isinstance(value, dict):
        return _MONEY.validate_python(value)
    if isinstance(value, float):
        message = 'A value is money, {form}, or a number of things in a string, "12".'
        raise PydanticCustomError("aim", message, {"form": _FORM})
    return _COUNT.read(value)
