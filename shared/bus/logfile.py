"""The embedded log's file: its tables, and how records are appended, read and compacted; no threads, no asyncio."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from shared.bus import (
    COMPACTED,
    LARGEST_RECORD,
    PARTITIONS,
    SEPARATOR,
    TOMBSTONE_DAYS,
    HeaderUnfit,
    Message,
    Position,
    Record,
    RecordTooLarge,
    partition_of,
)

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS records (
    place INTEGER PRIMARY KEY,      -- the order in which all records came, over all topics
    position INTEGER NOT NULL,      -- topic id * 4 + partition
    "offset" INTEGER NOT NULL,      -- counts from 0 within the position
    appended_at INTEGER NOT NULL,   -- seconds since 1970
    key TEXT NOT NULL,
    headers TEXT NOT NULL,          -- name, value, name, value, ... parted by the unit separator
    value BLOB                      -- NULL is a tombstone
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_offset ON records (position, "offset");
"""
COMPACT: Final = """
DELETE FROM records WHERE place IN (
    SELECT place FROM (
        SELECT place, appended_at, value IS NULL AS tombstone,
            row_number() OVER (PARTITION BY key ORDER BY "offset" DESC) AS age,
            row_number() OVER (ORDER BY "offset" DESC) AS from_end
        FROM records WHERE position = :position
    ) WHERE from_end > 1 AND (age > 1 OR tombstone AND appended_at < :before)
)
"""
# Rows per statement. Python's driver lets go of the interpreter at each step, and with a busy event loop beside it has
# to wait up to 5 ms for its return: row by row (executemany) that is 1,500 records/s, in strides 33,000.
STRIDES: Final = (512, 64, 8, 1)
SCAN: Final = 5000  # places looked through per read, so that a reader of a rare topic never holds the loop for long
BATCH_BYTES: Final = 4 * 1024 * 1024

Entry = tuple[int, str, str, bytes | None]
Row = tuple[int, int, int, int, str, str, bytes | None]


def open_for_writing(path: Path, topics: Sequence[str]) -> sqlite3.Connection:
    """The one connection that may write; it may be used on another thread than this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # What compaction removes may be personal data: it must not linger in free pages.
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.executescript(SCHEMA)
        connection.executemany("INSERT OR IGNORE INTO topics (name) VALUES (?)", [(topic,) for topic in topics])
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor check-point, so the file keeps its one writer."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)


def topic_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """The number by which each topic is known in the file."""
    return {name: number for number, name in connection.execute("SELECT id, name FROM topics")}


@dataclass(slots=True)
class Ends:
    """Where the log ends: the next place, and the next offset of each position."""

    place: int
    offsets: dict[int, int]

    def copy(self) -> "Ends":
        """The same ends, to be moved on without moving these."""
        return Ends(self.place, dict(self.offsets))


def ends(connection: sqlite3.Connection) -> Ends:
    """Where the log ends now, by what the file says."""
    (place,) = connection.execute("SELECT coalesce(max(place), 0) + 1 FROM records").fetchone()
    offsets = {}
    for topic in topic_ids(connection).values():
        for position in range(topic * PARTITIONS, (topic + 1) * PARTITIONS):
            last = connection.execute('SELECT max("offset") FROM records WHERE position = ?', (position,)).fetchone()[0]
            offsets[position] = 0 if last is None else last + 1
    return Ends(place, offsets)


def prepared(record: Record, topics: Mapping[str, int]) -> Entry:
    """What the file keeps of a record, if the log accepts it."""
    headers = SEPARATOR.join([part for header in record.headers for part in header])
    if headers.count(SEPARATOR) > max(0, 2 * len(record.headers) - 1):
        raise HeaderUnfit(record)
    size = len(record.key.encode()) + len(headers.encode()) + len(record.value or b"")
    if size > LARGEST_RECORD:
        raise RecordTooLarge(record, size)
    position = topics[record.topic] * PARTITIONS + partition_of(record.key)
    return position, record.key, headers, record.value


def rows_of(entries: Iterable[Entry], end: Ends, appended_at: int) -> list[Row]:
    """The rows that append these entries; moves the end on."""
    offsets, place = end.offsets, end.place
    rows: list[Row] = []
    for position, key, headers, value in entries:
        offset = offsets[position]
        offsets[position] = offset + 1
        rows.append((place, position, offset, appended_at, key, headers, value))
        place += 1
    end.place = place
    return rows


def append(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Put rows into the file, inside the transaction that is open."""
    done = 0
    for stride in STRIDES:
        statement = "INSERT INTO records VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * stride)
        while len(rows) - done >= stride:
            connection.execute(statement, list(chain.from_iterable(rows[done : done + stride])))
            done += stride


def unpacked(headers: str) -> tuple[tuple[str, str], ...]:
    """Headers from one text."""
    if not headers:
        return ()
    parts = iter(headers.split(SEPARATOR))
    return tuple(zip(parts, parts, strict=True))


class Reading:
    """One reader's way along the log: which positions it wants, and the place it has come to."""

    def __init__(
        self, log: sqlite3.Connection, topics: Sequence[str], start: Mapping[Position, int], end: Ends
    ) -> None:
        ids = topic_ids(log)
        self._log = log
        self._names = {ids[topic] * PARTITIONS + n: (topic, n) for topic in topics for n in range(PARTITIONS)}
        self._starts = {position: start.get(name, 0) for position, name in self._names.items()}
        # The plus keeps SQLite on the primary key: in the order of places, with no sorting.
        wanted = ", ".join(map(str, self._names))
        self._select = (
            'SELECT place, position, "offset", key, headers, value FROM records'
            f" WHERE place >= ? AND place < ? AND +position IN ({wanted}) ORDER BY place LIMIT ?"
        )
        self._opened_at = end.place
        self.topics = frozenset(topics)
        self.place = self._first_place()

    @property
    def caught_up(self) -> bool:
        """Whether every position is past its start, so that all that comes now is wanted."""
        return self.place >= self._opened_at

    def read(self, end: int, limit: int) -> list[Message]:
        """The next messages in the file before the end; moves on, past what is not wanted too."""
        stop = min(end, self.place + SCAN)
        messages: list[Message] = []
        size = 0
        rows = self._log.execute(self._select, (self.place, stop, limit))
        for count, (place, position, offset, key, headers, value) in enumerate(rows, 1):
            if offset >= self._starts[position]:
                topic, partition = self._names[position]
                messages.append(Message(Record(topic, key, value, unpacked(headers)), partition, offset))
                size += len(value or b"")
            if count == limit or size > BATCH_BYTES:
                stop = place + 1
                break
        self.place = stop
        return messages

    def _first_place(self) -> int:
        """The place from which on everything wanted lies."""
        found = [self._opened_at]
        for position, offset in self._starts.items():
            row = self._log.execute(
                'SELECT place FROM records WHERE position = ? AND "offset" >= ? ORDER BY "offset" LIMIT 1',
                (position, offset),
            ).fetchone()
            if row is not None:
                found.append(row[0])
        return min(found)


def compact(connection: sqlite3.Connection, now: int) -> int:
    """Keep only the latest record of each key on the compacted topics, and no tombstone that has been told long enough.

    The last record of a position always stays, for the next offset is read from it.
    """
    forgotten_before = now - TOMBSTONE_DAYS * 86_400
    topics = topic_ids(connection)
    removed = 0
    for topic in COMPACTED & topics.keys():
        for position in range(topics[topic] * PARTITIONS, (topics[topic] + 1) * PARTITIONS):
            removed += connection.execute(COMPACT, {"position": position, "before": forgotten_before}).rowcount
    if removed:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return removed
