"""The Kafka bus: the log in an Apache Kafka cluster. The only file that knows aiokafka.

The client's defaults are unsafe, so everything that matters is set here. What fails is not repaired: a producer or a
consumer lives until its first error and is then replaced, and of a producer that is given up nothing is ever sent.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus import (
    COMPACTED,
    LARGEST_BATCH,
    LARGEST_RECORD,
    PARTITIONS,
    TOMBSTONE_DAYS,
    TOPICS,
    BusClosed,
    BusError,
    LogBroken,
    LogEndsBefore,
    Message,
    Position,
    Record,
    TopicsMissing,
    partition_of,
    refuse_unfit,
)
from shared.outage import Outage

PATIENCE: Final = 20.0  # seconds: a publish, a start, and how long a reader bears a cluster that says nothing
FETCH_WAIT_MS: Final = 250  # a cluster with nothing new says so this often: the reader's heartbeat
CLOSE_SECONDS: Final = 3.0
LARGEST_BATCH_BYTES: Final = 2 * LARGEST_RECORD  # what the largest record takes with Kafka's own frame, and room
HOUR_MS: Final = 3_600_000
MOST_COPIES: Final = 3  # of each topic, where nothing else is chosen
IN_SYNC: Final = "min.insync.replicas"
TROUBLE = (KafkaError, OSError)  # TimeoutError is an OSError

log = structlog.get_logger(__name__)


class KafkaBus:
    """The bus beyond one machine."""

    def __init__(self, bootstrap_servers: str, client_id: str, prefix: str = "", *, patience: float = PATIENCE) -> None:
        self._cluster = Cluster(bootstrap_servers, client_id, prefix, patience)
        self._open = False
        self._sender: Sender | None = None
        self._starting = asyncio.Lock()
        self._endings: set[asyncio.Task[None]] = set()
        self._readers: set[Reader] = set()
        self._unsent: str | None = None
        self._unread: str | None = None
        self._outage = Outage(str(self._cluster))

    @property
    def healthy(self) -> str | None:
        """None, or what is the matter with sending or reading."""
        if not self._open:
            return f"The connection to {self._cluster} is closed."
        silence = max((reader.silence for reader in self._readers), default=0.0)
        if silence > self._cluster.patience / 4:
            return f"{self._cluster} has been silent for {silence:.0f} s."
        return self._unsent or self._unread

    async def start(self) -> None:
        """See that the cluster answers and has the topics, with their partitions."""
        async with _administrator(self._cluster) as administrator:
            await _refuse_unlike(administrator, self._cluster)
        self._open = True

    async def close(self) -> None:
        """Let go of the cluster; what is being sent fails, readers end with BusClosed."""
        self._open = False
        if self._sender is not None:
            self._end(self._sender)
        closing = [*self._endings, *(asyncio.create_task(reader.close()) for reader in self._readers)]
        if closing:
            await asyncio.wait(closing, timeout=2 * CLOSE_SECONDS)

    async def publish(self, records: Sequence[Record]) -> None:
        """Return when the cluster has all records on every replica in sync."""
        self._running()
        _refuse_unknown((record.topic for record in records), self._cluster)
        for record in records:
            refuse_unfit(record)
        try:
            async with asyncio.timeout(self._cluster.patience):
                await self._send(records)
        except TROUBLE as fault:
            self._unsent = f"{self._cluster} does not take what is sent: {_said(fault)}."
            self._tell()
            raise BusError(self._unsent) from fault
        self._unsent = None
        self._tell()

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what is on the topics from the given offsets on, and an empty batch at the end."""
        _refuse_unknown(topics, self._cluster)
        offsets = {(topic, n): start.get((topic, n), 0) for topic in topics for n in range(PARTITIONS)}
        pause = 0.1
        while True:
            self._running()
            reader = Reader(self._cluster, offsets)
            self._readers.add(reader)
            try:
                await reader.open()
                self._unread, pause = None, 0.1
                while self._open:
                    batch = await reader.next()
                    self._tell()
                    if batch is not None:
                        yield batch
            except TROUBLE as fault:
                self._unread = f"{self._cluster} cannot be read: {_said(fault)}."
                self._tell()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            finally:
                self._readers.discard(reader)
                await reader.close()

    def _tell(self) -> None:
        """Say it, once, when the cluster goes away or is back."""
        trouble = self._unsent or self._unread
        if self._open and trouble is not None:
            self._outage.goes_on(trouble)
        else:
            self._outage.is_over()

    def _running(self) -> None:
        if not self._open:
            raise BusClosed(f"The connection to {self._cluster} is closed.")

    async def _send(self, records: Sequence[Record]) -> None:
        """Send with the present sender, or a new one; one that fails any caller in any way is given up."""
        sender = await self._present_sender()
        try:
            await sender.send(records)
        except BaseException:
            # A cancelled caller too: it may never learn of its records, so they must not follow later.
            ending = self._end(sender)
            await asyncio.wait([ending])
            raise

    async def _present_sender(self) -> Sender:
        """The sender, started if there is none, but not before those given up have ended."""
        async with self._starting:
            if self._endings:
                await asyncio.wait(self._endings)
            self._running()
            if self._sender is None:
                sender = Sender(self._cluster)
                try:
                    await sender.start()
                except BaseException:
                    self._end(sender)
                    raise
                self._sender = sender
            return self._sender

    def _end(self, sender: Sender) -> asyncio.Task[None]:
        """Give a sender up; whoever gives way meanwhile does not stop this."""
        if self._sender is sender:
            self._sender = None
        if sender.ending is None:
            sender.ending = asyncio.create_task(sender.end())
            self._endings.add(sender.ending)
            sender.ending.add_done_callback(self._endings.discard)
        return sender.ending


class Cluster:
    """How to reach the cluster, what topics are called there, and how long to wait for it."""

    def __init__(self, servers: str, client_id: str, prefix: str, patience: float) -> None:
        self.servers = servers
        self.client_id = client_id
        self.prefix = prefix
        self.patience = patience

    def __str__(self) -> str:
        return f"Kafka at {self.servers}"

    @property
    def settings(self) -> dict[str, Any]:
        """What every client is told. A single request ends well before whoever waits for it loses patience."""
        return {
            "bootstrap_servers": self.servers,
            "client_id": self.client_id,
            "request_timeout_ms": int(self.patience * 400),
            "retry_backoff_ms": 100,
        }

    def place(self, position: Position) -> Any:
        """What aiokafka calls a position."""
        return TopicPartition(self.prefix + position[0], position[1])


class Producer(AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's producer, and an end to it.

    Its own `stop` delivers the queue first, for as long as that takes; giving that up leaves its tasks alive, and they
    deliver when the cluster comes back. What a broker or the network has already taken, one request per broker, may
    still be appended: no client can call that back. None of this is public in aiokafka; test_kafka_client.py guards it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._requests: set[asyncio.Task[Any]] = set()
        self._send_request = self._sender._send_produce_req
        self._sender._send_produce_req = self._tracked

    async def _tracked(self, *arguments: Any) -> None:
        task = asyncio.current_task()
        if task is None or self._closed:  # begun, but not yet running when the end came
            raise asyncio.CancelledError
        self._requests.add(task)
        try:
            await self._send_request(*arguments)
        finally:
            self._requests.discard(task)

    async def end(self) -> None:
        """Stop at once; what is queued is never sent, nor what the kernel has not sent yet."""
        self._closed = True
        for connection in list(self.client._conns.values()):
            _cut(connection)
        await _cancelled([*self._requests, self._sender.sender_task])
        await _within(CLOSE_SECONDS, self.client.close())
        accumulator = self._message_accumulator
        batches = [*accumulator._pending_batches, *chain.from_iterable(accumulator._batches.values())]
        accumulator.fail_all(KafkaError("the producer has been given up"))
        for batch in batches:
            batch._drain_waiter.exception()  # nobody need have waited for it


class Sender:
    """One producer's life, from its start to its first error."""

    def __init__(self, cluster: Cluster) -> None:
        self.ending: asyncio.Task[None] | None = None
        self._cluster = cluster
        self._producer = Producer(
            **cluster.settings,
            acks="all",
            enable_idempotence=True,
            linger_ms=2,
            max_batch_size=256 * 1024,
            max_request_size=LARGEST_BATCH_BYTES,
        )

    async def start(self) -> None:
        """Find the brokers."""
        await _whole(self._producer.start())

    async def send(self, records: Sequence[Record]) -> None:
        """Wait until the cluster has all of them."""
        sent: list[asyncio.Future[Any]] = []
        try:
            for record in records:
                sent.append(await self._queued(record))
            await asyncio.gather(*sent)
        except BaseException:
            for each in sent:
                each.cancel()
            raise

    async def end(self) -> None:
        """Never send anything again."""
        await self._producer.end()

    async def _queued(self, record: Record) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send(
            self._cluster.prefix + record.topic,
            key=record.key.encode(),
            value=record.value,
            partition=partition_of(record.key),
            headers=[(name, value.encode()) for name, value in record.headers],
        )
        return future


class Reader:
    """One consumer's life, from its start to its first error; moves the offsets on as it hands messages out."""

    def __init__(self, cluster: Cluster, offsets: dict[Position, int]) -> None:
        self._cluster = cluster
        self._offsets = offsets
        self._places = {cluster.place(position): position for position in offsets}
        self._ends: dict[Any, int] = {}
        self._told = False
        self._heard = self._left = time.monotonic()
        self._inside = False
        self._polls: list[Any] = []
        self._consumer = AIOKafkaConsumer(
            **cluster.settings,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=LARGEST_BATCH_BYTES,
        )

    @property
    def silence(self) -> float:
        """For how many seconds the cluster has not answered; the time that nobody asked does not count."""
        return (time.monotonic() if self._inside else self._left) - self._heard

    async def open(self) -> None:
        """Reach the cluster and stand where the offsets say. Raises LogBroken."""
        self._inside = True
        await _whole(self._consumer.start())
        self._consumer.assign(list(self._places))
        begins = await self._consumer.beginning_offsets(list(self._places))
        self._ends = await self._consumer.end_offsets(list(self._places))
        for place, position in self._places.items():
            offset = self._offsets[position]
            if offset > self._ends[place]:
                raise LogEndsBefore(position, offset, self._ends[place])
            if offset < begins[place]:
                raise LogBroken(
                    f"{place.topic} partition {place.partition} begins at offset {begins[place]}, but is to be read"
                    f" from {offset}: what lay before has been deleted. The topic must keep its records for ever."
                )
            self._consumer.seek(place, offset)
        self._heard = time.monotonic()

    async def next(self) -> list[Message] | None:
        """The next batch, an empty one if the end has just been reached, or None if there is nothing to tell."""
        now = time.monotonic()
        if not self._inside:
            self._heard += now - self._left
        self._inside = True
        try:
            if not self._told and await self._at_end():
                self._told = True
                return []
            fetched = await self._consumer.getmany(timeout_ms=4 * FETCH_WAIT_MS, max_records=LARGEST_BATCH)
            if fetched:
                self._told, self._heard = False, time.monotonic()
                return self._handed_out(fetched)
            self._listen()
            return None
        finally:
            self._inside, self._left = False, time.monotonic()

    async def close(self) -> None:
        """Let go of the cluster, soon."""
        await _within(CLOSE_SECONDS, self._consumer.stop())
        # A fetch that is just waiting to try again ends `stop` halfway: see to the rest.
        if self._consumer._fetcher is not None:
            await _cancelled(self._consumer._fetcher._pending_tasks)
        await _within(CLOSE_SECONDS, self._consumer._client.close())

    async def _at_end(self) -> bool:
        """Whether every partition has been read to its end, by the latest word of it."""
        for place in self._places:
            end = max(self._ends[place], self._consumer.highwater(place) or 0)
            if await self._consumer.position(place) < end:
                return False
        return True

    def _handed_out(self, fetched: Mapping[Any, Sequence[Any]]) -> list[Message]:
        messages: list[Message] = []
        for place, records in fetched.items():
            topic, partition = position = self._places[place]
            messages += [Message(_record_of(topic, each), partition, each.offset) for each in records]
            self._offsets[position] = messages[-1].offset + 1
        return messages

    def _listen(self) -> None:
        """Nothing new, or nobody there: every partition's leader says regularly how far it has come, or is missed."""
        polls = [self._consumer.last_poll_timestamp(place) for place in self._places]
        if all(poll is not None for poll in polls) and all(
            poll != before for poll, before in zip(polls, self._polls or [None] * len(polls), strict=True)
        ):
            self._heard, self._polls = time.monotonic(), polls
        if self.silence > self._cluster.patience:
            raise TimeoutError(f"no answer for {self.silence:.0f} s")


def _record_of(topic: str, fetched: Any) -> Record:
    headers = tuple([(name, value.decode("utf-8", "replace")) for name, value in fetched.headers])
    return Record(topic, (fetched.key or b"").decode("utf-8", "replace"), fetched.value, headers)


@dataclass(frozen=True, slots=True)
class Copies:
    """How the cluster keeps a partition: on how many brokers, how many of them are up to date, and how many must be for
    it to take anything; a partition that nobody leads takes and gives nothing."""

    place: str
    kept: int
    wanted: int
    in_sync: int
    needed: int
    led: bool


async def create_topics(bootstrap_servers: str, *, replicas: int = 0, prefix: str = "") -> None:
    """Create the topics that are missing; refuse any that would lose events or mix up their order.

    With no number of replicas there are as many as brokers, up to three. What has been taken is on all but one of them,
    so that one may be lost, and one more may be down while writes go on.
    """
    cluster = Cluster(bootstrap_servers, "concert-topics", prefix, PATIENCE)
    async with _administrator(cluster) as administrator:
        replicas = replicas or await _copies_wanted(administrator, cluster)
        counts = await _partition_counts(administrator)
        missing = [topic for topic in TOPICS if prefix + topic not in counts]
        safe = {IN_SYNC: str(max(1, replicas - 1))}
        wanted = [
            NewTopic(prefix + each, PARTITIONS, replicas, topic_configs=_settings_of(each) | safe) for each in missing
        ]
        if wanted:
            for name, code, *said in (await administrator.create_topics(wanted)).topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise BusError(f"{cluster} does not create {name}: {_said(for_code(code)(*filter(None, said)))}.")
        await _known_everywhere(administrator, {prefix + topic for topic in TOPICS})
        await _refuse_unlike(administrator, cluster)
        await _refuse_forgetful(administrator, cluster)


async def look_at_topics(
    bootstrap_servers: str, *, replicas: int = 0, prefix: str = "", patience: float = PATIENCE
) -> list[Copies]:
    """See that the topics are there, have their partitions and lose nothing; says how each partition is kept. Raises
    BusError."""
    cluster = Cluster(bootstrap_servers, "concert-look", prefix, patience)
    async with _administrator(cluster) as administrator:
        await _refuse_unlike(administrator, cluster)
        found = await _refuse_forgetful(administrator, cluster)
        wanted = replicas or await _copies_wanted(administrator, cluster)
        return [
            Copies(
                f"{topic['topic']} partition {each['partition']}",
                kept=len(each["replicas"]),
                wanted=wanted,
                in_sync=len(each["isr"]),
                needed=int(found[topic["topic"]].get(IN_SYNC, 1)),
                led=each["leader"] >= 0,
            )
            for topic in await administrator.describe_topics(list(found))
            for each in topic["partitions"]
        ]


async def advertised(address: str, *, patience: float = PATIENCE) -> list[str]:
    """Where the broker at this address says that the brokers are, which is where clients go. Raises BusError."""
    cluster = Cluster(address, "concert-look", "", patience)
    client = AIOKafkaClient(**cluster.settings)
    try:
        await _whole(client.bootstrap())
        return sorted(f"{each.host}:{each.port}" for each in client.cluster.brokers())
    except TROUBLE as fault:
        raise BusError(f"{cluster} cannot be reached: {_said(fault)}.") from fault
    finally:
        await _within(CLOSE_SECONDS, client.close())


async def _copies_wanted(administrator: Any, cluster: Cluster) -> int:
    """As many as there are brokers, also of those that are down just now, up to three."""
    alive = (await administrator.describe_cluster())["brokers"]
    return min(MOST_COPIES, max(len(alive), len(cluster.servers.split(","))))


def _settings_of(topic: str) -> dict[str, str]:
    size = {"max.message.bytes": str(LARGEST_BATCH_BYTES)}
    if topic not in COMPACTED:
        return {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", **size}
    # What has been erased must go for good within a day; a reader that was away must still hear of it.
    return {
        "cleanup.policy": "compact",
        "segment.ms": str(HOUR_MS),
        "max.compaction.lag.ms": str(23 * HOUR_MS),
        "delete.retention.ms": str(TOMBSTONE_DAYS * 24 * HOUR_MS),
        **size,
    }


async def _known_everywhere(administrator: Any, names: set[str]) -> None:
    """Wait until every broker knows the topics: each hears of them a moment after they have been made."""
    brokers = [each["node_id"] for each in (await administrator.describe_cluster())["brokers"]]
    for _ in range(100):
        answers = [await administrator._send_request(MetadataRequest(None), broker) for broker in brokers]
        if all(names <= {topic["topic"] for topic in answer.to_object()["topics"]} for answer in answers):
            return
        await asyncio.sleep(0.1)


async def _partition_counts(administrator: Any) -> dict[str, int]:
    return {topic["topic"]: len(topic["partitions"]) for topic in await administrator.describe_topics()}


async def _refuse_unlike(administrator: Any, cluster: Cluster) -> None:
    """Refuse a cluster without the topics, or with another number of partitions."""
    counts = await _partition_counts(administrator)
    names = [cluster.prefix + topic for topic in TOPICS]
    if missing := [name for name in names if name not in counts]:
        raise TopicsMissing(missing, str(cluster))
    for name in names:
        if counts[name] != PARTITIONS:
            raise BusError(
                f"{name} has {counts[name]} partitions at {cluster}; it must have {PARTITIONS} for its life. Begin with"
                " an empty topic of that many."
            )


async def _refuse_forgetful(administrator: Any, cluster: Cluster) -> dict[str, dict[str, str]]:
    """Refuse topics that were made by somebody else and would delete what must be kept, or keep what must go; answers
    with the settings of each."""
    topics = [ConfigResource(ConfigResourceType.TOPIC, cluster.prefix + topic) for topic in TOPICS]
    answers = await administrator.describe_configs(topics)
    found = {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }
    for name, settings in found.items():
        for setting, value in _settings_of(name.removeprefix(cluster.prefix)).items():
            if settings.get(setting, value) != value and setting in ("cleanup.policy", "retention.ms"):
                raise BusError(f"{name} has {setting}={settings[setting]} at {cluster}; it must be {value}.")
    return found


def _refuse_unknown(topics: Iterable[str], cluster: Cluster) -> None:
    """Refuse topics that nobody has declared."""
    if missing := set(topics) - set(TOPICS):
        raise TopicsMissing({cluster.prefix + topic for topic in missing}, str(cluster))


@asynccontextmanager
async def _administrator(cluster: Cluster) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(**cluster.settings)
    try:
        await _whole(client.start())
        yield client
    except TROUBLE as fault:
        raise BusError(f"{cluster} cannot be reached: {_said(fault)}.") from fault
    finally:
        await _within(CLOSE_SECONDS, client.close())


def _cut(connection: Any) -> None:
    """End a connection with what waits in its buffers, ours and the kernel's, unsent."""
    if connection._writer is not None:
        with suppress(OSError):
            at_once = struct.pack("ii", 1, 0)
            connection._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        connection._writer.transport.abort()


async def _whole(start: Coroutine[Any, Any, None]) -> None:
    """Wait for a client to start, and let it come to that even if it is no longer wanted: a client that is cut off in
    the middle leaves connections behind."""
    task = asyncio.create_task(start)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await _within(CLOSE_SECONDS, task)
        raise


async def _within(seconds: float, ending: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
    """Wait for the end of something that may hang, fail, or be cancelled from inside when its broker is gone."""
    task = ending if isinstance(ending, asyncio.Task) else asyncio.create_task(ending)
    await asyncio.wait({task}, timeout=seconds)
    await _cancelled([task])
    if not task.cancelled() and task.done() and task.exception() is not None:
        log.debug("not_ended_well", reason=_said(task.exception()))


async def _cancelled(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    """Cancel tasks until they have ended; one that never does is left behind."""
    running = {task for task in tasks if task is not None and not task.done()}
    for _ in range(3):
        for task in running:
            task.cancel()
        if running:
            _, running = await asyncio.wait(running, timeout=1)


def _said(fault: BaseException | None) -> str:
    return str(fault) or type(fault).__name__
