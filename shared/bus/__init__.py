"""The bus port: how records get onto the log and come off it again, whatever engine keeps the log.

It knows topics, keys and offsets and nothing of events: what a record means is said in `shared.events`. The engines
stand beside it: `shared.bus.embedded` for one machine, `shared.bus.kafka` beyond one.
"""

import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

PARTITIONS: Final = 4  # fixed for a topic's life: another number would send a subject's next event to another partition
PEOPLE: Final = "concert.people"
TOPICS: Final = ("concert.teams", "concert.targets", "concert.meetings", "concert.metrics", PEOPLE)
COMPACTED: Final = frozenset({PEOPLE})  # here the log keeps only the latest record of each key
TOMBSTONE_DAYS: Final = 30  # how long a reader may be away and still learn from the compacted topic that a key has gone
LARGEST_RECORD: Final = 1024 * 1024  # bytes of key, value and headers together
SEPARATOR: Final = "\x1f"  # no header may hold it: the embedded log parts headers with it
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


class RecordTooLarge(BusError):
    """A record is larger than the log accepts, however often it is sent."""

    def __init__(self, record: Record, size: int) -> None:
        super().__init__(
            f"The record of {record.key} for {record.topic} is {size:,} bytes large; the log takes {LARGEST_RECORD:,}."
        )
        self.record = record
        self.size = size


class HeaderUnfit(BusError):
    """A header holds the unit separator, which no header may."""

    def __init__(self, record: Record) -> None:
        super().__init__(
            f"A header of the record of {record.key} for {record.topic} holds the unit separator (U+001F)."
        )
        self.record = record


class TopicsMissing(BusError):
    """Topics are asked for that the log does not have."""

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(f"These topics do not exist: {', '.join(sorted(topics))}. Create them with `concert topics`.")
        self.topics = tuple(topics)


class LogEndsBefore(BusError):
    """A reader stands beyond the end of a partition: the topic has been created anew or restored to the past."""

    def __init__(self, position: Position, start: int, end: int) -> None:
        topic, partition = position
        super().__init__(
            f"{topic} partition {partition} ends before offset {end}, but this reader had already come to {start}:"
            " the topic was created anew or restored to the past."
        )
        self.position = position
        self.start = start
        self.end = end


class Bus(Protocol):
    """A durable log of records, in order per key, read from any offset as often as one likes."""

    async def start(self) -> None:
        """Open the log."""

    async def close(self) -> None:
        """Let go of the log, in bounded time, whatever state it is in."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when every record is durably on the log, those of one key in the order given.

        After a BusError nothing is known about any of them: the caller sends again from the first unsent. Only
        RecordTooLarge, HeaderUnfit and TopicsMissing are final, and raised before anything has been sent.
        """

    def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what is on the topics, in batches, from the given offsets on (a position that is missing starts at 0).

        Batches are large when there is a backlog and come without delay when there is little. An empty batch comes
        once each time the reader stands at the end of every partition, and never when the log cannot be reached.
        Offsets grow but have holes. The iteration outlives broker outages by itself and ends only by cancellation,
        by LogEndsBefore, TopicsMissing or BusClosed.
        """

    @property
    def healthy(self) -> str | None:
        """None when all is well, else a sentence for the readiness page."""
