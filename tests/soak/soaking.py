"""A soak from its first event to its verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.metrics.consistency.certificate import OWNERS
from tests.serving import serving
from tests.soak.company import Company
from tests.soak.grounds import Ground, embedded, served
from tests.soak.judged import all_applied, certified, differences
from tests.soak.measured import HEAD, MOST_SLOPE, Sample, resident, slope
from tests.soak.owners import Books, answering
from tests.soak.telling import Teller
from tests.soak.troubles import Troubles, give_up

GROUNDS: Final = {"embedded": embedded, "servers": served}
WINDOW: Final = 500
MOST_BEHIND: Final = 5_000
"""Events that may be told and not applied: then the owners wait, as with a deep outbox. What is fetched of a deeper
backlog would be a part of the memory, and hide what is lost when it shrinks."""
WITH_KILLS: Final = 0.4
"""The part of the time in which the process is killed; then one lives on, so that its memory can be looked at."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how much, and from which seed."""

    seconds: float
    events: int
    seed: int = 1
    leak: int = 0
    mutant: str | None = None
    """Which protection is switched off, to see that the soak notices."""

    @property
    def between(self) -> float:
        """Seconds from one fault to the next, about."""
        return min(max(self.seconds / 20, 3.0), 20.0)

    @property
    def shown_every(self) -> float:
        """Seconds from one line to the next."""
        return max(self.seconds / 12, 5.0)


@dataclass(slots=True)
class Found:
    """What came of it."""

    samples: list[Sample] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    """What was done to it, and how often."""
    seen: int = 0
    """Events that had been applied already when they came again."""
    wrong: list[str] = field(default_factory=list)
    certificate_seconds: float = 0.0
    warm_after: int = 0

    @property
    def slope(self) -> float | None:
        """MiB of memory per million events."""
        return slope(self.samples, self.warm_after)

    @property
    def leaks(self) -> bool:
        """Whether memory is not flat."""
        return self.slope is not None and self.slope > MOST_SLOPE


async def soak(kind: str, folder: Path, plan: Plan, say: Say) -> Found:
    """Tell for so long, or so much; then see that all of it is there, once. Raises AssertionError, Unavailable."""
    books = Books()
    async with serving(answering(books)) as owners, GROUNDS[kind](folder, owners, plan.leak, plan.mutant) as ground:
        found = Found(warm_after=ground.warm_after)
        teller = Teller(Company(plan.seed), books, ground.log, plan.seed)
        troubles = Troubles(ground, plan.seed, plan.between)
        watch = Watch(ground, teller, troubles, found, plan, say)
        async with beside(watch.run(), give_up(ground, found.did)):
            async with beside(troubles.run()) as calm:
                await tell(teller, troubles, plan, watch)
                troubles.end()
                await calm()
            await teller.last()
            progress = await all_applied(ground, teller)
            found.certificate_seconds, _ = await certified(ground, teller.given_up)
            found.wrong = await differences(ground, teller.company.figures)
            await watch.look()
        found.seen = sum(each.seen for each in progress.values())
        found.did += troubles.counts + teller.did
        return found


async def tell(teller: Teller, troubles: Troubles, plan: Plan, watch: Watch) -> None:
    """Tell at an even pace, as long as the views can follow; now and then something poisoned."""
    began, poisoned = time.monotonic(), 0
    while teller.events < plan.events and (passed := time.monotonic() - began) < plan.seconds:
        troubles.kills = passed < WITH_KILLS * plan.seconds
        if poisoned <= passed // plan.between:
            poisoned += 1
            teller.poison += 1
        due = min(WINDOW, int(plan.events * passed / plan.seconds) - teller.events)
        if due < WINDOW // 10 or watch.behind > MOST_BEHIND:
            await asyncio.sleep(0.05)
        else:
            await teller.window(due)


class Watch:
    """Looks every second, and says from time to time what it has seen."""

    def __init__(self, ground: Ground, teller: Teller, troubles: Troubles, found: Found, plan: Plan, say: Say) -> None:
        self.ground, self.teller, self.troubles = ground, teller, troubles
        self.found, self.plan, self.say = found, plan, say
        self._applied = 0
        self._began = time.monotonic()
        self._shown = Sample(0.0, 1, 0, 0, 0, 0, 0)

    @property
    def behind(self) -> int:
        """Events that were told and, at the last look, not applied."""
        return sum(self.teller.books.told.values()) - self._applied

    async def run(self) -> None:
        """Look for ever."""
        self.say(HEAD)
        while True:
            with suppress(OSError):
                await self.look()
            last = self.found.samples[-1] if self.found.samples else self._shown
            if last.at - self._shown.at >= self.plan.shown_every:
                self.say(last.shown(self._shown))
                self._shown = last
            await asyncio.sleep(1)

    async def look(self) -> None:
        """Note how it stands. Raises OSError where the store cannot be asked."""
        life, process = self.troubles.lives, self.ground.victim.process
        # Of people the log keeps the latest only: how many of their events are applied says nothing.
        told = sum(self.teller.books.told.values())
        progress = await self.ground.progress()
        store, log = await self.ground.sizes()
        applied = self._applied = sum(each.applied for owner, each in progress.items() if owner in OWNERS)
        at = time.monotonic() - self._began
        self.found.samples.append(Sample(at, life, told, applied, resident(process), store, log))


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Do this while that goes on; gives a way to wait for the end of it. What went wrong meanwhile is said here."""
    tasks = [asyncio.create_task(work) for work in works]

    async def ended() -> None:
        await asyncio.gather(*tasks)

    try:
        yield ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            await task
