"""How long after its answer a write is in the views, looked at through the gateway while things break."""

from __future__ import annotations

import asyncio
import time

import httpx

from tests.compose.stack import Stack

VIEW = "/v1/views/it"
PERIOD = "2026-02"
SECONDS_TO_BE_SHOWN = 240
PAUSE_SECONDS = 0.1


class Freshness:
    """Follows one write at a time into the views, and then the next one that is acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self.seconds: list[float] = []
        """From the answer to a write until the views showed it."""
        self._stack = stack
        self._looking: asyncio.Task[None] | None = None

    def written(self, version: str) -> None:
        """A write has just been acknowledged, as this version."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(version, time.monotonic()))

    async def close(self) -> None:
        """See the last one shown."""
        if self._looking is not None:
            await self._looking

    async def _look(self, version: str, answered: float) -> None:
        query, headers = {"period": PERIOD, "after": version}, {"Prefer": "wait=5"}
        async with self._stack.client(seconds=10) as client:
            while not await _shown(client, query, headers):
                if time.monotonic() > answered + SECONDS_TO_BE_SHOWN:
                    break
                await asyncio.sleep(PAUSE_SECONDS)
        self.seconds.append(time.monotonic() - answered)


async def _shown(client: httpx.AsyncClient, query: dict[str, str], headers: dict[str, str]) -> bool:
    try:
        return (await client.get(VIEW, params=query, headers=headers)).status_code == 200
    except httpx.HTTPError:
        return False
