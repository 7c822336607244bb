"""What became of a webhook's events, and asking for them again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.metrics.stream.cursor import earlier, read, text_of
from services.metrics.stream.pages import start_of
from services.metrics.webhooks import ledger
from services.metrics.webhooks.answers import answer, changed, page_of
from services.metrics.webhooks.bodies import (
    DeliveryShown,
    Nothing,
    OwedShown,
    Redeliver,
    Redelivered,
    Replay,
    TestBegun,
    WebhookShown,
)
from services.metrics.webhooks.hooks import (
    PING,
    NothingGivenUp,
    OwedEvent,
    Webhook,
    WebhookIsDisabled,
)
from services.metrics.webhooks.reading import deliveries, owed_events, webhook_of
from shared.events import Envelope
from shared.http.collection import Limit
from shared.http.documents import described
from shared.http.pages import Cursor
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json
from shared.identity.permissions import Principal, require
from shared.ids import event_id
from shared.store import Snapshot, Tx
from shared.store import types as stored

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_READ, _WRITE = require("webhooks:read"), require("webhooks:write")
Reader = Annotated[Principal, Depends(_READ)]
Writer = Annotated[Principal, Depends(_WRITE)]
After = Annotated[str | None, Query(description="the `next` of the page before")]


@router.post("/{id}/replay", operation_id="replay_webhook",
             openapi_extra=described(_WRITE, Replay, {200: WebhookShown}))  # fmt: skip
async def replay_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Deliver everything after a cursor again, each event under the id it had."""
    raw = await request.body()
    body, runtime = parse(Replay, raw), runtime_of(request)
    start = await start_of(runtime.bus, runtime.store, body.after)

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        # Back and never ahead: what has not been taken in yet must not be left out.
        webhook.replay(text_of(earlier(start, read(webhook.cursor))))
        tx.put(webhook)
        return await answer(tx, webhook)

    return await changed(request, principal, id, change, raw)


@router.post("/{id}/redeliver", operation_id="redeliver_webhook",
             openapi_extra=described(_WRITE, Redeliver, {200: Redelivered}))  # fmt: skip
async def redeliver_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Try events again that were given up."""
    raw = await request.body()
    body = parse(Redeliver, raw or b"{}")

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        many = await ledger.restart(tx, webhook, body.event)
        if not many:
            raise NothingGivenUp(what=f"the event {body.event}" if body.event else "any event")
        return Answer(200, as_json({"events": many}))

    return await changed(request, principal, id, change, raw)


@router.post("/{id}/test", operation_id="test_webhook", openapi_extra=described(_WRITE, Nothing, {202: TestBegun}),
             status_code=202)  # fmt: skip
async def test_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Send an event that says nothing, once; `/deliveries?event=` shows what came of it."""
    raw = await request.body()
    parse(Nothing, raw or b"{}")

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        if not webhook.enabled:
            raise WebhookIsDisabled(reason=webhook.disabled_because)
        ping = Envelope(event_id(), PING, f"webhook/{webhook.id}", 1, stored.text_of(tx.now), "/metrics", b"{}")
        tx.put(OwedEvent.of(webhook, ping, tx.now))
        return Answer(202, as_json({"event": ping.id}))

    return await changed(request, principal, id, change, raw)


@router.get("/{id}/deliveries", operation_id="list_webhook_deliveries",
            openapi_extra=described(_READ, None, {200: DeliveryShown}, page=True, missing=True))  # fmt: skip
async def list_webhook_deliveries(
    request: Request,
    id: str,
    principal: Reader,
    event: Annotated[str | None, Query(description="only attempts to deliver this event")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Response:
    """The last attempts of a webhook, the latest first: when, how long, what was answered or went wrong."""
    last = Cursor.read(cursor).last

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await deliveries(snapshot, await webhook_of(snapshot, id), principal, event, last, limit + 1)

    return await page_of(request, query, limit, "id")


@router.get("/{id}/backlog", operation_id="list_webhook_backlog",
            openapi_extra=described(_READ, None, {200: OwedShown}, page=True, missing=True))  # fmt: skip
async def list_webhook_backlog(
    request: Request,
    id: str,
    principal: Reader,
    state: Annotated[Literal["waiting", "given_up"] | None, Query(description="only what is in this state")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Response:
    """What the receiver has not taken: events that wait for their turn or the next attempt, or were given up."""
    last = Cursor.read(cursor).last
    dead = None if state is None else state == "given_up"

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await owed_events(snapshot, await webhook_of(snapshot, id), principal, dead, last, limit + 1)

    return await page_of(request, query, limit, "event")
