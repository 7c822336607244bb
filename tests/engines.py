"""The real engines under the tests: PostgreSQL, Apache Kafka and Chromium.

The scripts in `deploy/engines` do the work, so that `make kafka` and the tests start the same thing; this module gives
them to the tests as objects. Each engine has a folder, a port and data of its own, and ends with the test run, also
when the run is killed.

An engine that cannot be had raises `Unavailable` with the reason, and the fixtures skip with it; one that is here and
fails is a failure. The environment variables `CONCERT_TEST_POSTGRES_URL` and `CONCERT_TEST_KAFKA` name running ones to
use instead; those are never stopped, and tests that must stop one have their own.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

SCRIPTS = Path(__file__).parent.parent / "deploy" / "engines"

# Nothing that asks the outside world, and no sandbox: the tests run as root too, and read only our own pages.
CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Unavailable(Exception):
    """This engine cannot be had on this machine; the message says why."""


class EngineFailed(Exception):
    """An engine that is here did not do what it was told."""


def chromium() -> Path:
    """The system's Chromium; start it with `CHROMIUM_FLAGS`."""
    return Path(_script("chromium", "path", failure=Unavailable))


def prometheus() -> Path:
    """The system's Prometheus; promtool lies beside it."""
    return Path(_script("prometheus", "path", failure=Unavailable))


def collector() -> Path:
    """The OpenTelemetry collector; it is compiled when it is first asked for, which takes minutes."""
    return Path(_script("collector", "path", failure=Unavailable))


class Engine:
    """A server process of our own, or one at `address` that somebody else keeps running.

    The methods block, for seconds; inside a running loop call them with `asyncio.to_thread`.
    """

    name: ClassVar[str]

    def __init__(self, address: str | None = None) -> None:
        self.ours = address is None
        self.address = address or ""
        self._folder: str | None = None

    def start(self) -> Self:
        """Start it, or start it again where it was, with the data it had; returns when it answers."""
        if self.ours:
            _script(self.name, "fetch", failure=Unavailable)
            # In the machine's own place for short-lived things: PostgreSQL's own user must be able to get there.
            self._folder = self._folder or tempfile.mkdtemp(prefix=f"concert-{self.name}-")
            self.address = self._do("start")
        return self

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._do("stop")

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        self._do("kill")

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """End it and drop its data, if it is ours."""
        if self._folder is not None:
            self._do("remove")
            self._folder = None

    def _do(self, verb: str) -> str:
        if not self.ours:
            raise EngineFailed(f"the {self.name} at {self.address} is not ours to {verb}")
        if self._folder is None:
            raise EngineFailed(f"there is no {self.name} to {verb}: it was never started")
        return _script(self.name, verb, self._folder, failure=EngineFailed)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class Postgres(Engine):
    """A PostgreSQL server with durable commits (fsync on)."""

    name = "postgres"

    def url(self, database: str) -> str:
        """Where `database` of this server is."""
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{database}"))

    async def create_database(self, name: str | None = None, *, template: str = "template0") -> str:
        """Make a database and return its URL; a `template` is copied with all it holds, so nobody may be using it."""
        name = name or f"test_{uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.address)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class Kafka(Engine):
    """One broker that makes no topic by itself; its address is what clients call bootstrap servers."""

    name = "kafka"

    async def create_topic(
        self, name: str | None = None, *, partitions: int = 4, config: Mapping[str, str] | None = None
    ) -> str:
        """Make a topic and return its name."""
        name = name or f"test.{uuid4().hex}"
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=dict(config or {}))
        async with _administrator(self.address) as administrator:
            for _, code, *message in (await administrator.create_topics([topic])).topic_errors:
                if code:
                    raise for_code(code)(*message)
        return name

    async def delete_topics(self, *names: str) -> None:
        """Delete topics with their records."""
        async with _administrator(self.address) as administrator:
            await administrator.delete_topics(list(names))


class KafkaCluster(Kafka):
    """Three brokers that are one cluster; each can be killed and started by its number, from 1."""

    name = "kafka-cluster"

    def kill_broker(self, *numbers: int) -> None:
        """End brokers as a power cut would."""
        for number in numbers:
            self._of_broker("kill", number)

    def stop_broker(self, number: int) -> None:
        """Ask a broker to end: it hands over what it leads."""
        self._of_broker("stop", number)

    def start_broker(self, *numbers: int) -> None:
        """Start brokers again, at once: none is whole before a second one is there."""
        with ThreadPoolExecutor() as together:
            list(together.map(lambda number: self._of_broker("start", number), numbers))

    def _of_broker(self, verb: str, number: int) -> None:
        if self._folder is None:
            raise EngineFailed(f"there is no {self.name} with a broker to {verb}: it was never started")
        _script("kafka", verb, f"{self._folder}/{number}", failure=EngineFailed)


@asynccontextmanager
async def _administrator(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=address)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def _script(name: str, *arguments: str, failure: type[Exception]) -> str:
    environment = {**os.environ, "CONCERT_ENGINE_OWNER": str(os.getpid())}
    ended = subprocess.run([SCRIPTS / f"{name}.sh", *arguments], capture_output=True, text=True, env=environment)
    if ended.returncode != 0:
        raise failure(ended.stderr.strip() or f"{name}.sh {arguments[0]} failed with {ended.returncode}")
    return ended.stdout.strip()
