"""What a service that does not own them knows of the organisation, its departments, teams, groups, members and goals.

Declared once; each service that needs some of it keeps them in a database of its own: `subscriptions.keep(members)`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlmodel import Field

from shared.careers import Away, Career, absences, careers
from shared.errors import Fault, Invalid
from shared.events.common import TargetsExternalLinked, TeamsExternalLinked
from shared.events.goals import GoalClosed, GoalSet
from shared.events.teams import (
    DepartmentOpened,
    GroupFormed,
    OrganisationDescribed,
    PersonDescribed,
    TeamChanged,
    TeamFormed,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.instant import day_of
from shared.store import Snapshot, Tx
from shared.store.types import Json


class KnownOrganisation(Fact, table=True):
    """The organisation's clock and year."""

    __tablename__ = "known_organisation"
    kind: ClassVar[str] = "organisation"

    zone: str = "UTC"
    currency: str = "EUR"
    first_month: int = 1


class KnownDepartment(Fact, table=True):
    """A department that plans, spends, meets and asks others for help."""

    __tablename__ = "known_department"
    kind: ClassVar[str] = "department"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class KnownTeam(Fact, table=True):
    """A team, and its department."""

    __tablename__ = "known_team"
    kind: ClassVar[str] = "team"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    department: str = ""
    region: str | None = None
    leader: str | None = None


class KnownGroup(Fact, table=True):
    """A group inside a team."""

    __tablename__ = "known_group"
    kind: ClassVar[str] = "group"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class KnownMember(Career, table=True):
    """A member: since when and until when, and in which department, team and group on which day."""

    __tablename__ = "known_member"


class KnownAbsence(Away, table=True):
    """Days on which a member does not work, or works less."""

    __tablename__ = "known_absence"


class KnownGoal(Fact, table=True):
    """A goal, and whether it is still pursued."""

    __tablename__ = "known_goal"
    kind: ClassVar[str] = "goal"
    told_by: ClassVar[str] = "targets"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    closed: bool = False


class KnownPerson(Fact, table=True):
    """What other systems call a member; it arrives with the personal data and goes with it."""

    __tablename__ = "known_person"
    kind: ClassVar[str] = "person"
    names: ClassVar[str] = "member"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


organisation, departments, teams = Facts(KnownOrganisation), Facts(KnownDepartment), Facts(KnownTeam)
groups, members, people = Facts(KnownGroup), careers(KnownMember), Facts(KnownPerson)
away, goals = absences(KnownAbsence), Facts(KnownGoal)


@organisation.on(OrganisationDescribed)
def remember_clock(house: KnownOrganisation, event: OrganisationDescribed) -> None:
    house.zone, house.currency, house.first_month = event.zone, event.currency, event.first_month


@departments.on(DepartmentOpened)
@groups.on(GroupFormed)
@people.on(PersonDescribed)
@goals.on(GoalSet)
def remember_names(thing: Any, event: DepartmentOpened | GroupFormed | PersonDescribed | GoalSet) -> None:
    thing.externals = event.externals


@teams.on(TeamFormed)
def remember_team(team: KnownTeam, event: TeamFormed) -> None:
    team.externals = event.externals
    remember_place(team, event)


@teams.on(TeamChanged)
def remember_place(team: KnownTeam, event: TeamFormed | TeamChanged) -> None:
    team.department, team.region, team.leader = event.department, event.region, event.leader


@goals.on(GoalClosed)
def remember_end(goal: KnownGoal, event: GoalClosed) -> None:
    goal.closed = True


@departments.on(TeamsExternalLinked)
@teams.on(TeamsExternalLinked)
@groups.on(TeamsExternalLinked)
@goals.on(TargetsExternalLinked)
def remember_link(thing: Any, event: TeamsExternalLinked | TargetsExternalLinked) -> None:
    if event.id is not None:
        thing.externals = thing.externals | {event.source: event.id}


class NotHeardOf(Invalid):
    """A body names a thing of another service that was never heard of here: there is none, or word is on its way."""

    def __init__(self, model: type[Fact], ref: str, at: str) -> None:
        message = f"no {model.kind} {ref} is known here (yet)"
        super().__init__(f"{at}: {message}.", [Fault(at, message)])
        self.model = model
        self.ref = ref


async def known(snapshot: Snapshot, model: type[Fact], ref: str, at: str) -> Any:
    """The department, team, group or member a body refers to; raises NotHeardOf with the place in the body."""
    found = await snapshot.look_up(model, ref)
    if found is None:
        raise NotHeardOf(model, ref, at)
    return found


async def house(snapshot: Snapshot) -> KnownOrganisation:
    """The organisation, or what it is until it has said something of itself."""
    return await snapshot.recall(KnownOrganisation, "organisation") or KnownOrganisation.make(id="organisation")


async def local_day(snapshot: Snapshot, moment: datetime) -> date:
    """The day a moment has in the organisation's time zone."""
    return day_of(moment, (await house(snapshot)).zone)


async def today(tx: Tx) -> date:
    """The day it is for the organisation."""
    return await local_day(tx, tx.now)


async def fiscal_year(snapshot: Snapshot) -> int:
    """The first month of the organisation's fiscal year, 1 to 12."""
    return (await house(snapshot)).first_month
