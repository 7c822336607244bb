"""`/v1/meetings/{id}/minutes`: the minutes of a meeting as a page to read and to print, or as plain text."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from services.meetings.api.meetings import meetings
from services.meetings.api.people import people_told
from services.meetings.domain.meetings import Meeting
from services.meetings.minutes import content_of, people_in, rendered, with_names
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot

router = APIRouter(tags=["meetings"])
_READ = require("meetings:read")
Form = Literal["html", "text"]
MEDIA: Final = {"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept, Authorization",
}


def _as_documents() -> dict[str, Any]:
    documented = described(_READ, None, {200: None}, missing=True)
    texts = {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA.values()}
    documented["responses"]["200"]["content"] = texts
    return documented


@router.get(
    "/v1/meetings/{ref}/minutes",
    operation_id="minutes_of_meeting",
    openapi_extra=_as_documents(),
    response_class=Response,
)
async def minutes_of_meeting(
    request: Request,
    ref: Reference,
    form: Annotated[Form | None, Query(alias="format", description="by the Accept header, if not given")] = None,
    accept: Annotated[str, Header()] = "*/*",
    principal: Principal = Depends(_READ),
) -> Response:
    """The minutes of a meeting: who was there, what was on the table and what became of it, what resulted, who does
    what by when, and what is carried over."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        meeting = await snapshot.get(Meeting, ref)
        return await content_of(snapshot, await meetings.for_reader(snapshot, meeting, ref, principal))

    content = await runtime_of(request).store.read(query)
    told = await people_told(request, principal, people_in(content))
    names = {member: each.name for member, each in told.items()}
    chosen = form or _preferred(accept)
    return Response(rendered(with_names(content, names), chosen), headers=HEADERS, media_type=MEDIA[chosen])


def _preferred(accept: str) -> Form:
    """What a reader likes better, of the two there are; a page where it does not matter."""
    liked = {"html": 0.0, "text": 0.0}
    for part in accept.split(","):
        media, *parameters = [each.strip().lower() for each in part.split(";")]
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        weight = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
        for form, name in (("html", "text/html"), ("text", "text/plain")):
            if media == name:
                liked[form] = max(liked[form], weight)
    return "text" if liked["text"] > liked["html"] else "html"
