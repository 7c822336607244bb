"""`/v1/meetings/replies`: what a calendar program sends back on an invitation is noted as an answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.meetings.api.answering import answer_all, answer_one
from services.meetings.api.calling import meeting_of
from services.meetings.api.invitations import MEDIA
from services.meetings.api.people import people_told
from services.meetings.api.series_invitations import recorded_as_invitation
from services.meetings.calendar.feed import recorded_of
from services.meetings.calendar.invitation import BY_ID
from services.meetings.calendar.replies import Reply, read_replies
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.places import Places, invited_to
from shared.errors import Fault, Invalid, Refused
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, batch_headers, new_batch, write
from shared.identity.permissions import Principal, forbidden, require
from shared.store import Snapshot, Tx

router = APIRouter(tags=["meetings"])
_WRITE = require("meetings:write")
MAILTO = "mailto:"


class AnswersAnotherTime(Refused):
    """This answers the invitation before it was changed (SEQUENCE {revision}, now {now}), to a time that is another by
    now; send the invitation that holds, and answer that."""

    at = "/SEQUENCE"


class NotedReply(BaseModel):
    """What was noted: the answer of a member to a meeting, to a series, or to one of its times."""

    member: str
    status: str
    meeting: str | None = Field(description="null of a series, and of a time that has not become a meeting")
    series: str | None
    occurrence: datetime | None = Field(description="the time of the series; null for all of them")


class NotedReplies(BaseModel):
    """What was noted of a document, in its order."""

    items: list[NotedReply]


def _as_document() -> dict[str, Any]:
    documented = described(_WRITE, None, {200: NotedReplies}, missing=True, conflict=True)
    content = {MEDIA: {"schema": {"type": "string"}}}
    return documented | {"requestBody": {"required": True, "content": content}}


@router.post("/v1/meetings/replies", operation_id="take_replies", openapi_extra=_as_document())
async def take_replies(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Take an iTIP document with METHOD:REPLY, as a mailbox receives it on `invitation.ics`, for an answer: of who is
    found among the invited by the address in ATTENDEE. One to a whole series needs a token that may write series."""
    raw = await request.body()
    replies = read_replies(raw)
    if any(each.kind == "series" for each in replies) and not principal.may("series:write"):
        raise forbidden("series:write")
    who = await _who(request, principal, replies)

    async def decide(tx: Tx) -> Answer:
        noted = [await _note(tx, each, who[each.attendee]) for each in replies]
        return Answer(200, as_json({"items": noted}), batch_headers(tx))

    return await write(request, principal, decide, body=raw, batch=new_batch(runtime_of(request)))


async def _who(request: Request, principal: Principal, replies: Sequence[Reply]) -> Mapping[str, str]:
    """The members behind the addresses, who are looked for among those invited. Raises Invalid."""

    async def query(snapshot: Snapshot) -> set[str]:
        return {member for each in replies for member in await _invited(snapshot, each)}

    invited = await runtime_of(request).store.read(query)
    found = {f"{BY_ID}{member}".lower(): member for member in invited}
    if any(each.attendee.startswith(MAILTO) for each in replies):
        if not principal.may("people:read"):
            raise forbidden("people:read")
        told = await people_told(request, principal, invited)
        found |= {f"{MAILTO}{each.email.lower()}": member for member, each in told.items() if each.email}
    if any(each.attendee not in found for each in replies):
        # Not told by name: a reply is no way to find out who is here.
        raise Invalid("Nobody who is invited is known by the address in ATTENDEE.",
                      [Fault("/ATTENDEE", "is the address of somebody invited")])  # fmt: skip
    return found


async def _invited(snapshot: Snapshot, reply: Reply) -> set[str]:
    planned = await snapshot.get(Series, reply.id) if reply.kind == "series" else None
    key = reply.id if planned is None else await meeting_of(snapshot, planned, reply.occurrence)
    meeting = await snapshot.get(Meeting, key) if key is not None else None
    found = {*planned.guests} if planned is not None else set()
    for each in (planned, meeting):
        found |= {member.id for member in await Places(each.teams, each.departments).ever(snapshot)} if each else set()
    return found | (meeting.attendance.keys() if meeting is not None else set())


async def _note(tx: Tx, reply: Reply, member: str) -> dict[str, Any]:
    thing = await (_to_meeting if reply.kind == "meeting" else _to_series)(tx, reply, member)
    is_meeting = isinstance(thing, Meeting)
    return {
        "member": member,
        "status": reply.status,
        "meeting": thing.id if is_meeting else None,
        "series": thing.series if isinstance(thing, Meeting) else thing.id,
        "occurrence": reply.occurrence,
    }


async def _to_meeting(tx: Tx, reply: Reply, member: str) -> Meeting | Series:
    meeting = await tx.load(Meeting, reply.id)
    recorded = await recorded_of(tx, [meeting.subject])
    _refuse_another_time(reply, recorded[meeting.subject].revision, meeting.starts_at)
    expected = await invited_to(tx, meeting, meeting.on)
    return tx.save(meeting, meeting.attend({member: reply.status}, expected))


async def _to_series(tx: Tx, reply: Reply, member: str) -> Meeting | Series:
    planned, at = await tx.load(Series, reply.id), reply.occurrence
    called = await meeting_of(tx, planned, at)
    starts_at = (await tx.get(Meeting, called)).starts_at if called is not None else at or planned.starts_at
    _refuse_another_time(reply, (await recorded_as_invitation(tx, planned)).revision, starts_at)
    if at is None:
        return await answer_all(tx, planned, member, reply.status)
    return await answer_one(tx, planned, member, reply.status, at, "/RECURRENCE-ID")


def _refuse_another_time(reply: Reply, now: int, starts_at: datetime) -> None:
    """An answer to an earlier invitation counts as long as the time is still the one it names."""
    if reply.revision is not None and reply.revision < now and reply.starts_at != starts_at:
        raise AnswersAnotherTime(revision=reply.revision, now=now)
