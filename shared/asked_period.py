"""A period as somebody wrote it in a body or a query, before the organisation's fiscal year says which days it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.period import BadPeriod, Period

_EXAMPLES = ["2026-Q3", {"from": "2026-07-01", "to": "2026-08-01"}]


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A well-formed name of a period: `"2026-Q3"`, or `{"from": …, "to": …}` in a body, kept as `from/to`."""

    text: str

    @classmethod
    def of(cls, period: str | None, start: str | None, end: str | None) -> Self:
        """What a query asks for: either a name, or the first day and the first day after it. Raises BadPeriod."""
        if period is not None:
            if start is not None or end is not None:
                raise BadPeriod("Give either period or from and to, not both.")
            text = period
        elif start is None and end is None:
            raise BadPeriod("Say which period: period=2026-Q3, or from=2026-07-01&to=2026-08-01.")
        elif start is None or end is None:
            missing, present = ("from", "to") if start is None else ("to", "from")
            raise BadPeriod(f"{missing} is missing; {present} alone does not make a period.", missing)
        else:
            text = f"{start}/{end}"
        Period.parse(text)
        return cls(text)

    def resolve(self, first_month: int) -> Period:
        """Its days in an organisation whose fiscal year begins with this month (1 to 12)."""
        return Period.parse(self.text, first_month)

    @classmethod
    def _read(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        try:
            if isinstance(value, str):
                return cls.of(value, None, None)
            if isinstance(value, dict) and value and value.keys() <= {"from", "to"}:
                return cls.of(None, *(_text(value.get(name)) for name in ("from", "to")))
            raise BadPeriod('A period is sent as "2026-Q3" or as {"from": "2026-07-01", "to": "2026-08-01"}.')
        except BadPeriod as fault:
            raise PydanticCustomError("period", "{message}", {"message": str(fault)}) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._read,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda asked: asked.text, when_used="json", return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        day = {"type": "string", "format": "date"}
        return {
            "title": "AskedPeriod",
            "description": "A period by its name, or the days from `from` up to, not including, `to`.",
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"from": day, "to": day},
                    "required": ["from", "to"],
                    "additionalProperties": False,
                },
            ],
            "examples": _EXAMPLES,
        }


async def asked_period(
    period: Annotated[
        str | None, Query(description="`2026`, `2026-Q3`, `2026-07` or `2026-W31`.", examples=["2026-Q3"])
    ] = None,
    start: Annotated[str | None, Query(alias="from", description="First day, instead of a name.")] = None,
    end: Annotated[str | None, Query(alias="to", description="First day after the period.")] = None,
) -> AskedPeriod:
    """The period a query names with `period=`, or with `from=` and `to=`; a FastAPI dependency."""
    try:
        return AskedPeriod.of(period, start, end)
    except BadPeriod as fault:
        error = {"type": "period", "loc": ("query", fault.part), "msg": str(fault), "input": period}
        raise RequestValidationError([error]) from None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise BadPeriod('The days of a period are sent as strings, for example "2026-07-01".')
