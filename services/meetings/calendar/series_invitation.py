"""A whole series as an invitation: its rule and what it leaves out, and each time that is otherwise or is answered
otherwise.

A time that is cancelled is left out, for an event that asks cannot say that it is cancelled (RFC 5546, section 3.2.2).
All parts have one SEQUENCE, that of the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from icalendar import Event, vRecur

from services.meetings.calendar.document import CONFIRMED, DOMAIN, STATUS, Recorded, begun, on_the_wall, takes, told
from services.meetings.calendar.document import written as written_in
from services.meetings.calendar.invitation import Party, ask
from services.meetings.domain.series import Series

Asked = Sequence[tuple[Party, str]]


@dataclass(frozen=True, slots=True)
class Single:
    """One time of a series that is otherwise than the others, or is answered otherwise."""

    occurrence: datetime
    starts_at: datetime
    minutes: int
    name: str
    said: Mapping[str, str]
    """By member what is noted of them."""


@dataclass(frozen=True, slots=True)
class SeriesInvitation:
    """A series with who asks for it, who is asked to all of it, and the times that stand apart."""

    series: Series
    recorded: Recorded
    left_out: Sequence[datetime]
    organizer: Party
    asked: Asked
    singles: Sequence[tuple[Single, Asked]]

    @property
    def method(self) -> str:
        """What is asked of those who get it: to come, or to forget it, where it ended before it met."""
        return "CANCEL" if self.series.for_calendars() is None else "REQUEST"

    def document(self, today: date) -> bytes:
        """The invitation as it is sent."""
        document = begun()
        document.add("method", self.method)
        events = [self._whole(), *(self._single(each, asked) for each, asked in self.singles)]
        return written_in(document, events, {self.series.zone}, today)

    def _whole(self) -> Event:
        rule = self.series.for_calendars()
        event = self._event(self.series.name, self.asked)
        takes(event, self.series.starts_at, self.series.minutes, self.series.zone)
        if rule is not None:
            event.add("rrule", vRecur.from_ical(rule))
        if rule is not None and self.left_out:
            event.add("exdate", [on_the_wall(at, self.series.zone) for at in self.left_out])
        return event

    def _single(self, single: Single, asked: Asked) -> Event:
        event = self._event(single.name, asked)
        event.add("recurrence-id", on_the_wall(single.occurrence, self.series.zone))
        takes(event, single.starts_at, single.minutes, self.series.zone)
        return event

    def _event(self, name: str, asked: Asked) -> Event:
        uid, status = f"{self.series.id}@{DOMAIN}", STATUS["cancelled"] if self.method == "CANCEL" else CONFIRMED
        event = told(self.recorded, self.recorded.revision, uid, name, self.series.form, status)
        ask(event, self.organizer, asked, self.method)
        return event
