"""Building what is known of others anew: the log is applied from its beginning to a second store, which is adopted.

The live tables are read and moved on meanwhile. When the second store has passed them, one transaction makes them equal
to it; of what is equal already nothing is written. Nothing is done a second time: reactions, and whatever a service
owns itself, are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

from shared.bus import Bus, LogBroken
from shared.consumer import Consumer, StoppedForSafety, Subscriptions
from shared.failpoints import point
from shared.positions import stored_positions
from shared.store import Row, Store
from shared.store.sql import SQLITE, Raw, table_of
from shared.store.tables import Applied, BatchProgress, Erased, External, HeldEvent, Lease, Position, SourceProgress
from shared.store.tx import Session

LOOK_SECONDS = 0.02
OBSERVED: tuple[type[Row], ...] = (Position, SourceProgress, BatchProgress, HeldEvent)
"""What an applier notes about its own work; all else is given by the events alone."""


def _further(these: str, those: str) -> Raw:
    """Finds a partition in which these positions are further than those."""
    return Raw(
        f"SELECT 1 FROM {these} AS further LEFT JOIN {those} AS other"
        " ON other.topic = further.topic AND other.partition = further.partition"
        " WHERE coalesce(other.next_offset, 0) < further.next_offset"
    )


_LIVE_IS_AHEAD = _further("position", "beside.position")
_BUILT_IS_AHEAD = _further("beside.position", "position")


@dataclass(frozen=True, slots=True)
class Adopted:
    """What came of a rebuild."""

    differences: Mapping[str, int] | None
    """By table, how many rows were not what the log gives; none where events came in between, which make others."""


class RebuildRefused(Exception):
    """The views cannot be built from this log; the message says why. They are as they were."""


@dataclass(frozen=True, slots=True)
class Way:
    """How far the second store has come, and how far the live one is, in records of the log."""

    done: int
    of: int


def derived_tables(subscriptions: Subscriptions) -> list[type[Row]]:
    """The tables that the log alone decides."""
    facts = subscriptions.facts.values()
    sums = dict.fromkeys(sums for keeper in facts for sums in keeper.tables)
    return [*OBSERVED, Applied, Erased, External, *(keeper.model for keeper in facts), *sums]


class Rebuild:
    """One rebuild of what a service knows of others."""

    def __init__(self, store: Store, bus: Bus, subscriptions: Subscriptions, live: Consumer | None) -> None:
        self.store = store
        self.bus = bus
        self.subscriptions = subscriptions
        self.live = live
        self.way = Way(0, 0)

    async def run(self) -> Adopted:
        """Build, and adopt what was built. Raises RebuildRefused."""
        tables = derived_tables(self.subscriptions)
        async with self.store.beside([*tables, Lease]) as second, self._applying(second) as applying:
            while True:
                await self._passed(second, applying)
                # An applier of this process can be held for the last steps; of another one it may take some tries.
                async with self.live.turn if self.live else nullcontext():
                    await self._passed(second, applying)
                    adopted = await self.store.adopt(lambda session: self._adopt(session, tables))
                if adopted is not None:
                    return adopted

    @asynccontextmanager
    async def _applying(self, second: Store) -> AsyncIterator[asyncio.Task[None]]:
        applier = Consumer(second, self.bus, self.subscriptions.facts_only())
        task = asyncio.create_task(applier.run())
        try:
            yield task
        finally:
            # Between two batches, so that no transaction is cut off.
            async with applier.turn:
                task.cancel()
                with suppress(asyncio.CancelledError, LogBroken, StoppedForSafety):
                    await task

    async def _passed(self, second: Store, applying: asyncio.Task[None]) -> None:
        """Wait until the second store has come as far as the live one is, partition by partition."""
        while True:
            if applying.done():
                raise RebuildRefused(str(applying.exception()))
            self.way = await self._look(second)
            if self.way.done >= self.way.of:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, second: Store) -> Way:
        built = {(each.topic, each.partition): each.next_offset for each in await second.read(stored_positions)}
        live = await self.store.read(stored_positions)
        # What one partition is ahead does not make up for another.
        done = sum(min(built.get((each.topic, each.partition), 0), each.next_offset) for each in live)
        return Way(done, sum(each.next_offset for each in live))

    async def _adopt(self, session: Session, tables: Sequence[type[Row]]) -> Adopted | None:
        """Make the live tables equal to the second store's; none if the live ones have come further."""
        if session.dialect is not SQLITE:
            # Appliers wait, readers do not. In the order in which appliers take them.
            names = ", ".join(table_of(model, session.dialect).table.name for model in tables)
            await session.execute(Raw(f"LOCK TABLE {names} IN EXCLUSIVE MODE"), [()])
        if await session.fetch(_LIVE_IS_AHEAD, ()):
            return None
        as_far = not await session.fetch(_BUILT_IS_AHEAD, ())
        differences: dict[str, int] = {}
        for model in tables:
            count = await self._make_equal(session, model)
            if count and model not in OBSERVED:
                differences[table_of(model, session.dialect).table.name] = count
        point("rebuild.adopting")
        return Adopted(differences if as_far else None)

    async def _make_equal(self, session: Session, model: type[Row]) -> int:
        quoted = session.dialect.identifier_preparer.quote
        table = table_of(model, session.dialect)
        name, columns = quoted(table.table.name), ", ".join(map(quoted, table.columns))
        keys = ", ".join(map(quoted, table.keys))
        ours = f"SELECT {columns} FROM {name}{self._where(model)}"
        theirs = f"SELECT {columns} FROM beside.{name}"
        false = f"SELECT {keys} FROM ({ours} EXCEPT {theirs}) AS false_rows"
        missing = f"SELECT {columns} FROM ({theirs} EXCEPT {ours}) AS missing_rows"
        gone = await session.fetch(Raw(f"DELETE FROM {name} WHERE ({keys}) IN ({false}) RETURNING {keys}"), ())
        come = await session.fetch(Raw(f"INSERT INTO {name} ({columns}) {missing} RETURNING {keys}"), ())
        return len({tuple(record) for record in (*gone, *come)})

    def _where(self, model: type[Row]) -> str:
        """Names of what the service owns itself stand in one table with the names of facts."""
        if model is not External:
            return ""
        kinds = {keeper.model.names or keeper.kind for keeper in self.subscriptions.facts.values()}
        return f" WHERE kind IN ({', '.join(repr(kind) for kind in sorted(kinds))})"
