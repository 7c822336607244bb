"""`/v1/meetings/{id}/double-bookings`: who is expected at another meeting at the same time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.meetings.domain.meetings import Meeting
from services.meetings.double_bookings import DoubleBooking, expected_elsewhere
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import require
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
