"""Logs for the tests of the bus: one of each engine, and how to look at what is on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from shared.bus import TOPICS, Bus, Message, Position, Record
from shared.bus.embedded import EmbeddedBus
from shared.bus.kafka import KafkaBus

TEAMS, TARGETS, MEETINGS, METRICS, PEOPLE = TOPICS


class Log(Protocol):
    """A log that can be opened again and again."""

    def bus(self) -> Bus:
        """A bus on it, not started yet."""


@dataclass(frozen=True)
class EmbeddedLog:
    """A file."""

    path: Path

    def bus(self) -> EmbeddedBus:
        """A bus on it, not started yet."""
        return EmbeddedBus(self.path)


@dataclass(frozen=True)
class KafkaLog:
    """Topics of our own in a cluster."""

    address: str
    prefix: str = ""
    client: str = "tests"
    patience: float = 15.0

    def bus(self) -> KafkaBus:
        """A bus on it, not started yet."""
        return KafkaBus(self.address, self.client, self.prefix, patience=self.patience)


@asynccontextmanager
async def opened(log: Log) -> AsyncIterator[Bus]:
    """A bus that is started and closed."""
    bus = log.bus()
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


def following(
    bus: Bus, topics: Sequence[str] = TOPICS, start: Mapping[Position, int] | None = None
) -> aclosing[AsyncGenerator[Sequence[Message], None]]:
    """Batches from a bus, let go of at the end."""
    return aclosing(cast("AsyncGenerator[Sequence[Message], None]", bus.messages(topics, start or {})))


async def everything(
    bus: Bus, topics: Sequence[str] = TOPICS, start: Mapping[Position, int] | None = None
) -> list[Message]:
    """What is on the log, up to its end."""
    found: list[Message] = []
    async with asyncio.timeout(60), following(bus, topics, start) as batches:
        async for batch in batches:
            if not batch:
                return found
            found += batch
    raise AssertionError("a reader that was not told to ended")


def record(key: str, body: str | None = "", topic: str = TARGETS, **headers: str) -> Record:
    """A record as short as it can be."""
    return Record(topic, key, None if body is None else body.encode(), tuple(headers.items()))


def bodies(messages: Sequence[Message], key: str | None = None) -> list[str]:
    """What the messages say, those of one key if one is given."""
    return [(each.record.value or b"").decode() for each in messages if key is None or each.record.key == key]


def after(messages: Sequence[Message]) -> dict[Position, int]:
    """Where a reader of these messages goes on."""
    return {(each.record.topic, each.partition): each.offset + 1 for each in messages}
