"""What meetings tells of how people keep in touch: check-ins, and liaisons that are to see to it.

What was said stays with those who said it.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


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
