"""Stores and logs for the tests of the kit, on each kind of engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.bus import Bus
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer, Subscriptions
from shared.rebuild import Rebuild
from shared.store import Store, open_store
from tests import world as worlds
from tests.engines import Postgres


@dataclass
class Stores:
    """Databases of services that do not run: a test opens stores on them, as many as it likes on PostgreSQL."""

    engine: str
    url: str
    stack: AsyncExitStack
    server: Postgres | None = None

    async def open(self, service: str) -> Store:
        """A store of a service, closed at the end of the test."""
        store = open_store(self.url, service)
        await store.start()
        self.stack.push_async_callback(store.close)
        return store

    @property
    def on_postgres(self) -> bool:
        """Whether several processes may share a store."""
        return self.engine == "postgresql"


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Empty databases; a test runs once on each engine."""
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            url = worlds.empty_files(tmp_path)
            server = None
        else:
            server = request.getfixturevalue("postgres_server")
            url = await stack.enter_async_context(worlds.empty_databases(server))
        yield Stores(request.param, url, stack, server)


@pytest.fixture
async def store(stores: Stores) -> Store:
    """The store of targets."""
    return await stores.open("targets")


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    """An embedded log with nothing on it."""
    log = EmbeddedBus(tmp_path / "heard.db")
    await log.start()
    yield log
    await log.close()


@asynccontextmanager
async def at_work(store: Store, bus: Bus, subscriptions: Subscriptions) -> AsyncIterator[Consumer]:
    """An applier that has come to the end of the log."""
    consumer = Consumer(store, bus, subscriptions)
    consumer.hear_anew = Rebuild(store, bus, subscriptions, None).run
    task = asyncio.create_task(consumer.run())
    try:
        await until(lambda: consumer.caught_up or task.done())
        yield consumer
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled() and task.exception() is not None:
        raise task.exception()  # type: ignore[misc]


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds, in this process; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)
