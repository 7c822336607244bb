"""How amounts are written in bodies: what is accepted, what is refused with which sentence, and the JSON Schema."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any, ClassVar, NoReturn, Self, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

FIELDS = {"amount", "currency"}
_PLAIN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


class NotMoney(ValueError):
    """What was given is not an amount of money; says which of its two fields is wrong and what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Monetary(ABC):
    """A frozen value made of an amount and a currency, `{"amount": "12.30", "currency": "EUR"}` in bodies."""

    __slots__ = ()
    currency: str
    digits: ClassVar[int]

    @abstractmethod
    def __init__(self, amount: str | int | Decimal, currency: str) -> None:
        """Raises NotMoney."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The amount as it is written in bodies."""

    @property
    def amount(self) -> Decimal:
        """The amount as an exact number."""
        return Decimal(self.text)

    def as_json(self) -> dict[str, str]:
        """The form this has in bodies and events."""
        return {"amount": self.text, "currency": self.currency}

    def __str__(self) -> str:
        return f"{self.text} {self.currency}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r}, {self.currency!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an amount of money is a value and does not change")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, self.currency)

    @classmethod
    @abstractmethod
    def _schema(cls) -> dict[str, Any]:
        """The JSON Schema of its form in bodies."""

    @classmethod
    def _read(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise PydanticCustomError("money", "{message}", {"message": _what_is_expected(value)})
        if value.keys() != FIELDS:
            raise _invalid(cls, _wrong_fields(value), value)
        try:
            amount = value["amount"]
            if not isinstance(amount, str):
                raise NotMoney("amount", _amount_fault(amount, cls.digits))
            return cls(amount, value["currency"])
        except NotMoney as fault:
            raise _invalid(cls, [(fault.field, str(fault))], value) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.as_json, when_used="json", return_schema=core_schema.dict_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return cls._schema()


def parts_of(amount: object, digits: int) -> tuple[str, str, str]:
    """Sign, digits before and digits behind the point of a plain decimal number. Raises NotMoney."""
    if isinstance(amount, Decimal):
        amount = format(amount, "f") if amount.is_finite() else str(amount)
    elif type(amount) is int:
        amount = str(amount)
    match = _PLAIN.fullmatch(amount) if isinstance(amount, str) and len(amount) < 100 else None
    if match is None or len(match[2]) > digits:
        raise NotMoney("amount", _amount_fault(amount, digits))
    return cast("tuple[str, str, str]", match.groups(""))


def amount_schema(title: str, description: str, digits: int, places: int, example: str) -> dict[str, Any]:
    """The JSON Schema of an amount with so many digits before and at most so many behind the point."""
    return {
        "title": title,
        "type": "object",
        "description": description,
        "properties": {
            "amount": {"type": "string", "pattern": pattern(digits, places), "description": "A decimal number."},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 code."},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
        "examples": [{"amount": example, "currency": "EUR"}],
    }


def pattern(digits: int, places: int) -> str:
    """The regular expression of a decimal number."""
    return f"^-?[0-9]{{1,{digits}}}" + (f"(\\.[0-9]{{1,{places}}})?$" if places else "$")


def _amount_fault(amount: object, digits: int) -> str:
    if isinstance(amount, int | float) and not isinstance(amount, bool):
        return 'The amount must be sent as a string, for example "12.30": a JSON number loses cents.'
    if not isinstance(amount, str):
        return 'The amount must be a string with a decimal number, for example "12.30".'
    if _PLAIN.fullmatch(amount):
        return f"The amount may have at most {digits} digits before the point."
    return (
        f"{amount[:30]!r} is not an amount: write digits with a point and without spaces, thousands separators or"
        ' exponent, for example "12.30".'
    )


def _what_is_expected(value: object) -> str:
    form = 'Money is sent as {"amount": "12.30", "currency": "EUR"}'
    bare = isinstance(value, int | float | str) and not isinstance(value, bool)
    return f"{form}, not as a bare {'string' if isinstance(value, str) else 'number'}." if bare else f"{form}."


def _wrong_fields(value: dict[Any, Any]) -> list[tuple[str, str]]:
    missing = [(name, f"The {name} is missing.") for name in sorted(FIELDS - value.keys())]
    unknown = [(str(name)[:40], "Money has an amount and a currency and nothing else.") for name in value]
    return missing + [(name, message) for name, message in unknown if name not in FIELDS]


def _invalid(cls: type[Any], faults: list[tuple[str, str]], value: dict[Any, Any]) -> ValidationError:
    # The message goes in as a parameter: what was sent may contain braces.
    details = [
        InitErrorDetails(
            type=PydanticCustomError("money", "{message}", {"message": message}),
            loc=(field,),
            input=value.get(field, value),
        )
        for field, message in faults
    ]
    return ValidationError.from_exception_data(cls.__name__, details)
