"""When a series meets: weekly and monthly recurrence rules (RFC 5545) on the wall clock of a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Self

from dateutil.rrule import MONTHLY, WEEKLY, rrule, weekday, weekdays

from shared.instant import read_day, read_instant, zone_named

FREQUENCIES: Final = {"WEEKLY": WEEKLY, "MONTHLY": MONTHLY}
PARTS: Final = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "WKST")
DAYS: Final = {str(day): day for day in weekdays}
MOST: Final = {"INTERVAL": 60, "COUNT": 1000}
_DAY_OF_MONTH = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
# The hour that a clock change skips or repeats, and a little more.
_MARGIN = timedelta(hours=3)
FAR = timedelta(days=6 * 366)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule without its beginning: `FREQ=WEEKLY;BYDAY=MO`."""

    text: str
    options: dict[str, Any]
    until: str | None

    @classmethod
    def read(cls, text: str) -> Self:
        """A rule from RRULE text; raises ValueError with a sentence for whoever sent it."""
        bare = text.strip().upper().removeprefix("RRULE:")
        parts: dict[str, str] = {}
        for part in bare.split(";"):
            name, equals, value = part.partition("=")
            if not equals or not value:
                raise ValueError(f'{part!r} is not a part of a rule; a rule reads "FREQ=WEEKLY;BYDAY=MO".')
            if name not in PARTS:
                raise ValueError(f"{name} is not supported in a rule; supported are {', '.join(PARTS)}.")
            if name in parts:
                raise ValueError(f"{name} stands twice in the rule.")
            parts[name] = value
        frequency = parts.pop("FREQ", "missing")
        if frequency not in FREQUENCIES:
            raise ValueError(f"FREQ is {frequency}; a series meets WEEKLY or MONTHLY.")
        if "COUNT" in parts and "UNTIL" in parts:
            raise ValueError("A rule ends by COUNT or by UNTIL, not by both.")
        until = parts.pop("UNTIL", None)
        if until is not None:
            _until(until, UTC)
        options: dict[str, Any] = {"freq": FREQUENCIES[frequency]}
        for name, value in parts.items():
            option, read = _READERS[name]
            options[option] = read(name, value, frequency)
        _refuse_what_never_comes(options)
        return cls(bare, options, until)

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
        # Without its count, so that it is followed no further than six years.
        endless = replace(self, options={name: value for name, value in self.options.items() if name != "count"})
        times = endless.between(start, zone, start, start + FAR)
        # Not at a time that a clock change moves, for the first one tells the time of day of all.
        return next((at for at in times if at.astimezone(place).time() == clock), None)

    def _from(self, start: datetime, begin: datetime, end: datetime) -> Iterator[datetime]:
        if "count" not in self.options:
            if self.options["freq"] == WEEKLY and begin > start:
                # Whole turns of the rule are skipped, or an old series would be told from its first week on.
                turn = timedelta(weeks=self.options.get("interval", 1))
                start += (begin - start) // turn * turn
            yield from rrule(dtstart=start, until=end, **self.options)
            return
        for at in rrule(dtstart=start, **self.options):
            if at > end:
                return
            yield at


def _refuse_what_never_comes(options: dict[str, Any]) -> None:
    # The library would look for such a time up to the end of the calendar.
    days, month_days = options.get("byweekday"), options.get("bymonthday")
    if days and month_days:
        raise ValueError("A rule names its days by BYDAY or by BYMONTHDAY, not by both.")
    if "bysetpos" not in options:
        return
    if not days and not month_days:
        raise ValueError("BYSETPOS chooses among the days of BYDAY or BYMONTHDAY; neither is there.")
    often = 5 if options["freq"] == MONTHLY else 1
    most = sum(1 if day.n else often for day in days) if days else len(month_days or ())
    if all(abs(place) > most for place in options["bysetpos"]):
        raise ValueError(f"BYSETPOS chooses among at most {most} days; it asks for {options['bysetpos']}.")


def _number(name: str, value: str, frequency: str) -> int:
    if not re.fullmatch(r"\d{1,4}", value, re.ASCII) or not 1 <= int(value) <= MOST[name]:
        raise ValueError(f"{name} is {value[:20]}; it is a number from 1 to {MOST[name]}.")
    return int(value)


def _days(name: str, value: str, frequency: str) -> list[weekday]:
    days = []
    for text in value.split(","):
        found = _DAY_OF_MONTH.fullmatch(text)
        if found is None:
            raise ValueError(f'{text[:20]!r} is not a day; days are written "MO" or, in a month, "2MO" or "-1FR".')
        which, day = found.groups()
        if which and frequency == "WEEKLY":
            raise ValueError(f"{text} counts the days of a month; in a week there is one {day}.")
        days.append(DAYS[day](int(which)) if which else DAYS[day])
    return days


def _month_days(name: str, value: str, frequency: str) -> list[int]:
    if frequency == "WEEKLY":
        raise ValueError("BYMONTHDAY belongs to FREQ=MONTHLY.")
    return _signed(name, value, 31)


def _places(name: str, value: str, frequency: str) -> list[int]:
    return _signed(name, value, 31)


def _signed(name: str, value: str, most: int) -> list[int]:
    numbers = []
    for text in value.split(","):
        if not re.fullmatch(r"[+-]?\d{1,2}", text, re.ASCII) or not 1 <= abs(int(text)) <= most:
            raise ValueError(f"{name} has {text[:20]!r}; it counts from 1 to {most}, or back from -1 to -{most}.")
        numbers.append(int(text))
    return numbers


def _first_day(name: str, value: str, frequency: str) -> weekday:
    if value not in DAYS:
        raise ValueError(f"WKST is {value[:20]}; it is one of {', '.join(DAYS)}.")
    return DAYS[value]


def _until(text: str, zone: Any) -> datetime:
    """The last moment of a rule on the wall clock of a zone: a day is meant whole, `Z` means UTC."""
    found = _UNTIL.fullmatch(text)
    if found is None:
        raise ValueError(f'UNTIL is {text[:20]}; it is written "20261231", "20261231T090000" or "20261231T080000Z".')
    year, month, day, clock, *_, utc = found.groups()
    on = read_day(f"{year}-{month}-{day}")
    if clock is None:
        return datetime.combine(on, time.max)
    moment = read_instant(f"{on}T{clock[1:3]}:{clock[3:5]}:{clock[5:7]}Z")
    return moment.astimezone(zone).replace(tzinfo=None) if utc else moment.replace(tzinfo=None)


_READERS: Final[dict[str, tuple[str, Callable[[str, str, str], Any]]]] = {
    "INTERVAL": ("interval", _number),
    "COUNT": ("count", _number),
    "BYDAY": ("byweekday", _days),
    "BYMONTHDAY": ("bymonthday", _month_days),
    "BYSETPOS": ("bysetpos", _places),
    "WKST": ("wkst", _first_day),
}
