"""`/v1/meetings/{id}/pack`: the figures of one moment that a joint meeting began with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.meetings.domain.meetings import Meeting
from services.meetings.known import KnownPack
from shared.errors import NotYetApplied, Refused
from shared.few import WITHHELD, may_be_told
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.identity.scopes import ADMIN
from shared.instant import now
from shared.known import KnownMember, KnownTeam, local_day
from shared.led import people_of
from shared.store import Snapshot

LATE = timedelta(hours=1)
"""How long after a meeting its pack may still come."""
router = APIRouter(tags=["meetings"])
_READ = require("meetings:read")
_pack = KnownPack.__table__.c  # type: ignore[attr-defined]
_OF_MEETING = sa.select(KnownPack).where(_pack.meeting == sa.bindparam("meeting"))


class NotJoint(Refused):
    """This is a {kind} meeting; figures are frozen for joint meetings of departments."""


class NothingFrozenYet(Refused):
    """This meeting is {status}; its figures are frozen when it starts."""


class NothingWasFrozen(Refused):
    """This meeting started at {started}; no figures were frozen then."""


class Difference(BaseModel):
    """Something that should agree and does not; the values are for those who may read them."""

    name: str
    departments: list[str]
    left: str
    right: str
    left_value: Any = None
    right_value: Any = None
    pending: list[Any] = []


class PackShown(BaseModel):
    """Each department's figures of one moment, of those departments whose view the reader may read."""

    meeting: str
    on: date
    period: dict[str, str]
    as_of: dict[str, Any]
    currency: str
    views: dict[str, Any]
    withheld: list[str] = Field(description="departments whose figures are not for the reader")
    differences: list[Difference]


@router.get(
    "/v1/meetings/{ref}/pack",
    operation_id="pack_of_meeting",
    openapi_extra=described(_READ, None, {200: PackShown}, missing=True, conflict=True),
)
async def pack_of_meeting(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """The figures that were frozen when a joint meeting started; they never change."""

    async def query(snapshot: Snapshot) -> tuple[Meeting, KnownPack | None, set[str] | None]:
        meeting = await snapshot.get(Meeting, ref)
        if meeting.form != "joint":
            raise NotJoint(kind=meeting.form)
        if meeting.status in ("called", "cancelled"):
            raise NothingFrozenYet(status=meeting.status)
        found = await snapshot.all(KnownPack, _OF_MEETING, meeting=meeting.id)
        return meeting, next(iter(found), None), await _seen_by(snapshot, principal)

    meeting, pack, sees = await runtime_of(request).store.read(query)
    if pack is None and meeting.ended_at is not None and now() - meeting.ended_at > LATE:
        raise NothingWasFrozen(started=(meeting.started_at or meeting.starts_at).isoformat())
    if pack is None:
        waiting = NotYetApplied("The figures of this meeting are being frozen; ask again in a second.")
        waiting.headers["Retry-After"] = "1"
        raise waiting
    return Response(as_json(for_reader(pack, principal, sees)), media_type="application/json")


async def _seen_by(snapshot: Snapshot, reader: Principal) -> set[str] | None:
    """The members whose own quotas are for a reader; none where those of everybody are."""
    if reader.member is None or reader.may(ADMIN):
        return None
    day = await local_day(snapshot, now())
    return await people_of(snapshot, reader.member, day, teams=KnownTeam, members=KnownMember)


def for_reader(pack: KnownPack, reader: Principal, sees: set[str] | None) -> dict[str, Any]:
    """A pack with those views that somebody may read, the values of differences between these, and no sum of quotas
    that would tell them one."""
    seen = {name for name in pack.views if reader.may(f"views.{name}:read")}
    return {
        "meeting": pack.meeting,
        "on": pack.on,
        "period": pack.period,
        "as_of": pack.as_of,
        "currency": pack.currency,
        "views": {name: view | _withheld(pack, name, view, sees) for name, view in pack.views.items() if name in seen},
        "withheld": sorted(pack.views.keys() - seen),
        "differences": [_shown(each, seen, whole=seen == pack.views.keys()) for each in pack.differences],
    }


def _withheld(pack: KnownPack, name: str, view: dict[str, Any], sees: set[str] | None) -> dict[str, Any]:
    """A view's figures and notes where sums of quotas are not for the reader, by the rule of the views."""
    hidden = [
        figure
        for each in pack.sums
        if each["view"] == name and sees is not None
        if each["members"] is None or not may_be_told(each["members"], sees)
        for figure in each["figures"]
    ]
    if not hidden:
        return {}
    notes = [each for each in view["notes"] if each["figure"] not in hidden]
    return {
        "figures": view["figures"] | dict.fromkeys(hidden),
        "notes": [*notes, *({"figure": figure, "why": WITHHELD} for figure in hidden)],
    }


def _shown(each: dict[str, Any], seen: set[str], *, whole: bool) -> dict[str, Any]:
    # One that names no department speaks of all of them.
    if set(each["departments"]) <= seen if each["departments"] else whole:
        return each
    return each | {"left_value": None, "right_value": None, "pending": []}
