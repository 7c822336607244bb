"""`/v1/absences` and `/v1/members/{id}/absences`: when members are away, of all of them and of one.

The personnel office notes absences and sees why; a leader sees the days of the teams they lead, and everybody their
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field

from services.teams.api.readers import people_of
from services.teams.api.references import member_id
from services.teams.domain.absences import Absence
from services.teams.domain.members import Member
from shared.errors import Invalid, NotFound
from shared.http.bodies import Body, Named, Ref, Word, shown
from shared.http.collection import Collection, Reference, fresh
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


class PutAbsence(NoteAbsence, Named):
    """Days on which a member does not work, or works less."""

    member: Ref


class AmendAbsence(ChangeAbsence, Named):
    """What to change about an absence; what is not sent stays, null clears."""

    member: Ref = ""


async def _for_reader(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Absences are for the personnel office and its tools, for who leads a team of the member, and for the member."""
    if reader.member is None or reader.may("absences:write"):
        return None
    theirs: sa.ColumnElement[bool] = _absence.member.in_(sorted(await people_of(snapshot, reader)))
    return theirs


async def _present(snapshot: Snapshot, found: Sequence[Absence], reader: Principal | None) -> list[dict[str, Any]]:
    """Absences; why, only for the member, and those who may write absences."""
    return [
        shown(each) if reader is not None and _knows(reader, each.member) else shown(each) | {"kind": None}
        for each in found
    ]


absences = Collection(
    Absence, "absences", filters={"member": "member", "cancelled": "cancelled"}, refs={"member": Member},
    present=_present, readable=_for_reader, called="dated_absence",
)  # fmt: skip


@absences.create
async def put_down_absence(tx: Tx, body: PutAbsence) -> Absence:
    """Note when a member is away."""
    # The member is locked, so that two cannot both find that these days are free.
    member = await tx.load(Member, await member_id(tx, body.member, "/member"))
    noted = Absence.note(
        member, await absences_of(tx, member.id), start=body.start, end=body.to, share=f"{body.share:f}",
        because=body.kind, **fresh(Absence, body),
    )  # fmt: skip
    return tx.save(*noted)


@absences.amend
async def amend_absence(tx: Tx, absence: Absence, body: AmendAbsence) -> Absence:
    """Correct the days, the share or the kind of an absence."""
    if body.member and await member_id(tx, body.member, "/member") != absence.member:
        raise Invalid.at("/member", f"this is an absence of {absence.member}, and stays so; cancel it, note another")
    member = await tx.load(Member, absence.member)
    fields = _changes(body)
    return tx.save(absence, absence.change(member, await absences_of(tx, member.id), **fields))


@absences.verb("cancel")
async def call_off_absence(tx: Tx, absence: Absence, body: CancelAbsence) -> Absence:
    """Say that an absence did not come about."""
    return tx.save(absence, absence.cancel())


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
        knows = _knows(principal, member.id)
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
    fields = _changes(parse(ChangeAbsence, raw))

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


def _changes(body: ChangeAbsence) -> dict[str, Any]:
    sent = {name: value for name, value in body.sent().items() if name in ChangeAbsence.model_fields}
    fields = {{"to": "end", "kind": "because"}.get(name, name): value for name, value in sent.items()}
    return fields | ({"share": f"{fields['share']:f}"} if "share" in fields else {})


def _knows(reader: Principal, member: str) -> bool:
    """Whether somebody may know why a member is away."""
    return reader.may("absences:write") or reader.member == member


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
