"""Building what is known of others anew: the log is applied from its beginning to a second store, which is adopted.

The live tables are read and moved on meanwhile. When the second store has passed them, one transaction makes them equal
to it; of what is equal already nothing is written. Nothing is done a second time: what a service owns itself is left
alone, and only what the live store could not apply before obliges to anything. It is done when somebody asks for it,
and at the start of a version that keeps other things than what the database was filled with.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

import sqlalchemy as sa
import structlog

from shared.bus import Bus, LogBroken
from shared.consumer import Consumer, StoppedForSafety, Subscriptions
from shared.events import Envelope, Event, read_as
from shared.failpoints import point
from shared.instant import now
from shared.positions import stored_positions
from shared.rounds import FAULTS, Reaction, envelope_of_held, react, reason_of
from shared.store import Context, Job, Row, Store, Tx
from shared.store.sql import SQLITE, Raw, table_of
from shared.store.tables import (
    Applied,
    BatchProgress,
    Discarded,
    Erased,
    External,
    HeldEvent,
    Lease,
    Position,
    SourceProgress,
)
from shared.store.tx import Session
from shared.tasks import ended

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.02
OBSERVED: tuple[type[Row], ...] = (Position, SourceProgress, BatchProgress, HeldEvent, Discarded)
"""What an applier notes about its own work; all else is given by the events alone."""


def _further(these: str, those: str, topics: Sequence[str]) -> Raw:
    """Finds a partition of these topics in which these positions are further than those."""
    return Raw(
        f"SELECT 1 FROM {these} AS further LEFT JOIN {those} AS other"
        " ON other.topic = further.topic AND other.partition = further.partition"
        " WHERE coalesce(other.next_offset, 0) < further.next_offset"
        f" AND further.topic IN ({', '.join(map(repr, topics))})"
    )


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


@dataclass(frozen=True, slots=True)
class _Built:
    """The second store while it is filled, by whom, and whether they are still at it."""

    store: Store
    applier: Consumer
    task: asyncio.Task[None]


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
        self._least = 0
        """How much the live store had read at the beginning: no log that it read can end before that."""

    async def run(self) -> Adopted:
        """Build, and adopt what was built. Raises RebuildRefused."""
        tables = derived_tables(self.subscriptions)
        self._least = sum(each.next_offset for each in await self._read_here())
        async with self.store.beside([*tables, Lease]) as second:
            await self._give_up_again(second)
            return await self._built(second, tables)

    async def _give_up_again(self, second: Store) -> None:
        """What was given up is tried again; where it cannot be applied still, it is given up as before."""
        rows = await self.store.read(lambda snapshot: snapshot.all(Discarded, sa.select(Discarded)))

        async def put(tx: Tx) -> None:
            for row in rows:
                row.lacking = False
                tx.put(row)

        await second.write(Job(put, Context(now())))

    async def _built(self, second: Store, tables: Sequence[type[Row]]) -> Adopted:
        async with self._applying(second) as built:
            while True:
                await self._passed(built)
                # An applier of this process can be held for the last steps; of another one it may take some tries.
                async with self.live.turn if self.live else nullcontext():
                    await self._passed(built)
                    adopted = await self.store.adopt(lambda session: self._adopt(session, tables))
                if adopted is not None:
                    return adopted

    @asynccontextmanager
    async def _applying(self, second: Store) -> AsyncIterator[_Built]:
        applier = Consumer(second, self.bus, self.subscriptions.facts_only())
        task = asyncio.create_task(applier.run())
        try:
            yield _Built(second, applier, task)
        finally:
            # Between two batches, so that no transaction is cut off.
            async with applier.turn:
                with suppress(LogBroken, StoppedForSafety):
                    await ended(task)

    async def _passed(self, built: _Built) -> None:
        """Wait until the second store has come as far as the live one is, partition by partition."""
        while True:
            if built.task.done():
                raise RebuildRefused(str(built.task.exception()))
            at_end = built.applier.caught_up
            self.way = await self._look(built.store)
            if self.way.done >= self.way.of:
                return
            if at_end and self.way.done < self._least:
                raise RebuildRefused(
                    "The log ends before what has been applied here: this is not the log that was read before. Bring"
                    " that one back."
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, second: Store) -> Way:
        built = {(each.topic, each.partition): each.next_offset for each in await second.read(stored_positions)}
        live = await self._read_here()
        # What one partition is ahead does not make up for another.
        done = sum(min(built.get((each.topic, each.partition), 0), each.next_offset) for each in live)
        return Way(done, sum(each.next_offset for each in live))

    async def _read_here(self) -> list[Position]:
        """How far the live store has read what is still listened to."""
        return [each for each in await self.store.read(stored_positions) if each.topic in self.subscriptions.topics]

    async def _adopt(self, session: Session, tables: Sequence[type[Row]]) -> Adopted | None:
        """Make the live tables equal to the second store's; none if the live ones have come further."""
        if session.dialect is not SQLITE:
            # Appliers wait, readers do not. In the order in which appliers take them.
            names = ", ".join(table_of(model, session.dialect).table.name for model in tables)
            await session.execute(Raw(f"LOCK TABLE {names} IN EXCLUSIVE MODE"), [()])
        topics = self.subscriptions.topics
        if await session.fetch(_further("position", "beside.position", topics), ()):
            return None
        as_far = not await session.fetch(_further("beside.position", "position", topics), ())
        owed = await _held_no_longer(session)
        differences: dict[str, int] = {}
        for model in tables:
            count = await self._make_equal(session, model)
            if count and model not in OBSERVED:
                differences[table_of(model, session.dialect).table.name] = count
        await self._react(session, owed)
        point("rebuild.adopting")
        return Adopted(differences if as_far else None)

    async def _react(self, session: Session, owed: Sequence[HeldEvent]) -> None:
        """Do what events oblige to that could not be applied before and are applied now."""
        tx = Tx(session)
        for envelope in map(envelope_of_held, owed):
            for reaction in self.subscriptions.reactions.get(read_as(envelope.type) or Event, ()):
                act = partial(_reacted, reaction, envelope)
                try:
                    await tx.run(Job(act, Context(now())))
                except FAULTS as fault:
                    log.error("reaction_failed", **envelope.log_context(), reason=reason_of(fault))
        await tx.flush()

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


async def _held_no_longer(session: Session) -> list[HeldEvent]:
    """The events that the live store holds and the second one has applied, in the order of each subject."""
    table = table_of(HeldEvent, session.dialect)
    columns = ", ".join(map(session.dialect.identifier_preparer.quote, table.columns))
    keys = ", ".join(table.keys)
    found = Raw(
        f"SELECT {columns} FROM held_event WHERE ({keys}) NOT IN (SELECT {keys} FROM beside.held_event)"
        " ORDER BY subject, version, id"
    )
    return [cast(HeldEvent, table.row(record)) for record in await session.fetch(found, ())]


async def _reacted(reaction: Reaction, envelope: Envelope, tx: Tx) -> None:
    await react(reaction, tx, envelope.open(), envelope)
