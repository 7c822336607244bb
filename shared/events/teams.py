"""What teams tells: who works here, in which department and team, since when and until when."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from typing import Any

from shared.events import PEOPLE, Event, event


@event("concert.teams.organisation-described.v1")
class OrganisationDescribed(Event):
    """How the organisation is called, which clock and currency it keeps, and when its year begins."""

    name: str
    zone: str
    currency: str
    first_month: int
    holds_workplaces: bool = False
    """Whether it may hold where members work, so that reviews can be looked at for what that makes of people."""


@event("concert.teams.department-opened.v1")
class DepartmentOpened(Event):
    """The organisation has a department of this name."""

    name: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.team-formed.v1")
class TeamFormed(Event):
    """A team has been formed in a department."""

    name: str
    department: str
    region: str | None = None
    leader: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.team-changed.v1")
class TeamChanged(Event):
    """A team has another name, region, department or leader; the event says all four."""

    name: str
    department: str
    region: str | None = None
    leader: str | None = None


@event("concert.teams.group-formed.v1")
class GroupFormed(Event):
    """A group has been formed inside a team."""

    name: str
    team: str
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.group-changed.v1")
class GroupChanged(Event):
    """A group has another name."""

    name: str
    team: str


@event("concert.teams.member-recruited.v1")
class MemberRecruited(Event):
    """Somebody works here from a day on, for the first time or again. Who it is, is told on the people topic only."""

    department: str
    starts_on: date
    job: str | None = None
    manager: str | None = None
    working_share: str = "1"
    ramp: list[str] = field(default_factory=list)
    """The expected share of a full quota in each whole month since the employment began; full after the last."""
    workplace: str | None = None
    """`office`, `remote` or `hybrid`, where the organisation holds that."""


@event("concert.teams.member-changed.v1")
class MemberChanged(Event):
    """A member has another department, job, manager, working share, ramp or workplace from a day on; the event says all
    as of it.

    What was known to change on later days still changes then.
    """

    on: date
    department: str
    job: str | None = None
    manager: str | None = None
    working_share: str = "1"
    ramp: list[str] = field(default_factory=list)
    workplace: str | None = None


@event("concert.teams.absence-noted.v1")
class AbsenceNoted(Event):
    """A member does not work, or works less, on these days; the event says the whole as it is now, and never why."""

    member: str
    on: date
    until: date | None = None
    """The first day after it; not known yet if there is none."""
    share: str = "1"
    """How much of the working time they are away."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.absence-cancelled.v1")
class AbsenceCancelled(Event):
    """An absence did not come about."""


@event("concert.teams.member-described.v1")
class MemberDescribed(Event):
    """Something personal about a member has changed; what, is told on the people topic only."""


@event("concert.teams.member-joined.v1")
class MemberJoined(Event):
    """A member belongs to a team, and perhaps a group in it, from a day on; until another, or for the time being."""

    team: str
    on: date
    group: str | None = None
    until: date | None = None


@event("concert.teams.member-moved.v1")
class MemberMoved(Event):
    """A member has gone from one team to another; the past stays with the old one.

    The stay in the old team, its groups included, is a stay in the new one from that day until its end, if it has one.
    """

    from_team: str
    to_team: str
    on: date
    until: date | None = None


@event("concert.teams.member-left-team.v1")
class MemberLeftTeam(Event):
    """A member belongs to a team, or only to a group in it, no more from a day on.

    Stays that begin on `until` or later, if there are any, are others.
    """

    team: str
    on: date
    group: str | None = None
    until: date | None = None


@event("concert.teams.member-left.v1")
class MemberLeft(Event):
    """A member works here no more, and belongs to no team, from a day on; the reason is kept by teams."""

    on: date


@event("concert.teams.member-stays.v1")
class MemberStays(Event):
    """A member who was to leave on a day does not; the event says all that is known of their days again."""

    on: date
    employments: list[dict[str, Any]] = field(default_factory=list)
    departments: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    ramps: list[dict[str, Any]] = field(default_factory=list)


@event("concert.teams.leaver-noted.v1")
class LeaverNoted(Event):
    """It is known why one more member left; it is told when it is known of so many that nobody is told of."""


@event("concert.teams.leavers-explained.v1")
class LeaversExplained(Event):
    """Why some members left, counted: of five at least, and never who. They left from `start` to before `end`."""

    start: date
    end: date
    reasons: dict[str, int] = field(default_factory=dict)


@event("concert.teams.member-erased.v1", erases="person")
class MemberErased(Event):
    """A member's personal data has been erased everywhere and is not accepted again."""


@event("concert.people.person-described.v1", topic=PEOPLE)
class PersonDescribed(Event):
    """Everything personal that is known of a member, whole; the latest version is the truth."""

    name: str
    email: str | None = None
    externals: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    """What stands for them in events that do not say whose they are; nothing leads there once this is forgotten."""


@event("concert.people.person-forgotten.v1", topic=PEOPLE, tombstone=True)
class PersonForgotten(Event):
    """A person is to be forgotten: a tombstone, which carries nothing."""
