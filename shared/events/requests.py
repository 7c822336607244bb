"""What meetings tells of what departments ask of each other, and of promises.

Titles, notes and reasons are free text; they stay with meetings.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


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
