"""`/v1/webhooks`: having events sent to an address, seeing what became of them, and asking for them again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.metrics.stream.cursor import text_of
from services.metrics.stream.pages import start_of
from services.metrics.stream.readers import Wanted
from services.metrics.webhooks import ledger
from services.metrics.webhooks.addresses import check_url
from services.metrics.webhooks.answers import answer, changed, hold_all, page_of, written
from services.metrics.webhooks.bodies import (
    ChangeWebhook,
    MakeWebhook,
    Nothing,
    RotateSecret,
    WebhookMade,
    WebhookShown,
)
from services.metrics.webhooks.hooks import (
    MOST_WEBHOOKS,
    TooManyWebhooks,
    Webhook,
)
from services.metrics.webhooks.reading import how_many, present, webhook_of, webhook_page
from services.metrics.webhooks.signing import new_secret
from shared.http.collection import Limit
from shared.http.documents import described
from shared.http.pages import Cursor
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, expect
from shared.identity.permissions import Principal, require
from shared.ids import new_id
from shared.store import Snapshot, Tx

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_READ, _WRITE = require("webhooks:read"), require("webhooks:write")
Reader = Annotated[Principal, Depends(_READ)]
Writer = Annotated[Principal, Depends(_WRITE)]
After = Annotated[str | None, Query(description="the `next` of the page before")]
_MADE = described(_WRITE, MakeWebhook, {201: WebhookMade})


@router.post("", operation_id="create_webhook", openapi_extra=_MADE, status_code=201)
async def create_webhook(request: Request, principal: Writer) -> Response:
    """Have events sent to an address; the answer shows, this once, the secret they are signed with."""
    raw = await request.body()
    body, runtime = parse(MakeWebhook, raw), runtime_of(request)
    url = check_url(body.url, runtime.settings.webhook_private_targets)
    Wanted.of(body.types)
    start = await start_of(runtime.bus, runtime.store, body.start, "/from")

    async def decide(tx: Tx) -> Answer:
        there = await how_many(tx)
        if there >= MOST_WEBHOOKS:
            raise TooManyWebhooks(there=there)
        webhook = Webhook.make(
            id=new_id("hook"),
            url=url,
            types=body.types,
            description=body.description,
            owner=principal.subject,
            member=principal.member,
            scopes=sorted(principal.scopes),
            secret=new_secret(),
            created_at=tx.now,
            cursor=text_of(start),
        )
        tx.add(webhook)
        return await answer(tx, webhook, 201, secret=webhook.secret)

    return await written(request, principal, decide, raw)


@router.get("", operation_id="list_webhooks", openapi_extra=described(_READ, None, {200: WebhookShown}, page=True))
async def list_webhooks(request: Request, _: Reader, limit: Limit = 50, cursor: After = None) -> Response:
    """List webhooks."""
    last = Cursor.read(cursor).last

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        return await present(snapshot, await webhook_page(snapshot, last, limit + 1))

    return await page_of(request, query, limit, "id")


@router.get(
    "/{id}", operation_id="get_webhook", openapi_extra=described(_READ, None, {200: WebhookShown}, missing=True)
)
async def get_webhook(request: Request, id: str, _: Reader) -> Response:
    """One webhook: what it sends where, how far it is, and what it owes."""

    async def query(snapshot: Snapshot) -> Answer:
        return await answer(snapshot, await webhook_of(snapshot, id))

    return (await runtime_of(request).store.read(query)).response()


@router.patch(
    "/{id}", operation_id="change_webhook", openapi_extra=described(_WRITE, ChangeWebhook, {200: WebhookShown})
)
async def change_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Change where events are sent, or which; needs every scope that the webhook carries."""
    raw = await request.body()
    body = parse(ChangeWebhook, raw)
    fields = {name: getattr(body, name) for name in body.model_fields_set}
    if "url" in fields:
        fields["url"] = check_url(body.url, runtime_of(request).settings.webhook_private_targets)
    if "types" in fields:
        Wanted.of(body.types)

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        expect(request, webhook, required=True)
        hold_all(principal, webhook)
        webhook.change(**fields)
        tx.put(webhook)
        return await answer(tx, webhook)

    return await changed(request, principal, id, change, raw)


@router.delete("/{id}", operation_id="delete_webhook", openapi_extra=described(_WRITE, None, {204: None}, missing=True),
               status_code=204)  # fmt: skip
async def delete_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Send nothing more, and forget what was owed and what was delivered."""

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        await ledger.drop(tx, webhook)
        return Answer(204)

    return await changed(request, principal, id, change)


@router.post("/{id}/disable", operation_id="disable_webhook",
             openapi_extra=described(_WRITE, Nothing, {200: WebhookShown}))  # fmt: skip
async def disable_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Send nothing until it is enabled again; what happens meanwhile is delivered then."""
    raw = await request.body()
    parse(Nothing, raw or b"{}")

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        webhook.disable(f"{principal.subject} disabled it")
        tx.put(webhook)
        return await answer(tx, webhook)

    return await changed(request, principal, id, change, raw)


@router.post("/{id}/enable", operation_id="enable_webhook",
             openapi_extra=described(_WRITE, Nothing, {200: WebhookShown}))  # fmt: skip
async def enable_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Go on where it was disabled."""
    raw = await request.body()
    parse(Nothing, raw or b"{}")

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        webhook.enable()
        tx.put(webhook)
        return await answer(tx, webhook)

    return await changed(request, principal, id, change, raw)


@router.post("/{id}/rotate", operation_id="rotate_webhook",
             openapi_extra=described(_WRITE, RotateSecret, {200: WebhookMade}))  # fmt: skip
async def rotate_webhook(request: Request, id: str, principal: Writer) -> Response:
    """Sign with a new secret, shown this once; for a while deliveries carry a signature by the old one too."""
    raw = await request.body()
    body = parse(RotateSecret, raw or b"{}")

    async def change(tx: Tx, webhook: Webhook) -> Answer:
        expect(request, webhook)
        hold_all(principal, webhook)
        webhook.rotate(new_secret(), tx.now, timedelta(hours=body.overlap_hours))
        tx.put(webhook)
        return await answer(tx, webhook, secret=webhook.secret)

    return await changed(request, principal, id, change, raw)
