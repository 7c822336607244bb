"""The store on one machine: a SQLite file with one writer thread that groups requests into one durable commit."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.errors import Conflict, OutcomeUnknown, Overloaded
from shared.store.sql import SQLITE, Statement, Values
from shared.store.tx import Job, Record, Snapshot, Tx

T = TypeVar("T")
MAX_GROUP = 256
MAX_QUEUE = 10_000


class SqliteSession:
    """A connection to the file, used by one thread."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement, values: Values) -> Sequence[Record]:
        """Run a query."""
        return self.connection.execute(statement.text, values).fetchall()

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement once for each of the rows."""
        self.connection.executemany(statement.text, rows)


def complete(work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
    """Run a coroutine that waits for nothing but this store, which on SQLite never suspends."""
    try:
        cast("Coroutine[Any, Any, T]", work).send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise RuntimeError("a transaction may wait for nothing but its store")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a store file, with commits that survive power loss."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=MEMORY")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


class _Work:
    """Jobs that were asked for together, and where their outcomes are awaited."""

    def __init__(self, jobs: Sequence[Job[Any]], loop: asyncio.AbstractEventLoop) -> None:
        self.jobs = jobs
        self.loop = loop
        self.future: asyncio.Future[list[Any]] = loop.create_future()
        self.outcomes: list[Any] = []


class SqliteStore:
    """One service's file. Reads run beside the writer, each on a snapshot of its own."""

    dialect = SQLITE

    def __init__(self, path: Path, *, readers: int = 4) -> None:
        self.path = path
        self.committed: Callable[[], None] = lambda: None
        self.group_sizes: Callable[[int], None] = lambda size: None
        self._queue: queue.Queue[_Work | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write_for_ever, name=f"writer-{path.stem}", daemon=True)
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix=f"reader-{path.stem}")
        self._readers = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False

    async def start(self) -> None:
        """Open the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(self.path)
        self._writer.start()

    async def close(self) -> None:
        """Finish what was accepted, then close."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join, 10)
        self._pool.shutdown(wait=True)
        for connection in self._open:
            connection.close()
        self._connection.close()

    async def write(self, job: Job[T]) -> T:
        """Run a job and commit; returns after the commit is durable."""
        (outcome,) = await self.write_all([job])
        if isinstance(outcome, BaseException):
            raise outcome
        return cast(T, outcome)

    async def write_all(self, jobs: Sequence[Job[Any]]) -> list[Any]:
        """Run jobs that commit together; what is refused is answered by its exception and leaves nothing."""
        if self._closed:
            raise Overloaded("This service is stopping; send the request again.")
        if self._queue.qsize() > MAX_QUEUE:
            raise Overloaded("More writes are waiting than can be stored in time; try again in a second.")
        work = _Work(jobs, asyncio.get_running_loop())
        self._queue.put(work)
        return await work.future

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)

    def _read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        connection = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = connect(self.path, read_only=True)
            self._open.append(connection)
        connection.execute("BEGIN")
        try:
            return complete(query(Snapshot(SqliteSession(connection))))
        finally:
            connection.execute("COMMIT")

    def _write_for_ever(self) -> None:
        while (group := self._next_group()) is not None:
            events = self._commit(group)
            for work in group:
                work.loop.call_soon_threadsafe(_deliver, work)
            if events:
                group[0].loop.call_soon_threadsafe(self.committed)

    def _next_group(self) -> list[_Work] | None:
        first = self._queue.get()
        if first is None:
            return None
        group, size = [first], len(first.jobs)
        while size < MAX_GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._queue.put(None)
                break
            group.append(following)
            size += len(following.jobs)
        self.group_sizes(size)
        return group

    def _commit(self, group: list[_Work]) -> int:
        """Run a group in one transaction; returns how many events it stored."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                events = self._together(group)
            except (sqlite3.IntegrityError, _NeedsIsolation):
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                events = self._one_by_one(group)
            connection.execute("COMMIT")
            return events
        except BaseException as failure:
            # A full disk rolls the whole group back by itself, and a second "rollback" would then fail.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            unknown = OutcomeUnknown(f"The store could not commit ({failure}); nothing of this was acknowledged.")
            for work in group:
                work.outcomes = [unknown] * len(work.jobs)
            return 0

    def _together(self, group: list[_Work]) -> int:
        tx = Tx(SqliteSession(self._connection))
        for work in group:
            work.outcomes = [self._outcome(tx, job) for job in work.jobs]
        complete(tx.flush())
        return tx.events

    def _one_by_one(self, group: list[_Work]) -> int:
        events = 0
        for work in group:
            work.outcomes = []
            for job in work.jobs:
                outcome, told = self._alone(job)
                work.outcomes.append(outcome)
                events += told
        return events

    def _alone(self, job: Job[Any]) -> tuple[Any, int]:
        connection = self._connection
        for _ in range(2):
            connection.execute("SAVEPOINT job")
            tx = Tx(SqliteSession(connection))
            try:
                outcome = complete(tx.run(job))
                complete(tx.flush())
            except sqlite3.IntegrityError:
                # Another fact came first: reload and decide once more.
                outcome = Conflict("Something else with this name or number was stored a moment before.")
            except sqlite3.Error:
                raise
            except Exception as refusal:
                outcome = refusal
            else:
                connection.execute("RELEASE job")
                return outcome, tx.events
            connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            if not isinstance(outcome, Conflict):
                break
        return outcome, 0

    def _outcome(self, tx: Tx, job: Job[Any]) -> Any:
        try:
            return complete(tx.run(job))
        except sqlite3.Error:
            raise
        except Exception as refusal:
            if tx.flushed_in_job:
                raise _NeedsIsolation from refusal
            return refusal


class _NeedsIsolation(Exception):
    """A job was refused after some of it had reached the database: the group runs again, one by one."""


def _deliver(work: _Work) -> None:
    if not work.future.done():
        work.future.set_result(work.outcomes)
