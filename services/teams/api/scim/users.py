"""`/scim/v2/Users`: joiners, movers and leavers as an identity tool tells of them, by the verbs that members have."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from scim2_models import Context

from services.teams.api.members import MemberLeaves, leave
from services.teams.api.organisation import today
from services.teams.api.scim.careers import become, created, entry_of
from services.teams.api.scim.language import (
    BASE,
    MEDIA,
    PatchSent,
    ScimPage,
    ScimShown,
    UserSent,
    answer_headers,
    merged,
    parsed,
    patched,
    published,
    shown,
    wanted,
)
from services.teams.api.scim.models import ScimUser
from services.teams.api.scim.portraits import MEMBERS_THERE, first_day_away, users_of, works_here
from services.teams.api.scim.searching import page
from services.teams.domain.members import Member
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, expect, write
from shared.identity.permissions import Principal, require
from shared.store import Snapshot, Tx
from shared.store.tx import missing

router = APIRouter(prefix=f"{BASE}/Users", tags=["scim"])
_READ, _WRITE = require("scim:read"), require("scim:write")
Reader = Annotated[Principal, Depends(_READ)]
Writer = Annotated[Principal, Depends(_WRITE)]
_member = Member.__table__.c  # type: ignore[attr-defined]


@router.get("", operation_id="scim_list_users", openapi_extra=published(_READ, {200: ScimPage}))
async def list_users(
    request: Request, principal: Reader, filter: str | None = None, startIndex: str | None = None,
    count: str | None = None, attributes: str | None = None, excludedAttributes: str | None = None,
) -> Response:  # fmt: skip
    """The users that a filter finds, oldest first; all of them without one."""
    query = {"filter": filter, "startIndex": startIndex, "count": count}
    body = await runtime_of(request).store.read(
        lambda snapshot: page(snapshot, request, ScimUser, Member, MEMBERS_THERE, users_of, query)
    )
    return Response(body, headers={"Content-Type": MEDIA})


@router.get("/{id}", operation_id="scim_get_user", openapi_extra=published(_READ, {200: ScimShown}, missing=True))
async def get_user(request: Request, id: str, principal: Reader) -> Response:
    """One user."""
    parameters = wanted(request, ScimUser)
    user = await runtime_of(request).store.read(lambda snapshot: _user(snapshot, request, id))
    headers = answer_headers(user)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(as_json(shown(user, parameters)), headers=headers)


@router.post(
    "", operation_id="scim_create_user", status_code=201,
    openapi_extra=published(_WRITE, {201: ScimShown}, UserSent, writes=True),
)  # fmt: skip
async def create_user(request: Request, principal: Writer) -> Response:
    """Recruit somebody; who has been taken out of the directory comes back as the member they were."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        member = await created(tx, parsed(ScimUser, raw, Context.RESOURCE_CREATION_REQUEST))
        return await _answer(tx, request, member, 201)

    return await write(request, principal, decide, body=raw)


@router.put(
    "/{id}", operation_id="scim_replace_user",
    openapi_extra=published(_WRITE, {200: ScimShown}, UserSent, missing=True, writes=True),
)  # fmt: skip
async def replace_user(request: Request, id: str, principal: Writer) -> Response:
    """Say everything of a user anew; what is not sent stays."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        member = await _there(tx, id)
        expect(request, member)
        (before,) = await users_of(tx, request, [member])
        after = merged(before, parsed(ScimUser, raw, Context.RESOURCE_REPLACEMENT_REQUEST))
        await become(tx, member, before, after)
        return await _answer(tx, request, member, 200)

    return await write(request, principal, decide, body=raw)


@router.patch(
    "/{id}", operation_id="scim_change_user",
    openapi_extra=published(_WRITE, {200: ScimShown}, PatchSent, missing=True, writes=True),
)  # fmt: skip
async def change_user(request: Request, id: str, principal: Writer) -> Response:
    """Change a user by operations; all of them, or none."""
    raw = await request.body()

    async def decide(tx: Tx) -> Answer:
        member = await _there(tx, id)
        expect(request, member)
        (before,) = await users_of(tx, request, [member])
        await become(tx, member, before, patched(ScimUser, before, raw))
        return await _answer(tx, request, member, 200)

    return await write(request, principal, decide, body=raw)


@router.delete(
    "/{id}", operation_id="scim_delete_user", status_code=204,
    openapi_extra=published(_WRITE, {204: None}, missing=True, writes=True),
)  # fmt: skip
async def delete_user(request: Request, id: str, principal: Writer) -> Response:
    """Take somebody out of the directory, who leaves if they have not; nothing of what they did is erased."""

    async def decide(tx: Tx) -> Answer:
        member = await _there(tx, id)
        expect(request, member)
        day = await today(tx)
        if works_here(member, day):
            await leave(tx, member, MemberLeaves(on=first_day_away(member, day)))
        entry = await entry_of(tx, member.id)
        entry.gone = True
        tx.put(entry)
        return Answer(204)

    return await write(request, principal, decide)


async def _there(tx: Tx, key: str) -> Member:
    """A member to change who is in the directory."""
    member = await tx.load(Member, key) if not key.startswith("ext:") else None
    if member is None or member.erased or (await entry_of(tx, member.id)).gone:
        raise missing(Member, key)
    return member


async def _user(snapshot: Snapshot, request: Request, key: str) -> ScimUser:
    found = await snapshot.all(Member, sa.select(Member).where(MEMBERS_THERE, _member.id == key))
    if not found:
        raise missing(Member, key)
    return (await users_of(snapshot, request, found))[0]


async def _answer(tx: Tx, request: Request, member: Member, status: int) -> Answer:
    (user,) = await users_of(tx, request, [await tx.load(Member, member.id)])
    headers = answer_headers(user) | {"Concert-Version": f"{member.subject}@{member.version}"}
    return Answer(status, as_json(shown(user, wanted(request, ScimUser))), headers)
