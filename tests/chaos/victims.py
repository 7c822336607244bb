"""Concert in processes of its own, to be killed: one process on the embedded engines, or four on PostgreSQL and Kafka.

A mutant runs in the victim as it would have been written: with one protection switched off.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import httpx

from concert.runner import open_bus
from concert.services import SERVICES
from services.metrics.app import service as metrics
from shared.bus.kafka import create_topics
from shared.settings import Settings
from shared.store import Store, open_store
from shared.store.migrate import migrate
from tests.engines import Kafka, Postgres
from tests.kit.told import dump
from tests.rebuilt import apply_the_log
from tests.starting import started
from tests.world import empty_databases, empty_files, token_headers

SECONDS_TO_START = 180
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is encrypted, and reading everybody's certificates anew for each client is a good part of what a start
costs."""


class Victim(ABC):
    """Processes that can be killed one by one or together, and that come back where they were."""

    engines: ClassVar[str]
    parts: Sequence[str]
    """The processes, by name."""

    def __init__(self, folder: Path, mutant: str | None = None) -> None:
        self.folder = folder
        self.mutant = mutant
        self.ports = {part: _free_port() for part in self.parts}
        self.processes: dict[str, ForkServerProcess] = {}

    def environment(self, part: str) -> dict[str, str]:
        """What a process is told."""
        return {"CONCERT_DATA": str(self.folder), "CONCERT_PORT": str(self.ports[part]), "CONCERT_DEMO": "0",
                "CONCERT_LOG_LEVEL": "error"}  # fmt: skip

    @abstractmethod
    def command(self, part: str) -> list[str]:
        """The arguments of `concert` that start a process."""

    @abstractmethod
    def address(self, service: str) -> str:
        """Where a service answers."""

    def launched(self, part: str, environment: Mapping[str, str]) -> ForkServerProcess:
        """A process that has just been started."""
        return started(self.command(part), environment, mutant=self.mutant)

    def start(self, points: str = "") -> float:
        """Start what does not run, to die at these points perhaps; says how many seconds it took until all answered."""
        begin = time.monotonic()
        for part in self.parts:
            if part not in self.processes or self.processes[part].exitcode is not None:
                environment = os.environ | self.environment(part) | {"CONCERT_KILL_AT": points}
                self.processes[part] = self.launched(part, environment)
        for part in self.parts:
            if not self._answers(part, begin + SECONDS_TO_START):
                ended = self.processes[part].exitcode
                assert ended == -signal.SIGKILL, f"{part} ended by itself, with {ended}"
                # It has died at one of the points already.
                return self.start()
        return time.monotonic() - begin

    def kill(self, *parts: str) -> None:
        """As if the power had gone: of these, or of all."""
        for part in parts or list(self.processes):
            process = self.processes[part]
            if process.exitcode is None:
                process.kill()
            process.join()

    def client(self, service: str) -> httpx.AsyncClient:
        """An administrator's client of a service."""
        headers = token_headers(self.settings, "admin")
        return httpx.AsyncClient(base_url=self.address(service), headers=headers, timeout=10, verify=PLAIN)

    @property
    def settings(self) -> Settings:
        """How the victim runs."""
        return Settings(data=self.folder)

    @asynccontextmanager
    async def empty_store(self) -> AsyncIterator[str]:
        """The address of stores beside those of the victim, with nothing in them."""
        folder = self.folder / "rebuilt"
        folder.mkdir()
        yield empty_files(folder)

    def _answers(self, part: str, until: float) -> bool:
        with httpx.Client(timeout=1, verify=PLAIN) as client:
            while time.monotonic() < until:
                if self.processes[part].exitcode is not None:
                    return False
                try:
                    client.get(f"http://127.0.0.1:{self.ports[part]}/livez")
                except httpx.HTTPError:
                    time.sleep(0.05)
                else:
                    return True
        raise AssertionError(f"{part} did not come back within {SECONDS_TO_START} seconds")


class OnOneMachine(Victim):
    """All of it in one process, on SQLite and the embedded log."""

    engines = "the embedded engines"
    parts: Sequence[str] = ("concert",)

    def command(self, part: str) -> list[str]:
        return ["run"]

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports['concert']}"


class OnServers(Victim):
    """Four processes, on a PostgreSQL server and a Kafka broker."""

    engines = "PostgreSQL and Kafka"
    parts: Sequence[str] = tuple(service.name for service in SERVICES)

    def __init__(self, folder: Path, server: Postgres, broker: Kafka, url: str, mutant: str | None = None) -> None:
        super().__init__(folder, mutant)
        self.server, self.broker, self.url = server, broker, url

    def environment(self, part: str) -> dict[str, str]:
        addresses = {f"CONCERT_{each.upper()}_URL": self.address(each) for each in self.parts}
        return super().environment(part) | addresses | {
            "CONCERT_STORE_URL": self.url, "CONCERT_BUS": "kafka", "CONCERT_STORE_CONNECTIONS": "6",
            "CONCERT_KAFKA_BOOTSTRAP_SERVERS": self.broker.address,
        }  # fmt: skip

    def command(self, part: str) -> list[str]:
        return ["serve", part]

    def address(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def settings(self) -> Settings:
        return Settings(data=self.folder, store_url=self.url, bus="kafka", kafka_bootstrap_servers=self.broker.address)

    @asynccontextmanager
    async def empty_store(self) -> AsyncIterator[str]:
        async with empty_databases(self.server) as url:
            yield url


@contextmanager
def on_servers(folder: Path, mutant: str | None = None) -> Iterator[OnServers]:
    """A victim on engines of its own, which end with it."""
    with Postgres() as server, Kafka() as broker, servers_of(folder, server, broker, mutant) as victim:
        yield victim


@contextmanager
def servers_of(
    folder: Path, server: Postgres, broker: Kafka, mutant: str | None = None, kind: type[OnServers] = OnServers
) -> Iterator[OnServers]:
    """A victim on engines that have no topics of Concert yet; its processes end with it."""
    name = f"chaos_{uuid4().hex[:12]}"
    asyncio.run(_prepared(server, broker, name))
    victim = kind(folder, server, broker, server.url(f"{name}_{{service}}"), mutant)
    try:
        yield victim
    finally:
        victim.kill()


async def _prepared(server: Postgres, broker: Kafka, name: str) -> None:
    await create_topics(broker.address)
    for service in SERVICES:
        await server.create_database(f"{name}_{service.name}")
        await asyncio.to_thread(migrate, service, server.url(f"{name}_{{service}}"))


async def rebuilt_and_live(victim: Victim) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Every row of the views that depends on the set of events: built anew from the log, and as the victim left it."""
    async with AsyncExitStack() as stack:
        bus = open_bus(victim.settings, "rebuild")
        await bus.start()
        stack.push_async_callback(bus.close)
        empty = await stack.enter_async_context(victim.empty_store())
        stores: list[Store] = []
        for url in (empty, victim.settings.store):
            store = open_store(url, metrics.name)
            await store.start()
            stack.push_async_callback(store.close)
            stores.append(store)
        await apply_the_log(stores[0], bus)
        return await dump(stores[0]), await dump(stores[1])


def some(parts: Sequence[str]) -> Sequence[str]:
    """One of them, or all."""
    return parts if random.random() < 0.25 else [random.choice(parts)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
