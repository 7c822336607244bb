"""What every bus promises, asked of each engine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import pytest

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    LARGEST_RECORD,
    PARTITIONS,
    TOPICS,
    Bus,
    BusClosed,
    LogEndsBefore,
    Message,
    Position,
    Record,
    RecordRefused,
    RecordTooLarge,
    TopicsMissing,
    partition_of,
)
from tests.bus.logs import PEOPLE, TARGETS, TEAMS, Log, after, bodies, everything, following, opened, record

SOON = 10.0
KEPT = [topic for topic in TOPICS if topic not in COMPACTED]


def numbered(count: int, keys: int = 50, topics: Sequence[str] = KEPT) -> list[Record]:
    """Records whose order can be told, on topics where none is ever removed."""
    return [record(f"deal/{n % keys}", str(n), topics[n % keys % len(topics)], ce_id=str(n)) for n in range(count)]


async def next_of(batches: AsyncIterator[Sequence[Message]]) -> Sequence[Message]:
    """The next batch, which must come soon."""
    async with asyncio.timeout(SOON):
        return await anext(batches)


async def test_records_of_one_key_are_read_in_the_order_they_were_published(bus: Bus) -> None:
    records = numbered(3000)
    for first in range(0, len(records), 700):
        await bus.publish(records[first : first + 700])
    found = await everything(bus)
    assert len(found) == len(records)
    for key in {each.key for each in records}:
        assert [each.record for each in found if each.record.key == key] == [r for r in records if r.key == key]


async def test_every_key_has_its_partition_and_every_partition_is_used(bus: Bus) -> None:
    await bus.publish(numbered(400, keys=400, topics=TOPICS))
    found = await everything(bus)
    assert all(each.partition == partition_of(each.record.key) for each in found)
    assert {(each.record.topic, each.partition) for each in found} == {
        (t, n) for t in TOPICS for n in range(PARTITIONS)
    }


def test_the_partition_of_a_key_is_the_same_for_ever() -> None:
    assert [partition_of(key) for key in ("deal/1", "deal/2", "person/7", "müsli/9", "")] == [3, 1, 3, 1, 0]


async def test_offsets_grow_within_each_partition_and_begin_at_the_beginning(bus: Bus) -> None:
    await bus.publish(numbered(500))
    offsets: dict[Position, list[int]] = {}
    for each in await everything(bus):
        offsets.setdefault((each.record.topic, each.partition), []).append(each.offset)
    for found in offsets.values():
        assert found[0] == 0
        assert found == sorted(set(found))


async def test_a_reader_goes_on_from_wherever_it_stopped(bus: Bus) -> None:
    for first in range(5):
        await bus.publish(numbered(2500)[first::5])
    whole = await everything(bus)
    for stop in random.Random(7).sample(range(len(whole)), 5):
        rest = await everything(bus, start=after(whole[:stop]))
        assert sorted(bodies(rest), key=int) == sorted(bodies(whole[stop:]), key=int)


async def test_a_reader_may_begin_at_another_offset_in_every_partition(bus: Bus) -> None:
    await bus.publish(numbered(4000))
    whole = await everything(bus)
    chance = random.Random(11)
    start = {position: chance.randrange(end + 1) for position, end in after(whole).items()}
    rest = await everything(bus, start=start)
    expected = {each for each in whole if each.offset >= start[each.record.topic, each.partition]}
    assert set(rest) == expected
    assert len(rest) == len(expected)


async def test_what_was_published_is_still_there_after_a_restart(log: Log) -> None:
    async with opened(log) as bus:
        await bus.publish(numbered(1200))
        before = await everything(bus)
    async with opened(log) as bus:
        assert set(await everything(bus)) == set(before)
        await bus.publish([record("deal/1", "and on")])
        (latest,) = await everything(bus, start=after(before))
        assert latest.record.value == b"and on"


async def test_an_empty_log_is_read_to_its_end_at_once(bus: Bus) -> None:
    async with following(bus) as batches:
        assert list(await next_of(batches)) == []


async def test_the_end_is_told_once_each_time_it_is_reached(bus: Bus) -> None:
    await bus.publish([record("deal/1", "first")])
    async with following(bus) as batches:
        assert bodies(await next_of(batches)) == ["first"]
        assert list(await next_of(batches)) == []
        following_batch = asyncio.ensure_future(anext(batches))
        done, _ = await asyncio.wait({following_batch}, timeout=1.5)
        assert not done, "the same end was told twice"
        await bus.publish([record("deal/1", "second")])
        assert bodies(await asyncio.wait_for(following_batch, SOON)) == ["second"]
        assert list(await next_of(batches)) == []


async def test_the_end_is_not_told_before_all_that_lay_on_the_log_has_been_read(bus: Bus) -> None:
    await bus.publish(numbered(5000))
    async with following(bus) as batches:
        read = 0
        while batch := await next_of(batches):
            read += len(batch)
    assert read == 5000


async def test_a_backlog_comes_in_large_batches_of_bounded_size(bus: Bus) -> None:
    records = numbered(20_000)
    for first in range(0, len(records), 2000):
        await bus.publish(records[first : first + 2000])
    sizes = []
    async with following(bus) as batches:
        while batch := await next_of(batches):
            sizes.append(len(batch))
    assert sum(sizes) == 20_000
    assert max(sizes) <= LARGEST_BATCH
    assert sum(sizes) / len(sizes) > LARGEST_BATCH / 4


async def test_a_waiting_reader_is_woken(bus: Bus) -> None:
    async with following(bus) as batches:
        assert not await next_of(batches)
        for n in range(20):
            await bus.publish([record("deal/1", str(n))])
            async with asyncio.timeout(2):
                while not (batch := await anext(batches)):
                    pass
            assert bodies(batch) == [str(n)]


async def test_several_readers_read_the_same(bus: Bus) -> None:
    await bus.publish(numbered(500))
    first, second = await asyncio.gather(everything(bus), everything(bus))
    assert set(first) == set(second)


async def test_a_reader_gets_only_the_topics_it_asked_for(bus: Bus) -> None:
    await bus.publish([*numbered(300), record("team/1", "rare", TEAMS)])
    found = await everything(bus, [TEAMS])
    assert {each.record.topic for each in found} == {TEAMS}
    assert bodies(found, "team/1") == ["rare"]
    async with following(bus, [TEAMS], after(found)) as batches:
        assert not await next_of(batches)
        await bus.publish(numbered(100, topics=[TARGETS]))
        await bus.publish([record("team/1", "rarer", TEAMS)])
        assert bodies(await next_of(batches)) == ["rarer"]


async def test_a_tombstone_is_not_an_empty_body(bus: Bus) -> None:
    await bus.publish([record("person/1", None, PEOPLE), record("person/1", "", PEOPLE), record("deal/1", None)])
    found = await everything(bus)
    assert [each.record.value for each in found if each.record.topic == PEOPLE] == [None, b""]
    assert [each.record.value for each in found if each.record.topic == TARGETS] == [None]


async def test_bodies_and_headers_come_back_as_they_were(bus: Bus) -> None:
    headers = (("ce_id", "1"), ("ce_subject", "deal/ä"), ("empty", ""), ("ce_id", "twice"), ("tab", "a\tb\nc\0d"))
    sent = [
        Record(TARGETS, "deal/ä", bytes(range(256)), headers),
        Record(TARGETS, "", b"\x1e\x1f", ()),
        Record(TARGETS, "deal/ä", "müsli 🥣".encode(), ()),
    ]
    await bus.publish(sent)
    found = [each.record for each in await everything(bus)]
    assert sorted(found, key=lambda each: sent.index(each)) == sent


async def test_a_record_of_the_largest_size_is_taken_and_a_larger_one_is_named(bus: Bus) -> None:
    key, headers = "deal/1", (("ce_id", "é"),)
    room = LARGEST_RECORD - len(key) - len("ce_id") - len("é".encode())
    await bus.publish([Record(TARGETS, key, b"x" * room, headers)])
    with pytest.raises(RecordTooLarge, match=r"deal/1.*1,048,577 bytes") as refusal:
        await bus.publish([record("deal/2"), Record(TARGETS, key, b"x" * (room + 1), headers), record("deal/3")])
    assert refusal.value.size == LARGEST_RECORD + 1
    assert [each.record.key for each in await everything(bus)] == ["deal/1"]


@pytest.mark.parametrize("text", ["a\x1fb", "a\x1eb", "\ud800"])
async def test_a_record_with_what_no_log_can_keep_is_refused(bus: Bus, text: str) -> None:
    for unfit in (record(text), record("deal/1", ce_id=text), Record(TARGETS, "deal/1", b"", ((text, ""),))):
        with pytest.raises(RecordRefused):
            await bus.publish([record("deal/1"), unfit])
    assert await everything(bus) == []


async def test_unknown_topics_are_named(bus: Bus) -> None:
    with pytest.raises(TopicsMissing, match=r"concert\.tems.*concert topics"):
        await bus.publish([record("team/1"), record("team/1", topic="concert.tems")])
    with pytest.raises(TopicsMissing, match=r"concert\.tems"):
        await everything(bus, ["concert.tems"])
    assert await everything(bus) == []


async def test_publishing_nothing_is_no_trouble(bus: Bus) -> None:
    await bus.publish([])
    assert await everything(bus) == []


async def test_several_publishers_do_not_disturb_one_another(bus: Bus) -> None:
    async def publish_alone(who: int) -> None:
        for n in range(0, 60, 3):
            await bus.publish([record(f"deal/{who}", str(n + i)) for i in range(3)])

    await asyncio.gather(*map(publish_alone, range(20)))
    found = await everything(bus)
    for who in range(20):
        assert bodies(found, f"deal/{who}") == [str(n) for n in range(60)]


async def test_a_reader_beyond_the_end_is_told_that_this_is_not_the_log_it_knew(bus: Bus) -> None:
    await bus.publish([record("deal/1")])
    position = (TARGETS, partition_of("deal/1"))
    assert await everything(bus, start={position: 1}) == []
    with pytest.raises(LogEndsBefore, match="restored to the past") as refusal:
        await everything(bus, start={position: 3})
    assert (refusal.value.position, refusal.value.start, refusal.value.end) == (position, 3, 1)


async def test_a_waiting_reader_can_be_cancelled(bus: Bus) -> None:
    async def read_for_ever() -> None:
        async with following(bus) as batches:
            async for _ in batches:
                pass

    reader = asyncio.create_task(read_for_ever())
    await asyncio.sleep(0.3)
    reader.cancel()
    _, pending = await asyncio.wait({reader}, timeout=5)
    assert not pending
    assert reader.cancelled()


async def test_a_publisher_that_was_cancelled_leaves_the_bus_usable(bus: Bus) -> None:
    publisher = asyncio.create_task(bus.publish(numbered(1000)))
    await asyncio.sleep(0)
    publisher.cancel()
    await asyncio.wait({publisher}, timeout=10)
    await bus.publish([record("deal/x", "afterwards")])
    assert bodies(await everything(bus), "deal/x") == ["afterwards"]


async def test_closing_ends_readers_and_publishers(log: Log) -> None:
    bus = log.bus()
    await bus.start()
    reading = asyncio.create_task(everything(bus))
    await asyncio.wait_for(reading, SOON)
    async with following(bus) as batches:
        assert not await next_of(batches)
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(SOON):
            await bus.close()
            with pytest.raises(BusClosed):
                await waiting
    with pytest.raises(BusClosed):
        await bus.publish([record("deal/1")])
    with pytest.raises(BusClosed):
        await everything(bus)
    await bus.close()


async def test_a_bus_says_how_it_is(log: Log) -> None:
    bus = log.bus()
    assert "closed" in (bus.healthy or "")
    async with opened(log) as bus:
        assert bus.healthy is None
        await bus.publish([record("deal/1")])
        await everything(bus)
        assert bus.healthy is None
    assert "closed" in (bus.healthy or "")
