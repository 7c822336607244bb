"""Moments and days: aware instants, calendar days, time zones, and the project's only clock.

As a field of a table an `Instant` needs nothing more: SQLModel keeps it in a time-zoned column (UTC on SQLite, which
knows no zones) and gives it back aware.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2999, 12, 31)

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT_EXAMPLE = "2026-07-31T09:00:00Z"


def now() -> datetime:
    """The present moment in UTC; no other place of the project asks a clock for it."""
    return datetime.now(UTC)


def day_of(instant: datetime, zone: ZoneInfo | str) -> date:
    """The calendar day an instant falls on in a time zone. Raises ValueError for an unknown zone."""
    return instant.astimezone(zone if isinstance(zone, ZoneInfo) else zone_named(zone)).date()


def start_of(day: date, zone: ZoneInfo | str) -> datetime:
    """The instant at which a day begins in a time zone, also where its midnight is skipped or comes twice."""
    place = zone if isinstance(zone, ZoneInfo) else zone_named(zone)
    return datetime.combine(day, time.min, place).astimezone(UTC)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name in the tz database. Raises ValueError with a sentence for whoever sent it."""
    # Bare names such as EST or localtime mean different things on different machines.
    if name == "UTC" or ("/" in name and not name.startswith(("posix/", "right/"))):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    raise ValueError(f'{name[:40]!r} is not a time zone; write a name such as "Europe/Berlin" or "UTC".')


def read_day(value: object) -> date:
    """A day from `2026-07-31`; raises ValueError with a sentence for whoever sent it."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is not in the calendar.") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError('A day is sent as "2026-07-31".')
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(f"{value} is out of range; days lie between {FIRST_DAY} and {LAST_DAY}.")
    return value


def read_instant(value: object) -> datetime:
    """An instant in UTC from RFC 3339 text; raises ValueError with a sentence for whoever sent it."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError(f"{value} is not a moment in the calendar.") from None
    if not isinstance(value, datetime):
        raise ValueError(f'An instant is sent as "{_INSTANT_EXAMPLE}": a date, a time and a time zone.')
    if value.tzinfo is None:
        raise ValueError(f'{value.isoformat()} has no time zone; add "Z" for UTC or an offset such as "+02:00".')
    # The years first: the very first and last moments of the calendar cannot be converted to UTC.
    if not FIRST_DAY.year <= value.year <= LAST_DAY.year:
        raise ValueError(f"{value.year} is out of range; instants lie between {FIRST_DAY.year} and {LAST_DAY.year}.")
    return value.astimezone(UTC)


def _as_instant(value: object) -> datetime:
    try:
        return read_instant(value)
    except ValueError as fault:
        raise PydanticCustomError("instant", "{message}", {"message": str(fault)}) from None


def _as_day(value: object) -> date:
    try:
        return read_day(value)
    except ValueError as fault:
        raise PydanticCustomError("day", "{message}", {"message": str(fault)}) from None


def _as_zone(value: str) -> str:
    try:
        return zone_named(value).key
    except ValueError as fault:
        raise PydanticCustomError("zone", "{message}", {"message": str(fault)}) from None


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_as_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [_INSTANT_EXAMPLE]}),
]
Day = Annotated[
    date,
    BeforeValidator(_as_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-07-31"]}),
]
Zone = Annotated[
    str,
    AfterValidator(_as_zone),
    WithJsonSchema({"type": "string", "description": "A name of the tz database.", "examples": ["Europe/Berlin"]}),
]
