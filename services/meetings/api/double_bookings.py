"""`/v1/meetings/{id}/double-bookings` and `/away`: who is expected elsewhere at the same time, and who is away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.meetings.away import away_from
from services.meetings.domain.meetings import Meeting
from services.meetings.double_bookings import AwayThen, DoubleBooking, expected_elsewhere
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.store import Snapshot

router = APIRouter(tags=["meetings"])
_READ = require("meetings:read")


@router.get(
    "/v1/meetings/{ref}/double-bookings",
    operation_id="double_bookings_of_meeting",
    openapi_extra=described(_READ, None, {200: DoubleBooking}, page=True, missing=True),
    dependencies=[Depends(_READ)],
)
async def double_bookings_of_meeting(request: Request, ref: Reference) -> Response:
    """Who of those invited is expected at another meeting at the same time; nobody, once it is over or cancelled."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await expected_elsewhere(snapshot, await snapshot.get(Meeting, ref))

    found = await runtime_of(request).store.read(query)
    return Response(as_json({"items": found, "next": None}), media_type="application/json")


@router.get(
    "/v1/meetings/{ref}/away",
    operation_id="away_from_meeting",
    openapi_extra=described(_READ, None, {200: AwayThen}, page=True, missing=True),
)
async def away_from_meeting(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """Who of those invited is away on its day, of those whose days of absence are for who asks; never why."""

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await away_from(snapshot, await snapshot.get(Meeting, ref), principal)

    found = await runtime_of(request).store.read(query)
    return Response(as_json({"items": found, "next": None}), media_type="application/json")
