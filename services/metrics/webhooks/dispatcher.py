"""The dispatcher: a courier for each enabled webhook, in the one process that holds the lease.

Where there is no webhook it waits for the first one and does nothing else; on PostgreSQL it looks every few seconds
whether another replica has been asked for one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

import structlog

from services.metrics.stream.live import Live
from services.metrics.webhooks import ledger
from services.metrics.webhooks.courier import TROUBLE, Courier, Means
from services.metrics.webhooks.hooks import Webhook
from services.metrics.webhooks.sending import Sender
from shared.http.runtime import Runtime
from shared.lease import RENEW_AFTER, Lessee
from shared.store.sql import SQLITE

log = structlog.get_logger(__name__)
LOOK_SECONDS = 5.0
REST_AFTER_FAULT = 5.0
Key = tuple[str, int, int]


class Dispatcher:
    """Keeps a courier at work for each enabled webhook."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self._lease = Lessee(means.store, "webhooks")
        self._couriers: dict[str, tuple[Key, Courier, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A webhook has been made, changed, or asked to do something."""
        self._wake.set()

    async def run(self) -> None:
        """Dispatch for ever; trouble with the store is waited out."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._arrange(await self._ours())
                except TROUBLE as trouble:
                    # Without the store nothing can be sent, and the lease may end: somebody else takes over then.
                    log.debug("webhooks_wait", reason=str(trouble))
                    await self._arrange([])
                    await asyncio.sleep(1)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._rest()):
                        await self._wake.wait()
        finally:
            await self._arrange([])
            await self._lease.release()

    async def _ours(self) -> list[Webhook]:
        """The webhooks that this process works for."""
        webhooks = await self.means.store.read(ledger.enabled)
        if not webhooks:
            await self._lease.release()
        return webhooks if webhooks and await self._lease.holds() else []

    def _rest(self) -> float | None:
        if self.means.store.dialect is SQLITE:
            # Nobody else has the file, so whoever changes something is in this process and wakes us.
            return self._lease.seconds / 4 if self._couriers else None
        return RENEW_AFTER if self._couriers else LOOK_SECONDS

    async def _arrange(self, webhooks: list[Webhook]) -> None:
        """Let couriers begin and end until there is one for each of these webhooks as it is now."""
        wanted = {each.id: (_key(each), each) for each in webhooks}
        ended = [
            id
            for id, (key, _, task) in self._couriers.items()
            if task.done() or id not in wanted or wanted[id][0] != key
        ]
        tasks = [self._couriers.pop(id)[2] for id in ended]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        for id, (key, webhook) in wanted.items():
            if id in self._couriers:
                # Another replica may have been asked for something.
                self._couriers[id][1].wake()
            else:
                courier = Courier(webhook, self.means, self.wake)
                task = asyncio.create_task(self._at_work(courier), name=f"webhook {id}")
                self._couriers[id] = (key, courier, task)

    async def _at_work(self, courier: Courier) -> None:
        try:
            await courier.run()
        except Exception as fault:
            log.error("webhook_courier_failed", webhook=courier.webhook.id, exc_info=fault)
            await asyncio.sleep(REST_AFTER_FAULT)
        self.wake()


def _key(webhook: Webhook) -> Key:
    return webhook.id, webhook.version, webhook.run


async def prepare_webhooks(runtime: Runtime) -> None:
    """A dispatcher for the webhooks, before the first request may ask for one."""
    live: Live = runtime.extras["live"]
    sender = partial(Sender, private=runtime.settings.webhook_private_targets)
    runtime.extras["webhooks"] = Dispatcher(Means(runtime.store, live.tail, sender))


async def deliver_webhooks(runtime: Runtime) -> None:
    """Deliver events to webhooks for as long as the service runs."""
    await runtime.extras["webhooks"].run()
