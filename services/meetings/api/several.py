"""`/v1/meetings/reschedule` and `/v1/meetings/cancel`: the meetings of a week, a holiday or a team, all at once.

Each is answered by itself: what can be moved is, and what cannot says why. Of a series also those times are meant that
have not become a meeting yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.meetings.api.calling import call_occurrence, called_from, refuse_if_called
from services.meetings.api.meant import Several, Time, meant_by
from services.meetings.away import away_then
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from services.meetings.double_bookings import AwayThen, DoubleBooking, Taken, double_booked
from shared.errors import Refused
from shared.http.bodies import Text
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, batch_headers, new_batch, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import new_id
from shared.known import local_day
from shared.store import Tx

router = APIRouter(tags=["meetings"])
_WRITE = require("meetings:write")
N = TypeVar("N", Meeting, Series)


class MeetsThenAnyway(Refused):
    """The series meets at {at} anyway; moved there, two of its meetings would be one. Cancel it, or choose another
    time."""

    at = "/days"


class RescheduleSeveral(Several):
    """Meetings, and by how much later they take place: days by the calendar, and minutes; negative for earlier."""

    days: int = Field(default=0, ge=-366, le=366, strict=True, description="at the same time of day")
    minutes: int = Field(default=0, ge=-1439, le=1439, strict=True)

    @model_validator(mode="after")
    def _somewhere(self) -> RescheduleSeveral:
        if not self.days and not self.minutes:
            raise ValueError("say by how many days or minutes they are moved")
        return self


class CancelSeveral(Several):
    """Meetings that do not take place; of a series its times are skipped."""

    reason: Text | None = Field(default=None, description="kept with the times that are skipped")


class RowOfSeveral(BaseModel):
    """What became of one of them; of a dry run what would become."""

    row: int
    status: int = Field(description="200, or that of the problem")
    meeting: str | None = Field(description="none of a time of a series that is, or would be, skipped or called")
    series: str | None
    was: datetime = Field(description="when it was to take place")
    starts_at: datetime | None = Field(default=None, description="when it takes place now")
    became: Literal["moved", "cancelled", "skipped"] | None = None
    asked_again: list[str] = Field(default=[], description="members whose answers were to the time before")
    double_booked: list[DoubleBooking] = Field(default=[], description="of one that is moved: who is elsewhere then")
    away: list[AwayThen] = Field(default=[], description="and who is away, as far as the writer may see that")
    problem: dict[str, Any] | None = None


class SeveralDone(BaseModel):
    """Each of the meetings, in the order in which they were to take place, and how many were refused."""

    dry_run: bool
    done: int
    refused: int
    items: list[RowOfSeveral]


Act = Callable[[Tx, Time], Awaitable[dict[str, Any]]]


@router.post(
    "/v1/meetings/reschedule",
    operation_id="reschedule_several",
    openapi_extra=described(_WRITE, RescheduleSeveral, {200: SeveralDone}, conflict=True),
)
async def reschedule_several(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Move several meetings at once, by days that keep their time of day and by minutes; who had answered is asked
    again. A time of a series becomes a meeting by it."""
    raw = await request.body()
    body = parse(RescheduleSeveral, raw)

    async def decide(tx: Tx) -> Answer:
        times, taken = await meant_by(tx, body), dict[Time, Taken]()
        rows = await _each(tx, times, _moving(body, times, taken))
        wanted = list(taken.values())
        booked = dict(zip(taken, await double_booked(tx, wanted), strict=True))
        away = dict(zip(taken, await away_then(tx, wanted, principal), strict=True))
        rows = [row | {"double_booked": booked.get(each, []), "away": away.get(each, [])}
                for each, row in zip(times, rows, strict=True)]  # fmt: skip
        return _told(tx, body, rows)

    return await write(request, principal, decide, body=raw, batch=new_batch(runtime_of(request)))


@router.post(
    "/v1/meetings/cancel",
    operation_id="cancel_several",
    openapi_extra=described(_WRITE, CancelSeveral, {200: SeveralDone}, conflict=True),
)
async def cancel_several(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Let several meetings not take place, as on a holiday; times of a series that have not become a meeting are
    skipped, which needs a token that may write series."""
    raw = await request.body()
    body = parse(CancelSeveral, raw)

    async def decide(tx: Tx) -> Answer:
        times = await meant_by(tx, body)
        if any(each.meeting is None for each in times) and not principal.may("series:write"):
            raise forbidden("series:write")
        return _told(tx, body, await _each(tx, times, _cancelling(body)))

    return await write(request, principal, decide, body=raw, batch=new_batch(runtime_of(request)))


async def _each(tx: Tx, times: Sequence[Time], act: Act) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, each in enumerate(times, 1):
        row: dict[str, Any] = {
            "row": number,
            "status": 200,
            "meeting": each.meeting,
            "series": each.series,
            "was": each.starts_at,
        }
        try:
            rows.append(row | await act(tx, each))
        except Refused as refusal:
            rows.append(row | {"status": refusal.status, "problem": refusal.document()})
    return rows


def _told(tx: Tx, body: Several, rows: Sequence[dict[str, Any]]) -> Answer:
    refused = sum("problem" in row for row in rows)
    told = SeveralDone.model_validate(
        {"dry_run": body.dry_run, "done": len(rows) - refused, "refused": refused, "items": rows}
    )
    return Answer(200, as_json(told.model_dump()), batch_headers(tx))


def _moving(body: RescheduleSeveral, times: Sequence[Time], taken: dict[Time, Taken]) -> Act:
    """Moves each; what is moved, and when it is then, stands in `taken`."""
    leaving = {(each.series, each.starts_at) for each in times}

    async def move(tx: Tx, each: Time) -> dict[str, Any]:
        to = each.later(body.days, body.minutes)
        planned = await tx.load(Series, each.series) if each.series is not None else None
        if planned is not None and planned.meets_at(to) and (each.series, to) not in leaving:
            raise MeetsThenAnyway(at=to.isoformat())
        if planned is not None and each.meeting is None:
            meeting = await _called(tx, planned, each.starts_at, to, body.dry_run)
            made = None if body.dry_run else meeting.id
            taken[each] = replace(Taken.by(meeting), meeting=made)
            return {"became": "moved", "starts_at": to, "meeting": made}
        meeting = await _to_change(tx, Meeting, each.meeting, dry_run=body.dry_run)
        moved = meeting.change(starts_at=to, on=await local_day(tx, to))
        if not body.dry_run:
            tx.save(meeting, moved)
        taken[each] = Taken.by(meeting)
        return {"became": "moved", "starts_at": to, "asked_again": list(moved.asked_again) if moved else []}

    return move


async def _called(tx: Tx, planned: Series, occurrence: datetime, to: datetime, dry_run: bool) -> Meeting:
    fields: dict[str, Any] = {"id": new_id(Meeting.prefix), "externals": {}, "starts_at": to}
    if dry_run:
        return (await called_from(tx, planned, occurrence, "", **fields))[0]
    return await call_occurrence(tx, planned, occurrence, "", **fields)


async def _to_change(tx: Tx, model: type[N], ref: str | None, *, dry_run: bool) -> N:
    """A thing to change; for a dry run a copy of it, since nobody else in this transaction is to see what is tried."""
    found = await tx.load(model, ref or "")
    return model.make(**found.content()) if dry_run else found


def _cancelling(body: CancelSeveral) -> Act:
    async def cancel(tx: Tx, each: Time) -> dict[str, Any]:
        if each.meeting is not None:
            meeting = await _to_change(tx, Meeting, each.meeting, dry_run=body.dry_run)
            cancelled = meeting.cancel()
            if not body.dry_run:
                tx.save(meeting, cancelled)
            return {"became": "cancelled"}
        planned = await _to_change(tx, Series, each.series, dry_run=body.dry_run)
        await refuse_if_called(tx, planned, each.starts_at, "")
        skipped = planned.skip(each.starts_at, body.reason)
        if not body.dry_run:
            tx.save(planned, skipped)
        return {"became": "skipped"}

    return cancel
