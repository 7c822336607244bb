"""What targets knows of people and teams: enough to credit a deal to them and to say which team it was won for."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from sqlmodel import Field

from shared.asked_period import AskedPeriod
from shared.consumer import Subscriptions
from shared.errors import Fault, Invalid
from shared.events import PEOPLE
from shared.events.common import TeamsExternalLinked
from shared.events.teams import (
    DepartmentOpened,
    GroupFormed,
    MemberJoined,
    MemberLeft,
    MemberMoved,
    MemberRecruited,
    OrganisationDescribed,
    PersonDescribed,
    TeamChanged,
    TeamFormed,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.instant import day_of
from shared.membership import begun, ended, latest_on, on_day
from shared.period import Period
from shared.store import Snapshot, Tx
from shared.store.types import Json


class KnownOrganisation(Fact, table=True):
    """The organisation's clock and year."""

    __tablename__ = "known_organisation"
    kind: ClassVar[str] = "organisation"

    zone: str = "UTC"
    first_month: int = 1


class KnownDepartment(Fact, table=True):
    """A department that plans and spends."""

    __tablename__ = "known_department"
    kind: ClassVar[str] = "department"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class KnownMember(Fact, table=True):
    """A member, as far as deals and targets are concerned."""

    __tablename__ = "known_member"
    kind: ClassVar[str] = "member"

    starts_on: date | None = None
    left_on: date | None = None
    memberships: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    groups: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)

    def team_on(self, day: date) -> str | None:
        """The team of that day; the one joined last when there were several."""
        return latest_on(self.memberships, day)


class KnownTeam(Fact, table=True):
    """A team that targets may be set for, and its department."""

    __tablename__ = "known_team"
    kind: ClassVar[str] = "team"

    department: str = ""
    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class KnownGroup(Fact, table=True):
    """A group that targets may be set for."""

    __tablename__ = "known_group"
    kind: ClassVar[str] = "group"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class KnownPerson(Fact, table=True):
    """What other systems call a member; it arrives with the personal data and goes with it."""

    __tablename__ = "known_person"
    kind: ClassVar[str] = "person"
    names: ClassVar[str] = "member"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


organisation, departments = Facts(KnownOrganisation), Facts(KnownDepartment)
members, teams, groups, people = Facts(KnownMember), Facts(KnownTeam), Facts(KnownGroup), Facts(KnownPerson)
subscriptions = Subscriptions("concert.teams", PEOPLE)
subscriptions.keep(organisation, departments, members, teams, groups, people)


@organisation.on(OrganisationDescribed)
def remember_clock(house: KnownOrganisation, event: OrganisationDescribed) -> None:
    house.zone, house.first_month = event.zone, event.first_month


@departments.on(DepartmentOpened)
def name_department(department: KnownDepartment, event: DepartmentOpened) -> None:
    department.externals = event.externals


@departments.on(TeamsExternalLinked)
def link_department(department: KnownDepartment, event: TeamsExternalLinked) -> None:
    if event.id is not None:
        department.externals = department.externals | {event.source: event.id}


@members.on(MemberRecruited)
def remember_start(member: KnownMember, event: MemberRecruited) -> None:
    member.starts_on = event.starts_on


@members.on(MemberJoined)
def remember_team(member: KnownMember, event: MemberJoined) -> None:
    if event.team not in on_day(member.memberships, event.on):
        member.memberships = begun(member.memberships, event.team, event.on)
    if event.group is not None:
        member.groups = begun(member.groups, event.group, event.on)


@members.on(MemberMoved)
def remember_move(member: KnownMember, event: MemberMoved) -> None:
    member.memberships = begun(ended(member.memberships, event.on, event.from_team), event.to_team, event.on)


@members.on(MemberLeft)
def remember_leaving(member: KnownMember, event: MemberLeft) -> None:
    member.left_on = event.on
    member.memberships, member.groups = ended(member.memberships, event.on), ended(member.groups, event.on)


@teams.on(TeamFormed)
def name_team(team: KnownTeam, event: TeamFormed) -> None:
    team.externals, team.department = event.externals, event.department


@teams.on(TeamChanged)
def place_team(team: KnownTeam, event: TeamChanged) -> None:
    team.department = event.department


@teams.on(TeamsExternalLinked)
def link_team(team: KnownTeam, event: TeamsExternalLinked) -> None:
    if event.id is not None:
        team.externals = team.externals | {event.source: event.id}


@groups.on(GroupFormed)
def name_group(group: KnownGroup, event: GroupFormed) -> None:
    group.externals = event.externals


@people.on(PersonDescribed)
def name_person(person: KnownPerson, event: PersonDescribed) -> None:
    person.externals = event.externals


async def known(snapshot: Snapshot, model: type[Fact], ref: str, at: str) -> Any:
    """The department, member, team or group a body refers to; raises Invalid with the place in the body."""
    key = await snapshot.resolve(model.kind, ref)
    found = await snapshot.recall(model, key) if key is not None else None
    if found is None:
        message = f"no {model.kind} {ref} is known here (yet)"
        raise Invalid(f"{at}: {message}.", [Fault(at, message)])
    return found


async def house(snapshot: Snapshot) -> KnownOrganisation:
    """The organisation, or what it is until it has said something else."""
    return await snapshot.recall(KnownOrganisation, "organisation") or KnownOrganisation.make(id="organisation")


async def today(tx: Tx) -> date:
    """The day it is for the organisation."""
    return day_of(tx.now, (await house(tx)).zone)


async def period_of(snapshot: Snapshot, asked: AskedPeriod) -> Period:
    """The days of a period that a body names, in the organisation's year."""
    return asked.resolve((await house(snapshot)).first_month)
