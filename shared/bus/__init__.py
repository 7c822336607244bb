"""The bus port: how records get onto the log and come off it again, whatever engine keeps the log.

It knows topics, keys and offsets and nothing of events: what a record means is said in `shared.events`. The engines
stand beside it: `shared.bus.embedded` for one machine, `shared.bus.kafka` beyond one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

PARTITIONS: Final = 4  # fixed for a topic's life: another number would send a subject's next event to another partition
PEOPLE: Final = "concert.people"
TOPICS: Final = ("concert.teams", "concert.targets", "concert.meetings", "concert.metrics", PEOPLE)
COMPACTED: Final = frozenset({PEOPLE})  # here the log keeps only the latest record of each key
TOMBSTONE_DAYS: Final = 30  # how long a reader may be away and still learn from the compacted topic that a key has gone
LARGEST_RECORD: Final = 1024 * 1024  # bytes of key, value and headers together
LARGEST_BATCH: Final = 1000  # messages a reader gets at once


def partition_of(key: str) -> int:
    """The partition a key lives on, the same on every engine and for ever."""
    return zlib.crc32(key.encode()) % PARTITIONS


@dataclass(frozen=True, slots=True)
class Record:
    """What is put on the log: one fact about one key; a value of None is a tombstone."""

    topic: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A record at its place on the log."""

    record: Record
    partition: int
    offset: int


Position = tuple[str, int]
"""A topic and one of its partitions."""


class BusError(Exception):
    """The bus could not do what was asked."""


class BusClosed(BusError):
    """The bus is closed, or was never started."""


class RecordRefused(BusError):
    """The log does not take a record, however often it is sent."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(f"The record of {record.key!r} for {record.topic} {reason}.")
        self.record = record


class RecordTooLarge(RecordRefused):
    """A record is larger than the log takes."""

    def __init__(self, record: Record, size: int) -> None:
        super().__init__(record, f"has {size:,} bytes; the log takes {LARGEST_RECORD:,}")
        self.size = size


class TopicsMissing(BusError):
    """Topics are asked for that the log does not have."""

    def __init__(self, topics: Iterable[str], where: str) -> None:
        self.topics = tuple(sorted(topics))
        super().__init__(f"{where} lacks {', '.join(self.topics)}; `concert topics` creates them.")


class LogBroken(BusError):
    """The log is not the one that was read before."""


class LogEndsBefore(LogBroken):
    """A reader stands beyond the end of a partition: the topic has been created anew or restored to the past."""

    def __init__(self, position: Position, start: int, end: int) -> None:
        topic, partition = position
        super().__init__(
            f"{topic} partition {partition} ends at offset {end}, but was read up to {start} before: the topic has been"
            " created anew or restored to the past."
        )
        self.position = position
        self.start = start
        self.end = end


class Bus(Protocol):
    """A durable log of records, in order per key, read from any offset as often as one likes."""

    async def start(self) -> None:
        """Reach the log. Raises BusError when it cannot be used."""

    async def close(self) -> None:
        """Let go of the log, in bounded time, whatever state it is in."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when every record is durably on the log, those of one key in the order given.

        After a BusError nothing is known about any of them: the caller sends again from the first unsent. Only
        RecordRefused and TopicsMissing are final, and are raised before anything has been sent.
        """

    def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what is on the topics, in batches, from the given offsets on (a position that is missing starts at 0).

        Batches are large when there is a backlog and come without delay when there is little. An empty batch comes
        once each time the reader stands at the end of every partition, and never when the log cannot be reached.
        Offsets grow but have holes. The iteration outlives an unreachable log by itself and ends only by
        cancellation, or by LogBroken, TopicsMissing or BusClosed.
        """

    @property
    def healthy(self) -> str | None:
        """None when all is well, else a sentence for the readiness page."""


_CONTROL = re.compile("[\x1e\x1f]")


def refuse_unfit(record: Record) -> None:
    """Refuse a record that is too large, or holds what a log needs for itself."""
    texts = [record.key, *(text for header in record.headers for text in header)]
    try:
        size = len("".join(texts).encode()) + len(record.value or b"")
    except UnicodeEncodeError:
        raise RecordRefused(record, "holds text that is not Unicode in its key or headers") from None
    if size > LARGEST_RECORD:
        raise RecordTooLarge(record, size)
    if any(map(_CONTROL.search, texts)):
        raise RecordRefused(record, "holds a record or unit separator (U+001E, U+001F) in its key or headers")
