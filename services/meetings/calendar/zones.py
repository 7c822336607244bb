"""Time zones as calendar programs read them: each change of the clocks in a span of years, told by the tz database.

Not by the library's own component: it gives the beginning of summer time an hour too late (`docs/meetings.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from shared.instant import zone_named

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """By which clock a place lives."""

    offset: timedelta
    summer: bool
    name: str


@lru_cache(maxsize=256)
def zone_component(name: str, first: int, last: int) -> bytes:
    """The VTIMEZONE of a zone that is right from one year to another, both included."""
    zone = Timezone()
    zone.add("tzid", name)
    begin, end = datetime(first, 1, 1, tzinfo=UTC) - DAY, datetime(last + 1, 1, 1, tzinfo=UTC) + DAY
    before = _kept(name, begin)
    spans: dict[tuple[Kept, Kept], list[datetime]] = {(before, before): [_local(begin, before)]}
    for at, after in _changes(name, begin, end):
        # The moment of a change is told by the clock that ends with it.
        spans.setdefault((before, after), []).append(_local(at, before))
        before = after
    for (was, becomes), times in spans.items():
        part = TimezoneDaylight() if becomes.summer else TimezoneStandard()
        part.add("dtstart", times[0])
        if times[1:]:
            part.add("rdate", times[1:])
        part.add("tzoffsetfrom", was.offset)
        part.add("tzoffsetto", becomes.offset)
        part.add("tzname", becomes.name)
        zone.add_component(part)
    told: bytes = zone.to_ical()
    return told


def _changes(name: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, Kept]]:
    before, at = _kept(name, begin), begin
    while at < end:
        after = _kept(name, at + DAY)
        if after != before:
            yield _moment_of_change(name, at, at + DAY), after
            before = after
        at += DAY


def _moment_of_change(name: str, low: datetime, high: datetime) -> datetime:
    before = _kept(name, low)
    while high - low > SECOND:
        middle = low + ((high - low) // 2 // SECOND or 1) * SECOND
        low, high = (middle, high) if _kept(name, middle) == before else (low, middle)
    return high


def _kept(name: str, at: datetime) -> Kept:
    local = at.astimezone(zone_named(name))
    return Kept(local.utcoffset() or timedelta(), bool(local.dst()), local.tzname() or name)


def _local(at: datetime, kept: Kept) -> datetime:
    return (at + kept.offset).replace(tzinfo=None)
