"""The embedded bus: a durable log in one SQLite file, for all services of one process on one machine.

A thread of its own appends, many publishes to one durable commit; readers are handed what was just committed from
memory and go to the file only for what lies further back. Another process may read the file, never write it.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    PARTITIONS,
    TOPICS,
    BusClosed,
    BusError,
    LogEndsBefore,
    Message,
    Position,
    Record,
    TopicsMissing,
    logfile,
)

GROUP: Final = 5000  # records after which a commit no longer waits for company
TAIL: Final = 8192  # messages kept in memory for readers that are up to date
TAIL_BYTES: Final = 16 * 1024 * 1024
PATIENCE: Final = 30.0  # seconds a publish waits for its commit
COMPACT_AFTER: Final = 1000  # superseded records at most ...
COMPACT_EVERY: Final = 3600.0  # ... or seconds at most, before compaction runs

Moved = Callable[[logfile.Ends, Sequence[Message] | None], None]


class EmbeddedBus:
    """The bus of one machine."""

    def __init__(self, path: Path | str, *, topics: Sequence[str] = TOPICS) -> None:
        self.path = Path(path)
        self._names = tuple(topics)
        self._writer: Writer | None = None
        self._tail = Tail(1)
        self._ends = logfile.Ends(1, {})
        self._topics: Mapping[str, int] = {}
        self._wakes: set[asyncio.Event] = set()
        self._trouble: str | None = None

    async def start(self) -> None:
        """Open the log, compact it and be ready to append."""
        log = await asyncio.to_thread(self._open)
        self._topics = logfile.topic_ids(log)
        self._moved(logfile.ends(log), None)
        self._writer = Writer(log, self._open, self._moved)

    async def close(self) -> None:
        """Append what has been handed over, then let go of the file; readers end with BusClosed."""
        writer, self._writer = self._writer, None
        self._wake()
        if writer is not None:
            await writer.stop()

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when all records are in one durable commit."""
        if not records:
            return
        writer = self._running()
        self._refuse_missing({record.topic for record in records})
        await writer.do(records, [logfile.prepared(record, self._topics) for record in records])

    async def compact(self) -> int:
        """Compact now; the number of records removed."""
        return await self._running().do((), [])

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what is on the topics from the given offsets on, and an empty batch at the end."""
        self._running()
        self._refuse_missing(topics)
        self._refuse_beyond_end(topics, start)
        wake = asyncio.Event()
        self._wakes.add(wake)
        try:
            with closing(logfile.open_for_reading(self.path)) as log:
                reading = logfile.Reading(log, topics, start, self._ends)
                told = False
                while True:
                    if reading.place < self._ends.place:
                        if batch := await self._read(reading):
                            told = False
                            yield batch
                    elif told:
                        wake.clear()
                        await wake.wait()
                    else:
                        told = True
                        yield []
                    self._running()
        finally:
            self._wakes.discard(wake)

    @property
    def healthy(self) -> str | None:
        """None, or why nothing can be appended or read just now."""
        if self._writer is None:
            return "The log is closed."
        return self._writer.trouble or self._trouble

    def _open(self) -> sqlite3.Connection:
        return logfile.open_for_writing(self.path, self._names)

    async def _read(self, reading: logfile.Reading) -> list[Message]:
        """Read on, from memory or from the file; in trouble say so, wait, and stay where we are."""
        if reading.caught_up and self._tail.holds(reading.place):
            return self._tail.read(reading)
        await asyncio.sleep(0)  # a long backlog leaves room for everybody else on the loop
        try:
            batch = reading.read(self._ends.place, LARGEST_BATCH)
        except sqlite3.Error as error:
            self._trouble = f"The log {self.path} cannot be read: {error}."
            await asyncio.sleep(1)
            return []
        self._trouble = None
        return batch

    def _moved(self, ends: logfile.Ends, messages: Sequence[Message] | None) -> None:
        """Take notice of a commit, with the messages where they are known, and wake the readers."""
        if messages is None:
            self._tail = Tail(ends.place)
        else:
            self._tail.extend(messages)
        self._ends = ends
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    def _running(self) -> "Writer":
        """The writer, if the bus is open."""
        if self._writer is None:
            raise BusClosed(f"The log {self.path} is closed.")
        return self._writer

    def _refuse_missing(self, topics: Sequence[str] | set[str]) -> None:
        """Refuse topics the log does not have."""
        if missing := [topic for topic in topics if topic not in self._topics]:
            raise TopicsMissing(missing)

    def _refuse_beyond_end(self, topics: Sequence[str], start: Mapping[Position, int]) -> None:
        """Refuse a reader that has already seen more than there is."""
        for (topic, partition), offset in start.items():
            if topic in topics:
                end = self._ends.offsets[self._topics[topic] * PARTITIONS + partition]
                if offset > end:
                    raise LogEndsBefore((topic, partition), offset, end)


class Tail:
    """The last messages on the log, kept in memory so that readers who are up to date never touch the file."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._messages: list[Message] = []
        self._bytes = 0

    def extend(self, messages: Sequence[Message]) -> None:
        """Take in what has just been committed, and forget the older half when it grows too large."""
        self._messages.extend(messages)
        self._bytes += sum(len(message.record.value or b"") for message in messages)
        while len(self._messages) > TAIL or self._bytes > TAIL_BYTES:
            half = (len(self._messages) + 1) // 2
            self._bytes -= sum(len(message.record.value or b"") for message in self._messages[:half])
            del self._messages[:half]
            self._first += half

    def holds(self, place: int) -> bool:
        """Whether the message at this place is still remembered."""
        return place >= self._first

    def read(self, reading: logfile.Reading) -> list[Message]:
        """What a reader wants of what comes next; moves the reader on."""
        begin = reading.place - self._first
        messages = self._messages[begin : begin + LARGEST_BATCH]
        reading.place += len(messages)
        return [message for message in messages if message.record.topic in reading.topics]


@dataclass(slots=True, eq=False)
class Job:
    """Something a caller waits for: records to append or, where there are none, a compaction."""

    records: Sequence[Record]
    entries: list[logfile.Entry]
    done: asyncio.Future[int]


class Writer:
    """The one thread that writes: it groups what is waiting into one durable commit, and answers only after it."""

    def __init__(self, log: sqlite3.Connection, reopen: Callable[[], sqlite3.Connection], moved: Moved) -> None:
        self.trouble: str | None = None
        self._log: sqlite3.Connection | None = log
        self._reopen = reopen
        self._moved = moved
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._ends = logfile.ends(log)
        self._superseded = COMPACT_AFTER  # what an earlier process left is not known
        self._compacted_at = 0.0
        self._ended: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._run, name="embedded-log", daemon=True).start()

    async def do(self, records: Sequence[Record], entries: list[logfile.Entry]) -> int:
        """Wait until the records are durable, or else until the log is compacted."""
        done: asyncio.Future[int] = self._loop.create_future()
        self._jobs.put(Job(records, entries, done))
        try:
            async with asyncio.timeout(PATIENCE):
                return await done
        except TimeoutError:
            self.trouble = f"The log has not answered for {PATIENCE:.0f} s."
            raise BusError(self.trouble) from None

    async def stop(self) -> None:
        """Finish what is queued, within PATIENCE."""
        self._jobs.put(None)
        await asyncio.wait([self._ended], timeout=PATIENCE)

    def _run(self) -> None:
        """The thread: group after group until it is told to stop."""
        more = True
        while more:
            appends, compactions, more = self._next_group()
            if appends:
                self._commit(appends)
            if compactions or self._compaction_due():
                self._compact(compactions)
        if self._log is not None:
            self._log.close()
        self._on_loop(_settle, self._ended)

    def _next_group(self) -> tuple[list[Job], list[Job], bool]:
        """What waits to be appended and to be compacted, and whether there will be more."""
        appends: list[Job] = []
        compactions: list[Job] = []
        size = 0
        try:
            job = self._jobs.get(timeout=COMPACT_EVERY)
            while job is not None:
                (appends if job.entries else compactions).append(job)
                size += len(job.entries)
                if size >= GROUP:
                    return appends, compactions, True
                job = self._jobs.get_nowait()
        except Empty:
            return appends, compactions, True
        return appends, compactions, False

    def _commit(self, group: list[Job]) -> None:
        """Make a group durable and answer it; after any error all of it has failed."""
        try:
            log = self._opened()
            ends = self._ends.copy()
            log.execute("BEGIN IMMEDIATE")
            rows = logfile.rows_of([entry for job in group for entry in job.entries], ends, int(time.time()))
            logfile.append(log, rows)
            log.execute("COMMIT")
        except Exception as error:
            self._fail(group, error)
            return
        self._ends = ends
        self.trouble = None
        records = (record for job in group for record in job.records)
        messages = [Message(record, row[1] % PARTITIONS, row[2]) for record, row in zip(records, rows, strict=True)]
        self._superseded += sum(message.record.topic in COMPACTED for message in messages)
        self._on_loop(self._answer, group, ends.copy(), messages)

    def _compact(self, asked: list[Job]) -> None:
        """Compact, and tell those who asked for it."""
        try:
            removed = logfile.compact(self._opened(), int(time.time()))
        except Exception as error:
            self._fail(asked, error)
            return
        self._superseded, self._compacted_at = 0, time.monotonic()
        for job in asked:
            self._on_loop(_settle, job.done, removed)

    def _compaction_due(self) -> bool:
        """Whether enough has been superseded, or something long enough ago."""
        overdue = time.monotonic() - self._compacted_at >= COMPACT_EVERY
        return self._superseded >= COMPACT_AFTER or (overdue and self._superseded > 0)

    def _opened(self) -> sqlite3.Connection:
        """The connection; after an error a new one, and what the file then says of its end."""
        if self._log is None:
            self._log = self._reopen()
            self._ends = logfile.ends(self._log)
            # The commit that failed may have reached the file all the same: readers look there, not in memory.
            self._on_loop(self._moved, self._ends.copy(), None)
        return self._log

    def _fail(self, group: list[Job], error: Exception) -> None:
        """Fail all of a group; closing takes back whatever of it is still in a transaction."""
        # A full disk rolls a transaction back by itself, after which every further statement would commit on its own.
        self.trouble = f"The log cannot be written: {error}."
        log, self._log = self._log, None
        if log is not None:
            with suppress(sqlite3.Error):
                log.close()
        with suppress(sqlite3.Error, OSError):
            self._opened()
        for job in group:
            self._on_loop(_settle, job.done, error=BusError(self.trouble))

    def _answer(self, group: list[Job], ends: logfile.Ends, messages: list[Message]) -> None:
        """Let readers and callers know of a commit."""
        self._moved(ends, messages)
        for job in group:
            _settle(job.done, len(job.records))

    def _on_loop(self, call: Callable[..., None], *arguments: object, error: BusError | None = None) -> None:
        """Run something on the event loop, if there still is one."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(
                partial(call, *arguments, error=error) if error else partial(call, *arguments)
            )


def _settle(done: asyncio.Future[Any], result: object = None, error: BusError | None = None) -> None:
    """Answer a caller who may have gone away meanwhile."""
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
