"""`/v1/teams` and `/v1/groups`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from services.teams.api.members import member_id, members
from services.teams.domain.members import Member
from services.teams.domain.teams import Department, Group, Team
from shared.errors import Fault, Invalid
from shared.http.bodies import Name, Named, Ref
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day, now
from shared.membership import on_day
from shared.store import Snapshot, Tx

teams = Collection(
    Team, "teams", filters={"department": "department", "region": "region"}, refs={"department": "department"}
)
groups = Collection(Group, "groups", filters={"team": "team"}, refs={"team": "team"})
router = APIRouter(tags=["teams"])
_READ_TEAM, _READ_GROUP = require("teams:read"), require("groups:read")
_member = Member.__table__.c  # type: ignore[attr-defined]


class FormTeam(Named):
    """A team to be formed."""

    name: Name = Field(examples=["North"])
    department: Ref = "sales"
    region: Name | None = None
    leader: Ref | None = None


class ChangeTeam(Named):
    """What to change about a team; what is not sent stays, null clears."""

    name: Name = ""
    department: Ref = "sales"
    region: Name | None = None
    leader: Ref | None = None


class FormGroup(Named):
    """A group to be formed inside a team."""

    name: Name
    team: Ref


class ChangeGroup(Named):
    """Another name for a group."""

    name: Name


@teams.create
async def form_team(tx: Tx, body: FormTeam) -> Team:
    """Bring a team into being."""
    team, formed = Team.form(
        name=body.name,
        department=await department_id(tx, body.department),
        region=body.region,
        leader=await member_id(tx, body.leader, "/leader") if body.leader else None,
        **fresh(Team, body),
    )
    return tx.save(team, formed)


@teams.amend
async def change_team(tx: Tx, team: Team, body: ChangeTeam) -> Team:
    """Describe a team differently."""
    sent = body.sent()
    if "department" in sent:
        sent["department"] = await department_id(tx, body.department)
    if sent.get("leader"):
        sent["leader"] = await member_id(tx, sent["leader"], "/leader")
    return tx.save(team, team.change(**sent))


@groups.create
async def form_group(tx: Tx, body: FormGroup) -> Group:
    """Bring a group into being inside a team."""
    team = await tx.seek_unlocked(Team, body.team)
    if team is None:
        raise Invalid(f"/team: there is no team {body.team}.", [Fault("/team", "not known")])
    group, formed = Group.form(name=body.name, team=team.id, **fresh(Group, body))
    return tx.save(group, formed)


@groups.amend
async def change_group(tx: Tx, group: Group, body: ChangeGroup) -> Group:
    """Give a group another name."""
    return tx.save(group, group.change(name=body.name))


async def department_id(tx: Tx, ref: str) -> str:
    """The id of the department a body refers to; raises Invalid."""
    department = await tx.seek_unlocked(Department, ref)
    if department is None:
        raise Invalid(f"/department: there is no department {ref}.", [Fault("/department", "not known")])
    return department.id


async def _belonging(snapshot: Snapshot, field: str, to: str, day: date, reader: Principal) -> list[dict[str, Any]]:
    found: Sequence[Member] = await snapshot.all(Member, sa.select(Member).order_by(_member.id))
    there = [member for member in found if to in on_day(getattr(member, field), day)]
    return await members.present(snapshot, there, reader)


@router.get(
    "/v1/teams/{ref}/members",
    operation_id="members_of_team",
    openapi_extra=described(_READ_TEAM, None, {200: members.read}, page=True, missing=True),
)
async def members_of_team(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_READ_TEAM)],
    on: Annotated[Day | None, Query(description="on this day; today if not given")] = None,
) -> Response:
    """Who belongs to a team on a day."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        team = await snapshot.get(Team, ref)
        return await _belonging(snapshot, "memberships", team.id, on or now().date(), principal)

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.get(
    "/v1/groups/{ref}/members",
    operation_id="members_of_group",
    openapi_extra=described(_READ_GROUP, None, {200: members.read}, page=True, missing=True),
)
async def members_of_group(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_READ_GROUP)],
    on: Annotated[Day | None, Query(description="on this day; today if not given")] = None,
) -> Response:
    """Who belongs to a group on a day."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        group = await snapshot.get(Group, ref)
        return await _belonging(snapshot, "groups", group.id, on or now().date(), principal)

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")
