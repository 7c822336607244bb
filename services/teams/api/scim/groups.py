"""`/scim/v2/Groups`: teams, whom people join and leave as an identity tool tells of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from scim2_models import Context

from services.teams.api.members import JoinTeam, MemberLeaves, join_team, leave
from services.teams.api.organisation import today
from services.teams.api.scim.careers import entry_of
from services.teams.api.scim.language import (
    BASE,
    MEDIA,
    GroupSent,
    PatchSent,
    ScimPage,
    ScimShown,
    Taken,
    Unfit,
    answer_headers,
    merged,
    parsed,
    patched,
    published,
    shown,
    understood,
    wanted,
)
from services.teams.api.scim.models import SOURCE, ScimGroup
from services.teams.api.scim.portraits import TEAMS_THERE, day_of, groups_of, works_here
from services.teams.api.scim.searching import page
from services.teams.api.teams import ChangeTeam, FormTeam, change_team, form_team
from services.teams.domain.members import Member
from services.teams.domain.teams import Team
from shared.http.bodies import ExternalName
from shared.http.collection import link
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, expect, write
from shared.identity.permissions import Principal, require
from shared.store import Snapshot, Tx
from shared.store.tx import missing

router = APIRouter(prefix=f"{BASE}/Groups", tags=["scim"])
_READ, _WRITE = require("scim:read"), require("scim:write")
Reader = Annotated[Principal, Depends(_READ)]
Writer = Annotated[Principal, Depends(_WRITE)]
_team = Team.__table__.c  # type: ignore[attr-defined]


class _Shown:
    """A group as it was shown: its version counts who is in it, too."""

    def __init__(self, group: ScimGroup) -> None:
        assert group.meta is not None
        self.version = str(group.meta.version).strip('"')


@router.get("", operation_id="scim_list_groups", openapi_extra=published(_READ, {200: ScimPage}))
async def list_groups(
    request: Request, principal: Reader, filter: str | None = None, startIndex: str | None = None,
    count: str | None = None, attributes: str | None = None, excludedAttributes: str | None = None,
) -> Response:  # fmt: skip
    """The groups that a filter finds, oldest first; all of them without one."""
    query = {"filter": filter, "startIndex": startIndex, "count": count}
    body = await runtime_of(request).store.read(
        lambda snapshot: page(snapshot, request, ScimGroup, Team, TEAMS_THERE, groups_of, query)
    )
    return Response(body, headers={"Content-Type": MEDIA})


@router.get("/{id}", operation_id="scim_get_group", openapi_extra=published(_READ, {200: ScimShown}, missing=True))
async def get_group(request: Request, id: str, principal: Reader) -> Response:
    """One group, with who is in it today."""
    parameters = wanted(request, ScimGroup)
    group = await runtime_of(request).store.read(lambda snapshot: _group(snapshot, request, id))
    headers = answer_headers(group)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(as_json(shown(group, parameters)), headers=headers)


@router.post(
    "", operation_id="scim_create_group", status_code=201,
    openapi_extra=published(_WRITE, {201: ScimShown}, GroupSent, writes=True),
)  # fmt: skip
async def create_group(request: Request, principal: Writer) -> Response:
    """Form a team; one that was taken out of the directory under this name comes back as the team it was."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        group = parsed(ScimGroup, raw, Context.RESOURCE_CREATION_REQUEST)
        team = await _formed(tx, group)
        await _belong(tx, team, (), _ids(group))
        return await _answer(tx, request, team, 201)

    return await write(request, principal, decide, body=raw)


@router.put(
    "/{id}", operation_id="scim_replace_group",
    openapi_extra=published(_WRITE, {200: ScimShown}, GroupSent, missing=True, writes=True),
)  # fmt: skip
async def replace_group(request: Request, id: str, principal: Writer) -> Response:
    """Say anew how a team is called and, if members are sent, who is in it."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        team, before = await _there(tx, request, id)
        await _become(tx, team, before, merged(before, parsed(ScimGroup, raw, Context.RESOURCE_REPLACEMENT_REQUEST)))
        return await _answer(tx, request, team, 200)

    return await write(request, principal, decide, body=raw)


@router.patch(
    "/{id}", operation_id="scim_change_group",
    openapi_extra=published(_WRITE, {200: ScimShown}, PatchSent, missing=True, writes=True),
)  # fmt: skip
async def change_group(request: Request, id: str, principal: Writer) -> Response:
    """Change a team, or who is in it, by operations; all of them, or none."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        team, before = await _there(tx, request, id)
        await _become(tx, team, before, patched(ScimGroup, before, raw))
        return await _answer(tx, request, team, 200)

    return await write(request, principal, decide, body=raw)


@router.delete(
    "/{id}", operation_id="scim_delete_group", status_code=204,
    openapi_extra=published(_WRITE, {204: None}, missing=True, writes=True),
)  # fmt: skip
async def delete_group(request: Request, id: str, principal: Writer) -> Response:
    """Take a team out of the directory; everybody leaves it, and what it achieved stays."""

    async def decide(tx: Tx) -> Answer:
        team, before = await _there(tx, request, id)
        await _belong(tx, team, _ids(before), ())
        entry = await entry_of(tx, team.id)
        entry.gone = True
        tx.put(entry)
        return Answer(204)

    return await write(request, principal, decide)


async def _formed(tx: Tx, group: ScimGroup) -> Any:
    """A new team, or the one that was taken out under this name; raises Taken for one that is there."""
    name, external_id = group.display_name or "", group.external_id
    known = await tx.seek(Team, f"ext:{SOURCE}:{external_id}") if external_id else None
    if known is not None and not (await entry_of(tx, known.id)).gone:
        raise Taken(f"Another group has the externalId {external_id}: {known.id}.")
    for team in await tx.all(Team, sa.select(Team).where(_team.name == name).order_by(_team.id)) if not known else ():
        if not (await entry_of(tx, team.id)).gone:
            raise Taken(f"Another group is called {name}: {team.id}.")
        known = await tx.load(Team, team.id)
    if known is None:
        external = {"external": {"source": SOURCE, "id": external_id}} if external_id else {}
        with understood():
            body = FormTeam.model_validate({"name": name, **external})
        return await form_team(tx, body)
    entry = await entry_of(tx, known.id)
    entry.gone = False
    tx.put(entry)
    return await _named(tx, known, name, external_id)


async def _become(tx: Tx, team: Team, before: ScimGroup, after: ScimGroup) -> None:
    await _named(tx, team, after.display_name or "", after.external_id)
    await _belong(tx, team, _ids(before), _ids(after))


async def _named(tx: Tx, team: Team, name: str, external_id: str | None) -> Team:
    with understood():
        body = ChangeTeam.model_validate({"name": name} if name != team.name else {})
        if not name:
            raise Unfit("invalidValue", "A group has a displayName.")
        external = ExternalName(source=SOURCE, id=external_id) if external_id else None
    await change_team(tx, team, body)
    return link(tx, team, external) if external else team


async def _belong(tx: Tx, team: Team, before: Collection[str], after: Collection[str]) -> None:
    """Let those join who are in a group now, and those leave who are not; who has left the house does neither."""
    day = await today(tx)
    for key in sorted({*before} ^ {*after}):
        member = await tx.seek(Member, key) if not key.startswith("ext:") else None
        if member is None or member.erased:
            raise Unfit("invalidValue", f"There is no user {key} who could be a member of the group.")
        if not works_here(member, day):
            continue
        on = day_of(member, day)
        if key in after:
            await join_team(tx, member, JoinTeam.model_validate({"team": team.id, "from": on}))
        else:
            await leave(tx, member, MemberLeaves(on=on, team=team.id))


def _ids(group: ScimGroup) -> list[str]:
    return [each.value for each in group.members or () if each.value]


async def _there(tx: Tx, request: Request, key: str) -> tuple[Team, ScimGroup]:
    """A team to change that is in the directory, as it is shown and as the writer has seen it."""
    team = await tx.load(Team, key) if not key.startswith("ext:") else None
    if team is None or (await entry_of(tx, team.id)).gone:
        raise missing(Team, key)
    (group,) = await groups_of(tx, request, [team])
    expect(request, _Shown(group))
    return team, group


async def _group(snapshot: Snapshot, request: Request, key: str) -> ScimGroup:
    found = await snapshot.all(Team, sa.select(Team).where(TEAMS_THERE, _team.id == key))
    if not found:
        raise missing(Team, key)
    return (await groups_of(snapshot, request, found))[0]


async def _answer(tx: Tx, request: Request, team: Team, status: int) -> Answer:
    (group,) = await groups_of(tx, request, [team])
    headers = answer_headers(group) | {"Concert-Version": f"{team.subject}@{team.version}"}
    return Answer(status, as_json(shown(group, wanted(request, ScimGroup))), headers)
