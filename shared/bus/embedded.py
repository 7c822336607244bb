"""The embedded bus: a durable log in one SQLite file, for all services of one process on one machine.

A thread of its own appends, and what is published meanwhile shares the next durable commit. Readers are handed what was
just committed from memory and go to the file only for what lies further back. Another process may read the file, never
write it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    TOPICS,
    BusClosed,
    BusError,
    LogEndsBefore,
    Message,
    Position,
    Record,
    TopicsMissing,
)
from shared.bus.logfile import Batch, Ends, LogFile, Reading, batched, head_of
from shared.instant import now

GROUP: Final = 2000  # records in one commit, more or less: putting them together holds the event loop
TAIL_BATCHES: Final = 2048  # batches kept in memory for readers that are up to date ...
TAIL_BYTES: Final = 16 * 1024 * 1024  # ... as long as they are not larger than this
PATIENCE: Final = 20.0  # seconds a publish waits for the file, and a close for the publishes
CLOSE_SECONDS: Final = 3.0
COMPACT_AFTER: Final = 1000  # records that may have superseded others, at most ...
COMPACT_EVERY: Final = 3600.0  # ... or seconds, until compaction runs

Result = TypeVar("Result")


class EmbeddedBus:
    """The bus of one machine."""

    def __init__(self, path: Path | str, *, topics: Sequence[str] = TOPICS) -> None:
        self.path = Path(path)
        self._topics = frozenset(topics)
        self._front = Front()
        self._writer: Writer | None = None
        self._unreadable: str | None = None

    @property
    def healthy(self) -> str | None:
        """None, or why nothing can be appended or read just now."""
        if self._writer is None:
            return f"The log {self.path} is closed."
        return self._writer.trouble or self._unreadable

    async def start(self) -> None:
        """Open the log and compact it."""
        writer = Writer(LogFile(self.path, sorted(self._topics)), self._front)
        try:
            await writer.open()
            await writer.compact()
        except (sqlite3.Error, OSError) as error:
            await writer.close()
            raise BusError(f"The log {self.path} cannot be opened: {error}.") from error
        self._writer = writer

    async def close(self) -> None:
        """Finish what has been handed over and let go of the file; readers end with BusClosed."""
        writer, self._writer = self._writer, None
        self._front.wake()
        if writer is not None:
            await writer.close()

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when all records are in one durable commit."""
        writer = self._running()
        self._refuse_missing(record.topic for record in records)
        if records:
            await writer.append(records, [head_of(record) for record in records])

    async def compact(self) -> int:
        """Compact now; the number of records removed."""
        try:
            return await self._running().compact()
        except sqlite3.Error as error:
            raise BusError(f"The log {self.path} cannot be compacted: {error}.") from error

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what is on the topics from the given offsets on, and an empty batch at the end."""
        self._refuse_missing(topics)
        self._refuse_beyond_end(topics, start)
        with closing(Reading(self.path, topics, start, self._front.end)) as reading:
            told = False
            while True:
                more = self._front.more
                if reading.place < self._front.end:
                    if batch := await self._read(reading):
                        told = False
                        yield batch
                elif told:
                    await more.wait()
                else:
                    told = True
                    yield []
                self._running()

    async def _read(self, reading: Reading) -> list[Message]:
        """Read on, from memory or from the file; in trouble say so, wait, and stay where we are."""
        if reading.caught_up and self._front.holds(reading.place):
            return self._front.read(reading)
        await asyncio.sleep(0)  # a long backlog leaves room for everybody else on the loop
        try:
            batch = reading.read(self._front.end)
        except sqlite3.Error as error:
            self._unreadable = f"The log {self.path} cannot be read: {error}."
            await asyncio.sleep(1)
            return []
        self._unreadable = None
        return batch

    def _running(self) -> Writer:
        """The writer, if the bus is open."""
        if self._writer is None:
            raise BusClosed(f"The log {self.path} is closed.")
        return self._writer

    def _refuse_missing(self, topics: Iterable[str]) -> None:
        """Refuse topics the log does not have."""
        if missing := set(topics) - self._topics:
            raise TopicsMissing(missing, f"The log {self.path}")

    def _refuse_beyond_end(self, topics: Sequence[str], start: Mapping[Position, int]) -> None:
        """Refuse a reader that has already seen more than there is."""
        ends = self._running().ends
        for position, offset in start.items():
            if position[0] in topics and ends is not None and offset > ends.offsets[position]:
                raise LogEndsBefore(position, offset, ends.offsets[position])


class Front:
    """The end of the log as readers see it: where it is, the last batches before it, and word when it moves on."""

    def __init__(self) -> None:
        self.end = 1  # the place before which everything is committed
        self.more = asyncio.Event()  # set once, when there is more than there was when it was looked at
        self._first = 1
        self._batches: list[Batch] = []
        self._size = 0

    def begin(self, place: int) -> None:
        """Begin anew at what the file says of its end."""
        self._first = self.end = place
        self._batches, self._size = [], 0
        self.wake()

    def extend(self, batches: Sequence[Batch]) -> None:
        """Take in what has just been committed, and forget the older half when it grows too large."""
        self._batches += batches
        self._size += sum(batch.size for batch in batches)
        self.end += len(batches)
        while len(self._batches) > TAIL_BATCHES or self._size > TAIL_BYTES:
            half = (len(self._batches) + 1) // 2
            self._size -= sum(batch.size for batch in self._batches[:half])
            del self._batches[:half]
            self._first += half
        self.wake()

    def wake(self) -> None:
        """Let readers look again."""
        self.more.set()
        self.more = asyncio.Event()

    def holds(self, place: int) -> bool:
        """Whether what stands at this place is still in memory."""
        return place >= self._first

    def read(self, reading: Reading) -> list[Message]:
        """What a reader wants of what comes next; moves the reader on."""
        messages: list[Message] = []
        while reading.place < self.end:
            batch = self._batches[reading.place - self._first]
            if batch.topic in reading.topics:
                if messages and len(messages) + len(batch.messages) > LARGEST_BATCH:
                    break
                messages += batch.messages
            reading.place += 1
        return messages


@dataclass(slots=True, eq=False)
class Parcel:
    """What one caller publishes."""

    records: Sequence[Record]
    heads: list[str]
    done: asyncio.Future[None]

    def settle(self, error: BusError | None = None) -> None:
        """Answer the caller, who may have gone away meanwhile."""
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class Writer:
    """Puts together what is waiting, has it committed on the one thread that writes, and answers only then."""

    def __init__(self, file: LogFile, front: Front) -> None:
        self.ends: Ends | None = None  # None while only the file knows
        self.trouble: str | None = None
        self._file = file
        self._front = front
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._waiting: list[Parcel] = []
        self._busy = self._closed = False
        self._idle = asyncio.Event()
        self._superseded = 0
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Open the file and learn where it ends."""
        self._begin(await self._loop.run_in_executor(self._thread, self._file.open))

    async def append(self, records: Sequence[Record], heads: list[str]) -> None:
        """Wait until the records are durable, but not beyond PATIENCE."""
        parcel = Parcel(records, heads, self._loop.create_future())
        self._waiting.append(parcel)
        if not self._busy:
            # Not at once: who else publishes in this turn of the loop shares the commit.
            self._busy = True
            self._loop.call_soon(self._next)
        await parcel.done

    async def compact(self) -> int:
        """Compact the log."""
        return await asyncio.wrap_future(self._compaction())

    async def close(self) -> None:
        """Commit what waits and let go of the file, within PATIENCE."""
        if self._timer is not None:
            self._timer.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._busy:
                    self._idle.clear()
                    await self._idle.wait()
        self._closed = True
        self._settle_waiting(BusClosed("The log has been closed."))
        closing = self._loop.run_in_executor(self._thread, self._file.close)
        self._thread.shutdown(wait=False)
        await asyncio.wait({closing}, timeout=CLOSE_SECONDS)

    def _next(self) -> None:
        """Begin the next commit, if anything waits; after a failed one, first learn from the file where it ends."""
        self._busy = not self._closed and (bool(self._waiting) or self.ends is None)
        if not self._busy:
            self._idle.set()
        elif self.ends is None:
            self._watch = self._loop.call_later(PATIENCE, self._give_up, [])
            self._on_thread(self._thread.submit(self._file.open), self._reopened)
        else:
            self._begin_commit(self._group(), self.ends)

    def _group(self) -> list[Parcel]:
        """The parcels that go together."""
        count = size = 0
        while count < len(self._waiting) and size < GROUP:
            size += len(self._waiting[count].records)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _begin_commit(self, group: list[Parcel], ends: Ends) -> None:
        """Give a group to the thread."""
        try:
            records = chain.from_iterable(parcel.records for parcel in group)
            heads = chain.from_iterable(parcel.heads for parcel in group)
            batches = batched(records, heads, ends)
            appended_at = int(now().timestamp())
            rows = [batch.row(place, appended_at) for place, batch in enumerate(batches, self._front.end)]
        except Exception as error:
            self._failed(group, error)
        else:
            self._watch = self._loop.call_later(PATIENCE, self._give_up, group)
            self._on_thread(self._thread.submit(self._file.append, rows), partial(self._committed, group, batches))

    def _committed(self, group: list[Parcel], batches: list[Batch], commit: Future[None]) -> None:
        """Tell readers and callers how a commit went."""
        self._watch.cancel()
        if error := commit.exception():
            self._failed(group, error)
            return
        self.trouble = None
        self._front.extend(batches)
        for parcel in group:
            parcel.settle()
        self._superseded += sum(batch.topic in COMPACTED for batch in batches)
        if self._superseded >= COMPACT_AFTER:
            self._compact_if_worthwhile()
        self._loop.call_soon(self._next)  # those just answered may share the next commit

    def _give_up(self, group: list[Parcel]) -> None:
        """Let nobody wait any longer for a file that does not answer; what was to be written may still be."""
        self.trouble = f"The log has not answered for {PATIENCE:.0f} s."
        for parcel in group:
            parcel.settle(BusError(self.trouble))
        self._settle_waiting(BusError(self.trouble))
        self._watch = self._loop.call_later(PATIENCE, self._give_up, [])

    def _failed(self, group: list[Parcel], error: BaseException) -> None:
        """Fail all of a group: whether it reached the file, only the file knows."""
        self.ends = None
        self.trouble = f"The log cannot be written: {error}."
        for parcel in group:
            parcel.settle(BusError(self.trouble))
        self._next()

    def _reopened(self, opening: Future[Ends]) -> None:
        """Go on from where the file says it ends; while it cannot be opened, nobody waits."""
        self._watch.cancel()
        if error := opening.exception():
            self.trouble = f"The log cannot be opened: {error}."
            self._settle_waiting(BusError(self.trouble))
            self._busy = False
            self._idle.set()
            return
        self._begin(opening.result())
        self._next()

    def _settle_waiting(self, error: BusError) -> None:
        """Tell those whose turn has not come that it will not."""
        waiting, self._waiting = self._waiting, []
        for parcel in waiting:
            parcel.settle(error)

    def _begin(self, ends: Ends) -> None:
        self.ends = ends
        self._front.begin(ends.place)

    def _compact_if_worthwhile(self) -> None:
        """Compact if anything may have been superseded, and look again after a while."""
        if self._superseded:
            self._on_thread(self._compaction(), self._compacted)
        else:
            self._look_again()

    def _compaction(self) -> Future[int]:
        """Have the thread compact between two commits."""
        self._superseded = 0
        self._look_again()
        return self._thread.submit(self._file.compact, int(now().timestamp()))

    def _compacted(self, compaction: Future[int]) -> None:
        if error := compaction.exception():
            self.trouble = f"The log cannot be compacted: {error}."

    def _look_again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(COMPACT_EVERY, self._compact_if_worthwhile)

    def _on_thread(self, future: Future[Result], done: Callable[[Future[Result]], None]) -> None:
        """Go on, on the event loop, when the thread is done."""
        future.add_done_callback(partial(self._back_on_loop, done))

    def _back_on_loop(self, done: Callable[[Future[Result]], None], future: Future[Result]) -> None:
        with suppress(RuntimeError):  # the loop is closed, nobody waits
            self._loop.call_soon_threadsafe(done, future)
