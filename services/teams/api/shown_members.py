"""How members are shown: as they are today or on another day, and who it is only to those who may know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.teams.api.organisation import today
from services.teams.domain.members import DATED, Member
from services.teams.domain.people import Person
from shared.http.bodies import shown
from shared.identity.permissions import Principal
from shared.membership import Spell, covers, end_of, held_on
from shared.store import Snapshot
from shared.store.sql import OneOf

_person = Person.__table__.c  # type: ignore[attr-defined]
_PEOPLE = sa.select(Person).where(OneOf(_person.id, "ids"))


class Stay(BaseModel):
    """Days on which something held of a member; `to` is not included, and null while it lasts."""

    start: date = Field(alias="from")
    to: date | None


class Employment(Stay):
    """Days on which a member worked here."""


class InDepartment(Stay):
    """Days in a department."""

    department: str


class WithJob(Stay):
    """Days with a job."""

    job: str | None


class WithManager(Stay):
    """Days under a manager."""

    manager: str | None


class WithWorkingShare(Stay):
    """Days with a share of full working time."""

    working_share: str


class WithWorkplace(Stay):
    """Days on which a member worked in the office, remotely or both, or on which that is not known."""

    workplace: str | None


class WithRamp(Stay):
    """Days under a ramp: the share of a full quota expected in each month since the employment began."""

    ramp: list[str]


class InTeam(Stay):
    """Days in a team."""

    team: str


class InGroup(InTeam):
    """Days in a group, which is a part of a team."""

    group: str


class Shown(BaseModel):
    """What is shown of a member beside what is stored as it is."""

    name: str | None = Field(default=None, description="only for those who may read people")
    email: str | None = Field(default=None, description="only for those who may read people")
    department: str
    job: str | None = None
    manager: str | None = None
    working_share: str
    ramp: list[str]
    workplace: str | None = Field(default=None, description="office, remote or hybrid, where the organisation holds it")
    leaving_reason: str | None = Field(default=None, description="only for those who may write members")
    leaving_why: str | None = Field(default=None, description="the same as one of a few")
    employments: list[Employment]
    departments: list[InDepartment]
    jobs: list[WithJob]
    managers: list[WithManager]
    working_shares: list[WithWorkingShare]
    ramps: list[WithRamp]
    workplaces: list[WithWorkplace]
    memberships: list[InTeam]
    groups: list[InGroup]


async def present(snapshot: Snapshot, things: Sequence[Any], reader: Principal | None) -> list[dict[str, Any]]:
    """Members as they are today, with what is personal about them for those who may see it."""
    may_know = reader is None or reader.may("people:read")
    may_tell = reader is None or reader.may("members:write")
    day = await today(snapshot)
    people: dict[str, Person] = {}
    if may_know and things:
        found = await snapshot.all(Person, _PEOPLE, ids=[thing.id for thing in things])
        people = {person.id: person for person in found}
    members = []
    for thing in things:
        person = people.get(thing.id)
        fields = shown(thing) | _spells(thing) | thing.position(day)
        fields["name"], fields["email"] = (person.name or None, person.email) if person else (None, None)
        fields["leaving_reason"] = _reason(thing, "reason") if may_tell else None
        fields["leaving_why"] = _reason(thing, "why") if may_tell else None
        if not may_know:
            fields["externals"] = []
        members.append(fields)
    return members


def as_on(member: Member, day: date) -> dict[str, Any] | None:
    """What was otherwise about a member on a day; none if they did not work here."""
    employment = held_on(member.employments, day)
    if employment is None:
        return None
    return {
        **member.position(day),
        "starts_on": employment["from"],
        "left_on": employment["to"],
        "memberships": [in_team(each) for each in member.memberships if covers(each, day)],
        "groups": [in_group(each) for each in member.groups if covers(each, day)],
    }


def in_team(each: Spell) -> dict[str, Any]:
    """A stay in a team."""
    return {"team": each["of"], "from": each["from"], "to": each["to"]}


def in_group(each: Spell) -> dict[str, Any]:
    """A stay in a group of a team."""
    return {"team": each["team"], "group": each["of"], "from": each["from"], "to": each["to"]}


def _spells(member: Member) -> dict[str, Any]:
    dated = {
        field: [{name: each["of"], "from": each["from"], "to": each["to"]} for each in getattr(member, field)]
        for name, field in DATED.items()
    }
    return dated | {
        "employments": [{"from": each["from"], "to": each["to"]} for each in member.employments],
        "memberships": [in_team(each) for each in member.memberships],
        "groups": [in_group(each) for each in member.groups],
    }


def _reason(member: Member, said: str) -> str | None:
    """Why they left last, while they are gone: in words, or as one of a few."""
    last = member.employments[-1]
    return last.get(said) if end_of(last) is not None else None
