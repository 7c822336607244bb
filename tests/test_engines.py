"""The engines themselves: what the other tests take for granted about them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests import engines


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def tell(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def listens(url: str) -> bool:
    where = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(where.hostname, where.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def send(broker: engines.Kafka, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.address, acks="all", enable_idempotence=True) as producer:
        await asyncio.gather(*[await producer.send(topic, value, partition=0) for value in values])


async def read(broker: engines.Kafka, topic: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.address, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(30):
            return [(await consumer.getone()).value for _ in range(count)]


async def test_postgres_answers_and_makes_its_commits_durable(postgres_server: engines.Postgres) -> None:
    assert await ask(postgres_server.address, "SELECT 1") == 1
    assert await ask(postgres_server.address, "SHOW fsync") == "on"


async def test_a_database_can_be_copied_from_a_template(postgres_server: engines.Postgres) -> None:
    original = await postgres_server.create_database("original")
    await tell(original, "CREATE TABLE fact (n int); INSERT INTO fact VALUES (7)")
    copy = await postgres_server.create_database(template="original")
    assert await ask(copy, "SELECT n FROM fact") == 7
    await postgres_server.drop_database("original")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(original, "SELECT 1")


async def test_a_killed_postgres_comes_back_where_it_was_with_what_it_had(own_postgres: engines.Postgres) -> None:
    url = await own_postgres.create_database()
    await tell(url, "CREATE TABLE fact (n int); INSERT INTO fact SELECT generate_series(1, 1000)")
    await asyncio.to_thread(own_postgres.restart)
    assert await ask(url, "SELECT count(*) FROM fact") == 1000


async def test_kafka_keeps_what_it_is_sent(kafka_broker: engines.Kafka) -> None:
    topic = await kafka_broker.create_topic()
    values = [b"%d" % n for n in range(100)]
    await send(kafka_broker, topic, values)
    assert await read(kafka_broker, topic, 100) == values


async def test_kafka_makes_no_topic_by_itself(kafka_broker: engines.Kafka) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.address) as producer:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(1):
                await producer.partitions_for("nobody.made.this")


async def test_a_killed_broker_comes_back_where_it_was_with_what_it_had(own_broker: engines.Kafka) -> None:
    topic = await own_broker.create_topic()
    values = [b"%d" % n for n in range(1000)]
    await send(own_broker, topic, values)
    address = own_broker.address
    await asyncio.to_thread(own_broker.restart)
    assert own_broker.address == address
    assert await read(own_broker, topic, 1000) == values


def test_chromium_shows_a_page(chromium_path: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>t</title><p id=a></p><script>document.all.a.textContent = 6 * 7</script>")
    shown = subprocess.run(
        [chromium_path, *engines.CHROMIUM_FLAGS, f"--user-data-dir={tmp_path}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert '<p id="a">42</p>' in shown.stdout


async def test_an_engine_ends_with_its_owner_even_a_killed_one(own_postgres: engines.Postgres) -> None:
    start = "from tests.engines import Postgres; print(Postgres().start().address, flush=True); input()"
    pipe = asyncio.subprocess.PIPE
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", start, stdin=pipe, stdout=pipe)
    assert owner.stdout is not None
    url = (await owner.stdout.readline()).decode().strip()
    assert await listens(url)
    owner.kill()
    await owner.wait()
    async with asyncio.timeout(20):
        while await listens(url):
            await asyncio.sleep(0.1)
