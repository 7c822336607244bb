"""What meetings tells of pulses: whom they ask, and what all answers together say; nothing of anybody's."""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


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
