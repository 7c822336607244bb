"""What the probes say meanwhile, asked again and again through the gateway."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass

import httpx

EVERY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: whether everything was ready, and if not, which parts were not."""

    at: float
    ready: bool
    words: str


class Probes:
    """Asks `/readyz` for as long as the context lasts."""

    def __init__(self, address: str, every: float = EVERY_SECONDS) -> None:
        self.address = address
        self.every = every
        self.said: list[Said] = []

    async def __aenter__(self) -> Probes:
        self._task = asyncio.create_task(self._ask_for_ever())
        return self

    async def __aexit__(self, *fault: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def told(self, pattern: str) -> bool:
        """Whether it was said in red, in these words."""
        return any(not each.ready and re.search(pattern, each.words) for each in self.said)

    @property
    def red(self) -> str:
        """Everything that was said in red, once."""
        return " | ".join(dict.fromkeys(each.words for each in self.said if not each.ready))

    async def _ask_for_ever(self) -> None:
        async with httpx.AsyncClient(base_url=self.address, timeout=6) as client:
            while True:
                self.said.append(await _asked(client))
                await asyncio.sleep(self.every)


async def _asked(client: httpx.AsyncClient) -> Said:
    try:
        answer = await client.get("/readyz")
        if answer.status_code == 200:
            return Said(time.monotonic(), True, "")
        said = answer.json()
        parts = said.get("parts") or {"gateway": said.get("detail", "")}
        words = "; ".join(f"{part}: {state}" for part, state in parts.items() if state != "ok")
    except (httpx.HTTPError, ValueError) as fault:
        words = f"no answer: {type(fault).__name__}"
    return Said(time.monotonic(), False, words)
