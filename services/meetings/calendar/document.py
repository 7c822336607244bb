"""Series and meetings as an iCalendar document: what is said of each, and nothing that people wrote beside names.

A series is one event with its rule, its skips and, by the time of the rule, the meetings that differ from it. The
document depends on what is stored and on the year alone, so that its hash tells whether anything has changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from icalendar import Calendar as Document
from icalendar import Event, vRecur

from services.meetings.calendar.zones import zone_component
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from shared.instant import zone_named

DOMAIN: Final = "concert"
YEARS_AHEAD: Final = 10
CONFIRMED: Final = "CONFIRMED"
STATUS: Final = {"cancelled": "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """When a thing was first told of, and when last."""

    made: datetime
    changed: datetime
    revision: int
    """How often it has become something else for those who come; not how often somebody answered."""


@dataclass(slots=True)
class Shown:
    """What a calendar shows."""

    series: Sequence[Series]
    meetings: Sequence[Meeting]
    recorded: Mapping[str, Recorded]
    """By subject."""
    zone: str
    """Of meetings that are of no series."""
    free: frozenset[str] = frozenset()
    """Meetings and series at which whoever follows the calendar will not be."""
    otherwise: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    """By series the times at which they will not be though they are at the others, or the other way round."""
    of_others: Mapping[str, Series] = field(default_factory=dict)
    """Series that are not shown, of which single meetings are."""


def document_of(shown: Shown, title: str, today: date) -> bytes:
    """The whole calendar."""
    document = begun()
    document.add("name", title)
    document.add("x-wr-calname", title)
    document.add("x-published-ttl", "PT1H")
    document.add("refresh-interval", timedelta(hours=1), {"VALUE": "DURATION"})
    zones = {series.zone for series in (*shown.series, *shown.of_others.values())} | {shown.zone}
    return written(document, list(_events(shown)), zones, today)


def begun() -> Document:
    """A document with nothing in it."""
    document = Document()
    document.add("version", "2.0")
    document.add("prodid", "-//Concert//Meetings//EN")
    document.add("calscale", "GREGORIAN")
    return document


def written(document: Document, events: Sequence[Event], zones: Collection[str], today: date) -> bytes:
    """A document with these events, and before them the zones that they stand in."""
    for event in events:
        document.add_component(event)
    first = min((_year_of(each) for each in events), default=today.year)
    parts = [zone_component(name, first, today.year + YEARS_AHEAD) for name in sorted(set(zones) - {"UTC"})]
    text: bytes = document.to_ical()
    place = text.index(b"BEGIN:VEVENT" if events else b"END:VCALENDAR")
    return text[:place] + b"".join(parts) + text[place:]


def _events(shown: Shown) -> Iterable[Event]:
    by_series: dict[str, list[Meeting]] = {}
    for meeting in shown.meetings:
        by_series.setdefault(meeting.series or "", []).append(meeting)
    for meeting in by_series.pop("", []):
        yield _by_itself(shown, meeting, shown.zone)
    for series in shown.series:
        yield from _of_series(shown, series, by_series.pop(series.id, []))
    for key, called in by_series.items():
        for meeting in not_called_anew(called):
            yield _of_rule(shown, shown.of_others[key], meeting)


def _of_series(shown: Shown, series: Series, called: Sequence[Meeting]) -> Iterable[Event]:
    rule = series.for_calendars()
    times = {at for meeting in called if (at := meeting.occurrence) and comes(series, at)}
    if rule is not None:
        event = _event(shown, series, f"{series.id}@{DOMAIN}")
        takes(event, series.starts_at, series.minutes, series.zone)
        event.add("rrule", vRecur.from_ical(rule))
        skipped = [at for at in series.skipped_times() if at not in times]
        if skipped:
            event.add("exdate", [on_the_wall(at, series.zone) for at in skipped])
        yield event
        yield from (_answered(shown, series, at) for at in shown.otherwise.get(series.id, ()) if at not in times)
    for meeting in not_called_anew(called):
        if meeting.occurrence in times:
            if differs(series, meeting) or (meeting.id in shown.free) != (series.id in shown.free):
                yield _of_rule(shown, series, meeting)
        else:
            yield _by_itself(shown, meeting, series.zone)


def comes(series: Series, at: datetime) -> bool:
    """Whether a moment is one of the times by the rule of a series."""
    return next(series.by_rule(at, at + timedelta(seconds=1)), None) == at


def not_called_anew(called: Sequence[Meeting]) -> list[Meeting]:
    """Of meetings of one time, the one that takes place; of cancelled ones the last."""
    last = {each.occurrence: each for each in sorted(called, key=lambda each: (each.status != "cancelled", each.id))}
    return [last[at] for at in sorted(last, key=str)]


def differs(series: Series, meeting: Meeting) -> bool:
    """Whether a meeting is something else than what its series says of it."""
    usual = (meeting.occurrence, series.minutes, series.name)
    return meeting.status == "cancelled" or usual != (meeting.starts_at, meeting.minutes, meeting.name)


def _of_rule(shown: Shown, series: Series, meeting: Meeting) -> Event:
    event = _event(shown, meeting, f"{series.id}@{DOMAIN}", series)
    event.add("recurrence-id", on_the_wall(meeting.occurrence or meeting.starts_at, series.zone))
    takes(event, meeting.starts_at, meeting.minutes, series.zone)
    return event


def _answered(shown: Shown, series: Series, at: datetime) -> Event:
    """A time that is as all others but for whether whoever follows the calendar will be there."""
    recorded = shown.recorded[series.subject]
    revision = recorded.revision + series.version
    event = told(recorded, revision, f"{series.id}@{DOMAIN}", series.name, series.form, CONFIRMED)
    event.add("recurrence-id", on_the_wall(at, series.zone))
    takes(event, at, series.minutes, series.zone)
    event.add("transp", "OPAQUE" if series.id in shown.free else "TRANSPARENT")
    return event


def _by_itself(shown: Shown, meeting: Meeting, zone: str) -> Event:
    event = by_itself(meeting, shown.recorded[meeting.subject], zone)
    if meeting.id in shown.free:
        event.add("transp", "TRANSPARENT")
    return event


def by_itself(meeting: Meeting, recorded: Recorded, zone: str) -> Event:
    """A meeting that stands for itself."""
    status = STATUS.get(meeting.status, CONFIRMED)
    event = told(recorded, recorded.revision, f"{meeting.id}@{DOMAIN}", meeting.name, meeting.form, status)
    takes(event, meeting.starts_at, meeting.minutes, zone)
    return event


def _event(shown: Shown, thing: Series | Meeting, uid: str, series: Series | None = None) -> Event:
    # Of one time of a series never lower than that of the series, or some programs would not look at it.
    recorded, status = shown.recorded[thing.subject], STATUS.get(getattr(thing, "status", ""), CONFIRMED)
    revision = recorded.revision + (series.version if series else 0)
    event = told(recorded, revision, uid, thing.name, thing.form, status)
    if thing.id in shown.free:
        event.add("transp", "TRANSPARENT")
    return event


def told(recorded: Recorded, revision: int, uid: str, name: str, form: str, status: str) -> Event:
    """What is said of every event, whatever it stands for."""
    event = Event()
    event.add("uid", uid)
    event.add("summary", name)
    event.add("categories", [form])
    event.add("sequence", revision)
    event.add("dtstamp", recorded.changed)
    event.add("created", recorded.made)
    event.add("last-modified", recorded.changed)
    event.add("status", status)
    return event


def takes(event: Event, starts_at: datetime, minutes: int, zone: str) -> None:
    """Say when an event is, on the wall clock of a zone."""
    event.add("dtstart", on_the_wall(starts_at, zone))
    event.add("duration", timedelta(minutes=minutes))


def on_the_wall(at: datetime, zone: str) -> datetime:
    """A moment on the wall clock of a zone."""
    return at.astimezone(UTC if zone == "UTC" else zone_named(zone))


def _year_of(event: Any) -> int:
    found: int = event["dtstart"].dt.year
    return found
