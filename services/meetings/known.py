"""What meetings knows of departments, teams and members: enough to invite them and to let them ask each other."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from sqlmodel import Field

from shared.consumer import Subscriptions
from shared.errors import Fault, Invalid
from shared.events import PEOPLE
from shared.events.common import TeamsExternalLinked
from shared.events.teams import (
    DepartmentOpened,
    MemberChanged,
    MemberLeft,
    MemberRecruited,
    OrganisationDescribed,
    PersonDescribed,
    TeamFormed,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.instant import day_of
from shared.membership import changed, ended, latest_on, on_day, spell
from shared.store import Snapshot
from shared.store.types import Json


class Colleague(Fact, table=True):
    """A member, as far as meetings and requests are concerned: in which department on which day."""

    kind: ClassVar[str] = "member"

    departments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)

    def department_on(self, day: date) -> str | None:
        """The department of a day."""
        return latest_on(self.departments, day)


class InvitedDepartment(Fact, table=True):
    """A department that may be invited or asked."""

    __tablename__ = "invited_department"
    kind: ClassVar[str] = "department"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class InvitedTeam(Fact, table=True):
    """A team that may meet."""

    __tablename__ = "invited_team"
    kind: ClassVar[str] = "team"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class ColleagueName(Fact, table=True):
    """What other systems call a member; it arrives with the personal data and goes with it."""

    __tablename__ = "colleague_name"
    kind: ClassVar[str] = "person"
    names: ClassVar[str] = "member"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)


class HouseClock(Fact, table=True):
    """The organisation's time zone."""

    __tablename__ = "house_clock"
    kind: ClassVar[str] = "organisation"

    zone: str = "UTC"


colleagues, people, clock = Facts(Colleague), Facts(ColleagueName), Facts(HouseClock)
departments, teams = Facts(InvitedDepartment), Facts(InvitedTeam)
subscriptions = Subscriptions("concert.teams", PEOPLE)
subscriptions.keep(colleagues, people, clock, departments, teams)


@colleagues.on(MemberRecruited)
def welcome(member: Colleague, event: MemberRecruited) -> None:
    member.departments = [spell(event.department, event.starts_on)]


@colleagues.on(MemberChanged)
def follow(member: Colleague, event: MemberChanged) -> None:
    if event.department not in on_day(member.departments, event.on):
        member.departments = changed(member.departments, event.department, event.on)


@colleagues.on(MemberLeft)
def see_off(member: Colleague, event: MemberLeft) -> None:
    member.departments = ended(member.departments, event.on)


@people.on(PersonDescribed)
def name_colleague(person: ColleagueName, event: PersonDescribed) -> None:
    person.externals = event.externals


@departments.on(DepartmentOpened)
@teams.on(TeamFormed)
def name(thing: Any, event: DepartmentOpened | TeamFormed) -> None:
    thing.externals = event.externals


@departments.on(TeamsExternalLinked)
@teams.on(TeamsExternalLinked)
def link(thing: Any, event: TeamsExternalLinked) -> None:
    if event.id is not None:
        thing.externals = thing.externals | {event.source: event.id}


@clock.on(OrganisationDescribed)
def set_clock(house: HouseClock, event: OrganisationDescribed) -> None:
    house.zone = event.zone


async def local_day(snapshot: Snapshot, moment: Any) -> date:
    """The date a moment has in the organisation's time zone."""
    house = await snapshot.recall(HouseClock, "organisation")
    return day_of(moment, house.zone if house else "UTC")


async def known(snapshot: Snapshot, model: type[Fact], ref: str, at: str) -> Any:
    """The department, team or member a body refers to; raises Invalid with the place in the body."""
    key = await snapshot.resolve(model.kind, ref)
    found = await snapshot.recall(model, key) if key is not None else None
    if found is None:
        message = f"no {model.kind} {ref} is known here (yet)"
        raise Invalid(f"{at}: {message}.", [Fault(at, message)])
    return found
