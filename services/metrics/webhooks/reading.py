"""Looking at webhooks: what they are, what they owe, and what became of their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from services.metrics.stream.readers import may_see
from services.metrics.webhooks.bodies import delivery_shown, owed_shown
from services.metrics.webhooks.hooks import PING, Delivery, OwedEvent, Webhook
from shared.errors import NotFound
from shared.identity.permissions import Principal
from shared.store import Snapshot
from shared.store.sql import OneOf
from shared.store.types import Moment, text_of

_webhook = Webhook.__table__.c  # type: ignore[attr-defined]
_owed = OwedEvent.__table__.c  # type: ignore[attr-defined]
_delivery = Delivery.__table__.c  # type: ignore[attr-defined]
_COUNTS = (
    sa.select(_owed.webhook, _owed.dead, sa.func.count(), sa.func.min(_owed.since, type_=Moment()))
    .where(OneOf(_owed.webhook, "webhooks"))
    .group_by(_owed.webhook, _owed.dead)
)
_ALL = sa.select(sa.func.count()).select_from(Webhook)


async def webhook_of(snapshot: Snapshot, id: str) -> Webhook:
    """A webhook; raises NotFound."""
    found = await snapshot.find(Webhook, id)
    if found is None:
        raise NotFound(f"There is no webhook {id}.")
    return found


async def how_many(snapshot: Snapshot) -> int:
    """How many webhooks there are."""
    return int(await snapshot.scalar(_ALL))


async def webhook_page(snapshot: Snapshot, last: str, limit: int) -> list[Webhook]:
    """Webhooks, the oldest first."""
    select = sa.select(Webhook).where(_webhook.id > last).order_by(_webhook.id).limit(limit)
    return await snapshot.all(Webhook, select)


async def present(snapshot: Snapshot, webhooks: Sequence[Webhook]) -> list[dict[str, Any]]:
    """Webhooks as they are shown: without their secrets."""
    records = await snapshot.rows(_COUNTS, webhooks=[each.id for each in webhooks])
    counts = {(webhook, bool(dead)): (count, since) for webhook, dead, count, since in records}
    return [_shown(each, counts.get((each.id, False), (0, None)), counts.get((each.id, True), (0, None))[0])
            for each in webhooks]  # fmt: skip


def _shown(webhook: Webhook, waiting: tuple[int, Any], given_up: int) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": webhook.types,
        "description": webhook.description,
        "enabled": webhook.enabled,
        "disabled_because": webhook.disabled_because,
        "scopes": webhook.scopes,
        "created_by": webhook.owner,
        "created_at": text_of(webhook.created_at),
        "old_secret_until": text_of(webhook.old_secret_until) if webhook.old_secret_until else None,
        "cursor": webhook.cursor,
        "waiting": waiting[0],
        "given_up": given_up,
        "oldest_waiting_since": text_of(waiting[1]) if waiting[1] else None,
    }


async def deliveries(
    snapshot: Snapshot, webhook: Webhook, reader: Principal, event: str | None, last: str, limit: int
) -> list[dict[str, Any]]:
    """Attempts of a webhook, the latest first, before the one named."""
    select = sa.select(Delivery).where(_delivery.webhook == webhook.id)
    if event is not None:
        select = select.where(_delivery.event == event)
    if last:
        select = select.where(_delivery.id < last)
    found = await snapshot.all(Delivery, select.order_by(_delivery.id.desc()).limit(limit))
    return [delivery_shown(each, _sees(reader, each)) for each in found]


async def owed_events(
    snapshot: Snapshot, webhook: Webhook, reader: Principal, dead: bool | None, last: str, limit: int
) -> list[dict[str, Any]]:
    """What a webhook owes, in the order of the ids of its events."""
    select = sa.select(OwedEvent).where(_owed.webhook == webhook.id, _owed.event > last)
    if dead is not None:
        select = select.where(_owed.dead == sa.literal(dead))
    found = await snapshot.all(OwedEvent, select.order_by(_owed.event).limit(limit))
    return [owed_shown(each, _sees(reader, each)) for each in found]


def _sees(reader: Principal, about: Delivery | OwedEvent) -> bool:
    return about.type == PING or may_see(reader, about.subject.partition("/")[0])
