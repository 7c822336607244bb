"""What teams tells of duties, of recognitions for what was done, and of challenges that teams set themselves.

What duties are about, and in which words somebody is thanked, stays with teams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event


@event("concert.teams.duty-assigned.v1")
class DutyAssigned(Event):
    """A member, or a group, is to do something; department and team are theirs of that day."""

    on: date
    department: str
    member: str | None = None
    group: str | None = None
    team: str | None = None
    goal: str | None = None
    due: date | None = None
    review: str | None = None
    """The review on which it was decided."""
    option: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.duty-changed.v1")
class DutyChanged(Event):
    """A duty is due by another day, or serves another goal; the event says both."""

    goal: str | None = None
    due: date | None = None


@event("concert.teams.duty-done.v1")
class DutyDone(Event):
    """A duty is done, by the day it was due or later; without such a day it is neither."""

    on: date
    by: str | None = None
    on_time: bool | None = None


@event("concert.teams.duty-accepted.v1")
class DutyAccepted(Event):
    """Who receives what was done finds it good."""

    on: date
    by: str | None = None


@event("concert.teams.duty-returned.v1")
class DutyReturned(Event):
    """Who receives what was done wants it done again; why, stays with teams."""

    on: date
    by: str | None = None


@event("concert.teams.duty-cancelled.v1")
class DutyCancelled(Event):
    """A duty need not be done any more."""

    on: date


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A member who is recognised, with their department and team of that day."""

    member: str
    department: str
    team: str | None = None


@event("concert.teams.recognition-given.v1")
class RecognitionGiven(Event):
    """Members are thanked for something they did: a duty, a deal they assisted in, a problem they solved."""

    to: tuple[Recognised, ...]
    on: date
    done: str
    by: str | None = None
    ref: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.recognition-withdrawn.v1")
class RecognitionWithdrawn(Event):
    """A recognition was a mistake; it counts nowhere."""

    on: date


@event("concert.teams.recognition-described.v1")
class RecognitionDescribed(Event):
    """What is said in a recognition has changed; it stays with teams."""


@event("concert.teams.challenge-set.v1")
class ChallengeSet(Event):
    """A team or a group sets itself something to reach together."""

    team: str
    start: date
    end: date
    group: str | None = None
    goal: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.challenge-changed.v1")
class ChallengeChanged(Event):
    """A challenge lasts otherwise or serves another goal; the event says all of it."""

    start: date
    end: date
    goal: str | None = None


@event("concert.teams.challenge-ended.v1")
class ChallengeEnded(Event):
    """A challenge is over, and was reached or not."""

    on: date
    reached: bool
