"""`/v1/members/{id}/absences`: when a member is away.

The personnel office notes absences and sees why; a leader sees the days of the teams they lead, and everybody their
own.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field

from services.teams.api.readers import people_of
from services.teams.domain.absences import Absence
from services.teams.domain.members import Member
from shared.errors import NotFound
from shared.http.bodies import Body, Word
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.pages import asked_only
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, expect, version_headers, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import new_id
from shared.instant import Day
from shared.money import Share
from shared.store import Snapshot, Tx

router = APIRouter(tags=["members"])
_READ, _WRITE = require("members:read"), require("absences:write")
_absence = Absence.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Absence).where(_absence.member == sa.bindparam("member")).order_by(_absence.starts_on)


def _some(share: Decimal) -> Decimal:
    if not share:
        raise ValueError("an absence of nothing is none; share is more than 0 and at most 1")
    return share.normalize()


AwayShare = Annotated[Share, AfterValidator(_some)]
AbsenceId = Annotated[str, Path(description="the id of an absence of this member")]


class NoteAbsence(Body):
    """Days on which somebody does not work, or works less."""

    start: Day = Field(alias="from")
    to: Day | None = Field(default=None, description="the first day after it; not known yet if not given")
    share: AwayShare = Field(default=Decimal(1), description="of their working time")
    kind: Word | None = Field(default=None, examples=["holiday"], description="never told to other departments")


class ChangeAbsence(Body):
    """What to change about an absence; what is not sent stays, null clears."""

    start: Day = Field(default=date.min, alias="from")
    to: Day | None = None
    share: AwayShare = Decimal(1)
    kind: Word | None = None


class CancelAbsence(Body):
    """Nothing need be said."""


class AbsenceShown(BaseModel):
    """Days on which a member is away; `to` is not included, and null while it is not known."""

    id: str
    version: int
    member: str
    start: date = Field(alias="from")
    to: date | None
    share: str
    kind: str | None = Field(description="only for the member, and those who may write absences")
    cancelled: bool


@router.get(
    "/v1/members/{ref}/absences",
    operation_id="absences_of_member",
    openapi_extra=described(_READ, None, {200: AbsenceShown}, page=True, missing=True),
)
async def absences_of_member(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """When a member is away, oldest first: for the member, who leads a team of theirs, and the personnel office."""
    asked_only(request, set())

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        member = await snapshot.get(Member, ref)
        if not await _may_read(snapshot, principal, member):
            raise forbidden("absences:read")
        knows = principal.may("absences:write") or principal.member == member.id
        return [_shown(each, knows) for each in await absences_of(snapshot, member.id)]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.post(
    "/v1/members/{ref}/absences",
    operation_id="note_absence",
    status_code=201,
    openapi_extra=described(_WRITE, NoteAbsence, {201: AbsenceShown}, missing=True, conflict=True),
)
async def note_absence(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Note when a member is away."""
    raw = await request.body()
    body = parse(NoteAbsence, raw)

    async def decide(tx: Tx) -> Answer:
        member = await tx.load(Member, ref)
        absence, noted = Absence.note(
            member, await absences_of(tx, member.id), start=body.start, end=body.to, share=f"{body.share:f}",
            because=body.kind, id=new_id(Absence.prefix),
        )  # fmt: skip
        return _answer(tx.save(absence, noted), 201)

    return await write(request, principal, decide, body=raw)


@router.patch(
    "/v1/members/{ref}/absences/{absence}",
    operation_id="change_absence",
    openapi_extra=described(_WRITE, ChangeAbsence, {200: AbsenceShown}, missing=True, conflict=True),
)
async def change_absence(
    request: Request, ref: Reference, absence: AbsenceId, principal: Annotated[Principal, Depends(_WRITE)]
) -> Response:
    """Correct the days, the share or the kind of an absence."""
    raw = await request.body()
    sent = parse(ChangeAbsence, raw).sent()
    fields = {{"to": "end", "kind": "because"}.get(name, name): value for name, value in sent.items()}
    if "share" in fields:
        fields["share"] = f"{fields['share']:f}"

    async def decide(tx: Tx) -> Answer:
        member = await tx.load(Member, ref)
        found = await _of(tx, member, absence)
        expect(request, found, required=True)
        return _answer(tx.save(found, found.change(member, await absences_of(tx, member.id), **fields)), 200)

    return await write(request, principal, decide, body=raw)


@router.post(
    "/v1/members/{ref}/absences/{absence}/cancel",
    operation_id="cancel_absence",
    openapi_extra=described(_WRITE, CancelAbsence, {200: AbsenceShown}, missing=True, conflict=True),
)
async def cancel_absence(
    request: Request, ref: Reference, absence: AbsenceId, principal: Annotated[Principal, Depends(_WRITE)]
) -> Response:
    """Say that an absence did not come about."""
    raw = await request.body()
    parse(CancelAbsence, raw or b"{}")

    async def decide(tx: Tx) -> Answer:
        found = await _of(tx, await tx.load(Member, ref), absence)
        expect(request, found)
        return _answer(tx.save(found, found.cancel()), 200)

    return await write(request, principal, decide, body=raw)


async def absences_of(snapshot: Snapshot, member: str) -> list[Absence]:
    """The absences of a member, oldest first, cancelled ones included."""
    return await snapshot.all(Absence, _OF_MEMBER, member=member)


async def _of(tx: Tx, member: Member, ref: str) -> Absence:
    found = await tx.load(Absence, ref)
    if found.member != member.id:
        raise NotFound(f"This member has no absence {ref}.")
    return found


async def _may_read(snapshot: Snapshot, reader: Principal, member: Member) -> bool:
    if reader.member == member.id or reader.may("absences:write"):
        return True
    if not reader.may("absences:read"):
        return False
    if reader.member is None:
        return True
    return member.id in await people_of(snapshot, reader)


def _shown(absence: Absence, knows: bool) -> dict[str, Any]:
    return {
        "id": absence.id,
        "version": absence.version,
        "member": absence.member,
        "from": absence.starts_on,
        "to": absence.ends_on,
        "share": absence.share,
        "kind": absence.because if knows else None,
        "cancelled": absence.cancelled,
    }


def _answer(absence: Absence, status: int) -> Answer:
    return Answer(status, as_json(_shown(absence, knows=True)), version_headers(absence))
