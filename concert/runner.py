"""Starting Concert: all four services in one process for one machine, or one of them for a container."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
import uvicorn

from concert.databases import bring_up_to_date, require_up_to_date
from concert.origin import Origin
from concert.port import CannotListen, claimed
from concert.services import SERVICES
from shared.application import Running, Service, running
from shared.bus import Bus
from shared.identity.gate import Identity
from shared.settings import Settings

log = structlog.get_logger(__name__)


def open_bus(settings: Settings, client: str) -> Bus:
    """The log that these settings name."""
    if settings.bus == "kafka":
        from shared.bus.kafka import KafkaBus

        return KafkaBus(settings.kafka_bootstrap_servers, client)
    from shared.bus.embedded import EmbeddedBus

    return EmbeddedBus(settings.data / "log.db")


def settle() -> None:
    """Tune the interpreter for a server: what start-up made is never garbage, and threads share the lock in turns.

    Measured on an import of 8,800 deals: a fifth of the time went into looking for garbage among classes and tables.
    """
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


@asynccontextmanager
async def together(
    settings: Settings, services: Sequence[Service] = SERVICES
) -> AsyncIterator[tuple[Origin, Identity]]:
    """All services in this process, behind one origin."""
    settings.data.mkdir(parents=True, exist_ok=True)
    identity = Identity.of(settings)
    async with AsyncExitStack() as stack:
        bus = open_bus(settings, "concert")
        await bus.start()
        stack.push_async_callback(bus.close)
        started: dict[str, Running] = {}
        for service in services:
            await asyncio.to_thread(bring_up_to_date, service, settings.store)
            begun = running(service, settings, bus, identity)
            started[service.name] = await stack.enter_async_context(begun)
        introduce(started)
        yield Origin(started), identity


def introduce(services: Mapping[str, Running]) -> None:
    """Let services of one process ask each other without a network."""
    for started in services.values():
        started.runtime.extras["neighbours"].share_process_with({name: each.entry for name, each in services.items()})


@asynccontextmanager
async def alone(service: Service, settings: Settings) -> AsyncIterator[Running]:
    """One service in this process; its database has been migrated by a job of its own."""
    identity = Identity.of(settings)
    await asyncio.to_thread(require_up_to_date, service, settings.store)
    bus = open_bus(settings, service.name)
    await bus.start()
    try:
        async with running(service, settings, bus, identity) as started:
            yield started
    finally:
        await bus.close()


async def listen(
    app: object,
    settings: Settings,
    ready: asyncio.Event | None = None,
    stopping: Sequence[asyncio.Event] = (),
    sockets: list[socket.socket] | None = None,
) -> None:
    """Answer HTTP until the process is told to stop; answers that would stay open are told so by these events.

    The address is that of the sockets, if they have been claimed before. Raises CannotListen.
    """
    if sockets is None:
        with claimed(settings) as sockets:
            return await listen(app, settings, ready, stopping, sockets)
    settle()
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
        lifespan="off",
    )
    server = _Server(config)
    server.ready = ready
    server.stopping = stopping
    await server.serve(sockets)


class _Server(uvicorn.Server):
    """A server that says when it listens, and when it is about to stop."""

    ready: asyncio.Event | None = None
    stopping: Sequence[asyncio.Event] = ()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        try:
            await super().startup(sockets)
        except OSError as fault:
            raise CannotListen(self.config.host, self.config.port, fault) from None
        log.info("listening", address=f"{self.config.host}:{self.config.port}")
        if self.ready is not None:
            self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open answers end, then stop."""
        for event in self.stopping:
            event.set()
        await super().shutdown(sockets)
