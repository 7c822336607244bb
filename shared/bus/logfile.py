"""The embedded log's file: how records are appended, read and compacted. Neither threads nor asyncio are known here.

What is appended together and belongs to one partition is one row, as Kafka keeps batches, for rows are what SQLite
charges for. Records of compacted topics stand in rows of their own, so that they can be removed one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    LARGEST_RECORD,
    PARTITIONS,
    TOMBSTONE_DAYS,
    Message,
    Position,
    Record,
    partition_of,
    refuse_unfit,
)
from shared.peek import peek

BATCH_RECORDS: Final = LARGEST_BATCH // 2
BATCH_BYTES: Final = LARGEST_RECORD
READ_BYTES: Final = 4 * LARGEST_RECORD
SCAN: Final = 2000  # rows looked through at once, so that a reader of a rare topic never holds the event loop for long

# Rows per statement. Python's driver lets go of the interpreter at each step and, while the event loop is busy, waits
# up to 5 ms for its return: row by row 1,500 rows/s came through, in strides of 512 33,000.
STRIDES: Final = (512, 64, 8, 1)
SUBJECTS: Final = 500  # compacted per statement
BUSY_MS: Final = 10_000

_RECORD, _UNIT = "\x1e", "\x1f"
_TOMBSTONE = "-"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    place INTEGER PRIMARY KEY,      -- the order in which everything came, over all topics
    topic TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,      -- of the first record
    records INTEGER NOT NULL,
    key TEXT,                       -- on compacted topics only, where a batch is one record
    appended_at INTEGER NOT NULL,   -- seconds since 1970
    heads TEXT NOT NULL,            -- of each record: key, size of the body, names and values of the headers
    bodies BLOB                     -- one behind the other; NULL if all are tombstones
);
CREATE UNIQUE INDEX IF NOT EXISTS batches_by_offset ON batches (topic, "partition", "offset");
CREATE INDEX IF NOT EXISTS batches_by_key ON batches (topic, key, "offset") WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS tombstones ON batches (appended_at) WHERE key IS NOT NULL AND bodies IS NULL;
"""
_APPEND = "INSERT INTO batches VALUES "
_END = 'SELECT "offset" + records FROM batches WHERE topic = ? AND "partition" = ? ORDER BY "offset" DESC LIMIT 1'
_PLACE = (
    'SELECT place FROM batches WHERE topic = :topic AND "partition" = :partition AND "offset" > :offset - :most'
    ' AND "offset" + records > :offset ORDER BY "offset" LIMIT 1'
)
# The plus keeps SQLite on the primary key: in the order of places, with no sorting.
_READ = (
    'SELECT place, topic, "partition", "offset", records, heads, bodies FROM batches'
    " WHERE place >= ? AND place < ? AND +topic IN ({topics}) ORDER BY place"
)
_NEXT_PLACE = "SELECT coalesce(max(place), 0) + 1 FROM batches"
_LAST = "SELECT appended_at FROM batches ORDER BY place DESC LIMIT 1"
_SUPERSEDED = """
DELETE FROM batches WHERE place IN (
    SELECT place FROM batches AS old WHERE key IS NOT NULL AND EXISTS (
        SELECT 1 FROM batches WHERE topic = old.topic AND key = old.key AND "offset" > old."offset"
    )
)
"""
# The same, looked for only where something has come: everything would hold the writer for 3 s per million keys.
_SUPERSEDED_OF = """
DELETE FROM batches WHERE place IN (
    SELECT place FROM (VALUES {subjects}) JOIN batches ON topic = column1 AND key = column2
    WHERE "offset" < (SELECT max("offset") FROM batches WHERE topic = column1 AND key = column2)
)
"""
# The last record of a partition always stays: the next offset is read from it.
_TOLD = """
DELETE FROM batches WHERE place IN (
    SELECT place FROM batches AS old WHERE key IS NOT NULL AND bodies IS NULL AND appended_at < ? AND EXISTS (
        SELECT 1 FROM batches WHERE topic = old.topic AND "partition" = old."partition" AND "offset" > old."offset"
    )
)
"""

Row = tuple[int, str, int, int, int, str | None, int, str, bytes | None]


@dataclass(slots=True)
class Ends:
    """Where the log ends: the next place, and the next offset of each position."""

    place: int
    offsets: dict[Position, int]


@dataclass(slots=True)
class Batch:
    """Messages of one position that stand in one row."""

    topic: str
    messages: list[Message] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        """Whether the next record belongs into another row."""
        return self.topic in COMPACTED or len(self.messages) >= BATCH_RECORDS or self.size >= BATCH_BYTES

    def row(self, place: int, appended_at: int) -> Row:
        """The row that holds it."""
        first = self.messages[0]
        key = first.record.key if self.topic in COMPACTED else None
        values = [message.record.value for message in self.messages if message.record.value is not None]
        bodies = b"".join(values) if values else None
        heads = _RECORD.join(self.heads)
        return place, self.topic, first.partition, first.offset, len(self.messages), key, appended_at, heads, bodies


def head_of(record: Record) -> str:
    """What of a record stands beside its body. Raises RecordRefused."""
    value = record.value
    parts = [record.key, _TOMBSTONE if value is None else str(len(value))]
    for header in record.headers:
        parts += header
    head = _UNIT.join(parts)
    # Only what could be unfit is looked at closely.
    parted_well = head.count(_UNIT) == 2 * len(record.headers) + 1 and _RECORD not in head
    if not parted_well or not head.isascii() or len(value or b"") + len(head) > LARGEST_RECORD:
        refuse_unfit(record)
    return head


def batched(records: Iterable[Record], heads: Iterable[str], ends: Ends) -> list[Batch]:
    """Records in the batches by which they are appended; moves the ends on."""
    batches: list[Batch] = []
    latest: dict[Position, Batch] = {}
    for record, head in zip(records, heads, strict=True):
        partition = partition_of(record.key)
        position = (record.topic, partition)
        batch = latest.get(position)
        if batch is None or batch.full:
            batch = latest[position] = Batch(record.topic)
            batches.append(batch)
        offset = ends.offsets[position]
        ends.offsets[position] = offset + 1
        batch.messages.append(Message(record, partition, offset))
        batch.heads.append(head)
        batch.size += len(record.value or b"")
    ends.place += len(batches)
    return batches


class LogFile:
    """The one connection that writes."""

    def __init__(self, path: Path, topics: Sequence[str]) -> None:
        self._path = path
        self._topics = topics
        self._log: sqlite3.Connection | None = None
        self._renewed: set[tuple[str, str]] | None = None  # topics and keys to compact; None: all

    def open(self) -> Ends:
        """Open the file, making it if need be, and say where it ends."""
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._log = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        self._log.execute("PRAGMA page_size=8192")  # batches are read a fifth faster than with SQLite's 4096
        self._log.execute("PRAGMA journal_mode=WAL")
        self._log.execute("PRAGMA synchronous=FULL")
        # What compaction removes may be personal data: it must not linger in free pages.
        self._log.execute("PRAGMA secure_delete=ON")
        self._log.execute("PRAGMA wal_autocheckpoint=4000")
        self._log.executescript(_SCHEMA)
        return self._ends(self._log)

    def append(self, rows: Sequence[Row]) -> None:
        """Append all rows in one durable commit, or none of them."""
        log = self._opened()
        if self._renewed is not None:
            self._renewed.update((row[1], row[5]) for row in rows if row[5] is not None)
        try:
            log.execute("BEGIN IMMEDIATE")
            done = 0
            for stride in STRIDES:
                statement = _APPEND + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * stride)
                while len(rows) - done >= stride:
                    log.execute(statement, list(chain.from_iterable(rows[done : done + stride])))
                    done += stride
            log.execute("COMMIT")
        except BaseException:
            # A full disk ends a transaction by itself, after which every statement would commit on its own: nothing
            # more is executed here. Closing takes back whatever of a transaction there still is.
            self.close()
            raise

    def compact(self, now: int) -> int:
        """Leave the latest record of each key on the compacted topics, and no tombstone that has been told for long."""
        log = self._opened()
        removed: int = log.execute(_TOLD, (now - TOMBSTONE_DAYS * 86_400,)).rowcount
        if self._renewed is None:
            removed += log.execute(_SUPERSEDED).rowcount
        else:
            subjects = list(self._renewed)
            for first in range(0, len(subjects), SUBJECTS):
                some = subjects[first : first + SUBJECTS]
                statement = _SUPERSEDED_OF.format(subjects=", ".join(["(?, ?)"] * len(some)))
                removed += log.execute(statement, list(chain.from_iterable(some))).rowcount
        self._renewed = set()
        if removed:
            self._empty_wal(log)
        return removed

    def close(self) -> None:
        """Let go of the file."""
        log, self._log = self._log, None
        if log is not None:
            with suppress(sqlite3.Error):
                log.close()

    def _empty_wal(self, log: sqlite3.Connection) -> None:
        """Bring what has been removed out of the write-ahead log too, unless a reader from elsewhere is in the way."""
        log.execute("PRAGMA busy_timeout=100")
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        log.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    def _opened(self) -> sqlite3.Connection:
        if self._log is None:
            raise sqlite3.ProgrammingError("the log is not open")
        return self._log

    def _ends(self, log: sqlite3.Connection) -> Ends:
        (place,) = log.execute(_NEXT_PLACE).fetchone()
        positions = [(topic, partition) for topic in self._topics for partition in range(PARTITIONS)]
        found = {position: log.execute(_END, position).fetchone() for position in positions}
        return Ends(place, {position: row[0] if row else 0 for position, row in found.items()})


class Reading:
    """One reader's way along the log: what it wants, and the place it has come to."""

    def __init__(
        self,
        path: Path,
        topics: Sequence[str],
        start: Mapping[Position, int],
        end: int,
        *,
        log: sqlite3.Connection | None = None,
    ) -> None:
        # It can neither write nor check-point, so the file keeps its one writer.
        self._log = log or sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_MS / 1000
        )
        self._starts = {(topic, n): start.get((topic, n), 0) for topic in topics for n in range(PARTITIONS)}
        self._select = _READ.format(topics=", ".join("?" * len(topics)))
        self._opened_at = end
        self.topics = tuple(topics)
        self.place = self._first_place()

    @property
    def caught_up(self) -> bool:
        """Whether every position is past its start, so that all that comes now is wanted."""
        return self.place >= self._opened_at

    def read(self, end: int) -> list[Message]:
        """The next messages in the file before the end; moves on, past what is not wanted too."""
        stop = min(end, self.place + SCAN)
        messages: list[Message] = []
        size = 0
        with closing(self._log.execute(self._select, (self.place, stop, *self.topics))) as rows:
            for place, topic, partition, offset, records, heads, bodies in rows:
                size += len(bodies or b"")
                if messages and (len(messages) + records > LARGEST_BATCH or size > READ_BYTES):
                    stop = place
                    break
                start = self._starts[topic, partition]
                found = _unpacked(topic, partition, offset, heads, bodies or b"")
                messages += found if offset >= start else [each for each in found if each.offset >= start]
        self.place = stop
        return messages

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def _first_place(self) -> int:
        """The place from which on everything wanted lies."""
        found = [self._opened_at]
        for (topic, partition), offset in self._starts.items():
            sought = {"topic": topic, "partition": partition, "offset": offset, "most": BATCH_RECORDS}
            found += [place for (place,) in self._log.execute(_PLACE, sought)]
        return min(found)


def appended_last(path: Path) -> int | None:
    """When something was last appended, in seconds since 1970, read beside whoever writes. Raises sqlite3.Error."""
    with closing(peek(path)) as log:
        found = log.execute(_LAST).fetchone()
    return found[0] if found else None


def end_of(path: Path) -> int:
    """The next place of a log, read beside whoever writes. Raises sqlite3.Error."""
    with closing(peek(path)) as log:
        place: int = log.execute(_NEXT_PLACE).fetchone()[0]
    return place


def _unpacked(topic: str, partition: int, offset: int, heads: str, bodies: bytes) -> list[Message]:
    messages: list[Message] = []
    at = 0
    for offset_of_this, head in enumerate(heads.split(_RECORD), offset):
        key, size, *headers = head.split(_UNIT)
        value: bytes | None = None
        if size != _TOMBSTONE:
            value = bodies[at : at + int(size)]
            at += int(size)
        names_and_values = tuple(zip(headers[::2], headers[1::2], strict=False))
        messages.append(Message(Record(topic, key, value, names_and_values), partition, offset_of_this))
    return messages
