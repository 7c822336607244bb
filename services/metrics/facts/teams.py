"""The organisation, its departments, people, teams and groups as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.careers import Away, Career, absences, careers, change, recruit
from shared.events.common import TeamsExternalLinked
from shared.events.teams import (
    DepartmentOpened,
    GroupChanged,
    GroupFormed,
    MemberChanged,
    MemberErased,
    MemberRecruited,
    OrganisationDescribed,
    PersonDescribed,
    TeamChanged,
    TeamFormed,
)  # fmt: skip
from shared.facts import Cell, Fact, Facts
from shared.membership import Spell, begun, changed, held_on, latest_on
from shared.store.types import Json


class OrganisationFact(Fact, table=True):
    """The organisation's name, clock, currency and year."""

    __tablename__ = "organisation_fact"
    kind: ClassVar[str] = "organisation"

    name: str = "Organisation"
    zone: str = "UTC"
    currency: str = "EUR"
    first_month: int = 1
    holds_workplaces: bool = False


class DepartmentFact(Fact, table=True):
    """A department."""

    __tablename__ = "department_fact"
    kind: ClassVar[str] = "department"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""


class TeamFact(Fact, table=True):
    """A team: its name, department and region."""

    __tablename__ = "team_fact"
    kind: ClassVar[str] = "team"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""
    department: str = ""
    region: str | None = None
    leader: str | None = None


class GroupFact(Fact, table=True):
    """A group inside a team."""

    __tablename__ = "group_fact"
    kind: ClassVar[str] = "group"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""
    team: str = ""


class PersonFact(Fact, table=True):
    """Who a member is: for showing names to those who may see them."""

    __tablename__ = "person_fact"
    kind: ClassVar[str] = "person"
    names: ClassVar[str] = "member"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    name: str = ""
    token: str | None = None
    """What stands for them in what is told of setbacks."""


class MemberFact(Career, table=True):
    """A member: when employed, in which department, teams and groups."""

    __tablename__ = "member_fact"
    __table_args__ = (sa.Index("member_fact_start", "starts_on"),)

    erased: bool = False
    working_shares: list[Spell] = Field(default_factory=list, sa_type=Json)
    """How much of the whole they work, from which day on."""
    workplaces: list[Spell] = Field(default_factory=list, sa_type=Json)
    """Where they work, from which day on; nothing where that is not known."""
    jobs: list[Spell] = Field(default_factory=list, sa_type=Json)
    """What they work as, from which day on."""

    def job_on(self, day: date) -> str | None:
        """What they work as on a day; none while that is not known."""
        held = held_on(self.jobs, day)
        return held["of"] if held else None

    def part_time_on(self, day: date) -> bool:
        """Whether they work less than the whole on a day, so far as that is known."""
        return self.working_share_on(day) < 1

    def working_share_on(self, day: date) -> Decimal:
        """How much of the whole they work on a day; all of it where nothing else is known."""
        return Decimal(latest_on(self.working_shares, day) or 1)

    def workplace_on(self, day: date) -> str | None:
        """Where they work on a day, so far as that is known."""
        found = held_on(self.workplaces, day)
        return found["of"] if found else None


class AbsenceFact(Away, table=True):
    """Days on which a member does not work, or works less."""

    __tablename__ = "absence_fact"


def contributions(member: MemberFact) -> Iterator[Cell]:
    """What a member adds: the beginning and the end of each employment, and of each spell in a department, a team and
    a group."""
    dated = {ALL: member.employments, "department": member.departments, "team": member.memberships,
             "group": member.groups}  # fmt: skip
    for dim, spells in dated.items():
        for each in spells:
            yield from cells("joined", date.fromisoformat(each["from"]), {dim: each["of"]})
            if each["to"] is not None:
                yield from cells("left", date.fromisoformat(each["to"]), {dim: each["of"]})


organisation, departments = Facts(OrganisationFact), Facts(DepartmentFact)
teams, groups, people = Facts(TeamFact), Facts(GroupFact), Facts(PersonFact)
members = careers(MemberFact, sums=Tally, cells=contributions)
away = absences(AbsenceFact)


@organisation.on(OrganisationDescribed)
def describe_organisation(fact: OrganisationFact, event: OrganisationDescribed) -> None:
    fact.name, fact.zone, fact.currency, fact.first_month = event.name, event.zone, event.currency, event.first_month
    fact.holds_workplaces = event.holds_workplaces


@departments.on(DepartmentOpened)
def name_department(department: DepartmentFact, event: DepartmentOpened) -> None:
    department.name, department.externals = event.name, event.externals


@departments.on(TeamsExternalLinked)
@teams.on(TeamsExternalLinked)
@groups.on(TeamsExternalLinked)
def link(fact: Any, event: TeamsExternalLinked) -> None:
    if event.id is not None:
        fact.externals = fact.externals | {event.source: event.id}


@teams.on(TeamFormed)
def form_team(team: TeamFact, event: TeamFormed) -> None:
    team.externals = event.externals
    team.name, team.department, team.region, team.leader = event.name, event.department, event.region, event.leader


@teams.on(TeamChanged)
def change_team(team: TeamFact, event: TeamChanged) -> None:
    team.name, team.department, team.region, team.leader = event.name, event.department, event.region, event.leader


@groups.on(GroupFormed)
def form_group(group: GroupFact, event: GroupFormed) -> None:
    group.name, group.team, group.externals = event.name, event.team, event.externals


@groups.on(GroupChanged)
def change_group(group: GroupFact, event: GroupChanged) -> None:
    group.name = event.name


@people.on(PersonDescribed)
def name_person(person: PersonFact, event: PersonDescribed) -> None:
    person.name, person.externals, person.token = event.name, event.externals, event.token


@members.on(MemberRecruited)
def recruit_member(member: MemberFact, event: MemberRecruited) -> None:
    recruit(member, event)
    member.working_shares = begun(member.working_shares, event.working_share, event.starts_on)
    member.workplaces = begun(member.workplaces, event.workplace, event.starts_on)
    member.jobs = begun(member.jobs, event.job, event.starts_on)


@members.on(MemberChanged)
def change_member(member: MemberFact, event: MemberChanged) -> None:
    change(member, event)
    member.working_shares = changed(member.working_shares, event.working_share, event.on, member.employments)
    member.workplaces = changed(member.workplaces, event.workplace, event.on, member.employments)
    member.jobs = changed(member.jobs, event.job, event.on, member.employments)


@members.on(MemberErased)
def erase(member: MemberFact, event: MemberErased) -> None:
    member.erased = True
