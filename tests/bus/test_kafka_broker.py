"""What only a real broker can prove: its topics, what has been deleted or made anew, and that it may die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete

from shared.bus import PARTITIONS, TOPICS, BusError, LogBroken, LogEndsBefore, TopicsMissing, partition_of
from shared.bus.kafka import create_topics
from tests.bus.logs import PEOPLE, TARGETS, KafkaLog, after, bodies, everything, following, opened, record
from tests.engines import Kafka


@pytest.fixture
async def administrator(kafka_broker: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """Kafka's own view of the topics."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_broker.address)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def bare(kafka_broker: Kafka) -> AsyncIterator[KafkaLog]:
    """A name for topics that are not there yet."""
    log = KafkaLog(kafka_broker.address, f"b{uuid4().hex[:12]}.")
    yield log
    await kafka_broker.delete_topics(*(log.prefix + topic for topic in TOPICS))


async def settings_of(administrator: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """What the broker says of a topic."""
    (answer,) = await administrator.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((_, _, _, _, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def test_topics_are_made_as_the_log_needs_them(bare: KafkaLog, administrator: Any) -> None:
    await create_topics(bare.address, prefix=bare.prefix)
    found = {each["topic"]: each for each in await administrator.describe_topics([bare.prefix + t for t in TOPICS])}
    for topic in TOPICS:
        assert len(found[bare.prefix + topic]["partitions"]) == PARTITIONS
        settings = await settings_of(administrator, bare.prefix + topic)
        if topic == PEOPLE:
            assert settings["cleanup.policy"] == "compact"
            assert 0 < int(settings["segment.ms"]) + int(settings["max.compaction.lag.ms"]) <= 24 * 3_600_000
        else:
            assert (settings["cleanup.policy"], settings["retention.ms"]) == ("delete", "-1")
            assert settings["retention.bytes"] == "-1"


async def test_topics_are_made_once(bare: KafkaLog) -> None:
    await create_topics(bare.address, prefix=bare.prefix)
    async with opened(bare) as bus:
        await bus.publish([record("deal/1", "kept")])
        await asyncio.gather(*(create_topics(bare.address, prefix=bare.prefix) for _ in range(3)))
        assert bodies(await everything(bus)) == ["kept"]


async def test_topics_are_made_by_several_at_once(bare: KafkaLog) -> None:
    await asyncio.gather(*(create_topics(bare.address, prefix=bare.prefix) for _ in range(4)))
    async with opened(bare) as bus:
        assert await everything(bus) == []


async def test_missing_topics_are_named_with_the_command_that_makes_them(bare: KafkaLog, kafka_broker: Kafka) -> None:
    for topic in TOPICS[1:]:
        await kafka_broker.create_topic(bare.prefix + topic)
    with pytest.raises(TopicsMissing, match=r"concert\.teams; `concert topics` creates them"):
        await bare.bus().start()


async def test_a_topic_with_other_partitions_is_refused(bare: KafkaLog, kafka_broker: Kafka) -> None:
    await kafka_broker.create_topic(bare.prefix + TARGETS, partitions=3)
    for asking in (create_topics(bare.address, prefix=bare.prefix), bare.bus().start()):
        with pytest.raises(BusError, match=r"concert\.targets has 3 partitions .* must have 4"):
            await asking


@pytest.mark.parametrize(
    ("topic", "settings", "said"),
    [
        (TARGETS, {"retention.ms": "604800000"}, r"retention\.ms=604800000 .* must be -1"),
        (TARGETS, {"retention.ms": "-1", "cleanup.policy": "compact"}, r"cleanup\.policy=compact .* must be delete"),
        (PEOPLE, {"retention.ms": "-1"}, r"cleanup\.policy=delete .* must be compact"),
    ],
)
async def test_a_topic_that_would_forget_is_refused(
    bare: KafkaLog, kafka_broker: Kafka, topic: str, settings: dict[str, str], said: str
) -> None:
    await kafka_broker.create_topic(bare.prefix + topic, config=settings)
    with pytest.raises(BusError, match=said):
        await create_topics(bare.address, prefix=bare.prefix)


async def test_more_replicas_than_brokers_are_not_made(bare: KafkaLog) -> None:
    with pytest.raises(BusError, match="does not create"):
        await create_topics(bare.address, replicas=99, prefix=bare.prefix)


async def test_a_broker_that_is_not_there_is_named() -> None:
    async with asyncio.timeout(20):
        with pytest.raises(BusError, match=r"127\.0\.0\.1:9 cannot be reached"):
            await create_topics("127.0.0.1:9")


async def test_a_topic_made_anew_is_not_taken_for_the_old_one(
    kafka_log: KafkaLog, kafka_broker: Kafka, administrator: Any
) -> None:
    async with opened(kafka_log) as bus:
        await bus.publish([record("deal/1", str(n)) for n in range(5)])
        start = after(await everything(bus))
    await make_anew(kafka_log, kafka_broker, administrator)
    async with opened(kafka_log) as bus:
        with pytest.raises(LogEndsBefore):
            await everything(bus, start=start)


async def test_a_reader_notices_that_its_topic_is_made_anew(
    kafka_log: KafkaLog, kafka_broker: Kafka, administrator: Any
) -> None:
    async with opened(KafkaLog(kafka_log.address, kafka_log.prefix, patience=4)) as bus:
        await bus.publish([record("deal/1", str(n)) for n in range(5)])
        async with following(bus, [TARGETS]) as batches, asyncio.timeout(40):
            while await anext(batches):
                pass
            await make_anew(kafka_log, kafka_broker, administrator)
            with pytest.raises(LogEndsBefore):
                await anext(batches)


async def test_a_log_without_its_beginning_is_not_read_as_if_it_were_whole(
    kafka_log: KafkaLog, administrator: Any
) -> None:
    async with opened(kafka_log) as bus:
        await bus.publish([record("deal/1", str(n)) for n in range(10)])
        place = TopicPartition(kafka_log.prefix + TARGETS, partition_of("deal/1"))
        await administrator.delete_records({place: RecordsToDelete(before_offset=4)})
        with pytest.raises(LogBroken, match="begins at offset 4, but is to be read from 0"):
            await everything(bus)
        assert bodies(await everything(bus, start={(TARGETS, place.partition): 6})) == ["6", "7", "8", "9"]


async def test_a_broker_may_be_killed_under_publishers_and_readers(own_broker: Kafka) -> None:
    log = KafkaLog(own_broker.address, "", patience=6)
    await create_topics(log.address)
    acknowledged: dict[str, int] = {}
    ends: list[float] = []
    found: list[str] = []
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    async with opened(log) as bus:

        async def publish(key: str) -> None:
            number = 0
            while not stopping.is_set():
                try:
                    await bus.publish([record(key, str(number + n)) for n in range(3)])
                except BusError:
                    continue
                number += 3
                acknowledged[key] = number
                await asyncio.sleep(0.01)

        async def read() -> None:
            async with following(bus) as batches:
                async for batch in batches:
                    found.extend(f"{each.record.key} {(each.record.value or b'').decode()}" for each in batch)
                    if not batch:
                        ends.append(loop.time())

        reading = asyncio.create_task(read())
        publishing = [asyncio.create_task(publish(f"deal/{n}")) for n in range(6)]
        await asyncio.sleep(1)
        await asyncio.to_thread(own_broker.kill)
        killed_at = loop.time()
        await asyncio.sleep(4)
        mended_at = loop.time()
        await asyncio.to_thread(own_broker.start)
        before = dict(acknowledged)
        async with asyncio.timeout(90):
            while any(acknowledged[key] <= before[key] + 10 for key in before):
                await asyncio.sleep(0.1)
        stopping.set()
        await asyncio.wait(publishing, timeout=30)
        whole = await everything(bus)
        async with asyncio.timeout(30):
            while len(found) < len(whole):
                await asyncio.sleep(0.1)
        reading.cancel()
        await asyncio.wait({reading})

    assert not [moment for moment in ends if killed_at + 1 < moment < mended_at], "an outage was taken for the end"
    for key, count in acknowledged.items():
        told = [int(body) for body in bodies(whole, key)]
        assert set(range(count)) <= set(told), "acknowledged and lost"
        news = [number for at, number in enumerate(told) if number not in told[:at]]
        assert news == sorted(news), "out of order, beyond what repetition explains"
    assert sorted(found) == sorted(f"{each.record.key} {(each.record.value or b'').decode()}" for each in whole)


async def make_anew(log: KafkaLog, broker: Kafka, administrator: Any) -> None:
    """Delete a topic and, once it has gone, make it again."""
    await broker.delete_topics(log.prefix + TARGETS)
    async with asyncio.timeout(30):
        while log.prefix + TARGETS in await administrator.list_topics():
            await asyncio.sleep(0.1)
        while True:
            try:
                await create_topics(log.address, prefix=log.prefix)
            except BusError:
                await asyncio.sleep(0.2)
            else:
                return
