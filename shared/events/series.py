"""What meetings tells of plans: that people will meet again and again, and with which agenda they begin.

Names and reasons are free text; they stay with meetings.
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
    guests: tuple[str, ...] = ()
    """Members of other teams who are invited each time."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.series-changed.v1")
class SeriesChanged(Event):
    """A series has another name, rule, time or other parties; the event says all but the name. What was answered to
    another time is asked again."""

    kind: str
    rrule: str
    zone: str
    starts_at: datetime
    minutes: int
    teams: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    template: str | None = None
    guests: tuple[str, ...] = ()


@event("concert.meetings.series-ended.v1")
class SeriesEnded(Event):
    """A series meets no more from a day on, or another goes on from there."""

    on: date
    continued_by: str | None = None


@event("concert.meetings.series-answered.v1")
class SeriesAnswered(Event):
    """A member answers an invitation to all meetings of a series, or to the one of a day in its zone."""

    member: str
    status: str
    on: date | None = None


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
