"""The Kafka client in bad company: a network that breaks or falls silent, in front of librdkafka's mock broker.

The mock speaks Kafka's protocol but proves nothing about a broker; what is proven here is that of what the bus has
given up nothing is sent later, that nobody waits for ever, and that readers come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from shared.bus import TOPICS, Bus, BusClosed, BusError, Record, kafka
from tests.bus.logs import KafkaLog, bodies, everything, following, opened, record
from tests.bus.proxy import PROXIED, Proxy, proxied

PATIENCE = 2.0
WHILE = 2.0  # what a producer that lives on needs to deliver is a tenth of this


@pytest.fixture(scope="module")
def mock_cluster() -> Producer:
    """A mock cluster, which lives as long as this client."""
    return Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})


@pytest.fixture
def direct(mock_cluster: Producer) -> KafkaLog:
    """Fresh topics on the mock cluster, reached directly."""
    prefix = f"m{uuid4().hex[:8]}."
    for topic in TOPICS:
        mock_cluster.list_topics(prefix + topic, timeout=10)
    (broker,) = mock_cluster.list_topics(timeout=10).brokers.values()
    return KafkaLog(f"{broker.host}:{broker.port}", prefix)


@pytest.fixture
async def way(direct: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """The way that the bus under test has to go."""
    async with proxied(direct.address, monkeypatch) as proxy:
        yield proxy


@pytest.fixture
async def observer(direct: KafkaLog) -> AsyncIterator[Bus]:
    """A bus that nothing comes between."""
    async with opened(direct) as bus:
        yield bus


@pytest.fixture
async def bus(direct: KafkaLog, way: Proxy) -> AsyncIterator[Bus]:
    """The bus under test, behind the proxy."""
    async with opened(KafkaLog(direct.address, direct.prefix, PROXIED, PATIENCE)) as bus:
        yield bus


def many(body: str, count: int = 40) -> list[Record]:
    """More than goes into one request."""
    return [record(f"deal/{n % 8}", f"{body} {n} " + "x" * 100_000) for n in range(count)]


async def test_records_go_there_and_back(bus: Bus) -> None:
    await bus.publish([record(f"deal/{n % 7}", str(n)) for n in range(500)])
    found = await everything(bus)
    for key in range(7):
        assert bodies(found, f"deal/{key}") == [str(n) for n in range(key, 500, 7)]


@pytest.mark.parametrize("break_it", [Proxy.cut, Proxy.silence])
async def test_of_a_failed_publish_nothing_is_sent_later(
    bus: Bus, way: Proxy, observer: Bus, break_it: Callable[[Proxy], None]
) -> None:
    await bus.publish([record("deal/1", "before")])
    break_it(way)
    async with asyncio.timeout(4 * PATIENCE):
        with pytest.raises(BusError, match="does not take what is sent"):
            await bus.publish(many("lost"))
    assert "does not take" in (bus.healthy or "")
    way.mend()
    await asyncio.sleep(WHILE)
    assert bodies(await everything(observer)) == ["before"]
    await bus.publish([record("deal/1", "after")])
    assert bodies(await everything(observer)) == ["before", "after"]
    assert bus.healthy is None


async def test_a_producer_that_was_given_up_leaves_nothing_running(bus: Bus, way: Proxy) -> None:
    for break_it in (way.cut, way.silence):
        await bus.publish([record("deal/1", "before")])
        break_it()
        with pytest.raises(BusError):
            await bus.publish(many("lost"))
        assert not tasks_of_producers()
        with pytest.raises(BusError):
            await bus.publish(many("lost too"))
        async with asyncio.timeout(10):
            while tasks_of_producers():
                await asyncio.sleep(0.1)
        way.mend()


def tasks_of_producers() -> set[str]:
    """What aiokafka still does for any producer in this process."""
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    return {name for name in names if name.startswith(("Sender.", "Producer.", "AIOKafka"))}


async def test_a_publish_that_breaks_in_the_middle_stays_as_it_was_then(bus: Bus, way: Proxy, observer: Bus) -> None:
    await bus.publish([record("deal/1", "before")])
    publishing = asyncio.create_task(bus.publish(many("half", 100)))
    enough = way.passed + 2_000_000
    while way.passed < enough:
        await asyncio.sleep(0)
    way.cut()
    with pytest.raises(BusError):
        await asyncio.wait_for(publishing, 4 * PATIENCE)
    arrived = await everything(observer)
    assert 1 < len(arrived) < 101
    way.mend()
    await asyncio.sleep(WHILE)
    assert set(await everything(observer)) == set(arrived)


async def test_of_a_cancelled_publish_nothing_is_sent_later(bus: Bus, way: Proxy, observer: Bus) -> None:
    await bus.publish([record("deal/1", "before")])
    way.silence()
    publishing = asyncio.create_task(bus.publish(many("cancelled")))
    await asyncio.sleep(0.3)
    publishing.cancel()
    _, pending = await asyncio.wait({publishing}, timeout=5)
    assert not pending
    assert publishing.cancelled()
    way.mend()
    await asyncio.sleep(WHILE)
    assert bodies(await everything(observer)) == ["before"]


async def test_publishers_that_share_a_producer_fail_together(bus: Bus, way: Proxy, observer: Bus) -> None:
    await bus.publish([record("deal/1", "before")])
    way.cut()
    async with asyncio.timeout(4 * PATIENCE):
        several = [bus.publish(many(str(n), 5)) for n in range(6)]
        outcomes = await asyncio.gather(*several, return_exceptions=True)
    assert all(isinstance(each, BusError) for each in outcomes)
    way.mend()
    await asyncio.sleep(WHILE)
    assert bodies(await everything(observer)) == ["before"]


async def test_publishing_goes_on_when_the_cluster_is_back(bus: Bus, way: Proxy, observer: Bus) -> None:
    for round_ in range(3):
        await bus.publish([record("deal/1", str(round_))])
        way.cut()
        with pytest.raises(BusError):
            await bus.publish([record("deal/1", "lost")])
        way.mend()
    assert bodies(await everything(observer)) == ["0", "1", "2"]


async def test_a_cluster_that_cannot_be_reached_is_named_at_the_start(direct: KafkaLog, way: Proxy) -> None:
    bus = KafkaLog(direct.address, direct.prefix, PROXIED, PATIENCE).bus()
    for break_it in (way.cut, way.silence):
        break_it()
        async with asyncio.timeout(4 * PATIENCE):
            with pytest.raises(BusError, match=f"Kafka at {direct.address} cannot be reached"):
                await bus.start()
        way.mend()
    await bus.start()
    await bus.close()


@pytest.mark.parametrize("break_it", [Proxy.cut, Proxy.silence])
async def test_a_reader_outlives_an_outage_and_never_takes_it_for_the_end(
    bus: Bus, way: Proxy, observer: Bus, break_it: Callable[[Proxy], None]
) -> None:
    async with following(bus) as batches, asyncio.timeout(20 * PATIENCE):
        assert not await anext(batches)
        await observer.publish([record("deal/1", "before")])
        assert bodies(await anext(batches)) == ["before"]
        assert not await anext(batches)
        break_it(way)
        await observer.publish([record("deal/1", "meanwhile")])
        waiting = asyncio.ensure_future(anext(batches))
        _, pending = await asyncio.wait({waiting}, timeout=2 * PATIENCE)
        assert pending, "something came through nothing"
        assert bus.healthy is not None
        way.mend()
        assert bodies(await waiting) == ["meanwhile"]
        assert not await anext(batches)
        assert bus.healthy is None


@pytest.mark.parametrize("break_it", [Proxy.cut, Proxy.silence])
async def test_closing_is_bounded_whatever_the_network_does(
    direct: KafkaLog, way: Proxy, break_it: Callable[[Proxy], None]
) -> None:
    bus = KafkaLog(direct.address, direct.prefix, PROXIED, 30).bus()
    await bus.start()
    await bus.publish([record("deal/1", "before")])
    reading = asyncio.create_task(read_for_ever(bus))
    await asyncio.sleep(0.3)
    break_it(way)
    publishing = asyncio.create_task(bus.publish(many("closed")))
    await asyncio.sleep(0.3)
    async with asyncio.timeout(10):
        await bus.close()
        with pytest.raises(BusError):
            await publishing
        with pytest.raises(BusClosed):
            await reading


async def test_a_reader_is_cancelled_soon_whatever_the_network_does(
    direct: KafkaLog, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "CLOSE_SECONDS", 1.0)
    async with opened(KafkaLog(direct.address, direct.prefix, PROXIED, 30)) as bus:
        for moment in (0.0, 0.01, 0.3):
            way.silence()
            reading = asyncio.create_task(read_for_ever(bus))
            await asyncio.sleep(moment)
            reading.cancel()
            _, pending = await asyncio.wait({reading}, timeout=10)
            assert not pending
            way.mend()


async def read_for_ever(bus: Bus) -> None:
    """A reader that nothing but its end interests."""
    async with following(bus) as batches:
        async for _ in batches:
            pass
