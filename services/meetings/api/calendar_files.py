"""`calendar.ics`: what a calendar program fetches by a secret link. The key in it is all that is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from services.meetings.calendar.document import document_of
from services.meetings.calendar.feed import shown_in
from services.meetings.calendar.links import Calendar, hash_of
from shared.errors import NotFound
from shared.http.runtime import runtime_of
from shared.http.writes import is_known
from shared.identity.permissions import PUBLIC
from shared.ids import fingerprint
from shared.instant import day_of, now
from shared.store import Snapshot

router = APIRouter(tags=["calendars"])
_calendar = Calendar.__table__.c  # type: ignore[attr-defined]
_OF_SERIES = sa.select(Calendar).where(_calendar.key == sa.bindparam("key"), _calendar.series == sa.bindparam("series"))
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BY_KEY: dict[str, Any] = PUBLIC | {
    "responses": {
        "200": {"description": "Done", "content": {"text/calendar": {"schema": {"type": "string"}}}},
        "304": {"description": "Not modified"},
        "404": {"description": "No calendar has this key", "content": _PROBLEM},
        "422": {"description": "Not valid", "content": _PROBLEM},
        "503": {"description": "Not now", "content": _PROBLEM},
    },
}
Key = Annotated[str, Query(max_length=200, description="the key of the link")]
Seen = Annotated[str | None, Header(description="the ETag of the document that is there already")]


@router.get("/v1/calendars/{id}/calendar.ics", operation_id="calendar_file", openapi_extra=_BY_KEY)
async def calendar_file(request: Request, id: str, key: Key = "", if_none_match: Seen = None) -> Response:
    """The meetings of a member or a team as an iCalendar document, for whoever has the link."""

    async def find(snapshot: Snapshot) -> Calendar | None:
        return await snapshot.find(Calendar, id)

    return await _document(request, find, key, if_none_match)


@router.get("/v1/series/{id}/calendar.ics", operation_id="calendar_file_of_series", openapi_extra=_BY_KEY)
async def calendar_file_of_series(request: Request, id: str, key: Key = "", if_none_match: Seen = None) -> Response:
    """The meetings of a series as an iCalendar document, for whoever has the link."""

    async def find(snapshot: Snapshot) -> Calendar | None:
        series = await snapshot.resolve("series", id)
        found = await snapshot.all(Calendar, _OF_SERIES, key=hash_of(key), series=series)
        return found[0] if found else None

    return await _document(request, find, key, if_none_match)


async def _document(
    request: Request, find: Callable[[Snapshot], Awaitable[Calendar | None]], key: str, seen: str | None
) -> Response:
    at = now()

    async def query(snapshot: Snapshot) -> bytes:
        calendar = await find(snapshot)
        if calendar is None or not calendar.opens(key):
            raise _nothing_there()
        shown = await shown_in(snapshot, calendar, at)
        if shown is None:
            raise _nothing_there()
        return document_of(shown, shown.series[0].name if calendar.series else "Concert", day_of(at, shown.zone))

    document = await runtime_of(request).store.read(query)
    headers = {"ETag": f'"{fingerprint(document)}"', "Cache-Control": "private, no-cache"}
    if is_known(headers, seen):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    return Response(document, headers=headers, media_type="text/calendar; charset=utf-8")


def _nothing_there() -> NotFound:
    return NotFound("No calendar has this key. Links are made, and made anew, at /v1/calendars.")
