"""The store on one machine: a SQLite file with one writer thread that groups requests into one durable commit."""

from __future__ import annotations

import asyncio
import fcntl
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import structlog

from shared.errors import Conflict, Invalid, OutcomeUnknown, Overloaded
from shared.failpoints import point
from shared.store.entity import Row
from shared.store.sql import SQLITE, Statement, Values, making
from shared.store.tx import Job, Record, Session, Snapshot, Tx
from shared.tasks import completed

T = TypeVar("T")
log = structlog.get_logger(__name__)
MAX_GROUP = 256
MAX_QUEUE = 20_000
DEADLINE = 25.0
# Values that SQLite cannot take: the sender's fault, not the store's.
_UNSTORABLE = (OverflowError, UnicodeEncodeError, sqlite3.DataError)
# The file or the disk under it is to blame: nothing of the group can be stored, and no statement may follow.
_DISK = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB,
})  # fmt: skip


class SqliteSession:
    """A connection to the file, used by one thread."""

    dialect = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    async def fetch(self, statement: Statement, values: Values) -> Sequence[Record]:
        """Run a query."""
        try:
            return self.connection.execute(statement.text, values).fetchall()
        except _UNSTORABLE as fault:
            raise Invalid(f"This cannot be stored or looked for: {fault}.") from fault

    async def execute(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement once for each of the rows."""
        try:
            self.connection.executemany(statement.text, rows)
        except _UNSTORABLE as fault:
            raise Invalid(f"This cannot be stored: {fault}.") from fault


def complete(work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
    """Run a coroutine that waits for nothing but this store, which on SQLite never suspends."""
    coroutine = cast("Coroutine[Any, Any, T]", work)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    coroutine.close()
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


class _Errand:
    """What the writer does by itself, outside of any group."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run
        self.future: Future[Any] = Future()

    def do(self) -> None:
        """Run it, unless nobody waits for it any more, and keep what comes of it."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.run())
        except BaseException as failure:
            self.future.set_exception(failure)


class SqliteStore:
    """One service's file. Reads run beside the writer, each on a snapshot of its own."""

    dialect = SQLITE

    def __init__(self, path: Path, *, readers: int = 4) -> None:
        self.path = path
        self._path_beside = path.with_name(f"{path.stem}.beside.db")
        self.committed: Callable[[], None] = lambda: None
        self.group_sizes: Callable[[int], None] = lambda size: None
        self._queue: queue.SimpleQueue[_Work | _Errand | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_for_ever, name=f"writer-{path.stem}", daemon=True)
        self._pool = ThreadPoolExecutor(readers, thread_name_prefix=f"reader-{path.stem}")
        self._readers = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._one_beside = asyncio.Lock()
        self._waiting = 0

    async def start(self) -> None:
        """Open the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self._claim()
        self._connection = connect(self.path)
        if self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lease'").fetchone():
            # Nobody else has the file: what a process that died had leased is free.
            self._connection.execute("DELETE FROM lease")
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
        self._lock.close()

    def _claim(self) -> IO[bytes]:
        """The right to be the only process that has this file; it ends with the process, however that ends."""
        lock = self.path.with_suffix(".lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise StoreInUse(f"{self.path} is in use by another process; a data folder serves one at a time.") from None
        return lock

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
        if self._waiting >= MAX_QUEUE:
            raise Overloaded("More writes are waiting than can be stored in time; try again in a second.")
        loop = asyncio.get_running_loop()
        work = _Work(jobs, loop)
        self._waiting += len(jobs)
        self._queue.put(work)
        alarm = loop.call_later(DEADLINE, _give_up, work)
        try:
            return await work.future
        finally:
            alarm.cancel()

    async def read(self, query: Callable[[Snapshot], Awaitable[T]]) -> T:
        """Answer a query from one snapshot."""
        if self._closed:
            raise Overloaded("This service is stopping; ask again.")
        busy: list[sqlite3.Connection] = []
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(DEADLINE, _interrupt, busy)
        try:
            return await loop.run_in_executor(self._pool, self._read, query, busy)
        except sqlite3.OperationalError as failure:
            if not _is_of_the_disk(failure):
                raise
            raise Overloaded(f"The store cannot be read now ({failure}); ask again.") from failure
        finally:
            alarm.cancel()

    async def lacks_room(self) -> str | None:
        """None: what a file says of its disk is said to each writer, and room is a matter of this machine."""
        return None

    @asynccontextmanager
    async def beside(self, models: Sequence[type[Row]]) -> AsyncIterator[SqliteStore]:
        """A second file with these tables, empty; it goes when the context ends."""
        async with self._one_beside, self._made_beside(models) as second:
            yield second

    @asynccontextmanager
    async def _made_beside(self, models: Sequence[type[Row]]) -> AsyncIterator[SqliteStore]:
        self._remove_beside()
        connection = connect(self._path_beside)
        for words in making(models, SQLITE):
            connection.execute(words)
        connection.close()
        second = SqliteStore(self._path_beside, readers=1)
        await second.start()
        try:
            yield second
        finally:
            try:
                await completed(second.close())
            finally:
                self._remove_beside()

    def _remove_beside(self) -> None:
        for suffix in (".db", ".db-wal", ".db-shm", ".lock"):
            self._path_beside.with_suffix(suffix).unlink(missing_ok=True)

    async def adopt(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run work in one transaction that also sees the second file, as `beside`."""
        errand = _Errand(partial(self._adopt, work))
        self._queue.put(errand)
        return cast(T, await asyncio.wrap_future(errand.future))

    def _adopt(self, work: Callable[[Session], Awaitable[T]]) -> T:
        connection = self._connection
        # Attached inside the transaction, or that would lock the second file too.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ATTACH ? AS beside", (str(self._path_beside),))
        try:
            outcome = complete(work(SqliteSession(connection)))
            connection.execute("COMMIT")
            return outcome
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("DETACH beside")

    def _read(self, query: Callable[[Snapshot], Awaitable[T]], busy: list[sqlite3.Connection]) -> T:
        connection = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = connect(self.path, read_only=True)
            self._open.append(connection)
        connection.execute("BEGIN")
        busy.append(connection)
        try:
            return complete(query(Snapshot(SqliteSession(connection))))
        finally:
            busy.clear()
            if connection.in_transaction:
                connection.execute("COMMIT")

    def _write_for_ever(self) -> None:
        while (group := self._next_group()) is not None:
            if isinstance(group, _Errand):
                group.do()
                continue
            events = self._commit(group)
            # One call for all: each would wake the loop, and wait for the interpreter lock to do so.
            group[0].loop.call_soon_threadsafe(self._deliver, group, events)

    def _next_group(self) -> list[_Work] | _Errand | None:
        first = self._queue.get()
        if first is None or isinstance(first, _Errand):
            return first
        group, size = [first], len(first.jobs)
        while size < MAX_GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None or isinstance(following, _Errand):
                self._queue.put(following)
                break
            group.append(following)
            size += len(following.jobs)
        self.group_sizes(size)
        return group

    def _commit(self, group: list[_Work]) -> int:
        """Run a group in one transaction; returns how many events it stored."""
        connection = self._connection
        committing = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                events = self._together(group)
            except Exception as failure:
                if _is_of_the_disk(failure):
                    raise
                # One job's fault must not become the fault of the others.
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                events = self._one_by_one(group)
            committing = True
            connection.execute("COMMIT")
            point("store.committed")
            return events
        except BaseException as failure:
            # A full disk rolls the whole group back by itself, and a second "rollback" would then fail.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for work in group:
                work.outcomes = [_unstored(failure, committing)] * len(work.jobs)
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
        outcome: Any = None
        for _ in range(2):
            connection.execute("SAVEPOINT job")
            tx = Tx(SqliteSession(connection))
            try:
                outcome = complete(tx.run(job))
                complete(tx.flush())
                connection.execute("RELEASE job")
                return outcome, tx.events
            except Exception as refusal:
                if _is_of_the_disk(refusal):
                    raise
                outcome = refusal
            connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            if not isinstance(outcome, sqlite3.IntegrityError):
                return outcome, 0
            # Another fact came first: reload and decide once more.
        conflict = Conflict("Something else with this name or number was stored a moment before.")
        conflict.__cause__ = outcome
        return conflict, 0

    def _outcome(self, tx: Tx, job: Job[Any]) -> Any:
        try:
            return complete(tx.run(job))
        except sqlite3.Error:
            raise
        except Exception as refusal:
            if tx.flushed_in_job:
                raise _NeedsIsolation from refusal
            return refusal

    def _deliver(self, group: list[_Work], events: int) -> None:
        for work in group:
            self._waiting -= len(work.jobs)
            if not work.future.done():
                work.future.set_result(work.outcomes)
        if events:
            self.committed()


class StoreInUse(Exception):
    """Another process has this store's file."""


class _NeedsIsolation(Exception):
    """A job was refused after some of it had reached the database: the group runs again, one by one."""


def _is_of_the_disk(failure: BaseException) -> bool:
    return isinstance(failure, sqlite3.Error) and getattr(failure, "sqlite_errorcode", 0) & 0xFF in _DISK


def _unstored(failure: BaseException, committing: bool) -> Exception:
    """The problem of a group that could not be stored; after a failed commit only a full disk is a sure no."""
    log.error("store_failed", reason=str(failure), committing=committing)
    if committing and getattr(failure, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_FULL:
        return OutcomeUnknown(f"The store could not commit ({failure}); whether this was stored is not known.")
    return Overloaded(f"The store cannot take anything now ({failure}); nothing of this was stored.")


def _interrupt(busy: Sequence[sqlite3.Connection]) -> None:
    for connection in busy:
        connection.interrupt()


def _give_up(work: _Work) -> None:
    if not work.future.done():
        late = f"The store did not answer within {DEADLINE:g} s; whether this was stored is not known."
        work.future.set_exception(OutcomeUnknown(late))
