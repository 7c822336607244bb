"""How fast the views are built anew from the log, beside a consumer that only reads the same log."""

from __future__ import annotations

import asyncio
import time

from concert.runner import open_bus
from services.metrics.app import service as metrics
from services.metrics.app import subscriptions
from shared.bus import Bus
from shared.postage import envelope_of
from shared.store import open_store
from shared.store.migrate import migrate
from tests.bench.grounds import Ground
from tests.rebuilt import apply_the_log


async def rebuilding(ground: Ground) -> list[tuple[str, str, str]]:
    """The line of the table about rebuilding."""
    await asyncio.to_thread(migrate, metrics, ground.spare)
    bus = open_bus(ground.settings, "bench")
    await bus.start()
    store = open_store(ground.spare, metrics.name)
    await store.start()
    try:
        events, reading = await _read(bus, subscriptions.topics)
        begin = time.perf_counter()
        await apply_the_log(store, bus)
        applied = time.perf_counter() - begin
    finally:
        await store.close()
        await bus.close()
    figure = f"{events / applied:,.0f} events/s against {events / reading:,.0f}, {events:,} events"
    return [("rebuild of the views, beside a bare consumer of the log", figure, "")]


async def _read(bus: Bus, topics: tuple[str, ...]) -> tuple[int, float]:
    """How many events are on the log, and in how many seconds they were read and their postage understood."""
    begin, events = time.perf_counter(), 0
    async for messages in bus.messages(topics, {}):
        if not messages:
            break
        events += len([envelope_of(message.record) for message in messages])
    return events, time.perf_counter() - begin
