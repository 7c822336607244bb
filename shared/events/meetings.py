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
    """A team, or several departments, will meet again and again by a rule (RRULE of RFC 5545).

    One that goes on from another takes over what is skipped, and when it ends.
    """

    kind: str
    rrule: str
    zone: str
    starts_at: datetime
    minutes: int
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    template: str | None = None
    follows: str | None = None
    skips: tuple[date, ...] = ()
    ends_on: date | None = None
    review: str | None = None
    """The review on which it was decided that they meet."""
    option: str | None = None
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
    template: str | None = None


@event("concert.meetings.series-ended.v1")
class SeriesEnded(Event):
    """A series meets no more from a day on, or another goes on from there."""

    on: date
    continued_by: str | None = None


@event("concert.meetings.occurrence-skipped.v1")
class OccurrenceSkipped(Event):
    """At one of its times a series does not meet; why, stays with meetings."""

    occurrence: datetime


@event("concert.meetings.occurrence-restored.v1")
class OccurrenceRestored(Event):
    """A time that was to be skipped is met at after all."""

    occurrence: datetime


@event("concert.meetings.template-drawn-up.v1")
class TemplateDrawnUp(Event):
    """There is an agenda to begin meetings with: so many items, which take so many minutes."""

    items: int
    minutes: int
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.template-changed.v1")
class TemplateChanged(Event):
    """Meetings that are called from now on begin with another agenda; its words stay with meetings."""

    items: int
    minutes: int


@event("concert.meetings.template-retired.v1")
class TemplateRetired(Event):
    """No series or meeting is to name this agenda any more; those that do go on with it."""

    on: date


@event("concert.meetings.template-reinstated.v1")
class TemplateReinstated(Event):
    """An agenda that was retired may be named again."""

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
    template: str | None = None
    review: str | None = None
    """The review on which it was decided that they meet."""
    option: str | None = None
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
    review: str | None = None
    """The review on which it was decided."""
    option: str | None = None
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


@event("concert.meetings.action-cancelled.v1")
class ActionCancelled(Event):
    """What was agreed need not be done after all."""

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


@event("concert.meetings.liaison-paired.v1")
class LiaisonPaired(Event):
    """Two are to keep in touch from a day on: members, or a member and a department in which nobody is named yet.

    What counts is that they meet or look after each other; both are told as events of their own.
    """

    on: date
    until: date
    every_days: int
    from_member: str | None = None
    from_department: str | None = None
    to_member: str | None = None
    to_department: str | None = None
    team: str | None = None
    """Whose work needs it."""
    review: str | None = None
    """The review on which it was decided."""
    option: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.liaison-changed.v1")
class LiaisonChanged(Event):
    """A liaison is for longer or shorter, or more or less often, or a member is named for a department; the event says
    all of it."""

    on: date
    until: date
    every_days: int
    from_member: str | None = None
    from_department: str | None = None
    to_member: str | None = None
    to_department: str | None = None
    team: str | None = None


@event("concert.meetings.liaison-ended.v1")
class LiaisonEnded(Event):
    """Two need not keep in touch any more, from a day on; why, stays with meetings."""

    on: date


@event("concert.meetings.pulse-opened.v1")
class PulseOpened(Event):
    """A team, a department or the organisation is asked how it goes, until a day; a team's department is that of then.

    Nothing is told of anybody's answers, or of who has answered, until the pulse is closed.
    """

    level: str
    opens_on: date
    closes_on: date
    items: tuple[str, ...]
    team: str | None = None
    department: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.pulse-changed.v1")
class PulseChanged(Event):
    """A pulse can be answered until another day, or has another title."""

    closes_on: date


@event("concert.meetings.pulse-closed.v1")
class PulseClosed(Event):
    """A pulse can be answered no more: how many were asked and answered, and what all answers together say.

    Sums are there only if enough answered; who did is forgotten with the key that told them apart.
    """

    on: date
    asked: int
    answered: int
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    """By item, and by scale of those who answered all its items: `n`, `total` and `squares` of the answers."""
    promoters: int | None = None
    """Of the eNPS question; none where fewer than ten answered it."""
    passives: int | None = None
    detractors: int | None = None
