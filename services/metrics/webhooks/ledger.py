"""What each webhook owes: how it is taken in from the log, whose turn it is, and what becomes of an attempt.

Everything about one webhook is changed under the lock of its row, and the cursor moves in the transaction that stores
what was taken in. So a process that is killed leaves no event out, and of two that believe to be the dispatcher one
finds the cursor moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from services.metrics.stream.cursor import text_of
from services.metrics.stream.told import untold
from services.metrics.webhooks.hooks import MOST_DEAD, PING, Delivery, OwedEvent, Webhook
from services.metrics.webhooks.sending import Sent
from shared.bus import Position
from shared.events import Envelope
from shared.events.teams import MemberErased
from shared.ids import new_id
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf
from shared.store.tx import compiled
from shared.store.types import Moment

GONE = 410
KEPT_DELIVERIES = 1000
Outcome = Literal["delivered", "failed", "given_up", "withheld"]
_webhook = Webhook.__table__.c  # type: ignore[attr-defined]
_owed = OwedEvent.__table__.c  # type: ignore[attr-defined]
_before = OwedEvent.__table__.alias("before")  # type: ignore[attr-defined]
_delivery = Delivery.__table__.c  # type: ignore[attr-defined]
_of_webhook = _owed.webhook == sa.bindparam("webhook")
_waits = sa.not_(_owed.dead)
_is_first = ~sa.exists().where(
    _before.c.webhook == _owed.webhook,
    _before.c.subject == _owed.subject,
    sa.not_(_before.c.dead),
    _before.c.sequence < _owed.sequence,
)
_ENABLED = sa.select(Webhook).where(_webhook.enabled == sa.true()).order_by(_webhook.id)
_TURNS = (
    sa.select(OwedEvent)
    .where(_of_webhook, _waits, _owed.due <= sa.bindparam("moment", type_=Moment()), _is_first)
    .order_by(_owed.due, _owed.subject, _owed.event)
    .limit(sa.bindparam("limit"))
)
_NEXT = sa.select(sa.func.min(_owed.due, type_=Moment())).where(_of_webhook, _waits, _is_first)
_WAITING = sa.select(sa.func.count(), sa.func.min(_owed.since, type_=Moment())).where(_of_webhook, _waits)
_DEAD = sa.select(sa.func.count()).where(_of_webhook, _owed.dead == sa.true())
_OWED = sa.select(OwedEvent).where(_of_webhook, OneOf(_owed.event, "events"))
_DELIVERED = sa.select(_delivery.event).where(
    _delivery.webhook == sa.bindparam("webhook"),
    _delivery.run == sa.bindparam("run"),
    _delivery.outcome == "delivered",
    OneOf(_delivery.event, "events"),
)
_kept = (
    sa.select(_delivery.id)
    .where(_delivery.webhook == sa.bindparam("webhook"))
    .order_by(_delivery.id.desc())
    .limit(sa.bindparam("kept"))
)
_TRIM = sa.delete(Delivery).where(_delivery.webhook == sa.bindparam("webhook"), _delivery.id.not_in(_kept))
_FORGET = sa.delete(OwedEvent).where(_owed.subject == sa.bindparam("subject"), _owed.data.is_not(None))
_DROP_OWED = sa.delete(OwedEvent).where(_of_webhook)
_DROP_LOG = sa.delete(Delivery).where(_delivery.webhook == sa.bindparam("webhook"))


@dataclass(frozen=True, slots=True)
class Turns:
    """What is to be sent now, when something else will be, and how much waits since when."""

    now: list[OwedEvent]
    next_due: datetime | None
    waiting: int
    since: datetime | None


async def enabled(snapshot: Snapshot) -> list[Webhook]:
    """The webhooks that are at work."""
    return await snapshot.all(Webhook, _ENABLED)


async def turns(snapshot: Snapshot, webhook: str, moment: datetime, limit: int) -> Turns:
    """The first waiting event of each subject, of those whose time has come."""
    now = await snapshot.all(OwedEvent, _TURNS, webhook=webhook, moment=moment, limit=limit)
    ((waiting, since),) = await snapshot.rows(_WAITING, webhook=webhook)
    return Turns(now, await snapshot.scalar(_NEXT, webhook=webhook), waiting, since)


async def locked(tx: Tx, webhook: str) -> Webhook | None:
    """A webhook as it is now, ours until the end of the transaction."""
    found = await tx.locked(Webhook, [webhook], [])
    return found[0] if found else None


async def take_in(
    tx: Tx, known: Webhook, envelopes: Sequence[Envelope], places: Mapping[Position, int]
) -> Webhook | None:
    """Owe these events and move the cursor behind them; none when the webhook has changed meanwhile."""
    webhook = await locked(tx, known.id)
    if webhook is None or _state(webhook) != _state(known) or not webhook.enabled:
        return None
    if envelopes:
        ids = [each.id for each in envelopes]
        owed = {each.event: each for each in await tx.all(OwedEvent, _OWED, webhook=webhook.id, events=ids)}
        records = await tx.rows(_DELIVERED, webhook=webhook.id, run=webhook.run, events=ids)
        # The log may hold an event twice; what this run has delivered it does not deliver again.
        skipped = {str(record[0]) for record in records} | await untold(tx, envelopes)
        for envelope in envelopes:
            there = owed.get(envelope.id)
            if there is None and envelope.id not in skipped:
                tx.put(OwedEvent.of(webhook, envelope, tx.now))
            elif there is not None and there.run != webhook.run:
                there.revive(tx.now, webhook.run)
                tx.put(there)
    webhook.cursor = text_of(places)
    tx.put(webhook)
    return webhook


async def settle(
    tx: Tx, event: OwedEvent, sent: Sent, at: datetime, spread: float
) -> tuple[Webhook | None, Outcome | None]:
    """Store what came of an attempt that began at a moment: the event is done, waits for the next one, or is given up.
    Answers with the webhook as it is now, and with what it was; with neither when the webhook has been deleted."""
    webhook = await locked(tx, event.webhook)
    if webhook is None:
        return None, None
    given_up = False
    owed = await tx.find(OwedEvent, webhook.id, event.event)
    # A replay that came meanwhile has taken it in anew: that one is delivered for itself.
    if owed is not None and owed.run == event.run:
        if sent.taken or event.type == PING:
            tx.remove(owed)
        else:
            owed.fail(sent.error or "", tx.now, spread, sent.wait)
            given_up = owed.dead
            tx.put(owed)
    outcome: Outcome = "delivered" if sent.taken else "given_up" if given_up else "failed"
    tx.add(_attempt(event, outcome, at, sent))
    because = await _disabling(tx, webhook, sent, given_up)
    if because is not None and webhook.enabled:
        webhook.disable(because)
        tx.put(webhook)
    return webhook, outcome


async def withhold(tx: Tx, event: OwedEvent, because: str) -> None:
    """Do not deliver what may not be told any more."""
    if await locked(tx, event.webhook) is not None:
        tx.remove(event)
        tx.add(_attempt(event, "withheld", tx.now, Sent(None, because, 0.0)))


async def restart(tx: Tx, webhook: Webhook, event: str | None) -> int:
    """Try again what was given up: one event, or all of them; says how many they are."""
    select = sa.select(OwedEvent).where(_owed.webhook == webhook.id, _owed.dead == sa.true())
    if event is not None:
        select = select.where(_owed.event == event)
    dead = await tx.all(OwedEvent, select)
    for each in dead:
        each.revive(tx.now, each.run)
        tx.put(each)
    return len(dead)


async def drop(tx: Tx, webhook: Webhook) -> None:
    """Delete a webhook and everything about it."""
    for core in (_DROP_OWED, _DROP_LOG):
        await _run(tx, core, webhook=webhook.id)
    tx.remove(webhook)


async def trim(tx: Tx, webhook: str) -> None:
    """Keep the last thousand attempts of a webhook."""
    await _run(tx, _TRIM, webhook=webhook, kept=KEPT_DELIVERIES)


async def forget_person(tx: Tx, event: MemberErased, envelope: Envelope) -> None:
    """Owe nobody the personal data of a member who has been erased."""
    await _run(tx, _FORGET, subject=f"person/{envelope.key}")


def _state(webhook: Webhook) -> tuple[int, int, str]:
    """What must not have changed since a courier looked: what is asked for, and how far it has come."""
    return webhook.version, webhook.run, webhook.cursor


async def _disabling(tx: Tx, webhook: Webhook, sent: Sent, given_up: bool) -> str | None:
    """Why a webhook is not to be used any more, if it is so."""
    if sent.status == GONE:
        return "the receiver answered 410 Gone"
    if given_up and int(await tx.scalar(_DEAD, webhook=webhook.id)) >= MOST_DEAD:
        return f"{MOST_DEAD} events had to be given up; nothing is lost, it goes on when it is enabled"
    return None


def _attempt(event: OwedEvent, outcome: Outcome, at: datetime, sent: Sent) -> Delivery:
    return Delivery.make(
        webhook=event.webhook,
        id=new_id("dlv"),
        event=event.event,
        type=event.type,
        subject=event.subject,
        sequence=event.sequence,
        attempt=event.attempts + 1,
        run=event.run,
        at=at,
        outcome=outcome,
        status=sent.status,
        seconds=sent.seconds,
        error=sent.error,
    )


async def _run(tx: Tx, core: Any, **parameters: Any) -> None:
    statement = compiled(core, tx.session.dialect)
    await tx.execute(statement, [statement.values(parameters)])
