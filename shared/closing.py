"""What is open until a day closes by itself once that day is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa

from shared.errors import OutcomeUnknown, Overloaded
from shared.http.runtime import Runtime
from shared.instant import now
from shared.store import Context, Job, Snapshot, Store, Tx
from shared.store.sql import table_of

LOOK_SECONDS = 60.0
"""How often it is looked for things whose last day is over."""


class Closes(Protocol):
    """Something that is open until the end of its last day."""

    id: str
    status: str
    closes_on: date


T = TypeVar("T", bound=Closes)


@dataclass(frozen=True, slots=True)
class Closing(Generic[T]):
    """How things of one kind are closed, and which day it is for their organisation."""

    model: Any
    close: Callable[[Tx, T, date], Awaitable[T]]
    local_day: Callable[[Snapshot, datetime], Awaitable[date]]

    async def for_ever(self, runtime: Runtime) -> None:
        """Close what is due, again and again; of several replicas the second finds it closed."""
        while True:
            with suppress(OutcomeUnknown, Overloaded, OSError):
                await self.due(runtime.store)
            await asyncio.sleep(LOOK_SECONDS)

    async def due(self, store: Store, on: date | None = None) -> int:
        """Close those whose last day is over on a day, today if not said; says how many."""

        async def over(snapshot: Snapshot) -> list[str]:
            table = table_of(self.model, snapshot.session.dialect).table.c
            ended = table.closes_on < (on or await self.local_day(snapshot, now()))
            open_still = sa.select(table.id).where(table.status == "open", ended).order_by(table.id)
            return [str(key) for (key,) in await snapshot.rows(open_still)]

        keys = await store.read(over)
        for key in keys:
            await store.write(Job(partial(self._close, key=key), Context(now())))
        return len(keys)

    async def _close(self, tx: Tx, key: str) -> T:
        found: T = await tx.load(self.model, key)
        return found if found.status == "closed" else await self.close(tx, found, found.closes_on)
