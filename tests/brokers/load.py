"""Customers that are met without a pause, and what the log says of the order in which that was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from shared.bus import Bus
from shared.postage import envelope_of
from tests.bus.logs import everything
from tests.world import World


@dataclass
class Load:
    """One write after the other, each of which must be taken."""

    client: httpx.AsyncClient
    ids: list[str] = field(default_factory=list)
    last: httpx.Response | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Meet a customer and give them another name, for ever."""
        while True:
            met = await self.client.post("/v1/customers", json={"name": f"Customer {len(self.ids)}"})
            assert met.status_code == 201, met.text
            key = met.json()["id"]
            told = {"If-Match": met.headers["etag"]}
            self.last = await self.client.patch(f"/v1/customers/{key}", json={"region": "west"}, headers=told)
            assert self.last.status_code == 200, self.last.text
            self.ids.append(key)
            self._more.set()
            self._more = asyncio.Event()
            await asyncio.sleep(0.02)

    async def next(self) -> httpx.Response:
        """The answer to a write that begins after this moment."""
        for _ in range(2):
            async with asyncio.timeout(30):
                await self._more.wait()
        assert self.last is not None
        return self.last


@asynccontextmanager
async def loaded(concert: World) -> AsyncIterator[Load]:
    """A world under load; no write may fail."""
    load = Load(concert.admin)
    running = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        failed = running.done()
        running.cancel()
        await asyncio.wait([running])
    assert not failed, running.exception()


async def order_on(bus: Bus) -> dict[str, list[int]]:
    """Of each subject the versions as they come, without what is sent again."""
    told: dict[str, list[int]] = {}
    for message in await everything(bus):
        envelope = envelope_of(message.record)
        versions = told.setdefault(envelope.subject, [])
        if envelope.version not in versions:
            versions.append(envelope.version)
    return told
