"""`/v1/series`: meetings that come again, and when they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.meetings.api.calling import refuse_if_called
from services.meetings.api.refs import agenda_named, all_known
from services.meetings.away import away_then
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.rules import Rule
from services.meetings.domain.series import Series
from services.meetings.double_bookings import DoubleBooked, double_booked, soon
from shared.errors import Fault, Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, Limit, Reference, fresh
from shared.http.documents import described
from shared.http.pages import Cursor, link_next
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import Day, Instant, Zone, now, read_day, read_instant, start_of
from shared.known import KnownDepartment, KnownMember, KnownTeam
from shared.store import Snapshot, Tx
from shared.store.types import text_of

router = APIRouter(tags=["series"])


class Skipped(BaseModel):
    """A day on which a series does not meet."""

    on: date
    reason: str | None = None


class AnswerShown(BaseModel):
    """What a member answers to an invitation to a series."""

    member: str
    on: date | None = Field(description="the day of the time that it is about; null for all others")
    status: str


class ShownOfSeries(DoubleBooked):
    """What is shown of a series beside what is stored as it is."""

    skips: list[Skipped] = Field(description="days, in the series' own zone, on which it does not meet")
    follows: str | None = Field(description="the series from which it goes on")
    answers: list[AnswerShown] = Field(description="what members answer to all its times, or to the one of a day")


async def present(snapshot: Snapshot, found: Sequence[Series], reader: Principal | None) -> list[dict[str, Any]]:
    """Series with their skips by day."""
    return [
        shown(each)
        | {
            "skips": [{"on": on, "reason": reason} for on, reason in sorted(each.skipped.items())],
            "follows": each.line[-1] if each.line else None,
            "answers": [
                {"member": member, "on": on or None, "status": status}
                for member, said in sorted(each.answers.items())
                for on, status in sorted(said.items())
            ],
        }
        for each in found
    ]


async def _beside(tx: Tx, planned: Series, writer: Principal) -> dict[str, Any]:
    wanted = await soon(tx, planned, tx.now) if writer.may("meetings:read") else []
    booked, away = await double_booked(tx, wanted), await away_then(tx, wanted, writer)
    return {"double_booked": list(chain(*booked)), "away": list(chain(*away))}


series = Collection(
    Series,
    "series",
    filters={"kind": "form", "review": "review"},
    present=present,
    extra=ShownOfSeries,
    beside=_beside,
)
_READ = require("series:read")
_meeting = Meeting.__table__.c  # type: ignore[attr-defined]
_CALLED = sa.select(Meeting).where(
    _meeting.series == sa.bindparam("series"),
    _meeting.occurrence >= sa.bindparam("first"),
    _meeting.occurrence <= sa.bindparam("last"),
)
YEAR = timedelta(days=366)
Kind = Literal["team", "joint", "consultative", "debrief"]
Minutes = Annotated[int, Field(ge=5, le=24 * 60)]


def _whole_minute(at: datetime) -> datetime:
    if at.second or at.microsecond:
        raise ValueError("a meeting starts at a whole minute")
    return at


def _sound(text: str) -> str:
    return Rule.read(text).text


Start = Annotated[Instant, AfterValidator(_whole_minute)]
RRule = Annotated[str, Field(max_length=300), AfterValidator(_sound)]


class PlanSeries(Named):
    """Meetings that come again, of a team or of several parties; the first of them is at `starts_at`."""

    name: Name = Field(examples=["Sales weekly"])
    kind: Kind = "team"
    teams: list[Ref] = Field(default_factory=list, max_length=50)
    departments: list[Ref] = Field(default_factory=list, max_length=50)
    guests: list[Ref] = Field(default_factory=list, max_length=50, description="members who are invited each time")
    rrule: RRule = Field(examples=["FREQ=WEEKLY;BYDAY=MO"])
    zone: Zone = "UTC"
    starts_at: Start
    minutes: Minutes = 60
    template: Ref | None = Field(default=None, description="the agenda its meetings begin with")


class ChangeSeries(Named):
    """What to change about a series; what is not sent stays, and what was held stays too."""

    name: Name = ""
    kind: Kind = "team"
    teams: list[Ref] = Field(default_factory=list, max_length=50)
    departments: list[Ref] = Field(default_factory=list, max_length=50)
    guests: list[Ref] = Field(default_factory=list, max_length=50, description="members who are invited each time")
    rrule: RRule = "FREQ=WEEKLY"
    zone: Zone = "UTC"
    starts_at: Start = datetime(1900, 1, 1, tzinfo=UTC)
    minutes: Minutes = 60
    template: Ref | None = None


class EndSeries(Body):
    """The day from which a series meets no more, in its own time zone."""

    on: Day


class OneTime(Body):
    """One of the times of a series: the moment by its rule, or its day in the series' zone."""

    occurrence: Instant | None = None
    on: Day | None = None

    @model_validator(mode="after")
    def _one(self) -> OneTime:
        if (self.occurrence is None) == (self.on is None):
            raise ValueError("name the time by occurrence or by on")
        return self

    def of(self, planned: Series) -> datetime:
        """The time that is meant."""
        return self.occurrence or planned.occurrence_on(self.on or date.min)


class SkipOccurrence(OneTime):
    """A time at which the series does not meet, and why."""

    reason: Text | None = None


class UnskipOccurrence(OneTime):
    """A time that was to be skipped."""


class Occurrence(BaseModel):
    """A time at which a series meets, and the meeting it has become."""

    occurrence: datetime = Field(description="the time by the rule")
    starts_at: datetime = Field(description="the time it takes place: another, when the meeting was moved")
    minutes: int
    meeting: str | None = None
    status: Literal["planned", "skipped", "called", "running", "ended", "cancelled"]


@series.create
async def plan_series(tx: Tx, body: PlanSeries) -> Series:
    """Plan to meet again and again."""
    planned, told = Series.plan(
        name=body.name,
        form=body.kind,
        teams=await all_known(tx, KnownTeam, body.teams, "/teams"),
        departments=await all_known(tx, KnownDepartment, body.departments, "/departments"),
        guests=await all_known(tx, KnownMember, body.guests, "/guests"),
        rrule=body.rrule,
        zone=body.zone,
        starts_at=body.starts_at,
        minutes=body.minutes,
        template=await agenda_named(tx, body.template) if body.template else None,
        **fresh(Series, body),
    )
    return tx.save(planned, told)


@series.amend
async def change_series(tx: Tx, planned: Series, body: ChangeSeries) -> Series:
    """Meet by another rule, at another time, under another name or with others."""
    sent = body.sent()
    if "kind" in sent:
        sent["form"] = sent.pop("kind")
    if "teams" in sent:
        sent["teams"] = await all_known(tx, KnownTeam, body.teams, "/teams")
    if "departments" in sent:
        sent["departments"] = await all_known(tx, KnownDepartment, body.departments, "/departments")
    if "guests" in sent:
        sent["guests"] = await all_known(tx, KnownMember, body.guests, "/guests")
    if sent.get("template"):
        sent["template"] = await agenda_named(tx, sent["template"], planned.template)
    return tx.save(planned, planned.change(**sent))


@series.verb("end")
async def end_series(tx: Tx, planned: Series, body: EndSeries) -> Series:
    """Meet no more from a day on."""
    return tx.save(planned, planned.end(body.on))


@series.verb("skip", undoes=True)
async def skip_occurrence(tx: Tx, planned: Series, body: SkipOccurrence) -> Series:
    """Not meet at one of the times of a series."""
    occurrence = body.of(planned)
    await refuse_if_called(tx, planned, occurrence, "/on" if body.on else "/occurrence")
    return tx.save(planned, planned.skip(occurrence, body.reason))


@series.verb("unskip", undoes=True)
async def unskip_occurrence(tx: Tx, planned: Series, body: UnskipOccurrence) -> Series:
    """Meet after all at a time that was to be skipped."""
    return tx.save(planned, planned.unskip(body.of(planned)))


@router.get(
    "/v1/series/{ref}/meetings",
    operation_id="occurrences_of_series",
    openapi_extra=described(_READ, None, {200: Occurrence}, page=True, missing=True),
    dependencies=[Depends(_READ)],
)
async def occurrences_of_series(
    request: Request,
    ref: Reference,
    start: Annotated[str | None, Query(alias="from", description="a day of the series' zone, or an instant")] = None,
    end: Annotated[str | None, Query(alias="to", description="exclusive; a year after `from` if not given")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(description="the `next` of the page before")] = None,
) -> Response:
    """When a series meets, from now on or from a day or moment, and what became of it."""

    async def query(snapshot: Snapshot) -> tuple[list[dict[str, Any]], str | None]:
        planned = await snapshot.get(Series, ref)
        after = _moment(start, "/from", planned.zone) or now()
        before = _moment(end, "/to", planned.zone) or after + YEAR
        if before < after:
            raise Invalid(f"to ({before.isoformat()}) lies before from ({after.isoformat()}).",
                          [Fault("/to", "lies before from")])  # fmt: skip
        seen = Cursor.read(cursor).last
        return await _page(snapshot, planned, (after, before), _resumed(seen) if seen else after, limit)

    items, following = await runtime_of(request).store.read(query)
    body = as_json({"items": items, "next": following})
    return Response(body, headers=link_next(request, following), media_type="application/json")


async def _page(
    snapshot: Snapshot, planned: Series, span: tuple[datetime, datetime], begin: datetime, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    times: list[datetime] = []
    for at in planned.by_rule(max(span[0], begin), span[1]):
        if len(times) == limit:
            return await _shown(snapshot, planned, times), Cursor(text_of(at)).text()
        times.append(at)
    return await _shown(snapshot, planned, times), None


async def _shown(snapshot: Snapshot, planned: Series, times: list[datetime]) -> list[dict[str, Any]]:
    if not times:
        return []
    found = await snapshot.all(Meeting, _CALLED, series=planned.id, first=times[0], last=times[-1])
    # Of one that was cancelled and called anew, the new one is shown.
    called = {each.occurrence: each for each in sorted(found, key=lambda each: (each.status != "cancelled", each.id))}
    return [_row(planned, at, called.get(at)) for at in times]


def _row(planned: Series, at: datetime, meeting: Meeting | None) -> dict[str, Any]:
    if meeting is None:
        status = "skipped" if planned.skips(at) else "planned"
        return {"occurrence": at, "starts_at": at, "minutes": planned.minutes, "meeting": None, "status": status}
    return {
        "occurrence": at,
        "starts_at": meeting.starts_at,
        "minutes": meeting.minutes,
        "meeting": meeting.id,
        "status": meeting.status,
    }


def _moment(text: str | None, at: str, zone: str) -> datetime | None:
    """A moment from a query: an instant, or the beginning of a day in a zone."""
    if text is None:
        return None
    try:
        return start_of(read_day(text), zone) if len(text) == len("2026-07-31") else read_instant(text)
    except ValueError as fault:
        raise Invalid(f"{at[1:]}: {fault}", [Fault(at, str(fault))]) from fault


def _resumed(seen: str) -> datetime:
    try:
        return read_instant(seen)
    except ValueError:
        raise Invalid("This cursor is not one that a page gave.", [Fault("/cursor", "not a cursor")]) from None
