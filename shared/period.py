"""Periods: half-open stretches of whole days, named `2026`, `2026-Q3`, `2026-07`, `2026-W31` or `from/to`.

Months and weeks are the calendar's. A year or quarter is the organisation's: it begins with the first month of the
fiscal year, and carries the number of the calendar year it begins in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.instant import FIRST_DAY, LAST_DAY, read_day

Unit = Literal["week", "month", "quarter", "year"]

_LABEL = re.compile(r"(\d{4})(?:-(?:Q(\d)|W(\d\d)|(\d\d)))?", re.ASCII)
_FORMS = (
    "write a year (2026), a quarter (2026-Q3), a month (2026-07), a week (2026-W31)"
    " or two days (from=2026-07-01 and to=2026-08-01, the second one not included)"
)


class BadPeriod(ValueError):
    """What was written is not a period; says which part is wrong (`period`, `from` or `to`) and what would be right."""

    def __init__(self, message: str, part: str = "period") -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` up to, not including, `end`. Two periods are equal when they have the same days."""

    label: str = field(compare=False)
    start: date
    end: date

    @classmethod
    def parse(cls, text: str, first_month: int = 1) -> Period:
        """The period of that name in an organisation whose fiscal year begins with this month. Raises BadPeriod."""
        return _parsed(text, first_month)

    @classmethod
    def between(cls, start: date, end: date) -> Self:
        """The days from `start` up to, not including, `end`. Raises BadPeriod when there are none."""
        if start >= end:
            message = (
                f"The period from {start} to {end} has no days: the day in to is not included, so it must be later."
            )
            raise BadPeriod(message, "to")
        return cls(f"{start}/{end}", start, end)

    @classmethod
    def of(cls, unit: Unit, day: date, first_month: int = 1) -> Self:
        """The week, month, quarter or year that a day lies in."""
        if unit == "week":
            year, week, weekday = day.isocalendar()
            start = day - timedelta(days=weekday - 1)
            return cls(f"{year}-W{week:02d}", start, start + timedelta(days=7))
        if unit == "month":
            return cls(f"{day.year}-{day.month:02d}", day.replace(day=1), _month(day.year, day.month + 1))
        months_in = (day.month - first_month) % 12
        year = day.year if day.month >= first_month else day.year - 1
        if unit == "year":
            return cls(f"{year}", _month(year, first_month), _month(year + 1, first_month))
        quarter = months_in // 3
        start = _month(year, first_month + 3 * quarter)
        return cls(f"{year}-Q{quarter + 1}", start, _month(year, first_month + 3 * quarter + 3))

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    def contains(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start <= day < self.end

    def split(self, unit: Unit, first_month: int = 1) -> list[Period]:
        """The weeks, months, quarters or years it consists of; the first and the last one cut off at its ends."""
        return list(self._pieces(unit, first_month))

    def months(self) -> list[Period]:
        """The calendar months it consists of; the first and the last one cut off at its ends."""
        return self.split("month")

    def as_json(self) -> dict[str, str]:
        """The form this has in answers and events."""
        return {"label": self.label, "from": self.start.isoformat(), "to": self.end.isoformat()}

    def __str__(self) -> str:
        return self.label

    def _pieces(self, unit: Unit, first_month: int) -> Iterator[Period]:
        day = self.start
        while day < self.end:
            whole = Period.of(unit, day, first_month)
            start, end = max(whole.start, self.start), min(whole.end, self.end)
            yield whole if (start, end) == (whole.start, whole.end) else Period.between(start, end)
            day = end

    @classmethod
    def _read(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        try:
            if not isinstance(value, dict) or value.keys() != {"label", "from", "to"}:
                raise BadPeriod('A period is {"label": "2026-07", "from": "2026-07-01", "to": "2026-08-01"}.')
            made = cls.between(*_days(value["from"], value["to"]))
            return cls(str(value["label"]), made.start, made.end)
        except BadPeriod as fault:
            raise PydanticCustomError("period", "{message}", {"message": str(fault)}) from None

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
        day = {"type": "string", "format": "date"}
        return {
            "title": "Period",
            "type": "object",
            "description": "The days from `from` up to, not including, `to`.",
            "properties": {"label": {"type": "string"}, "from": day, "to": day},
            "required": ["label", "from", "to"],
            "additionalProperties": False,
            "examples": [Period.parse("2026-07").as_json()],
        }


def _month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _days(start: object, end: object) -> tuple[date, date]:
    try:
        first = read_day(start)
    except ValueError as fault:
        raise BadPeriod(f"from: {fault}", "from") from None
    # The last period there is ends with the first day that is out of range.
    beyond = LAST_DAY + timedelta(days=1)
    if end in (beyond, beyond.isoformat()):
        return first, beyond
    try:
        return first, read_day(end)
    except ValueError as fault:
        raise BadPeriod(f"to: {fault}", "to") from None


@lru_cache(maxsize=4096)
def _parsed(text: str, first_month: int) -> Period:
    start, slash, end = text.partition("/")
    if slash:
        return Period.between(*_days(start, end))
    match = _LABEL.fullmatch(text)
    if match is None:
        raise BadPeriod(f"{text[:40]!r} is not a period: {_FORMS}.")
    year, quarter, week, month = (int(part) if part else None for part in match.groups())
    assert year is not None
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise BadPeriod(f"{year} is out of range; years lie between {FIRST_DAY.year} and {LAST_DAY.year}.")
    if week is not None:
        return _week(year, week)
    if month is not None:
        if not 1 <= month <= 12:
            raise BadPeriod(f"There is no month {month:02d}; months are 01 to 12.")
        return Period.of("month", date(year, month, 1))
    if quarter is None:
        return Period.of("year", _month(year, first_month), first_month)
    if not 1 <= quarter <= 4:
        raise BadPeriod(f"There is no quarter Q{quarter}; quarters are Q1 to Q4.")
    return Period.of("quarter", _month(year, first_month + 3 * (quarter - 1)), first_month)


def _week(year: int, week: int) -> Period:
    # The 28th of December always lies in the last week of its year (ISO 8601).
    last = date(year, 12, 28).isocalendar().week
    if not 1 <= week <= last:
        raise BadPeriod(f"{year} has no week W{week:02d}; its weeks are W01 to W{last}.")
    return Period.of("week", date.fromisocalendar(year, week, 1))
