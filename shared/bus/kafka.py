"""The log beyond one machine: Apache Kafka. The only file that knows aiokafka.

The client's defaults are unsafe and a failed batch leaves its producer unusable, so everything is set here and a
producer that has failed once is thrown away, its sender cancelled, before another one sends again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    PARTITIONS,
    TOPICS,
    BusError,
    LogEndsBefore,
    Message,
    Position,
    Record,
    TopicsMissing,
    partition_of,
    refuse_unfit,
)

log = structlog.get_logger(__name__)
SEND_SECONDS = 20.0
CALL_SECONDS = 10.0
FETCH_WAIT_MS = 100
SILENT_SECONDS = 15.0
HOUR_MS = 3_600_000


class KafkaBus:
    """The log in a Kafka cluster."""

    def __init__(self, servers: str, client: str, prefix: str = "") -> None:
        self.servers = servers
        self.client = client
        self.prefix = prefix
        self._producer: Any = None
        self._producing = asyncio.Lock()
        self._consumers: set[Any] = set()
        self._failure: str | None = None
        self._heard = time.monotonic()

    @property
    def healthy(self) -> str | None:
        """None if all is well, else a sentence that says what is not."""
        silent = time.monotonic() - self._heard
        if self._consumers and silent > SILENT_SECONDS:
            return f"no broker of {self.servers} has answered for {silent:.0f} s"
        return self._failure

    async def start(self) -> None:
        """See that the broker answers and has the topics. Raises BusError."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers, client_id=self.client)
        try:
            await asyncio.wait_for(consumer.start(), CALL_SECONDS)
            known = await asyncio.wait_for(consumer.topics(), CALL_SECONDS)
        except (KafkaError, TimeoutError, OSError) as fault:
            raise BusError(f"No Kafka broker can be reached at {self.servers} ({_said(fault)}).") from fault
        finally:
            await _bounded(consumer.stop())
        missing = [topic for topic in TOPICS if self.prefix + topic not in known]
        if missing:
            raise TopicsMissing(missing, f"Kafka at {self.servers}")

    async def close(self) -> None:
        """Let go of the brokers, within seconds."""
        async with self._producing:
            producer, self._producer = self._producer, None
        if producer is not None:
            await _bounded(producer.stop())
        for consumer in list(self._consumers):
            await _bounded(consumer.stop())

    async def publish(self, records: Sequence[Record]) -> None:
        """Put records on the log, in this order per key; returns when the brokers have all of them."""
        for record in records:
            refuse_unfit(record)
        async with self._producing:
            try:
                producer = self._producer or await self._start_producer()
                sending = [await self._send(producer, record) for record in records]
                await asyncio.wait_for(asyncio.gather(*sending), SEND_SECONDS)
            except BaseException as fault:
                await self._discard_producer()
                if isinstance(fault, (KafkaError, TimeoutError, OSError)):
                    self._failure = f"events cannot be sent to {self.servers}: {_said(fault)}"
                    raise BusError(f"Kafka did not confirm what was sent ({_said(fault)}).") from fault
                raise
        self._failure = None

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Batches of messages from these offsets on; raises LogBroken when an offset lies beyond the end."""
        wanted = dict(start)
        pause = 0.2
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.servers,
                client_id=self.client,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                max_poll_records=LARGEST_BATCH,
                request_timeout_ms=int(CALL_SECONDS * 1000),
            )
            try:
                async for batch in self._follow(consumer, topics, wanted):
                    for message in batch:
                        wanted[message.record.topic, message.partition] = message.offset + 1
                    yield batch
                    pause = 0.2
            except (KafkaError, TimeoutError, OSError) as fault:
                log.warning("log_not_readable", reason=_said(fault))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            finally:
                self._consumers.discard(consumer)
                await _bounded(consumer.stop())

    async def _follow(
        self, consumer: Any, topics: Sequence[str], start: Mapping[Position, int]
    ) -> AsyncIterator[Sequence[Message]]:
        await _whole(consumer.start())
        self._consumers.add(consumer)
        places = [TopicPartition(self.prefix + topic, number) for topic in topics for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await asyncio.wait_for(consumer.end_offsets(places), CALL_SECONDS)
        for place in places:
            topic = place.topic.removeprefix(self.prefix)
            offset = start.get((topic, place.partition), 0)
            if offset > ends[place]:
                raise LogEndsBefore((topic, place.partition), offset, ends[place])
            consumer.seek(place, offset)
        self._heard = time.monotonic()
        idle = False
        while True:
            fetched = await consumer.getmany(timeout_ms=FETCH_WAIT_MS, max_records=LARGEST_BATCH)
            batch = [self._message(each) for records in fetched.values() for each in records]
            if batch:
                self._heard, idle = time.monotonic(), False
                yield batch
            elif await self._at_end(consumer, places):
                if not idle:
                    idle = True
                    yield []

    async def _at_end(self, consumer: Any, places: Sequence[Any]) -> bool:
        """Whether everything has been read; silence alone does not say so, the broker may be gone."""
        marks = [consumer.highwater(place) for place in places]
        if None in marks or time.monotonic() - self._heard > SILENT_SECONDS / 3:
            ends = await asyncio.wait_for(consumer.end_offsets(places), CALL_SECONDS)
            self._heard = time.monotonic()
            marks = [ends[place] for place in places]
        positions = [await consumer.position(place) for place in places]
        return all(position >= mark for position, mark in zip(positions, marks, strict=True))

    def _message(self, fetched: Any) -> Message:
        headers = tuple((name, value.decode("utf-8", "replace")) for name, value in fetched.headers)
        key = (fetched.key or b"").decode("utf-8", "replace")
        record = Record(fetched.topic.removeprefix(self.prefix), key, fetched.value, headers)
        return Message(record, fetched.partition, fetched.offset)

    async def _send(self, producer: Any, record: Record) -> Any:
        return await producer.send(
            self.prefix + record.topic,
            key=record.key.encode(),
            value=record.value,
            partition=partition_of(record.key),
            headers=[(name, value.encode()) for name, value in record.headers],
        )

    async def _start_producer(self) -> Any:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers,
            client_id=self.client,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=256 * 1024,
            max_request_size=2 * 1024 * 1024,
            request_timeout_ms=int(CALL_SECONDS * 1000),
        )
        self._producer = producer
        await _whole(producer.start())
        return producer

    async def _discard_producer(self) -> None:
        """A producer that is merely stopped lives on and sends its queue later: its sender is cancelled first."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        sender = getattr(producer, "_sender", None)
        task = getattr(sender, "sender_task", None) if sender is not None else None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=2)
        producer._closed = True
        await _bounded(producer.client.close())


async def create_topics(servers: str, *, replicas: int = 1, prefix: str = "") -> None:
    """Create the topics that are missing; refuses ones that exist with another number of partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=int(CALL_SECONDS * 1000))
    try:
        await asyncio.wait_for(admin.start(), CALL_SECONDS)
        existing = await asyncio.wait_for(admin.describe_topics(), CALL_SECONDS)
        counts = {topic["topic"]: len(topic["partitions"]) for topic in existing}
        for topic in TOPICS:
            found = counts.get(prefix + topic)
            if found is not None and found != PARTITIONS:
                raise BusError(
                    f"{prefix + topic} has {found} partitions; it must have {PARTITIONS}, for its life. Start with an"
                    " empty topic."
                )
        missing = [
            NewTopic(prefix + topic, PARTITIONS, replicas, topic_configs=_settings_of(topic))
            for topic in TOPICS
            if prefix + topic not in counts
        ]
        if missing:
            await asyncio.wait_for(admin.create_topics(missing), CALL_SECONDS)
    except TopicAlreadyExistsError:
        return
    except (KafkaError, TimeoutError, OSError) as fault:
        raise BusError(f"The topics at {servers} could not be created ({_said(fault)}).") from fault
    finally:
        await _bounded(admin.close())


def _settings_of(topic: str) -> dict[str, str]:
    if topic in COMPACTED:
        return {
            "cleanup.policy": "compact",
            "segment.ms": str(HOUR_MS),
            "max.compaction.lag.ms": str(24 * HOUR_MS),
            "delete.retention.ms": str(7 * 24 * HOUR_MS),
        }
    return {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


async def _whole(call: Coroutine[Any, Any, None]) -> None:
    """Wait for a client to start, and for the end of that before giving way to a cancellation: a client that is cut
    off in the middle leaves connections behind. Raises TimeoutError."""
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task}, timeout=CALL_SECONDS)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=2)
        raise
    finally:
        task.cancel()
    if task.cancelled() or not task.done():
        raise TimeoutError(f"no answer within {CALL_SECONDS:g} s")
    task.result()


async def _bounded(closing: Coroutine[Any, Any, Any]) -> None:
    """Close something that may hang, fail or be cancelled from inside when its broker is gone."""
    task = asyncio.create_task(closing)
    done, _ = await asyncio.wait([task], timeout=5)
    if not done:
        task.cancel()
    elif not task.cancelled() and task.exception() is not None:
        log.debug("not_closed_well", reason=_said(cast(BaseException, task.exception())))


def _said(fault: BaseException) -> str:
    return str(fault) or type(fault).__name__
