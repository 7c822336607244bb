"""Faults at random, one after the other, and an operator who gives up what is parked."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from random import Random
from typing import Final

import httpx

from tests.soak.grounds import Fault, Ground

POINT: Final = "applier.applied=0.003"
"""With how many batches a process kills itself before it commits, if it was started to."""
LONGEST: Final = 10.0
REASON: Final = "poisoned by the soak"
LOOK_SECONDS: Final = 1.0


class Troubles:
    """What goes wrong, how often it did, and the only one who starts the process again."""

    def __init__(self, ground: Ground, seed: int, every: float) -> None:
        self.ground = ground
        self.every = every
        self.counts: Counter[str] = Counter()
        self.lives = 1
        self.kills = True
        """Whether the process may be killed: it may not while its memory is looked at."""
        self._chance = Random(seed)
        self._calm = asyncio.Event()
        self._armed = False
        """Whether the process may kill itself at a named point."""

    async def run(self) -> None:
        """One fault after the other, until all is to be well; then the process runs, and is not about to die."""
        while not await self._is_calm(self.every * self._chance.uniform(0.5, 1.5)):
            name, fault = self._chance.choice(self._possible())
            await fault(min(self._chance.uniform(0.3, self.every), LONGEST))
            self.counts[name] += 1
        self.kills = False
        await self._disarm()

    def end(self) -> None:
        """No more faults, when the present one is over."""
        self._calm.set()

    def _possible(self) -> list[tuple[str, Fault]]:
        faults = [("stood still", self._stand_still), *self.ground.faults.items()]
        if not self.kills:
            return faults
        killed: list[tuple[str, Fault]] = [("killed", self._kill)]
        # However short it is, one is killed.
        return killed if not self.counts["killed"] else [*killed * 2, *faults]

    async def _is_calm(self, seconds: float) -> bool:
        """Wait so long, or until there are to be no more faults; meanwhile what has killed itself is started again."""
        until = time.monotonic() + seconds
        while not self._calm.is_set() and time.monotonic() < until:
            await self.revive("killed at a named point")
            if not self.kills:
                await self._disarm()
            await asyncio.sleep(0.1)
        return self._calm.is_set()

    async def revive(self, died: str) -> None:
        """Start the process again if it has ended, to kill itself again perhaps while it may."""
        victim = self.ground.victim
        if victim.processes["metrics"].exitcode is None:
            return
        self.counts[died] += 1
        self.lives += 1
        self._armed = self.kills and self._chance.random() < 0.5
        await asyncio.to_thread(victim.start, POINT if self._armed else "")

    async def _disarm(self) -> None:
        if self._armed:
            await self._kill(0.0)

    async def _kill(self, seconds: float) -> None:
        await asyncio.to_thread(self.ground.victim.kill)
        await asyncio.sleep(seconds / 4)
        await self.revive("started again")

    async def _stand_still(self, seconds: float) -> None:
        process = self.ground.victim.process
        os.kill(process, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(process, signal.SIGCONT)


async def give_up(ground: Ground, counts: Counter[str]) -> None:
    """Look for what is parked and give it up for a reason, for ever."""
    async with ground.victim.client("metrics") as client:
        while True:
            try:
                await _give_up(client, counts)
            except (httpx.HTTPError, KeyError, ValueError):
                # It does not answer just now.
                counts["asked in vain"] += 1
            await asyncio.sleep(LOOK_SECONDS)


async def _give_up(client: httpx.AsyncClient, counts: Counter[str]) -> None:
    shown = await client.get("/v1/parked", params={"service": "metrics", "limit": "200"})
    for subject in {each["subject"] for each in shown.json()["items"] if each["reason"] is not None}:
        answer = await client.post(f"/v1/parked/{subject}/discard", json={"reason": REASON})
        counts["given up"] += answer.status_code == 204
