"""`/v1/calendars`: secret links by which calendar programs follow the meetings of a member, a team or a series."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator
from pydantic_core import from_json

from services.meetings.api.refs import here
from services.meetings.calendar.links import MOST_CALENDARS, Calendar, TooManyCalendars, new_key
from services.meetings.domain.series import Series
from shared.errors import Forbidden, NotFound
from shared.http.bodies import Body, Ref
from shared.http.collection import Limit
from shared.http.documents import described
from shared.http.pages import Cursor, asked_only, link_next
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, expect, write
from shared.identity.permissions import Principal, require
from shared.identity.scopes import ADMIN
from shared.known import KnownMember, KnownTeam, known
from shared.store import Snapshot, Tx

router = APIRouter(tags=["calendars"])
_READ, _WRITE = require("calendars:read"), require("calendars:write")
Reader = Annotated[Principal, Depends(_READ)]
Writer = Annotated[Principal, Depends(_WRITE)]
_calendar = Calendar.__table__.c  # type: ignore[attr-defined]
_OWN = sa.select(sa.func.count()).where(_calendar.owner == sa.bindparam("owner"))
_LOCKED = sa.select(Calendar).where(_calendar.id == sa.bindparam("id")).with_for_update()
FIELDS = ("id", "version", "owner", "member", "team", "series", "made_at", "rotated_at")


class MakeCalendar(Body):
    """Whose meetings are to be followed: of a member, a team or a series."""

    member: Ref | None = None
    team: Ref | None = None
    series: Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> MakeCalendar:
        if len(self.model_fields_set) != 1:
            raise ValueError("name a member, a team or a series")
        return self


class RotateCalendar(Body):
    """Nothing needs to be said."""


class CalendarShown(BaseModel):
    """A calendar, without the key in its link."""

    id: str
    version: int
    owner: str = Field(description="who made it")
    member: str | None = None
    team: str | None = None
    series: str | None = None
    made_at: datetime
    rotated_at: datetime | None = Field(default=None, description="since when its link is another")


class CalendarMade(CalendarShown):
    """A calendar with its link, which is shown this once."""

    link: str | None = Field(description="the address to follow; null when a repeated request is answered again")


@router.post(
    "/v1/calendars",
    operation_id="create_calendar",
    openapi_extra=described(_WRITE, MakeCalendar, {201: CalendarMade}),
    status_code=201,
)
async def create_calendar(request: Request, principal: Writer) -> Response:
    """Make a secret link to the meetings of a member, a team or a series; the answer shows it, this once."""
    raw, key = await request.body(), new_key()
    body = parse(MakeCalendar, raw)

    async def decide(tx: Tx) -> Calendar:
        whose = await _whose(tx, body, principal)
        there = await tx.scalar(_OWN, owner=principal.subject)
        if there >= MOST_CALENDARS:
            raise TooManyCalendars(there=there)
        calendar = Calendar.make_link(key, owner=principal.subject, made_at=tx.now, **whose)
        tx.add(calendar)
        return calendar

    return await _with_link(request, principal, raw, key, decide, 201)


@router.get(
    "/v1/calendars",
    operation_id="list_calendars",
    openapi_extra=described(_READ, None, {200: CalendarShown}, page=True),
)
async def list_calendars(
    request: Request,
    principal: Reader,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(description="the `next` of the page before")] = None,
) -> Response:
    """List calendars that one has made, or that are of oneself."""
    asked_only(request, {"limit", "cursor"})
    select = sa.select(Calendar).where(_calendar.id > Cursor.read(cursor).last, _theirs(principal))

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        found = await snapshot.all(Calendar, select.order_by(_calendar.id).limit(limit + 1))
        return [_shown(each) for each in found]

    items = await runtime_of(request).store.read(query)
    following = Cursor(items[limit - 1]["id"]).text() if len(items) > limit else None
    page = as_json({"items": items[:limit], "next": following})
    return Response(page, headers=link_next(request, following), media_type="application/json")


@router.get(
    "/v1/calendars/{id}",
    operation_id="get_calendar",
    openapi_extra=described(_READ, None, {200: CalendarShown}, missing=True),
)
async def get_calendar(request: Request, id: str, principal: Reader) -> Response:
    """One calendar, without its key."""

    async def query(snapshot: Snapshot) -> Answer:
        calendar = _for(principal, id, await snapshot.find(Calendar, id))
        return Answer(200, as_json(_shown(calendar)), _tag(calendar))

    return (await runtime_of(request).store.read(query)).response()


@router.post(
    "/v1/calendars/{id}/rotate",
    operation_id="rotate_calendar",
    openapi_extra=described(_WRITE, RotateCalendar, {200: CalendarMade}),
)
async def rotate_calendar(request: Request, id: str, principal: Writer) -> Response:
    """Let another link lead to a calendar, shown this once; the one before leads nowhere."""
    raw, key = await request.body(), new_key()
    parse(RotateCalendar, raw or b"{}")

    async def decide(tx: Tx) -> Calendar:
        calendar = await _locked(tx, id, principal)
        expect(request, calendar)
        calendar.rotate(key, tx.now)
        tx.put(calendar)
        return calendar

    return await _with_link(request, principal, raw, key, decide, 200)


@router.delete(
    "/v1/calendars/{id}",
    operation_id="delete_calendar",
    openapi_extra=described(_WRITE, None, {204: None}, missing=True, conflict=True),
    status_code=204,
)
async def delete_calendar(request: Request, id: str, principal: Writer) -> Response:
    """Revoke a link: it leads nowhere from now on."""

    async def decide(tx: Tx) -> Answer:
        calendar = await _locked(tx, id, principal)
        expect(request, calendar)
        tx.remove(calendar)
        return Answer(204)

    return await write(request, principal, decide)


async def _whose(tx: Tx, body: MakeCalendar, principal: Principal) -> dict[str, str]:
    if body.series is not None:
        return {"series": (await here(tx, Series, body.series, "/series")).id}
    if body.team is not None:
        return {"team": (await known(tx, KnownTeam, body.team, "/team")).id}
    member: KnownMember = await known(tx, KnownMember, body.member or "", "/member")
    if principal.member not in (None, member.id):
        raise Forbidden("A member makes a calendar of their own meetings, of a team or of a series.")
    return {"member": member.id}


async def _with_link(
    request: Request,
    principal: Principal,
    raw: bytes,
    key: str,
    decide: Callable[[Tx], Awaitable[Calendar]],
    status: int,
) -> Response:
    """The answer with the link in it, which is kept nowhere: not with the answers to requests that may be repeated."""
    origin, made = runtime_of(request).settings.origin, list[str]()

    async def decided(tx: Tx) -> Answer:
        calendar = await decide(tx)
        made[:] = [calendar.link(origin, key)]
        return Answer(status, as_json(_shown(calendar) | {"link": None}), _tag(calendar))

    answer = await write(request, principal, decided, body=raw)
    if not made or answer.status_code != status:
        return answer
    headers = {"ETag": answer.headers["ETag"], "Cache-Control": "no-store"}
    told = from_json(bytes(answer.body)) | {"link": made[0]}
    return Response(as_json(told), status, headers, "application/json")


async def _locked(tx: Tx, id: str, principal: Principal) -> Calendar:
    found = await tx.all(Calendar, _LOCKED, id=id)
    return _for(principal, id, found[0] if found else None)


def _for(principal: Principal, id: str, calendar: Calendar | None) -> Calendar:
    """A calendar for who made it and whose it is; for others it is not there."""
    if calendar is not None and (
        principal.may(ADMIN)
        or calendar.owner == principal.subject
        or (principal.member is not None and calendar.member == principal.member)
    ):
        return calendar
    raise NotFound(f"There is no calendar {id}.")


def _theirs(principal: Principal) -> sa.ColumnElement[bool]:
    if principal.may(ADMIN):
        return sa.true()
    own = _calendar.owner == principal.subject
    return sa.or_(own, _calendar.member == principal.member) if principal.member is not None else own


def _shown(calendar: Calendar) -> dict[str, Any]:
    return {name: getattr(calendar, name) for name in FIELDS}


def _tag(calendar: Calendar) -> dict[str, str]:
    return {"ETag": f'"{calendar.version}"'}
