"""How members and teams look in SCIM, and which of them are in the directory: not who was erased or taken out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from scim2_models import Meta

from services.teams.api.organisation import today
from services.teams.api.scim.language import location
from services.teams.api.scim.models import (
    SOURCE,
    ConcertUser,
    EnterpriseUser,
    ScimEmail,
    ScimGroup,
    ScimManager,
    ScimMember,
    ScimName,
    ScimTeam,
    ScimUser,
)
from services.teams.domain.members import Member
from services.teams.domain.people import Person
from services.teams.domain.teams import Department, Team
from services.teams.entries import Entry
from shared.ids import fingerprint
from shared.membership import on_day
from shared.store import Snapshot
from shared.store.entity import Row
from shared.store.sql import OneOf, naming
from shared.store.tables import Journal

_member = Member.__table__.c  # type: ignore[attr-defined]
_person = Person.__table__.c  # type: ignore[attr-defined]
_team = Team.__table__.c  # type: ignore[attr-defined]
_department = Department.__table__.c  # type: ignore[attr-defined]
_entry = Entry.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_TIMES = (
    sa.select(_journal.subject, sa.func.min(_journal.time), sa.func.max(_journal.time))
    .where(OneOf(_journal.subject, "subjects"))
    .group_by(_journal.subject)
)
_GONE = sa.select(_entry.id).where(_entry.gone.is_(True))
MEMBERS_THERE = sa.and_(_member.erased.is_(False), _member.id.not_in(_GONE))
TEAMS_THERE = _team.id.not_in(_GONE)
UNTOLD = "unassigned"
"""The department of those of whom none is told."""


def first_day_away(member: Member, day: date) -> date:
    """The first day on which somebody can be gone who is told to be gone on a day."""
    return max(day, member.starts_on + timedelta(days=1))


def works_here(member: Member, day: date) -> bool:
    """Whether somebody works here, or is going to."""
    return member.left_on is None or member.left_on > first_day_away(member, day)


def day_of(member: Member, day: date) -> date:
    """The day whose teams and position are shown: today, or the first day of who has not begun."""
    return max(day, member.starts_on)


async def users_of(snapshot: Snapshot, request: Request, members: Sequence[Member]) -> list[ScimUser]:
    """Members as users."""
    day = await today(snapshot)
    ids = [member.id for member in members]
    stays = {member.id: on_day(member.memberships, day_of(member, day)) for member in members}
    managers = {member.id: member.position(day)["manager"] for member in members}
    people = await _by_id(snapshot, Person, _person.id, {*ids, *filter(None, managers.values())})
    entries = await _by_id(snapshot, Entry, _entry.id, ids)
    teams = await _by_id(snapshot, Team, _team.id, {team for each in stays.values() for team in each})
    departments = {each.id: each for each in await snapshot.all(Department, sa.select(Department))}
    times = await _times(snapshot, [member.subject for member in members])
    users = []
    for member in members:
        person, entry = people[member.id], entries.get(member.id)
        position = member.position(day)
        manager = people.get(position["manager"])
        user = ScimUser(
            id=member.id,
            external_id=member.externals.get(SOURCE),
            user_name=(entry and entry.user_name) or person.email or member.id,
            name=_name(person, entry),
            display_name=person.name or None,
            title=position["job"],
            active=works_here(member, day),
            emails=[ScimEmail(value=person.email, type="work", primary=True)] if person.email else None,
            groups=[
                ScimTeam(value=team, ref=location(request, "Group", team), display=teams[team].name)
                for team in stays[member.id]
            ]
            or None,
            meta=_meta(request, "User", member, f'"{member.version}"', times),
        )
        user[EnterpriseUser] = EnterpriseUser(
            department=known_as(departments[position["department"]]),
            manager=manager
            and ScimManager(
                value=manager.id, ref=location(request, "User", manager.id), display_name=manager.name or None
            ),
        )
        left = member.left_on
        user[ConcertUser] = ConcertUser(starts_on=member.starts_on.isoformat(), left_on=left and left.isoformat())
        users.append(user)
    return users


async def groups_of(snapshot: Snapshot, request: Request, teams: Sequence[Team]) -> list[ScimGroup]:
    """Teams as groups."""
    found = {team.id: await members_of(snapshot, team.id) for team in teams}
    ids = {member.id for members in found.values() for member in members}
    people = await _by_id(snapshot, Person, _person.id, ids)
    times = await _times(snapshot, [team.subject for team in teams])
    return [
        ScimGroup(
            id=team.id,
            external_id=team.externals.get(SOURCE),
            display_name=team.name,
            members=[
                ScimMember(
                    value=member.id, ref=location(request, "User", member.id), type="User",
                    display=people[member.id].name or None,
                )
                for member in found[team.id]
            ],
            meta=_meta(request, "Group", team, _version_with(team, found[team.id]), times),
        )
        for team in teams
    ]  # fmt: skip


async def members_of(snapshot: Snapshot, team: str) -> list[Member]:
    """Who belongs to a team today, or will from their first day on."""
    day = await today(snapshot)
    mentioned = naming(_member.memberships, team)
    members = await snapshot.all(Member, sa.select(Member).where(MEMBERS_THERE, mentioned).order_by(_member.id))
    return [each for each in members if team in on_day(each.memberships, day_of(each, day))]


def known_as(department: Department) -> str | None:
    """What the tool calls a department, or its name; none for those of whom no department is told."""
    return None if department.id == UNTOLD else department.externals.get(SOURCE) or department.name


def _name(person: Person, entry: Entry | None) -> ScimName | None:
    """The name and the parts it was told in, while it is the name they were told with."""
    if not person.name:
        return None
    if entry is None or entry.told_name != person.name:
        return ScimName(formatted=person.name)
    return ScimName(
        formatted=entry.formatted or person.name, given_name=entry.given_name, family_name=entry.family_name
    )


def _version_with(team: Team, members: Iterable[Member]) -> str:
    """The version of a team together with who is in it, which the versions of members count."""
    return f'"{team.version}-{fingerprint(" ".join(each.id for each in members).encode())[:12]}"'


def _meta(
    request: Request, kind: str, thing: Member | Team, version: str, times: dict[str, tuple[datetime, datetime]]
) -> Meta:
    created, modified = times[thing.subject]
    return Meta(
        resource_type=kind, created=created, last_modified=modified, version=version,
        location=location(request, kind, thing.id),
    )  # fmt: skip


async def _times(snapshot: Snapshot, subjects: Sequence[str]) -> dict[str, tuple[datetime, datetime]]:
    """When a thing became known, and when it was last told of."""
    rows = await snapshot.rows(_TIMES, subjects=list(subjects)) if subjects else ()
    return {subject: (datetime.fromisoformat(first), datetime.fromisoformat(last)) for subject, first, last in rows}


async def _by_id(snapshot: Snapshot, model: type[Row], column: Any, ids: Iterable[str]) -> dict[str, Any]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found: list[Any] = await snapshot.all(model, sa.select(model).where(column.in_(wanted)))
    return {each.id: each for each in found}
