"""`/v1/meetings`: called, begun, ended or cancelled, and what is on their table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, create_model, model_validator

from services.meetings.api.calling import call_by_itself, call_occurrence
from services.meetings.api.items import items, presented
from services.meetings.api.refs import agenda_named, all_known, here, line_of
from services.meetings.api.series import Kind, Minutes, Start
from services.meetings.away import away_from
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.domain.templates import Template
from services.meetings.double_bookings import DoubleBooked, expected_elsewhere
from shared.asked_period import AskedPeriod
from shared.errors import Conflict, Fault
from shared.http.bodies import Body, Name, Named, Ref, Text
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Instant
from shared.known import KnownDepartment, KnownMember, KnownTeam, local_day
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

router = APIRouter(tags=["meetings"])


async def _beside(tx: Tx, meeting: Meeting, writer: Principal) -> dict[str, Any]:
    return {
        "double_booked": await expected_elsewhere(tx, meeting),
        "away": await away_from(tx, meeting, writer),
    }


meetings = Collection(
    Meeting,
    "meetings",
    filters={"series": "series", "status": "status", "review": "review"},
    refs={"series": Series},
    extra=DoubleBooked,
    beside=_beside,
)
_READ = require("items:read")
_item, _meeting = Item.__table__.c, Meeting.__table__.c  # type: ignore[attr-defined]
_OWN = sa.select(Item).where(_item.meeting == sa.bindparam("meeting"))
_EARLIER = sa.select(_meeting.id).where(OneOf(_meeting.series, "line"), _meeting.starts_at < sa.bindparam("starts_at"))
# What was resolved for good before that day cannot have been on the table; the rest is judged day by day.
_CARRIED = sa.select(Item).where(
    sa.or_(OneOf(_item.series, "line"), _item.meeting.in_(_EARLIER)),
    _item.raised_on <= sa.bindparam("day"),
    sa.or_(_item.resolved_on.is_(None), _item.resolved_on >= sa.bindparam("day")),
)


class CallMeeting(Named):
    """A meeting at a time: an occurrence of a series, or one by itself with a name."""

    starts_at: Start
    series: Ref | None = None
    name: Name | None = None
    kind: Kind | None = None
    teams: list[Ref] = Field(default_factory=list, max_length=50)
    departments: list[Ref] = Field(default_factory=list, max_length=50)
    guests: list[Ref] = Field(default_factory=list, max_length=50, description="members of other teams, by name")
    minutes: Minutes = 60
    template: Ref | None = Field(default=None, description="the agenda to begin with; that of the series, if not given")

    @model_validator(mode="after")
    def _of_something(self) -> CallMeeting:
        if self.series is None and self.name is None:
            raise ValueError("a meeting is one of a series, or has a name of its own")
        if self.series is not None and (self.teams or self.departments or self.kind):
            raise ValueError("the series says who meets, and whether as a team, jointly or to consult")
        return self


class ChangeMeeting(Named):
    """What to change about a meeting that has not begun; what is not sent stays."""

    starts_at: Start = datetime(1900, 1, 1, tzinfo=UTC)
    series: Ref | None = None
    name: Name | None = None
    kind: Kind | None = None
    teams: list[Ref] = Field(default_factory=list, max_length=50)
    departments: list[Ref] = Field(default_factory=list, max_length=50)
    guests: list[Ref] = Field(default_factory=list, max_length=50, description="to be invited beside those who are")
    minutes: Minutes = 60
    template: Ref | None = None


class RescheduleMeeting(Body):
    """When a meeting takes place instead, and how long it lasts."""

    starts_at: Start | None = None
    minutes: Minutes | None = None

    @model_validator(mode="after")
    def _something(self) -> RescheduleMeeting:
        if self.starts_at is None and self.minutes is None:
            raise ValueError("nothing is to change; send starts_at, minutes or both")
        return self


class StartMeeting(Body):
    """When it began, and of a joint meeting the period whose figures are frozen for it."""

    at: Instant | None = None
    period: AskedPeriod | None = Field(default=None, description="the fiscal quarter of its day, if not said")


class EndMeeting(Body):
    """When it was over, and the minutes that were taken."""

    at: Instant | None = None
    minutes: Text | None = None


class CancelMeeting(Body):
    """Nothing needs to be said."""


class Carried(BaseModel):
    """Where an item comes from."""

    carried: bool = Field(description="whether it comes from an earlier meeting, or from the series")


ItemOfMeeting = create_model("ItemOfMeeting", __base__=(items.read, Carried))


@meetings.create
async def call_meeting(tx: Tx, body: CallMeeting) -> Meeting:
    """Call a meeting."""
    identity: dict[str, Any] = fresh(Meeting, body)
    identity["guests"] = await all_known(tx, KnownMember, body.guests, "/guests")
    if body.template is not None:
        identity["template"] = await agenda_named(tx, body.template)
    if body.series is not None:
        # The lock keeps two from calling the same meeting at once.
        planned = await here(tx, Series, body.series, "/series", locked=True)
        own = {name: value for name, value in body.sent().items() if name in ("name", "minutes") and value}
        return await call_occurrence(tx, planned, body.starts_at, "/starts_at", **identity, **own)
    return await call_by_itself(
        tx,
        name=body.name,
        form=body.kind or "team",
        teams=await all_known(tx, KnownTeam, body.teams, "/teams"),
        departments=await all_known(tx, KnownDepartment, body.departments, "/departments"),
        starts_at=body.starts_at,
        minutes=body.minutes,
        **identity,
    )


@meetings.amend
async def change_meeting(tx: Tx, meeting: Meeting, body: ChangeMeeting) -> Meeting:
    """Meet at another time, for longer or shorter, or under another name."""
    sent = {name: value for name, value in body.sent().items() if value is not None}
    given = sent.pop("series", None)
    if given is not None and (await here(tx, Series, given, "/series")).id != meeting.series:
        raise Conflict("A meeting stays one of its series; cancel it and call another.", [Fault("/series", "differs")])
    guests = await all_known(tx, KnownMember, sent.pop("guests", []), "/guests")
    agenda = sent.pop("template", None)
    if agenda is not None and (await here(tx, Template, agenda, "/template")).id != meeting.template:
        raise Conflict("A meeting keeps the agenda it was called with; bring up more items.",
                       [Fault("/template", "differs")])  # fmt: skip
    if "kind" in sent:
        sent["form"] = sent.pop("kind")
    if "teams" in sent:
        sent["teams"] = await all_known(tx, KnownTeam, body.teams, "/teams")
    if "departments" in sent:
        sent["departments"] = await all_known(tx, KnownDepartment, body.departments, "/departments")
    if "starts_at" in sent:
        if sent["starts_at"] == meeting.starts_at:
            del sent["starts_at"]
        else:
            sent["on"] = await local_day(tx, body.starts_at)
    tx.save(meeting, meeting.change(**sent))
    return tx.save(meeting, meeting.invite(guests))


# Another time takes the place of the one before, so going back to an earlier one is not a repetition.
@meetings.verb("reschedule", undoes=True)
async def reschedule_meeting(tx: Tx, meeting: Meeting, body: RescheduleMeeting) -> Meeting:
    """Meet at another time, or for longer or shorter; who had answered is asked again."""
    starts_at = body.starts_at or meeting.starts_at
    on = await local_day(tx, starts_at) if starts_at != meeting.starts_at else meeting.on
    return tx.save(meeting, meeting.change(starts_at=starts_at, on=on, minutes=body.minutes or meeting.minutes))


@meetings.verb("start")
async def start_meeting(tx: Tx, meeting: Meeting, body: StartMeeting) -> Meeting:
    """Begin a meeting."""
    at = body.at or tx.now
    period = body.period.text if body.period else None
    return tx.save(meeting, meeting.start(at, await local_day(tx, at), period))


@meetings.verb("end")
async def end_meeting(tx: Tx, meeting: Meeting, body: EndMeeting) -> Meeting:
    """End a meeting, with its minutes."""
    at = body.at or tx.now
    return tx.save(meeting, meeting.end(at, await local_day(tx, at), body.minutes))


@meetings.verb("cancel")
async def cancel_meeting(tx: Tx, meeting: Meeting, body: CancelMeeting) -> Meeting:
    """Let a meeting not take place."""
    return tx.save(meeting, meeting.cancel())


@router.get(
    "/v1/meetings/{ref}/items",
    operation_id="items_of_meeting",
    openapi_extra=described(_READ, None, {200: ItemOfMeeting}, page=True, missing=True),
    dependencies=[Depends(_READ)],
)
async def items_of_meeting(request: Request, ref: Reference) -> Response:
    """What is, or was, on the table of a meeting: its own items, then those that were open from before."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await table_of_meeting(snapshot, await snapshot.get(Meeting, ref))

    table = await runtime_of(request).store.read(query)
    return Response(as_json({"items": table, "next": None}), media_type="application/json")


async def table_of_meeting(snapshot: Snapshot, meeting: Meeting) -> list[dict[str, Any]]:
    """The items of a meeting by their place, then those that were open from before."""
    own = await snapshot.all(Item, _OWN, meeting=meeting.id)
    carried: list[Item] = []
    if meeting.series is not None:
        line = await line_of(snapshot, meeting.series)
        place = {"line": line, "starts_at": meeting.starts_at, "day": meeting.on}
        found = await snapshot.all(Item, _CARRIED, **place)
        carried = [item for item in found if item.on_table(meeting.on)]
    return [
        presented(item) | {"carried": item.meeting != meeting.id}
        for part in (own, carried)
        for item in sorted(part, key=lambda item: (item.position or 1001, item.raised_on, item.id))
    ]
