"""The store beyond one machine: PostgreSQL, one short transaction per request, its writes sent as one statement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar, cast

import asyncpg
import structlog

from shared.errors import Conflict, Invalid, OutcomeUnknown, Overloaded
from shared.failpoints import point
from shared.outage import Outage
from shared.store.combining import can_be_combined, combined
from shared.store.entity import Row
from shared.store.sql import POSTGRES, Statement, Values, making
from shared.store.tx import Job, Record, Session, Snapshot, Tx

T = TypeVar("T")
log = structlog.get_logger(__name__)
MAX_WAITING = 2_000
ATTEMPTS = 6
STATEMENT_SECONDS = 15.0
ACQUIRE_SECONDS = 10.0
DEADLINE = 25.0
_SERVER = {
    "application_name": "concert",
    # Statements are short and prepared once: compiling them costs more than it saves.
    "jit": "off",
    # What a client that has gone leaves behind must not hold rows for ever.
    "statement_timeout": str(int(STATEMENT_SECONDS * 1000)),
    "idle_in_transaction_session_timeout": str(int(DEADLINE * 1000)),
}
_TRIAL = "BEGIN; CREATE TEMP TABLE trial AS SELECT repeat('x', 1000) FROM generate_series(1, 1000); ROLLBACK"
_AGAIN = (
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,
)
# A time-out is an OSError too.
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


class PostgresSession:
    """A connection; its transaction is opened by the first query that locks something."""

    dialect = POSTGRES

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.open = False
        self.failed = False

    async def begin(self) -> None:
        """Open the transaction, once."""
        if not self.open:
            await self.connection.execute("BEGIN")
            self.open = True

    async def fetch(self, statement: Statement, values: Values) -> Sequence[Record]:
        """Run a query."""
        if statement.locks:
            await self.begin()
        try:
            return cast("Sequence[Record]", await self.connection.fetch(statement.text, *values))
        except asyncpg.PostgresError as failure:
            raise self._judged(failure) from failure

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement once for each of the rows."""
        await self.begin()
        try:
            if len(rows) == 1:
                await self.connection.execute(statement.text, *rows[0])
            else:
                await self.connection.executemany(statement.text, rows)
        except asyncpg.PostgresError as failure:
            raise self._judged(failure) from failure

    async def finish(self, tx: Tx) -> None:
        """Write what the transaction has collected and commit it."""
        writes = tx.collected()
        if writes and can_be_combined(writes):
            text, values = combined(writes)
            try:
                await self.connection.execute(text, *values)
            except asyncpg.PostgresError as failure:
                raise self._judged(failure) from failure
        else:
            for rows, statement in writes:
                await self.execute(statement, rows)
        if self.open:
            await self.connection.execute("COMMIT")
            self.open = False
        point("store.committed")

    async def abandon(self) -> None:
        """Undo what was begun; a connection that cannot do even that is thrown away."""
        if self.open:
            self.open = False
            try:
                await self.connection.execute("ROLLBACK")
            except (asyncpg.PostgresError, *_GONE):
                # A lost connection has already been taken back by its pool, and has nothing to terminate.
                with suppress(asyncpg.InterfaceError):
                    self.connection.terminate()

    def _judged(self, failure: Exception) -> Exception:
        """The failure of a statement; one for which its values are to blame is the sender's."""
        self.failed = True
        if isinstance(failure, asyncpg.DataError):
            return Invalid(f"This cannot be stored: {failure}.")
        return failure


class PostgresStore:
    """One service's database."""

    dialect = POSTGRES

    def __init__(self, url: str, *, connections: int = 16, schema: str | None = None) -> None:
        self.url = url
        self.connections = connections
        self._settings = _SERVER if schema is None else _SERVER | {"search_path": schema}
        self.committed: Callable[[], None] = lambda: None
        self.group_sizes: Callable[[int], None] = lambda size: None
        self._waiting = 0
        self._no_room: str | None = None
        self._outage = Outage(f"PostgreSQL at {url.rpartition('@')[2].partition('?')[0]}")

    async def start(self) -> None:
        """Open the connections."""
        self._pool = await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=self.connections,
            command_timeout=STATEMENT_SECONDS,
            timeout=10,
            statement_cache_size=1000,
            server_settings=self._settings,
            reset=_leave_as_it_is,
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
        return await _in_time(self._write(job))

    async def write_all(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """Run jobs that commit together; what is refused is answered by its exception and leaves nothing."""
        return await _in_time(self._write_all(jobs))

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""
        return await _in_time(self._read(query))

    async def lacks_room(self) -> str | None:
        """None, or what the database said when something could not be stored for want of room; tried anew each time."""
        return await _in_time(self._look_for_room())

    async def _look_for_room(self) -> str | None:
        if self._no_room is not None:
            async with self._session() as session:
                try:
                    await _try(session.connection)
                    self._no_room = None
                except TakesNothing as fault:
                    self._no_room = str(fault)
                    await session.connection.execute("ROLLBACK")
        return self._no_room

    @asynccontextmanager
    async def beside(self, models: Sequence[type[Row]]) -> AsyncIterator[PostgresStore]:
        """A second schema with these tables, empty; it goes when the context ends."""
        tables = ";".join(making(models, POSTGRES))
        async with self._unhurried() as connection:
            # One at a time of all processes; the lock goes with the connection.
            await connection.execute("SELECT pg_advisory_lock(hashtext('beside'))")
            await connection.execute("DROP SCHEMA IF EXISTS beside CASCADE; CREATE SCHEMA beside")
            await connection.execute(f"SET search_path TO beside; {tables}")
            second = PostgresStore(self.url, connections=3, schema="beside")
            await second.start()
            try:
                yield second
            finally:
                await second.close()
                await connection.execute("DROP SCHEMA beside CASCADE")

    async def adopt(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run work in one transaction that also sees the second schema."""
        async with self._unhurried() as connection:
            return await _again_and_again(partial(_adopted, connection, work))

    @asynccontextmanager
    async def _unhurried(self) -> AsyncIterator[Any]:
        """A connection of its own, on which statements may take their time."""
        try:
            connection = await asyncpg.connect(self.url, timeout=10)
        except (asyncpg.PostgresError, *_GONE) as failure:
            raise Overloaded(f"The database cannot be reached ({type(failure).__name__}).") from failure
        try:
            yield connection
        except _GONE as failure:
            raise OutcomeUnknown(f"The database did not answer ({type(failure).__name__}).") from failure
        finally:
            connection.terminate() if connection.is_closed() else await connection.close(timeout=5)

    async def _write(self, job: Job[T]) -> T:
        """Another request may come first: then reload and decide once more."""

        async def decided() -> T:
            async with self._session() as session:
                tx = Tx(session)
                outcome = await tx.run(job)
                await session.finish(tx)
            self._told(tx)
            return outcome

        return await _again_and_again(decided)

    async def _write_all(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        self.group_sizes(len(jobs))
        try:
            async with self._session() as session:
                tx = Tx(session)
                outcomes = [await self._outcome(tx, session, job) for job in jobs]
                await session.finish(tx)
            self._told(tx)
            return outcomes
        except (Invalid, asyncpg.PostgresError, _NeedsIsolation):
            # What was refused by the database took the whole transaction with it.
            return [await self._alone(job) for job in jobs]

    async def _read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """A migration may take away what is being read, or wait for it in turn: then it is read once more."""
        return await _again_and_again(lambda: self._read_once(query))

    async def _read_once(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        async with self._connection() as connection:
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await query(Snapshot(PostgresSession(connection)))
            except _GONE as failure:
                self._lost(failure)
                raise OutcomeUnknown(f"The database did not answer ({type(failure).__name__}); ask again.") from failure

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[PostgresSession]:
        async with self._connection() as connection:
            session = PostgresSession(connection)
            try:
                yield session
            except asyncpg.DiskFullError as failure:
                await session.abandon()
                raise self._full(failure) from failure
            except _GONE as failure:
                await session.abandon()
                self._lost(failure)
                raise OutcomeUnknown(
                    f"The database did not answer in time ({type(failure).__name__}); whether this was stored is not"
                    " known. Send it again with the same Idempotency-Key."
                ) from failure
            except BaseException:
                await session.abandon()
                raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if self._waiting >= MAX_WAITING:
            raise Overloaded("More requests wait for the database than it can answer in time; nothing was stored.")
        self._waiting += 1
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except asyncpg.DiskFullError as failure:
            raise self._full(failure) from failure
        except (asyncpg.PostgresError, *_GONE) as failure:
            self._lost(failure)
            raise Overloaded(f"The database cannot be reached ({type(failure).__name__}); nothing was stored.") from (
                failure
            )
        finally:
            self._waiting -= 1
        try:
            yield connection
            self._outage.is_over()
        finally:
            await self._pool.release(connection)

    def _full(self, failure: asyncpg.DiskFullError) -> Overloaded:
        """Nothing more can be stored: it is asked from now on whether that is over."""
        self._no_room = str(failure)
        return Overloaded("The database has no room for more; nothing was stored.")

    def _lost(self, failure: Exception) -> None:
        """A connection has gone, or there was none; one statement that took too long is no outage."""
        if isinstance(failure, asyncpg.QueryCanceledError):
            log.warning("statement_took_too_long", reason=str(failure))
        else:
            self._outage.goes_on(f"{type(failure).__name__}: {failure}")

    async def _outcome(self, tx: Tx, session: PostgresSession, job: Job[Any]) -> Any:
        try:
            return await tx.run(job)
        except (asyncpg.PostgresError, *_GONE):
            raise
        except Exception as refusal:
            if tx.flushed_in_job or session.failed:
                raise _NeedsIsolation from refusal
            return refusal

    async def _alone(self, job: Job[Any]) -> Any:
        try:
            return await self._write(job)
        except Exception as refusal:
            return refusal

    def _told(self, tx: Tx) -> None:
        if tx.events:
            self.committed()


class _NeedsIsolation(Exception):
    """A job was refused after some of it had reached the database: the jobs run again, one by one."""


class TakesNothing(Exception):
    """The server answers and takes nothing that is written; the message is its own."""


async def try_to_write(url: str, patience: float = 4.0) -> None:
    """Begin a table in a database that nobody sees, and take it back. Raises TakesNothing, or what the driver says."""
    async with asyncio.timeout(patience):
        try:
            connection = await asyncpg.connect(url, timeout=patience)
        except asyncpg.DiskFullError as fault:  # even that somebody is there would have to be written down
            raise TakesNothing(str(fault)) from fault
        try:
            await _try(connection)
        finally:
            connection.terminate()


async def _try(connection: Any) -> None:
    """Write what nobody sees. Raises TakesNothing, in a transaction that has failed."""
    try:
        await connection.execute(_TRIAL)
    except (asyncpg.InsufficientResourcesError, asyncpg.ReadOnlySQLTransactionError) as fault:
        raise TakesNothing(str(fault)) from fault


async def _again_and_again(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try something until no other transaction is in its way, so often and no more. Raises Conflict, Overloaded."""
    failure: Exception | None = None
    for number in range(ATTEMPTS):
        if number:
            await asyncio.sleep(random.uniform(0, 0.002 * 2**number))
        try:
            return await attempt()
        except _AGAIN as again:
            failure = again
    if isinstance(failure, asyncpg.UniqueViolationError):
        raise Conflict("Something else with this name or number was stored a moment before.") from failure
    raise Overloaded("Too many change the same things at this moment; nothing was done. Ask again.") from failure


async def _adopted(connection: Any, work: Callable[[Session], Awaitable[T]]) -> T:
    async with connection.transaction(isolation="repeatable_read"):
        session = PostgresSession(connection)
        session.open = True
        return await work(session)


async def _leave_as_it_is(connection: Any) -> None:
    """Nothing of a session is ever set, so the round trip that would reset it is saved for each request."""


async def _in_time(work: Coroutine[Any, Any, T]) -> T:
    """Work with a deadline of its own: the driver's does not hold while a paused database keeps the line open."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=DEADLINE)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if task.done():
        return task.result()
    # Not awaited: giving up needs the database too.
    task.cancel()
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    raise OutcomeUnknown(
        f"The database did not answer within {DEADLINE:g} s; whether this was stored is not known. Send it again with"
        " the same Idempotency-Key."
    )
