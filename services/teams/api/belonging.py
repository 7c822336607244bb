"""Who belonged where on which day: the memberships of a member, the members of a team and of a group."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.api.members import members
from services.teams.api.organisation import today
from services.teams.api.shown_members import in_group, in_team
from services.teams.domain.members import Member
from services.teams.domain.teams import Group, Team
from shared.http.collection import Limit, Reference
from shared.http.documents import described
from shared.http.listing import page_of
from shared.http.pages import Cursor, asked_only, link_next
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.membership import covers
from shared.store import Snapshot

router = APIRouter(tags=["teams"])
_MEMBERS, _TEAMS, _GROUPS = require("members:read"), require("teams:read"), require("groups:read")
OnDay = Annotated[Day | None, Query(description="on this day; today if not given")]
After = Annotated[str | None, Query(description="the `next` of the page before")]


class Membership(BaseModel):
    """A stay in a team, or in a group of it; `to` is not included, and null while it lasts."""

    team: str
    group: str | None
    start: date = Field(alias="from")
    to: date | None


@router.get(
    "/v1/members/{ref}/memberships",
    operation_id="memberships_of_member",
    openapi_extra=described(_MEMBERS, None, {200: Membership}, page=True, missing=True),
    dependencies=[Depends(_MEMBERS)],
)
async def memberships_of_member(
    request: Request, ref: Reference, on: Annotated[Day | None, Query(description="only those of this day")] = None
) -> Response:
    """The teams and groups a member belongs to, with their days, oldest first."""
    asked_only(request, {"on"})
    member = await runtime_of(request).store.read(lambda snapshot: snapshot.get(Member, ref))
    stays = [*((each, in_team(each) | {"group": None}) for each in member.memberships),
             *((each, in_group(each)) for each in member.groups)]  # fmt: skip
    items = [shown for each, shown in stays if on is None or covers(each, on)]
    items.sort(key=lambda shown: (shown["from"], shown["team"], shown["group"] or ""))
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.get(
    "/v1/teams/{ref}/members",
    operation_id="members_of_team",
    openapi_extra=described(_TEAMS, None, {200: members.read}, page=True, missing=True),
)
async def members_of_team(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_TEAMS)],
    on: OnDay = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Response:
    """Who belongs to a team on a day."""
    return await _those_of(request, principal, Team, ref, on, limit, cursor)


@router.get(
    "/v1/groups/{ref}/members",
    operation_id="members_of_group",
    openapi_extra=described(_GROUPS, None, {200: members.read}, page=True, missing=True),
)
async def members_of_group(
    request: Request,
    ref: Reference,
    principal: Annotated[Principal, Depends(_GROUPS)],
    on: OnDay = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Response:
    """Who belongs to a group on a day."""
    return await _those_of(request, principal, Group, ref, on, limit, cursor)


async def _those_of(
    request: Request,
    principal: Principal,
    model: type[Team] | type[Group],
    ref: str,
    on: date | None,
    limit: int,
    cursor: str | None,
) -> Response:
    asked_only(request, {"on", "limit", "cursor"})

    async def query(snapshot: Snapshot) -> tuple[list[dict[str, Any]], str | None]:
        place = await snapshot.get(model, ref)
        day = on or await today(snapshot)
        return await page_of(members, snapshot, {model.kind: place.id}, Cursor.read(cursor), limit, day, principal)

    items, following = await runtime_of(request).store.read(query)
    body = as_json({"items": items, "next": following})
    return Response(body, headers=link_next(request, following), media_type="application/json")
