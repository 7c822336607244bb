"""What meetings tells: that people meet, what is on the table, who does what, and what departments ask of each other.

Titles, minutes, notes and reasons are free text; they stay with meetings. A day is the day in the organisation's time
zone, so that nobody who counts days needs to know that zone.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime

from shared.events import Event, event


@event("concert.meetings.series-planned.v1")
class SeriesPlanned(Event):
    """A team, or several departments, will meet again and again by a rule (RRULE of RFC 5545)."""

    kind: str
    rrule: str
    zone: str
    starts_at: datetime
    minutes: int
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.series-changed.v1")
class SeriesChanged(Event):
    """A series has another name, rule, time or other parties; the event says all but the name."""

    kind: str
    rrule: str
    zone: str
    starts_at: datetime
    minutes: int
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


@event("concert.meetings.series-ended.v1")
class SeriesEnded(Event):
    """A series meets no more from a day on."""

    on: date


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
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.meeting-changed.v1")
class MeetingChanged(Event):
    """A meeting has another time, length, name or other parties; the event says all but the name."""

    on: date
    starts_at: datetime
    minutes: int
    kind: str
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


@event("concert.meetings.meeting-started.v1")
class MeetingStarted(Event):
    """A meeting has begun."""

    on: date


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


@event("concert.meetings.item-raised.v1")
class ItemRaised(Event):
    """News, a problem, a report or a question is on the table of a meeting or a series.

    It may be about a department; a question may be put to several, which then answer.
    """

    kind: str
    on: date
    meeting: str | None = None
    series: str | None = None
    raised_by: str | None = None
    presenter: str | None = None
    department: str | None = None
    to: tuple[str, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.item-changed.v1")
class ItemChanged(Event):
    """An item is described differently or lies on another table; the event says all but the words."""

    kind: str
    on: date
    meeting: str | None = None
    series: str | None = None
    raised_by: str | None = None
    presenter: str | None = None
    department: str | None = None
    to: tuple[str, ...] = ()


@event("concert.meetings.item-answered.v1")
class ItemAnswered(Event):
    """A department has answered a question; the answer stays with meetings."""

    department: str
    on: date


@event("concert.meetings.item-resolved.v1")
class ItemResolved(Event):
    """An item is off the table, by what these members did."""

    on: date
    by: tuple[str, ...] = ()


@event("concert.meetings.item-reopened.v1")
class ItemReopened(Event):
    """An item is on the table again."""

    on: date


@event("concert.meetings.action-agreed.v1")
class ActionAgreed(Event):
    """Somebody will do something by a day, perhaps for somebody who asks for it."""

    on: date
    owner: str
    due: date
    item: str | None = None
    meeting: str | None = None
    helpers: tuple[str, ...] = ()
    goal: str | None = None
    asked_by: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.action-changed.v1")
class ActionChanged(Event):
    """An action has another owner, day, item, other helpers or other words; the event says all but the words."""

    on: date
    owner: str
    due: date
    item: str | None = None
    meeting: str | None = None
    helpers: tuple[str, ...] = ()
    goal: str | None = None
    asked_by: str | None = None
    changed_on: date | None = None
    due_agreed: bool = False
    """Whether who asked for it agrees to the day that it is due now."""


@event("concert.meetings.action-done.v1")
class ActionDone(Event):
    """What was agreed is done, by the day it was due or later."""

    on: date
    on_time: bool


@event("concert.meetings.action-reopened.v1")
class ActionReopened(Event):
    """What was thought done is not."""

    on: date


@event("concert.meetings.request-made.v1")
class RequestMade(Event):
    """A department, or one of its members, asks another department for something.

    The departments are those of the members on that day.
    """

    kind: str
    on: date
    from_department: str
    to_department: str
    from_member: str | None = None
    to_member: str | None = None
    promised_by: date | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.request-changed.v1")
class RequestChanged(Event):
    """A request is described differently or passed on; the event says all but the words."""

    kind: str
    on: date
    from_department: str
    to_department: str
    from_member: str | None = None
    to_member: str | None = None
    promised_by: date | None = None
    changed_on: date | None = None


@event("concert.meetings.request-promised.v1")
class RequestPromised(Event):
    """On a day, what was asked for is promised by another."""

    on: date
    by: date


@event("concert.meetings.request-resolved.v1")
class RequestResolved(Event):
    """What was asked for is done."""

    on: date
    seconds: int
    """Whole seconds since it was asked for, or last reopened."""
    on_time: bool | None = None
    """Whether by the day promised; none where nothing was promised."""
    by: str | None = None
    """The member who did it, if that was said."""


@event("concert.meetings.request-reopened.v1")
class RequestReopened(Event):
    """What was thought done is not; the reason is kept by meetings."""

    on: date


@event("concert.meetings.check-in-noted.v1")
class CheckInNoted(Event):
    """A member has looked after another: offered help, asked, or told them something; what was said stays theirs."""

    kind: str
    on: date
    from_member: str
    to_member: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.check-in-changed.v1")
class CheckInChanged(Event):
    """A check-in was of another kind or on another day, or is put in other words; the event says all but the words."""

    kind: str
    on: date


@event("concert.meetings.check-in-withdrawn.v1")
class CheckInWithdrawn(Event):
    """What was noted as a check-in was none."""
