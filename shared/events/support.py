"""What teams tells of setbacks and of the public picture.

Whose setback it was is in no event: `person` is a token that only tells two people apart. What happened, who may read
of it, and what is said in public, stays with teams.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


@event("concert.teams.setback-reported.v1")
class SetbackReported(Event):
    """Somebody was rejected, lost a deal, was mistreated or complained about; severity is 1 to 4."""

    person: str
    kind: str
    severity: int
    on: date
    department: str
    team: str | None = None
    customer: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.setback-changed.v1")
class SetbackChanged(Event):
    """A setback is described differently; the event says all that others are told."""

    kind: str
    severity: int
    on: date
    customer: str | None = None


@event("concert.teams.setback-shared.v1")
class SetbackShared(Event):
    """Others may read of a setback, or may not any more; who, stays with teams."""


@event("concert.teams.setback-followed-up.v1")
class SetbackFollowedUp(Event):
    """Something is to be done about a setback, or has been done; what was said of it stays with teams."""

    option: str
    due: date | None = None
    done_on: date | None = None


@event("concert.teams.setback-closed.v1")
class SetbackClosed(Event):
    """A setback is over."""

    on: date


@event("concert.teams.reputation-heard.v1")
class ReputationHeard(Event):
    """Something was said of the organisation in public; a score is a decimal string between 0 and 5."""

    kind: str
    source: str
    on: date
    score: str | None = None
    customer: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.reputation-withdrawn.v1")
class ReputationWithdrawn(Event):
    """What was said in public was taken back, or is not about us; it counts nowhere."""

    on: date
