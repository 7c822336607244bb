"""`/v1/meetings/{id}/attendance` and `/agenda`: who is invited and was there, and what is to be talked about."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.meetings.api.meetings import meetings, table_of_meeting
from services.meetings.api.refs import line_of
from services.meetings.domain.actions import Action
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.requests import Request as RequestedHere
from services.meetings.known import KnownDuty
from services.meetings.places import invited_to
from shared.errors import Invalid
from shared.http.bodies import Body, Ref
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
from shared.known import KnownMember, known
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

router = APIRouter(tags=["meetings"])
_READ = require("meetings:read")
_meeting = Meeting.__table__.c  # type: ignore[attr-defined]
_request = RequestedHere.__table__.c  # type: ignore[attr-defined]
_action, _item, _duty = Action.__table__.c, Item.__table__.c, KnownDuty.__table__.c  # type: ignore[attr-defined]
# What was agreed in the meeting's series, at its meetings or about items on its table.
_OF_SERIES = sa.select(_meeting.id).where(OneOf(_meeting.series, "line"))
_AGREED = sa.select(Action).where(
    _action.agreed_on <= sa.bindparam("day"),
    sa.or_(
        _action.meeting.in_(_OF_SERIES),
        _action.item.in_(sa.select(_item.id).where(
            sa.or_(OneOf(_item.series, "line"), _item.meeting.in_(_OF_SERIES)))),
    ),
)  # fmt: skip
_OWED = sa.select(Action).where(OneOf(_action.owner, "owners"), _action.due < sa.bindparam("day"))
_DUTIES = sa.select(KnownDuty).where(
    _duty.to_do, _duty.due < sa.bindparam("day"),
    sa.or_(OneOf(_duty.team, "teams"), OneOf(_duty.department, "departments")),
)  # fmt: skip
_LATE = sa.select(RequestedHere).where(
    _request.promised_by < sa.bindparam("day"), OneOf(_request.from_department, "departments"),
    OneOf(_request.to_department, "departments"),
)  # fmt: skip
Status = Literal["invited", "accepted", "tentative", "declined", "present", "excused"]


class Entry(Body):
    """A member and what is noted of them."""

    member: Ref
    status: Status


class NoteAttendance(Body):
    """One member or several: invited, what they answer, and whether they were there."""

    member: Ref | None = None
    status: Status | None = None
    entries: list[Entry] = Field(default_factory=list, max_length=1000)

    @model_validator(mode="after")
    def _somebody(self) -> NoteAttendance:
        if (self.member is None) != (self.status is None) or (self.member is None) == (not self.entries):
            raise ValueError("name a member with a status, or entries with one each")
        return self


class AttendanceShown(BaseModel):
    """A member who is invited, and what is noted of them."""

    member: str
    status: Status
    guest: bool = Field(description="invited by name, not by a team or department")


class AgendaShown(BaseModel):
    """What is to be talked about: items, actions that are not done, and duties that are overdue."""

    items: list[dict[str, Any]] = Field(description="own ones by their place, then those carried over")
    actions: list[dict[str, Any]] = Field(description="of the series and still to be done, or owed by who is invited")
    duties: list[dict[str, Any]] = Field(description="overdue, of the teams that meet, or of a department by itself")
    requests: list[dict[str, Any]] = Field(description="overdue ones between the departments of a joint meeting")
    minutes_planned: int = Field(description="of the items that say how long they take")


@meetings.verb("attendance", replaces=True)
async def note_attendance(tx: Tx, meeting: Meeting, body: NoteAttendance) -> Meeting:
    """Invite guests, note what members answer, and who was there."""
    given = [(body.member, body.status, "/member")] if body.member else [
        (each.member, each.status, f"/entries/{place}/member") for place, each in enumerate(body.entries)
    ]  # fmt: skip
    said: dict[str, str] = {}
    for ref, status, at in given:
        member: KnownMember = await known(tx, KnownMember, ref or "", at)
        if member.id in said:
            raise Invalid.at(at, "this member stands here twice")
        said[member.id] = status or "invited"
    return tx.save(meeting, meeting.attend(said, await invited_to(tx, meeting, meeting.on)))


@router.get(
    "/v1/meetings/{ref}/attendance",
    operation_id="attendance_of_meeting",
    openapi_extra=described(_READ, None, {200: AttendanceShown}, page=True, missing=True),
    dependencies=[Depends(_READ)],
)
async def attendance_of_meeting(request: Request, ref: Reference) -> Response:
    """Who is invited to a meeting, what they answered, and who was there."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        meeting = await snapshot.get(Meeting, ref)
        invited = await invited_to(snapshot, meeting, meeting.on)
        return [
            {"member": member, "status": meeting.attendance.get(member, "invited"), "guest": member not in invited}
            for member in sorted(invited | meeting.attendance.keys())
        ]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.get(
    "/v1/meetings/{ref}/agenda",
    operation_id="agenda_of_meeting",
    openapi_extra=described(_READ, None, {200: AgendaShown}, missing=True),
    dependencies=[Depends(_READ)],
)
async def agenda_of_meeting(request: Request, ref: Reference) -> Response:
    """What is to be talked about: items with those carried over, what is not done yet, and what is overdue."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        return await agenda_of(snapshot, await snapshot.get(Meeting, ref))

    return Response(as_json(await runtime_of(request).store.read(query)), media_type="application/json")


async def agenda_of(snapshot: Snapshot, meeting: Meeting) -> dict[str, Any]:
    """The agenda of a meeting as of its day."""
    table = await table_of_meeting(snapshot, meeting)
    day, invited = meeting.on, await invited_to(snapshot, meeting, meeting.on)
    found = await snapshot.all(Action, _OWED, owners=sorted(invited), day=day)
    if meeting.series is not None:
        found += await snapshot.all(Action, _AGREED, line=await line_of(snapshot, meeting.series), day=day)
    actions = {each.id: each for each in found if each.to_do_on(day)}
    # What one department owes by itself is no business of the others it meets.
    own = [] if meeting.form == "joint" else list(meeting.departments)
    duties = await snapshot.all(KnownDuty, _DUTIES, teams=list(meeting.teams), departments=own, day=day)
    return {
        "items": table,
        "actions": [
            {"id": each.id, "title": each.title, "owner": each.owner, "due": each.due, "overdue": each.due < day}
            for each in sorted(actions.values(), key=lambda each: (each.due, each.id))
        ],
        "duties": [
            {"duty": each.id, "member": each.member, "group": each.group, "due": each.due}
            for each in sorted(duties, key=lambda each: (str(each.due), each.id))
        ],
        "requests": await _overdue_between(snapshot, meeting),
        "minutes_planned": sum(item["minutes"] or 0 for item in table),
    }


async def _overdue_between(snapshot: Snapshot, meeting: Meeting) -> list[dict[str, Any]]:
    """What the departments of a joint meeting have promised each other for a day before it, and not done by then."""
    if meeting.form != "joint":
        return []
    found = await snapshot.all(RequestedHere, _LATE, departments=list(meeting.departments), day=meeting.on)
    return [
        {
            "id": each.id, "title": each.title, "kind": each.asks_for, "from": each.from_department,
            "to": each.to_department, "promised_by": each.promised_by, "reopened": each.reopened,
        }
        for each in sorted(found, key=lambda each: (str(each.promised_by), each.id))
        if each.from_department != each.to_department and each.to_do_on(meeting.on)
    ]  # fmt: skip
