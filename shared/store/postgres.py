"""The store beyond one machine: PostgreSQL, one short transaction per request, its writes sent as one statement."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import asyncpg

from shared.errors import Conflict, OutcomeUnknown
from shared.store.sql import POSTGRES, Statement, Values
from shared.store.tx import Job, Record, Snapshot, Tx

T = TypeVar("T")
MAX_COMBINED = 12
DEADLINE = 15.0
_AGAIN = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError, OSError)


class PostgresSession:
    """A connection; its transaction is opened by the first query that locks something."""

    dialect = POSTGRES

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.open = False

    async def begin(self) -> None:
        """Open the transaction, once."""
        if not self.open:
            await self.connection.execute("BEGIN")
            self.open = True

    async def fetch(self, statement: Statement, values: Values) -> Sequence[Record]:
        """Run a query."""
        if "FOR UPDATE" in statement.text:
            await self.begin()
        return cast("Sequence[Record]", await self.connection.fetch(statement.text, *values))

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement once for each of the rows."""
        await self.begin()
        if len(rows) == 1:
            await self.connection.execute(statement.text, *rows[0])
        else:
            await self.connection.executemany(statement.text, rows)

    async def finish(self, tx: Tx) -> None:
        """Write what the transaction has collected and commit it."""
        writes = tx.collected()
        single = sum(len(rows) for rows, _ in writes) <= MAX_COMBINED and _once_per_table(writes)
        if single and writes:
            text, values = _combine(writes)
            await self.connection.execute(text, *values)
        else:
            for rows, statement in writes:
                await self.execute(statement, rows)
        if self.open:
            await self.connection.execute("COMMIT")
            self.open = False

    async def abandon(self) -> None:
        """Undo what was begun."""
        if self.open and not self.connection.is_closed():
            await self.connection.execute("ROLLBACK")
        self.open = False


def _once_per_table(writes: list[tuple[list[Values], Statement]]) -> bool:
    # The parts of one statement run in no promised order, so the journal's rows of one subject must not be split.
    return all(len(rows) == 1 for rows, _ in writes)


_NUMBER = re.compile(r"\$(\d+)")
_combined: dict[tuple[str, ...], str] = {}


def _combine(writes: list[tuple[list[Values], Statement]]) -> tuple[str, list[Any]]:
    """Several writes as one statement with common table expressions: one round trip, atomic by itself."""
    key = tuple(statement.text for _, statement in writes)
    values = [value for rows, _ in writes for value in rows[0]]
    text = _combined.get(key)
    if text is None:
        parts, shift = [], 0
        for rows, statement in writes:
            parts.append(_NUMBER.sub(lambda found, by=shift: f"${int(found[1]) + by}", statement.text))
            shift += len(rows[0])
        *first, last = parts
        named = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(first))
        text = _combined[key] = f"WITH {named} {last}" if first else last
    return text, values


class PostgresStore:
    """One service's database."""

    dialect = POSTGRES

    def __init__(self, url: str, *, connections: int = 16) -> None:
        self.url = url
        self.connections = connections
        self.committed: Callable[[], None] = lambda: None
        self.group_sizes: Callable[[int], None] = lambda size: None

    async def start(self) -> None:
        """Open the connections."""
        self._pool = await asyncpg.create_pool(
            self.url, min_size=1, max_size=self.connections, command_timeout=DEADLINE, timeout=10
        )

    async def close(self) -> None:
        """Close the connections, waiting a little for what runs."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit; returns after the commit is durable."""
        for attempt in range(4):
            try:
                async with self._session() as session:
                    tx = Tx(session)
                    outcome = await tx.run(job)
                    await session.finish(tx)
                self._told(tx)
                return outcome
            except _AGAIN:
                # Another request came first: reload and decide once more.
                if attempt == 3:
                    break
        raise Conflict("Something else with this name or number was stored a moment before.")

    async def write_all(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """Run jobs that commit together; what is refused is answered by its exception and leaves nothing."""
        try:
            async with self._session() as session:
                tx = Tx(session)
                outcomes = [await self._outcome(tx, job) for job in jobs]
                await session.finish(tx)
            self._told(tx)
            return outcomes
        except (*_AGAIN, _NeedsIsolation):
            return [await self._alone(job) for job in jobs]

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""
        try:
            async with self._pool.acquire(timeout=10) as connection:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await query(Snapshot(PostgresSession(connection)))
        except (TimeoutError, *_GONE) as failure:
            raise OutcomeUnknown(f"The database did not answer ({type(failure).__name__}); try again.") from failure

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[PostgresSession]:
        try:
            async with self._pool.acquire(timeout=10) as connection:
                session = PostgresSession(connection)
                try:
                    yield session
                except BaseException:
                    await session.abandon()
                    raise
        except (TimeoutError, *_GONE) as failure:
            raise OutcomeUnknown(
                f"The database did not answer in time ({type(failure).__name__}); whether this was stored is not"
                " known. Send it again with the same Idempotency-Key."
            ) from failure

    async def _outcome(self, tx: Tx, job: Job[Any]) -> Any:
        try:
            return await tx.run(job)
        except (asyncpg.PostgresError, *_GONE):
            raise
        except Exception as refusal:
            if tx.flushed_in_job:
                raise _NeedsIsolation from refusal
            return refusal

    async def _alone(self, job: Job[Any]) -> Any:
        try:
            return await self.write(job)
        except Exception as refusal:
            return refusal

    def _told(self, tx: Tx) -> None:
        if tx.events:
            self.committed()


class _NeedsIsolation(Exception):
    """A job was refused after some of it had reached the database: the jobs run again, one by one."""
