"""Whether a service's database answers, and what it says of the outbox and of what is held.

One question at a time: a database that hangs is asked once, however many want to know, and they are told so soon.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared.errors import OutcomeUnknown, Overloaded
from shared.instant import now
from shared.store import Snapshot, Store
from shared.store.tables import HeldEvent
from shared.store.types import moment_of

if TYPE_CHECKING:
    from shared.relay import Relay

PATIENCE = 1.5
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_HELD = sa.select(
    sa.func.count(_held.reason),
    sa.func.count() - sa.func.count(_held.reason),
    sa.func.min(sa.case((_held.reason.is_(None), _held.since)), type_=_held.since.type),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a database says of itself: events not sent yet, not applicable, and waiting, with the age of the oldest."""

    unsent: int
    unsent_seconds: float
    parked: int
    waiting: int
    waiting_seconds: float


class Pulse:
    """Feels a database's pulse."""

    def __init__(self, store: Store, relay: Relay) -> None:
        self.store = store
        self.relay = relay
        self.trouble: str | None = None
        self._no_room: str | None = None
        self._asking: asyncio.Task[Reading] | None = None
        self._asked_at = 0.0

    async def read(self) -> Reading | None:
        """What the database says now; none when it does not, and `trouble` has the reason."""
        if self._asking is None:
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask(), name="pulse")
        task = self._asking
        await asyncio.wait({task}, timeout=PATIENCE)
        if not task.done():
            self.trouble = f"the database has not answered for {time.monotonic() - self._asked_at:.1f} s"
            return None
        if self._asking is task:
            self._asking = None
        try:
            reading = task.result()
        except (OutcomeUnknown, Overloaded, OSError) as fault:
            self.trouble = f"the database does not answer: {fault}"
            return None
        self.trouble = f"the database has no room for more: {self._no_room}" if self._no_room else None
        return reading

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking}, timeout=PATIENCE)

    async def _ask(self) -> Reading:
        self._no_room = await self.store.lacks_room()
        unsent, oldest = await self.relay.backlog()
        parked, waiting, since = await self.store.read(_held_of)
        return Reading(unsent, _age(moment_of(oldest) if oldest else None), parked, waiting, _age(since))


async def _held_of(snapshot: Snapshot) -> tuple[int, int, datetime | None]:
    ((parked, waiting, since),) = await snapshot.rows(_HELD)
    return parked, waiting, since


def _age(moment: datetime | None) -> float:
    return max(0.0, (now() - moment).total_seconds()) if moment else 0.0
