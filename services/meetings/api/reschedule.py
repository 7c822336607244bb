"""`/v1/series/{id}/reschedule`: another time, length, name or rule for this meeting, for it and those after, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field, create_model, model_validator

from services.meetings.api.calling import call_occurrence, meeting_of
from services.meetings.api.meetings import meetings
from services.meetings.api.refs import agenda_named
from services.meetings.api.series import Minutes, OneTime, RRule, Start, series
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from shared.errors import Refused
from shared.events.meetings import MeetingChanged
from shared.http.bodies import Name, Ref
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, expect, version_headers, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import new_id
from shared.instant import LAST_DAY, Zone
from shared.known import local_day
from shared.store import Tx

router = APIRouter(tags=["series"])
_WRITE = require("series:write")
_meeting = Meeting.__table__.c  # type: ignore[attr-defined]
_FROM_THERE = (
    sa.select(Meeting)
    .where(_meeting.series == sa.bindparam("series"), _meeting.occurrence >= sa.bindparam("occurrence"))
    .order_by(_meeting.occurrence, _meeting.id)
)
CHANGES = ("starts_at", "rrule", "zone", "minutes", "name", "template")
MINUTE = timedelta(minutes=1)
OF_ALL = ("rrule", "zone", "template")


Scope: Any = Literal["this", "following", "all"]


class HeldAlready(Refused):
    """The meeting of {at} is {status}; what was held stays as it was. Choose a time after it."""

    at = "/occurrence"


class RescheduleSeries(OneTime):
    """What to change, and for which of the meetings: this one, this and following ones, or all."""

    scope: Scope
    starts_at: Start | None = Field(default=None, description="the new time of this one, or the first of the others")
    rrule: RRule | None = None
    zone: Zone | None = None
    minutes: Minutes | None = None
    name: Name | None = None
    template: Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> RescheduleSeries:
        named = (self.occurrence is not None) + (self.on is not None)
        if named != (self.scope != "all"):
            what = "names no occurrence" if self.scope == "all" else "names one, by occurrence or by on"
            raise ValueError(f"the scope {self.scope} {what}")
        if not self.changes():
            raise ValueError(f"nothing is to change; send one of {', '.join(CHANGES)}")
        of_all = [name for name in OF_ALL if getattr(self, name) is not None]
        if self.scope == "this" and of_all:
            raise ValueError(f"{of_all[0]} is for the scopes following and all")
        return self

    def changes(self) -> dict[str, Any]:
        """What is to be different."""
        return {name: value for name in CHANGES if (value := getattr(self, name)) is not None}


_OneSeries: Any = series.read | None
_OneMeeting: Any = meetings.read | None
Rescheduled = create_model(
    "Rescheduled",
    __doc__="What has come of it.",
    scope=(Scope, ...),
    series=(series.read, Field(description="that meets from now on: with the scope following, a new one")),
    before=(_OneSeries, Field(description="the series that has ended, with the scope following")),
    meeting=(_OneMeeting, Field(description="the meeting, with the scope this")),
)


@router.post(
    "/v1/series/{ref}/reschedule",
    operation_id="reschedule_series",
    openapi_extra=described(_WRITE, RescheduleSeries, {200: Rescheduled}),
)
async def reschedule_series(request: Request, ref: Reference, principal: Principal = Depends(_WRITE)) -> Response:
    """Change a meeting of a series, it and all that follow, or the whole series; what was held stays as it was."""
    raw = await request.body()
    body = parse(RescheduleSeries, raw)
    if body.scope != "all" and not principal.may("meetings:write"):
        raise forbidden("meetings:write")

    async def decide(tx: Tx) -> Answer:
        planned = await tx.load(Series, ref)
        expect(request, planned)
        return await _answer(tx, body.scope, await _SCOPES[body.scope](tx, planned, body), principal)

    return await write(request, principal, decide, body=raw)


# Another time takes the place of the one before, so going back to an earlier one is not a repetition.
@series.verb("reschedule", undoes=True, routed=False)
async def reschedule_one_of_many(tx: Tx, planned: Series, body: RescheduleSeries) -> Series | Meeting:
    """Change a meeting of a series, it and all that follow, or the whole series; what has come of it is the answer."""
    principal = tx.context.principal
    if body.scope != "all" and principal is not None and not principal.may("meetings:write"):
        raise forbidden("meetings:write")
    come = await _SCOPES[body.scope](tx, planned, body)
    return come.meeting or come.now


@dataclass(frozen=True, slots=True)
class Come:
    """What has come of it: the series that meets from now on, the one that has ended, and the meeting."""

    now: Series
    before: Series | None = None
    meeting: Meeting | None = None


async def _this(tx: Tx, planned: Series, body: RescheduleSeries) -> Come:
    occurrence, changes = body.of(planned), body.changes()
    called = await meeting_of(tx, planned, occurrence)
    if called is None:
        meeting = await call_occurrence(tx, planned, occurrence, "/occurrence", id=new_id(Meeting.prefix),
                                        externals={}, **changes)  # fmt: skip
    else:
        meeting = await tx.load(Meeting, called)
        if "starts_at" in changes:
            changes["on"] = await local_day(tx, changes["starts_at"])
        meeting = tx.save(meeting, meeting.change(**changes))
    return Come(planned, meeting=meeting)


async def _following(tx: Tx, planned: Series, body: RescheduleSeries) -> Come:
    occurrence = body.of(planned)
    planned.refuse_unless_met(occurrence, "/on" if body.on else "/occurrence")
    there = await tx.all(Meeting, _FROM_THERE, series=planned.id, occurrence=occurrence)
    for each in there:
        if each.status in ("running", "ended"):
            raise HeldAlready(at=str(each.occurrence), status=each.status, pointer="/on" if body.on else "")
    last = max((each.occurrence for each in there if each.occurrence), default=occurrence)
    old_times = list(planned.by_rule(occurrence, last + MINUTE))
    identity = {"id": new_id(Series.prefix), "externals": {}}
    new, told, ended = planned.go_on(occurrence, **await _changes(tx, planned, body), **identity)
    tx.save(planned, ended)
    tx.save(new, told)
    await _take_along(tx, planned, new, old_times, there)
    return Come(new, before=planned)


async def _all(tx: Tx, planned: Series, body: RescheduleSeries) -> Come:
    changes = await _changes(tx, planned, body)
    if "starts_at" in changes:
        wanted = Series.make(**planned.content() | changes)
        wanted.refuse_unless_by_rule()
    return Come(tx.save(planned, planned.change(**changes)))


_SCOPES = {"this": _this, "following": _following, "all": _all}


async def _changes(tx: Tx, planned: Series, body: RescheduleSeries) -> dict[str, Any]:
    changes = body.changes()
    if "template" in changes:
        changes["template"] = await agenda_named(tx, changes["template"], planned.template)
    return changes


async def _take_along(
    tx: Tx, planned: Series, new: Series, old_times: Sequence[datetime], there: Sequence[Meeting]
) -> None:
    """Meetings that are called, and those that were not to be, go with the new series: each time for each time."""
    new_times = new.by_rule(new.starts_at, datetime.combine(LAST_DAY, time.min, UTC))
    instead = dict(zip(old_times, new_times, strict=False))
    alive = {each.occurrence for each in there if each.status == "called"}
    for each in there:
        at = instead.get(each.occurrence) if each.occurrence else None
        if each.status == "called":
            meeting = await tx.load(Meeting, each.id)
            tx.save(meeting, await _moved(tx, meeting, planned, new, at) if at is not None else meeting.cancel())
        elif at is not None and each.occurrence not in alive and not new.skips(at):
            tx.save(new, new.skip(at, None))


async def _moved(tx: Tx, meeting: Meeting, planned: Series, new: Series, at: datetime) -> MeetingChanged | None:
    starts_at = at if meeting.starts_at == meeting.occurrence else meeting.starts_at
    usual = {name: getattr(new, name) for name in ("name", "minutes")
             if getattr(meeting, name) == getattr(planned, name)}  # fmt: skip
    on = await local_day(tx, starts_at)
    return meeting.change(series=new.id, occurrence=at, starts_at=starts_at, on=on, **usual)


async def _answer(tx: Tx, scope: str, come: Come, writer: Principal) -> Answer:
    told: dict[str, Any] = {"scope": scope, "before": None, "meeting": None}
    if come.meeting is not None:
        told["meeting"] = await meetings.written(tx, come.meeting, writer)
        (told["series"],) = await series.present(tx, [come.now], writer)
    else:
        told["series"] = await series.written(tx, come.now, writer)
    if come.before is not None:
        (told["before"],) = await series.present(tx, [come.before], writer)
    return Answer(200, as_json(told), version_headers(come.meeting or come.now))
