"""When a series meets: recurrence rules (RFC 5545) by day, week, month or year, on the wall clock of a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final, Self

from services.meetings.domain.recurrence import FREQUENCIES, Parts
from shared.instant import read_day, read_instant, zone_named

NAMES: Final = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST",
)  # fmt: skip
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST: Final = {"INTERVAL": 366, "COUNT": 1000}
FAR = timedelta(days=6 * 366)
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
# The hour that a clock change skips or repeats, and a little more.
_MARGIN = timedelta(hours=3)
_REFUSED: Final = {
    **dict.fromkeys(("BYHOUR", "BYMINUTE", "BYSECOND"), "a series meets once a day at most, at the time it starts"),
    "BYYEARDAY": "name the day by BYMONTH and BYMONTHDAY",
    "BYWEEKNO": "name the week by BYMONTH and BYDAY",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule without its beginning: `FREQ=WEEKLY;BYDAY=MO`."""

    text: str
    parts: Parts
    count: int | None
    until: str | None

    @classmethod
    def read(cls, text: str) -> Self:
        """A rule from RRULE text; raises ValueError with a sentence for whoever sent it."""
        bare = text.strip().upper().removeprefix("RRULE:")
        said = _taken_apart(bare)
        frequency = said.pop("FREQ", "missing")
        if frequency not in FREQUENCIES:
            raise ValueError(f"FREQ is {frequency[:20]}; a series meets {', '.join(FREQUENCIES)}.")
        if "COUNT" in said and "UNTIL" in said:
            raise ValueError("A rule ends by COUNT or by UNTIL, not by both.")
        until = said.pop("UNTIL", None)
        if until is not None:
            _until(until, UTC)
        read: dict[str, Any] = {}
        for name, value in said.items():
            field, reader = _READERS[name]
            read[field] = reader(name, value)
        count = read.pop("count", None)
        parts = Parts(frequency, **read)
        _refuse_what_cannot_be_meant(parts)
        return cls(bare, parts, count, until)

    def between(self, start: datetime, zone: str, after: datetime, before: datetime) -> Iterator[datetime]:
        """When it is time, from one moment to before another, for a series that starts at `start`; in UTC.

        The wall clock rules: 09:00 stays 09:00 in summer and in winter. A time that a clock change skips comes as
        much later, one that comes twice is meant the first time.
        """
        place = zone_named(zone)
        end = before.astimezone(place).replace(tzinfo=None) + _MARGIN
        if self.until is not None:
            end = min(end, _until(self.until, place))
        begin = after.astimezone(place).replace(tzinfo=None) - _MARGIN
        for local in self._from(start.astimezone(place).replace(tzinfo=None), begin, end):
            at = local.replace(tzinfo=place).astimezone(UTC)
            if after <= at < before:
                yield at

    def first(self, start: datetime, zone: str) -> datetime | None:
        """When it is time first, from a moment on, at that moment's time of day; none when not within six years."""
        place = zone_named(zone)
        clock = start.astimezone(place).time()
        times = self.between(start, zone, start, start + FAR)
        # Not at a time that a clock change moves, for the first one tells the time of day of all.
        return next((at for at in times if at.astimezone(place).time() == clock), None)

    def going_on(self, after: int) -> str:
        """The rule for what is left of it after so many times."""
        if self.count is None:
            return self.text
        return ";".join(
            f"COUNT={self.count - after}" if part.startswith("COUNT=") else part for part in self.text.split(";")
        )

    def ending(self, zone: str, before: datetime | None) -> str:
        """The rule as calendars read it: UNTIL is a moment in UTC, for one that ends before a moment too."""
        if self.until is None and before is None:
            return self.text
        last = [before - timedelta(seconds=1)] if before is not None else []
        if self.until is not None:
            place = zone_named(zone)
            last.append(_until(self.until, place).replace(tzinfo=place, microsecond=0).astimezone(UTC))
        kept = [part for part in self.text.split(";") if not part.startswith(("UNTIL=", "COUNT="))]
        return ";".join([*kept, f"UNTIL={min(last).astimezone(UTC):%Y%m%dT%H%M%SZ}"])

    def _from(self, start: datetime, begin: datetime, end: datetime) -> Iterator[datetime]:
        # What is counted is followed from its beginning; all else from the turn in which one looks.
        since = start.date() if self.count is not None else begin.date()
        found = (datetime.combine(day, start.time()) for day in self.parts.days(start.date(), since, end.date()))
        for local in islice(found, self.count):
            if begin <= local <= end:
                yield local


def _taken_apart(text: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(f'{part[:40]!r} is not a part of a rule; a rule reads "FREQ=WEEKLY;BYDAY=MO".')
        if name in _REFUSED:
            raise ValueError(f"{name} is not supported in a rule; {_REFUSED[name]}.")
        if name not in NAMES:
            raise ValueError(f"{name[:20]} is not supported in a rule; supported are {', '.join(NAMES)}.")
        if name in said:
            raise ValueError(f"{name} stands twice in the rule.")
        said[name] = value
    return said


def _refuse_what_cannot_be_meant(parts: Parts) -> None:
    if parts.frequency == "WEEKLY" and parts.month_days:
        raise ValueError("BYMONTHDAY belongs to FREQ=DAILY, MONTHLY or YEARLY.")
    most = {"MONTHLY": 5, "YEARLY": 5 if parts.months else 53}.get(parts.frequency, 0)
    for which, weekday in parts.weekdays:
        if which and not most:
            raise ValueError(
                f"{which}{WEEKDAYS[weekday]} counts the days of a month or a year; with FREQ={parts.frequency} write"
                f" {WEEKDAYS[weekday]}."
            )
        if abs(which) > most:
            raise ValueError(f"{which}{WEEKDAYS[weekday]} is more than there are; it counts to {most} at most.")
    if not parts.places:
        return
    if not (parts.weekdays or parts.month_days or parts.months):
        raise ValueError("BYSETPOS chooses among the days of BYDAY, BYMONTHDAY or BYMONTH; none of them is there.")
    days = {"DAILY": 1, "WEEKLY": len(parts.weekdays) or 1, "MONTHLY": 31, "YEARLY": 366}[parts.frequency]
    if all(abs(place) > days for place in parts.places):
        raise ValueError(f"BYSETPOS chooses among at most {days} days; it asks for {list(parts.places)}.")


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,4}", value, re.ASCII) or not 1 <= int(value) <= MOST[name]:
        raise ValueError(f"{name} is {value[:20]}; it is a number from 1 to {MOST[name]}.")
    return int(value)


def _weekdays(name: str, value: str) -> frozenset[tuple[int, int]]:
    days = set()
    for text in value.split(","):
        found = _WEEKDAY.fullmatch(text)
        if found is None or (found[1] and not int(found[1])):
            raise ValueError(f'{text[:20]!r} is not a day; days are written "MO" or, in a month, "2MO" or "-1FR".')
        days.add((int(found[1] or 0), WEEKDAYS.index(found[2])))
    return frozenset(days)


def _months(name: str, value: str) -> frozenset[int]:
    texts = value.split(",")
    wrong = [text for text in texts if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not 1 <= int(text) <= 12]
    if wrong:
        raise ValueError(f"BYMONTH has {wrong[0][:20]!r}; months are numbers from 1 to 12.")
    return frozenset(map(int, texts))


def _month_days(name: str, value: str) -> frozenset[int]:
    return frozenset(_signed(name, value, 31))


def _places(name: str, value: str) -> tuple[int, ...]:
    return tuple(_signed(name, value, 366))


def _signed(name: str, value: str, most: int) -> list[int]:
    numbers = []
    for text in value.split(","):
        if not re.fullmatch(r"[+-]?\d{1,3}", text, re.ASCII) or not 1 <= abs(int(text)) <= most:
            raise ValueError(f"{name} has {text[:20]!r}; it counts from 1 to {most}, or back from -1 to -{most}.")
        numbers.append(int(text))
    return numbers


def _first_weekday(name: str, value: str) -> int:
    if value not in WEEKDAYS:
        raise ValueError(f"WKST is {value[:20]}; it is one of {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(value)


def _until(text: str, zone: Any) -> datetime:
    """The last moment of a rule on the wall clock of a zone: a day is meant whole, `Z` means UTC."""
    found = _UNTIL.fullmatch(text)
    if found is None:
        raise ValueError(f'UNTIL is {text[:20]}; it is written "20261231", "20261231T090000" or "20261231T080000Z".')
    year, month, day, clock, *_, utc = found.groups()
    on: date = read_day(f"{year}-{month}-{day}")
    if clock is None:
        return datetime.combine(on, time.max)
    moment = read_instant(f"{on}T{clock[1:3]}:{clock[3:5]}:{clock[5:7]}Z")
    return moment.astimezone(zone).replace(tzinfo=None) if utc else moment.replace(tzinfo=None)


_READERS: Final[dict[str, tuple[str, Callable[[str, str], Any]]]] = {
    "INTERVAL": ("interval", _number),
    "COUNT": ("count", _number),
    "BYMONTH": ("months", _months),
    "BYMONTHDAY": ("month_days", _month_days),
    "BYDAY": ("weekdays", _weekdays),
    "BYSETPOS": ("places", _places),
    "WKST": ("first_weekday", _first_weekday),
}
