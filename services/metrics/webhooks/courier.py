"""A courier works for one webhook: it takes in events from the log and carries them to the receiver.

Of each subject one event is under way at a time, so a receiver that does not take one holds up its subject and no
other. What is owed stands in the database; a courier keeps nothing that could be lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog

from services.metrics.stream.cursor import move, read, text_of
from services.metrics.stream.pages import Reader
from services.metrics.stream.readers import Wanted, may_see
from services.metrics.stream.tail import Tail
from services.metrics.stream.told import CONTENT_TYPE, cloudevent, untold
from services.metrics.webhooks import gauges, ledger
from services.metrics.webhooks.hooks import PING, OwedEvent, Webhook
from services.metrics.webhooks.sending import PARALLEL, Sender, Sent
from services.metrics.webhooks.signing import signed_headers
from shared import traces
from shared.bus import BusError, LogBroken, Message, Position
from shared.errors import OutcomeUnknown, Overloaded
from shared.events import Envelope
from shared.failpoints import point
from shared.instant import now
from shared.postage import envelope_of
from shared.store import Context, Job, Store, Tx

log = structlog.get_logger(__name__)
T = TypeVar("T")
MOST_WAITING = 1000
UNSTORED_MESSAGES = 5000
TRIM_EVERY = 200
LONGEST_REST = 3600.0
TROUBLE = (OutcomeUnknown, Overloaded, BusError, OSError)


@dataclass(slots=True)
class Means:
    """What couriers work with; tests put other clocks and other senders here."""

    store: Store
    tail: Tail
    sender: Callable[[], Sender]
    clock: Callable[[], datetime] = now
    spread: Callable[[], float] = field(default=lambda: random.uniform(-1, 1))

    async def write(self, work: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
        """Do something in a transaction."""
        return await self.store.write(Job(work, Context(self.clock())))


class Courier:
    """Works for one webhook until it is told to stop."""

    def __init__(self, webhook: Webhook, means: Means, changed: Callable[[], None]) -> None:
        self.webhook = webhook
        self.means = means
        self._changed = changed
        self._reader = Reader(webhook.reader, Wanted.stored(webhook.types))
        self._sender = means.sender()
        self._under_way: set[str] = set()
        self._ended: set[str] = set()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._working = True
        self._settled = 0

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def run(self) -> None:
        """Take in and send; ends when the webhook must not be used any more."""
        try:
            async with asyncio.TaskGroup() as group:
                taking_in = group.create_task(self._take_in())
                await self._send(group)
                taking_in.cancel()
        finally:
            gauges.forget(self.webhook.id)
            await self._sender.close()

    # -- from the log ------------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        """Follow the log from the cursor on, as long as there is room for what it says."""
        pause = 0.1
        while self._working:
            try:
                await self._room.wait()
                await self._follow()
            except LogBroken as reason:
                await self._give_in(
                    f"the log is not the one it was reading: {reason} Replay it from a cursor of this one."
                )
                return
            except TROUBLE as trouble:
                log.debug("webhook_waits", webhook=self.webhook.id, reason=str(trouble))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def _follow(self) -> None:
        places = read(self.webhook.cursor)
        passed = 0
        async with aclosing(self.means.tail.follow(places)) as batches:
            async for batch in batches:
                move(places, batch)
                passed += len(batch)
                taken = self._taken(batch)
                # What is not for this webhook costs no write; at worst some of it is looked at once more.
                if taken or passed >= UNSTORED_MESSAGES or (not batch and passed):
                    if not await self._store(taken, places):
                        self._stop()
                        return
                    passed = 0
                await self._room.wait()

    def _taken(self, batch: Sequence[Message]) -> list[Envelope]:
        envelopes = [envelope_of(message.record) for message in batch]
        taken = [each for each in envelopes if self._reader.takes(each) and cloudevent(each) is not None]
        return list({each.id: each for each in taken}.values())

    async def _store(self, taken: list[Envelope], places: dict[Position, int]) -> bool:
        known = self.webhook
        if not taken and text_of(places) == known.cursor:
            return True
        stored = await self.means.write(lambda tx: ledger.take_in(tx, known, taken, places))
        if stored is None:
            return False
        self.webhook = stored
        if taken:
            self._room.clear()
            self._wake.set()
        return True

    # -- to the receiver ---------------------------------------------------------------------------------------

    async def _send(self, group: asyncio.TaskGroup) -> None:
        pause = 0.1
        while self._working:
            self._wake.clear()
            try:
                rest = await self._begin_what_is_due(group)
                pause = 0.1
            except TROUBLE as trouble:
                log.debug("webhook_waits", webhook=self.webhook.id, reason=str(trouble))
                rest, pause = pause, min(pause * 2, 5)
            # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake.wait()

    async def _begin_what_is_due(self, group: asyncio.TaskGroup) -> float | None:
        """Begin as many attempts as may run at once; says for how long there is nothing else to do."""
        moment, limit = self.means.clock(), PARALLEL + len(self._under_way)
        self._ended.clear()
        found = await self.means.store.read(lambda snapshot: ledger.turns(snapshot, self.webhook.id, moment, limit))
        gauges.show(self.webhook.id, found.waiting, (moment - found.since).total_seconds() if found.since else 0.0)
        if found.waiting < MOST_WAITING:
            self._room.set()
        for event in found.now:
            if len(self._under_way) >= PARALLEL:
                break
            # An attempt that ended while we read may stand there as if it had not been made; its end wakes us anew.
            if event.subject not in self._under_way | self._ended:
                self._under_way.add(event.subject)
                group.create_task(self._attempt(event))
        if found.next_due is None or found.next_due <= moment:
            # Whatever is due already is under way or waits for that to end, which wakes us.
            return None if not found.now or self._under_way or self._ended else 0.0
        return min((found.next_due - moment).total_seconds(), LONGEST_REST)

    async def _attempt(self, event: OwedEvent) -> None:
        try:
            because = await self._withheld(event)
            if because is not None:
                await self.means.write(lambda tx: ledger.withhold(tx, event, because))
                gauges.ATTEMPTS.labels("withheld").inc()
                return
            at, sent = self.means.clock(), await self._deliver(event)
            point("webhook.sent")
            await self._settle(event, sent, at)
        except TROUBLE as trouble:
            # Not stored, so it is sent again; a receiver knows it by its id.
            log.warning(
                "webhook_attempt_not_stored", webhook=event.webhook, reason=str(trouble), **event.envelope.log_context()
            )
            await asyncio.sleep(1)
        finally:
            self._under_way.discard(event.subject)
            self._ended.add(event.subject)
            self._wake.set()

    async def _withheld(self, event: OwedEvent) -> str | None:
        """Why an event must not be delivered any more, looked at just before it is."""
        if event.type == PING:
            return None
        if not may_see(self.webhook.reader, event.envelope.kind):
            return "the webhook has no scope for it"
        if await self.means.store.read(lambda snapshot: untold(snapshot, [event.envelope])):
            return "it speaks of a person who was erased, or says what is no longer so"
        return None

    async def _deliver(self, event: OwedEvent) -> Sent:
        body, moment = cloudevent(event.envelope) or b"", self.means.clock()
        headers = signed_headers(self.webhook.secrets(moment), event.event, int(moment.timestamp()), body)
        headers["Content-Type"] = CONTENT_TYPE
        if (trace := traces.known(event.trace)) is not None:
            headers["traceparent"] = trace
        sent = await self._sender.send(self.webhook.url, headers, body)
        gauges.SECONDS.observe(sent.seconds)
        return sent

    async def _settle(self, event: OwedEvent, sent: Sent, at: datetime) -> None:
        spread = self.means.spread()
        webhook, outcome = await self.means.write(lambda tx: ledger.settle(tx, event, sent, at, spread))
        about = {"webhook": event.webhook, "reason": sent.error, **event.envelope.log_context()}
        if outcome == "given_up":
            log.error("webhook_gave_up", **about)
        elif outcome == "failed":
            log.debug("webhook_failed", **about)
        gauges.ATTEMPTS.labels("delivered" if sent.taken else "failed").inc()
        if webhook is None or not webhook.enabled:
            self._stop()
        self._settled += 1
        if self._settled % TRIM_EVERY == 0:
            await self.means.write(lambda tx: ledger.trim(tx, event.webhook))

    # -- ending ------------------------------------------------------------------------------------------------

    async def _give_in(self, because: str) -> None:
        async def disable(tx: Tx) -> None:
            webhook = await ledger.locked(tx, self.webhook.id)
            if webhook is not None and webhook.run == self.webhook.run:
                webhook.disable(because)
                tx.put(webhook)

        log.error("webhook_disabled", webhook=self.webhook.id, reason=because)
        await self.means.write(disable)
        self._stop()

    def _stop(self) -> None:
        """End the work; whoever dispatches looks at the webhook anew."""
        self._working = False
        self._wake.set()
        self._changed()
