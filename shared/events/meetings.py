"""What meetings tells: that people meet, what is on the table, who does what, and what departments ask of each other.

Titles, minutes, notes and reasons are free text; they stay with meetings.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


@event("concert.meetings.series-planned.v1")
class SeriesPlanned(Event):
    """A team, or several departments, will meet again and again."""

    form: str
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.series-changed.v1")
class SeriesChanged(Event):
    """A series meets by another rule."""


@event("concert.meetings.series-ended.v1")
class SeriesEnded(Event):
    """A series meets no more from a day on."""

    on: date


@event("concert.meetings.meeting-called.v1")
class MeetingCalled(Event):
    """A meeting will be held on a day, perhaps one of a series."""

    on: date
    series: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.meeting-started.v1")
class MeetingStarted(Event):
    """A meeting has begun."""


@event("concert.meetings.meeting-ended.v1")
class MeetingEnded(Event):
    """A meeting is over; its minutes are kept by meetings."""


@event("concert.meetings.meeting-cancelled.v1")
class MeetingCancelled(Event):
    """A meeting will not be held."""


@event("concert.meetings.item-raised.v1")
class ItemRaised(Event):
    """Something is on the table of a meeting or a series."""

    sort: str
    on: date
    meeting: str | None = None
    series: str | None = None
    raised_by: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.item-resolved.v1")
class ItemResolved(Event):
    """An item is off the table."""

    on: date


@event("concert.meetings.item-reopened.v1")
class ItemReopened(Event):
    """An item is on the table again."""

    on: date


@event("concert.meetings.action-agreed.v1")
class ActionAgreed(Event):
    """Somebody will do something by a day."""

    owner: str
    due: date
    item: str | None = None
    helpers: tuple[str, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.action-done.v1")
class ActionDone(Event):
    """What was agreed is done."""

    on: date


@event("concert.meetings.request-made.v1")
class RequestMade(Event):
    """A department, or one of its members, asks another department for something."""

    asks_for: str
    on: date
    from_department: str
    to_department: str
    from_member: str | None = None
    to_member: str | None = None
    promised_by: date | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.request-promised.v1")
class RequestPromised(Event):
    """What was asked for is promised by a day."""

    by: date


@event("concert.meetings.request-resolved.v1")
class RequestResolved(Event):
    """What was asked for is done."""

    on: date
    hours: int
    """Whole hours since it was asked for, or last reopened."""


@event("concert.meetings.request-reopened.v1")
class RequestReopened(Event):
    """What was thought done is not; the reason is kept by meetings."""

    on: date
