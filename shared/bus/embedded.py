"""The log on one machine: a SQLite file with what Kafka has, in record batches as Kafka keeps them.

What is published together and belongs to one partition is one row, so a thousand events cost a handful of statements.
The records of compacted topics stand in rows of their own, so that they can be removed one by one.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from shared.bus import (
    BATCH,
    COMPACTED,
    PARTITIONS,
    BusError,
    LogBroken,
    Message,
    Position,
    Record,
    check_size,
    partition_of,
)  # fmt: skip
from shared.instant import now

POLL_SECONDS = 0.5
KEEP_TOMBSTONES_SECONDS = 24 * 3600
COMPACT_EVERY = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batch (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    key TEXT,
    tombstone INTEGER NOT NULL,
    at REAL NOT NULL,
    records BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS batch_place ON batch (topic, partition, first_offset);
CREATE INDEX IF NOT EXISTS batch_key ON batch (topic, key) WHERE key IS NOT NULL;
"""
_INSERT = (
    "INSERT INTO batch (topic, partition, first_offset, next_offset, key, tombstone, at, records)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_READ = "SELECT seq, topic, partition, first_offset, records FROM batch WHERE seq >= ? ORDER BY seq LIMIT ?"
_SUPERSEDED = (
    "DELETE FROM batch WHERE key IS NOT NULL AND EXISTS (SELECT 1 FROM batch AS later"
    " WHERE later.topic = batch.topic AND later.key = batch.key AND later.seq > batch.seq)"
)
# The last row of a partition stays: it says where the partition ends.
_OLD_TOMBSTONES = (
    "DELETE FROM batch WHERE tombstone AND at < ? AND EXISTS (SELECT 1 FROM batch AS later"
    " WHERE later.topic = batch.topic AND later.partition = batch.partition AND later.seq > batch.seq)"
)


class EmbeddedBus:
    """The log in a file of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[tuple[Sequence[Record], asyncio.Future[None]]] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._flushing: asyncio.Task[None] | None = None
        self._published = asyncio.Event()
        self._ends: dict[Position, int] = {}
        self._written = 0
        self._failure: str | None = None

    @property
    def healthy(self) -> str | None:
        """None if all is well, else a sentence that says what is not."""
        return self._failure

    async def start(self) -> None:
        """Open the file, compact what is compacted, and find the end of every partition."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = self._connect()
        self._connection.executescript(_SCHEMA)
        self._compact()
        self._reader = self._connect()
        ends = "SELECT topic, partition, max(next_offset) FROM batch GROUP BY topic, partition"
        self._ends = {(topic, partition): end for topic, partition, end in self._reader.execute(ends)}

    async def close(self) -> None:
        """Finish what is being written, and close."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing], timeout=5)
        self._writer.shutdown(wait=True)
        self._connection.close()
        self._reader.close()

    async def publish(self, records: Sequence[Record]) -> None:
        """Put records on the log; those of several publishers share a commit. Raises BusError."""
        if not records:
            return
        for record in records:
            check_size(record)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await future

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Batches of messages from these offsets on; raises LogBroken when an offset lies beyond the end."""
        wanted = {
            (topic, partition): start.get((topic, partition), 0) for topic in topics for partition in range(PARTITIONS)
        }
        seq = self._first_seq(wanted)
        idle = False
        while True:
            published = self._published
            batch, seq = self._read(wanted, seq)
            if batch:
                idle = False
                yield batch
                continue
            if not idle:
                idle = True
                yield []
            # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await published.wait()

    def _first_seq(self, wanted: Mapping[Position, int]) -> int:
        """The first row that holds anything of what is wanted."""
        first: list[int] = []
        for (topic, partition), offset in wanted.items():
            end = self._ends.get((topic, partition), 0)
            if offset > end:
                raise LogBroken(
                    f"{topic} partition {partition} ends at {end} but was read up to {offset}: it is not the same log"
                )
            query = "SELECT min(seq) FROM batch WHERE topic = ? AND partition = ? AND next_offset > ?"
            (found,) = self._reader.execute(query, (topic, partition, offset)).fetchone()
            if found is not None:
                first.append(found)
        (last,) = self._reader.execute("SELECT coalesce(max(seq), 0) FROM batch").fetchone()
        return min(first, default=last + 1)

    def _read(self, wanted: Mapping[Position, int], seq: int) -> tuple[list[Message], int]:
        messages: list[Message] = []
        while len(messages) < BATCH:
            rows = self._reader.execute(_READ, (seq, 20)).fetchall()
            if not rows:
                break
            for seq_of_row, topic, partition, first, records in rows:
                seq = seq_of_row + 1
                begin = wanted.get((topic, partition))
                if begin is not None:
                    messages += _decoded(topic, partition, first, begin, records)
                if len(messages) >= BATCH:
                    break
        return messages, seq

    async def _flush(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            rows, ends = self._rows_of(group)
            try:
                await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, rows)
            except sqlite3.Error as fault:
                self._failure = f"the log cannot be written: {fault}"
                for _, future in group:
                    if not future.done():
                        future.set_exception(BusError(f"The log could not be written ({fault})."))
                continue
            self._failure = None
            self._ends.update(ends)
            self._published.set()
            self._published = asyncio.Event()
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    def _rows_of(
        self, group: Sequence[tuple[Sequence[Record], asyncio.Future[None]]]
    ) -> tuple[list[tuple[Any, ...]], dict[Position, int]]:
        moment, ends = now().timestamp(), dict(self._ends)
        rows: list[tuple[Any, ...]] = []
        batches: dict[Position, list[Record]] = {}
        for records, _ in group:
            for record in records:
                place = (record.topic, partition_of(record.key))
                if record.topic in COMPACTED:
                    rows.append(_row(place, [record], ends, moment, record.key))
                else:
                    batches.setdefault(place, []).append(record)
        rows += [_row(place, records, ends, moment) for place, records in batches.items()]
        return rows, ends

    def _commit(self, rows: list[tuple[Any, ...]]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._written += len(rows)
        if self._written >= COMPACT_EVERY:
            self._written = 0
            self._compact()

    def _compact(self) -> None:
        """Keep the latest record of each key of a compacted topic, and tombstones for a day."""
        self._connection.execute(_SUPERSEDED)
        self._connection.execute(_OLD_TOMBSTONES, (now().timestamp() - KEEP_TOMBSTONES_SECONDS,))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=5000")
        return connection


def _row(
    place: Position, records: list[Record], ends: dict[Position, int], moment: float, key: str | None = None
) -> tuple[Any, ...]:
    first = ends.get(place, 0)
    ends[place] = first + len(records)
    packed = to_json(
        [
            [record.key, None if record.value is None else record.value.decode("latin-1"), record.headers]
            for record in records
        ]
    )
    tombstone = key is not None and records[0].value is None
    return (*place, first, ends[place], key, tombstone, moment, packed)


def _decoded(topic: str, partition: int, first: int, begin: int, packed: bytes) -> list[Message]:
    return [
        Message(
            Record(topic, key, None if value is None else value.encode("latin-1"), tuple(map(tuple, headers))),
            partition,
            offset,
        )
        for offset, (key, value, headers) in enumerate(from_json(packed), first)
        if offset >= begin
    ]
