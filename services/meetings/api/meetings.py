"""`/v1/series`, `/v1/meetings`, `/v1/items` and `/v1/actions`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from dateutil.rrule import rrulestr
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.meetings.domain.meetings import Action, Item, Meeting, Series
from services.meetings.known import Colleague, InvitedDepartment, InvitedTeam, known, local_day
from shared.errors import Fault, Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
from shared.instant import Day, Instant, Zone
from shared.store import Entity, Snapshot, Tx

router = APIRouter(tags=["meetings"])
series = Collection(Series, "series", filters={"kind": "form"})
meetings = Collection(Meeting, "meetings", filters={"series": "series", "status": "status"}, refs={"series": "series"})
items = Collection(
    Item, "items", filters={"meeting": "meeting", "series": "series", "kind": "sort"},
    refs={"meeting": "meeting", "series": "series"},
)  # fmt: skip
actions = Collection(Action, "actions", filters={"owner": "owner", "item": "item"}, refs={"owner": "member"})
_MEETINGS, _SERIES = require("meetings:read"), require("series:read")
_item = Item.__table__.c  # type: ignore[attr-defined]
MOST_OCCURRENCES = 400


def _rule(text: str) -> str:
    """A weekly or monthly rule of RFC 5545, without DTSTART."""
    bare = text.removeprefix("RRULE:")
    parts = dict(part.partition("=")[::2] for part in bare.upper().split(";"))
    if parts.get("FREQ") not in ("WEEKLY", "MONTHLY"):
        raise ValueError('a rule is weekly or monthly, for example "FREQ=WEEKLY;BYDAY=MO"')
    if parts.get("UNTIL", "Z")[-1:] == "Z" and "UNTIL" in parts:
        raise ValueError("UNTIL is written in local time, without Z, like the start of the series")
    try:
        rrulestr(bare, dtstart=datetime(2026, 1, 5))  # noqa: DTZ001
    except (ValueError, TypeError, KeyError) as fault:
        raise ValueError(f"this is not a rule of RFC 5545: {fault}") from fault
    return bare


Rule = Annotated[str, Field(max_length=300), AfterValidator(_rule)]


class PlanSeries(Named):
    """Meetings that come again, of teams or of departments."""

    name: Name
    kind: Literal["team", "joint", "consultative"] = "team"
    teams: list[Ref] = Field(default=[], max_length=50)
    departments: list[Ref] = Field(default=[], max_length=50)
    rrule: Rule = Field(examples=["FREQ=WEEKLY;BYDAY=MO"])
    zone: Zone = "UTC"
    starts_at: Instant
    minutes: int = Field(default=60, ge=5, le=24 * 60)


class ChangeSeries(Named):
    """What to change about a series; what is not sent stays."""

    name: Name = ""
    rrule: Rule = "FREQ=WEEKLY"
    zone: Zone = "UTC"
    starts_at: Instant | None = None
    minutes: int = Field(default=60, ge=5, le=24 * 60)


class EndSeries(Body):
    """The day from which a series meets no more."""

    on: Day


class CallMeeting(Named):
    """A meeting at a time: an occurrence of a series, or one by itself with a name."""

    starts_at: Instant
    series: Ref | None = None
    name: Name | None = None
    minutes: int = Field(default=60, ge=5, le=24 * 60)

    @model_validator(mode="after")
    def _of_something(self) -> CallMeeting:
        if (self.series is None) == (self.name is None):
            raise ValueError("a meeting is one of a series, or has a name of its own")
        return self


class StartMeeting(Body):
    """When it began."""

    at: Instant | None = None


class EndMeeting(Body):
    """When it was over, and its minutes."""

    at: Instant | None = None
    minutes: Text | None = None


class CancelMeeting(Body):
    """Nothing needs to be said."""


class BringUp(Named):
    """Something for the table of a meeting or a series."""

    kind: Literal["news", "problem", "report", "question"]
    title: Name
    meeting: Ref | None = None
    series: Ref | None = None
    raised_by: Ref | None = None
    about: Name | None = None
    on: Day | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> BringUp:
        if (self.meeting is None) == (self.series is None):
            raise ValueError("say for which meeting, or for which series")
        return self


class ResolveItem(Body):
    """How and when it came off the table."""

    on: Day | None = None
    note: Text | None = None


class ReopenItem(Body):
    """When it came back."""

    on: Day | None = None


class AgreeAction(Named):
    """What somebody will do by a day."""

    title: Name
    owner: Ref
    due: Day
    helpers: list[Ref] = Field(default=[], max_length=50)
    item: Ref | None = None


class ActionDone(Body):
    """When it was done."""

    on: Day | None = None


class Occurrence(BaseModel):
    """A time at which a series meets."""

    starts_at: datetime


@series.create
async def plan_series(tx: Tx, body: PlanSeries) -> Series:
    """Plan to meet again and again."""
    teams = [(await known(tx, InvitedTeam, ref, f"/teams/{place}")).id for place, ref in enumerate(body.teams)]
    departments = [
        (await known(tx, InvitedDepartment, ref, f"/departments/{place}")).id
        for place, ref in enumerate(body.departments)
    ]
    planned, told = Series.plan(
        name=body.name,
        form=body.kind,
        teams=teams,
        departments=departments,
        rrule=body.rrule,
        zone=body.zone,
        starts_at=body.starts_at,
        minutes=body.minutes,
        **fresh(Series, body),
    )
    return tx.save(planned, told)


@series.amend
async def change_series(tx: Tx, planned: Series, body: ChangeSeries) -> Series:
    """Meet by another rule, or under another name."""
    return tx.save(planned, planned.change(**{name: value for name, value in body.sent().items() if value}))


@series.verb("end")
async def end_series(tx: Tx, planned: Series, body: EndSeries) -> Series:
    """Meet no more from a day on."""
    return tx.save(planned, planned.end(body.on))


@meetings.create
async def call_meeting(tx: Tx, body: CallMeeting) -> Meeting:
    """Call a meeting."""
    on, identity = await local_day(tx, body.starts_at), fresh(Meeting, body)
    if body.series is not None:
        planned: Series = await _here(tx, Series, body.series, "/series")
        return tx.save(*planned.call(body.starts_at, on, **identity))
    called = Meeting.call(name=body.name, starts_at=body.starts_at, minutes=body.minutes, on=on, **identity)
    return tx.save(*called)


@meetings.verb("start")
async def start_meeting(tx: Tx, meeting: Meeting, body: StartMeeting) -> Meeting:
    """Begin a meeting."""
    return tx.save(meeting, meeting.start(body.at or tx.now))


@meetings.verb("end")
async def end_meeting(tx: Tx, meeting: Meeting, body: EndMeeting) -> Meeting:
    """End a meeting, with its minutes."""
    return tx.save(meeting, meeting.end(body.at or tx.now, body.minutes))


@meetings.verb("cancel")
async def cancel_meeting(tx: Tx, meeting: Meeting, body: CancelMeeting) -> Meeting:
    """Let a meeting not take place."""
    return tx.save(meeting, meeting.cancel())


@items.create
async def bring_up(tx: Tx, body: BringUp) -> Item:
    """Bring something up for a meeting or a series."""
    item, raised = Item.bring_up(
        sort=body.kind,
        title=body.title,
        about=body.about,
        meeting=(await _here(tx, Meeting, body.meeting, "/meeting")).id if body.meeting else None,
        series=(await _here(tx, Series, body.series, "/series")).id if body.series else None,
        raised_by=(await known(tx, Colleague, body.raised_by, "/raised_by")).id if body.raised_by else None,
        raised_on=body.on or await local_day(tx, tx.now),
        **fresh(Item, body),
    )
    return tx.save(item, raised)


@items.verb("resolve")
async def resolve_item(tx: Tx, item: Item, body: ResolveItem) -> Item:
    """Take an item off the table."""
    return tx.save(item, item.resolve(body.on or await local_day(tx, tx.now), body.note))


@items.verb("reopen", undoes=True)
async def reopen_item(tx: Tx, item: Item, body: ReopenItem) -> Item:
    """Put an item on the table again."""
    return tx.save(item, item.reopen(body.on or await local_day(tx, tx.now)))


@actions.create
async def agree_action(tx: Tx, body: AgreeAction) -> Action:
    """Agree on something to be done."""
    helpers = [(await known(tx, Colleague, ref, f"/helpers/{place}")).id for place, ref in enumerate(body.helpers)]
    action, agreed = Action.agree(
        title=body.title,
        owner=(await known(tx, Colleague, body.owner, "/owner")).id,
        due=body.due,
        helpers=helpers,
        item=(await _here(tx, Item, body.item, "/item")).id if body.item else None,
        **fresh(Action, body),
    )
    return tx.save(action, agreed)


@actions.verb("done")
async def do_action(tx: Tx, action: Action, body: ActionDone) -> Action:
    """Have it done."""
    return tx.save(action, action.done(body.on or await local_day(tx, tx.now)))


@router.get(
    "/v1/series/{ref}/meetings",
    operation_id="occurrences_of_series",
    openapi_extra=described(_SERIES, None, {200: Occurrence}, page=True, missing=True),
    dependencies=[Depends(_SERIES)],
)
async def occurrences_of_series(
    request: Request,
    ref: Reference,
    start: Annotated[Instant, Query(alias="from", description="from this moment on")],
    end: Annotated[Instant, Query(alias="to", description="up to this moment")],
) -> Response:
    """When a series meets between two moments, at most 400 times."""
    planned = await runtime_of(request).store.read(lambda snapshot: snapshot.get(Series, ref))
    times: list[dict[str, Any]] = []
    for at in planned.occurrences(start, min(end, start + timedelta(days=366 * 10))):
        times.append({"starts_at": at})
        if len(times) == MOST_OCCURRENCES:
            break
    return Response(as_json({"items": times, "next": None}), media_type="application/json")


@router.get(
    "/v1/meetings/{ref}/items",
    operation_id="items_of_meeting",
    openapi_extra=described(_MEETINGS, None, {200: items.read}, page=True, missing=True),
    dependencies=[Depends(_MEETINGS)],
)
async def items_of_meeting(request: Request, ref: Reference) -> Response:
    """What is on the table of a meeting: its own items, and what is still open from earlier ones of the series."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        meeting = await snapshot.get(Meeting, ref)
        mine = [_item.meeting == meeting.id]
        if meeting.series is not None:
            column = Meeting.__table__.c  # type: ignore[attr-defined]
            earlier = sa.select(column.id).where(column.series == meeting.series, column.starts_at < meeting.starts_at)
            carried = sa.or_(_item.series == meeting.series, _item.meeting.in_(earlier))
            mine.append(sa.and_(carried, _item.resolved_on.is_(None)))
        found = await snapshot.all(Item, sa.select(Item).where(sa.or_(*mine)).order_by(_item.id))
        return [shown(item) for item in found]

    table = await runtime_of(request).store.read(query)
    return Response(as_json({"items": table, "next": None}), media_type="application/json")


async def _here(tx: Tx, model: type[Entity], ref: str, at: str) -> Any:
    found = await tx.seek_unlocked(model, ref)
    if found is None:
        raise Invalid(f"{at}: there is no {model.kind} {ref}.", [Fault(at, "not known")])
    return found
