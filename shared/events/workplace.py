"""What teams tells of positions to be filled, of the first weeks of those who fill them, and of what they work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event


@event("concert.teams.opening-requested.v1")
class OpeningRequested(Event):
    """A department needs one more member; the job is the organisation's own word for it."""

    department: str
    on: date
    job: str | None = None
    team: str | None = None
    needed_on: date | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.opening-changed.v1")
class OpeningChanged(Event):
    """An opening is for another job or team, or by another day; the event says all of it."""

    job: str | None = None
    team: str | None = None
    needed_on: date | None = None


@event("concert.teams.opening-approved.v1")
class OpeningApproved(Event):
    """Somebody else has agreed that an opening may be filled."""

    on: date


@event("concert.teams.opening-filled.v1")
class OpeningFilled(Event):
    """A member fills an opening, so many days after it was requested, or opened again."""

    member: str
    on: date
    days: int


@event("concert.teams.opening-withdrawn.v1")
class OpeningWithdrawn(Event):
    """An opening is not to be filled any more."""

    on: date


@event("concert.teams.opening-reopened.v1")
class OpeningReopened(Event):
    """An opening is to be filled after all, or again."""

    on: date


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something a joiner needs: a kind of equipment, a course, or a task that teams keeps the words of."""

    step: str
    kind: str
    what: str | None = None
    due: date | None = None
    done_on: date | None = None


@event("concert.teams.onboarding-begun.v1")
class OnboardingBegun(Event):
    """What a joiner needs has been listed, and who accompanies them."""

    member: str
    starts_on: date
    steps: tuple[Step, ...]
    buddy: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.onboarding-changed.v1")
class OnboardingChanged(Event):
    """A joiner needs other things, or is accompanied by another; the event says all of it."""

    steps: tuple[Step, ...]
    buddy: str | None = None


@event("concert.teams.onboarding-step-done.v1")
class OnboardingStepDone(Event):
    """A joiner has something they need."""

    step: str
    on: date


@event("concert.teams.onboarding-cancelled.v1")
class OnboardingCancelled(Event):
    """The joiner did not come, or needs nothing any more."""

    on: date


@event("concert.teams.equipment-added.v1")
class EquipmentAdded(Event):
    """There is a piece of equipment of a kind."""

    kind: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.equipment-changed.v1")
class EquipmentChanged(Event):
    """A piece of equipment is of another kind, or called otherwise; what it is called stays with teams."""

    kind: str


@event("concert.teams.equipment-issued.v1")
class EquipmentIssued(Event):
    """A member has a piece of equipment from a day on; department and team are theirs of that day."""

    member: str
    on: date
    department: str
    team: str | None = None


@event("concert.teams.equipment-returned.v1")
class EquipmentReturned(Event):
    """A member has given a piece of equipment back."""

    on: date


@event("concert.teams.equipment-retired.v1")
class EquipmentRetired(Event):
    """A piece of equipment is not issued any more."""

    on: date
