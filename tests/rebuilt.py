"""The views built anew: the log applied from its beginning to a store with nothing in it."""

from __future__ import annotations

import asyncio

from services.metrics.app import subscriptions
from shared.bus import Bus
from shared.consumer import Consumer
from shared.store import Store


async def apply_the_log(store: Store, bus: Bus) -> None:
    """Apply everything that is on the log by now."""
    applier = Consumer(store, bus, subscriptions)
    applying = asyncio.create_task(applier.run())
    try:
        while not applier.caught_up:
            await asyncio.sleep(0.01)
            assert not applying.done(), applying.exception()
    finally:
        applying.cancel()
        await asyncio.wait([applying])
