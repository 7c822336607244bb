"""Clients that work through the published port while things break, and what they know afterwards."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import httpx

from tests.chaos.kills import WIN, Act, Notes, acts
from tests.compose.freshness import Freshness
from tests.compose.stack import Stack

CLIENTS = 3
PACE_SECONDS = 0.2
MOST_SECONDS = 900
SECONDS_TO_BE_TAKEN = 240
COLLECTIONS = ("members", "deals", "invoices", "requests")


class Load:
    """Three clients that do one thing after the other until they are told to stop; each thing until it is taken."""

    def __init__(self, stack: Stack, notes: Notes, name: str, *, pace: float = PACE_SECONDS) -> None:
        self.stack = stack
        self.notes = notes
        self.name = name
        self.pace = pace
        """Seconds that each rests after a thing."""
        self.asked = 0
        """Requests in all."""
        self.turned_away = 0
        """Answers that were no yes, and requests without an answer."""
        self.unanswered = 0
        """Those of them that nobody answered: the gateway was away, or broke the connection."""
        self.fresh = Freshness(stack)
        self._until = time.monotonic() + MOST_SECONDS
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Let each finish what it is about, and see it in the views."""
        self._stopping.set()
        await self._task
        await self.fresh.close()

    async def _work(self) -> None:
        async with AsyncExitStack() as clients:
            each = [await clients.enter_async_context(self.stack.client(seconds=30)) for _ in range(CLIENTS)]
            await asyncio.gather(*(self._one(number, client) for number, client in enumerate(each)))

    async def _one(self, number: int, client: httpx.AsyncClient) -> None:
        for act in acts(f"{self.name}-{number}"):
            if self._stopping.is_set() or time.monotonic() > self._until:
                return
            await self._do(act, client)
            await asyncio.sleep(self.pace)

    async def _do(self, act: Act, client: httpx.AsyncClient) -> None:
        notes, key = self.notes, (act.collection, act.name)
        notes.unknown[key] = act
        taken = await self._taken(f"/v1/{act.collection}", act, act.body, client)
        if taken and act.collection == "deals":
            win = WIN | {"value": act.body["value"]}
            taken = await self._taken(f"/v1/deals/ext:chaos:{act.name}/win", act, win, client)
        if taken:
            del notes.unknown[key]
            notes.acknowledged[key] = act

    async def _taken(self, path: str, act: Act, body: dict[str, object], client: httpx.AsyncClient) -> bool:
        """Send it with the same key until it is taken; what is refused for good is noted."""
        key = {"Idempotency-Key": f"{act.name}{path.replace('/', '-')}"}
        until = time.monotonic() + SECONDS_TO_BE_TAKEN
        while time.monotonic() < until:
            self.asked += 1
            try:
                answer = await client.post(path, json=body, headers=key)
            except httpx.HTTPError:
                self.turned_away += 1
                self.unanswered += 1
                await asyncio.sleep(0.5)
                continue
            if answer.status_code in (200, 201):
                if version := answer.headers.get("concert-version"):
                    self.fresh.written(version)
                return True
            if answer.status_code < 500 and answer.status_code not in (409, 429):
                self.notes.refused.append(f"{path}: {answer.text}")
                return False
            self.turned_away += 1
            await asyncio.sleep(0.5)
        return False
