"""`/v1/events`: the public stream of events, for tools without Kafka; in pages, or as it happens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.metrics.stream.cursor import text_of
from services.metrics.stream.live import EventStream, Live
from services.metrics.stream.pages import Reader, page_after, start_of
from services.metrics.stream.readers import Wanted
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
router = APIRouter(tags=["events"])
_READ = require("events:read")


class EventTold(BaseModel):
    """An event as a CloudEvent in structured JSON."""

    specversion: str = Field(examples=["1.0"])
    id: str = Field(description="of this event; the same however often it is told")
    source: str = Field(examples=["/targets"], description="the service that tells")
    type: str = Field(examples=["concert.targets.deal-won.v1"])
    subject: str = Field(examples=["deal/deal_01h"], description="what it is about")
    time: str = Field(examples=["2026-07-31T09:00:00.000000Z"], description="when it was recorded")
    sequence: str = Field(examples=["7"], description="the version of the subject that it made")
    partitionkey: str = Field(examples=["deal/deal_01h"], description="events with the same key come in order")
    batch: str | None = Field(default=None, description="the bulk it came with")
    traceparent: str | None = None
    datacontenttype: str | None = None
    data: dict[str, Any] | None = Field(default=None, description="what happened; a person's tombstone has none")


def _documented() -> dict[str, Any]:
    extra = described(_READ, None, {200: EventTold}, ndjson=True)
    answer = extra["responses"]["200"]
    answer["description"] = "Lines, each a CloudEvent in structured JSON; or server-sent events with such data"
    answer["content"][SSE] = {"schema": {"type": "string"}}
    answer["headers"] = {
        "Concert-Cursor": {"description": "the `after` of the next page", "schema": {"type": "string"}},
        "Concert-Caught-Up": {"description": "whether the log ends here", "schema": {"enum": ["true", "false"]}},
        "Link": {"description": "the next page, also at the end of the log", "schema": {"type": "string"}},
    }
    return extra


@router.get("/v1/events", operation_id="read_events", openapi_extra=_documented(), response_class=Response)
async def read_events(
    request: Request,
    principal: Annotated[Principal, Depends(_READ)],
    after: Annotated[str | None, Query(description="a cursor; `beginning`, the default, or `now`")] = None,
    types: Annotated[
        list[str], Query(description="only these types, `concert.targets.*` for many; repeatable, or with commas")
    ] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=1000, description="how many events a page has at most")] = 200,
    last_event_id: Annotated[str | None, Header(description="with server-sent events: goes on from there")] = None,
) -> Response:
    """The events that the reader may see, in the order of each subject.

    A page ends with the cursor of the next one in `Concert-Cursor` and `Link`; with `Accept: text/event-stream` the
    answer stays open and the `id` of each event is the cursor. An event may be told twice, with the same id. Of people
    only the latest is told.
    """
    runtime = runtime_of(request)
    live: Live = runtime.extras["live"]
    reader = Reader(principal, Wanted.of([name for text in types for name in text.split(",")]))
    if SSE in request.headers.get("accept", ""):
        at, name = (last_event_id, "/Last-Event-ID") if last_event_id else (after, "/after")
        with live.opening():
            start = await start_of(live.tail.bus, runtime.store, at, name)
            return EventStream(request, live, reader, start)
    with live.reading_page():
        start = await start_of(live.tail.bus, runtime.store, after)
        page = await page_after(live.tail.bus, runtime.store, reader, start, limit)
    cursor = text_of(page.places)
    url = request.url.include_query_params(after=cursor)
    headers = {
        "Concert-Cursor": cursor,
        "Concert-Caught-Up": "true" if page.caught_up else "false",
        "Link": f'<{url.path}?{url.query}>; rel="next"',
        "Cache-Control": "no-store",
    }
    return Response(b"".join(line + b"\n" for line in page.lines), headers=headers, media_type=NDJSON)
