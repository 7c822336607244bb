"""Two processes of targets and two of metrics on one database each, and who of them holds a lease."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence

import asyncpg

from tests.chaos.victims import OnServers

FIRST = OnServers.parts
SECOND = ("targets-2", "metrics-2")
LEASES = (("targets", "relay"), ("metrics", "applier"))


class Replicated(OnServers):
    """The four services, of which two have a second process; the first ones begin, so that they hold the leases."""

    parts: Sequence[str] = (*FIRST, *SECOND)

    def environment(self, part: str) -> dict[str, str]:
        self.parts, every = FIRST, self.parts
        try:
            return super().environment(part)
        finally:
            self.parts = every

    def command(self, part: str) -> list[str]:
        return ["serve", part.removesuffix("-2")]

    def begin(self) -> None:
        """Start the first processes, and the second ones when all leases are held."""
        self.parts = FIRST
        self.start()
        asyncio.run(self._held())
        self.parts = (*FIRST, *SECOND)
        self.start()

    def pause(self, *parts: str) -> None:
        """Let processes stand still, as a machine that swaps does."""
        self._signal(signal.SIGSTOP, parts)

    def wake(self, *parts: str) -> None:
        """Let them go on as if no time had passed."""
        self._signal(signal.SIGCONT, parts)

    async def holder(self, service: str, job: str) -> str | None:
        """Who holds a lease."""
        connection = await asyncpg.connect(self.url.replace("{service}", service))
        try:
            held = "SELECT holder FROM lease WHERE job = $1 AND until > extract(epoch from clock_timestamp())"
            return str(found) if (found := await connection.fetchval(held, job)) else None
        finally:
            await connection.close()

    async def holders(self) -> list[str | None]:
        """Who relays for targets, and who applies for metrics."""
        return [await self.holder(service, job) for service, job in LEASES]

    async def taken_over(self, before: Sequence[str | None]) -> float:
        """Wait until others hold both leases; how many seconds that took."""
        begun = time.monotonic()
        async with asyncio.timeout(30):
            while any(now in (None, old) for now, old in zip(await self.holders(), before, strict=True)):
                await asyncio.sleep(0.05)
        return time.monotonic() - begun

    async def _held(self) -> None:
        async with asyncio.timeout(30):
            while None in await self.holders():
                await asyncio.sleep(0.05)

    def _signal(self, number: signal.Signals, parts: Sequence[str]) -> None:
        for part in parts:
            pid = self.processes[part].pid
            assert pid is not None
            os.kill(pid, number)
