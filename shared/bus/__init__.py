"""The port between Concert and its log: two methods, `publish` and `messages`, the same on both engines.

A topic has four partitions for its life; the records of one key stand in one partition, in the order they were
published. What has been published may appear twice, it never disappears (but for the compacted topic of people, of
which only the latest record of a key is kept).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

PARTITIONS = 4
TOPICS = ("concert.teams", "concert.targets", "concert.meetings", "concert.metrics", "concert.people")
COMPACTED = ("concert.people",)
MAX_RECORD_BYTES = 1024 * 1024
BATCH = 1000

Position = tuple[str, int]


class BusError(Exception):
    """The log could not confirm what was published; nothing is known of any of it, so it is sent again."""


class RecordTooLarge(BusError):
    """A record is larger than the log takes; sending it again would not help."""


class LogBroken(BusError):
    """The log is not the one that was read before: it ends earlier, or other records stand at known places."""


class TopicsMissing(BusError):
    """The log lacks topics; `concert topics` creates them."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is published: under a key, with the headers of the CloudEvents binding; no value is a tombstone."""

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


class Bus(Protocol):
    """A durable log of events."""

    @property
    def healthy(self) -> str | None:
        """None if all is well, else a sentence that says what is not."""

    async def start(self) -> None:
        """Reach the log; raises BusError when it cannot be used."""

    async def close(self) -> None:
        """Let go of it, within seconds."""

    async def publish(self, records: Sequence[Record]) -> None:
        """Put records on the log, in this order per key; returns when all are durable. Raises BusError."""

    def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Batches of messages from these offsets on (0 where none is given); an empty batch each time the end of
        every partition has been reached. Waits out a log that cannot be reached; ends only by cancellation."""


def partition_of(key: str) -> int:
    """The partition of a key, the same on every engine and for ever."""
    return crc32(key.encode()) % PARTITIONS


def check_size(record: Record) -> None:
    """Refuse a record that is too large for the log. Raises RecordTooLarge."""
    size = len(record.value or b"") + sum(len(name) + len(value) for name, value in record.headers)
    if size > MAX_RECORD_BYTES:
        raise RecordTooLarge(f"{record.key} has {size} bytes as a record; the log takes {MAX_RECORD_BYTES}.")
