"""What targets tells of what teams have accomplished without a number, and of the measures they call their own.

What was accomplished, by what that is shown, and why somebody does not find it shown, stays with targets.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event
from shared.period import Period


@event("concert.targets.accomplishment-claimed.v1")
class AccomplishmentClaimed(Event):
    """A team says that it has accomplished something in a period that no number tells, and by how many things that is
    shown; nobody has looked at them yet."""

    team: str
    period: Period
    on: date
    pieces: int
    by: str | None = None
    goal: str | None = None
    verifier: str | None = None
    """Who is asked to look at what it is shown by."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.accomplishment-changed.v1")
class AccomplishmentChanged(Event):
    """An accomplishment that nobody has judged yet is told or shown otherwise; the event says all of it."""

    pieces: int
    goal: str | None = None
    verifier: str | None = None


@event("concert.targets.accomplishment-shown.v1")
class AccomplishmentShown(Event):
    """An accomplishment is shown by more than before: whoever did not find it shown may look again."""

    pieces: int
    on: date


@event("concert.targets.accomplishment-verified.v1")
class AccomplishmentVerified(Event):
    """Somebody who has not claimed it has looked at what it is shown by, and finds it so."""

    on: date
    by: str


@event("concert.targets.accomplishment-disputed.v1")
class AccomplishmentDisputed(Event):
    """Somebody who has not claimed it has looked at what it is shown by, and does not find it shown."""

    on: date
    by: str


@event("concert.targets.accomplishment-withdrawn.v1")
class AccomplishmentWithdrawn(Event):
    """An accomplishment is not claimed any more; it counts nowhere."""

    on: date


@event("concert.targets.own-measures-confirmed.v1")
class OwnMeasuresConfirmed(Event):
    """A team confirms for a period by which one or two of its targets it measures itself."""

    team: str
    period: Period
    targets: tuple[str, ...]
    on: date
    by: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.targets.own-measures-chosen.v1")
class OwnMeasuresChosen(Event):
    """For the same period a team measures itself by other targets; the event says all of them."""

    targets: tuple[str, ...]
    on: date
    by: str | None = None


@event("concert.targets.own-measures-withdrawn.v1")
class OwnMeasuresWithdrawn(Event):
    """What a team measures itself by in a period is not confirmed after all."""

    on: date
