"""What meetings tells of meetings: that they are called, moved, held and cancelled, who was there and what resulted.

Names, minutes and what was said are free text; they stay with meetings. A day is the day in the organisation's time
zone, so that nobody who counts days needs to know that zone.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime

from shared.events import Event, event


@event("concert.meetings.meeting-called.v1")
class MeetingCalled(Event):
    """A meeting will be held on a day, perhaps one of a series, by these teams or departments."""

    on: date
    starts_at: datetime
    minutes: int
    kind: str
    series: str | None = None
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    template: str | None = None
    review: str | None = None
    """The review on which it was decided that they meet."""
    option: str | None = None
    guests: tuple[str, ...] = ()
    """Members of other teams who are invited."""
    answers: dict[str, str] = field(default_factory=dict)
    """By member what they have answered to its series."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.meeting-changed.v1")
class MeetingChanged(Event):
    """A meeting has another time, length, name or other parties, or is one of the series that goes on from its own; the
    event says all but the name."""

    on: date
    starts_at: datetime
    minutes: int
    kind: str
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    series: str | None = None
    asked_again: tuple[str, ...] = ()
    """Members whose answers were to the time before; they are invited, and have not answered."""


@event("concert.meetings.meeting-started.v1")
class MeetingStarted(Event):
    """A meeting has begun; a joint one perhaps about the figures of a period, of the fiscal quarter if not said."""

    on: date
    period: str | None = None


@event("concert.meetings.meeting-ended.v1")
class MeetingEnded(Event):
    """A meeting is over, after so many whole minutes; what was said is kept by meetings."""

    on: date
    lasted: int


@event("concert.meetings.meeting-cancelled.v1")
class MeetingCancelled(Event):
    """A meeting will not be held."""


@event("concert.meetings.attendance-noted.v1")
class AttendanceNoted(Event):
    """Members were invited to a meeting, have answered, or were there; the event says what is new, by member."""

    members: dict[str, str]


@event("concert.meetings.outcome-recorded.v1")
class OutcomeRecorded(Event):
    """A meeting had a result: an information, a decision or an action; its words stay with meetings."""

    kind: str
    meeting: str
    on: date
    item: str | None = None
    action: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.outcome-changed.v1")
class OutcomeChanged(Event):
    """A result is put in other words, or is one of another item."""

    item: str | None = None


@event("concert.meetings.outcome-withdrawn.v1")
class OutcomeWithdrawn(Event):
    """What was recorded was no result of the meeting."""
