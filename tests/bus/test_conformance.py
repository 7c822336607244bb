"""What every bus promises, asked of every engine."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from shared.bus import PARTITIONS, TOPICS, Message, Position, Record
from shared.bus.embedded import EmbeddedBus


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[EmbeddedBus]:
    """A fresh bus."""
    bus = EmbeddedBus(tmp_path / "log.db")
    await bus.start()
    yield bus
    await bus.close()


async def everything(
    bus: EmbeddedBus, topics: Sequence[str] = TOPICS, start: Mapping[Position, int] | None = None
) -> list[Message]:
    """What is on the topics up to the end."""
    found: list[Message] = []
    async with asyncio.timeout(10), aclosing(bus.messages(topics, start or {})) as batches:  # type: ignore[type-var]
        async for batch in batches:
            if not batch:
                return found
            found.extend(batch)
    raise AssertionError


async def test_what_is_published_is_read_in_order_per_key(bus: EmbeddedBus) -> None:
    records = [Record(TOPICS[0], f"member/{n % 50}", b"%d" % n, (("ce_id", str(n)),)) for n in range(3000)]
    for first in range(0, len(records), 700):
        await bus.publish(records[first : first + 700])
    found = await everything(bus)
    for key in {record.key for record in records}:
        assert [m.record for m in found if m.record.key == key] == [r for r in records if r.key == key]
    assert {message.partition for message in found} == set(range(PARTITIONS))


async def test_a_reader_goes_on_where_it_stopped(bus: EmbeddedBus) -> None:
    await bus.publish([Record(TOPICS[1], f"deal/{n}", b"%d" % n, ()) for n in range(2500)])
    found = await everything(bus)
    start: dict[Position, int] = {}
    for message in found[:1234]:
        start[message.record.topic, message.partition] = message.offset + 1
    assert {m.record.key for m in await everything(bus, start=start)} == {m.record.key for m in found[1234:]}
