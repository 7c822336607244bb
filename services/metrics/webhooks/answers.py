"""How requests about webhooks are answered: changes under the lock of the webhook, and pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from services.metrics.webhooks import ledger
from services.metrics.webhooks.hooks import Webhook
from services.metrics.webhooks.reading import present
from shared.errors import NotFound
from shared.http.pages import Cursor, link_next
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, write
from shared.identity.permissions import Principal, forbidden
from shared.store import Snapshot, Tx


async def changed(
    request: Request,
    principal: Principal,
    id: str,
    change: Callable[[Tx, Webhook], Awaitable[Answer]],
    raw: bytes = b"",
) -> Response:
    """Answer a change of one webhook; raises NotFound."""

    async def decide(tx: Tx) -> Answer:
        webhook = await ledger.locked(tx, id)
        if webhook is None:
            raise NotFound(f"There is no webhook {id}.")
        return await change(tx, webhook)

    return await written(request, principal, decide, raw)


async def written(
    request: Request, principal: Principal, decide: Callable[[Tx], Awaitable[Answer]], raw: bytes
) -> Response:
    """Answer a decision about webhooks, and let the dispatcher know."""
    response = await write(request, principal, decide, body=raw)
    runtime_of(request).extras["webhooks"].wake()
    return response


async def answer(snapshot: Snapshot, webhook: Webhook, status: int = 200, **more: Any) -> Answer:
    """A webhook as the answer."""
    (fields,) = await present(snapshot, [webhook])
    return Answer(status, as_json(fields | more), {"ETag": f'"{webhook.version}"'})


async def page_of(
    request: Request, query: Callable[[Snapshot], Awaitable[list[dict[str, Any]]]], limit: int, key: str
) -> Response:
    """A page of what a query finds, which looks for one more than the page has."""
    items = await runtime_of(request).store.read(query)
    following = Cursor(items[limit - 1][key]).text() if len(items) > limit else None
    body = as_json({"items": items[:limit], "next": following})
    return Response(body, headers=link_next(request, following), media_type="application/json")


def hold_all(principal: Principal, webhook: Webhook) -> None:
    """Whoever decides where a webhook leads could read everything it may: they must be allowed to."""
    for scope in webhook.scopes:
        if not principal.may(scope):
            raise forbidden(scope)
